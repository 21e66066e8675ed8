"""Parity cases of `dlcourse.optim`: the same path, compared after each of fifty steps."""

import numpy as np
import torch

from dlcourse import linear, linear_torch, optim, optim_torch
from dlcourse.interop import copy_weights, to_numpy, to_torch
from dlcourse.module import Parameter
from dlcourse.parity import Comparison, parity_case

from . import torch_dtype

STEPS = 50
SIZES = {"batch": (1, 9), "in_features": (1, 7), "out_features": (1, 5)}
LR, DECAY, MOMENTUM = [0.0, 1e-3, 1e-2], [0.0, 0.1], [0.0, 0.5, 0.9]


class Problem:
    """A linear layer under the loss sum log cosh(y - t), and a parameter without steady gradients.

    The loss's gradient is tanh(y - t), so the gradients depend on the weights nonlinearly, and an
    update that is wrong once is wrong ever after. Each step has a mini-batch of its own: on a fixed
    one the gradients would vanish, and a rule that divides by their root mean square would go on
    to compare nothing but rounding. The third parameter gets a random gradient in one step and
    none in the next, where it must be skipped and its count of steps stand still.
    """

    def __init__(self, rng, dtype, device, batch, in_features, out_features):
        self.layer = linear.Linear(in_features, out_features, rng=rng, dtype=dtype)
        self.twin = linear_torch.Linear(in_features, out_features, dtype=torch_dtype(dtype), device=device)
        copy_weights(self.layer, self.twin)
        self.x = rng.standard_normal((STEPS, batch, in_features)).astype(dtype)
        self.t = rng.standard_normal((STEPS, batch, out_features)).astype(dtype)
        self.now_and_then = Parameter(rng.standard_normal(3).astype(dtype))
        self.now_and_then_twin = torch.nn.Parameter(to_torch(self.now_and_then.data, device))
        self.gradients = rng.standard_normal((STEPS, 3)).astype(dtype)
        self.ours = [*self.layer.parameters(), self.now_and_then]
        self.theirs = [*self.twin.parameters(), self.now_and_then_twin]
        self.device = device

    def gradients_of_step(self, step):
        """Leave the step's gradients in the parameters of both twins, which must have none yet."""
        assert all(p.grad is None for p in [*self.ours, *self.theirs]), "zero_grad left a gradient"
        self.layer.backward(np.tanh(self.layer(self.x[step]) - self.t[step]))
        y = self.twin(to_torch(self.x[step], self.device))
        y.backward(torch.tanh(y.detach() - to_torch(self.t[step], self.device)))
        if step % 2 == 1:
            self.now_and_then.accumulate(self.gradients[step])
            self.now_and_then_twin.grad = to_torch(self.gradients[step], self.device)

    def paths(self, ours, theirs, steps=range(STEPS)):
        """Take the steps, and compare all parameters after each."""
        path, path_twin = [], []
        for step in steps:
            self.gradients_of_step(step)
            for optimizer in (ours, theirs):
                optimizer.step()
                optimizer.zero_grad()
            path.append([p.data.copy() for p in self.ours])
            path_twin.append([to_numpy(p) for p in self.theirs])
        return [
            Comparison(
                "gradient",
                f"{name} after each step",
                np.stack([values[i] for values in path]),
                np.stack([values[i] for values in path_twin]),
            )
            for i, name in enumerate(("weight", "bias", "now and then"))
        ]


def follow(rng, dtype, device, name, sizes, **options):
    """Compare the paths of an optimiser and its counterpart."""
    problem = Problem(rng, dtype, device, **sizes)
    ours = getattr(optim, name)(problem.ours, **options)
    theirs = getattr(optim_torch, name)(problem.theirs, **options)
    return problem.paths(ours, theirs)


@parity_case("optim.SGD", **SIZES, lr=LR, weight_decay=DECAY)
def sgd(rng, dtype, device, lr, weight_decay, **sizes):
    return follow(rng, dtype, device, "SGD", sizes, lr=lr, weight_decay=weight_decay)


@parity_case("optim.Momentum", **SIZES, lr=LR, momentum=MOMENTUM, weight_decay=DECAY)
def momentum(rng, dtype, device, lr, momentum, weight_decay, **sizes):
    return follow(rng, dtype, device, "Momentum", sizes, lr=lr, momentum=momentum, weight_decay=weight_decay)


@parity_case("optim.Nesterov", **SIZES, lr=LR, momentum=MOMENTUM, weight_decay=DECAY)
def nesterov(rng, dtype, device, lr, momentum, weight_decay, **sizes):
    return follow(rng, dtype, device, "Nesterov", sizes, lr=lr, momentum=momentum, weight_decay=weight_decay)


@parity_case("optim.Adagrad", **SIZES, lr=[0.01, 0.1], eps=[1e-10, 1e-3], weight_decay=DECAY)
def adagrad(rng, dtype, device, lr, eps, weight_decay, **sizes):
    return follow(rng, dtype, device, "Adagrad", sizes, lr=lr, eps=eps, weight_decay=weight_decay)


