"""The training loop in PyTorch."""

import math
import os
import time
from contextlib import contextmanager

import torch

from .checkpoint_torch import TrainingState
from .optim_torch import clip_grad_norm_
from .progress import track
from .training import History, check_fit_arguments, check_loss, record_validation, resume
from .training import minibatches as numpy_minibatches
from .validation import check_integer, check_number, check_same_length, describe
from .validation_torch import check_labels, check_tensor

__all__ = ["EarlyStopping", "History", "accuracy", "evaluate", "fit", "minibatches"]


def minibatches(num_examples, batch_size, *, rng, device=None):
    """Deal all examples out in random order, a batch at a time.

    Parameters
    ----------
    num_examples, batch_size : int
    rng : numpy.random.Generator
        NumPy's and not PyTorch's, so that from one seed both twins see the same batches.
    device : torch.device or str, optional

    Returns
    -------
    iterator of Tensor of int64
        The row numbers of each batch.
    """
    return (torch.from_numpy(index).to(device) for index in numpy_minibatches(num_examples, batch_size, rng=rng))


def accuracy(logits, target):
    """Compute the share of examples whose largest logit is that of the right class.

    Parameters
    ----------
    logits : Tensor of shape (N, C)
    target : Tensor of int, shape (N,)

    Returns
    -------
    float
    """
    check_tensor(logits, "logits", shape=("N", "C"), empty=False)
    check_labels(target, "target", num_classes=logits.shape[1], length=len(logits))
    return (logits.argmax(dim=1) == target).double().mean().item()


def evaluate(model, loss, x, y, *, batch_size=1024, metric=None):
    """Measure a model in evaluation mode, without a graph.

    Parameters
    ----------
    model, loss : torch.nn.Module
    x, y : Tensor of shape (N, ...)
        Batches are moved to the model's device.
    batch_size : int
    metric : callable, optional

    Returns
    -------
    (float, float or None)
    """
    check_examples(x, y, "x", "y")
    check_integer(batch_size, "batch_size", low=1)
    device = device_of(model)
    total_loss = total_metric = 0.0
    with evaluation_mode(model), torch.no_grad():
        for inputs, target in zip(x.split(batch_size), y.split(batch_size), strict=True):
            target = target.to(device)
            logits = model(inputs.to(device))
            total_loss += loss(logits, target).item() * len(target)
            if metric is not None:
                total_metric += float(metric(logits, target)) * len(target)
    return total_loss / len(x), None if metric is None else total_metric / len(x)


class EarlyStopping:
    """Stop when the validation loss has stopped falling, and return to the best weights.

    Parameters
    ----------
    patience : int
    min_delta : float
    """

    def __init__(self, patience, min_delta=0.0):
        self.patience = check_integer(patience, "patience", low=1)
        self.min_delta = check_number(min_delta, "min_delta", low=0)
        self.best_value = math.inf
        self.best_state = None
        self.bad_epochs = 0

    def update(self, value, model):
        """Take note of an epoch, and say whether to stop.

        Parameters
        ----------
        value : float
        model : torch.nn.Module

        Returns
        -------
        bool
        """
        check_number(value, "value")
        if value < self.best_value - self.min_delta:
            self.best_value, self.bad_epochs = float(value), 0
            # state_dict() returns views, which the next step would change under our hands
            self.best_state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience

    def restore(self, model):
        """Put the best weights back.

        Parameters
        ----------
        model : torch.nn.Module
        """
        if self.best_state is None:
            raise ValueError("model: expected an update before there is a best one to restore, got none")
        model.load_state_dict(self.best_state)

    def state_dict(self):
        """Return what is needed to go on later."""
        return {"best_value": self.best_value, "best_state": self.best_state, "bad_epochs": self.bad_epochs}

    def load_state_dict(self, state):
        """Take over what `state_dict` returned."""
        self.best_value, self.best_state = state["best_value"], state["best_state"]
        self.bad_epochs = state["bad_epochs"]


