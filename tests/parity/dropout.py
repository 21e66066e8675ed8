"""Parity cases of `dlcourse.dropout`: the same mask in both twins."""

import numpy as np

from dlcourse import dropout, dropout_torch
from dlcourse.parity import ModulePair, parity_case

SIZES = {"batch": (0, 5), "features": (1, 9), "p": [0.0, 0.1, 0.5, 0.9, 1.0]}


@parity_case("dropout.Dropout", **SIZES, shape=[(), (3,), (2, 3)])
def given_mask(rng, dtype, device, batch, features, p, shape):
    x = rng.standard_normal((batch, features, *shape)).astype(dtype)
    return ModulePair(dropout.Dropout(p, rng=rng), dropout_torch.Dropout(p), [x, rng.random(x.shape) >= p])


@parity_case("dropout.Dropout [evaluation]", **SIZES)
def evaluation(rng, dtype, device, batch, features, p):
    x = rng.standard_normal((batch, features)).astype(dtype)
    return ModulePair(dropout.Dropout(p, rng=rng).eval(), dropout_torch.Dropout(p).eval(), [x])


@parity_case("dropout.Dropout [nothing or everything]", batch=(0, 5), features=(1, 9), p=[0.0, 1.0])
def certain(rng, dtype, device, batch, features, p):
    """The mask is drawn, but there is nothing random about it."""
    x = rng.standard_normal((batch, features)).astype(dtype)
    return ModulePair(dropout.Dropout(p, rng=np.random.default_rng(0)), dropout_torch.Dropout(p), [x])