@parity_case("optim.RMSprop", **SIZES, lr=[1e-3, 1e-2], alpha=[0.9, 0.99], eps=[1e-8, 1e-3], weight_decay=DECAY)
def rmsprop(rng, dtype, device, lr, alpha, eps, weight_decay, **sizes):
    return follow(rng, dtype, device, "RMSprop", sizes, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)


ADAM = {"lr": [1e-3, 1e-2], "betas": [(0.9, 0.999), (0.5, 0.9), (0.0, 0.99)], "eps": [1e-8, 1e-3]}


@parity_case("optim.Adam", **SIZES, **ADAM, weight_decay=DECAY)
def adam(rng, dtype, device, lr, betas, eps, weight_decay, **sizes):
    return follow(rng, dtype, device, "Adam", sizes, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


@parity_case("optim.AdamW", **SIZES, **ADAM, weight_decay=DECAY)
def adamw(rng, dtype, device, lr, betas, eps, weight_decay, **sizes):
    return follow(rng, dtype, device, "AdamW", sizes, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


class Heavy(optim.Optimizer):
    """A rule that a reader writes: momentum as an average, and a step that shrinks with time."""

    state_names = ("average",)

    def update(self, w, g, state):
        state["average"] += 0.5 * (g - state["average"])
        w -= self.lr / state["step"] * state["average"]


class HeavyTorch(optim_torch.Optimizer):
    """Its counterpart, letter by letter."""

    state_names = ("average",)

    def update(self, w, g, state):
        state["average"] += 0.5 * (g - state["average"])
        w -= self.lr / state["step"] * state["average"]


@parity_case("optim.Optimizer", **SIZES, lr=LR, weight_decay=DECAY)
def own_rule(rng, dtype, device, lr, weight_decay, **sizes):
    problem = Problem(rng, dtype, device, **sizes)
    return problem.paths(Heavy(problem.ours, lr, weight_decay), HeavyTorch(problem.theirs, lr, weight_decay))


@parity_case(
    "optim.Optimizer [resumed]",
    **SIZES,
    rule=["SGD", "Momentum", "Nesterov", "Adagrad", "RMSprop", "Adam", "AdamW"],
    stop=(0, 10),
)
def resumed(rng, dtype, device, rule, stop, **sizes):
    """The state moves into a new optimiser, which goes on as the old one would have."""
    problem = Problem(rng, dtype, device, **sizes)
    before = getattr(optim, rule)(problem.ours, lr=0.01), getattr(optim_torch, rule)(problem.theirs, lr=0.01)
    results = problem.paths(*before, range(stop)) if stop else []
    after = getattr(optim, rule)(problem.ours, lr=0.5), getattr(optim_torch, rule)(problem.theirs, lr=0.5)
    for old, new in zip(before, after, strict=True):
        new.load_state_dict(old.state_dict())
    return results + problem.paths(*after, range(stop, stop + 10))


def with_gradients(rng, dtype, device, scale, shapes):
    """Make parameters in both twins with the same gradients; the first has none."""
    ours = [Parameter(np.zeros(shape, dtype)) for shape in shapes]
    theirs = [torch.nn.Parameter(to_torch(p.data, device)) for p in ours]
    for p, q in list(zip(ours, theirs, strict=True))[1:]:
        p.accumulate((scale * rng.standard_normal(p.shape)).astype(dtype))
        q.grad = to_torch(p.grad, device)
    return ours, theirs


def gradients(ours, theirs):
    return [
        Comparison("gradient", f"grad {i}", p.grad, q.grad)
        for i, (p, q) in enumerate(zip(ours, theirs, strict=True))
        if p.grad is not None or q.grad is not None
    ]


CLIPPED = {"rows": (0, 5), "columns": (1, 9), "scale": [0.0, 0.01, 1.0, 30.0], "limit": [0.0, 0.5, 2.0]}


@parity_case("optim.clip_grad_norm_", **CLIPPED)
def clip_norm(rng, dtype, device, rows, columns, scale, limit):
    ours, theirs = with_gradients(rng, dtype, device, scale, [(2,), (rows, columns), (columns,)])
    norm, norm_twin = optim.clip_grad_norm_(ours, limit), optim_torch.clip_grad_norm_(theirs, limit)
    return [Comparison("forward", "norm before clipping", norm, norm_twin), *gradients(ours, theirs)]


@parity_case("optim.clip_grad_value_", **CLIPPED)
def clip_value(rng, dtype, device, rows, columns, scale, limit):
    ours, theirs = with_gradients(rng, dtype, device, scale, [(2,), (rows, columns), (columns,)])
    optim.clip_grad_value_(ours, limit)
    optim_torch.clip_grad_value_(theirs, limit)
    return gradients(ours, theirs)
