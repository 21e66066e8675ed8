"""Parity cases of `dlcourse.initializers`.

The two libraries' generators never agree. What an initialiser does with the numbers it draws is
deterministic, however, and is compared in full: the reference is given a generator that replays
the standard numbers which PyTorch draws.
"""

import numpy as np
import torch

from dlcourse import initializers, initializers_torch
from dlcourse.parity import Comparison, parity_case

from . import torch_dtype


class Replay(np.random.Generator):
    """A NumPy generator whose numbers are those that PyTorch draws from the same seed."""

    def __init__(self, seed, dtype, device):
        super().__init__(np.random.PCG64(0))
        self.source = torch.Generator(device).manual_seed(seed)
        self.options = {"generator": self.source, "dtype": torch_dtype(dtype), "device": device}

    def standard_normal(self, size):
        return torch.randn(size, **self.options).cpu().numpy()

    def uniform(self, low, high, size):
        return low + (high - low) * torch.rand(size, **self.options).cpu().numpy()


def draw_both(name, rng, dtype, device, shape, gain):
    """Call both twins so that the reference replays the counterpart's random numbers."""
    seed = int(rng.integers(2**31))
    options = {} if gain is None else {"gain": gain}
    ours = getattr(initializers, name)(shape, rng=Replay(seed, dtype, device), dtype=dtype, **options)
    generator = torch.Generator(device).manual_seed(seed)
    theirs = getattr(initializers_torch, name)(
        shape, rng=generator, dtype=torch_dtype(dtype), device=device, **options
    )
    return ours, theirs


SIZES = {"outputs": (1, 9), "inputs": (1, 9), "kernel": [(), (1,), (3,), (3, 3), (2, 5)]}
GAINS = [None, 0.0, 0.5, 5 / 3]


@parity_case("initializers.fan_in_and_out", **SIZES)
def fans(rng, dtype, device, outputs, inputs, kernel):
    shape = (outputs, inputs, *kernel)
    ours, theirs = initializers.fan_in_and_out(shape), initializers_torch.fan_in_and_out(shape)
    return [Comparison("forward", name, a, b) for name, a, b in zip(("in", "out"), ours, theirs, strict=True)]


NAMES, SLOPES = list(initializers.NONLINEARITIES), [None, 0.0, 0.01, 1.0, -2.0]


@parity_case("initializers.gain", nonlinearity=NAMES, negative_slope=SLOPES)
def gain(rng, dtype, device, nonlinearity, negative_slope):
    args = [nonlinearity] if negative_slope is None else [nonlinearity, negative_slope]
    return [Comparison("forward", "gain", initializers.gain(*args), initializers_torch.gain(*args))]


@parity_case("initializers.xavier_uniform", **SIZES, gain=GAINS)
def xavier_uniform(rng, dtype, device, outputs, inputs, kernel, gain):
    ours, theirs = draw_both("xavier_uniform", rng, dtype, device, (outputs, inputs, *kernel), gain)
    return [Comparison("forward", "weights", ours, theirs)]


@parity_case("initializers.xavier_normal", **SIZES, gain=GAINS)
def xavier_normal(rng, dtype, device, outputs, inputs, kernel, gain):
    ours, theirs = draw_both("xavier_normal", rng, dtype, device, (outputs, inputs, *kernel), gain)
    return [Comparison("forward", "weights", ours, theirs)]


@parity_case("initializers.he_uniform", **SIZES, gain=GAINS)
def he_uniform(rng, dtype, device, outputs, inputs, kernel, gain):
    ours, theirs = draw_both("he_uniform", rng, dtype, device, (outputs, inputs, *kernel), gain)
    return [Comparison("forward", "weights", ours, theirs)]


@parity_case("initializers.he_normal", **SIZES, gain=GAINS)
def he_normal(rng, dtype, device, outputs, inputs, kernel, gain):
    ours, theirs = draw_both("he_normal", rng, dtype, device, (outputs, inputs, *kernel), gain)
    return [Comparison("forward", "weights", ours, theirs)]


@parity_case("initializers.identity", rows=(1, 9), columns=(1, 9), gain=GAINS)
def identity(rng, dtype, device, rows, columns, gain):
    options = {} if gain is None else {"gain": gain}
    ours = initializers.identity((rows, columns), dtype=dtype, **options)
    theirs = initializers_torch.identity((rows, columns), dtype=torch_dtype(dtype), device=device, **options)
    return [Comparison("forward", "weights", ours, theirs)]


@parity_case("initializers.orthogonal", **SIZES, gain=GAINS)
def orthogonal(rng, dtype, device, outputs, inputs, kernel, gain):
    """Compare all inner products, and in float64 the matrices themselves.

    Rounding in Q grows with the condition number of the numbers drawn, which may be in the
    thousands for a square matrix: ten digits remain in float64, not always five in float32.
    """
    ours, theirs = draw_both("orthogonal", rng, dtype, device, (outputs, inputs, *kernel), gain)
    w, w_twin = ours.reshape(outputs, -1), theirs.reshape(outputs, -1)
    wide = w.shape[0] <= w.shape[1]
    products = (w @ w.T, w_twin @ w_twin.T) if wide else (w.T @ w, w_twin.T @ w_twin)
    exact = [Comparison("forward", "weights", ours, theirs)] if dtype == np.float64 else []
    return [Comparison("forward", "inner products", *products), *exact]
