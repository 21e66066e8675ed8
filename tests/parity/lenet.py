"""Parity cases of `dlcourse.lenet`."""

from dlcourse import lenet as ours
from dlcourse import lenet_torch as theirs
from dlcourse.parity import ModulePair, parity_case

from . import torch_dtype


@parity_case("lenet.ScaledTanh", batch=(0, 5), features=(1, 5))
def squashing(rng, dtype, device, batch, features):
    return ModulePair(ours.ScaledTanh(), theirs.ScaledTanh(), [rng.standard_normal((batch, features)).astype(dtype)])


@parity_case("lenet.Subsample", batch=(0, 3), channels=(1, 3), height=(2, 5), width=(2, 5))
def subsampling(rng, dtype, device, batch, channels, height, width):
    reference = ours.Subsample(channels, dtype=dtype)
    for parameter in reference.parameters():
        parameter.data[...] = rng.standard_normal(channels)
    counterpart = theirs.Subsample(channels, dtype=torch_dtype(dtype))
    return ModulePair(reference, counterpart, [rng.standard_normal((batch, channels, height, width)).astype(dtype)])


@parity_case("lenet.TableConv2d", batch=(0, 3), channels=(1, 4), maps=(1, 4), kernel=(1, 3), size=(3, 6))
def table(rng, dtype, device, batch, channels, maps, kernel, size):
    tables = [sorted(rng.choice(channels, rng.integers(1, channels + 1), replace=False).tolist()) for _ in range(maps)]
    return ModulePair(
        ours.TableConv2d(channels, tables, kernel, rng=rng, dtype=dtype),
        theirs.TableConv2d(channels, tables, kernel, dtype=torch_dtype(dtype)),
        [rng.standard_normal((batch, channels, size, size)).astype(dtype)],
    )


@parity_case("lenet.LeNet5", batch=(1, 2))
def whole(rng, dtype, device, batch):
    """All of it, all gradients. Its 61,750 weights are too many for difference quotients; its layers have theirs."""
    reference, counterpart = ours.LeNet5(rng=rng, dtype=dtype), theirs.LeNet5(dtype=torch_dtype(dtype))
    x = rng.standard_normal((batch, 1, 32, 32)).astype(dtype)
    return ModulePair(reference, counterpart, [x], check_numerically=False)
