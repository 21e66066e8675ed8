"""What a network looks at, in PyTorch: slopes of scores, images that raise them, images that did."""

import torch

from .adversarial import check_bounds
from .adversarial_torch import input_gradient
from .validation import check_integer, check_number
from .validation_torch import check_labels, check_tensor

__all__ = ["activation_maximization", "saliency", "top_activations"]


class _Score(torch.nn.Module):
    """Not a loss but its opposite: the scores of the classes that are asked for, added up."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    def forward(self, logits, target):
        """Add up one score of each example; logits has shape (N, C), target (N,)."""
        check_tensor(logits, "model(x)", shape=("N", "C"))
        check_labels(target, self.name, num_classes=logits.shape[1], length=len(logits))
        return logits.gather(1, target.long()[:, None]).sum()


def saliency(model, x, t):
    """Compute the slope of a class's score for every pixel.

    Parameters
    ----------
    model : torch.nn.Module
    x : Tensor of shape (N, ...)
    t : Tensor of int, shape (N,)

    Returns
    -------
    Tensor of the shape of x
    """
    return input_gradient(model, _Score("t"), x, t)


def activation_maximization(model, unit, x, *, steps, lr, penalty=0.0, bounds=None):
    """Change images by gradient ascent, until a unit answers as much as it can.

    Parameters
    ----------
    model : torch.nn.Module
    unit : int
    x : Tensor of shape (N, ...)
    steps : int
    lr : float
    penalty : float
    bounds : tuple of two float, optional

    Returns
    -------
    Tensor of the shape of x
    """
    check_integer(unit, "unit", low=0)
    check_integer(steps, "steps", low=1)
    check_number(lr, "lr", low=0, low_open=True)
    check_number(penalty, "penalty", low=0)
    low, high = (-torch.inf, torch.inf) if bounds is None else check_bounds(bounds)
    check_tensor(x, "x", shape=(..., "N", "D"))
    x = x.detach()
    score, t = _Score("unit"), torch.full((len(x),), unit, device=x.device)
    for _ in range(steps):
        x = (x + lr * (input_gradient(model, score, x, t) - 2 * penalty * x)).clamp(low, high)
    return x


def top_activations(maps, k):
    """Find, for each unit of a convolution, the images that drive it most, and where in them.

    Parameters
    ----------
    maps : Tensor of shape (N, C, H, W)
    k : int

    Returns
    -------
    Tensor of int64, shape (C, k, 3)
        Image, row and column, the strongest first.
    """
    check_tensor(maps, "maps", shape=("N", "C", "H", "W"), empty=False)
    check_integer(k, "k", low=1, high=len(maps))
    strongest, places = maps.flatten(2).max(dim=2)                         # (N, C)
    images = strongest.argsort(dim=0, descending=True, stable=True)[:k]    # (k, C)
    places = places.gather(0, images)
    rows = places.div(maps.shape[3], rounding_mode="floor")
    return torch.stack([images, rows, places % maps.shape[3]], dim=2).transpose(0, 1)
