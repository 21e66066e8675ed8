"""Receptive fields in PyTorch: all of them measured, by autograd."""

import math

import torch
from torch import nn

from .receptive_field import Field, check_layers, check_position
from .validation import check_choice, describe
from .validation_torch import check_tensor

__all__ = ["Field", "effective_field", "extent", "receptive_field", "windows"]

POINTWISE = (nn.ELU, nn.GELU, nn.LeakyReLU, nn.PReLU, nn.ReLU, nn.Sigmoid, nn.Tanh, nn.Dropout, nn.BatchNorm2d)


def receptive_field(layers, *, device=None):
    """Find the receptive fields of all layers of a stack: average windows of a long line, and differentiate.

    Parameters
    ----------
    layers : sequence of tuple of int
        For each layer (kernel size, stride, padding, dilation).
    device : torch.device or str, optional

    Returns
    -------
    list of Field
        One for each layer.
    """
    layers = check_layers(layers)
    # Long enough that two units of the last layer lie inside, even after every stride.
    reach = sum(kernel_size * dilation + 2 * padding for kernel_size, _, padding, dilation in layers)
    length = 4 * (reach + 2) * math.prod(stride for _, stride, _, _ in layers)
    line = torch.ones(length, dtype=torch.float64, device=device, requires_grad=True)
    fields, y = [], line
    for kernel_size, stride, padding, dilation in layers:
        y = nn.functional.pad(y, (padding, padding))
        y = y.unfold(0, dilation * (kernel_size - 1) + 1, stride)[:, ::dilation].mean(dim=1)
        unit = len(y) // 2                                 # in the middle, far from both margins
        (first, last), (after, _) = (seen(y[i], line) for i in (unit, unit + 1))
        fields.append(Field(last - first + 1, after - first, first - unit * (after - first)))
    return fields


def seen(unit, line):
    """Find the first and the last number of a line that a unit has a gradient for."""
    (grad,) = torch.autograd.grad(unit, line, retain_graph=True)
    places = grad.nonzero()
    return int(places[0]), int(places[-1])


def windows(network, axis=0):
    """Read the settings that `receptive_field` needs off a network.

    Parameters
    ----------
    network : torch.nn.Sequential
        Of convolutions and pooling, and of layers that act on each place by itself.
    axis : {0, 1}
        Rows or columns.

    Returns
    -------
    list of tuple of four int
        (kernel size, stride, padding, dilation) of each convolution or pooling layer.
    """
    check_choice(axis, "axis", (0, 1))
    if isinstance(network, nn.Sequential):
        return [settings for layer in network for settings in windows(layer, axis)]
    if isinstance(network, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        settings = (network.kernel_size, network.stride, network.padding, getattr(network, "dilation", 1))
        return [tuple(value[axis] if isinstance(value, tuple) else value for value in settings)]
    if isinstance(network, POINTWISE):
        return []
    raise TypeError(
        f"network: expected convolutions, pooling and layers that act on each place, got {type(network).__name__}")


def effective_field(network, x, position=None):
    """Measure how much each pixel counts for the units at one place, by gradients.

    Parameters
    ----------
    network : torch.nn.Module
        From images to maps.
    x : Tensor of shape (N, C, H, W)
    position : tuple of two int, optional
        Row and column of the units; by default the middle.

    Returns
    -------
    Tensor of shape (H, W)
        Zero where the units do not see a pixel.
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"network: expected a Module, got {describe(network)}")
    x = check_tensor(x, "x", shape=("N", "C", "H", "W"), empty=False).detach().requires_grad_()
    with torch.enable_grad():
        y = network(x)
        row, column = check_position(position, y.shape)
        (dx,) = torch.autograd.grad(y[:, :, row, column].sum(), x)  # (N, C, H, W)
    return dx.abs().sum(dim=1).mean(dim=0)


def extent(weights):
    """Find the smallest rectangle that holds all pixels with a weight.

    Parameters
    ----------
    weights : Tensor of shape (H, W)

    Returns
    -------
    ((int, int), (int, int))
        First and last row, first and last column.
    """
    rows, columns = check_tensor(weights, "weights", shape=("H", "W")).nonzero(as_tuple=True)
    if not len(rows):
        raise ValueError("weights: expected at least one that is not zero, got none")
    return (int(rows.min()), int(rows.max())), (int(columns.min()), int(columns.max()))
