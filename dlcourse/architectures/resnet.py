"""ResNet-18, -34, -50, -101 and -152 (2015): layers that only have to learn what to change."""

from torch import nn

from ..blocks_torch import BasicBlock, Bottleneck, conv_norm
from ..linear_torch import Linear
from ..pooling_torch import GlobalAvgPool2d, MaxPool2d
from ..validation import check_choice, check_integer
from .common import Network, he, initialise

__all__ = ["BLOCKS", "PublishedBottleneck", "ResNet"]

# Blocks in each of the four stages: table 1 of the paper.
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class PublishedBottleneck(Bottleneck):
    """A bottleneck whose stride is where the paper has it: in the first 1x1 convolution.

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
        super().__init__(in_channels, channels, stride, skip, rng=rng, dtype=dtype, device=device)
        first, threes = self.branch[0], self.branch[3]
        first.stride, threes.stride = threes.stride, first.stride


class ResNet(Network):
    """A residual network.

    It has 11,689,512 parameters with 18 layers, 21,797,672 with 34, 25,557,032 with 50, 44,549,160 with
    101, and 60,192,808 with 152.

    Parameters
    ----------
    depth : {18, 34, 50, 101, 152}
        Number of convolutions and linear layers, without those of shortcuts.
    num_classes : int
    skip : bool
        Without, it is the plain network that the paper compares with.
    stride_at : {"1x1", "3x3"}
        Which convolution of a bottleneck has the stride, from 50 layers on. The paper has it in the first 1x1,
        PyTorch in the 3x3. Both have as many parameters. At 50 layers it is 3.86 against 4.09 billion
        multiply-adds, and a receptive field of 483 against 427 pixels.
    rng : torch.Generator, optional
        Draws the initial weights; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Raises
    ------
    ValueError
        If the paper has no network of this depth.

    Notes
    -----
    Where a stage changes the number of maps, the shortcut is a 1x1 convolution, option B of the paper. The
    comparison of 18 and 34 layers in its table 2 has option A, without parameters. The paper does not
    print the numbers of parameters of these networks; those above are of this definition in
    PyTorch, with biases in the last layer only and two parameters per map in each norm.

    References
    ----------
    He, Zhang, Ren, Sun, Deep residual learning for image recognition, CVPR 2016, table 1; section 3.4 for
    the initial weights, which are those of He et al., Delving deep into rectifiers, ICCV 2015, section 2.2.
    """

    def __init__(self, depth, num_classes=1000, skip=True, stride_at="1x1", *, rng=None, dtype=None, device=None):
        check_integer(num_classes, "num_classes", low=1)
        check_choice(depth, "depth", list(BLOCKS))
        check_choice(stride_at, "stride_at", ["1x1", "3x3"])
        bottleneck = PublishedBottleneck if stride_at == "1x1" else Bottleneck
        kind = {"rng": rng, "dtype": dtype, "device": device}
        block = BasicBlock if depth < 50 else bottleneck
        super().__init__(layers(depth, lambda *arguments: block(*arguments, skip, **kind), num_classes, **kind))
        initialise(self, he, rng)


def layers(depth, block, num_classes, **kind):
    """Name the layers of a residual network.

    Parameters
    ----------
    depth : int
    block : callable
        Makes a block of ``(in_channels, channels, stride)``.
    num_classes : int
    **kind
        ``rng``, ``dtype`` and ``device``.

    Yields
    ------
    (str, torch.nn.Module)
    """
    conv, norm = conv_norm(3, 64, 7, 2, **kind)
    yield from [("conv1", conv), ("norm1", norm), ("relu1", nn.ReLU()),  # (N, 64, 112, 112)
                ("pool1", MaxPool2d(3, 2, 1))]                           # (N, 64,  56,  56)
    channels, wider = 64, 1 if depth < 50 else 4
    for stage, count in enumerate(BLOCKS[depth]):
        maps = 64 * 2**stage
        blocks = []
        for i in range(count):
            blocks.append(block(channels, maps, 2 if stage and not i else 1))
            channels = wider * maps
        yield f"conv{stage + 2}_x", nn.Sequential(*blocks)               # half the height and width from conv3_x on
    yield from [("pool5", GlobalAvgPool2d()), ("fc", Linear(channels, num_classes, **kind))]
