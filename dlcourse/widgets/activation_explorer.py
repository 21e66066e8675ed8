"""Activation explorer: a function, its slope, and where it stops passing gradients on.

What a unit passes back is its slope times what comes from above. Where the slope is nearly zero the
unit is saturated: the layers below it learn nothing, however wrong the output is.
"""

import numpy as np

from .. import activations
from .controls import Choice, Slider

__all__ = ["ABOUT", "CONTROLS", "TITLE", "compute"]

TITLE = "Activation explorer"
ABOUT = (
    "Choose an activation and move its input. The dashed curve is the slope that backpropagation multiplies by; "
    "the shaded part is where it is below the threshold."
)

LAYERS = {
    "sigmoid": activations.Sigmoid,
    "tanh": activations.Tanh,
    "relu": activations.ReLU,
    "leaky_relu": activations.LeakyReLU,
    "elu": activations.ELU,
    "gelu": activations.GELU,
}

CONTROLS = (
    Choice("activation", "Activation", (("sigmoid", "Sigmoid"), ("tanh", "Tanh"), ("relu", "ReLU"),
                                        ("leaky_relu", "Leaky ReLU"), ("elu", "ELU"), ("gelu", "GELU")), "sigmoid"),
    Slider("z", "Input z", -6.0, 6.0, 0.1, 1.0),
    Slider("layers", "Layers of such units", 1, 20, 1, 5),
    Slider("threshold", "Saturated below a slope of", 0.001, 0.3, 0.1, 0.05, scale="log"),
)

GRID = np.linspace(-6, 6, 241)


def value_and_slope(layer, z):
    """Run an activation forward and backward.

    Parameters
    ----------
    layer : dlcourse.module.Module
    z : ndarray of float64, shape (N,)

    Returns
    -------
    value, slope : ndarray of float64, shape (N,)
    """
    value = layer.forward(z)
    return value, layer.backward(np.ones_like(z))


def compute(activation, z, layers, threshold):
    """Evaluate one activation on a grid and at one input.

    Parameters
    ----------
    activation : str
        A key of ``LAYERS``.
    z : float
        The input of the unit.
    layers : int
        How many such units, all at the same input, a gradient passes through.
    threshold : float
        A slope whose size is below this counts as saturated.

    Returns
    -------
    dict
        ``grid``, ``curve``, ``slopes`` (float64, shape (241,)); ``saturated`` (bool, same shape);
        ``value`` and ``slope`` at ``z``; ``passed``, the slope to the power ``layers``;
        ``share``, the part of the grid that is saturated.
    """
    layer = LAYERS[activation]()
    curve, slopes = value_and_slope(layer, GRID)
    value, slope = value_and_slope(layer, np.array([float(z)]))
    saturated = np.abs(slopes) < threshold
    return {
        "grid": GRID,
        "curve": curve,
        "slopes": slopes,
        "saturated": saturated,
        "value": float(value[0]),
        "slope": float(slope[0]),
        "passed": float(slope[0]) ** layers,
        "share": float(saturated.mean()),
    }
