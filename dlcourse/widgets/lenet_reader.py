"""LeNet-5 reads: what every layer of a convolutional network makes of the reader's drawing.

The drawing is prepared as for the fully connected network of `dlcourse.widgets.digit_reader` and may then
be pushed aside. ``recipes/image_classifiers.py`` trains the network.
"""

from functools import cache

import numpy as np

from ..activations import softmax
from ..data import trained, trained_input
from ..lenet import LeNet5
from ..module import Sequential
from ..receptive_field import receptive_field, windows
from .controls import Choice, Drawing, Slider, Toggle
from .digit_reader import SIDE, centre_and_rescale, example, load_network

__all__ = ["ABOUT", "CONTROLS", "TITLE", "activations", "compute", "connections", "field", "load_lenet", "push_aside"]

TITLE = "LeNet-5 reads"
ABOUT = (
    "Draw a digit, and see what each layer makes of it. Choose one of the small pictures: what is it computed from, "
    "and which pixels does its strongest place see? Then push the digit aside and watch how far the maps move along."
)

# Where the layers end: position in the network of the squashing function, and number of maps or units.
LAYERS = {"C1": (1, 6), "S2": (3, 6), "C3": (5, 16), "S4": (7, 16), "C5": (10, 120), "F6": (12, 84), "output": (13, 10)}
BELOW = dict(zip(list(LAYERS)[1:], LAYERS, strict=False))
FARTHEST = 4          # so far most centred digits can be pushed within 32 pixels without a loss


@cache
def load_lenet():
    """Read the trained network.

    Returns
    -------
    dlcourse.lenet.LeNet5
        In float64; the weights were stored in half precision.
    """
    network = LeNet5(rng=np.random.default_rng(0))         # what it draws is replaced at once
    network.load_state_dict(trained("lenet5"))
    return network.eval()


CONTROLS = (
    Drawing("drawing", (SIDE, SIDE), 0.0, 1.0, example(4)),
    Toggle("centre", "Centre and rescale", True),
    Slider("push", "Push aside, pixels", 0, FARTHEST, 1, 0),
    Choice("layer", "Layer", (
        ("C1", "C1: 6 maps, convolution"), ("S2", "S2: 6 maps, subsampling"), ("C3", "C3: 16 maps, convolution"),
        ("S4", "S4: 16 maps, subsampling"), ("C5", "C5: 120 units, convolution"),
        ("F6", "F6: 84 units, fully connected"), ("output", "Output: 10 scores"),
    ), "C1"),
    Slider("unit", "Map or unit", 0, max(count for _, count in LAYERS.values()), 1, 0),
)


def push_aside(seen, step):
    """Move LeNet-5's input down and to the right; what leaves it is lost, and paper follows.

    Parameters
    ----------
    seen : ndarray of float32, shape (N, 1, 32, 32)
    step : int
        Pixels in each direction.

    Returns
    -------
    ndarray of float32, shape (N, 1, 32, 32)
    """
    moved = np.broadcast_to(trained_input("lenet5", np.zeros((1, SIDE, SIDE))), seen.shape).copy()
    moved[:, :, step:, step:] = seen[:, :, :seen.shape[2] - step, :seen.shape[3] - step]
    return moved


def activations(image, push=0):
    """Compute what all layers say of an image.

    Parameters
    ----------
    image : ndarray of float, shape (28, 28)
        From 0 (paper) to 1 (ink).
    push : int
        By how many pixels it is moved down and to the right, once it has its margin.

    Returns
    -------
    dict of str to ndarray of float64
        ``input`` (1, 32, 32); ``C1`` (6, 28, 28), ``S2`` (6, 14, 14), ``C3`` (16, 10, 10), ``S4`` (16, 5, 5),
        ``C5`` (120,), ``F6`` (84,), all of them squashed, and ``output`` (10,), the scores.
    """
    outputs, x = [], push_aside(trained_input("lenet5", image[None]), push).astype(np.float64)
    found = {"input": x[0]}                                # (1, 1, 32, 32) -> (1, 32, 32)
    for layer in load_lenet().layers:
        x = layer(x)
        outputs.append(x[0])
    return found | {name: outputs[position] for name, (position, _) in LAYERS.items()}


@cache
def on_paper():
    """Compute what all layers say of blank paper; see `activations`."""
    return activations(np.zeros((SIDE, SIDE)))


