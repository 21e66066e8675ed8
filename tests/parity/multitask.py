"""Parity cases of `dlcourse.multitask`."""

import numpy as np
import torch

from dlcourse import mlp, mlp_torch, multitask, multitask_torch
from dlcourse.interop import to_torch
from dlcourse.module import Module
from dlcourse.parity import Comparison, ModulePair, parity_case

from . import torch_dtype


class Joined(Module):
    """Join the outputs of all tasks to one array, which is what the parity helper compares."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        outputs = self.inner(x)
        self.names, self.ends = list(outputs), np.cumsum([y.shape[1] for y in outputs.values()])
        return np.concatenate(list(outputs.values()), axis=1)

    def backward(self, dy):
        parts = np.split(dy, self.ends[:-1], axis=1)
        return self.inner.backward(dict(zip(self.names, parts, strict=True)))


class JoinedTorch(torch.nn.Module):
    """Its counterpart."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return torch.cat(list(self.inner(x).values()), dim=1)


class Penalty(Module):
    """The penalty alone, as a function without inputs."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self):
        return self.inner.penalty()

    def backward(self, dy):
        self.inner.penalty_backward(dy)
        return ()


class PenaltyTorch(torch.nn.Module):
    """Its counterpart."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self):
        return self.inner.penalty()


@parity_case("multitask.HardSharing", batch=(0, 6), tasks=(1, 4), width=(1, 6))
def hard(rng, dtype, device, batch, tasks, width):
    """Heads of different sizes on one trunk."""
    ours = multitask.HardSharing(
        mlp.MLP([3, width], "tanh", rng=rng, dtype=dtype),
        {f"task{k}": mlp.MLP([width, 2, k + 1], "tanh", rng=rng, dtype=dtype) for k in range(tasks)},
    )
    theirs = multitask_torch.HardSharing(
        mlp_torch.MLP([3, width], "tanh", dtype=torch_dtype(dtype)),
        {f"task{k}": mlp_torch.MLP([width, 2, k + 1], "tanh", dtype=torch_dtype(dtype)) for k in range(tasks)},
    )
    return ModulePair(Joined(ours), JoinedTorch(theirs), [rng.standard_normal((batch, 3)).astype(dtype)])


def towers(rng, dtype, tasks, width, coefficient):
    """Make both twins of a few towers."""
    ours = {f"task{k}": mlp.MLP([3, width, 2], "tanh", rng=rng, dtype=dtype) for k in range(tasks)}
    theirs = {f"task{k}": mlp_torch.MLP([3, width, 2], "tanh", dtype=torch_dtype(dtype)) for k in range(tasks)}
    return multitask.SoftSharing(ours, coefficient), multitask_torch.SoftSharing(theirs, coefficient)


@parity_case("multitask.SoftSharing", batch=(0, 6), tasks=(2, 4), width=(1, 6))
def soft(rng, dtype, device, batch, tasks, width):
    """The towers' outputs."""
    ours, theirs = towers(rng, dtype, tasks, width, coefficient=0.1)
    return ModulePair(Joined(ours), JoinedTorch(theirs), [rng.standard_normal((batch, 3)).astype(dtype)])


@parity_case("multitask.SoftSharing [penalty]", tasks=(2, 4), width=(1, 6), coefficient=[0.0, 0.1, 2.0])
def penalty(rng, dtype, device, tasks, width, coefficient):
    """The pull between every two towers."""
    ours, theirs = towers(rng, dtype, tasks, width, coefficient)
    return ModulePair(Penalty(ours), PenaltyTorch(theirs), [])


@parity_case("multitask.weighted_sum", tasks=(1, 5))
def weighted_sum(rng, dtype, device, tasks):
    """The sum, and its gradient for each loss: the weight."""
    values = rng.uniform(0, 3, tasks).astype(dtype)
    weights = {f"task{k}": float(weight) for k, weight in enumerate(rng.uniform(0, 2, tasks))}
    losses = {f"task{k}": to_torch(value, device).requires_grad_() for k, value in enumerate(values)}
    total = multitask_torch.weighted_sum(losses, weights)
    total.backward()
    return [
        Comparison("forward", "sum", multitask.weighted_sum(dict(zip(weights, values, strict=True)), weights), total),
        *(Comparison("gradient", name, np.asarray(weights[name], dtype), losses[name].grad) for name in weights),
    ]
