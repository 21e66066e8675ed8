"""The perceptron's line: every mistake of a run, and what each one does to the line.

The weights start at zero and change only at a mistake, by the example that caused it. If a line
separates the points, Novikoff's bound says how many mistakes there can be; if none does, they go on
for ever.
"""

import numpy as np

from ..data import blobs, separable
from ..neurons import Perceptron, novikoff_bound
from .controls import Choice, Counter, Drawing, Slider

__all__ = ["ABOUT", "CONTROLS", "TITLE", "compute"]

TITLE = "The perceptron's line"
ABOUT = (
    "Walk through the mistakes of a run: the ringed point is wrong, and the line jumps from dashed to solid. "
    "Then drag a point, or flip its class, until no line separates the classes, and see what the rule does."
)

CONTROLS = (
    Choice("data", "Points", (("abc", "A, B, C of the text"), ("separable", "Separable, with a margin"),
                              ("overlap", "Overlapping clouds"), ("xor", "XOR, four corners")), "separable"),
    Slider("n", "Number of points", 4, 40, 1, 20),
    Slider("margin", "Margin aimed at", 0.02, 2.0, 0.05, 0.2, scale="log"),
    Slider("shift", "Centre at x₁ = x₂ =", 0.0, 5.0, 0.5, 1.0),
    Choice("order", "Order of the examples", (("listed", "As listed"), ("sorted", "Circles, then squares"),
                                              ("shuffled", "Shuffled in each epoch")), "listed"),
    Choice("picture", "Second picture", (("wrong", "Points on the wrong side"), ("weights", "The weight vector"),
                                         ("proof", "Floor and ceiling of the proof")), "wrong"),
    Counter("seed", 3),
    Counter("order_seed", 0),
    Drawing("points", ("N",), -10.0, 10.0, ()),       # x1, x2 and label of each; none until the reader moves one
)

FIXED = {
    "abc": (np.array([[1.0, 2.0], [2.0, 0.0], [1.0, 1.0]]), np.array([-1, 1, 1])),
    "xor": (np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([-1, 1, 1, -1])),
}
MOST = 150                                            # mistakes after which a run is broken off


def draw_points(data, n, margin, seed):
    """Draw the points of a data set, to two decimals, so that updates can be followed on paper.

    Parameters
    ----------
    data : str
        ``"abc"``, ``"separable"``, ``"overlap"`` or ``"xor"``.
    n : int
    margin : float
        Of ``"separable"``.
    seed : int

    Returns
    -------
    x : ndarray of float64, shape (n, 2)
        Their mean is zero (to two decimals) where they are random.
    y : ndarray of int, shape (n,)
        Labels, -1 or +1.
    """
    if data in FIXED:
        return FIXED[data]
    rng = np.random.default_rng(seed)
    drawn = separable(n, margin, rng=rng) if data == "separable" else blobs(n, 0.9, 2, radius=0.9, rng=rng)
    return np.round(drawn.x - drawn.x.mean(axis=0), 2), 2 * drawn.y - 1


def read_points(points):
    """Take apart what the reader has moved.

    Parameters
    ----------
    points : ndarray of float64, shape (3 n,)
        x1, x2 and label of each point, one after another.

    Returns
    -------
    x : ndarray of float64, shape (n, 2)
    y : ndarray of int, shape (n,)

    Raises
    ------
    ValueError
        If the numbers do not come in threes, or a label is neither -1 nor +1.
    """
    if points.size % 3:
        raise ValueError(f"points: expected x1, x2 and label of each point, got {points.size} numbers")
    rows = points.reshape(-1, 3)
    if not np.isin(rows[:, 2], (-1, 1)).all():
        raise ValueError("points: expected labels -1 and 1")
    return rows[:, :2].copy(), rows[:, 2].astype(np.int64)


