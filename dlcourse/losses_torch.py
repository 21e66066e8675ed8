"""Losses in PyTorch: ``torch.nn`` has most of them; the other two are a few lines of tensor code.

They take what the references take, and check it. The values of labels and probabilities are
looked at on the CPU only, as everywhere in the counterparts.
"""

import torch

from .validation import check_choice, check_number
from .validation_torch import check_labels, check_tensor

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


def check_reduction(reduction):
    """Check the argument that all losses share."""
    return check_choice(reduction, "reduction", ("mean", "sum"))


def check_prediction(prediction, target, reduction, name="prediction"):
    """Check two tensors of one shape and dtype; empty ones only where nothing is averaged."""
    check_tensor(prediction, name, empty=reduction == "sum")
    check_tensor(target, "target", shape=tuple(prediction.shape), dtype=prediction.dtype)


def check_probabilities(x, name):
    """Check that all numbers of ``x`` lie from 0 to 1, where they lie on the CPU."""
    if x.device.type == "cpu" and not torch.compiler.is_compiling():
        outside = ~((x >= 0) & (x <= 1))                   # written so that a NaN is outside too
        if outside.any():
            where = tuple(outside.nonzero()[0].tolist())
            raise ValueError(f"{name}: expected numbers from 0 to 1, got {x[where].item()} at index {where}")


def reduce(losses, reduction):
    """Average or add up the losses of the single terms."""
    return losses.mean() if reduction == "mean" else losses.sum()


class CrossEntropyLoss(torch.nn.CrossEntropyLoss):
    """Negative log-likelihood of the true class under the softmax of the scores.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over the examples.
    """

    def __init__(self, reduction="mean"):
        super().__init__(reduction=check_reduction(reduction))

    def forward(self, logits, target):
        """Compute the loss.

        Parameters
        ----------
        logits : Tensor of shape (N, C)
        target : Tensor of int, shape (N,)

        Returns
        -------
        Tensor of shape ()
        """
        check_tensor(logits, "logits", shape=("N", "C"), empty=self.reduction == "sum")
        check_labels(target, "target", num_classes=logits.shape[1], length=len(logits))
        return super().forward(logits, target.long())


class MultiClassHingeLoss(torch.nn.Module):
    """Multi-class SVM loss: every wrong class should score lower than the true one by a margin.

    Parameters
    ----------
    margin : float
        At least 0.
    reduction : {"mean", "sum"}
        Over the examples.

    Notes
    -----
    This is C times ``torch.nn.MultiMarginLoss``. That one knows no half precision on the CPU, and
    its sum over an empty batch is not 0 but whatever lay in memory (as of PyTorch 2.13).
    """

    def __init__(self, margin=1.0, reduction="mean"):
        super().__init__()
        self.margin = check_number(margin, "margin", low=0)
        self.reduction = check_reduction(reduction)

    def forward(self, scores, target):
        """Compute the loss.

        Parameters
        ----------
        scores : Tensor of shape (N, C)
        target : Tensor of int, shape (N,)

        Returns
        -------
        Tensor of shape ()
        """
        check_tensor(scores, "scores", shape=("N", "C"), empty=self.reduction == "sum")
        check_labels(target, "target", num_classes=scores.shape[1], length=len(scores))
        true_class = target.long()[:, None]                             # (N, 1)
        excess = scores - scores.gather(1, true_class) + self.margin    # (N, C)
        excess = excess.scatter(1, true_class, 0.0)                     # not compared with itself
        return reduce(torch.relu(excess).sum(dim=1), self.reduction)


class BCEWithLogitsLoss(torch.nn.BCEWithLogitsLoss):
    """Binary cross entropy of the sigmoid of a score.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over all elements.
    """

    def __init__(self, reduction="mean"):
        super().__init__(reduction=check_reduction(reduction))

    def forward(self, logits, target):
        """Compute the loss.

        Parameters
        ----------
        logits : Tensor
        target : Tensor of the shape and dtype of logits
            From 0 to 1.

        Returns
        -------
        Tensor of shape ()
        """
        check_prediction(logits, target, self.reduction, "logits")
        check_probabilities(target, "target")
        return super().forward(logits, target)


class BCELoss(torch.nn.BCELoss):
    """Binary cross entropy of a probability.

    PyTorch forbids it under autocast on a GPU; `BCEWithLogitsLoss` is the one to use there.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over all elements.
    """

    def __init__(self, reduction="mean"):
        super().__init__(reduction=check_reduction(reduction))

    def forward(self, prediction, target):
        """Compute the loss.

        Parameters
        ----------
        prediction : Tensor
            From 0 to 1.
        target : Tensor of the shape and dtype of prediction
            From 0 to 1.

        Returns
        -------
        Tensor of shape ()
        """
        check_prediction(prediction, target, self.reduction)
        check_probabilities(prediction, "prediction")
        check_probabilities(target, "target")
        return super().forward(prediction, target)


class MSELoss(torch.nn.MSELoss):
    """Squared error.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over all elements.
    """

    def __init__(self, reduction="mean"):
        super().__init__(reduction=check_reduction(reduction))

    def forward(self, prediction, target):
        """Compute the loss of two tensors of one shape and dtype."""
        check_prediction(prediction, target, self.reduction)
        return super().forward(prediction, target)


class L1Loss(torch.nn.L1Loss):
    """Absolute error.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over all elements.
    """

    def __init__(self, reduction="mean"):
        super().__init__(reduction=check_reduction(reduction))

    def forward(self, prediction, target):
        """Compute the loss of two tensors of one shape and dtype."""
        check_prediction(prediction, target, self.reduction)
        return super().forward(prediction, target)


class MBELoss(torch.nn.Module):
    """Bias error, target minus prediction: a diagnosis, and no loss to train on.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over all elements.
    """

    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduction = check_reduction(reduction)

    def forward(self, prediction, target):
        """Compute the loss of two tensors of one shape and dtype."""
        check_prediction(prediction, target, self.reduction)
        return reduce(target - prediction, self.reduction)


class HuberLoss(torch.nn.HuberLoss):
    """Squared error for small residuals, absolute error for large ones.

    Parameters
    ----------
    delta : float
        Where the pieces meet, greater than 0.
    reduction : {"mean", "sum"}
        Over all elements.
    """

    def __init__(self, delta=1.0, reduction="mean"):
        check_number(delta, "delta", low=0, low_open=True)
        super().__init__(reduction=check_reduction(reduction), delta=delta)

    def forward(self, prediction, target):
        """Compute the loss of two tensors of one shape and dtype."""
        check_prediction(prediction, target, self.reduction)
        return super().forward(prediction, target)
