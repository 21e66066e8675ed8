"""A small residual network in PyTorch."""

from torch import nn

from .blocks_torch import BasicBlock, conv_norm
from .linear_torch import Linear
from .pooling_torch import GlobalAvgPool2d
from .resnet import check_sizes
from .validation_torch import check_tensor

__all__ = ["SmallResNet"]


class SmallResNet(nn.Sequential):
    """A residual network of 6n + 2 layers, for small images.

    Parameters
    ----------
    blocks, in_channels, channels, num_classes : int
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, blocks=2, in_channels=1, channels=16, num_classes=10, *, rng=None, dtype=None, device=None):
        check_sizes(blocks=blocks, in_channels=in_channels, channels=channels, num_classes=num_classes)
        kind = {"rng": rng, "dtype": dtype, "device": device}
        super().__init__(
            *conv_norm(in_channels, channels, 3, **kind), nn.ReLU(),     # (N,  C, H,   W)
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
        x : Tensor of shape (N, in_channels, H, W)

        Returns
        -------
        Tensor of shape (N, num_classes)
        """
        check_tensor(x, "x", shape=("N", self.in_channels, "H", "W"))
        return super().forward(x)


def stage(in_channels, channels, stride, blocks, **kind):
    """Make the residual blocks of one stage; the first of them changes channels and size."""
    first = BasicBlock(in_channels, channels, stride, **kind)
    return [first, *(BasicBlock(channels, channels, **kind) for _ in range(blocks - 1))]
