"""Losses: how wrong a prediction is, as one number, and which way it should move.

Each ``forward`` takes the prediction and the target and returns a scalar; ``backward()`` returns
the gradient with respect to the prediction, in its shape. With ``reduction="mean"`` the scalar is
the mean over the examples for `CrossEntropyLoss` and `MultiClassHingeLoss`, and over *all
elements* for the others (as in PyTorch: for predictions of shape (N, D) they divide by N·D, not
by N). With ``reduction="sum"`` nothing is divided. The mean of an empty batch is an error.

An argument of the wrong kind is a TypeError and one of the wrong value a ValueError, everywhere.
"""

import numpy as np

from .activations import log_softmax, sigmoid
from .module import Module
from .validation import check_array, check_choice, check_labels, check_number

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "L1Loss",
    "MBELoss",
    "MSELoss",
    "MultiClassHingeLoss",
]


class Loss(Module):
    r"""Base of the losses: makes one number out of the losses of the single terms.

    .. math:: L = \frac{1}{n} \sum_{i=1}^n L_i \quad \text{or} \quad L = \sum_{i=1}^n L_i

    Parameters
    ----------
    reduction : {"mean", "sum"}
    """

    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduction = check_choice(reduction, "reduction", ("mean", "sum"))

    def check_prediction(self, prediction, target, name="prediction"):
        """Check two arrays of one shape and dtype; empty ones only where nothing is averaged."""
        check_array(prediction, name, empty=self.reduction == "sum")
        check_array(target, "target", shape=prediction.shape, dtype=prediction.dtype)

    def reduce(self, losses):
        """Average or add up the losses of the n terms.

        Parameters
        ----------
        losses : ndarray

        Returns
        -------
        numpy.floating
        """
        self.count = losses.size
        return losses.mean() if self.reduction == "mean" else losses.sum()

    def share(self, dy):
        r"""Return :math:`\mathrm{d}y\, \partial L / \partial L_i`, which is the same for every term.

        Parameters
        ----------
        dy : float

        Returns
        -------
        float
        """
        dy = check_number(dy, "dy")
        return dy / self.count if self.reduction == "mean" else dy


class CrossEntropyLoss(Loss):
    r"""Negative log-likelihood of the true class under the softmax of the scores.

    .. math:: L_i = -\log p_{i, y_i} = -\log \frac{e^{s_{i, y_i}}}{\sum_j e^{s_{ij}}}

    Softmax and logarithm are computed as one, in `log_softmax`: first one and then the other would
    take the logarithm of a probability that has rounded to 0.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over the examples.
    """

    def forward(self, logits, target):
        """Compute the loss.

        Parameters
        ----------
        logits : ndarray of shape (N, C)
            The scores s.
        target : ndarray of int, shape (N,)
            The true classes y, from 0 to C - 1.

        Returns
        -------
        numpy.floating
        """
        check_array(logits, "logits", shape=("N", "C"), empty=self.reduction == "sum")
        self.target = check_labels(target, "target", num_classes=logits.shape[1], length=len(logits))
        self.log_p = log_softmax(logits, dim=1)            # (N, C)
        return self.reduce(-self.log_p[np.arange(len(logits)), target])

    def backward(self, dy=1.0):
        r"""Compute the gradient: predicted minus true probabilities.

        .. math:: \frac{\partial L_i}{\partial s_{ij}} = p_{ij} - \mathbf{1}[j = y_i]

        Parameters
        ----------
        dy : float

        Returns
        -------
        ndarray of shape (N, C)
        """
        d_logits = np.exp(self.log_p)                      # (N, C)
        d_logits[np.arange(len(d_logits)), self.target] -= 1
        return self.share(dy) * d_logits


