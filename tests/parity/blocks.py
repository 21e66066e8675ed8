"""Parity cases of `dlcourse.blocks`, in training and in evaluation mode."""

from dlcourse import blocks as ours
from dlcourse import blocks_torch as theirs
from dlcourse.parity import ModulePair, parity_case

from . import torch_dtype

SIZES = {"batch": (2, 3), "ins": (1, 4), "channels": (1, 3), "stride": (1, 2), "skip": [True, False],
         "height": (4, 6), "width": (5, 6)}


def pair(rng, dtype, name, x, *arguments, training=True):
    """Build both twins with parameters of order one.

    Their backward passes are compared with each other only: a difference quotient would straddle the kink of one
    of the many ReLUs. Those of the layers that they consist of are compared with difference quotients.

    A norm divides by what a convolution's weights multiply by: with small weights it would magnify the
    rounding of float32, in both twins alike.
    """
    reference = getattr(ours, name)(*arguments, rng=rng, dtype=dtype).train(training)
    for parameter in reference.parameters():
        sign = rng.choice([-1, 1], parameter.shape) if parameter.data.ndim == 4 else 1
        parameter.data[...] = sign * rng.uniform(0.5, 1.5, parameter.shape)
    for _, owner, attribute in reference.named_buffers():
        if attribute.startswith("running"):
            getattr(owner, attribute)[...] = rng.uniform(0.5, 1.5, getattr(owner, attribute).shape)
    counterpart = getattr(theirs, name)(*arguments, dtype=torch_dtype(dtype)).train(training)
    return ModulePair(reference, counterpart, [x], check_numerically=False)


@parity_case("blocks.BasicBlock [evaluation]", **SIZES)
def basic(rng, dtype, device, batch, ins, channels, stride, skip, height, width):
    x = rng.standard_normal((batch, ins, height, width)).astype(dtype)
    return pair(rng, dtype, "BasicBlock", x, ins, channels, stride, skip, training=False)


@parity_case("blocks.BasicBlock", **SIZES)
def basic_in_training(rng, dtype, device, batch, ins, channels, stride, skip, height, width):
    x = rng.standard_normal((batch, ins, height, width)).astype(dtype)
    return pair(rng, dtype, "BasicBlock", x, ins, channels, stride, skip)


@parity_case("blocks.Bottleneck", **SIZES)
def bottleneck(rng, dtype, device, batch, ins, channels, stride, skip, height, width):
    x = rng.standard_normal((batch, ins, height, width)).astype(dtype)
    return pair(rng, dtype, "Bottleneck", x, ins, channels, stride, skip)


@parity_case("blocks.Inception", batch=(0, 2), ins=(1, 3), height=(1, 5), width=(1, 5))
def inception(rng, dtype, device, batch, ins, height, width):
    widths = [int(n) for n in rng.integers(1, 4, 6)]
    x = rng.standard_normal((batch, ins, height, width)).astype(dtype)
    return pair(rng, dtype, "Inception", x, ins, *widths)


@parity_case("blocks.SqueezeExcite", batch=(0, 3), channels=(2, 6), reduction=(1, 2), height=(1, 4), width=(1, 4))
def squeeze_excite(rng, dtype, device, batch, channels, reduction, height, width):
    x = rng.standard_normal((batch, channels, height, width)).astype(dtype)
    twins = (ours.SqueezeExcite(channels, reduction, rng=rng, dtype=dtype),
             theirs.SqueezeExcite(channels, reduction, dtype=torch_dtype(dtype)))
    return ModulePair(*twins, [x])
