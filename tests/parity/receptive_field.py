"""Parity cases of `dlcourse.receptive_field`: formulas beside autograd, on stacks that are drawn."""

import numpy as np
import torch

from dlcourse import conv, conv_torch, module, pooling, pooling_torch
from dlcourse import receptive_field as ours
from dlcourse import receptive_field_torch as theirs
from dlcourse.interop import copy_weights, to_torch
from dlcourse.parity import Comparison, parity_case

from . import torch_dtype


def stack(rng, depth):
    """Draw kernel size, stride, padding and dilation of some layers."""
    return [tuple(int(n) for n in (rng.integers(1, 5), rng.integers(1, 4), rng.integers(0, 3), rng.integers(1, 4)))
            for _ in range(depth)]


def same(name, reference, counterpart):
    """Compare whole numbers."""
    return Comparison("forward", name, np.array(reference), torch.tensor(counterpart))


@parity_case("receptive_field.Field", size=(1, 9), jump=(1, 4), start=(-5, 0), unit=(0, 5))
def field(rng, dtype, device, size, jump, start, unit):
    return [same("seen", ours.Field(size, jump, start).seen_by(unit), theirs.Field(size, jump, start).seen_by(unit))]


@parity_case("receptive_field.receptive_field", depth=(1, 5))
def computed(rng, dtype, device, depth):
    """Recurrences beside gradients of a line."""
    layers = stack(rng, depth)
    return [same("fields", ours.receptive_field(layers), theirs.receptive_field(layers, device=device))]


def networks(rng, dtype, depth):
    """Draw both halves of a stack of convolutions and pooling."""
    pairs, kind = [], torch_dtype(dtype)
    for _ in range(depth):
        height, width, step, margin = (int(n) for n in (*rng.integers(1, 4, 2), rng.integers(1, 3), rng.integers(0, 2)))
        if rng.integers(2):
            arguments = (2, 2, (height, width), step, margin, int(rng.integers(1, 3)))
            pairs.append((conv.Conv2d(*arguments, rng=rng, dtype=dtype), conv_torch.Conv2d(*arguments, dtype=kind)))
        else:
            name = ("MaxPool2d", "AvgPool2d")[rng.integers(2)]
            arguments = ((height, width), step, margin * min(height, width) // 2)
            pairs.append((getattr(pooling, name)(*arguments), getattr(pooling_torch, name)(*arguments)))
    reference, counterpart = zip(*pairs, strict=True)
    reference, counterpart = module.Sequential(*reference), torch.nn.Sequential(*counterpart)
    copy_weights(reference, counterpart)
    return reference, counterpart


@parity_case("receptive_field.windows", depth=(1, 5), axis=(0, 1))
def settings(rng, dtype, device, depth, axis):
    reference, counterpart = networks(rng, dtype, depth)
    return [same("settings", ours.windows(reference, axis), theirs.windows(counterpart, axis))]


@parity_case("receptive_field.effective_field", depth=(1, 3), batch=(1, 3), height=(30, 33), width=(31, 34),
             given=[True, False])
def weights(rng, dtype, device, depth, batch, height, width, given):
    """Weights of pixels, in the middle and at a corner."""
    reference, counterpart = networks(rng, dtype, depth)
    x = rng.standard_normal((batch, 2, height, width)).astype(dtype)
    position = (0, 1) if given else None
    return [Comparison("gradient", "weights", ours.effective_field(reference, x, position),
                       theirs.effective_field(counterpart.to(device), to_torch(x, device), position))]


@parity_case("receptive_field.extent", height=(1, 5), width=(1, 5))
def rectangle(rng, dtype, device, height, width):
    x = rng.standard_normal((height, width)).astype(dtype) * (rng.random((height, width)) < 0.5)
    x[rng.integers(height), rng.integers(width)] = 1
    return [same("extent", ours.extent(x), theirs.extent(to_torch(x, device)))]