def walk(x, y, order, seed):
    """Run the perceptron rule from zero weights, and note every mistake.

    Parameters
    ----------
    x : ndarray of float64, shape (N, 2)
    y : ndarray of int, shape (N,)
    order : {"listed", "sorted", "shuffled"}
    seed : int
        Of the shuffling.

    Returns
    -------
    dict
        For the start and after each of K updates: ``lines`` (K + 1, 3), the weights and the bias;
        ``cause``, ``epoch`` (K + 1,), the example and the epoch of the update; ``wrong`` (K + 1, N),
        the points on the wrong side or on the line; ``repeats`` (K + 1,), the first update with the
        same weights at the same place in the same order, or -1. And ``settled``, whether an epoch
        without a mistake ended the run.
    """
    unit, rng, most = Perceptron(2), np.random.default_rng(seed), MOST
    visits = np.argsort(y, kind="stable") if order == "sorted" else np.arange(len(x))
    wrong = y * unit.score(x) <= 0
    lines, cause, epochs, wrongs, repeats = [np.zeros(3)], [-1], [0], [wrong], [-1]
    seen, epoch, before = {(len(x) - 1, (0.0, 0.0, 0.0)): 0}, 0, -1
    while len(lines) > before and len(lines) <= most:             # the last epoch had a mistake
        epoch, before, place = epoch + 1, len(lines), 0
        if order == "shuffled":
            visits = rng.permutation(len(x))
        while len(lines) <= most and wrong[visits[place:]].any():
            place += int(wrong[visits[place:]].argmax())          # all before it are right: nothing moves
            i = visits[place]
            if unit.update(x[i], int(y[i])):
                wrong = y * unit.score(x) <= 0
                lines.append(np.append(unit.weight.data, unit.bias.data))
                cause.append(i), epochs.append(epoch), wrongs.append(wrong), repeats.append(-1)
                if order != "shuffled":                           # the same state comes to the same end
                    state = place, tuple(np.round(lines[-1], 9))
                    repeats[-1] = seen.setdefault(state, len(lines) - 1)
                    if repeats[-1] == len(lines) - 1:
                        repeats[-1] = -1
                    elif most == MOST:                            # one more round to watch, then enough
                        most = min(MOST, 2 * (len(lines) - 1) - repeats[-1])
            place += 1
    return {"lines": np.array(lines), "cause": np.array(cause), "epoch": np.array(epochs), "wrong": np.array(wrongs),
            "repeats": np.array(repeats), "settled": len(lines) == before}


def widest_line(x, y):
    r"""Find the separating line with the widest margin, or learn that no line separates the points.

    The margin is half the distance between the convex hulls of the two classes. Where that is
    attained between two corners, the line is perpendicular to their difference; between a corner
    and an edge, it is parallel to the edge. We try the direction of every pair of points.

    .. math:: \gamma(u) = \tfrac12 \bigl(\min_{y_n = 1} u^\top x_n - \max_{y_n = -1} u^\top x_n\bigr), \quad |u| = 1

    Parameters
    ----------
    x : ndarray of float64, shape (N, 2)
    y : ndarray of int, shape (N,)

    Returns
    -------
    tuple of (weight, bias, margin) or None
        weight of shape (2,) and length 1. With a single class the weight is zero, the bias its label, and
        the margin None: no other class bounds it.
    """
    positive, negative = x[y == 1], x[y == -1]
    if not len(positive) or not len(negative):
        return np.zeros(2), float(y[0]), None
    across = (positive[:, None] - negative).reshape(-1, 2)
    edges = [(side[:, None] - side)[np.nonzero(1 - np.eye(len(side)))] for side in (positive, negative)]
    along = np.concatenate(edges)[:, ::-1] * (1, -1)              # a quarter turn; both signs occur
    normals = np.concatenate([across, along])
    lengths = np.hypot(*normals.T)
    normals = normals[lengths > 1e-9] / lengths[lengths > 1e-9, None]
    if not len(normals):
        return None
    above, below = (normals @ positive.T).min(axis=1), (normals @ negative.T).max(axis=1)
    best = (above - below).argmax()
    margin = float(above[best] - below[best]) / 2
    return (normals[best], -float(above[best] + below[best]) / 2, margin) if margin > 1e-9 else None


