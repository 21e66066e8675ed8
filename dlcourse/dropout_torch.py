"""Dropout in PyTorch: ``torch.nn.Dropout``, with a mask to be given where it must be known."""

import torch
from torch.nn import functional as F

from .validation import check_number, describe
from .validation_torch import check_tensor

__all__ = ["Dropout"]


class Dropout(torch.nn.Dropout):
    """Inverted dropout; p is the probability of dropping a unit.

    Parameters
    ----------
    p : float
        In [0, 1].
    rng : torch.Generator, optional
        Draws the masks, on the device where it lives. Without one the fused kernel of PyTorch
        draws them from the global generator.

    Attributes
    ----------
    mask : Tensor of bool, or None
        True where a unit was kept. The fused kernel does not tell, and leaves None.
    """

    def __init__(self, p=0.5, *, rng=None):
        super().__init__(check_number(p, "p", low=0, high=1))
        if rng is not None and not isinstance(rng, torch.Generator):
            raise TypeError(f"rng: expected a torch.Generator, got {describe(rng)}")
        self.rng = rng
        self.mask = None

    def forward(self, x, mask=None):
        """Drop units in training mode.

        Parameters
        ----------
        x : Tensor of any shape
        mask : Tensor of bool, of the shape of x, optional
            True where a unit is to be kept.

        Returns
        -------
        Tensor of the shape of x
        """
        check_tensor(x, "x")
        if mask is not None:
            check_tensor(mask, "mask", shape=tuple(x.shape), kind="bool")
        self.mask = None
        if not self.training:
            return x
        if mask is None and self.rng is None:
            return F.dropout(x, self.p)
        if mask is None:
            mask = torch.rand(x.shape, generator=self.rng, device=x.device) >= self.p
        self.mask = mask
        if self.p == 1:
            return F.dropout(x, 1.0)           # zeros with a gradient of zeros, where x / 0 would have none
        return torch.where(mask, x / (1 - self.p), 0)
