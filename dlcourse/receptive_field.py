r"""Receptive fields: which pixels a unit of a convolutional network sees.

Computed from the settings of the layers, and measured: a pixel that a unit sees is one with respect to
which the unit has a gradient.
"""

from typing import NamedTuple

import numpy as np

from .activations import ELU, GELU, LeakyReLU, PReLU, ReLU, Sigmoid, Tanh
from .conv import Conv2d
from .dropout import Dropout
from .module import Module, Sequential
from .normalization import BatchNorm2d
from .pooling import AvgPool2d, MaxPool2d
from .validation import check_array, check_choice, check_integer, describe

__all__ = ["Field", "effective_field", "extent", "receptive_field", "windows"]

POINTWISE = (ELU, GELU, LeakyReLU, PReLU, ReLU, Sigmoid, Tanh, Dropout, BatchNorm2d)


class Field(NamedTuple):
    """The receptive fields of a layer's units along one direction, rows or columns.

    Attributes
    ----------
    size : int
        Number of pixels from the first that a unit sees to the last.
    jump : int
        By how many pixels the field moves from one unit to the next.
    start : int
        First pixel that unit 0 sees. Below 0 it lies in the margin.
    """

    size: int
    jump: int
    start: int

    def seen_by(self, unit):
        """Give the first and the last pixel that a unit sees.

        Parameters
        ----------
        unit : int
            Its place.

        Returns
        -------
        (int, int)
        """
        first = self.start + self.jump * unit
        return first, first + self.size - 1


def receptive_field(layers):
    r"""Compute the receptive fields of all layers of a stack.

    A unit of layer l sees :math:`F_l` units of the layer below, :math:`D_l` apart. The outermost two are
    :math:`D_l (F_l - 1)` steps apart, and each step is :math:`j_{l-1}` pixels. So, from a pixel that
    sees itself, :math:`r_0 = j_0 = 1` and :math:`s_0 = 0`,

    .. math::

        r_l = r_{l-1} + D_l (F_l - 1)\, j_{l-1}, \qquad
        j_l = j_{l-1} S_l, \qquad
        s_l = s_{l-1} - P_l\, j_{l-1}

    for the size r, the jump j and the start s. Strides multiply, so that each kernel adds more pixels the more
    strides lie before it.

    Parameters
    ----------
    layers : sequence of tuple of int
        For each layer (kernel size F, stride S, padding P, dilation D), the first layer first. What is
        missing at the end of a tuple is 1 for strides and dilation and 0 for padding.

    Returns
    -------
    list of Field
        One for each layer.

    Raises
    ------
    TypeError, ValueError
        If a setting is no integer or out of range.

    References
    ----------
    Araujo, Norris, Sim, Computing receptive fields of convolutional neural networks, Distill, 2019.
    """
    fields, size, jump, start = [], 1, 1, 0
    for kernel_size, stride, padding, dilation in check_layers(layers):
        size += dilation * (kernel_size - 1) * jump
        start -= padding * jump
        jump *= stride                                     # last: the kernel still steps over the layer below
        fields.append(Field(size, jump, start))
    return fields


def check_layers(layers):
    """Check the settings of layers, and fill in those that are missing.

    Parameters
    ----------
    layers : sequence of tuple of int

    Returns
    -------
    list of tuple of four int
    """
    if not isinstance(layers, list | tuple):
        raise TypeError(f"layers: expected a list of tuples, got {describe(layers)}")
    full = []
    for i, layer in enumerate(layers):
        if not isinstance(layer, list | tuple):
            raise TypeError(f"layers[{i}]: expected a tuple (kernel size, stride, padding, dilation), "
                            f"got {describe(layer)}")
        if not 1 <= len(layer) <= 4:
            raise ValueError(f"layers[{i}]: expected one to four numbers, got {len(layer)}")
        named = zip((*layer, *(1, 1, 0, 1)[len(layer):]), ("kernel_size", "stride", "padding", "dilation"),
                    (1, 1, 0, 1), strict=True)
        full.append(tuple(check_integer(value, f"layers[{i}] {name}", low=low) for value, name, low in named))
    return full


