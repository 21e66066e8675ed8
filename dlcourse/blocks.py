r"""Building blocks of convolutional networks: residual, bottleneck, inception, squeeze and excite.

None of them computes anything new. Each says how known layers are joined, and its backward pass
follows from two rules: where a value is used twice, its gradients add up; where values are joined,
the gradient is taken apart again.
"""

import numpy as np

from .activations import ReLU, Sigmoid
from .conv import Conv2d
from .linear import Linear
from .module import Module, Sequential
from .normalization import BatchNorm2d
from .pooling import GlobalAvgPool2d, MaxPool2d
from .validation import check_array, check_integer

__all__ = ["BasicBlock", "Bottleneck", "Inception", "SqueezeExcite"]


def conv_norm(in_channels, out_channels, kernel_size, stride=1, *, rng, dtype):
    """Make a convolution that keeps the size, but for its stride, and a batch norm.

    The norm subtracts the mean of each channel, so a bias before it would be without effect.
    """
    conv = Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False, rng=rng, dtype=dtype)
    return conv, BatchNorm2d(out_channels, dtype=dtype)


class _Residual(Module):
    r"""What both residual blocks share: a branch, a way past it, and a ReLU over the sum.

    .. math:: y = \max(0,\; F(x) + S(x))

    S is the identity, or a 1x1 convolution with a batch norm where the branch changes the shape.
    Without `skip`, S is zero: the plain block that residual ones are compared with.
    """

    def __init__(self, branch, in_channels, out_channels, stride, skip, *, rng, dtype):
        super().__init__()
        self.branch, self.skip = branch, skip
        changes = stride != 1 or in_channels != out_channels
        shortcut = conv_norm(in_channels, out_channels, 1, stride, rng=rng, dtype=dtype) if skip and changes else None
        self.shortcut = Sequential(*shortcut) if shortcut else None
        self.relu = ReLU()

    def forward(self, x):
        """Add what the branch finds to what went past it.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, C', H / stride, W / stride)
        """
        y = self.branch(x)
        if self.skip:
            y = y + (x if self.shortcut is None else self.shortcut(x))
        return self.relu(y)

    def backward(self, dy):
        r"""Send the gradient both ways.

        .. math:: \mathrm{d}x = J_F^\top \mathrm{d}s + J_S^\top \mathrm{d}s,
            \qquad \mathrm{d}s = \mathrm{d}y \, [y > 0]

        With the identity as S the second term is :math:`\mathrm{d}s` itself: it reaches the block
        before undiminished, whatever the branch does to its own part.

        Parameters
        ----------
        dy : ndarray of the shape of the output

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        ds = self.relu.backward(dy)
        dx = self.branch.backward(ds)
        if self.skip:
            dx = dx + (ds if self.shortcut is None else self.shortcut.backward(ds))
        return dx


class BasicBlock(_Residual):
    """The residual block of ResNet-18 and -34: two 3x3 convolutions.

    Parameters
    ----------
    in_channels, out_channels : int
    stride : int
        Of the first convolution.
    skip : bool
        Whether there is a way past the convolutions.
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype

    References
    ----------
    He, Zhang, Ren, Sun, Deep residual learning for image recognition, CVPR 2016, figure 2 and
    section 3.3; the shortcut is option B.
    """

    def __init__(self, in_channels, out_channels, stride=1, skip=True, *, rng, dtype=np.float64):
        kind = {"rng": rng, "dtype": dtype}
        branch = Sequential(
            *conv_norm(in_channels, out_channels, 3, stride, **kind), ReLU(),
            *conv_norm(out_channels, out_channels, 3, **kind),
        )
        super().__init__(branch, in_channels, out_channels, stride, skip, **kind)


class Bottleneck(_Residual):
    """The residual block of ResNet-50 and deeper: 1x1 to fewer channels, 3x3 there, 1x1 to four times as many.

    Parameters
    ----------
    in_channels : int
    channels : int
        Of the 3x3 convolution; the output has four times as many.
    stride : int
        Of the 3x3 convolution.
    skip : bool
        Whether there is a way past the convolutions.
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype

    Notes
    -----
    The paper has the stride in the first 1x1 convolution, where it throws three of four pixels away
    unseen. Most implementations, PyTorch's among them, have it in the 3x3 convolution. The number of
    parameters is the same.

    References
    ----------
    He, Zhang, Ren, Sun, Deep residual learning for image recognition, CVPR 2016, figure 5.
    """

    def __init__(self, in_channels, channels, stride=1, skip=True, *, rng, dtype=np.float64):
        kind = {"rng": rng, "dtype": dtype}
        branch = Sequential(
            *conv_norm(in_channels, channels, 1, **kind), ReLU(),
            *conv_norm(channels, channels, 3, stride, **kind), ReLU(),
            *conv_norm(channels, 4 * channels, 1, **kind),
        )
        super().__init__(branch, in_channels, 4 * channels, stride, skip, **kind)


class Inception(Module):
    """Four ways to look at the same pixels, side by side: 1x1, 3x3, 5x5 and a maximum.

    A 1x1 convolution before each large kernel reduces the number of channels that it has to read.

    Parameters
    ----------
    in_channels : int
    ones : int
        Number of 1x1 kernels.
    reduce_threes, threes : int
        Number of 1x1 kernels before, and of 3x3 kernels.
    reduce_fives, fives : int
        Number of 1x1 kernels before, and of 5x5 kernels.
    pooled : int
        Number of 1x1 kernels after the maximum.
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype

    References
    ----------
    Szegedy et al., Going deeper with convolutions, CVPR 2015, figure 2(b) and table 1.
    """

    def __init__(self, in_channels, ones, reduce_threes, threes, reduce_fives, fives, pooled, *, rng,
                 dtype=np.float64):
        super().__init__()

        def conv(ins, outs, size):
            return Conv2d(ins, outs, size, padding=size // 2, rng=rng, dtype=dtype), ReLU()

        self.ones = Sequential(*conv(in_channels, ones, 1))
        self.threes = Sequential(*conv(in_channels, reduce_threes, 1), *conv(reduce_threes, threes, 3))
        self.fives = Sequential(*conv(in_channels, reduce_fives, 1), *conv(reduce_fives, fives, 5))
        self.pooled = Sequential(MaxPool2d(3, 1, 1), *conv(in_channels, pooled, 1))
        self.ends = np.cumsum([ones, threes, fives])  # where one branch's channels end and the next one's begin

    def forward(self, x):
        """Join the channels of the four branches.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, ones + threes + fives + pooled, H, W)
        """
        branches = (self.ones, self.threes, self.fives, self.pooled)
        return np.concatenate([branch(x) for branch in branches], axis=1)

    def backward(self, dy):
        """Give each branch the gradient of its channels, and add up what they send back.

        Parameters
        ----------
        dy : ndarray of the shape of the output

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        branches = (self.ones, self.threes, self.fives, self.pooled)
        parts = [np.ascontiguousarray(part) for part in np.split(dy, self.ends, axis=1)]
        return sum(branch.backward(part) for branch, part in zip(branches, parts, strict=True))


