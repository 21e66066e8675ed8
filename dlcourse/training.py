"""The training loop: shuffled mini-batches, validation, early stopping, and going on after an interruption."""

import math
import os
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields

import numpy as np

from .checkpoint import TrainingState, check_path, walk
from .optim import clip_grad_norm_
from .progress import track
from .validation import (
    check_array,
    check_finite,
    check_integer,
    check_labels,
    check_number,
    check_rng,
    check_same_length,
    describe,
)

__all__ = ["EarlyStopping", "History", "accuracy", "evaluate", "fit", "minibatches"]


def minibatches(num_examples, batch_size, *, rng):
    """Deal all examples out in random order, a batch at a time.

    Each epoch calls this anew: every example comes exactly once, in company that changes from
    epoch to epoch.

    Parameters
    ----------
    num_examples : int
    batch_size : int
        Size of every batch but the last, which holds what remains.
    rng : numpy.random.Generator
        Shuffles. The counterpart takes a NumPy generator too, so that from one seed both twins
        see the same batches, which makes them comparable step by step.

    Returns
    -------
    iterator of ndarray of int64
        The row numbers of each batch.

    Raises
    ------
    ValueError, TypeError
        If a size is not a positive integer, or `rng` is not a generator.
    """
    check_integer(num_examples, "num_examples", low=1)
    check_integer(batch_size, "batch_size", low=1)
    order = check_rng(rng).permutation(num_examples)
    return (order[start:start + batch_size] for start in range(0, num_examples, batch_size))


def accuracy(logits, target):
    r"""Compute the share of examples whose largest logit is that of the right class.

    .. math:: \frac{1}{N} \sum_{n=1}^{N} \bigl[\arg\max_c z_{nc} = t_n\bigr]

    Parameters
    ----------
    logits : ndarray of shape (N, C)
        Scores; probabilities serve as well. Among equal ones the first counts as the largest.
    target : ndarray of int, shape (N,)
        Class labels from 0 to C - 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If there are no examples, or shape, type or labels do not fit.
    """
    check_array(logits, "logits", shape=("N", "C"), empty=False)
    check_labels(target, "target", num_classes=logits.shape[1], length=len(logits))
    return float(np.mean(logits.argmax(axis=1) == target))             # (N, C) -> (N,) -> ()


def evaluate(model, loss, x, y, *, batch_size=1024, metric=None):
    """Measure a model in evaluation mode, a batch at a time to spare memory.

    Afterwards each layer is back in the mode that it was in.

    Parameters
    ----------
    model : Module
    loss : Module
        A mean over the examples of a batch.
    x : ndarray of shape (N, ...)
    y : ndarray of shape (N, ...)
    batch_size : int
    metric : callable, optional
        ``metric(logits, target)``, a mean over examples too; such as `accuracy`.

    Returns
    -------
    (float, float or None)
        Loss and metric, averaged over the N examples.

    Raises
    ------
    ValueError, TypeError
        If there are no examples, or x and y have different numbers of rows.
    """
    check_examples(x, y, "x", "y")
    check_integer(batch_size, "batch_size", low=1)
    total_loss = total_metric = 0.0
    with evaluation_mode(model):
        for start in range(0, len(x), batch_size):
            target = y[start:start + batch_size]
            logits = model(x[start:start + batch_size])
            total_loss += float(loss(logits, target)) * len(target)    # the last batch may be smaller
            if metric is not None:
                total_metric += float(metric(logits, target)) * len(target)
    return total_loss / len(x), None if metric is None else total_metric / len(x)


