"""Neural network playground: watch a small network learn to tell two classes of points apart.

Nothing here is special to the picture: the network, its losses, penalties and update rules are the
course's own. Between two frames a run is put down as plain arrays and taken up again, as a
checkpoint would do; so the same run and the same settings always give the same next frame.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .. import data
from ..activations import sigmoid
from ..linear import Linear
from ..losses import BCEWithLogitsLoss
from ..mlp import MLP
from ..module import Module
from ..optim import SGD, Adam, Momentum
from ..regularizers import ElasticNet
from ..training import minibatches
from .controls import Choice, Counter, Slider, Toggle

__all__ = ["ABOUT", "CONTROLS", "EXPERIMENTS", "STATEFUL", "TITLE", "compute"]

TITLE = "Neural network playground"
ABOUT = (
    "Build a network, press Play, and watch how its hidden units bend the boundary between the two classes. "
    "Point at a unit to see what it has learned to tell apart."
)
STATEFUL = True

# How to draw each problem: by what, around which centre, and how large it is drawn.
PROBLEMS = {
    "xor": (data.xor, (0.0, 0.0), 1.5),
    "circles": (data.circles, (0.0, 0.0), 2.5),
    "moons": (data.moons, (0.5, 0.25), 1.7),
    "spirals": (data.spirals, (0.0, 0.0), 2.8),
    "blobs": (lambda n, noise, rng: data.blobs(n, noise, num_classes=2, rng=rng), (0.0, 0.0), 0.8),
}
NUM_TEST = 200
HALF_WIDTH = 3.5                                           # the picture shows -3.5 to 3.5 both ways
GRID = 40                                                  # numbers along a side of a picture

FEATURES = {
    "x1": lambda x: x[:, 0],
    "x2": lambda x: x[:, 1],
    "x1_squared": lambda x: x[:, 0] ** 2,
    "x2_squared": lambda x: x[:, 1] ** 2,
    "product": lambda x: x[:, 0] * x[:, 1],
    "sin_x1": lambda x: np.sin(x[:, 0]),
    "sin_x2": lambda x: np.sin(x[:, 1]),
}
FEATURE_LABELS = ("x₁", "x₂", "x₁²", "x₂²", "x₁x₂", "sin x₁", "sin x₂")

OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "adam": Adam}
STRENGTHS = tuple((text, text) for text in ("0.0001", "0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3"))

LARGEST = 1e4                                              # a layer whose weights are longer has run away
LONGEST_CURVE = 256

CONTROLS = (
    Choice("dataset", "Data", (("xor", "XOR"), ("circles", "Circles"), ("moons", "Moons"), ("spirals", "Spirals"),
                               ("blobs", "Blobs")), "xor"),
    Slider("noise", "Noise", 0.0, 1.0, 0.05, 0.35),
    Slider("points", "Training points", 10, 200, 10, 100),
    Slider("batch_size", "Batch size", 1, 200, 1, 10),
    Choice("activation", "Activation", (("tanh", "Tanh"), ("relu", "ReLU"), ("leaky_relu", "Leaky ReLU"),
                                        ("elu", "ELU"), ("sigmoid", "Sigmoid"), ("linear", "None (linear)")), "tanh"),
    Choice("optimizer", "Optimiser", (("sgd", "SGD"), ("momentum", "Momentum 0.9"), ("adam", "Adam")), "sgd"),
    Slider("learning_rate", "Learning rate", 0.001, 10.0, 0.25, 0.1, scale="log"),
    Choice("l2", "L2 penalty", (("0", "none"), *STRENGTHS), "0"),
    Choice("l1", "L1 penalty", (("0", "none"), *STRENGTHS), "0"),
    Slider("updates", "Updates/frame", 1, 20, 1, 10),
    *(Toggle(name, label, name in ("x1", "x2")) for name, label in zip(FEATURES, FEATURE_LABELS, strict=True)),
    Toggle("show_test", "Show test points", False),
    Counter("layers", 2, high=4),
    *(Counter(f"units{layer}", 4, low=1, high=8) for layer in (1, 2, 3, 4)),
    Counter("sample"),
    Counter("seed"),
    Counter("restart"),
    Counter("tick"),
)


def experiment(label, question, **inputs):
    """Describe settings that show something, and the question to ask of them."""
    return {"label": label, "question": question, "inputs": inputs}


EXPERIMENTS = (
    experiment(
        "XOR: two layers of four units",
        "How many of the eight hidden units does the boundary need? Take some away and start again.",
    ),
    experiment(
        "XOR without a hidden layer",
        "The boundary is a straight line. How low can its loss get? "
        "Then find the one more feature with which no hidden layer is needed.",
        layers=0,
    ),
    experiment(
        "XOR with two hidden units",
        "Each unit bends along a line. Press New weights and Play a few times: does every start arrive? Then try tanh.",
        layers=1, units1=2, activation="relu", seed=1,
    ),
    experiment(
        "Depth without bends",
        "Four layers, but no activation between them. What can they say that a single layer cannot?",
        dataset="circles", noise=0.2, layers=4, activation="linear", learning_rate=0.01,
    ),
    experiment(
        "A circle out of lines",
        "Three units enclose the inner class. Can two do it?",
        dataset="circles", noise=0.2, layers=1, units1=3, learning_rate=0.316228,
    ),
    experiment(
        "A circle by choice of features",
        "There is no hidden layer, and yet the boundary is curved. Where does the curve come from?",
        dataset="circles", noise=0.2, layers=0, x1=False, x2=False, x1_squared=True, x2_squared=True,
    ),
    experiment(
        "Spirals",
        "Follow the pictures from left to right: where do lines turn into arms? Then try ReLU.",
        dataset="spirals", noise=0.1, points=200, layers=3, units1=8, units2=8, units3=4, optimizer="adam",
        learning_rate=0.01, batch_size=20,
    ),
    experiment(
        "Overfitting",
        "The training loss falls and the test loss rises. Restart with an L2 penalty of 0.01, then with more points.",
        dataset="moons", noise=0.6, points=30, layers=3, units1=8, units2=8, units3=8, optimizer="adam",
        learning_rate=0.01, show_test=True,
    ),
    experiment(
        "Gradients that vanish",
        "Four layers of sigmoids hardly move. Try tanh, then ReLU, with everything else as it is.",
        dataset="circles", noise=0.2, layers=4, activation="sigmoid",
    ),
    experiment(
        "A learning rate too large",
        "What happens to the hidden units? By which factor must you lower the rate before it works?",
        dataset="circles", noise=0.2, activation="relu", learning_rate=10.0,
    ),
    experiment(
        "An L1 penalty chooses features",
        "All seven features are offered. Which weights does the penalty leave? What becomes of the others without it?",
        dataset="circles", noise=0.2, layers=0, l1="0.03", points=200, batch_size=50,
        **dict.fromkeys(FEATURES, True),
    ),
)


class Identity(Module):
    """An activation that does nothing, so that a stack of linear layers stays linear."""

    def forward(self, x):
        """Return ``x``."""
        return x

    def backward(self, dy):
        """Return ``dy``: the slope is 1."""
        return dy


@dataclass(frozen=True)
class Run:
    """A training run between two frames: all that is needed to go on.

    Parameters
    ----------
    problem : dict
        The settings that it began with. A change of any of them begins a new run.
    tick : int
        The last frame that was asked for.
    weights : dict of str to ndarray
        The network's ``state_dict``.
    curve : ndarray of float64, shape (3, K)
        Number of updates, training loss and test loss, frame by frame.
    best : tuple of (int, float, float)
        After which update the test loss was smallest; the training and the test loss there.
    rule : str
        Which optimizer made the last update.
    memory : dict or None
        That optimizer's ``state_dict``.
    step, epoch, batch : int
        Updates so far; passes through the data so far, and batches of the present one.
    batch_size : int
    ran_away : int
        The update that made the weights too large; 0 if none did. The run ends there.
    """

    problem: dict
    tick: int
    weights: dict
    curve: np.ndarray
    best: tuple
    rule: str = ""
    memory: dict | None = None
    step: int = 0
    epoch: int = 0
    batch: int = 0
    batch_size: int = 0
    ran_away: int = 0


@lru_cache(maxsize=16)
def make_data(dataset, noise, points, sample):
    """Draw training and test points from the same problem.

    Parameters
    ----------
    dataset : str
        A key of ``PROBLEMS``.
    noise : float
        Standard deviation, in the units of the picture.
    points : int
        Number of training points N.
    sample : int
        Seed.

    Returns
    -------
    tuple of two (x, y)
        Of training and test; x float64 (N, 2), y float64 (N, 1) of zeros and ones.
    """
    draw, centre, scale = PROBLEMS[dataset]
    rng = np.random.default_rng(sample)
    sets = [draw(n, noise / scale, rng=rng) for n in (points, NUM_TEST)]
    return tuple(((s.x - centre) * scale, s.y[:, None].astype(np.float64)) for s in sets)


def features_of(x, chosen):
    """Compute what the network gets to see of each point.

    Parameters
    ----------
    x : ndarray of float64, shape (N, 2)
    chosen : tuple of str
        Keys of ``FEATURES``.

    Returns
    -------
    ndarray of float64, shape (N, D)
        Without a chosen feature, one column of zeros: the network then learns from its biases only.
    """
    columns = [FEATURES[name](x) for name in chosen] or [np.zeros(len(x))]
    return np.stack(columns, axis=1)


def chosen_features(problem):
    """List the features that are switched on."""
    return tuple(name for name in FEATURES if problem[name])


@lru_cache(maxsize=16)
def grid_features(chosen, side=GRID):
    """Compute features at evenly spaced places of the picture, row 0 at the bottom.

    Parameters
    ----------
    chosen : tuple of str
    side : int
        Places along a side.

    Returns
    -------
    ndarray of float64, shape (side * side, D)
    """
    # The middles of the pixels, so that the picture is neither shifted nor stretched.
    line = HALF_WIDTH * ((2 * np.arange(side) + 1) / side - 1)
    x2, x1 = np.meshgrid(line, line, indexing="ij")
    return features_of(np.stack([x1.ravel(), x2.ravel()], axis=1), chosen)


def make_network(problem):
    """Build the network with its first weights.

    Parameters
    ----------
    problem : dict

    Returns
    -------
    Sequential
        Linear layers at 0, 2, 4 and so on, activations between them; one output, the score of class 1.
    """
    hidden = [problem[f"units{layer}"] for layer in range(1, problem["layers"] + 1)]
    sizes = [max(1, len(chosen_features(problem))), *hidden, 1]
    linear = problem["activation"] == "linear"
    network = MLP(sizes, "tanh" if linear else problem["activation"], rng=np.random.default_rng(problem["seed"]))
    if linear:
        network.layers[1::2] = [Identity() for _ in hidden]
    return network


def forward_all(network, x):
    """Run the network and keep what every hidden layer put out.

    Parameters
    ----------
    network : Sequential
    x : ndarray of shape (N, D)

    Returns
    -------
    hidden : list of ndarray of shape (N, units)
    score : ndarray of shape (N, 1)
    """
    outputs = []
    for layer in network.layers:
        x = layer(x)
        outputs.append(x)
    return outputs[1::2], x


def update(network, optimizer, penalty, x, y):
    """Make one update from one batch: forward, loss, backward, penalty, step.

    Parameters
    ----------
    network : Sequential
    optimizer : Optimizer
    penalty : Module or None
        Applies to weights, not to biases.
    x : ndarray of shape (B, D)
    y : ndarray of shape (B, 1)
    """
    loss = BCEWithLogitsLoss()
    optimizer.zero_grad()
    loss(network(x), y)
    network.backward(loss.backward())
    if penalty is not None:
        penalty([p for p in network.parameters() if p.data.ndim > 1])
        penalty.backward()
    optimizer.step()


def begin(problem, tick):
    """Begin a run: first weights, no update yet."""
    network = make_network(problem)
    losses = measure(network, problem)
    return Run(problem, tick, network.state_dict(), curve=np.array([[0.0], *([loss] for loss in losses)]),
               best=(0, *losses))


def measure(network, problem):
    """Compute the training and the test loss, without penalty.

    Returns
    -------
    tuple of two floats
    """
    chosen = chosen_features(problem)
    loss = BCEWithLogitsLoss()
    return tuple(float(loss(network(features_of(x, chosen)), y)) for x, y in data_of(problem))


def data_of(problem):
    """Draw the problem's points, or take them from the cache."""
    return make_data(problem["dataset"], problem["noise"], problem["points"], problem["sample"])


