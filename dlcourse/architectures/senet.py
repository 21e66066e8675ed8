"""SE-ResNet (2017): residual networks whose blocks weigh their maps by what the whole image contains."""

from ..blocks_torch import Bottleneck, SqueezeExcite
from ..validation import check_choice, check_integer
from .common import Network, he, initialise
from .resnet import BLOCKS, PublishedBottleneck, layers

__all__ = ["SEResNet"]


class SEResNet(Network):
    r"""A residual network of bottlenecks with squeeze and excite at the end of each branch.

    With 50 layers it has 28,088,024 parameters, which are 25,557,032 of ResNet-50 and 2,530,992 of squeeze and
    excite: 2,514,944 weights and 16,048 biases.

    Parameters
    ----------
    depth : {50, 101, 152}
    num_classes : int
    reduction : int
        By how much the hidden layers of squeeze and excite are smaller than the number of maps.
    stride_at : {"1x1", "3x3"}
        Which convolution of a block has the stride; see `ResNet`.
    rng : torch.Generator, optional
        Draws the initial weights; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Raises
    ------
    ValueError
        If there is no network of this depth, or ``reduction`` exceeds 256, the smallest number of maps.

    Notes
    -----
    The paper leaves the biases of squeeze and excite out of its formulas, and of its count of additional
    weights (:math:`\frac{2}{r} \sum_s N_s C_s^2`, with :math:`N_s` blocks of :math:`C_s` maps in stage s). With
    or without them the network has the 28.1 million parameters that the paper gives.

    The network that won ImageNet in 2017, SENet-154, is larger: squeeze and excite in a modified ResNeXt-152.

    References
    ----------
    Hu, Shen, Sun, Squeeze-and-excitation networks, CVPR 2018, section 3 and table 1, right half; the number
    of parameters is in the table of reduction ratios.
    """

    def __init__(self, depth=50, num_classes=1000, reduction=16, stride_at="1x1", *, rng=None, dtype=None,
                 device=None):
        check_integer(num_classes, "num_classes", low=1)
        check_choice(depth, "depth", [deep for deep in BLOCKS if deep >= 50])
        check_integer(reduction, "reduction", low=1, high=256)
        check_choice(stride_at, "stride_at", ["1x1", "3x3"])
        kind = {"rng": rng, "dtype": dtype, "device": device}
        bottleneck = PublishedBottleneck if stride_at == "1x1" else Bottleneck

        def block(in_channels, channels, stride):
            made = bottleneck(in_channels, channels, stride, **kind)
            made.branch.append(SqueezeExcite(4 * channels, reduction, **kind))
            return made

        super().__init__(layers(depth, block, num_classes, **kind))
        initialise(self, he, rng)
