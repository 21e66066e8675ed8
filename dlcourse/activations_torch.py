"""Activations in PyTorch: ``torch.nn`` has all of them but maxout."""

import torch

from .linear_torch import Linear
from .validation import check_integer, check_number
from .validation_torch import check_tensor

__all__ = [
    "ELU",
    "GELU",
    "LeakyReLU",
    "LogSoftmax",
    "Maxout",
    "PReLU",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "log_softmax",
    "sigmoid",
    "softmax",
]


def sigmoid(x):
    """Squash each number to the interval from 0 to 1.

    Parameters
    ----------
    x : Tensor

    Returns
    -------
    Tensor of the shape of x
    """
    return torch.sigmoid(check_tensor(x, "x"))


class Sigmoid(torch.nn.Sigmoid):
    """Logistic function, for tensors of any shape."""

    def __init__(self):
        super().__init__()

    def forward(self, x):
        """Apply it to each number."""
        return super().forward(check_tensor(x, "x"))


class Tanh(torch.nn.Tanh):
    """Hyperbolic tangent, for tensors of any shape."""

    def __init__(self):
        super().__init__()

    def forward(self, x):
        """Apply it to each number."""
        return super().forward(check_tensor(x, "x"))


class ReLU(torch.nn.ReLU):
    """Rectified linear unit, for tensors of any shape."""

    def __init__(self):
        super().__init__()

    def forward(self, x):
        """Apply it to each number."""
        return super().forward(check_tensor(x, "x"))


class LeakyReLU(torch.nn.LeakyReLU):
    """Rectifier that leaks, for tensors of any shape.

    Parameters
    ----------
    negative_slope : float
        The slope on the left, at least 0.
    """

    def __init__(self, negative_slope=0.01):
        super().__init__(check_number(negative_slope, "negative_slope", low=0))

    def forward(self, x):
        """Apply it to each number."""
        return super().forward(check_tensor(x, "x"))


class PReLU(torch.nn.PReLU):
    """Leaky rectifier that learns its slope.

    Parameters
    ----------
    num_parameters : int
        1 for a slope that all channels share, else the number of channels, C.
    init : float
        Initial slope.
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, num_parameters=1, init=0.25, *, dtype=None, device=None):
        super().__init__(
            check_integer(num_parameters, "num_parameters", low=1), check_number(init, "init"), device, dtype
        )

    def forward(self, x):
        """Apply it to a tensor of shape (N, C, ...), or of any shape for a shared slope.

        Parameters
        ----------
        x : Tensor

        Returns
        -------
        Tensor of the shape of x
        """
        check_tensor(x, "x", dtype=self.weight.dtype)
        if self.num_parameters > 1 and (x.ndim < 2 or x.shape[1] != self.num_parameters):
            raise ValueError(f"x: expected shape (N, {self.num_parameters}, ...), got {tuple(x.shape)}")
        return super().forward(x)


class ELU(torch.nn.ELU):
    """Exponential linear unit, for tensors of any shape.

    Parameters
    ----------
    alpha : float
        Greater than 0.
    """

    def __init__(self, alpha=1.0):
        super().__init__(check_number(alpha, "alpha", low=0, low_open=True))

    def forward(self, x):
        """Apply it to each number."""
        return super().forward(check_tensor(x, "x"))


class GELU(torch.nn.GELU):
    """Gaussian error linear unit, for tensors of any shape.

    The tanh approximation, since that is what the reference computes; PyTorch's own default is the
    exact form.
    """

    def __init__(self):
        super().__init__(approximate="tanh")

    def forward(self, x):
        """Apply it to each number."""
        return super().forward(check_tensor(x, "x"))


class Maxout(torch.nn.Module):
    """Maximum over several linear functions, or pieces, of the input.

    Parameters
    ----------
    in_features, out_features : int
        Number of inputs, D, and of outputs, M.
    num_pieces : int
        Number of linear functions for each output, K.
    rng : torch.Generator, optional
        Draws the initial weights; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_features, out_features, num_pieces=2, *, rng=None, dtype=None, device=None):
        super().__init__()
        check_integer(in_features, "in_features", low=1)
        self.out_features = check_integer(out_features, "out_features", low=1)
        self.num_pieces = check_integer(num_pieces, "num_pieces", low=1)
        self.linear = Linear(in_features, out_features * num_pieces, rng=rng, dtype=dtype, device=device)

    def forward(self, x):
        """Compute all pieces, and keep the largest of each unit.

        Parameters
        ----------
        x : Tensor of shape (..., D)

        Returns
        -------
        Tensor of shape (..., M)
        """
        z = self.linear(x).unflatten(-1, (self.out_features, self.num_pieces))  # (..., M, K)
        return z.max(dim=-1).values


def check_axis(x, dim):
    """Check that ``x`` can be normalised along axis ``dim``."""
    check_tensor(x, "x")
    if x.ndim == 0:
        raise ValueError("x: expected at least one axis, got shape ()")
    check_integer(dim, "dim", low=-x.ndim, high=x.ndim - 1)
    if x.shape[dim] == 0:
        raise ValueError(f"x: expected at least one element along axis {dim}, got shape {tuple(x.shape)}")


def softmax(x, dim=-1):
    """Turn scores into positive numbers that sum to 1 along an axis.

    Parameters
    ----------
    x : Tensor
    dim : int
        The axis that is normalised, which must not be empty.

    Returns
    -------
    Tensor of the shape of x
    """
    check_axis(x, dim)
    return torch.softmax(x, dim)


def log_softmax(x, dim=-1):
    """Compute the logarithm of `softmax` without a logarithm of zero.

    Parameters
    ----------
    x : Tensor
    dim : int
        The axis that is normalised, which must not be empty.

    Returns
    -------
    Tensor of the shape of x
    """
    check_axis(x, dim)
    return torch.log_softmax(x, dim)


class Softmax(torch.nn.Softmax):
    """Probabilities from scores along an axis.

    Parameters
    ----------
    dim : int
        The axis that is normalised.
    """

    def __init__(self, dim=-1):
        super().__init__(check_integer(dim, "dim"))

    def forward(self, x):
        """Normalise; the shape stays."""
        check_axis(x, self.dim)
        return super().forward(x)


class LogSoftmax(torch.nn.LogSoftmax):
    """Log-probabilities from scores along an axis.

    Parameters
    ----------
    dim : int
        The axis that is normalised.
    """

    def __init__(self, dim=-1):
        super().__init__(check_integer(dim, "dim"))

    def forward(self, x):
        """Normalise; the shape stays."""
        check_axis(x, self.dim)
        return super().forward(x)