class MultiClassHingeLoss(Loss):
    r"""Multi-class SVM loss: every wrong class should score lower than the true one by a margin.

    .. math:: L_i = \sum_{j \ne y_i} \max(0,\; s_{ij} - s_{i, y_i} + m)

    Parameters
    ----------
    margin : float
        The margin m, at least 0.
    reduction : {"mean", "sum"}
        Over the examples.

    Notes
    -----
    PyTorch's ``MultiMarginLoss`` also divides by the number of classes, C.

    References
    ----------
    Weston and Watkins, "Support Vector Machines for Multi-Class Pattern Recognition" (1999); they
    take the margin 2.
    """

    def __init__(self, margin=1.0, reduction="mean"):
        super().__init__(reduction)
        self.margin = check_number(margin, "margin", low=0)

    def forward(self, scores, target):
        """Compute the loss.

        Parameters
        ----------
        scores : ndarray of shape (N, C)
            The scores s.
        target : ndarray of int, shape (N,)
            The true classes y, from 0 to C - 1.

        Returns
        -------
        numpy.floating
        """
        check_array(scores, "scores", shape=("N", "C"), empty=self.reduction == "sum")
        self.target = check_labels(target, "target", num_classes=scores.shape[1], length=len(scores))
        rows = np.arange(len(scores))
        true_score = scores[rows, target][:, None]         # (N,) -> (N, 1)
        self.excess = scores - true_score + self.margin    # (N, C)
        self.excess[rows, target] = 0                      # the true class is not compared with itself
        return self.reduce(np.maximum(self.excess, 0).sum(axis=1))

    def backward(self, dy=1.0):
        r"""Push each class that violates the margin down, and the true class up once for each.

        .. math::

            \frac{\partial L_i}{\partial s_{ij}} = v_{ij} \quad (j \ne y_i), \qquad
            \frac{\partial L_i}{\partial s_{i, y_i}} = -\sum_{j \ne y_i} v_{ij}, \qquad
            v_{ij} = \mathbf{1}[s_{ij} - s_{i, y_i} + m > 0]

        Parameters
        ----------
        dy : float

        Returns
        -------
        ndarray of shape (N, C)
        """
        d_scores = (self.excess > 0).astype(self.excess.dtype)  # (N, C), 0 for the true class
        d_scores[np.arange(len(d_scores)), self.target] = -d_scores.sum(axis=1)
        return self.share(dy) * d_scores


def check_probabilities(x, name):
    """Check that all numbers of ``x`` lie from 0 to 1."""
    outside = ~((x >= 0) & (x <= 1))                       # written so that a NaN is outside too
    if outside.any():
        where = tuple(int(i) for i in np.argwhere(outside)[0])
        raise ValueError(f"{name}: expected numbers from 0 to 1, got {x[where]} at index {where}")


class BCEWithLogitsLoss(Loss):
    r"""Binary cross entropy of the sigmoid of a score.

    .. math::

        L_i = -t_i \log \sigma(x_i) - (1 - t_i) \log(1 - \sigma(x_i))
            = \max(x_i, 0) - t_i x_i + \log(1 + e^{-|x_i|})

    The second form takes no logarithm of a sigmoid that has rounded to 0 or 1.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over all elements.
    """

    def forward(self, logits, target):
        """Compute the loss.

        Parameters
        ----------
        logits : ndarray
            The scores x.
        target : ndarray of the shape and dtype of logits
            Probabilities t of the positive class: 0, 1 or between.

        Returns
        -------
        numpy.floating
        """
        self.check_prediction(logits, target, "logits")
        check_probabilities(target, "target")
        self.logits, self.target = logits, target
        return self.reduce(np.maximum(logits, 0) - target * logits + np.log1p(np.exp(-np.abs(logits))))

    def backward(self, dy=1.0):
        r"""Compute the gradient: predicted minus true probability.

        .. math:: \frac{\partial L_i}{\partial x_i} = \sigma(x_i) - t_i

        Parameters
        ----------
        dy : float

        Returns
        -------
        ndarray of the shape of the logits
        """
        return self.share(dy) * (sigmoid(self.logits) - self.target)


# PyTorch writes this bound in single precision, in float64 too.
SMALLEST_VARIANCE = float(np.float32(1e-12))


