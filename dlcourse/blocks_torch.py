"""Building blocks of convolutional networks in PyTorch: residual, bottleneck, inception, squeeze and excite."""

import torch
from torch import nn

from .blocks import squeezed
from .conv_torch import Conv2d
from .linear_torch import Linear
from .normalization_torch import BatchNorm2d
from .pooling_torch import GlobalAvgPool2d, MaxPool2d

__all__ = ["BasicBlock", "Bottleneck", "Inception", "SqueezeExcite"]


def conv_norm(in_channels, out_channels, kernel_size, stride=1, **kind):
    """Make a convolution that keeps the size, but for its stride, and a batch norm."""
    conv = Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False, **kind)
    return conv, BatchNorm2d(out_channels, dtype=kind["dtype"], device=kind["device"])


class _Residual(nn.Module):
    """What both residual blocks share: a branch, a way past it, and a ReLU over the sum."""

    def __init__(self, branch, in_channels, out_channels, stride, skip, **kind):
        super().__init__()
        self.branch, self.skip = branch, skip
        changes = stride != 1 or in_channels != out_channels
        shortcut = conv_norm(in_channels, out_channels, 1, stride, **kind) if skip and changes else None
        self.shortcut = nn.Sequential(*shortcut) if shortcut else None
        self.relu = nn.ReLU()

    def forward(self, x):
        """Add what the branch finds to what went past it.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)

        Returns
        -------
        Tensor of shape (N, C', H / stride, W / stride)
        """
        y = self.branch(x)
        if self.skip:
            y = y + (x if self.shortcut is None else self.shortcut(x))
        return self.relu(y)


class BasicBlock(_Residual):
    """The residual block of ResNet-18 and -34: two 3x3 convolutions.

    Parameters
    ----------
    in_channels, out_channels : int
    stride : int
    skip : bool
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_channels, out_channels, stride=1, skip=True, *, rng=None, dtype=None, device=None):
        kind = {"rng": rng, "dtype": dtype, "device": device}
        branch = nn.Sequential(
            *conv_norm(in_channels, out_channels, 3, stride, **kind), nn.ReLU(),
            *conv_norm(out_channels, out_channels, 3, **kind),
        )
        super().__init__(branch, in_channels, out_channels, stride, skip, **kind)


class Bottleneck(_Residual):
    """The residual block of ResNet-50 and deeper: 1x1, 3x3, and 1x1 to four times as many channels.

    Parameters
    ----------
    in_channels, channels : int
    stride : int
    skip : bool
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_channels, channels, stride=1, skip=True, *, rng=None, dtype=None, device=None):
        kind = {"rng": rng, "dtype": dtype, "device": device}
        branch = nn.Sequential(
            *conv_norm(in_channels, channels, 1, **kind), nn.ReLU(),
            *conv_norm(channels, channels, 3, stride, **kind), nn.ReLU(),
            *conv_norm(channels, 4 * channels, 1, **kind),
        )
        super().__init__(branch, in_channels, 4 * channels, stride, skip, **kind)


class Inception(nn.Module):
    """Four ways to look at the same pixels, side by side: 1x1, 3x3, 5x5 and a maximum.

    Parameters
    ----------
    in_channels, ones, reduce_threes, threes, reduce_fives, fives, pooled : int
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_channels, ones, reduce_threes, threes, reduce_fives, fives, pooled, *, rng=None,
                 dtype=None, device=None):
        super().__init__()

        def conv(ins, outs, size):
            return Conv2d(ins, outs, size, padding=size // 2, rng=rng, dtype=dtype, device=device), nn.ReLU()

        self.ones = nn.Sequential(*conv(in_channels, ones, 1))
        self.threes = nn.Sequential(*conv(in_channels, reduce_threes, 1), *conv(reduce_threes, threes, 3))
        self.fives = nn.Sequential(*conv(in_channels, reduce_fives, 1), *conv(reduce_fives, fives, 5))
        self.pooled = nn.Sequential(MaxPool2d(3, 1, 1), *conv(in_channels, pooled, 1))

    def forward(self, x):
        """Join the channels of the four branches.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)

        Returns
        -------
        Tensor of shape (N, ones + threes + fives + pooled, H, W)
        """
        return torch.cat([self.ones(x), self.threes(x), self.fives(x), self.pooled(x)], dim=1)


class SqueezeExcite(nn.Module):
    """Weigh the channels by what the image as a whole contains.

    Parameters
    ----------
    channels, reduction : int
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, channels, reduction=16, *, rng=None, dtype=None, device=None):
        super().__init__()
        hidden, kind = squeezed(channels, reduction), {"rng": rng, "dtype": dtype, "device": device}
        self.excite = nn.Sequential(
            GlobalAvgPool2d(), Linear(channels, hidden, **kind), nn.ReLU(), Linear(hidden, channels, **kind),
            nn.Sigmoid(),
        )

    def forward(self, x):
        """Weigh the channels.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)

        Returns
        -------
        Tensor of shape (N, C, H, W)
        """
        return self.excite(x)[:, :, None, None] * x