class EarlyStopping:
    """Stop when the validation loss has stopped falling, and return to the best weights.

    Parameters
    ----------
    patience : int
        How many epochs in a row may fail to improve on the best before it is time to stop.
    min_delta : float
        By how much the value must fall to count as an improvement.

    Attributes
    ----------
    best_value : float
        The lowest value so far.
    best_state : dict of str to ndarray, or None
        A copy of the weights that gave it.
    bad_epochs : int
        Epochs since.

    Raises
    ------
    ValueError, TypeError
        If `patience` is not a positive integer, or `min_delta` is negative.

    References
    ----------
    Prechelt, *Early stopping - but when?*, in *Neural Networks: Tricks of the Trade*, 1998,
    section 2 (criterion UP, here relative to the best epoch instead of the one before).
    """

    def __init__(self, patience, min_delta=0.0):
        self.patience = check_integer(patience, "patience", low=1)
        self.min_delta = check_number(min_delta, "min_delta", low=0)
        self.best_value = math.inf
        self.best_state = None
        self.bad_epochs = 0

    def update(self, value, model):
        """Take note of an epoch.

        Parameters
        ----------
        value : float
            What should fall.
        model : Module
            Its weights are copied if `value` is the best so far.

        Returns
        -------
        bool
            Whether to stop.
        """
        check_number(value, "value")
        if value < self.best_value - self.min_delta:
            self.best_value, self.best_state, self.bad_epochs = float(value), model.state_dict(), 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience

    def restore(self, model):
        """Put the best weights back.

        Parameters
        ----------
        model : Module

        Raises
        ------
        ValueError
            If there was no `update` yet.
        """
        if self.best_state is None:
            raise ValueError("model: expected an update before there is a best one to restore, got none")
        model.load_state_dict(self.best_state)

    def state_dict(self):
        """Return what is needed to go on later.

        Returns
        -------
        dict
        """
        return {"best_value": self.best_value, "best_state": self.best_state, "bad_epochs": self.bad_epochs}

    def load_state_dict(self, state):
        """Take over what `state_dict` returned.

        Parameters
        ----------
        state : dict
        """
        self.best_value, self.best_state = state["best_value"], state["best_state"]
        self.bad_epochs = state["bad_epochs"]


@dataclass
class History:
    """What happened in each epoch.

    Parameters
    ----------
    train_loss : list of float
        Mean over the epoch's batches, each measured just before its step, without the penalty.
    val_loss, val_metric : list of float
        Measured after the epoch; empty where there was no validation, or no metric.
    seconds : list of float
        Wall-clock time, validation included.
    best_epoch : int, optional
        The epoch of the lowest validation loss, counted from 0.
    stopped_early : bool
        Whether training ended because patience ran out.
    """

    train_loss: list = field(default_factory=list)
    val_loss: list = field(default_factory=list)
    val_metric: list = field(default_factory=list)
    seconds: list = field(default_factory=list)
    best_epoch: int | None = None
    stopped_early: bool = False

    def to_dict(self):
        """Copy everything into a plain dict, for a JSON file.

        Returns
        -------
        dict
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, values):
        """Undo `to_dict`.

        Parameters
        ----------
        values : dict

        Returns
        -------
        History

        Raises
        ------
        ValueError, TypeError
            If `values` is not a dict with exactly the attributes' names.
        """
        names = {entry.name for entry in fields(cls)}
        if not isinstance(values, dict):
            raise TypeError(f"values: expected a dict, got {describe(values)}")
        if values.keys() != names:
            raise ValueError(f"values: expected the keys {sorted(names)}, got {sorted(values, key=str)}")
        return cls(**{name: list(value) if isinstance(value, list) else value for name, value in values.items()})


def fit(model, loss, optimizer, x, y, *, epochs, batch_size, rng, validation=None, metric=None, penalty=None,
        clip_norm=None, patience=None, checkpoint=None, callback=None, progress=False):
    """Train a model by mini-batch gradient descent.

    Parameters
    ----------
    model : Module
        Left in training mode.
    loss : Module
        A mean over the examples of a batch.
    optimizer : Optimizer
        Of the model's parameters.
    x : ndarray of shape (N, ...)
    y : ndarray of shape (N, ...)
    epochs : int
        How often to go through all examples; after an interruption, those before it included.
    batch_size : int
    rng : numpy.random.Generator
        Shuffles the examples.
    validation : (ndarray, ndarray), optional
        Inputs and targets to evaluate on after each epoch.
    metric : callable, optional
        ``metric(logits, target)``, measured on the validation examples.
    penalty : Module, optional
        A regulariser: ``penalty.forward(params)`` is its value, and ``penalty.backward()`` adds its
        gradient to the parameters'. It is given the weight matrices and kernels; parameters of one
        axis (biases, scales) are not penalised.
    clip_norm : float, optional
        Longest gradient to allow.
    patience : int, optional
        Stop after so many epochs in a row without a lower validation loss. The weights at the end
        are then those of the best epoch, whether training stopped early or not.
    checkpoint : str or path-like, optional
        File written after each epoch and its callback. If it exists already, training goes on
        from it: the model, the optimizer, `rng` and any generator that a layer holds are set to
        what they were then, and the result is, bit for bit, that of an undisturbed run.
    callback : callable, optional
        ``callback(epoch, history, model)``, called after each epoch, counted from 0.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    History

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; NaN in x or y among that. Also if the file at `checkpoint` is
        damaged, or comes from another run.
    FloatingPointError
        If the loss becomes NaN or infinite.
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
        batches = minibatches(len(x), batch_size, rng=rng)
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
    total = 0.0
    for index in batches:
        optimizer.zero_grad()
        logits = model(x[index])
        value = check_loss(loss(logits, y[index]), "training", epoch)
        dlogits = loss.backward()
        model.backward(dlogits)
        if penalty is not None:
            penalty.forward([weight for weight in model.parameters() if weight.data.ndim > 1])
            penalty.backward()
        if clip_norm is not None:
            clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()
        total += value * len(index)                        # the last batch may be smaller
    return total / len(x)


