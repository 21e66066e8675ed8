"""Initial weights in PyTorch: ``torch.nn.init``, on tensors made here."""

import torch

from .initializers import NONLINEARITIES, _check_gain, _check_shape
from .validation import check_choice, check_number, describe

__all__ = [
    "fan_in_and_out",
    "gain",
    "he_normal",
    "he_uniform",
    "identity",
    "orthogonal",
    "xavier_normal",
    "xavier_uniform",
]


def fan_in_and_out(shape):
    """Count how many inputs feed one output of a layer, and how many outputs one input feeds.

    Parameters
    ----------
    shape : tuple of int

    Returns
    -------
    (int, int)
    """
    return torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(_check_shape(shape), device="meta"))


def gain(nonlinearity, negative_slope=0.0):
    """Return the factor by which weights must be larger to make up for an activation.

    Parameters
    ----------
    nonlinearity : str
    negative_slope : float
        Of the leaky ReLU.

    Returns
    -------
    float
    """
    check_choice(nonlinearity, "nonlinearity", NONLINEARITIES)
    check_number(negative_slope, "negative_slope")
    return float(torch.nn.init.calculate_gain(nonlinearity, negative_slope))


def xavier_uniform(shape, *, gain=1.0, rng=None, dtype=None, device=None):
    """Draw uniform weights scaled by the mean of both fans.

    Parameters
    ----------
    shape : tuple of int
    gain : float
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Returns
    -------
    Tensor of shape `shape`
    """
    return torch.nn.init.xavier_uniform_(_empty(shape, rng, dtype, device), _check_gain(gain), generator=rng)


def xavier_normal(shape, *, gain=1.0, rng=None, dtype=None, device=None):
    """Draw normal weights scaled by the mean of both fans.

    Parameters
    ----------
    shape : tuple of int
    gain : float
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Returns
    -------
    Tensor of shape `shape`
    """
    return torch.nn.init.xavier_normal_(_empty(shape, rng, dtype, device), _check_gain(gain), generator=rng)


def he_uniform(shape, *, gain=2**0.5, rng=None, dtype=None, device=None):
    """Draw uniform weights scaled by the inputs.

    Parameters
    ----------
    shape : tuple of int
    gain : float
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Returns
    -------
    Tensor of shape `shape`
    """
    # PyTorch takes the activation's name in place of a gain; "linear" has the gain 1.
    weights = torch.nn.init.kaiming_uniform_(_empty(shape, rng, dtype, device), nonlinearity="linear", generator=rng)
    return weights.mul_(_check_gain(gain))


def he_normal(shape, *, gain=2**0.5, rng=None, dtype=None, device=None):
    """Draw normal weights scaled by the inputs.

    Parameters
    ----------
    shape : tuple of int
    gain : float
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Returns
    -------
    Tensor of shape `shape`
    """
    weights = torch.nn.init.kaiming_normal_(_empty(shape, rng, dtype, device), nonlinearity="linear", generator=rng)
    return weights.mul_(_check_gain(gain))


def identity(shape, *, gain=1.0, dtype=None, device=None):
    """Return a multiple of the identity.

    Parameters
    ----------
    shape : tuple of two ints
    gain : float
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Returns
    -------
    Tensor of shape `shape`
    """
    weights = _empty(shape, None, dtype, device)
    if weights.ndim != 2:
        raise ValueError(f"shape: expected two sizes, got {shape}")
    return torch.nn.init.eye_(weights).mul_(_check_gain(gain))


def orthogonal(shape, *, gain=1.0, rng=None, dtype=None, device=None):
    """Draw a random matrix all of whose singular values are equal to the gain.

    Parameters
    ----------
    shape : tuple of int
    gain : float
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional

    Returns
    -------
    Tensor of shape `shape`
    """
    return torch.nn.init.orthogonal_(_empty(shape, rng, dtype, device), _check_gain(gain), generator=rng)


def _empty(shape, rng, dtype, device):
    """Make the tensor that a function of ``torch.nn.init`` is to fill, drawing from ``rng``."""
    if rng is not None and not isinstance(rng, torch.Generator):
        raise TypeError(f"rng: expected a torch.Generator, got {describe(rng)}")
    if dtype is not None and not dtype.is_floating_point:
        raise TypeError(f"dtype: expected a floating-point type, got {dtype}")
    return torch.empty(_check_shape(shape), dtype=dtype, device=device)
