"""Parity cases of `dlcourse.neocognitron`: answers, the choice of seeds, and what is learned."""

import numpy as np

from dlcourse import neocognitron as ours
from dlcourse import neocognitron_torch as theirs
from dlcourse.interop import copy_weights, to_torch
from dlcourse.parity import Comparison, parity_case

from . import torch_dtype


def images(rng, shape, dtype):
    """Draw images of which half is blank; numbers at random, so that no two cells answer the same."""
    return (rng.random(shape) * (rng.random(shape) < 0.5)).astype(dtype)


def s_layers(rng, dtype, device, *settings):
    reference = ours.SLayer(*settings, rng=rng, dtype=dtype)
    counterpart = theirs.SLayer(*settings, dtype=torch_dtype(dtype), device=device)
    copy_weights(reference, counterpart)
    return reference, counterpart


@parity_case("neocognitron.SLayer", batch=(0, 3), in_planes=(1, 3), planes=(1, 4), kernel=[1, 3, 5], height=(1, 8),
             width=(1, 7), selectivity=[0.5, 4.0])
def s_cells(rng, dtype, device, batch, in_planes, planes, kernel, height, width, selectivity):
    """Any templates."""
    reference, counterpart = s_layers(rng, dtype, device, in_planes, planes, kernel, selectivity)
    reference.weight.data[...] = rng.random(reference.weight.shape)
    reference.inhibition.data[...] = rng.random(planes)
    copy_weights(reference, counterpart)
    x = images(rng, (batch, in_planes, height, width), dtype)
    return [Comparison("forward", "output", reference(x), counterpart(to_torch(x, device)))]


@parity_case("neocognitron.SLayer [learning]", batch=(1, 3), in_planes=(1, 3), planes=(1, 6), kernel=[3, 5],
             height=(3, 9), width=(3, 8), rate=[1.0, 1000.0])
def learned(rng, dtype, device, batch, in_planes, planes, kernel, height, width, rate):
    """The same seeds in the same order, and so the same templates."""
    reference, counterpart = s_layers(rng, dtype, device, in_planes, planes, kernel, 2.0)
    x = images(rng, (batch, in_planes, height, width), dtype)
    seeds, seeds_twin = reference.learn(x, rate), counterpart.learn(to_torch(x, device), rate)
    return [
        Comparison("forward", "seeds", np.array(seeds), np.array(seeds_twin)),
        Comparison("gradient", "weight", reference.weight.data, counterpart.weight),
        Comparison("gradient", "inhibition", reference.inhibition.data, counterpart.inhibition),
    ]


@parity_case("neocognitron.CLayer", batch=(0, 3), planes=(1, 4), kernel=[1, 3, 5], stride=(1, 3), height=(1, 8),
             width=(1, 7), saturation=[0.5, 2.0])
def c_cells(rng, dtype, device, batch, planes, kernel, stride, height, width, saturation):
    x = images(rng, (batch, planes, height, width), dtype)
    settings = (kernel, stride, saturation)
    return [Comparison("forward", "output", ours.CLayer(*settings)(x), theirs.CLayer(*settings)(to_torch(x, device)))]


@parity_case("neocognitron.Neocognitron", batch=(1, 3), size=(6, 10), planes=(2, 5))
def whole(rng, dtype, device, batch, size, planes):
    """Two stages that learn by themselves."""
    nets = []
    for half, kind in ((ours, {"dtype": dtype, "rng": rng}), (theirs, {"dtype": torch_dtype(dtype), "device": device})):
        stages = (half.SLayer(1, planes, 3, 2.0, **kind), half.CLayer(3),
                  half.SLayer(planes, 6, 3, 1.0, **kind), half.CLayer(3))
        nets.append(half.Neocognitron(*stages))
    reference, counterpart = nets
    copy_weights(reference, counterpart)
    x = images(rng, (batch, 1, size, size), dtype)
    y, y_twin = reference.learn(x)(x), counterpart.learn(to_torch(x, device))(to_torch(x, device))
    state, state_twin = reference.state_dict(), counterpart.state_dict()
    learned_ = [Comparison("gradient", name, state[name], state_twin[name]) for name in state]
    return [Comparison("forward", "output", y, y_twin), *learned_]
