"""GoogLeNet (2014): nine inception modules, and a twentieth of VGG's parameters."""

from collections import OrderedDict

from torch import nn

from ..blocks_torch import Inception
from ..conv_torch import Conv2d
from ..linear_torch import Linear
from ..module_torch import Flatten
from ..pooling_torch import AvgPool2d, GlobalAvgPool2d, MaxPool2d
from ..validation import check_integer
from ..validation_torch import check_tensor
from .common import he, initialise, krizhevsky_norm

__all__ = ["GoogLeNet"]

# Channels of the input, 1x1, 1x1 before 3x3, 3x3, 1x1 before 5x5, 5x5, 1x1 after pooling: table 1 of the paper.
INCEPTIONS = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


def auxiliary_classifier(channels, num_classes, **kind):
    """Make a classifier for the maps of a middle layer, (N, channels, 14, 14)."""
    return nn.Sequential(OrderedDict([
        ("pool", AvgPool2d(5, 3)),                                                    # (N, channels, 4, 4)
        ("conv", Conv2d(channels, 128, 1, **kind)), ("relu1", nn.ReLU()), ("flatten", Flatten()),  # (N, 2048)
        ("fc1", Linear(2048, 1024, **kind)), ("relu2", nn.ReLU()), ("drop", nn.Dropout(0.7)),
        ("fc2", Linear(1024, num_classes, **kind)),
    ]))


class GoogLeNet(nn.Module):
    """GoogLeNet: 6,998,552 parameters, and 6,379,728 in two auxiliary classifiers.

    Parameters
    ----------
    num_classes : int
    auxiliary : bool
        Whether to have the two classifiers after modules 4a and 4d, which bring gradients to the
        middle of the network in training. They are not used afterwards.
    rng : torch.Generator, optional
        Draws the initial weights; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Notes
    -----
    Table 1 of the paper has no auxiliary classifiers and counts weights without biases, in units of K = 1024: its
    rows of 112K and 1000K fit exactly. Beside it, the weights of this network in the same unit, and its multiply-adds
    in millions:

    ============  ===================  =======  ===================  ======
    row           parameters, table 1  here     operations, table 1  here
    ============  ===================  =======  ===================  ======
    convolution   2.7K                 9.2K     34M                  118.0M
    convolutions  112K                 112.0K   360M                 359.7M
    3a            159K                 159.5K   128M                 128.0M
    3b            380K                 379.0K   304M                 304.3M
    4a            364K                 366.8K   73M                  73.6M
    4b            437K                 438.0K   88M                  87.9M
    4c            463K                 497.5K   100M                 99.9M
    4d            580K                 590.5K   119M                 118.5M
    4e            840K                 847.0K   170M                 170.0M
    5a            1072K                1018.0K  54M                  51.1M
    5b            1388K                1409.0K  71M                  70.7M
    linear        1000K                1000.0K  1M                   1.0M
    ============  ===================  =======  ===================  ======

    The sizes in table 1 lead to its operations, but for the first row and 5a. They do not lead to its
    parameters in most rows: in 4c, for one, to 497.5K and not 463K. A 7 x 7 convolution of three channels
    to 64 has 9,408 weights. The 2.7K and 34M of its row would fit 2 x 7 x 3 x 64 = 2,688 weights, a 7 x 1 and a
    1 x 7 kernel for each map, of which neither text nor figure 3 speaks.

    The constants of the response normalisation and the initial weights are not in the paper; here they are
    AlexNet's and He's. Its margins, "same", are here as wide on the left as on the right.

    ``torchvision.models.googlenet`` has batch norm, no biases and 3 x 3 in place of 5 x 5 kernels: 6,624,904
    parameters, and 13,004,888 with the auxiliary classifiers.

    References
    ----------
    Szegedy et al., Going deeper with convolutions, CVPR 2015, table 1 and figure 3; section 5 for the
    auxiliary classifiers.
    """

    def __init__(self, num_classes=1000, auxiliary=True, *, rng=None, dtype=None, device=None):
        check_integer(num_classes, "num_classes", low=1)
        super().__init__()
        kind = {"dtype": dtype, "device": device}
        self.stem = nn.Sequential(OrderedDict([
            ("conv1", Conv2d(3, 64, 7, stride=2, padding=3, **kind)), ("relu1", nn.ReLU()),  # (N,  64, 112, 112)
            ("pool1", MaxPool2d(3, 2, 1)), ("norm1", krizhevsky_norm()),                     # (N,  64,  56,  56)
            ("conv2_reduce", Conv2d(64, 64, 1, **kind)), ("relu2_reduce", nn.ReLU()),
            ("conv2", Conv2d(64, 192, 3, padding=1, **kind)), ("relu2", nn.ReLU()),          # (N, 192,  56,  56)
            ("norm2", krizhevsky_norm()), ("pool2", MaxPool2d(3, 2, 1)),                     # (N, 192,  28,  28)
        ]))
        module = {name: Inception(*channels, **kind) for name, channels in INCEPTIONS.items()}
        self.inception3a, self.inception3b, self.pool3 = module["3a"], module["3b"], MaxPool2d(3, 2, 1)
        self.inception4a, self.inception4b, self.inception4c = module["4a"], module["4b"], module["4c"]
        self.inception4d, self.inception4e, self.pool4 = module["4d"], module["4e"], MaxPool2d(3, 2, 1)
        self.inception5a, self.inception5b = module["5a"], module["5b"]
        self.pool5, self.drop, self.fc = GlobalAvgPool2d(), nn.Dropout(0.4), Linear(1024, num_classes, **kind)
        self.auxiliary4a = auxiliary_classifier(512, num_classes, **kind) if auxiliary else None
        self.auxiliary4d = auxiliary_classifier(528, num_classes, **kind) if auxiliary else None
        initialise(self, he, rng)

    def forward(self, x):
        """Compute the scores of the classes.

        Parameters
        ----------
        x : Tensor of shape (N, 3, 224, 224)

        Returns
        -------
        Tensor of shape (N, num_classes), or tuple of three
            In training with auxiliary classifiers: the scores, and those after modules 4a and 4d. The paper adds
            the losses of these two with a weight of 0.3.

        Raises
        ------
        TypeError, ValueError
            If ``x`` does not hold colour images of this size.
        """
        check_tensor(x, "x", shape=("N", 3, 224, 224))
        x = self.pool3(self.inception3b(self.inception3a(self.stem(x))))          # (N,  480, 14, 14)
        middle = self.inception4a(x)                                              # (N,  512, 14, 14)
        late = self.inception4d(self.inception4c(self.inception4b(middle)))       # (N,  528, 14, 14)
        x = self.inception5b(self.inception5a(self.pool4(self.inception4e(late))))  # (N, 1024, 7, 7)
        scores = self.fc(self.drop(self.pool5(x)))
        if self.training and self.auxiliary4a is not None:
            return scores, self.auxiliary4a(middle), self.auxiliary4d(late)
        return scores