class SqueezeExcite(Module):
    r"""Weigh the channels by what the image as a whole contains.

    .. math:: y_{n,c,i,j} = s_{n,c}\, x_{n,c,i,j}, \qquad
        s = \sigma\bigl(W_2 \max(0, W_1 \bar x + b_1) + b_2\bigr)

    with :math:`\bar x_{n,c}` the mean of a channel over all pixels.

    Parameters
    ----------
    channels : int
    reduction : int
        The hidden layer has ``channels // reduction`` units.
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype

    References
    ----------
    Hu, Shen, Sun, Squeeze-and-excitation networks, CVPR 2018, section 3.
    """

    def __init__(self, channels, reduction=16, *, rng, dtype=np.float64):
        super().__init__()
        self.channels, hidden = channels, squeezed(channels, reduction)
        self.excite = Sequential(
            GlobalAvgPool2d(), Linear(channels, hidden, rng=rng, dtype=dtype), ReLU(),
            Linear(hidden, channels, rng=rng, dtype=dtype), Sigmoid(),
        )

    def forward(self, x):
        """Weigh the channels.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        check_array(x, "x", shape=("N", self.channels, "H", "W"))
        self.x, self.scale = x, self.excite(x)[:, :, None, None]   # (N, C, 1, 1)
        return self.scale * x

    def backward(self, dy):
        r"""Send the gradient to the pixels directly, and through the weights.

        .. math:: \mathrm{d}x = s\, \mathrm{d}y + J_s^\top \mathrm{d}s, \qquad
            \mathrm{d}s_{n,c} = \textstyle\sum_{i,j} \mathrm{d}y_{n,c,i,j}\, x_{n,c,i,j}

        Parameters
        ----------
        dy : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        check_array(dy, "dy", shape=self.x.shape, dtype=self.x.dtype)
        ds = (dy * self.x).sum(axis=(2, 3))                # (N, C)
        return self.scale * dy + self.excite.backward(ds)


def squeezed(channels, reduction):
    """Count the hidden units of a squeeze-and-excite block."""
    check_integer(channels, "channels", low=1)
    check_integer(reduction, "reduction", low=1)
    if channels < reduction:
        raise ValueError(f"reduction: expected at most channels = {channels}, got {reduction}")
    return channels // reduction