def fit(model, loss, optimizer, x, y, *, epochs, batch_size, rng, validation=None, metric=None, penalty=None,
        clip_norm=None, patience=None, checkpoint=None, callback=None, progress=False):
    """Train a model by mini-batch gradient descent.

    The arguments are those of the reference. A loss that is not finite is noticed at the end of
    the epoch: looking after each step would make every step wait for the GPU.

    Parameters
    ----------
    model, loss : torch.nn.Module
    optimizer : torch.optim.Optimizer
    x, y : Tensor of shape (N, ...)
        Batches are moved to the model's device; where all fits there, put it there beforehand.
    epochs, batch_size : int
    rng : numpy.random.Generator
    validation : (Tensor, Tensor), optional
    metric, callback : callable, optional
    penalty : callable, optional
        ``penalty(params)`` returns a scalar that is added to the loss. It is given the parameters of
        two or more axes.
    clip_norm : float, optional
    patience : int, optional
    checkpoint : str or path-like, optional
        Going on after an interruption sets PyTorch's global generators too.
    progress : bool

    Returns
    -------
    History
    """
    settings = check_fit_arguments(
        epochs, batch_size, rng, validation, metric, clip_norm, patience, checkpoint, callback
    )
    check_examples(x, y, "x", "y")
    if validation is not None:
        check_examples(*validation, "validation[0]", "validation[1]")

    history, stopper = History(), EarlyStopping(patience) if patience is not None else None
    state = TrainingState(model, optimizer, rng, {"num_examples": len(x), **settings})
    if checkpoint is not None and os.path.exists(checkpoint):
        history = resume(state, stopper, checkpoint)

    for epoch in track(range(len(history.train_loss), epochs), "training", enabled=progress):
        if history.stopped_early:
            break
        start = time.perf_counter()
        batches = minibatches(len(x), batch_size, rng=rng, device=x.device)
        history.train_loss.append(train_epoch(model, loss, optimizer, x, y, batches, epoch, penalty, clip_norm))
        if validation is not None:
            record_validation(history, *evaluate(model, loss, *validation, metric=metric))
        history.seconds.append(time.perf_counter() - start)
        if stopper is not None:
            history.stopped_early = stopper.update(history.val_loss[-1], model)
        if callback is not None:
            callback(epoch, history, model)
        if checkpoint is not None:
            state.save(checkpoint, {"history": history.to_dict(), "stopper": stopper and stopper.state_dict()})

    if stopper is not None:
        stopper.restore(model)
    return history


def train_epoch(model, loss, optimizer, x, y, batches, epoch, penalty, clip_norm):
    """Take one step of the optimizer for each batch, and return the mean loss."""
    model.train()
    device = device_of(model)
    total = 0.0
    for index in batches:
        optimizer.zero_grad()
        logits = model(x[index].to(device))
        value = loss(logits, y[index].to(device))
        objective = value if penalty is None else value + penalty([p for p in model.parameters() if p.dim() > 1])
        objective.backward()
        if clip_norm is not None:
            clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()
        total += value.detach() * len(index)               # stays on the device
    return check_loss(total / len(x), "training", epoch)


def device_of(model):
    """Return the device of a model's parameters; the CPU for one without any."""
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))


@contextmanager
def evaluation_mode(model):
    """Switch to evaluation for the length of a ``with`` block, then each layer back to its own mode."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def check_examples(x, y, x_name, y_name):
    """Check inputs and targets: tensors of as many rows, at least one, and no NaN among them."""
    for name, tensor in ((x_name, x), (y_name, y)):
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name}: expected a torch.Tensor, got {describe(tensor)}")
        if tensor.dim() == 0 or len(tensor) == 0:
            raise ValueError(f"{name}: expected at least one example, got shape {tuple(tensor.shape)}")
        bad = ~torch.isfinite(tensor)
        if bad.any():
            where = tuple(bad.nonzero()[0].tolist())
            raise ValueError(f"{name}: expected finite numbers, got {tensor[where].item()} at index {where}")
    check_same_length(**{x_name: x, y_name: y})
