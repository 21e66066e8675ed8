"""Receptive field explorer: what one unit of a deep layer sees, and how much of it counts.

Layers of one dimension, so that all of them fit into one picture; for images the same numbers hold for
rows and for columns.
"""

import numpy as np

from ..conv import Conv2d
from ..module import Sequential
from ..receptive_field import effective_field, receptive_field
from .controls import Choice, Slider

__all__ = ["ABOUT", "CONTROLS", "TITLE", "compute"]

TITLE = "Receptive field explorer"
ABOUT = (
    "Follow one unit of the top layer down to the pixels that it sees. Add layers, or let each take long steps: which "
    "way of growing is fast? The bars below say how much each pixel counts if all weights are equal."
)

DEPTH, WIDEST = 6, 3       # layers, and how far to either side another unit may be chosen
PATHS = 500                # of more connections than these no single one could be seen

KINDS = {
    "plain": "Stride 1",
    "stride": "Stride 2 in each layer",
    "pooling": "Pooling by 2 after each",
    "dilation": "Dilation 1, 2, 4, 8, …",
}

CONTROLS = (
    Slider("depth", "Layers", 1, DEPTH, 1, 3),
    Slider("kernel_size", "Kernel size", 2, 5, 1, 3),
    Choice("kind", "Steps", tuple(KINDS.items()), "plain"),
    Slider("unit", "Unit of the top layer", -WIDEST, WIDEST, 1, 0),
)


def stack(kind, depth, kernel_size):
    """List the settings of the layers.

    Parameters
    ----------
    kind : str
        A key of ``KINDS``.
    depth : int
        Number of convolutions.
    kernel_size : int

    Returns
    -------
    list of (int, int, int, int)
        Kernel size, stride, padding and dilation, as `dlcourse.receptive_field.receptive_field` takes them.
    """
    layers = []
    for level in range(depth):
        layers.append((kernel_size, 2 if kind == "stride" else 1, 0, 2**level if kind == "dilation" else 1))
        if kind == "pooling":
            layers.append((2, 2, 0, 1))
    return layers


def build(layers):
    """Build the layers for images of one row; all weights of a kernel are equal, so a pooling averages.

    Parameters
    ----------
    layers : list of (int, int, int, int)
        None has padding.

    Returns
    -------
    dlcourse.module.Sequential
    """
    rng, network = np.random.default_rng(0), []            # what it draws is replaced at once
    for kernel_size, stride, _, dilation in layers:
        layer = Conv2d(1, 1, (1, kernel_size), (1, stride), dilation=(1, dilation), bias=False, rng=rng)
        layer.weight.data[...] = 1 / kernel_size
        network.append(layer)
    return Sequential(*network)


def seen_units(layers, unit):
    """Walk from a unit of the top layer down, from each unit to those that it sees.

    Parameters
    ----------
    layers : list of (int, int, int, int)
        None has padding.
    unit : int
        Place in the top layer.

    Returns
    -------
    list of ndarray of int
        The places of those units, rising: in the input, in each layer, and last the unit itself.
    """
    below = [np.array([unit])]
    for kernel_size, stride, _, dilation in reversed(layers):
        inputs = below[0][:, None] * stride + dilation * np.arange(kernel_size)    # (units, kernel_size)
        below.insert(0, np.unique(inputs))
    return below


def pixel_weights(layers, size):
    """Measure how much each pixel of the field counts if all weights of a kernel are equal.

    Parameters
    ----------
    layers : list of (int, int, int, int)
    size : int
        Of the receptive field.

    Returns
    -------
    ndarray of float64, shape (size,)
        Shares, with sum 1.
    """
    weights = effective_field(build(layers), np.zeros((1, 1, 1, size)), (0, 0))[0]       # (1, size) -> (size,)
    return weights / weights.sum()


def core(weights, share=0.95):
    """Count the pixels around the middle that hold a share of the weight.

    Parameters
    ----------
    weights : ndarray of shape (size,)
        With sum 1.
    share : float

    Returns
    -------
    int
    """
    cut = 0
    while 2 * cut + 2 < len(weights) and weights[cut + 1:len(weights) - cut - 1].sum() >= share:
        cut += 1
    return len(weights) - 2 * cut


def compute(depth, kernel_size, kind, unit):
    """Find what a unit sees.

    Parameters
    ----------
    depth, kernel_size : int
    kind : str
        A key of ``KINDS``.
    unit : int
        Place in the top layer; 0 is the first that sees pixel 0.

    Returns
    -------
    dict
        ``size`` and ``jump`` of the top layer's receptive fields; ``first``, the unit's first pixel; ``left``
        and ``right``, the pixels in sight; ``names`` of the input and the layers; ``places``, for each of them the
        middles, in pixels, of the units on the way, and ``all_places``, of all units in sight; ``edges``, for
        each layer pairs of middles, below and above, or of many only the outermost two, as ``crowded`` says;
        ``weights`` (size,), shares of the pixels, and ``core``, how many in the middle hold 95% of them;
        ``growth`` (4, 6), the size against depth for all kinds, in their order; ``stacked`` and ``single``, the
        weights of the layers' square kernels and of one kernel as large as the field.
    """
    layers = stack(kind, depth, kernel_size)
    fields = receptive_field([(1,), *layers])              # the input's pixels see themselves
    top, units = fields[-1], seen_units(layers, unit)
    left, right = top.seen_by(-WIDEST)[0], top.seen_by(WIDEST)[1]
    places, all_places = [], []
    for field, seen in zip(fields, units, strict=True):
        middle = field.start + (field.size - 1) / 2
        in_sight = np.arange(int(np.ceil((left - middle) / field.jump)), int((right - middle) // field.jump) + 1)
        places.append(middle + field.jump * seen)
        all_places.append(middle + field.jump * in_sight)
    weights, connections = pixel_weights(layers, top.size), edges(layers, units, places)
    return {
        "size": top.size,
        "jump": top.jump,
        "first": top.seen_by(unit)[0],
        "left": left,
        "right": right,
        "names": ["pixels", *(f"layer {level // 2 + 1}{', pooled' if level % 2 else ''}" if kind == "pooling"
                              else f"layer {level + 1}" for level in range(len(layers)))],
        "places": places,
        "all_places": all_places,
        "edges": [pairs if len(pairs) <= PATHS else pairs[[0, -1]] for pairs in connections],
        "crowded": [len(pairs) > PATHS for pairs in connections],
        "weights": weights,
        "core": core(weights),
        "growth": np.array([[receptive_field(stack(name, n, kernel_size))[-1].size for n in range(1, DEPTH + 1)]
                            for name in KINDS]),
        "stacked": depth * kernel_size**2,
        "single": top.size**2,
    }


def edges(layers, units, places):
    """Connect each unit on the way with those that it sees.

    Parameters
    ----------
    layers : list of (int, int, int, int)
    units, places : list of ndarray
        Their numbers in the layer, and their middles in pixels.

    Returns
    -------
    list of ndarray of float64, shape (number of connections, 2)
        For each layer the middles of the unit below and of the unit above.
    """
    found = []
    for level, (kernel_size, stride, _, dilation) in enumerate(layers):
        inputs = units[level + 1][:, None] * stride + dilation * np.arange(kernel_size)      # (units, kernel_size)
        below = places[level][np.searchsorted(units[level], inputs)]
        above = np.broadcast_to(places[level + 1][:, None], below.shape)
        found.append(np.stack([below.ravel(), above.ravel()], axis=1))
    return found