def take_up(run, optimizer, learning_rate):
    """Rebuild the network and its optimizer as the run left them.

    Parameters
    ----------
    run : Run
    optimizer : str
        A key of ``OPTIMIZERS``. Where it is another than before, it starts without a memory.
    learning_rate : float

    Returns
    -------
    (Sequential, Optimizer)
    """
    network = make_network(run.problem)
    network.load_state_dict(run.weights)
    rule = OPTIMIZERS[optimizer](network.parameters(), learning_rate)
    if run.rule == optimizer:
        rule.load_state_dict(run.memory)
        rule.lr = learning_rate                            # the saved one may be out of date
    return network, rule


def train(run, updates, batch_size, optimizer, learning_rate, penalty):
    """Go on with a run.

    Parameters
    ----------
    run : Run
    updates : int
        How many batches to learn from.
    batch_size : int
        A change begins a new pass through the data.
    optimizer : str
    learning_rate : float
    penalty : Module or None

    Returns
    -------
    Run
    """
    network, rule = take_up(run, optimizer, learning_rate)
    (x, y), _ = data_of(run.problem)
    x = features_of(x, chosen_features(run.problem))
    epoch, batch = run.epoch, run.batch if batch_size == run.batch_size else 0
    batches = deal(run.problem, epoch, batch_size)
    for step in range(run.step + 1, run.step + updates + 1):
        if batch == len(batches):
            epoch, batch = epoch + 1, 0
            batches = deal(run.problem, epoch, batch_size)
        index = batches[batch]
        batch += 1
        update(network, rule, penalty, x[index], y[index])
        if has_run_away(network):
            return replace(run, ran_away=step)             # with the weights of the last frame
    return record(replace(run, weights=network.state_dict(), rule=optimizer, memory=rule.state_dict(), step=step,
                          epoch=epoch, batch=batch, batch_size=batch_size), network)


