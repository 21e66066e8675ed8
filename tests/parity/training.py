"""Parity cases of `dlcourse.training`: whole runs from the same weights and the same batches."""

import numpy as np

from dlcourse import (
    activations,
    activations_torch,
    linear,
    linear_torch,
    losses,
    losses_torch,
    module,
    module_torch,
    optim,
    optim_torch,
    regularizers,
    regularizers_torch,
    training,
    training_torch,
)
from dlcourse.interop import copy_weights, to_torch
from dlcourse.parity import Comparison, parity_case

from . import torch_dtype


@parity_case("training.minibatches", num_examples=(1, 40), batch_size=(1, 17), seed=(0, 99))
def batches(rng, dtype, device, num_examples, batch_size, seed):
    """The same batches from the same seed. Integers: the precision is unused."""
    ours = training.minibatches(num_examples, batch_size, rng=np.random.default_rng(seed))
    theirs = training_torch.minibatches(num_examples, batch_size, rng=np.random.default_rng(seed), device=device)
    pairs = zip(ours, theirs, strict=True)
    return [Comparison("forward", f"batch {i}", index, index_twin) for i, (index, index_twin) in enumerate(pairs)]


@parity_case("training.accuracy", batch=(1, 9), num_classes=(1, 5))
def share_of_hits(rng, dtype, device, batch, num_classes):
    """Logits without ties, among which the twins need not choose alike."""
    logits, target = rng.standard_normal((batch, num_classes)).astype(dtype), rng.integers(0, num_classes, batch)
    theirs = training_torch.accuracy(to_torch(logits, device), to_torch(target, device))
    return [Comparison("forward", "accuracy", training.accuracy(logits, target), theirs)]


@parity_case("training.History", epochs=(0, 3))
def history(rng, dtype, device, epochs):
    """One class for both halves."""
    values = {"train_loss": rng.random(epochs).tolist(), "best_epoch": epochs, "stopped_early": True}
    ours, theirs = training.History(**values), training_torch.History(**values)
    back = training_torch.History.from_dict(ours.to_dict())
    return [
        Comparison("forward", "fields", repr(ours), repr(theirs)),
        Comparison("forward", "there and back", repr(ours), repr(back)),
    ]


@parity_case("training.EarlyStopping", patience=(1, 3), updates=(1, 8), min_delta=[0.0, 0.3])
def stopping(rng, dtype, device, patience, updates, min_delta):
    """The same decisions at every epoch, and the same weights in the end."""
    ours = linear.Linear(3, 2, rng=rng, dtype=dtype)
    theirs = linear_torch.Linear(3, 2, dtype=torch_dtype(dtype), device=device)
    stopper, twin = training.EarlyStopping(patience, min_delta), training_torch.EarlyStopping(patience, min_delta)
    results = []
    for epoch in range(updates):
        ours.weight.data[...] = rng.standard_normal((2, 3))
        copy_weights(ours, theirs)
        value = rng.random()
        stop, stop_twin = stopper.update(value, ours), twin.update(value, theirs)
        results.append(Comparison("forward", f"epoch {epoch}", stop, stop_twin))
    stopper.restore(ours)
    twin.restore(theirs)
    return [*results, Comparison("gradient", "weight", ours.weight.data, theirs.weight)]


def networks(rng, dtype, device, features, width, num_classes):
    """Build a small multilayer perceptron twice, with the same weights."""
    ours = module.Sequential(
        linear.Linear(features, width, rng=rng, dtype=dtype),
        activations.ReLU(),
        linear.Linear(width, num_classes, rng=rng, dtype=dtype),
    )
    theirs = module_torch.Sequential(
        linear_torch.Linear(features, width, dtype=torch_dtype(dtype)),
        activations_torch.ReLU(),
        linear_torch.Linear(width, num_classes, dtype=torch_dtype(dtype)),
    ).to(device)
    copy_weights(ours, theirs)
    return ours, theirs


@parity_case("training.evaluate", num_examples=(1, 20), batch_size=(1, 9), num_classes=(1, 4), metric=[True, False])
def measure(rng, dtype, device, num_examples, batch_size, num_classes, metric):
    """A last batch that is smaller than the others counts by its size."""
    ours, theirs = networks(rng, dtype, device, 3, 5, num_classes)
    x, y = rng.standard_normal((num_examples, 3)).astype(dtype), rng.integers(0, num_classes, num_examples)
    value, score = training.evaluate(
        ours, losses.CrossEntropyLoss(), x, y, batch_size=batch_size, metric=training.accuracy if metric else None
    )
    value_twin, score_twin = training_torch.evaluate(
        theirs, losses_torch.CrossEntropyLoss(), to_torch(x, device), to_torch(y, device), batch_size=batch_size,
        metric=training_torch.accuracy if metric else None,
    )
    results = [Comparison("forward", "loss", value, value_twin)]
    if metric:
        results.append(Comparison("forward", "metric", score, score_twin))
    return results


def compare_runs(rng, dtype, device, num_examples, batch_size, epochs, optimizer, lr, penalty=None, **options):
    """Train both twins on random data, and compare every loss and every weight."""
    ours, theirs = networks(rng, dtype, device, 3, 6, 3)
    x, x_val = rng.standard_normal((2, num_examples, 3)).astype(dtype)
    y, y_val = rng.integers(0, 3, (2, num_examples))
    options |= {"epochs": epochs, "batch_size": batch_size}
    history = training.fit(
        ours, losses.CrossEntropyLoss(), getattr(optim, optimizer)(ours.parameters(), lr), x, y, **options,
        rng=np.random.default_rng(1), validation=(x_val, y_val), metric=training.accuracy,
        penalty=None if penalty is None else regularizers.L2(penalty),
    )
    twin = training_torch.fit(
        theirs, losses_torch.CrossEntropyLoss(), getattr(optim_torch, optimizer)(theirs.parameters(), lr),
        to_torch(x, device), to_torch(y, device), **options,
        rng=np.random.default_rng(1), validation=(to_torch(x_val, device), to_torch(y_val, device)),
        metric=training_torch.accuracy, penalty=None if penalty is None else regularizers_torch.L2(penalty),
    )
    outcome = ("train_loss", "val_loss", "val_metric", "best_epoch", "stopped_early")
    state = theirs.state_dict()
    return [
        *(Comparison("forward", name, getattr(history, name), getattr(twin, name)) for name in outcome),
        *(Comparison("gradient", name, array, state[name]) for name, array in ours.state_dict().items()),
    ]


@parity_case("training.fit", num_examples=(1, 30), batch_size=(1, 11), epochs=(1, 4))
def plain(rng, dtype, device, **sizes):
    """Gradient descent."""
    return compare_runs(rng, dtype, device, **sizes, optimizer="SGD", lr=0.1)


@parity_case("training.fit [momentum, penalty, clipped]", num_examples=(1, 30), batch_size=(1, 11), epochs=(1, 4))
def adorned(rng, dtype, device, **sizes):
    """With everything that acts between the loss and the step."""
    return compare_runs(rng, dtype, device, **sizes, optimizer="Momentum", lr=0.05, penalty=0.01, clip_norm=0.5)


@parity_case("training.fit [early stopping]", num_examples=(1, 20), batch_size=(1, 11), epochs=(1, 6), patience=(1, 2))
def stopped(rng, dtype, device, **options):
    """Noise cannot be learned: the validation loss soon rises."""
    return compare_runs(rng, dtype, device, **options, optimizer="SGD", lr=0.5)
