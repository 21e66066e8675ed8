"""Pooling in PyTorch: its own layers, and the loops that define them."""

import torch

from .patches import output_size
from .validation_torch import check_tensor

__all__ = ["AvgPool2d", "GlobalAvgPool2d", "MaxPool2d", "max_pool2d_loops"]


def max_pool2d_loops(x, kernel_size, stride):
    """Take the maximum of each window by the definition, one place after the other.

    Parameters
    ----------
    x : Tensor of shape (N, C, H, W)
    kernel_size, stride : int

    Returns
    -------
    Tensor of shape (N, C, output height, output width)
    """
    height, width = (output_size(size, kernel_size, stride) for size in x.shape[2:])
    y = x.new_zeros(*x.shape[:2], height, width)
    for i in range(height):
        for j in range(width):
            window = x[:, :, i * stride:i * stride + kernel_size, j * stride:j * stride + kernel_size]
            y[:, :, i, j] = window.amax(dim=(2, 3))
    return y


class _Pool(torch.nn.Module):
    """What both kinds of pooling add to PyTorch's own: fewer arguments, and a check of the images."""

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__(kernel_size, stride, padding)

    def forward(self, x):
        """Pool.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)

        Returns
        -------
        Tensor of shape (N, C, output height, output width)
        """
        check_tensor(x, "x", shape=("N", "C", "H", "W"))
        return super().forward(x)


class MaxPool2d(_Pool, torch.nn.MaxPool2d):
    """Keep the largest number of each window.

    Parameters
    ----------
    kernel_size : int or tuple of two int
    stride : int or tuple of two int, optional
    padding : int or tuple of two int
    """


class AvgPool2d(_Pool, torch.nn.AvgPool2d):
    """Average each window; zeros of the margin count.

    Parameters
    ----------
    kernel_size : int or tuple of two int
    stride : int or tuple of two int, optional
    padding : int or tuple of two int
    """


class GlobalAvgPool2d(torch.nn.Module):
    """Average each map as a whole: one number a channel."""

    def __init__(self):
        super().__init__()

    def forward(self, x):
        """Average the maps.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)

        Returns
        -------
        Tensor of shape (N, C)
        """
        check_tensor(x, "x", shape=("N", "C", "H", "W"))
        return x.mean(dim=(2, 3))
