"""Normalisation in PyTorch: ``torch.nn`` has all norms but batch renormalisation."""

import math

import torch
from torch.nn import functional as F

from .normalization import _check_count, _check_groups, _check_normalized_shape
from .validation import check_integer, check_number
from .validation_torch import check_tensor

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchRenorm1d",
    "GroupNorm",
    "InputNormalizer",
    "InstanceNorm2d",
    "LayerNorm",
]


class InputNormalizer(torch.nn.Module):
    """Shift and scale each input feature by mean and standard deviation of the training data.

    Parameters
    ----------
    num_features : int
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Attributes
    ----------
    mean, std : Tensor of shape (C,)
        NaN before `fit`; ``std`` is 1 for a constant feature.
    """

    def __init__(self, num_features, *, dtype=None, device=None):
        super().__init__()
        self.num_features = check_integer(num_features, "num_features", low=1)
        self.register_buffer("mean", torch.full((num_features,), math.nan, dtype=dtype, device=device))
        self.register_buffer("std", torch.full((num_features,), math.nan, dtype=dtype, device=device))

    @torch.no_grad()
    def fit(self, x):
        """Take mean and standard deviation from the training data.

        Parameters
        ----------
        x : Tensor of shape (N, C, ...)

        Returns
        -------
        InputNormalizer
            Itself.
        """
        self._check_input(x)
        check_tensor(x, "x", empty=False)
        if not x.isfinite().all():
            raise ValueError("x: expected finite numbers, got NaN or infinity")
        axes = [0, *range(2, x.ndim)]
        var, mean = torch.var_mean(x, axes, correction=0)
        self.mean.copy_(mean)
        self.std.copy_(torch.where(x.amax(axes) == x.amin(axes), 1, var.sqrt()))
        return self

    def forward(self, x):
        """Normalise any data by what `fit` has stored.

        Parameters
        ----------
        x : Tensor of shape (N, C, ...)

        Returns
        -------
        Tensor of the shape of x
        """
        self._check_input(x)
        if x.device.type == "cpu" and not torch.compiler.is_compiling() and self.std.isnan().any():
            raise RuntimeError("InputNormalizer: expected fit(training data) before forward")
        per_channel = (-1, *[1] * (x.ndim - 2))
        return (x - self.mean.view(per_channel)) / self.std.view(per_channel)

    def _check_input(self, x):
        """Check for shape (N, C, ...)."""
        check_tensor(x, "x", dtype=self.mean.dtype)
        check_tensor(x, "x", shape=("N", self.num_features, *x.shape[2:]), dtype=self.mean.dtype)


