"""AlexNet (2012): the network that won ImageNet by ten points."""

from torch import nn

from ..conv_torch import Conv2d
from ..linear_torch import Linear
from ..module_torch import Flatten
from ..pooling_torch import MaxPool2d
from ..validation import check_integer
from .common import Network, gaussian, initialise, krizhevsky_norm

__all__ = ["AlexNet"]


class AlexNet(Network):
    """AlexNet, with its two groups: 60,965,224 parameters.

    Parameters
    ----------
    num_classes : int
    rng : torch.Generator, optional
        Draws the initial weights; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional
        ``"meta"`` for a network without numbers, to be counted.

    Notes
    -----
    The network lay on two graphics cards, which exchanged their maps before the third convolution and
    the fully connected layers only. Hence the two groups in convolutions 2, 4 and 5.

    The paper says images of 224 x 224 pixels. The 55 x 55 outputs of its first layer need 227 x 227, or a
    margin; this network reads 227 x 227. Figure 2 of the paper counts 253,440 units there, which is
    55 x 48 x 96; there are 55 x 55 x 96 = 290,400. All its other counts are right.

    ``torchvision.models.alexnet`` is another network: that of Krizhevsky, One weird trick for parallelizing
    convolutional neural networks, 2014, on one card. It has no groups and no normalisation, 64, 192, 384,
    256 and 256 maps, a margin of 2 pixels around images of 224 x 224, and 61,100,840 parameters.

    References
    ----------
    Krizhevsky, Sutskever, Hinton, ImageNet classification with deep convolutional neural networks, NIPS
    2012, section 3 and figure 2; the response normalisation is in 3.3, the initial weights in 5.
    """

    def __init__(self, num_classes=1000, *, rng=None, dtype=None, device=None):
        check_integer(num_classes, "num_classes", low=1)
        kind = {"dtype": dtype, "device": device}
        super().__init__([
            ("conv1", Conv2d(3, 96, 11, stride=4, **kind)), ("relu1", nn.ReLU()),                # (N,  96, 55, 55)
            ("norm1", krizhevsky_norm()), ("pool1", MaxPool2d(3, 2)),                            # (N,  96, 27, 27)
            ("conv2", Conv2d(96, 256, 5, padding=2, groups=2, **kind)), ("relu2", nn.ReLU()),    # (N, 256, 27, 27)
            ("norm2", krizhevsky_norm()), ("pool2", MaxPool2d(3, 2)),                            # (N, 256, 13, 13)
            ("conv3", Conv2d(256, 384, 3, padding=1, **kind)), ("relu3", nn.ReLU()),             # (N, 384, 13, 13)
            ("conv4", Conv2d(384, 384, 3, padding=1, groups=2, **kind)), ("relu4", nn.ReLU()),   # (N, 384, 13, 13)
            ("conv5", Conv2d(384, 256, 3, padding=1, groups=2, **kind)), ("relu5", nn.ReLU()),   # (N, 256, 13, 13)
            ("pool5", MaxPool2d(3, 2)), ("flatten", Flatten()),                                  # (N, 9216)
            ("fc6", Linear(9216, 4096, **kind)), ("relu6", nn.ReLU()), ("drop6", nn.Dropout(0.5)),
            ("fc7", Linear(4096, 4096, **kind)), ("relu7", nn.ReLU()), ("drop7", nn.Dropout(0.5)),
            ("fc8", Linear(4096, num_classes, **kind)),
        ], size=227)
        initialise(self, gaussian, rng)
        for layer in (self.conv2, self.conv4, self.conv5, self.fc6, self.fc7):
            nn.init.ones_(layer.bias)  # so that the ReLUs begin with positive inputs