class BCELoss(Loss):
    r"""Binary cross entropy of a probability.

    .. math:: L_i = -t_i \log p_i - (1 - t_i) \log(1 - p_i)

    Where the probability comes out of a sigmoid, `BCEWithLogitsLoss` is the accurate choice.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over all elements.

    Notes
    -----
    As in PyTorch, logarithms are cut off at -100, and the denominator of the gradient at
    :math:`10^{-12}`: a prediction of exactly 0 or 1 that is wrong costs 100, not infinity.
    """

    def forward(self, prediction, target):
        """Compute the loss.

        Parameters
        ----------
        prediction : ndarray
            Probabilities p of the positive class, from 0 to 1.
        target : ndarray of the shape and dtype of prediction
            True probabilities t: 0, 1 or between.

        Returns
        -------
        numpy.floating
        """
        self.check_prediction(prediction, target)
        check_probabilities(prediction, "prediction")
        check_probabilities(target, "target")
        self.prediction, self.target = prediction, target
        with np.errstate(divide="ignore"):                 # log 0 = -inf is cut off next
            log_p = np.maximum(np.log(prediction), -100)
            log_q = np.maximum(np.log1p(-prediction), -100)
        return self.reduce(-target * log_p - (1 - target) * log_q)

    def backward(self, dy=1.0):
        r"""Compute the gradient, which grows without bound towards a wrong certainty.

        .. math:: \frac{\partial L_i}{\partial p_i} = \frac{p_i - t_i}{p_i (1 - p_i)}

        Parameters
        ----------
        dy : float

        Returns
        -------
        ndarray of the shape of the prediction
        """
        p = self.prediction
        return self.share(dy) * (p - self.target) / np.maximum(p * (1 - p), SMALLEST_VARIANCE)


class MSELoss(Loss):
    r"""Squared error, :math:`L_i = (\hat y_i - y_i)^2`; its mean is the MSE.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over all elements.
    """

    def forward(self, prediction, target):
        r"""Compute the loss of two ndarrays of one shape and dtype."""
        self.check_prediction(prediction, target)
        self.residual = prediction - target
        return self.reduce(self.residual**2)

    def backward(self, dy=1.0):
        r"""Compute :math:`\partial L_i / \partial \hat y_i = 2 (\hat y_i - y_i)`."""
        return self.share(dy) * 2 * self.residual


class L1Loss(Loss):
    r"""Absolute error, :math:`L_i = |\hat y_i - y_i|`; its mean is the MAE.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over all elements.
    """

    def forward(self, prediction, target):
        r"""Compute the loss of two ndarrays of one shape and dtype."""
        self.check_prediction(prediction, target)
        self.residual = prediction - target
        return self.reduce(np.abs(self.residual))

    def backward(self, dy=1.0):
        r"""Compute :math:`\partial L_i / \partial \hat y_i = \mathrm{sign}(\hat y_i - y_i)`, 0 for no error."""
        return self.share(dy) * np.sign(self.residual)


class MBELoss(Loss):
    r"""Bias error, :math:`L_i = y_i - \hat y_i`; its mean is the MBE.

    It tells whether predictions are too low (positive) or too high (negative) on average, and is
    zero when errors of both signs cancel. It cannot be trained on: its gradient is the constant
    :math:`-1/n`, whatever the predictions are, so a descent raises all of them for ever and the
    loss goes to minus infinity.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over all elements.
    """

    def forward(self, prediction, target):
        r"""Compute the loss of two ndarrays of one shape and dtype."""
        self.check_prediction(prediction, target)
        self.residual = prediction - target
        return self.reduce(-self.residual)

    def backward(self, dy=1.0):
        r"""Compute :math:`\partial L_i / \partial \hat y_i = -1`."""
        return np.full_like(self.residual, -self.share(dy))


class HuberLoss(Loss):
    r"""Squared error for small residuals, absolute error for large ones.

    .. math::

        L_i = \begin{cases}
            \frac{1}{2} r_i^2 & |r_i| \le \delta \\
            \delta \left(|r_i| - \frac{1}{2} \delta\right) & |r_i| > \delta
        \end{cases}, \qquad r_i = \hat y_i - y_i

    Both pieces meet with the same slope, so that outliers pull with a bounded force and the
    minimum is still smooth.

    Parameters
    ----------
    delta : float
        Where the pieces meet, greater than 0.
    reduction : {"mean", "sum"}
        Over all elements.

    References
    ----------
    Huber, "Robust Estimation of a Location Parameter" (1964).
    """

    def __init__(self, delta=1.0, reduction="mean"):
        super().__init__(reduction)
        self.delta = check_number(delta, "delta", low=0, low_open=True)

    def forward(self, prediction, target):
        r"""Compute the loss of two ndarrays of one shape and dtype."""
        self.check_prediction(prediction, target)
        self.residual = prediction - target
        size = np.abs(self.residual)
        return self.reduce(np.where(size <= self.delta, 0.5 * size**2, self.delta * (size - 0.5 * self.delta)))

    def backward(self, dy=1.0):
        r"""Compute :math:`\partial L_i / \partial \hat y_i`: the residual, clipped to :math:`\pm\delta`."""
        return self.share(dy) * np.clip(self.residual, -self.delta, self.delta)
