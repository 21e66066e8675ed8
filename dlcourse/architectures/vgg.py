"""VGG-16 (2014): nothing but 3 x 3 kernels, sixteen layers deep."""

from torch import nn

from ..conv_torch import Conv2d
from ..linear_torch import Linear
from ..module_torch import Flatten
from ..pooling_torch import MaxPool2d
from ..validation import check_integer
from .common import Network, initialise, xavier

__all__ = ["VGG16"]

STAGES = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]  # so many convolutions, of so many maps


class VGG16(Network):
    """VGG-16, configuration D of the paper: 138,357,544 parameters, 102,764,544 of them in one layer.

    Parameters
    ----------
    num_classes : int
    rng : torch.Generator, optional
        Draws the initial weights; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Notes
    -----
    The paper first trained a network of 11 layers, from normal weights of standard deviation 0.01, and used
    them to begin the deeper ones. It reports that Glorot and Bengio's initial weights make this detour
    unnecessary; they are drawn here.

    References
    ----------
    Simonyan, Zisserman, Very deep convolutional networks for large-scale image recognition, ICLR 2015,
    table 1, column D, and table 2 (138 million parameters); section 3.1 for the initial weights.
    """

    def __init__(self, num_classes=1000, *, rng=None, dtype=None, device=None):
        check_integer(num_classes, "num_classes", low=1)
        kind = {"dtype": dtype, "device": device}
        layers, channels = [], 3
        for stage, (depth, maps) in enumerate(STAGES, 1):
            for i in range(1, depth + 1):
                layers += [(f"conv{stage}_{i}", Conv2d(channels, maps, 3, padding=1, **kind)),
                           (f"relu{stage}_{i}", nn.ReLU())]
                channels = maps
            layers.append((f"pool{stage}", MaxPool2d(2)))  # half the height and width
        super().__init__([
            *layers, ("flatten", Flatten()),               # (N, 512, 7, 7) -> (N, 25088)
            ("fc6", Linear(25088, 4096, **kind)), ("relu6", nn.ReLU()), ("drop6", nn.Dropout(0.5)),
            ("fc7", Linear(4096, 4096, **kind)), ("relu7", nn.ReLU()), ("drop7", nn.Dropout(0.5)),
            ("fc8", Linear(4096, num_classes, **kind)),
        ], size=224)
        initialise(self, xavier, rng)
