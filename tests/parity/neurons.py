"""Parity cases of `dlcourse.neurons`."""

import numpy as np

from dlcourse import neurons, neurons_torch
from dlcourse.interop import copy_weights, to_torch
from dlcourse.parity import Comparison, parity_case

from . import torch_dtype


@parity_case("neurons.McCullochPitts", batch=(0, 9), num_inputs=(1, 7), threshold=(0, 8), num_inhibitory=(0, 7))
def threshold_unit(rng, dtype, device, batch, num_inputs, threshold, num_inhibitory):
    """Any wiring, one where every input inhibits among them. Integers: the precision is unused."""
    inhibitory = rng.permutation(num_inputs)[:num_inhibitory].tolist()
    x = rng.integers(0, 2, (batch, num_inputs))
    ours = neurons.McCullochPitts(num_inputs, threshold, inhibitory)
    theirs = neurons_torch.McCullochPitts(num_inputs, threshold, inhibitory)
    return [Comparison("forward", "output", ours(x), theirs(to_torch(x, device)))]


def on_a_grid(rng, shape, dtype):
    """Draw small integers.

    Sums of them are exact, so that a score of zero is zero in both twins. Between any other
    numbers a rounding could make one twin see a mistake where the other sees none.
    """
    return rng.integers(-4, 5, shape).astype(dtype)


@parity_case("neurons.Perceptron", batch=(1, 9), num_inputs=(1, 7), epochs=(1, 4))
def learning(rng, dtype, device, batch, num_inputs, epochs):
    """Every weight on the way; the data may be inseparable."""
    x, y = on_a_grid(rng, (batch, num_inputs), dtype), rng.choice([-1, 1], batch)
    ours = neurons.Perceptron(num_inputs, dtype=dtype)
    theirs = neurons_torch.Perceptron(num_inputs, dtype=torch_dtype(dtype), device=device)
    history = ours.fit(x, y, max_epochs=epochs)
    history_twin = theirs.fit(to_torch(x, device), to_torch(y, device), max_epochs=epochs)
    results = [Comparison("forward", "mistakes", history["mistakes"], history_twin["mistakes"])]
    for key in ("weights", "biases"):
        results.append(Comparison("forward", f"number of {key}", len(history[key]), len(history_twin[key])))
        pairs = zip(history[key], history_twin[key], strict=False)
        results += [Comparison("gradient", f"{key}[{i}]", *pair) for i, pair in enumerate(pairs)]
    return [*results, Comparison("gradient", "weight", ours.weight.data, theirs.weight)]


@parity_case("neurons.Perceptron [classify]", batch=(0, 9), num_inputs=(1, 7))
def classify(rng, dtype, device, batch, num_inputs):
    """Scores and classes for any weights."""
    ours = neurons.Perceptron(num_inputs, dtype=dtype)
    ours.weight.data[...] = rng.standard_normal(num_inputs)
    ours.bias.data[...] = rng.standard_normal()
    theirs = neurons_torch.Perceptron(num_inputs, dtype=torch_dtype(dtype), device=device)
    copy_weights(ours, theirs)
    x = rng.standard_normal((batch, num_inputs)).astype(dtype)
    clear = x[np.abs(ours.score(x)) > 1e-3]          # a rounding must not decide the class
    return [
        Comparison("forward", "score", ours.score(x), theirs.score(to_torch(x, device))),
        Comparison("forward", "class", ours(clear), theirs(to_torch(clear, device))),
    ]


@parity_case("neurons.Perceptron [update]", num_inputs=(1, 7), y=[-1, 1])
def one_update(rng, dtype, device, num_inputs, y):
    """One example from weights that are not zero."""
    ours = neurons.Perceptron(num_inputs, dtype=dtype)
    ours.weight.data[...] = on_a_grid(rng, num_inputs, dtype)
    theirs = neurons_torch.Perceptron(num_inputs, dtype=torch_dtype(dtype), device=device)
    copy_weights(ours, theirs)
    x = on_a_grid(rng, num_inputs, dtype)
    return [
        Comparison("forward", "mistaken", ours.update(x, y), theirs.update(to_torch(x, device), y)),
        Comparison("gradient", "weight", ours.weight.data, theirs.weight),
        Comparison("gradient", "bias", ours.bias.data, theirs.bias),
    ]


@parity_case("neurons.novikoff_bound", batch=(1, 9), num_inputs=(1, 7))
def bound(rng, dtype, device, batch, num_inputs):
    """Data pushed away from a random line, so that the margin is far from zero."""
    weight, bias = rng.standard_normal(num_inputs) + 1, rng.standard_normal()
    x, y = rng.standard_normal((batch, num_inputs)), rng.choice([-1, 1], batch)
    distance = (x @ weight + bias) / np.linalg.norm(weight)
    x += np.outer(y * (1 + np.abs(distance)) - distance, weight / np.linalg.norm(weight))
    x, weight, bias = x.astype(dtype), weight.astype(dtype), np.asarray(bias, dtype)
    theirs = neurons_torch.novikoff_bound(*(to_torch(a, device) for a in (x, y, weight, bias)))
    return [Comparison("forward", "bound", neurons.novikoff_bound(x, y, weight, bias), theirs)]