class BatchNorm1d(torch.nn.BatchNorm1d):
    """Normalise each feature over the batch.

    Parameters
    ----------
    num_features : int
    eps : float
    momentum : float
        Weight of the new value in the running averages.
    affine : bool
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, *, dtype=None, device=None):
        _check_batch_norm(num_features, eps, momentum)
        super().__init__(num_features, eps, momentum, affine, device=device, dtype=dtype)

    def forward(self, x):
        """Normalise over the batch, and over the positions of sequences if there are any.

        Parameters
        ----------
        x : Tensor of shape (N, C) or (N, C, L)

        Returns
        -------
        Tensor of the shape of x
        """
        self._check_input(x)
        return super().forward(x)

    def _check_input(self, x):
        """Check for shape (N, C) or (N, C, L), and for a batch that can be normalised."""
        check_tensor(x, "x", dtype=self.running_mean.dtype)
        length = ("L",) if x.ndim == 3 else ()
        check_tensor(x, "x", shape=("N", self.num_features, *length), dtype=self.running_mean.dtype)
        if self.training:
            _check_count(x.numel() // self.num_features, x)


class BatchNorm2d(torch.nn.BatchNorm2d):
    """Normalise each channel of images over the batch and all positions.

    Parameters
    ----------
    num_features : int
    eps : float
    momentum : float
        Weight of the new value in the running averages.
    affine : bool
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, *, dtype=None, device=None):
        _check_batch_norm(num_features, eps, momentum)
        super().__init__(num_features, eps, momentum, affine, device=device, dtype=dtype)

    def forward(self, x):
        """Normalise over the batch, height and width.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)

        Returns
        -------
        Tensor of shape (N, C, H, W)
        """
        check_tensor(x, "x", shape=("N", self.num_features, "H", "W"), dtype=self.running_mean.dtype)
        if self.training:
            _check_count(x.numel() // self.num_features, x)
        return super().forward(x)


class BatchRenorm1d(BatchNorm1d):
    """Batch norm that is corrected towards the running averages, for small batches.

    PyTorch has none. Autograd differentiates the batch's mean and deviation; the corrections r
    and d are detached.

    Parameters
    ----------
    num_features : int
    eps : float
    momentum : float
        Weight of the new value in the running averages.
    r_max, d_max : float
        Limits of the corrections.
    affine : bool
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(
        self, num_features, eps=1e-5, momentum=0.1, r_max=3.0, d_max=5.0, affine=True, *, dtype=None, device=None
    ):
        super().__init__(num_features, eps, momentum, affine, dtype=dtype, device=device)
        self.r_max = check_number(r_max, "r_max", low=1)
        self.d_max = check_number(d_max, "d_max", low=0)

    def forward(self, x):
        """Normalise by the batch and correct by r and d in training; else by the running averages.

        Parameters
        ----------
        x : Tensor of shape (N, C) or (N, C, L)

        Returns
        -------
        Tensor of the shape of x
        """
        if not self.training:
            return super().forward(x)
        self._check_input(x)
        values = x.to(self.running_mean.dtype)             # under autocast x may come in half precision
        var, mean = torch.var_mean(values, [0, *range(2, x.ndim)], correction=0, keepdim=True)
        std = (var + self.eps).sqrt()                      # (1, C) or (1, C, 1), like mean and var
        running_std = (self.running_var.view_as(std) + self.eps).sqrt()
        r = (std / running_std).clamp(1 / self.r_max, self.r_max).detach()
        d = ((mean - self.running_mean.view_as(mean)) / running_std).clamp(-self.d_max, self.d_max).detach()
        with torch.no_grad():
            n = x.numel() // self.num_features
            self.running_mean.lerp_(mean.flatten(), self.momentum)
            self.running_var.lerp_(var.flatten() * n / (n - 1), self.momentum)
        y = (values - mean) / std * r + d
        if self.affine:
            y = y * self.weight.view_as(mean) + self.bias.view_as(mean)
        return y.to(x.dtype)


class LayerNorm(torch.nn.LayerNorm):
    """Normalise each example by itself, over its last axes.

    Parameters
    ----------
    normalized_shape : int or tuple of int
    eps : float
    elementwise_affine : bool
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, *, dtype=None, device=None):
        check_number(eps, "eps", low=0, low_open=True)
        shape = _check_normalized_shape(normalized_shape)
        super().__init__(shape, eps, elementwise_affine, device=device, dtype=dtype)

    def forward(self, x):
        """Normalise over the last axes.

        Parameters
        ----------
        x : Tensor
            Its last sizes must be `normalized_shape`.

        Returns
        -------
        Tensor of the shape of x
        """
        check_tensor(x, "x", shape=(..., *self.normalized_shape), dtype=_dtype(self.weight))
        _check_count(math.prod(self.normalized_shape), x)
        return super().forward(x)


class InstanceNorm2d(torch.nn.InstanceNorm2d):
    """Normalise each channel of each image by itself.

    Parameters
    ----------
    num_features : int
    eps : float
    affine : bool
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, num_features, eps=1e-5, affine=False, *, dtype=None, device=None):
        check_integer(num_features, "num_features", low=1)
        check_number(eps, "eps", low=0, low_open=True)
        super().__init__(num_features, eps, affine=affine, device=device, dtype=dtype)

    def forward(self, x):
        """Normalise over height and width.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)

        Returns
        -------
        Tensor of shape (N, C, H, W)
        """
        check_tensor(x, "x", shape=("N", self.num_features, "H", "W"), dtype=_dtype(self.weight))
        _check_count(x.shape[2] * x.shape[3], x)
        if len(x) == 0:                                    # PyTorch's own cannot take an empty batch
            return F.group_norm(x, self.num_features, self.weight, self.bias, self.eps)
        return super().forward(x)


class GroupNorm(torch.nn.GroupNorm):
    """Normalise groups of channels of each example.

    Parameters
    ----------
    num_groups, num_channels : int
    eps : float
    affine : bool
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True, *, dtype=None, device=None):
        _check_groups(num_groups, num_channels)
        check_number(eps, "eps", low=0, low_open=True)
        super().__init__(num_groups, num_channels, eps, affine, device=device, dtype=dtype)

    def forward(self, x):
        """Normalise over the channels of a group and all positions.

        Parameters
        ----------
        x : Tensor of shape (N, C, ...)

        Returns
        -------
        Tensor of shape (N, C, ...)
        """
        check_tensor(x, "x", dtype=_dtype(self.weight))
        check_tensor(x, "x", shape=("N", self.num_channels, *x.shape[2:]), dtype=x.dtype)
        _check_count(self.num_channels // self.num_groups * math.prod(x.shape[2:]), x)
        return super().forward(x)


def _check_batch_norm(num_features, eps, momentum):
    """Check what the batch norms' constructors have in common."""
    check_integer(num_features, "num_features", low=1)
    check_number(eps, "eps", low=0, low_open=True)
    check_number(momentum, "momentum", low=0, high=1)


def _dtype(weight):
    """Return the type that inputs must have: the weights', or any where there are none."""
    return None if weight is None else weight.dtype
