"""The linear layer: the score function f = Wx + b."""

import numpy as np

from .module import Module, Parameter
from .validation import check_array, check_integer, check_rng

__all__ = ["Linear"]


class Linear(Module):
    r"""Affine map of each row of a batch.

    .. math:: Y = X W^\top + \mathbf{1} b^\top

    The initial weights and biases are drawn from :math:`U(-1/\sqrt{D}, 1/\sqrt{D})`, where
    :math:`D` is the number of inputs, as PyTorch does.

    Parameters
    ----------
    in_features : int
        Number of inputs, D.
    out_features : int
        Number of outputs, M.
    bias : bool
        Whether to add b.
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype
        float32 or float64.

    Attributes
    ----------
    weight : Parameter of shape (M, D)
    bias : Parameter of shape (M,), or None

    Raises
    ------
    ValueError, TypeError
        If a size is not a positive integer, or ``rng`` is not a generator.
    """

    def __init__(self, in_features, out_features, bias=True, *, rng, dtype=np.float64):
        super().__init__()
        self.in_features = check_integer(in_features, "in_features", low=1)
        self.out_features = check_integer(out_features, "out_features", low=1)
        check_rng(rng)
        bound = 1 / np.sqrt(in_features)
        self.weight = Parameter(rng.uniform(-bound, bound, (out_features, in_features)).astype(dtype))
        self.bias = Parameter(rng.uniform(-bound, bound, out_features).astype(dtype)) if bias else None

    def forward(self, x):
        r"""Compute :math:`Y = X W^\top + \mathbf{1} b^\top`.

        Parameters
        ----------
        x : ndarray of shape (..., D)

        Returns
        -------
        ndarray of shape (..., M)
        """
        check_array(x, "x", shape=(..., self.in_features), dtype=self.weight.dtype)
        self.x = x
        y = x @ self.weight.data.T                         # (..., D) @ (D, M) -> (..., M)
        return y if self.bias is None else y + self.bias.data

    def backward(self, dy):
        r"""Propagate the gradient.

        .. math::

            \mathrm{d}W = \mathrm{d}Y^\top X, \qquad
            \mathrm{d}b = \textstyle\sum_n \mathrm{d}Y_n, \qquad
            \mathrm{d}X = \mathrm{d}Y\, W

        Parameters
        ----------
        dy : ndarray of shape (..., M)

        Returns
        -------
        ndarray of shape (..., D)
        """
        check_array(dy, "dy", shape=(*self.x.shape[:-1], self.out_features), dtype=self.weight.dtype)
        x_rows = self.x.reshape(-1, self.in_features)      # (..., D) -> (N, D)
        dy_rows = dy.reshape(-1, self.out_features)        # (..., M) -> (N, M)
        self.weight.accumulate(dy_rows.T @ x_rows)         # (M, N) @ (N, D) -> (M, D)
        if self.bias is not None:
            self.bias.accumulate(dy_rows.sum(axis=0))      # (M,)
        return dy @ self.weight.data                       # (..., M) @ (M, D) -> (..., D)
