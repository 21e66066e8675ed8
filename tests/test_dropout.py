"""Dropout: the mask, its mean, and the two modes, in both twins."""

import itertools
import math

import numpy as np
import pytest
import torch

from dlcourse import dropout, dropout_torch

TWINS = pytest.mark.parametrize("module", [dropout, dropout_torch], ids=["numpy", "torch"])


def generator(module, seed=0):
    return np.random.default_rng(seed) if module is dropout else torch.Generator().manual_seed(seed)


def array(module, values):
    return np.asarray(values) if module is dropout else torch.tensor(values)


@TWINS
def test_by_hand(module):
    layer = module.Dropout(0.2, rng=generator(module))
    y = layer(array(module, [1.0, 2.0, 3.0, 4.0]), array(module, [True, False, True, True]))
    np.testing.assert_allclose(np.asarray(y), [1.25, 0, 3.75, 5])
    np.testing.assert_array_equal(np.asarray(layer.mask), [True, False, True, True])


def test_the_mean_over_all_masks_is_the_output_without_dropout(rng):
    # Exact for a linear unit: every one of the 2^4 masks, weighted with its probability.
    p, x, w = 0.3, rng.standard_normal(4), rng.standard_normal(4)
    layer = dropout.Dropout(p, rng=rng)
    mean = 0.0
    for mask in itertools.product([True, False], repeat=4):
        kept = sum(mask)
        mean += (1 - p) ** kept * p ** (4 - kept) * (w @ layer(x, np.array(mask)))
    assert mean == pytest.approx(w @ layer.eval()(x), rel=1e-12)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["numpy", "torch", "fused"])
def test_p_is_the_probability_of_dropping_and_the_mean_is_kept(kind, p):
    # Of n ones each survives with probability 1 - p, so the count is binomial. Its deviation of 5.74
    # sigma has probability 1e-8: all 9 tests together raise a false alarm in less than 1 of 1e6 cases.
    n = 100_000
    if kind == "fused":
        torch.manual_seed(0)
        y = dropout_torch.Dropout(p)(torch.ones(n, dtype=torch.float64)).numpy()
    else:
        module = dropout if kind == "numpy" else dropout_torch
        y = np.asarray(module.Dropout(p, rng=generator(module))(array(module, [1.0] * n)))
    assert abs(np.sum(y == 0) - n * p) < 5.74 * math.sqrt(n * p * (1 - p))
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-6)
    assert abs(y.mean() - 1) < 5.74 * math.sqrt(p / (1 - p) / n)


@TWINS
def test_every_unit_and_every_call_has_a_mask_of_its_own(module):
    # Two independent masks of 1000 units agree in 500 places on average; in 1000 with probability 2^-1000.
    layer = module.Dropout(0.5, rng=generator(module))
    x = array(module, np.ones((2, 1000)))
    first, second = np.asarray(layer(x)), np.asarray(layer(x))
    assert np.any(first != second)
    assert np.any(first[0] != first[1])
    again = np.asarray(module.Dropout(0.5, rng=generator(module))(x))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("p", [0.0, 0.4, 1.0])
def test_backward_uses_the_mask_of_forward(p, rng):
    layer = dropout.Dropout(p, rng=rng)
    x, dy = rng.standard_normal((2, 50, 3))
    y, dx = layer(x), layer.backward(dy)
    scale = 0 if p == 1 else 1 / (1 - p)
    np.testing.assert_allclose(y, scale * layer.mask * x)
    np.testing.assert_allclose(dx, scale * layer.mask * dy)
    assert 0 < p < 1 or layer.mask.all() == (p == 0)


def test_torch_backward_uses_the_mask_of_forward():
    layer = dropout_torch.Dropout(0.4, rng=generator(dropout_torch))
    x = torch.ones(50, requires_grad=True)
    layer(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), layer.mask.numpy() / 0.6, rtol=1e-6)


@TWINS
def test_evaluation_changes_nothing(module):
    layer = module.Dropout(0.5, rng=generator(module))
    x = array(module, np.arange(6.0))
    layer(x)
    layer.eval()
    np.testing.assert_array_equal(np.asarray(layer(x)), np.arange(6.0))
    assert layer.mask is None
    if module is dropout:
        np.testing.assert_array_equal(layer.backward(x), np.arange(6.0))
    layer.train()
    assert np.any(np.asarray(layer(x)) != np.arange(6.0))


@TWINS
def test_p_zero_keeps_and_p_one_drops_everything(module):
    x = array(module, np.ones(1000))
    np.testing.assert_array_equal(np.asarray(module.Dropout(0.0, rng=generator(module))(x)), 1)
    np.testing.assert_array_equal(np.asarray(module.Dropout(1.0, rng=generator(module))(x)), 0)
    mask = array(module, np.ones(1000, bool))
    np.testing.assert_array_equal(np.asarray(module.Dropout(1.0, rng=generator(module))(x, mask)), 0)


def test_float32_stays_float32():
    layer = dropout.Dropout(0.3, rng=np.random.default_rng(0))
    x = np.ones(4, np.float32)
    assert layer(x).dtype == layer.backward(x).dtype == np.float32


@TWINS
@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_p_is_a_probability(module, p):
    with pytest.raises(ValueError, match=r"^p: expected a number in \[0, 1\], got"):
        module.Dropout(p, rng=generator(module))


@TWINS
def test_bad_input(module):
    with pytest.raises(TypeError, match=r"^rng: expected a (numpy.random|torch).Generator.*, got int 0"):
        module.Dropout(0.5, rng=0)
    layer = module.Dropout(0.5, rng=generator(module))
    x = array(module, [1.0, 2.0])
    with pytest.raises(TypeError, match=r"^x: expected dtype"):
        layer(array(module, [1, 2]))
    with pytest.raises(TypeError, match=r"^mask: expected dtype bool, got"):
        layer(x, x)
    with pytest.raises(ValueError, match=r"^mask: expected shape \(2,\), got \(1,\)"):
        layer(x, array(module, [True]))


def test_bad_gradients():
    layer = dropout.Dropout(0.5, rng=np.random.default_rng(0))
    layer(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"^dy: expected shape \(2, 3\), got \(3,\)"):
        layer.backward(np.ones(3))
