"""Parity cases of `dlcourse.checkpoint`: what comes back from a file is what went in."""

import tempfile
from pathlib import Path

import numpy as np

from dlcourse import checkpoint, checkpoint_torch, linear, linear_torch, optim, optim_torch
from dlcourse.interop import copy_weights, to_torch
from dlcourse.parity import Comparison, parity_case

from . import torch_dtype


def through_a_file(save, load, state):
    """Save a state, load it, and return what was loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.ckpt"
        save(path, state)
        return load(path)


def nested(rng, dtype, device, rows, columns):
    """Save and load one nested state with both twins; a matrix without rows among them."""
    matrix = rng.standard_normal((rows, columns)).astype(dtype)
    state = {"epochs": [1, 2.5, None, True], "betas": (0.9, "text"), "by index": {0: {"exp_avg": matrix}}}
    tensors = {**state, "by index": {0: {"exp_avg": to_torch(matrix, device)}}}
    ours = through_a_file(checkpoint.save_checkpoint, checkpoint.load_checkpoint, state)
    theirs = through_a_file(checkpoint_torch.save_checkpoint, checkpoint_torch.load_checkpoint, tensors)
    ours_rest, theirs_rest = ({key: back[key] for key in ("epochs", "betas")} for back in (ours, theirs))
    return [
        Comparison("forward", "array", ours["by index"][0]["exp_avg"], theirs["by index"][0]["exp_avg"]),
        Comparison("forward", "array as saved", matrix, theirs["by index"][0]["exp_avg"]),
        Comparison("forward", "everything else", repr(ours_rest), repr(theirs_rest)),
    ]


parity_case("checkpoint.save_checkpoint", rows=(0, 4), columns=(1, 5))(nested)
parity_case("checkpoint.load_checkpoint", rows=(0, 4), columns=(1, 5))(nested)


@parity_case("checkpoint.TrainingState", features=(1, 5), steps=(1, 4))
def training_state(rng, dtype, device, features, steps):
    """Save, go on, go back, and take the same steps once more."""
    ours = linear.Linear(features, 2, rng=rng, dtype=dtype)
    theirs = linear_torch.Linear(features, 2, dtype=torch_dtype(dtype), device=device)
    copy_weights(ours, theirs)
    grads = rng.standard_normal((steps, 2, features)).astype(dtype)
    first, batches = optim.Momentum(ours.parameters(), 0.1), np.random.default_rng(1)
    second, batches_twin = optim_torch.Momentum(theirs.parameters(), 0.1), np.random.default_rng(1)

    def walk():
        for grad in grads:
            ours.weight.grad, theirs.weight.grad = grad, to_torch(grad, device)
            first.step()
            second.step()
        return batches.random(), batches_twin.random()

    with tempfile.TemporaryDirectory() as folder:
        state = checkpoint.TrainingState(ours, first, batches, {"batch_size": 1})
        twin = checkpoint_torch.TrainingState(theirs, second, batches_twin, {"batch_size": 1})
        state.save(Path(folder) / "ours", {"losses": [0.5]})
        twin.save(Path(folder) / "theirs", {"losses": [0.5]})
        walk()
        progress, progress_twin = state.load(Path(folder) / "ours"), twin.load(Path(folder) / "theirs")
    drawn, drawn_twin = walk()
    return [
        Comparison("forward", "progress", repr(progress), repr(progress_twin)),
        Comparison("forward", "random number", drawn, drawn_twin),
        Comparison("gradient", "weight", ours.weight.data, theirs.weight),
        Comparison("gradient", "momentum", first.state[0]["momentum_buffer"],
                   second.state[theirs.weight]["momentum_buffer"]),
    ]
