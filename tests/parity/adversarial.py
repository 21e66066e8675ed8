"""Parity cases of `dlcourse.adversarial`, on a multilayer perceptron and on convolutions."""

from dlcourse import activations as act
from dlcourse import activations_torch as act_twin
from dlcourse import adversarial as ours
from dlcourse import adversarial_torch as theirs
from dlcourse import (
    conv,
    conv_torch,
    linear,
    linear_torch,
    losses,
    losses_torch,
    mlp,
    mlp_torch,
    module,
    module_torch,
    normalization,
    normalization_torch,
    pooling,
    pooling_torch,
)
from dlcourse.interop import copy_weights, to_torch
from dlcourse.parity import Comparison, parity_case

from . import torch_dtype

CLASSES = 3


def dense(modules, perceptron, **kind):
    """Build a multilayer perceptron that drops units in training."""
    return modules.Sequential(modules.Flatten(), perceptron.MLP([36, 5, CLASSES], "tanh", dropout=0.5, **kind))


def convolutional(modules, convs, norms, acts, pools, linears, rng, **kind):
    """Build a convolutional network with a batch norm."""
    return modules.Sequential(
        convs.Conv2d(1, 2, 3, rng=rng, **kind), norms.BatchNorm2d(2, **kind), acts.ReLU(), pools.MaxPool2d(2),
        modules.Flatten(), linears.Linear(8, CLASSES, rng=rng, **kind),
    )


def networks(rng, dtype, device, kind):
    """Build the twins of a small network, in training mode, for images of 6 by 6 pixels."""
    twin = {"dtype": torch_dtype(dtype), "device": device, "rng": None}
    if kind == "dense":
        pair = dense(module, mlp, rng=rng, dtype=dtype), dense(module_torch, mlp_torch, **twin)
    else:
        halves = ((module, conv, normalization, act, pooling, linear),
                  (module_torch, conv_torch, normalization_torch, act_twin, pooling_torch, linear_torch))
        pair = convolutional(*halves[0], rng=rng, dtype=dtype), convolutional(*halves[1], **twin)
    copy_weights(*pair)
    return pair


def example(rng, dtype, device, kind, batch):
    """Build twins, losses, images from 0.2 to 0.8 and targets."""
    x = rng.uniform(0.2, 0.8, (batch, 1, 6, 6)).astype(dtype)
    t = rng.integers(0, CLASSES, batch)
    model, twin = networks(rng, dtype, device, kind)
    return (model, losses.CrossEntropyLoss(), x, t), (
        twin, losses_torch.CrossEntropyLoss(), to_torch(x, device), to_torch(t, device))


@parity_case("adversarial.input_gradient", kind=["dense", "convolutional"], batch=(1, 4))
def gradients(rng, dtype, device, kind, batch):
    mine, other = example(rng, dtype, device, kind, batch)
    return [Comparison("gradient", "input", ours.input_gradient(*mine), theirs.input_gradient(*other))]


@parity_case("adversarial.input_gradient [sum]", kind=["dense", "convolutional"], batch=(0, 3))
def gradients_of_a_sum(rng, dtype, device, kind, batch):
    """A sum may have no terms."""
    (model, _, x, t), (twin, _, x_twin, t_twin) = example(rng, dtype, device, kind, batch)
    mine = ours.input_gradient(model, losses.CrossEntropyLoss("sum"), x, t)
    other = theirs.input_gradient(twin, losses_torch.CrossEntropyLoss("sum"), x_twin, t_twin)
    return [Comparison("gradient", "input", mine, other)]


@parity_case("adversarial.fast_gradient_sign", kind=["dense", "convolutional"], batch=(1, 4), epsilon=[0.0, 0.1, 0.5])
def one_step(rng, dtype, device, kind, batch, epsilon):
    """Inside the bounds and cut off by them."""
    mine, other = example(rng, dtype, device, kind, batch)
    moved, moved_twin = ours.fast_gradient_sign(*mine, epsilon), theirs.fast_gradient_sign(*other, epsilon)
    return [Comparison("forward", "x", moved, moved_twin)]


@parity_case("adversarial.basic_iterative", batch=(1, 3), epsilon=[0.05, 0.5], step=[0.02, 0.3], steps=(1, 4))
def many_steps(rng, dtype, device, batch, epsilon, step, steps):
    """Paths that end inside, at the largest change, and at the bounds."""
    mine, other = example(rng, dtype, device, "dense", batch)
    settings = (epsilon, step, steps)
    moved, moved_twin = ours.basic_iterative(*mine, *settings), theirs.basic_iterative(*other, *settings)
    return [Comparison("forward", "x", moved, moved_twin)]
