"""Automatic differentiation in PyTorch: ``torch.Tensor`` is the practitioner's version."""

import torch
from torch import no_grad

from .validation_torch import check_labels, check_tensor

__all__ = ["cross_entropy", "log_softmax", "no_grad", "tensor"]

Tensor = torch.Tensor


def tensor(data, requires_grad=False, *, device=None):
    """Make a leaf of the computational graph from a copy of an array.

    Parameters
    ----------
    data : ndarray of float, or nested list of float
    requires_grad : bool
    device : torch.device or str, optional

    Returns
    -------
    Tensor
    """
    if isinstance(data, Tensor):
        raise TypeError("data: expected an array, got a Tensor; detach() copies a tensor out of its graph")
    return check_tensor(torch.tensor(data, device=device), "data").requires_grad_(requires_grad)


def log_softmax(x, dim):
    """Compute the logarithm of the softmax along an axis.

    Parameters
    ----------
    x : Tensor
    dim : int

    Returns
    -------
    Tensor of the shape of x
    """
    return torch.nn.functional.log_softmax(check_tensor(x, "x"), dim)


def cross_entropy(logits, target):
    """Compute the mean negative log-probability of the right classes.

    Parameters
    ----------
    logits : Tensor of shape (N, C)
    target : Tensor of int64, shape (N,)

    Returns
    -------
    Tensor of shape ()
    """
    check_tensor(logits, "logits", shape=("N", "C"), empty=False)
    check_labels(target, "target", num_classes=logits.shape[1], length=logits.shape[0])
    return torch.nn.functional.cross_entropy(logits, target)
