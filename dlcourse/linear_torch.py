"""The linear layer in PyTorch: ``torch.nn.Linear``."""

import torch

from .validation_torch import check_tensor

__all__ = ["Linear"]


class Linear(torch.nn.Linear):
    """Affine map of each row of a batch; the parameters are those of the reference.

    Parameters
    ----------
    in_features, out_features : int
        Number of inputs, D, and of outputs, M.
    bias : bool
        Whether to add b.
    rng : torch.Generator, optional
        Draws the initial weights; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_features, out_features, bias=True, *, rng=None, dtype=None, device=None):
        super().__init__(in_features, out_features, bias, device=device, dtype=dtype)
        if rng is not None:
            bound = in_features**-0.5
            for parameter in self.parameters():
                torch.nn.init.uniform_(parameter, -bound, bound, generator=rng)

    def forward(self, x):
        """Map rows.

        Parameters
        ----------
        x : Tensor of shape (..., D)

        Returns
        -------
        Tensor of shape (..., M)
        """
        check_tensor(x, "x", shape=(..., self.in_features), dtype=self.weight.dtype)
        return super().forward(x)