def strongest(layer, found):
    """Find the map or unit of a layer that counts as the strongest.

    Parameters
    ----------
    layer : str
        A key of ``LAYERS``.
    found : dict of str to ndarray
        As `activations` returns it.

    Returns
    -------
    int
        Of the outputs the one with the highest score, else the one that differs most from blank paper.
    """
    if layer == "output":
        return int(found[layer].argmax())
    change = np.abs(found[layer] - on_paper()[layer])
    return int(change.reshape(len(change), -1).max(axis=1).argmax())


def connections(layer, unit):
    """Tell what a map or unit is computed from.

    Parameters
    ----------
    layer : str
        A key of ``LAYERS``.
    unit : int
        From 0.

    Returns
    -------
    sources : list of int
        The maps or units of the layer below, from 0.
    weights : ndarray of float64, shape (S, F, F)
        A kernel for each source; of a subsampling its one trained factor, of a fully connected layer one
        weight for each source, with F = 1.
    bias : float
    """
    network = load_lenet()
    if layer in ("S2", "S4"):
        pooling = network[2 if layer == "S2" else 6]
        return [unit], pooling.weight.data[unit].reshape(1, 1, 1), float(pooling.bias.data[unit])
    if layer in ("F6", "output"):
        linear = network[11 if layer == "F6" else 13]
        return list(range(linear.in_features)), linear.weight.data[unit][:, None, None], float(linear.bias.data[unit])
    conv = {"C1": network[0], "C3": network[4].conv, "C5": network[8]}[layer]
    seen = np.flatnonzero(network[4].mask[unit]) if layer == "C3" else np.arange(conv.in_channels)
    return seen.tolist(), conv.weight.data[unit, seen], float(conv.bias.data[unit])


def field(layer, row, column):
    """Find the pixels of the input that the units of a layer see from one place.

    Parameters
    ----------
    layer : str
        A key of ``LAYERS``.
    row, column : int
        From 0; both 0 in layers of one place.

    Returns
    -------
    tuple of int
        First row, first column, end row and end column in the input of 32 by 32 pixels.
    """
    network, names = load_lenet(), list(LAYERS)
    spatial = Sequential(network[0], network[2].pool, network[4].conv, network[6].pool, network[8])   # C1 to C5
    level = min(names.index(layer), names.index("C5"))     # from C5 on, every unit sees everything
    fields = [receptive_field(windows(spatial, axis))[level] for axis in (0, 1)]
    (top, bottom), (left, right) = (one.seen_by(place) for one, place in zip(fields, (row, column), strict=True))
    return top, left, bottom + 1, right + 1


def compute(drawing, centre, push, layer, unit):
    """Read a drawing, and keep what each layer says.

    Parameters
    ----------
    drawing : ndarray of float64, shape (28, 28)
        From 0 (paper) to 1 (ink).
    centre : bool
        Whether it is centred and rescaled first.
    push : int
        By how many pixels it is then moved down and to the right.
    layer : str
        A key of ``LAYERS``.
    unit : int
        Number of the map or unit to look at, from 1, the last one if there are not so many; or 0 for the strongest.

    Returns
    -------
    dict
        The arrays of `activations` in float32, with ``probabilities`` (float64, shape (10,)) and ``top``;
        ``box``, ``mass`` and ``scale`` of the drawing as in `centre_and_rescale`, ``blank`` and ``examples``; of the
        chosen layer ``below``, the name of the one before it, and ``count``, how many maps or units it has; of the
        chosen one ``unit``, counted from 1, ``sources`` (from 0), ``weights`` (float32) and ``bias``; the place ``row``
        and ``column`` (from 0) where it differs most from what it says of blank paper, its ``value`` there,
        ``paper``, its value there on blank paper, and ``field``.
    """
    normalized, box, mass, scale = centre_and_rescale(drawing)
    found = activations(normalized if centre else drawing, push)
    scores = found["output"]

    count = LAYERS[layer][1]
    chosen = strongest(layer, found) if unit == 0 else min(unit, count) - 1
    sources, weights, bias = connections(layer, chosen)
    own, paper = (np.atleast_2d(one[layer][chosen]) for one in (found, on_paper()))     # a unit is a map of one place
    row, column = (int(place) for place in np.unravel_index(np.abs(own - paper).argmax(), own.shape))
    return {
        **{name: values.astype(np.float32) for name, values in found.items()},
        "probabilities": softmax(scores), "top": int(scores.argmax()),
        "box": box, "mass": mass, "scale": scale, "blank": not drawing.any(), "examples": load_network()[1],
        "below": BELOW.get(layer, "input"), "count": count, "unit": chosen + 1,
        "sources": sources, "weights": weights.astype(np.float32), "bias": bias,
        "row": row, "column": column, "value": float(own[row, column]), "paper": float(paper[row, column]),
        "field": field(layer, row, column),
    }
