"""Draw a digit: a network trained in the course reads what the reader draws.

The drawing is brought into the form of the images that the network has learned from, then goes
through one hidden layer. Shown beside the answer are the hidden units and, pixel by pixel, what
speaks for it. ``recipes/digits.py`` trains the network.
"""

from functools import cache
from pathlib import Path

import numpy as np

from ..activations import ReLU, softmax
from ..linear import Linear
from ..module import Sequential
from .controls import Choice, Drawing, Slider, Toggle

__all__ = ["ABOUT", "CONTROLS", "TITLE", "centre_and_rescale", "compute", "load_network"]

TITLE = "Draw a digit"
ABOUT = (
    "Draw a digit from 0 to 9 and watch the bars while you do. Beside them: what reaches the network, which hidden "
    "units answer, and which pixels decide between the digit and its strongest rival."
)

SIDE = 28
BOX = 20          # MNIST's digits fill a square of 20 pixels ...
CENTRE = 14       # ... and have their centre of mass here, counted from pixel 0
HIDDEN = 128
WEIGHTS = Path(__file__).parent / "weights" / "digits.npz"


@cache
def load_network():
    """Read the trained network and one example image of each digit.

    Returns
    -------
    network : dlcourse.module.Sequential
        The layers of a `dlcourse.mlp.MLP`, 784-128-10 with ReLU, in float64; the weights were stored in
        half precision. Its hidden units are sorted by the digit that they favour.
    examples : ndarray of uint8, shape (10, 28, 28)
        Held-out images of MNIST, from 0 (paper) to 255 (ink).
    """
    rng = np.random.default_rng(0)                          # what it draws is replaced at once
    network = Sequential(Linear(SIDE * SIDE, HIDDEN, rng=rng), ReLU(), Linear(HIDDEN, 10, rng=rng))
    with np.load(WEIGHTS) as stored:
        network.load_state_dict({name: stored[name].astype(np.float64) for name in network.state_dict()})
        return network.eval(), stored["examples"]


def example(digit):
    """Give the example image of a digit as nested tuples with two decimals, as a control takes it.

    Parameters
    ----------
    digit : int

    Returns
    -------
    tuple of tuple of float
    """
    return tuple(tuple(row) for row in np.round(load_network()[1][digit] / 255, 2).tolist())


CONTROLS = (
    Drawing("drawing", (SIDE, SIDE), 0.0, 1.0, example(4)),
    Toggle("centre", "Centre and rescale as MNIST does", True),
    Choice("digit", "Pixels that speak for", (("top", "the most probable digit"),
                                              *((str(digit), str(digit)) for digit in range(10))), "top"),
    Slider("unit", "Hidden unit (0: most active)", 0, HIDDEN, 1, 0),
)


def extent(ink):
    """Find the first and the last place with ink.

    Parameters
    ----------
    ink : ndarray of bool, shape (28,)
        At least one is True.

    Returns
    -------
    first, end : int
        `end` is one past the last.
    """
    places = np.flatnonzero(ink)
    return int(places[0]), int(places[-1]) + 1


def resampling(first, mass, scale):
    """Build the matrix that rescales one axis of a drawing and centres it.

    The scaled box is moved by whole pixels, as MNIST's digits were, until its centre of mass is as near
    to pixel 14 as it gets. Each pixel of the result then looks up where in the drawing it comes from
    and takes a mean of the cells there, with weights that fall linearly to zero: over one cell where
    the drawing is enlarged, over 1 / scale cells where it is reduced, so that no cell is skipped.

    Parameters
    ----------
    first : int
        Where the box begins along this axis.
    mass : float
        Where the centre of mass is, counted from the middle of cell 0.
    scale : float
        More than 1 enlarges.

    Returns
    -------
    ndarray of float64, shape (28, 28)
        To be multiplied by the drawing's rows (from the left) or, transposed, by its columns.
    """
    in_box = (mass - first + 0.5) * scale - 0.5                            # cells begin half a cell before their middle
    shift = np.rint(CENTRE - in_box)
    place = (np.arange(SIDE) - shift + 0.5) / scale + first - 0.5          # (28,), undoing shift and scale
    cells = np.arange(-SIDE, 2 * SIDE)                                     # paper goes on beyond the edges
    reach = max(1.0, 1 / scale)
    weights = np.maximum(0, 1 - np.abs(place[:, None] - cells) / reach)    # (28, 84)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)       # a place far outside sees nothing
    return weights[:, SIDE:2 * SIDE]