def deal(problem, epoch, batch_size):
    """Shuffle the training points of one epoch into batches; the same epoch is dealt the same way again."""
    rng = np.random.default_rng([problem["seed"], epoch])
    return list(minibatches(problem["points"], batch_size, rng=rng))


def has_run_away(network):
    """Tell whether the weights of a layer have become too large, or are no numbers any more."""
    return not all(np.vdot(p.data, p.data) < LARGEST**2 for p in network.parameters())


def record(run, network):
    """Add the losses to the curve; one that has become too long loses every second point."""
    train_loss, test_loss = measure(network, run.problem)
    curve = np.append(run.curve, [[run.step], [train_loss], [test_loss]], axis=1)
    if curve.shape[1] > LONGEST_CURVE:
        curve = curve[:, (curve.shape[1] - 1) % 2::2]      # the latest point stays
    return replace(run, curve=curve, best=min(run.best, (run.step, train_loss, test_loss), key=lambda entry: entry[-1]))


def overfits(run):
    """Tell whether the test loss has risen by a tenth since its best while the training loss went on falling."""
    _, train_loss, test_loss = run.curve[:, -1]
    _, train_at_best, lowest = run.best
    return bool(test_loss > 1.1 * lowest + 0.01 and train_loss < train_at_best)


def own_scale(values):
    """Divide each column by its largest size, unless that is zero; (P, U) -> (P, U)."""
    largest = np.abs(values).max(axis=0)
    return values / np.where(largest > 0, largest, 1)