def windows(network, axis=0):
    """Read the settings that `receptive_field` needs off a network.

    Parameters
    ----------
    network : Sequential
        Of convolutions and pooling, and of layers that act on each place by itself: activations, dropout,
        batch norm in evaluation mode. Sequentials may lie inside.
    axis : {0, 1}
        Rows or columns.

    Returns
    -------
    list of tuple of four int
        (kernel size, stride, padding, dilation) of each convolution or pooling layer.

    Raises
    ------
    TypeError
        If a layer is none of these.
    """
    check_choice(axis, "axis", (0, 1))
    if isinstance(network, Sequential):
        return [settings for layer in network for settings in windows(layer, axis)]
    if isinstance(network, Conv2d | MaxPool2d | AvgPool2d):
        gaps = getattr(network, "dilation", (1, 1))        # pooling has none
        return [(network.kernel_size[axis], network.stride[axis], network.padding[axis], gaps[axis])]
    if isinstance(network, POINTWISE):
        return []
    raise TypeError(
        f"network: expected convolutions, pooling and layers that act on each place, got {type(network).__name__}")


def effective_field(network, x, position=None):
    r"""Measure how much each pixel counts for the units at one place, by gradients.

    .. math:: w_{i,j} = \frac1N \sum_n \sum_c \left|
        \frac{\partial \sum_k y_{n,k,r,q}}{\partial x_{n,c,i,j}} \right|

    Parameters
    ----------
    network : Module
        From images to maps.
    x : ndarray of shape (N, C, H, W)
        A ReLU that is off and a pixel that loses in a maximum pass no gradient on. Images that differ
        show between them what a unit can see.
    position : tuple of two int, optional
        Row r and column q of the units; by default the middle.

    Returns
    -------
    ndarray of shape (H, W)
        Zero where the units do not see a pixel.

    Raises
    ------
    TypeError, ValueError
        If ``network`` is no module, ``x`` no images, the output no maps, or the position outside them.

    Notes
    -----
    The network's gradients are as they were before.

    References
    ----------
    Luo, Li, Urtasun, Zemel, Understanding the effective receptive field in deep convolutional neural networks,
    NIPS 2016, section 2: from the middle of a field, its weight falls like a Gaussian.
    """
    if not isinstance(network, Module):
        raise TypeError(f"network: expected a Module, got {describe(network)}")
    check_array(x, "x", shape=("N", "C", "H", "W"), empty=False)
    y = network(x)
    row, column = check_position(position, y.shape)
    dy = np.zeros_like(y)
    dy[:, :, row, column] = 1
    before = [parameter.grad for parameter in network.parameters()]
    dx = network.backward(dy)                              # (N, C, H, W)
    for parameter, grad in zip(network.parameters(), before, strict=True):
        parameter.grad = grad
    return np.abs(dx).sum(axis=1).mean(axis=0)             # (N, C, H, W) -> (N, H, W) -> (H, W)


def check_position(position, shape):
    """Check a place in maps, or find their middle.

    Parameters
    ----------
    position : tuple of two int, or None
    shape : tuple of int
        Of the maps, (N, K, H', W').

    Returns
    -------
    (int, int)
    """
    if len(shape) != 4:
        raise ValueError(f"network: expected maps of shape (N, K, H, W) from it, got {tuple(shape)}")
    if position is None:
        return shape[2] // 2, shape[3] // 2
    if not isinstance(position, list | tuple) or len(position) != 2:
        raise TypeError(f"position: expected two integers, got {describe(position)}")
    return tuple(check_integer(place, f"position[{i}]", low=0, high=shape[2 + i] - 1)
                 for i, place in enumerate(position))


def extent(weights):
    """Find the smallest rectangle that holds all pixels with a weight.

    Parameters
    ----------
    weights : ndarray of shape (H, W)
        Such as those of `effective_field`.

    Returns
    -------
    ((int, int), (int, int))
        First and last row, first and last column.

    Raises
    ------
    ValueError
        If all weights are zero.
    """
    check_array(weights, "weights", shape=("H", "W"))
    rows, columns = np.nonzero(weights)
    if not rows.size:
        raise ValueError("weights: expected at least one that is not zero, got none")
    return (int(rows.min()), int(rows.max())), (int(columns.min()), int(columns.max()))
