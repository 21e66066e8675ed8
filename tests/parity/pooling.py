"""Parity cases of `dlcourse.pooling`: overlapping and separate windows, with and without a margin."""

import torch

from dlcourse import pooling as ours
from dlcourse import pooling_torch as theirs
from dlcourse.interop import to_torch
from dlcourse.parity import Comparison, ModulePair, parity_case

SIZES = {"batch": (0, 3), "channels": (1, 3), "height": (3, 8), "width": (3, 7),
         "kernel": [1, 2, 3, (2, 3)], "stride": [None, 1, 2, (2, 1)]}


def distinct(rng, shape, dtype):
    """Draw numbers at least 0.1 apart: at a tie the maximum has a kink."""
    count = int(torch.Size(shape).numel())
    return (0.1 * rng.permutation(count).reshape(shape) - 0.05 * count).astype(dtype)


@parity_case("pooling.MaxPool2d", padding=[0, 1], **SIZES)
def largest(rng, dtype, device, batch, channels, height, width, kernel, stride, padding):
    padding = 0 if kernel == 1 else padding
    arguments = (kernel, stride, padding)
    x = distinct(rng, (batch, channels, height, width), dtype)
    return ModulePair(ours.MaxPool2d(*arguments), theirs.MaxPool2d(*arguments), [x])


@parity_case("pooling.MaxPool2d [ties]", batch=(1, 3), height=(3, 8), width=(3, 7), kernel=[2, 3], stride=[1, 2])
def tied(rng, dtype, device, batch, height, width, kernel, stride):
    """Where several pixels are largest, both send the gradient to the first. Difference quotients do not exist."""
    x = rng.integers(0, 2, (batch, 2, height, width)).astype(dtype)
    pair = ours.MaxPool2d(kernel, stride), theirs.MaxPool2d(kernel, stride)
    return ModulePair(*pair, [x], check_numerically=False)


@parity_case("pooling.AvgPool2d", padding=[0, 1], **SIZES)
def average(rng, dtype, device, batch, channels, height, width, kernel, stride, padding):
    padding = 0 if kernel == 1 else padding
    arguments = (kernel, stride, padding)
    x = rng.standard_normal((batch, channels, height, width)).astype(dtype)
    return ModulePair(ours.AvgPool2d(*arguments), theirs.AvgPool2d(*arguments), [x])


@parity_case("pooling.GlobalAvgPool2d", batch=(0, 3), channels=(1, 4), height=(1, 5), width=(1, 5))
def whole_maps(rng, dtype, device, batch, channels, height, width):
    x = rng.standard_normal((batch, channels, height, width)).astype(dtype)
    return ModulePair(ours.GlobalAvgPool2d(), theirs.GlobalAvgPool2d(), [x])


@parity_case("pooling.max_pool2d_loops", batch=(1, 3), height=(3, 8), width=(3, 7), kernel=(1, 3), stride=(1, 3))
def loops(rng, dtype, device, batch, height, width, kernel, stride):
    """Both loops beside each other, and beside PyTorch's own pooling."""
    x = rng.standard_normal((batch, 2, height, width)).astype(dtype)
    y, tensor = ours.max_pool2d_loops(x, kernel, stride), to_torch(x, device)
    direct = torch.nn.functional.max_pool2d(tensor, kernel, stride)
    return [Comparison("forward", "output", y, theirs.max_pool2d_loops(tensor, kernel, stride)),
            Comparison("forward", "output of F.max_pool2d", y, direct)]
