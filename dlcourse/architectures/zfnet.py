"""ZFNet (2013): AlexNet, after a look at what its layers see."""

from torch import nn

from ..conv_torch import Conv2d
from ..linear_torch import Linear
from ..module_torch import Flatten
from ..pooling_torch import MaxPool2d
from ..validation import check_integer
from .common import Network, gaussian, initialise, krizhevsky_norm

__all__ = ["ZFNet"]


class ZFNet(Network):
    """The network of Zeiler and Fergus: 62,357,608 parameters.

    Its first kernels are smaller than AlexNet's and closer together, 7 x 7 every 2 pixels in place of
    11 x 11 every 4, because the pictures of what AlexNet's maps respond to showed that it missed the
    middle frequencies and aliased.

    Parameters
    ----------
    num_classes : int
    rng : torch.Generator, optional
        Draws the initial weights; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Notes
    -----
    The paper gives the sizes of all maps, in its figure 3, and no number of parameters: the number above
    follows from the sizes. It does not give the margins; those here are the smallest that lead
    to the figure's sizes. Nor does it give the constants of the contrast normalisation across maps; those here are
    AlexNet's. In training the paper also limits the norm of each kernel, which this class does not do.

    References
    ----------
    Zeiler, Fergus, Visualizing and understanding convolutional networks, ECCV 2014, figure 3; section 3
    for training and initial weights, 4.1 for the choice of the first layers.
    """

    def __init__(self, num_classes=1000, *, rng=None, dtype=None, device=None):
        check_integer(num_classes, "num_classes", low=1)
        kind = {"dtype": dtype, "device": device}
        super().__init__([
            ("conv1", Conv2d(3, 96, 7, stride=2, padding=1, **kind)), ("relu1", nn.ReLU()),  # (N,  96, 110, 110)
            ("pool1", MaxPool2d(3, 2, 1)), ("norm1", krizhevsky_norm()),                     # (N,  96,  55,  55)
            ("conv2", Conv2d(96, 256, 5, stride=2, **kind)), ("relu2", nn.ReLU()),           # (N, 256,  26,  26)
            ("pool2", MaxPool2d(3, 2, 1)), ("norm2", krizhevsky_norm()),                     # (N, 256,  13,  13)
            ("conv3", Conv2d(256, 384, 3, padding=1, **kind)), ("relu3", nn.ReLU()),         # (N, 384,  13,  13)
            ("conv4", Conv2d(384, 384, 3, padding=1, **kind)), ("relu4", nn.ReLU()),         # (N, 384,  13,  13)
            ("conv5", Conv2d(384, 256, 3, padding=1, **kind)), ("relu5", nn.ReLU()),         # (N, 256,  13,  13)
            ("pool5", MaxPool2d(3, 2)), ("flatten", Flatten()),                              # (N, 9216)
            ("fc6", Linear(9216, 4096, **kind)), ("relu6", nn.ReLU()), ("drop6", nn.Dropout(0.5)),
            ("fc7", Linear(4096, 4096, **kind)), ("relu7", nn.ReLU()), ("drop7", nn.Dropout(0.5)),
            ("fc8", Linear(4096, num_classes, **kind)),
        ], size=224)
        initialise(self, gaussian, rng)
