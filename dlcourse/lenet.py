r"""LeNet-5 as published in 1998: C1 S2 C3 S4 C5 F6, and a linear output.

The number in a layer's name is its place; C is a convolution, S a subsampling, F fully connected.
Every one of its 60,000 weights up to F6 is where the paper has it, the incomplete connections of C3
among them. Only the output differs: the paper compares F6 with drawings of the digits, here ten linear
units give scores to a softmax.
"""

import numpy as np

from .activations import Tanh
from .conv import Conv2d
from .linear import Linear
from .module import Flatten, Module, Parameter, Sequential
from .pooling import AvgPool2d
from .validation import check_array, check_integer, check_rng

__all__ = ["LeNet5", "ScaledTanh", "Subsample", "TableConv2d"]

# Which maps of S2 each of the 16 maps of C3 sees: three neighbours, four neighbours, four in two pairs, all.
C3_TABLE = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)


class ScaledTanh(Module):
    r"""The paper's squashing function, with :math:`f(1) \approx 1` and :math:`f(-1) \approx -1`.

    .. math:: f(x) = 1.7159 \tanh\bigl(\tfrac23 x\bigr)

    Its second derivative is largest near 1, so targets of 1 can be reached without saturation.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition,
    Proceedings of the IEEE 86(11), 1998, equation 6 and appendix A.
    """

    def __init__(self):
        super().__init__()
        self.tanh = Tanh()

    def forward(self, x):
        """Squash each number of an array of any shape."""
        return 1.7159 * self.tanh(x * (2 / 3))

    def backward(self, dy):
        r"""Compute :math:`\mathrm{d}x = 1.7159 \cdot \tfrac23 (1 - \tanh^2 \tfrac23 x)\, \mathrm{d}y`."""
        return 1.7159 * (2 / 3) * self.tanh.backward(dy)


class Subsample(Module):
    r"""The paper's pooling: the mean of two by two pixels, times a weight, plus a bias, for each map.

    .. math:: y_c = w_c \,\bar x_c + b_c

    Parameters
    ----------
    channels : int
    dtype : numpy.dtype

    Attributes
    ----------
    weight, bias : Parameter of shape (C,)
        One and zero at first: plain averages.
    """

    def __init__(self, channels, *, dtype=np.float64):
        super().__init__()
        self.channels = check_integer(channels, "channels", low=1)
        self.weight = Parameter(np.ones(channels, dtype))
        self.bias = Parameter(np.zeros(channels, dtype))
        self.pool = AvgPool2d(2)

    def forward(self, x):
        """Average and scale.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, C, H / 2, W / 2)
        """
        check_array(x, "x", shape=("N", self.channels, "H", "W"), dtype=self.weight.dtype)
        self.mean = self.pool(x)
        return self.weight.data[:, None, None] * self.mean + self.bias.data[:, None, None]

    def backward(self, dy):
        r"""Propagate the gradient.

        .. math:: \mathrm{d}w_c = \textstyle\sum \mathrm{d}y_c\, \bar x_c, \qquad
            \mathrm{d}b_c = \sum \mathrm{d}y_c, \qquad \mathrm{d}\bar x_c = w_c\, \mathrm{d}y_c

        Parameters
        ----------
        dy : ndarray of shape (N, C, H / 2, W / 2)

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        check_array(dy, "dy", shape=self.mean.shape, dtype=self.weight.dtype)
        self.weight.accumulate((dy * self.mean).sum(axis=(0, 2, 3)))
        self.bias.accumulate(dy.sum(axis=(0, 2, 3)))
        return self.pool.backward(self.weight.data[:, None, None] * dy)


class TableConv2d(Module):
    """A convolution in which each kernel sees the channels that a table gives it.

    Parameters
    ----------
    in_channels : int
    table : sequence of sequence of int
        For each output map the channels that it is connected to.
    kernel_size : int
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype

    Attributes
    ----------
    conv : Conv2d
        Its weights are zero where there is no connection, and stay so: their gradient is zero.
    """

    def __init__(self, in_channels, table, kernel_size, *, rng, dtype=np.float64):
        super().__init__()
        self.mask = connections(in_channels, table, dtype)  # (O, C, 1, 1)
        self.conv = Conv2d(in_channels, len(self.mask), kernel_size, rng=rng, dtype=dtype)
        self.conv.weight.data *= self.mask

    def forward(self, x):
        """Convolve.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, O, output height, output width)
        """
        self.conv.weight.data *= self.mask
        return self.conv(x)

    def backward(self, dy):
        """Propagate the gradient along the connections that there are.

        Parameters
        ----------
        dy : ndarray of shape (N, O, output height, output width)

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        dx = self.conv.backward(dy)
        self.conv.weight.grad = self.conv.weight.grad * self.mask
        return dx


def connections(in_channels, table, dtype):
    """Write a table of connections as an array of shape (O, C, 1, 1) of ones and zeros."""
    check_integer(in_channels, "in_channels", low=1)
    mask = np.zeros((len(table), in_channels, 1, 1), dtype)
    for row, channels in zip(mask, table, strict=True):
        if not channels or not all(0 <= channel < in_channels for channel in channels):
            raise ValueError(f"table: expected channels from 0 to {in_channels - 1} for each map, got {channels!r}")
        row[list(channels)] = 1
    return mask


class LeNet5(Sequential):
    """LeNet-5: 60,000 weights up to F6, and 850 of a linear output.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype

    Notes
    -----
    Input: images of 32 by 32 pixels, digits of at most 28 by 28 in their middle, so that the ends of
    strokes come to lie in the middle of the highest maps' fields.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition,
    Proceedings of the IEEE 86(11), 1998, section II B and table I.
    """

    def __init__(self, *, rng, dtype=np.float64):
        check_rng(rng)
        kind = {"rng": rng, "dtype": dtype}
        super().__init__(
            Conv2d(1, 6, 5, **kind), ScaledTanh(),                  # C1  (N,   6, 28, 28)
            Subsample(6, dtype=dtype), ScaledTanh(),                # S2  (N,   6, 14, 14)
            TableConv2d(6, C3_TABLE, 5, **kind), ScaledTanh(),      # C3  (N,  16, 10, 10)
            Subsample(16, dtype=dtype), ScaledTanh(),               # S4  (N,  16,  5,  5)
            Conv2d(16, 120, 5, **kind), ScaledTanh(), Flatten(),    # C5  (N, 120)
            Linear(120, 84, **kind), ScaledTanh(),                  # F6  (N,  84)
            Linear(84, 10, **kind),                                 # scores of the ten digits
        )

    def forward(self, x):
        """Compute the scores.

        Parameters
        ----------
        x : ndarray of shape (N, 1, 32, 32)

        Returns
        -------
        ndarray of shape (N, 10)
        """
        check_array(x, "x", shape=("N", 1, 32, 32))
        return super().forward(x)
