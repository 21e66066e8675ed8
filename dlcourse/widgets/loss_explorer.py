"""Loss explorer: what a loss charges for an error, and how hard its slope pulls.

Training never sees the loss, only its slope. For regression the slope decides which constant suits
a set of targets best, and how far one outlier drags it. For classification it decides whether a
unit that is badly wrong learns at all.
"""

from functools import lru_cache

import numpy as np

from ..activations import Sigmoid
from ..losses import BCEWithLogitsLoss, HuberLoss, L1Loss, MSELoss, MultiClassHingeLoss
from .controls import Choice, Slider

__all__ = ["ABOUT", "CONTROLS", "TITLE", "compute"]

TITLE = "Loss explorer"
ABOUT = (
    "Regression: move the outlier and the prediction, and find where the gradient of each loss vanishes. "
    "Classification: move the margin, and see which losses still pull on an example that is badly wrong."
)

CONTROLS = (
    Choice("task", "Task", (("regression", "Regression"), ("classification", "Classification")), "regression"),
    Slider("outlier", "Outlier", 0.0, 20.0, 0.5, 10.0),
    Slider("prediction", "Prediction c for all targets", 0.0, 8.0, 0.1, 3.0),
    Slider("delta", "Huber's δ", 0.1, 30.0, 0.02, 3.0, scale="log"),
    Slider("margin", "Margin m (label × score)", -6.0, 6.0, 0.1, -5.0),
)

TARGETS = (1.0, 2.0, 3.0, 4.0)                             # the outlier is the fifth
RESIDUALS = np.linspace(-20, 8, 281)
MARGINS = np.linspace(-6, 6, 241)
UPDATES, LEARNING_RATE = 25, 1.0


def termwise(loss):
    """Make a loss return one loss for each term, where it would return their sum.

    Parameters
    ----------
    loss : dlcourse.losses.Loss
        With ``reduction="sum"``: its gradient is that of each term already.

    Returns
    -------
    dlcourse.losses.Loss
        The same object.
    """
    loss.reduce = lambda losses: losses
    return loss


def regression_losses(delta):
    """Make the three losses of a residual.

    Parameters
    ----------
    delta : float
        Where Huber's loss turns from squared to absolute.

    Returns
    -------
    list of dlcourse.losses.Loss
        Squared error, absolute error and Huber's loss, each termwise.
    """
    return [termwise(loss) for loss in (MSELoss("sum"), L1Loss("sum"), HuberLoss(delta, "sum"))]


def of_residuals(losses, residuals):
    """Evaluate losses and their gradients with respect to the prediction.

    Parameters
    ----------
    losses : list of dlcourse.losses.Loss, length K
    residuals : ndarray of float64, shape (N,)
        Prediction minus target.

    Returns
    -------
    values, gradients : ndarray of float64, shape (K, N)
    """
    targets = np.zeros_like(residuals)
    values = [loss(residuals, targets) for loss in losses]
    return np.stack(values), np.stack([loss.backward() for loss in losses])


def best_for_huber(targets, delta):
    """Find the constant with the smallest Huber loss.

    The gradient is a sum of clipped residuals, so it is a broken line that rises with the constant. Its
    corners lie ``delta`` to either side of each target. Between the two where the sign changes we
    draw the straight line and see where it crosses zero.

    Parameters
    ----------
    targets : ndarray of float64, shape (N,)
        An odd number of them: with an even one the gradient may vanish on a whole interval.
    delta : float

    Returns
    -------
    float
    """
    corners = np.sort(np.concatenate([targets - delta, targets + delta]))    # (2N,)
    constants = np.repeat(corners[:, None], len(targets), axis=1)            # (2N, N)
    loss = HuberLoss(delta, "sum")
    loss(constants, np.broadcast_to(targets, constants.shape))
    return float(np.interp(0, loss.backward().sum(axis=1), corners))


def zero_one(margins):
    """Count what is on the wrong side, or on the line: a loss without any slope."""
    return (margins <= 0).astype(np.float64), np.zeros_like(margins)


def perceptron(margins):
    r"""Compute :math:`\max(0, -m)`; its gradient step is the update of `dlcourse.neurons.Perceptron`."""
    return np.maximum(-margins, 0), -(margins <= 0).astype(np.float64)


def hinge(margins):
    """Compute the multi-class hinge of two classes, where the true one leads by the margin."""
    loss = termwise(MultiClassHingeLoss(1.0, "sum"))
    scores = np.stack([margins, np.zeros_like(margins)], axis=1)             # (N, 2)
    values = loss(scores, np.zeros(len(margins), dtype=np.int64))
    return values, loss.backward()[:, 0]


def squared_hinge(margins):
    """Square the hinge; the chain rule multiplies its gradient by twice its value."""
    values, gradients = hinge(margins)
    return values**2, 2 * values * gradients


