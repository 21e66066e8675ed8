r"""A small residual network, as those of 2015 that learned from images of 32 by 32 pixels.

One convolution, three stages of residual blocks with twice the channels and half the size each, the
mean of every map, and a linear output: that is all of it.
"""

import numpy as np

from .activations import ReLU
from .blocks import BasicBlock, conv_norm
from .linear import Linear
from .module import Sequential
from .pooling import GlobalAvgPool2d
from .validation import check_array, check_integer, check_rng

__all__ = ["SmallResNet"]


class SmallResNet(Sequential):
    r"""A residual network of :math:`6n + 2` layers, for small images.

    A layer here is a convolution or the linear output; those in shortcuts do not count.

    Parameters
    ----------
    blocks : int
        The number n of residual blocks in each of the three stages.
    in_channels : int
        One for grey images, three for coloured ones.
    channels : int
        Of the first stage; the second has twice, the third four times as many.
    num_classes : int
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype

    Notes
    -----
    Where the number of channels changes, the paper's small networks fill up with zeros (option A); here
    a 1x1 convolution does it (option B), as in the paper's large ones. For 16 channels that is 2,560
    weights and 192 numbers of the norms more.

    References
    ----------
    He, Zhang, Ren, Sun, Deep residual learning for image recognition, CVPR 2016, section 4.2.
    """

    def __init__(self, blocks=2, in_channels=1, channels=16, num_classes=10, *, rng, dtype=np.float64):
        check_rng(rng)
        check_sizes(blocks=blocks, in_channels=in_channels, channels=channels, num_classes=num_classes)
        kind = {"rng": rng, "dtype": dtype}
        super().__init__(
            *conv_norm(in_channels, channels, 3, **kind), ReLU(),        # (N,  C, H,   W)
            *stage(channels, channels, 1, blocks, **kind),
            *stage(channels, 2 * channels, 2, blocks, **kind),           # (N, 2C, H/2, W/2)
            *stage(2 * channels, 4 * channels, 2, blocks, **kind),       # (N, 4C, H/4, W/4)
            GlobalAvgPool2d(),                                           # (N, 4C)
            Linear(4 * channels, num_classes, **kind),
        )
        self.in_channels = in_channels

    def forward(self, x):
        """Compute the scores of the classes.

        Parameters
        ----------
        x : ndarray of shape (N, in_channels, H, W)

        Returns
        -------
        ndarray of shape (N, num_classes)
        """
        check_array(x, "x", shape=("N", self.in_channels, "H", "W"))
        return super().forward(x)


def check_sizes(**sizes):
    """Check that each is a positive integer."""
    for name, size in sizes.items():
        check_integer(size, name, low=1)


def stage(in_channels, channels, stride, blocks, **kind):
    """Make the residual blocks of one stage; the first of them changes channels and size."""
    first = BasicBlock(in_channels, channels, stride, **kind)
    return [first, *(BasicBlock(channels, channels, **kind) for _ in range(blocks - 1))]
