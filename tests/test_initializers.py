"""Initialisers: the laws they promise, what those laws do to a deep stack, and bad input."""

import math

import numpy as np
import pytest
import scipy.stats
import torch

from dlcourse import initializers, initializers_torch

TWINS = pytest.mark.parametrize("module", [initializers, initializers_torch], ids=["numpy", "torch"])


def generator(module, seed=0):
    return np.random.default_rng(seed) if module is initializers else torch.Generator().manual_seed(seed)


def draw(module, name, shape, seed=0, **options):
    """Return the weights in float64, whichever half they come from."""
    dtype = np.float64 if module is initializers else torch.float64
    return np.asarray(getattr(module, name)(shape, rng=generator(module, seed), dtype=dtype, **options))


@TWINS
@pytest.mark.parametrize(
    ("shape", "fans"), [((3, 5), (5, 3)), ((8, 4, 3, 3), (36, 72)), ((8, 4, 7), (28, 56)), ((1, 1), (1, 1))]
)
def test_fans_by_hand(module, shape, fans):
    assert module.fan_in_and_out(shape) == fans


@TWINS
def test_gains_by_hand(module):
    expected = {"linear": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    assert {name: module.gain(name) for name in expected} == pytest.approx(expected)
    assert module.gain("leaky_relu", 1.0) == pytest.approx(1)               # the identity
    assert module.gain("leaky_relu") == pytest.approx(math.sqrt(2))         # a ReLU
    assert module.gain("leaky_relu", 0.5) == pytest.approx(math.sqrt(1.6))


# The standard deviation of each law, with shapes of a matrix and of a kernel, 40,000 weights or more.
MATRIX, KERNEL = (100, 400), (64, 70, 3, 3)
STD = {
    ("xavier", MATRIX): math.sqrt(2 / 500),
    ("xavier", KERNEL): math.sqrt(2 / (9 * 134)),
    ("he", MATRIX): math.sqrt(2 / 400),
    ("he", KERNEL): math.sqrt(2 / (9 * 70)),
}


@TWINS
@pytest.mark.parametrize("shape", [MATRIX, KERNEL])
@pytest.mark.parametrize("rule", ["xavier", "he"])
@pytest.mark.parametrize("law", ["uniform", "normal"])
def test_weights_follow_the_stated_law(module, law, rule, shape):
    """Mean, variance, range and the whole distribution.

    Each of the 4 comparisons in these 16 tests raises a false alarm with probability at most
    1e-8, so that all of them together do with less than 1e-6. The seed is fixed besides.
    """
    std = STD[rule, shape]
    w = draw(module, f"{rule}_{law}", shape).ravel()
    z = 5.74                                                # beyond it a normal variable lies once in 1e8
    assert abs(w.mean()) < z * std / math.sqrt(w.size)
    kurtosis = {"uniform": 9 / 5, "normal": 3}[law]         # Var(w^2) = (kurtosis - 1) std^4
    assert abs(np.mean(w**2) / std**2 - 1) < z * math.sqrt((kurtosis - 1) / w.size)
    bound = math.sqrt(3) * std
    cdf = scipy.stats.uniform(-bound, 2 * bound).cdf if law == "uniform" else scipy.stats.norm(0, std).cdf
    assert scipy.stats.kstest(w, cdf).pvalue > 1e-8
    if law == "uniform":
        assert np.abs(w).max() <= bound
        assert np.abs(w).max() > (1 - 5e-4) * bound         # fails to with probability (1 - 5e-4)^40000 = 2e-9
    else:
        assert np.abs(w).max() > 3 * std                    # fails to with probability 0.9973^40000 < 1e-46


@TWINS
@pytest.mark.parametrize("name", ["xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "orthogonal"])
def test_weights_scale_with_the_gain_and_repeat_with_the_seed(module, name):
    once = draw(module, name, (6, 5), gain=1.0)
    np.testing.assert_array_equal(once, draw(module, name, (6, 5), gain=1.0))
    np.testing.assert_allclose(draw(module, name, (6, 5), gain=3.0), 3 * once, rtol=1e-12)
    assert np.all(once != draw(module, name, (6, 5), gain=1.0, seed=1))


@TWINS
def test_torch_and_numpy_types(module):
    half = np.float32 if module is initializers else torch.float32
    for name in ("xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "orthogonal"):
        assert getattr(module, name)((2, 3), rng=generator(module), dtype=half).dtype == half
    assert module.identity((2, 3), dtype=half).dtype == half


def mean_square_after(name, depth, width, **options):
    """Send a standard normal batch through a ReLU stack and return what is left of its mean square."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((width, 64))
    for _ in range(depth):
        x = np.maximum(getattr(initializers, name)((width, width), rng=rng, **options) @ x, 0)
    return np.mean(x**2)


def test_he_keeps_the_signal_of_a_deep_relu_stack_and_xavier_loses_it():
    # A layer multiplies the mean square by a factor whose logarithm has variance about 5/width: over
    # 20 layers of 512 the standard deviation is 0.44. Six of these (false alarm 2e-9) are a factor of 14.
    # Before the last ReLU the mean square stays 1; the ReLU itself halves it.
    for name in ("he_normal", "he_uniform"):
        assert 0.5 / 14 < mean_square_after(name, 20, 512) < 0.5 * 14
    for name in ("xavier_normal", "xavier_uniform"):
        assert mean_square_after(name, 20, 512) < 14 * 0.5**20
        relu_gain = initializers.gain("relu")
        assert 0.5 / 14 < mean_square_after(name, 20, 512, gain=relu_gain) < 0.5 * 14


@TWINS
def test_identity_by_hand(module):
    dtype = np.float64 if module is initializers else torch.float64
    w = np.asarray(module.identity((2, 3), gain=0.5, dtype=dtype))
    np.testing.assert_array_equal(w, [[0.5, 0, 0], [0, 0.5, 0]])


@TWINS
@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 2, 3, 3), (9, 2, 2, 1), (1, 1)])
def test_all_singular_values_of_an_orthogonal_matrix_equal_the_gain(module, shape):
    w = draw(module, "orthogonal", shape, gain=0.7)
    assert w.shape == shape
    np.testing.assert_allclose(np.linalg.svd(w.reshape(shape[0], -1), compute_uv=False), 0.7)


@TWINS
def test_orthogonal_matrices_have_no_preferred_sign(module):
    # A bare QR decomposition returns q[0, 0] < 0 always. Here the count of positive ones is binomial
    # with variance 250; it is off by more than 84 with probability below 1e-6.
    first = [draw(module, "orthogonal", (3, 3), seed=seed)[0, 0] for seed in range(1000)]
    assert abs(np.sum(np.array(first) > 0) - 500) <= 84


# --- bad input

RANDOM = ["xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "orthogonal"]


@TWINS
@pytest.mark.parametrize("name", [*RANDOM, "identity", "fan_in_and_out"])
def test_bad_shapes(module, name):
    options = {"rng": generator(module)} if name in RANDOM else {}
    function = getattr(module, name)
    with pytest.raises(ValueError, match=r"^shape: expected at least two sizes, \(out, in\), got \(3,\)"):
        function((3,), **options)
    with pytest.raises(ValueError, match=r"^shape\[1\]: expected an integer at least 1, got 0"):
        function((3, 0), **options)
    with pytest.raises(TypeError, match=r"^shape\[0\]: expected an integer, got float 3.0"):
        function((3.0, 2), **options)
    with pytest.raises(TypeError, match=r"^shape: expected a tuple of sizes, got int 3"):
        function(3, **options)


@TWINS
def test_identity_has_two_axes(module):
    with pytest.raises(ValueError, match=r"^shape: expected two sizes, got \(2, 2, 2\)"):
        module.identity((2, 2, 2))


@TWINS
@pytest.mark.parametrize("name", [*RANDOM, "identity"])
def test_bad_gains_and_types(module, name):
    options = {"rng": generator(module)} if name in RANDOM else {}
    with pytest.raises(ValueError, match=r"^gain: expected a number in \[0, inf\), got -1"):
        getattr(module, name)((2, 2), gain=-1, **options)
    with pytest.raises(TypeError, match=r"^dtype: expected"):
        getattr(module, name)((2, 2), dtype=np.int64 if module is initializers else torch.int64, **options)


@TWINS
@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_is_no_generator(module, name):
    with pytest.raises(TypeError, match=r"^rng: expected a (numpy.random|torch).Generator.*, got int 0"):
        getattr(module, name)((2, 2), rng=0)


@TWINS
def test_unknown_nonlinearities(module):
    with pytest.raises(ValueError, match=r"^nonlinearity: expected one of 'linear', .*, got 'gelu'"):
        module.gain("gelu")
    with pytest.raises(ValueError, match=r"^negative_slope: expected a number in .*, got nan"):
        module.gain("leaky_relu", math.nan)
