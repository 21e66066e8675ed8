"""Activations: worked values, identities, what the lectures claim, and bad input."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dlcourse import activations, activations_torch
from dlcourse.activations import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    Maxout,
    PReLU,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    log_softmax,
    sigmoid,
    softmax,
)

TWINS = {
    "reference": SimpleNamespace(
        module=activations, array=np.asarray, rng=np.random.default_rng(0), dtype=np.float64
    ),
    "counterpart": SimpleNamespace(
        module=activations_torch, array=torch.tensor, rng=torch.Generator(), dtype=torch.float64
    ),
}


@pytest.fixture(params=TWINS)
def twin(request):
    """Each half in turn."""
    return TWINS[request.param]


def slope(layer, x):
    """Evaluate the derivative of an activation by its backward pass."""
    y = layer(x)
    return layer.backward(np.ones_like(y))


# --- values by hand -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "x", "y", "dx"),
    [
        (Sigmoid(), [0.0, math.log(3)], [0.5, 0.75], [0.25, 0.1875]),
        (Tanh(), [0.0, math.log(2)], [0.0, 0.6], [1.0, 0.64]),
        (ReLU(), [-2.0, 3.0], [0.0, 3.0], [0.0, 1.0]),
        (LeakyReLU(), [-2.0, 3.0], [-0.02, 3.0], [0.01, 1.0]),
        (LeakyReLU(0.5), [-2.0, 3.0], [-1.0, 3.0], [0.5, 1.0]),
        (PReLU(), [-2.0, 3.0], [-0.5, 3.0], [0.25, 1.0]),
        (ELU(2.0), [-math.log(2), 3.0], [-1.0, 3.0], [1.0, 1.0]),
    ],
)
def test_worked_values_and_slopes(layer, x, y, dx):
    x = np.array(x)
    np.testing.assert_allclose(layer(x), y, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(slope(layer, x), dx, rtol=1e-12, atol=1e-15)


def test_softmax_worked_by_hand():
    x = np.log([[1.0, 2.0, 5.0]])
    np.testing.assert_allclose(softmax(x), [[0.125, 0.25, 0.625]], rtol=1e-12)
    np.testing.assert_allclose(log_softmax(x), np.log([[0.125, 0.25, 0.625]]), rtol=1e-12)


def test_prelu_slope_gathers_the_gradient_of_all_negative_inputs():
    layer = PReLU(2)
    x = np.array([[-1.0, -2.0], [-3.0, 4.0]])
    layer(x)
    layer.backward(np.array([[1.0, 10.0], [100.0, 1000.0]]))
    np.testing.assert_array_equal(layer.weight.grad, [-301.0, -20.0])


def test_maxout_worked_by_hand(rng):
    layer = Maxout(2, 2, 2, rng=rng)
    layer.linear.weight.data[...] = [[1, 0], [0, 1], [1, 1], [-1, -1]]
    layer.linear.bias.data[...] = [0, 0, 0, 1]
    x = np.array([[3.0, 5.0]])                         # pieces: 3 and 5 of unit 0, 8 and -7 of unit 1
    np.testing.assert_array_equal(layer(x), [[5.0, 8.0]])
    np.testing.assert_array_equal(layer.backward(np.array([[10.0, 1.0]])), [[1.0, 11.0]])
    np.testing.assert_array_equal(layer.linear.bias.grad, [0, 10, 1, 0])


# --- far out --------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_is_stable_far_out(dtype):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = sigmoid(np.array([-1000.0, 0.0, 1000.0], dtype))
        dx = slope(Sigmoid(), np.array([-1000.0, 1000.0], dtype))
    assert y.dtype == dx.dtype == dtype
    np.testing.assert_array_equal(y, [0, 0.5, 1])
    np.testing.assert_array_equal(dx, [0, 0])


def test_sigmoid_keeps_its_digits_on_the_left():
    # 1 - sigma(50) would be exactly 0 in float64; e^-50 is 1.9e-22.
    np.testing.assert_allclose(sigmoid(np.array([-50.0])), [math.exp(-50)], rtol=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("layer", [Tanh(), ReLU(), LeakyReLU(), PReLU(dtype=np.float32), ELU(), GELU()])
def test_no_overflow_far_out(layer):
    x = np.array([-1000.0, 1000.0], np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y, dx = layer(x), slope(layer, x)
    assert y.dtype == dx.dtype == np.float32
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


@pytest.mark.filterwarnings("error")
def test_softmax_of_large_scores():
    x = np.array([[1000.0, 0.0], [-1000.0, -1000.0]], np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        p, log_p = softmax(x), log_softmax(x)
    np.testing.assert_array_equal(p, [[1, 0], [0.5, 0.5]])
    np.testing.assert_allclose(log_p, [[0, -1000], [-math.log(2), -math.log(2)]], rtol=1e-6)


def test_softmax_gives_a_masked_score_no_weight():
    x = np.array([[0.0, -np.inf, math.log(3)]])
    np.testing.assert_allclose(softmax(x), [[0.25, 0.0, 0.75]], rtol=1e-12)


# --- identities -----------------------------------------------------------------------------------


def test_softmax_ignores_a_shift_and_sums_to_one(rng):
    x = rng.standard_normal((4, 3, 5))
    for dim in (0, 1, 2, -1):
        p = softmax(x, dim)
        np.testing.assert_allclose(p.sum(axis=dim), 1, rtol=1e-12)
        np.testing.assert_allclose(softmax(x + 7.0, dim), p, rtol=1e-12)


def test_softmax_gradient_has_no_component_along_the_shift(rng):
    x, dy = rng.standard_normal((2, 4, 5))
    for layer in (Softmax(), LogSoftmax()):
        layer(x)
        np.testing.assert_allclose(layer.backward(dy).sum(axis=-1), 0, atol=1e-12)


def test_sigmoid_is_a_softmax_of_two_scores(rng):
    x = 3 * rng.standard_normal(20)
    np.testing.assert_allclose(softmax(np.stack([x, np.zeros(20)]), dim=0)[0], sigmoid(x), rtol=1e-12)


def test_tanh_is_a_stretched_sigmoid(rng):
    x = 3 * rng.standard_normal(20)
    np.testing.assert_allclose(Tanh()(x), 2 * sigmoid(2 * x) - 1, atol=1e-12)


def test_gelu_is_close_to_the_exact_form(twin):
    x = np.linspace(-6, 6, 2001)
    exact = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x]
    gap = np.abs(np.asarray(twin.module.GELU()(twin.array(x))) - exact).max()
    assert 1e-4 < gap < 5e-4                           # close, and not the exact form itself


def test_elu_slope_has_no_jump_for_alpha_one():
    left, right = slope(ELU(), np.array([-1e-9, 1e-9]))
    assert left == pytest.approx(right, abs=1e-8)


# --- what the lectures claim ----------------------------------------------------------------------


def test_sigmoid_passes_at_most_a_quarter_of_the_gradient_and_nothing_when_saturated():
    x = np.linspace(-20, 20, 4001)
    dx = slope(Sigmoid(), x)
    assert dx.max() == 0.25
    assert x[dx.argmax()] == pytest.approx(0, abs=1e-12)
    assert dx[[0, -1]].max() < 1e-8


def test_tanh_is_centred_and_sigmoid_is_not(rng):
    positive = np.abs(rng.standard_normal(500))
    x = np.concatenate([positive, -positive])
    assert Tanh()(x).mean() == pytest.approx(0, abs=1e-12)
    assert sigmoid(x).mean() == pytest.approx(0.5, abs=1e-12)
    assert ReLU()(x).mean() == pytest.approx(positive.mean() / 2, rel=1e-12)


def test_a_dead_relu_gets_no_gradient_and_the_leaky_ones_do():
    x = np.array([-5.0, -1.0, -0.1])
    np.testing.assert_array_equal(slope(ReLU(), x), 0)
    for layer in (LeakyReLU(), PReLU(), ELU()):
        assert (slope(layer, x) > 0).all()


def test_relu_stops_even_an_infinite_gradient_on_the_left():
    layer = ReLU()
    layer(np.array([-1.0, 1.0]))
    np.testing.assert_array_equal(layer.backward(np.array([np.inf, np.inf])), [0, np.inf])


@pytest.mark.parametrize(("negative_slope", "layer"), [(0.0, ReLU()), (0.01, LeakyReLU())])
def test_maxout_contains_the_rectifiers(rng, negative_slope, layer):
    maxout = Maxout(1, 1, rng=rng)
    maxout.linear.weight.data[...] = [[1.0], [negative_slope]]
    maxout.linear.bias.data[...] = 0
    x = rng.standard_normal((50, 1))
    np.testing.assert_allclose(maxout(x), layer(x), rtol=1e-12)


def test_maxout_doubles_the_parameters(rng):
    def count(pieces):
        return sum(p.data.size for p in Maxout(5, 3, pieces, rng=rng).parameters())

    assert (count(1), count(2)) == (18, 36)


def test_maxout_weights_follow_the_generator():
    first, again, other = (Maxout(5, 3, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.linear.weight.data, again.linear.weight.data)
    assert (first.linear.weight.data != other.linear.weight.data).any()
    first, again = (activations_torch.Maxout(5, 3, rng=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first.linear.weight, again.linear.weight)


# --- bad input ------------------------------------------------------------------------------------

BAD = {
    "negative leak": (lambda t: t.module.LeakyReLU(-0.1), ValueError, r"^negative_slope: .*\[0, inf\), got -0.1"),
    "leak of text": (lambda t: t.module.LeakyReLU("0.1"), TypeError, r"^negative_slope: expected a number, got str"),
    "no slope": (lambda t: t.module.PReLU(0), ValueError, r"^num_parameters: .*at least 1, got 0"),
    "half a slope": (lambda t: t.module.PReLU(0.5), TypeError, r"^num_parameters: expected an integer"),
    "slope of NaN": (lambda t: t.module.PReLU(1, math.nan), ValueError, r"^init: .*got nan"),
    "zero alpha": (lambda t: t.module.ELU(0), ValueError, r"^alpha: .*\(0, inf\), got 0"),
    "alpha of None": (lambda t: t.module.ELU(None), TypeError, r"^alpha: expected a number"),
    "no inputs": (lambda t: t.module.Maxout(0, 2, rng=t.rng), ValueError, r"^in_features: .*got 0"),
    "no outputs": (lambda t: t.module.Maxout(2, 0, rng=t.rng), ValueError, r"^out_features: .*got 0"),
    "no pieces": (lambda t: t.module.Maxout(2, 2, 0, rng=t.rng), ValueError, r"^num_pieces: .*got 0"),
    "fractional dim": (lambda t: t.module.Softmax(0.5), TypeError, r"^dim: expected an integer"),
    "dim of None": (lambda t: t.module.LogSoftmax(None), TypeError, r"^dim: expected an integer"),
    "wrong width": (
        lambda t: t.module.Maxout(3, 2, rng=t.rng, dtype=t.dtype)(t.array(np.ones((2, 4)))),
        ValueError,
        r"^x: expected shape \(\.\.\., 3\), got \(2, 4\)",
    ),
    "wrong channels": (
        lambda t: t.module.PReLU(3, dtype=t.dtype)(t.array(np.ones((2, 4)))),
        ValueError,
        r"^x: expected shape \(N, 3, \.\.\.\), got \(2, 4\)",
    ),
    "no channels": (
        lambda t: t.module.PReLU(3, dtype=t.dtype)(t.array(np.ones(3))),
        ValueError,
        r"^x: expected shape \(N, 3, \.\.\.\), got \(3,\)",
    ),
    "wrong precision": (
        lambda t: t.module.PReLU(dtype=t.dtype)(t.array(np.ones(3, np.float32))),
        TypeError,
        r"^x: expected dtype .*float64, got .*float32",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(twin, case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call(twin)


ALL_BUT_MAXOUT = ["Sigmoid", "Tanh", "ReLU", "LeakyReLU", "PReLU", "ELU", "GELU", "Softmax", "LogSoftmax"]


@pytest.mark.parametrize("name", [*ALL_BUT_MAXOUT, "sigmoid", "softmax", "log_softmax"])
def test_bad_x(twin, name):
    apply = getattr(twin.module, name)
    apply = apply() if name in ALL_BUT_MAXOUT else apply
    with pytest.raises(TypeError, match=r"^x: expected dtype .*float.*, got .*int64"):
        apply(twin.array(np.array([1, 2])))
    with pytest.raises(TypeError, match=r"^x: expected a .*, got list"):
        apply([1.0, 2.0])


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "Softmax", "LogSoftmax"])
def test_bad_axis(twin, name):
    thing = getattr(twin.module, name)

    def apply(x, dim):
        return thing(dim)(twin.array(x)) if isinstance(thing, type) else thing(twin.array(x), dim)

    with pytest.raises(ValueError, match=r"^dim: expected an integer from -2 to 1, got 2"):
        apply(np.ones((3, 4)), 2)
    with pytest.raises(ValueError, match=r"^x: expected at least one element along axis -1, got shape \(3, 0\)"):
        apply(np.ones((3, 0)), -1)
    with pytest.raises(ValueError, match=r"^x: expected at least one axis, got shape \(\)"):
        apply(np.array(1.0), -1)


LAYERS = [Sigmoid(), Tanh(), ReLU(), LeakyReLU(), PReLU(), ELU(), GELU(), Softmax(), LogSoftmax()]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_bad_output_gradient(layer):
    layer(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"^dy: expected shape \(2, 3\), got \(3,\)"):
        layer.backward(np.ones(3))
    with pytest.raises(TypeError, match=r"^dy: expected dtype float64, got float32"):
        layer.backward(np.ones((2, 3), np.float32))


def test_maxout_checks_the_output_gradient_and_the_generator(rng):
    layer = Maxout(3, 2, rng=rng)
    layer(np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"^dy: expected shape \(4, 2\), got \(4, 4\)"):
        layer.backward(np.ones((4, 4)))
    with pytest.raises(TypeError, match=r"^rng: expected a numpy.random.Generator"):
        Maxout(3, 2, rng=0)
