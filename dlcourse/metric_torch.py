"""Metric learning in PyTorch: the triplet loss and ``torch.cdist`` are there, pairs are not."""

import torch

from .losses_torch import check_reduction, reduce
from .validation import check_number
from .validation_torch import check_labels, check_tensor

__all__ = ["ContrastiveLoss", "TripletMarginLoss", "pairwise_distances"]


class ContrastiveLoss(torch.nn.Module):
    """Pull pairs of the same class together, and push the others a margin apart.

    Parameters
    ----------
    margin : float
        Greater than 0.
    reduction : {"mean", "sum"}
        Over the pairs.
    """

    def __init__(self, margin=1.0, reduction="mean"):
        super().__init__()
        self.margin = check_number(margin, "margin", low=0, low_open=True)
        self.reduction = check_reduction(reduction)

    def forward(self, x1, x2, same):
        """Compute the loss.

        Parameters
        ----------
        x1, x2 : Tensor of shape (N, D)
            The pairs.
        same : Tensor of int or bool, shape (N,)
            1 where a pair is of the same class, else 0.

        Returns
        -------
        Tensor of shape ()
        """
        check_tensor(x1, "x1", shape=("N", "D"), empty=self.reduction == "sum")
        check_tensor(x2, "x2", shape=tuple(x1.shape), dtype=x1.dtype)
        if isinstance(same, torch.Tensor) and same.dtype == torch.bool:
            same = same.long()
        check_labels(same, "same", num_classes=2, length=len(x1))
        # Unlike the root of a sum of squares, whose gradient at zero is NaN, this norm has 0 there.
        distance = torch.linalg.vector_norm(x1 - x2, dim=1)
        gap = torch.relu(self.margin - distance)
        return reduce(0.5 * torch.where(same == 1, distance, gap).square(), self.reduction)


class TripletMarginLoss(torch.nn.TripletMarginLoss):
    """Bring an anchor nearer to its like than to another, by a margin.

    Parameters
    ----------
    margin : float
        Greater than 0.
    reduction : {"mean", "sum"}
        Over the triplets.
    """

    def __init__(self, margin=1.0, reduction="mean"):
        check_number(margin, "margin", low=0, low_open=True)
        super().__init__(margin, reduction=check_reduction(reduction))

    def forward(self, anchor, positive, negative):
        """Compute the loss.

        Parameters
        ----------
        anchor, positive, negative : Tensor of shape (N, D)

        Returns
        -------
        Tensor of shape ()
        """
        check_tensor(anchor, "anchor", shape=("N", "D"), empty=self.reduction == "sum")
        check_tensor(positive, "positive", shape=tuple(anchor.shape), dtype=anchor.dtype)
        check_tensor(negative, "negative", shape=tuple(anchor.shape), dtype=anchor.dtype)
        return super().forward(anchor, positive, negative)


def pairwise_distances(x, y):
    """Compute the Euclidean distance of every row of one tensor to every row of another.

    Parameters
    ----------
    x : Tensor of shape (N, D)
    y : Tensor of shape (M, D), of the dtype of x

    Returns
    -------
    Tensor of shape (N, M)
    """
    check_tensor(x, "x", shape=("N", "D"))
    check_tensor(y, "y", shape=("M", x.shape[1]), dtype=x.dtype)
    # By default cdist takes the faster matrix product for more than 25 rows, and loses digits.
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