def squeeze(x, y, run):
    r"""Compute both sides of Novikoff's argument along a run.

    After k mistakes, :math:`k \gamma \le \tilde w^{*\top} \tilde w_k \le \|\tilde w_k\| \le \sqrt k R`.
    Any separating line may serve as :math:`\tilde w^*`; of the widest and the one found, we take
    the one with the smaller bound.

    Parameters
    ----------
    x : ndarray of float64, shape (N, 2)
    y : ndarray of int, shape (N,)
    run : dict
        From `walk`.

    Returns
    -------
    dict
        ``separable``; ``margin`` of the widest line, None if there is no line or one class only; ``bound``
        and ``gamma``, None if there is no line; ``radius``; ``length`` (K + 1,); ``product`` (K + 1,),
        empty if there is no line.
    """
    widest = widest_line(x, y)
    lines = [np.append(widest[0], widest[1])] if widest else []
    if run["settled"]:
        lines.append(run["lines"][-1])
    radius = float(np.sqrt((x * x).sum(axis=1).max() + 1))
    result = {"separable": bool(lines), "margin": widest[2] if widest else None, "radius": radius, "bound": None,
              "gamma": None, "length": np.linalg.norm(run["lines"], axis=1), "product": np.zeros(0)}
    if lines:
        bounds = [float(novikoff_bound(x, y, line[:2], line[2])) for line in lines]
        star = lines[int(np.argmin(bounds))]
        product = run["lines"] @ (star / np.linalg.norm(star))    # (K + 1, 3) @ (3,)
        result.update(bound=min(bounds), gamma=radius / min(bounds) ** 0.5, product=product)
    return result


def place_lines(lines, centre, half):
    """Find where each line runs in a square picture.

    Parameters
    ----------
    lines : ndarray of float64, shape (K, 3)
        Weights and bias.
    centre : ndarray of float64, shape (2,)
    half : float
        Half the side of the square.

    Returns
    -------
    dict
        ``foot`` (K, 2), the point of the line nearest to the centre; ``normal`` (K, 2), the unit
        vector to its positive side; both NaN where the weights are zero. ``visible`` (K,).
    """
    weights, lengths = lines[:, :2], np.hypot(lines[:, 0], lines[:, 1])
    exists = lengths > 1e-12
    normal, foot = np.full_like(weights, np.nan), np.full_like(weights, np.nan)
    normal[exists] = weights[exists] / lengths[exists, None]
    distance = (weights @ centre + lines[:, 2])[exists] / lengths[exists]
    foot[exists] = centre - distance[:, None] * normal[exists]
    corners = centre + half * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    scores = weights @ corners.T + lines[:, 2:]                   # (K, 2) @ (2, 4) + (K, 1) -> (K, 4)
    visible = exists & (scores.min(axis=1) < 0) & (scores.max(axis=1) > 0)
    return {"foot": foot, "normal": normal, "visible": visible}


def compute(data, n, margin, shift, order, picture, seed, order_seed, points):
    """Run the perceptron over a set of points, from zero weights to the end.

    Parameters
    ----------
    data, n, margin, seed
        As in `draw_points`.
    shift : float
        Added to both coordinates of all points where they are random; ``"abc"`` and ``"xor"`` stay where they are.
    order : {"listed", "sorted", "shuffled"}
    picture : str
        What the second picture shows; nothing here depends on it.
    order_seed : int
        Of the shuffling.
    points : ndarray of float64, shape (3 n,)
        What the reader has moved, before the shift, as `read_points` takes it; empty for nothing.

    Returns
    -------
    dict
        ``x``, ``y``, ``names`` of the points; the results of `walk`, `squeeze` and `place_lines`;
        ``before`` and ``after`` (K + 1,), y times the score of the example that caused the update;
        ``fewest`` (K + 1,), points wrong under the best line so far; ``centre`` and ``half`` of the picture.
    """
    drawn, labels = draw_points(data, n, margin, seed)
    centre = (drawn.min(axis=0) + drawn.max(axis=0)) / 2
    half = max(2.0, 1.2 * float(np.abs(drawn - centre).max()))
    x, y = read_points(points) if points.size else (drawn, labels)
    shift = 0.0 if data in FIXED else float(shift)
    x, centre = x + shift, centre + shift
    run = walk(x, y, order, order_seed)
    lines, extended = run["lines"], np.column_stack([x, np.ones(len(x))])
    culprit = y[run["cause"], None] * extended[run["cause"]]      # row 0 has none, and is not shown
    return {
        "x": x, "y": y, "names": list("ABC") if data == "abc" and len(x) == 3 else [str(i + 1) for i in range(len(x))],
        **run, **squeeze(x, y, run), **place_lines(lines, centre, half),
        "before": (culprit * lines[np.maximum(np.arange(len(lines)) - 1, 0)]).sum(axis=1),
        "after": (culprit * lines).sum(axis=1),
        "fewest": np.minimum.accumulate(run["wrong"].sum(axis=1)),
        "centre": centre, "half": half, "shift": shift, "most": MOST,
    }
