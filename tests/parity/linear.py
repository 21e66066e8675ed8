"""Parity cases of `dlcourse.linear` and `dlcourse.module`."""

from dlcourse import linear, linear_torch, module, module_torch
from dlcourse.interop import to_torch
from dlcourse.parity import Comparison, ModulePair, parity_case

from . import torch_dtype


@parity_case("linear.Linear", batch=(0, 9), in_features=(1, 17), out_features=(1, 9), bias=[True, False])
def linear_layer(rng, dtype, device, batch, in_features, out_features, bias):
    """Rows of a batch, an empty batch among them."""
    return ModulePair(
        linear.Linear(in_features, out_features, bias, rng=rng, dtype=dtype),
        linear_torch.Linear(in_features, out_features, bias, dtype=torch_dtype(dtype)),
        [rng.standard_normal((batch, in_features)).astype(dtype)],
    )


@parity_case("module.Parameter", size=(0, 5))
def parameter(rng, dtype, device, size):
    """Gradients of two losses add up."""
    value = rng.standard_normal(size).astype(dtype)
    first, second = rng.standard_normal((2, size)).astype(dtype)
    ours, theirs = module.Parameter(value), module_torch.Parameter(to_torch(value, device))
    ours.accumulate(first)
    ours.accumulate(second)
    (theirs * to_torch(first, device)).sum().backward()
    (theirs * to_torch(second, device)).sum().backward()
    return [Comparison("forward", "data", ours.data, theirs), Comparison("gradient", "grad", ours.grad, theirs.grad)]


@parity_case("module.Sequential", batch=(0, 5), depth=(1, 4), width=(1, 7))
def sequential(rng, dtype, device, batch, depth, width):
    """A composition, its parameter names included."""
    return ModulePair(
        module.Sequential(*(linear.Linear(width, width, rng=rng, dtype=dtype) for _ in range(depth))),
        module_torch.Sequential(*(linear_torch.Linear(width, width, dtype=torch_dtype(dtype)) for _ in range(depth))),
        [rng.standard_normal((batch, width)).astype(dtype)],
    )


class Halve(module.Module):
    """The smallest module that can be written: y = x / 2."""

    def forward(self, x):
        return x / 2

    def backward(self, dy):
        return dy / 2


class HalveTorch(module_torch.Module):
    """Its counterpart."""

    def forward(self, x):
        return x / 2


@parity_case("module.Module", batch=(0, 4))
def own_module(rng, dtype, device, batch):
    """A module that a reader writes, in either half."""
    return ModulePair(Halve(), HalveTorch(), [rng.standard_normal((batch, 3)).astype(dtype)])


@parity_case("module.Flatten", batch=(0, 3), shape=[(2,), (3, 2), (2, 1, 3)])
def flatten(rng, dtype, device, batch, shape):
    """Rows, sequences and images."""
    x = rng.standard_normal((batch, *shape)).astype(dtype)
    return ModulePair(module.Flatten(), module_torch.Flatten(), [x])
