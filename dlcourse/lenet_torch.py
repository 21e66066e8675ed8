"""LeNet-5 in PyTorch, as published in 1998 up to F6, and a linear output."""

import numpy as np
import torch
from torch import nn

from .conv_torch import Conv2d
from .lenet import C3_TABLE, connections
from .linear_torch import Linear
from .module_torch import Flatten
from .pooling_torch import AvgPool2d
from .validation_torch import check_tensor

__all__ = ["LeNet5", "ScaledTanh", "Subsample", "TableConv2d"]


class ScaledTanh(nn.Module):
    """The paper's squashing function, 1.7159 tanh(2x/3)."""

    def __init__(self):
        super().__init__()

    def forward(self, x):
        """Squash.

        Parameters
        ----------
        x : Tensor

        Returns
        -------
        Tensor of the shape of x
        """
        check_tensor(x, "x")
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsample(nn.Module):
    """The paper's pooling: the mean of two by two pixels, times a weight, plus a bias, for each map.

    Parameters
    ----------
    channels : int
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, channels, *, dtype=None, device=None):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, dtype=dtype, device=device))
        self.bias = nn.Parameter(torch.zeros(channels, dtype=dtype, device=device))
        self.pool = AvgPool2d(2)

    def forward(self, x):
        """Average and scale.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)

        Returns
        -------
        Tensor of shape (N, C, H / 2, W / 2)
        """
        check_tensor(x, "x", shape=("N", len(self.weight), "H", "W"), dtype=self.weight.dtype)
        return self.weight[:, None, None] * self.pool(x) + self.bias[:, None, None]


class TableConv2d(nn.Module):
    """A convolution in which each kernel sees the channels that a table gives it.

    Parameters
    ----------
    in_channels : int
    table : sequence of sequence of int
    kernel_size : int
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_channels, table, kernel_size, *, rng=None, dtype=None, device=None):
        super().__init__()
        mask = torch.from_numpy(connections(in_channels, table, np.float32))
        self.register_buffer("mask", mask.to(device=device, dtype=dtype), persistent=False)
        self.conv = Conv2d(in_channels, len(mask), kernel_size, rng=rng, dtype=dtype, device=device)
        with torch.no_grad():
            self.conv.weight *= self.mask

    def forward(self, x):
        """Convolve.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)

        Returns
        -------
        Tensor of shape (N, O, output height, output width)
        """
        return nn.functional.conv2d(x, self.conv.weight * self.mask, self.conv.bias)


class LeNet5(nn.Sequential):
    """LeNet-5: 60,000 weights up to F6, and 850 of a linear output.

    Parameters
    ----------
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, *, rng=None, dtype=None, device=None):
        kind = {"rng": rng, "dtype": dtype, "device": device}
        place = {"dtype": dtype, "device": device}
        super().__init__(
            Conv2d(1, 6, 5, **kind), ScaledTanh(),                  # C1  (N,   6, 28, 28)
            Subsample(6, **place), ScaledTanh(),                    # S2  (N,   6, 14, 14)
            TableConv2d(6, C3_TABLE, 5, **kind), ScaledTanh(),      # C3  (N,  16, 10, 10)
            Subsample(16, **place), ScaledTanh(),                   # S4  (N,  16,  5,  5)
            Conv2d(16, 120, 5, **kind), ScaledTanh(), Flatten(),    # C5  (N, 120)
            Linear(120, 84, **kind), ScaledTanh(),                  # F6  (N,  84)
            Linear(84, 10, **kind),                                 # scores of the ten digits
        )

    def forward(self, x):
        """Compute the scores.

        Parameters
        ----------
        x : Tensor of shape (N, 1, 32, 32)

        Returns
        -------
        Tensor of shape (N, 10)
        """
        check_tensor(x, "x", shape=("N", 1, 32, 32))
        return super().forward(x)