def pixels(shares):
    """Round numbers from -1 to 1 to 127ths, a row for each column; float64 (P, U) -> int8 (U, P)."""
    return np.rint(127 * shares).T.astype(np.int8)


def picture(run, show_test):
    """Compute all that is drawn of a run.

    Parameters
    ----------
    run : Run
    show_test : bool

    Returns
    -------
    dict
        As `compute` describes it.
    """
    problem = run.problem
    network = make_network(problem)
    network.load_state_dict(run.weights)
    chosen = chosen_features(problem)
    sets = data_of(problem)
    (train_x, train_y), (test_x, test_y) = sets
    train_hidden, train_score = forward_all(network, features_of(train_x, chosen))
    test_score = network(features_of(test_x, chosen))
    hidden, score = forward_all(network, grid_features(chosen))
    linears = [layer for layer in network.layers if isinstance(layer, Linear)]
    points = sets if show_test else sets[:1]
    return {
        "tick": run.tick,
        "step": run.step,
        "epoch": run.epoch,
        "ran_away": run.ran_away,
        "curve": run.curve,
        "guess": float(np.log(2)),
        "best_step": run.best[0],
        "best_test_loss": run.best[-1],
        "overfits": overfits(run),
        "train_accuracy": float(np.mean((train_score > 0) == (train_y > 0))),
        "test_accuracy": float(np.mean((test_score > 0) == (test_y > 0))),
        "norm": float(np.sqrt(sum(np.vdot(layer.weight.data, layer.weight.data) for layer in linears))),
        "weights": [layer.weight.data for layer in linears],
        "biases": [layer.bias.data for layer in linears],
        "dead": [(h == 0).all(axis=0) & (problem["activation"] == "relu") for h in train_hidden],
        "score": score[:, 0].astype(np.float32),
        "sides": pixels(2 * sigmoid(score) - 1)[0],
        "maps": [pixels(own_scale(h)) for h in hidden],
        "features": pixels(own_scale(grid_features(tuple(FEATURES), GRID // 2))),
        "points": [x.astype(np.float32) for x, _ in points],
        "labels": [y[:, 0].astype(np.uint8) for _, y in points],
        "half_width": HALF_WIDTH,
        "side": GRID,
        "experiments": EXPERIMENTS,
    }


def compute(*, tick, updates, show_test, batch_size, optimizer, learning_rate, l1, l2, state=None, **problem):
    """Go on with a run by one frame if the clock has moved, or begin a new one if the problem has changed.

    Parameters
    ----------
    tick : int
        A clock. Another value than last time asks for training; the same one only for the picture.
    updates : int
        How many updates a frame makes.
    show_test : bool
        Whether to return the test points as well. Their loss is measured anyway.
    batch_size : int
    optimizer : str
        A key of ``OPTIMIZERS``.
    learning_rate : float
    l1, l2 : str
        Strengths of the penalties, as numbers in words; "0" for none.
    state : Run, optional
        What the last call returned.
    **problem
        What a run is fixed by: ``dataset``, ``noise``, ``points`` and ``sample`` (the seed of the points); a
        bool for each feature; ``activation``, ``layers``, ``units1`` to ``units4`` and ``seed`` (of the weights
        and batches); ``restart``, which any change of begins anew.

    Returns
    -------
    outputs : dict
        Numbers: ``tick``, ``step``, ``epoch``, ``ran_away``, ``best_step``, ``best_test_loss``, ``overfits``
        (bool), ``train_accuracy``, ``test_accuracy``, ``norm`` (of all weights) and ``guess``, the loss of one
        who says 1/2 to everything. ``curve`` float64 (3, K): updates, training loss, test loss. For each linear layer
        ``weights`` (units, inputs) and ``biases`` (units,). For each hidden layer ``dead`` bool (units,), which
        ReLU puts out 0 for every training point, and ``maps`` int8 (units, G * G), the unit's output all over
        the picture as a share of its own largest. ``score`` float32 (G * G,) and ``sides`` int8 (G * G,), the
        network's output and 2p - 1 for the probability p of class 1. ``features`` int8 (7, G * G / 4).
        ``points`` and ``labels``, of training and, if wanted, test. ``half_width``, ``side`` (G) and
        ``experiments``.
    state : Run
    """
    before = 0 if state is None else state.tick
    run = state if state is not None and state.problem == problem else begin(problem, before)
    if tick != before and not run.ran_away:
        strengths = float(l1), float(l2)
        penalty = ElasticNet(*strengths) if any(strengths) else None
        run = train(run, updates, batch_size, optimizer, learning_rate, penalty)
    run = replace(run, tick=tick)
    return picture(run, show_test), run
