"""Parity cases, one file per topic. Importing this package registers them all."""

import importlib
import pkgutil

import numpy as np
import torch


def torch_dtype(dtype):
    """Return the torch type of a NumPy floating-point type."""
    return {"float32": torch.float32, "float64": torch.float64}[np.dtype(dtype).name]


def away_from(rng, shape, dtype, kinks=(0.0,), gap=1e-2):
    """Draw standard normal numbers that stay clear of the kinks of a function.

    A difference quotient that straddles a kink measures neither of the two slopes, so numerical
    checks keep their inputs at least ``gap`` (much more than the step) away.
    """
    x = rng.standard_normal(shape)
    for kink in kinks:
        near = np.abs(x - kink) < gap
        x = np.where(near, kink + np.where(x < kink, -gap, gap), x)
    return x.astype(dtype)


for _info in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_info.name}")
