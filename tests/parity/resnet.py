"""Parity cases of `dlcourse.resnet`, in training and in evaluation mode."""

import numpy as np

from dlcourse import resnet as ours
from dlcourse import resnet_torch as theirs
from dlcourse.parity import ModulePair, parity_case

from . import torch_dtype

SIZES = {"batch": (2, 3), "blocks": (1, 2), "ins": (1, 3), "channels": (1, 2), "classes": (1, 4), "height": (5, 8),
         "width": (5, 8)}


def pair(rng, dtype, batch, blocks, ins, channels, classes, height, width, training):
    """Build both twins with parameters of order one.

    As for the blocks, the backward passes are compared with each other only: a difference quotient would straddle
    the kink of one of the many ReLUs.
    """
    arguments = (blocks, ins, channels, classes)
    reference = ours.SmallResNet(*arguments, rng=rng, dtype=dtype).train(training)
    for parameter in reference.parameters():
        # In training a norm divides by the scale of the kernels before it. In evaluation it does not, and what goes
        # through all layers would grow.
        scale = 1 if training or parameter.data.ndim < 4 else np.prod(parameter.shape[1:])**-0.5
        sign = rng.choice([-1, 1], parameter.shape) if parameter.data.ndim == 4 else 1
        parameter.data[...] = scale * sign * rng.uniform(0.5, 1.5, parameter.shape)
    for _, owner, attribute in reference.named_buffers():
        getattr(owner, attribute)[...] = rng.uniform(0.5, 1.5, getattr(owner, attribute).shape)
    counterpart = theirs.SmallResNet(*arguments, dtype=torch_dtype(dtype)).train(training)
    x = rng.standard_normal((batch, ins, height, width)).astype(dtype)
    return ModulePair(reference, counterpart, [x], check_numerically=False)


@parity_case("resnet.SmallResNet", **SIZES)
def in_training(rng, dtype, device, **sizes):
    return pair(rng, dtype, **sizes, training=True)


@parity_case("resnet.SmallResNet [evaluation]", **SIZES)
def in_evaluation(rng, dtype, device, **sizes):
    return pair(rng, dtype, **sizes, training=False)