def centre_and_rescale(drawing):
    """Bring a drawing into the form of MNIST's images.

    It is scaled so that the longer side of the ink's bounding box is 20 pixels, and moved so that the
    ink's centre of mass is within half a pixel of pixel (14, 14). MNIST's own images do not change.

    Parameters
    ----------
    drawing : ndarray of float64, shape (28, 28)
        From 0 (paper) to 1 (ink).

    Returns
    -------
    seen : ndarray of float64, shape (28, 28)
    box : tuple of int
        First row, first column, end row and end column of the ink; all 0 where there is none.
    mass : tuple of float
        Row and column of the centre of mass; (14, 14) where there is no ink.
    scale : float
        How much the drawing was enlarged.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner, *Gradient-based learning applied to document recognition*,
    Proceedings of the IEEE 86(11), 1998, section III A.
    """
    if not drawing.any():
        return drawing, (0, 0, 0, 0), (float(CENTRE), float(CENTRE)), 1.0
    top, bottom = extent(drawing.any(axis=1))
    left, right = extent(drawing.any(axis=0))
    scale = BOX / max(bottom - top, right - left)
    cells = np.arange(SIDE)
    row = float(drawing.sum(axis=1) @ cells / drawing.sum())
    column = float(drawing.sum(axis=0) @ cells / drawing.sum())
    seen = resampling(top, row, scale) @ drawing @ resampling(left, column, scale).T   # (28, 28) three times
    return seen, (top, left, bottom, right), (row, column), scale


def strongest_rival(logits, digit):
    """Find the digit, other than the given one, that has the highest score.

    Parameters
    ----------
    logits : ndarray of float64, shape (10,)
    digit : int

    Returns
    -------
    int
    """
    return int(max((k for k in range(len(logits)) if k != digit), key=lambda k: logits[k]))


def compute(drawing, centre, digit, unit):
    r"""Read a drawing, and take the answer apart.

    The network is piecewise linear: as long as the same hidden units are on, a score is a sum over
    the pixels plus a constant. So gradient times pixel says exactly what each pixel contributes to
    the lead of digit c over its rival k,

    .. math:: z_c - z_k = \sum_i x_i \frac{\partial (z_c - z_k)}{\partial x_i} + \text{what the biases contribute}.

    Parameters
    ----------
    drawing : ndarray of float64, shape (28, 28)
        From 0 (paper) to 1 (ink).
    centre : bool
        Whether it is centred and rescaled first.
    digit : str
        The digit whose lead is explained, or "top" for the most probable one.
    unit : int
        Number of the hidden unit to show, from 1, or 0 for the most active one.

    Returns
    -------
    dict
        ``seen`` (float32, shape (28, 28)), with ``box``, ``mass`` and ``scale`` (1 where it is not wanted) as in
        `centre_and_rescale`; ``blank``, whether there is no ink; ``probabilities`` (float64, shape (10,)) and ``top``;
        ``hidden``, the activations (float32, shape (128,)), and ``unit_digit``,
        the digit that each unit favours, by its largest outgoing weight; ``unit``, counted from 1, with
        its ``activation`` and ``unit_weights`` (float32, shape (28, 28)); ``digit``, ``rival``, ``lead``, ``evidence``
        (float32, shape (28, 28)), ``from_pixels`` and ``from_biases``; ``examples``.
    """
    network, examples = load_network()
    normalized, box, mass, scale = centre_and_rescale(drawing)
    seen = normalized if centre else drawing

    first, relu, last = network.layers
    hidden = relu(first(seen.reshape(1, -1)))              # (1, 784) -> (1, 128)
    logits = last(hidden)[0]                               # (1, 10) -> (10,)
    top = int(logits.argmax())

    chosen = top if digit == "top" else int(digit)
    rival = strongest_rival(logits, chosen)
    d_logits = np.zeros((1, 10))
    d_logits[0, chosen], d_logits[0, rival] = 1, -1        # the gradient of the lead with respect to the scores
    evidence = seen * network.backward(d_logits).reshape(SIDE, SIDE)
    network.zero_grad()                                    # the weights' gradients are not wanted here
    lead = float(logits[chosen] - logits[rival])
    from_pixels = float(evidence.sum())

    shown = int(hidden[0].argmax()) if unit == 0 else unit - 1
    return {
        "seen": seen.astype(np.float32), "box": box, "mass": mass, "scale": scale if centre else 1.0,
        "blank": not drawing.any(),
        "probabilities": softmax(logits), "top": top,
        "hidden": hidden[0].astype(np.float32), "unit_digit": last.weight.data.argmax(axis=0).astype(np.int8),
        "unit": shown + 1, "activation": float(hidden[0, shown]),
        "unit_weights": first.weight.data[shown].reshape(SIDE, SIDE).astype(np.float32),
        "digit": chosen, "rival": rival, "lead": lead, "evidence": evidence.astype(np.float32),
        "from_pixels": from_pixels, "from_biases": lead - from_pixels, "examples": examples,
    }