def cross_entropy(margins):
    """Compute the cross entropy of the sigmoid, for an example of the positive class."""
    loss = termwise(BCEWithLogitsLoss("sum"))
    values = loss(margins, np.ones_like(margins))
    return values, loss.backward()


def squared_on_sigmoid(margins):
    """Compute the squared error of the sigmoid's output, which should be 1."""
    loss, unit = termwise(MSELoss("sum")), Sigmoid()
    values = loss(unit(margins), np.ones_like(margins))
    return values, unit.backward(loss.backward())


#: The losses of a margin: each maps margins of shape (N,) to values and gradients of that shape.
MARGIN_LOSSES = (zero_one, perceptron, hinge, squared_hinge, cross_entropy, squared_on_sigmoid)


def of_margins(margins):
    """Evaluate all losses of a margin.

    Parameters
    ----------
    margins : ndarray of float64, shape (N,)
        Label (-1 or +1) times score.

    Returns
    -------
    values, gradients : ndarray of float64, shape (6, N)
    """
    values, gradients = zip(*(loss(margins) for loss in MARGIN_LOSSES), strict=True)
    return np.stack(values), np.stack(gradients)


@lru_cache(maxsize=1)
def margin_curves():
    """Evaluate the losses on the grid of margins, once."""
    return of_margins(MARGINS)


def descend(margin):
    """Follow gradient descent on the margin itself: a unit whose one input is 1.

    Parameters
    ----------
    margin : float
        Where it starts.

    Returns
    -------
    ndarray of float64, shape (6, UPDATES + 1)
        One row for each loss.
    """
    paths = np.full((len(MARGIN_LOSSES), UPDATES + 1), float(margin))
    hinges = slice(2, 4)                                   # both from one evaluation of the hinge
    for step in range(UPDATES):
        now = paths[:, step]
        values, slopes = hinge(now[hinges])
        gradients = np.concatenate([
            zero_one(now[:1])[1], perceptron(now[1:2])[1], slopes * (1, 2 * values[1]),
            cross_entropy(now[4:5])[1], squared_on_sigmoid(now[5:])[1],
        ])
        paths[:, step + 1] = now - LEARNING_RATE * gradients
    return paths


def compute_regression(outlier, prediction, delta):
    """Compare three losses on five targets that are all predicted by one constant.

    Parameters
    ----------
    outlier, prediction, delta : float

    Returns
    -------
    dict
        ``grid``, residuals (281,), with ``values`` and ``gradients`` (3, 281); ``targets`` (5,), their
        ``residuals`` (5,), ``point_values`` and ``point_gradients`` (3, 5); ``mean_gradients`` (3,), what
        moves the prediction; ``best`` (3,), the constant at which that vanishes.
    """
    losses = regression_losses(delta)
    values, gradients = of_residuals(losses, RESIDUALS)
    targets = np.array([*TARGETS, outlier])
    residuals = prediction - targets
    point_values, point_gradients = of_residuals(losses, residuals)
    return {
        "grid": RESIDUALS,
        "values": values,
        "gradients": gradients,
        "targets": targets,
        "residuals": residuals,
        "point_values": point_values,
        "point_gradients": point_gradients,
        "mean_gradients": point_gradients.mean(axis=1),
        "best": np.array([targets.mean(), np.median(targets), best_for_huber(targets, delta)]),
    }


def compute_classification(margin):
    """Compare six losses of a margin: value, gradient, and where descent leads.

    Parameters
    ----------
    margin : float

    Returns
    -------
    dict
        ``grid``, margins (241,), with ``values`` and ``gradients`` (6, 241); ``point_values`` and
        ``point_gradients`` (6,) at the margin; ``paths`` (6, 26) of gradient descent from there,
        at ``learning_rate``; ``ratio``, how many times the cross entropy pulls harder than the squared error.
    """
    values, gradients = margin_curves()
    point_values, point_gradients = of_margins(np.array([float(margin)]))
    entropy, squared = MARGIN_LOSSES.index(cross_entropy), MARGIN_LOSSES.index(squared_on_sigmoid)
    return {
        "grid": MARGINS,
        "values": values,
        "gradients": gradients,
        "point_values": point_values[:, 0],
        "point_gradients": point_gradients[:, 0],
        "paths": descend(margin),
        "learning_rate": LEARNING_RATE,
        "ratio": float(point_gradients[entropy, 0] / point_gradients[squared, 0]),
    }


def compute(task, outlier, prediction, delta, margin):
    """Compare the losses of one task.

    Parameters
    ----------
    task : {"regression", "classification"}
    outlier : float
        The fifth target, beside 1, 2, 3 and 4.
    prediction : float
        One constant for all targets.
    delta : float
        Where Huber's loss turns from squared to absolute.
    margin : float
        Label times score of one example: positive if it is classified rightly.

    Returns
    -------
    dict
        Of `compute_regression` or of `compute_classification`.
    """
    if task == "regression":
        return compute_regression(outlier, prediction, delta)
    return compute_classification(margin)