def resume(state, stopper, checkpoint):
    """Go back to where a checkpoint was written, and return the history up to there."""
    progress = state.load(checkpoint)
    if stopper is not None:
        stopper.load_state_dict(progress["stopper"])
    return History.from_dict(progress["history"])


def record_validation(history, val_loss, val_metric):
    """Append an epoch's validation, and find the best epoch so far."""
    history.val_loss.append(check_loss(val_loss, "validation", len(history.val_loss)))
    if val_metric is not None:
        history.val_metric.append(val_metric)
    history.best_epoch = int(np.argmin(history.val_loss))


def check_loss(value, which, epoch):
    """Return a loss as a float, or say what to do about one that is not finite."""
    if not math.isfinite(value):
        raise FloatingPointError(
            f"epoch {epoch}: the {which} loss is {float(value)}. "
            "Lower the learning rate, or clip the gradients (clip_norm)"
        )
    return float(value)


@contextmanager
def evaluation_mode(model):
    """Switch to evaluation for the length of a ``with`` block, then each layer back to its own mode."""
    modes = [(module, module.training) for _, module in walk(model)]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def check_examples(x, y, x_name, y_name):
    """Check inputs and targets: arrays of as many rows, at least one, and no NaN among them."""
    for name, array in ((x_name, x), (y_name, y)):
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name}: expected a NumPy array, got {describe(array)}")
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{name}: expected numbers, got {describe(array)}")
        if array.ndim == 0 or len(array) == 0:
            raise ValueError(f"{name}: expected at least one example, got {describe(array)}")
        if array.dtype.kind == "f":
            check_finite(array, name)
    check_same_length(**{x_name: x, y_name: y})


def check_fit_arguments(epochs, batch_size, rng, validation, metric, clip_norm, patience, checkpoint, callback):
    """Check those arguments of `fit` that are no arrays; return the ones that an interruption must not change."""
    check_integer(epochs, "epochs", low=1)
    batch_size = check_integer(batch_size, "batch_size", low=1)
    check_rng(rng)
    if validation is not None and not (isinstance(validation, (tuple, list)) and len(validation) == 2):
        raise TypeError(f"validation: expected a pair (inputs, targets), got {describe(validation)}")
    for name, value in (("metric", metric), ("patience", patience)):
        if value is not None and validation is None:
            raise ValueError(f"{name}: expected None where there is no validation to measure, got {describe(value)}")
    for name, value in (("metric", metric), ("callback", callback)):
        if value is not None and not callable(value):
            raise TypeError(f"{name}: expected a function, got {describe(value)}")
    if clip_norm is not None:
        clip_norm = check_number(clip_norm, "clip_norm", low=0, low_open=True)
    if patience is not None:
        patience = check_integer(patience, "patience", low=1)
    if checkpoint is not None:
        check_path(checkpoint)
    return {"batch_size": batch_size, "clip_norm": clip_norm, "patience": patience}
