"""The multilayer perceptron: the lecture's networks, initial weights, parameter counts."""

import math

import numpy as np
import pytest
import torch

from dlcourse import linear, mlp, mlp_torch, module
from dlcourse.interop import to_numpy

TWINS = [
    pytest.param(mlp, lambda seed: {"rng": np.random.default_rng(seed)}, id="reference"),
    pytest.param(mlp_torch, lambda seed: {"rng": torch.Generator().manual_seed(seed), "dtype": torch.float64},
                 id="counterpart"),
]
NAMES = ["sigmoid", "tanh", "relu", "leaky_relu", "elu"]


def array(parameter):
    return parameter.data if isinstance(parameter, module.Parameter) else to_numpy(parameter)


def test_linear_score_function(rng):
    net = mlp.MLP([4, 3], bias=False, rng=rng)
    x = rng.standard_normal((5, 4))
    assert net(x) == pytest.approx(x @ net[0].weight.data.T)


def test_two_and_three_layer_networks(rng):
    x = rng.standard_normal((5, 4))
    two = mlp.MLP([4, 6, 3], bias=False, rng=rng)
    w1, w2 = (p.data for p in two.parameters())
    three = mlp.MLP([4, 6, 5, 3], bias=False, rng=rng)
    v1, v2, v3 = (p.data for p in three.parameters())
    for n in range(5):
        assert two(x)[n] == pytest.approx(w2 @ np.maximum(0, w1 @ x[n]))
        assert three(x)[n] == pytest.approx(v3 @ np.maximum(0, v2 @ np.maximum(0, v1 @ x[n])))


@pytest.mark.parametrize(("twin", "options"), TWINS)
@pytest.mark.parametrize("activation", NAMES)
def test_layers_and_their_names(twin, options, activation):
    net = twin.MLP([4, 6, 5, 3], activation, **options(0))
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]
    expected = {"leaky_relu": "LeakyReLU", "relu": "ReLU", "elu": "ELU"}.get(activation, activation.capitalize())
    assert [type(layer).__name__ for layer in net] == ["Linear", expected, "Linear", expected, "Linear"]


@pytest.mark.parametrize(("twin", "options"), TWINS)
def test_dropout_layers_follow_the_activations(twin, options):
    net = twin.MLP([4, 6, 5, 3], dropout=0.3, **options(0))
    names = ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    assert [type(layer).__name__ for layer in net] == names
    assert [net[2].p, net[5].p] == [0.3, 0.3]


@pytest.mark.parametrize(("twin", "options"), TWINS)
@pytest.mark.parametrize("activation", NAMES)
def test_initial_weights(twin, options, activation):
    net = twin.MLP([300, 200, 100], activation, **options(0))
    for layer, num_inputs, num_outputs in ((net[0], 300, 200), (net[2], 200, 100)):
        weight = array(layer.weight)
        variance = 2 / (num_inputs + num_outputs) if activation in ("sigmoid", "tanh") else 2 / num_inputs
        # Of n = 20,000 normal numbers or more, the mean square has a relative deviation of
        # sqrt(2 / n) = 1% and the mean one of 1 / sqrt(n) = 0.7%: five of them fail once in a million.
        assert np.square(weight).mean() == pytest.approx(variance, rel=0.05)
        assert abs(weight.mean()) < 0.036 * math.sqrt(variance)
        assert not array(layer.bias).any()


@pytest.mark.parametrize(("twin", "options"), TWINS)
def test_generator_decides_the_weights(twin, options):
    first, again, other = (array(twin.MLP([5, 4, 3], **options(seed))[0].weight) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_he_keeps_the_scale_through_twenty_layers():
    # 64 rows of 256 numbers through 20 rectified layers. The mean square of the output is that of
    # the input up to a random factor, whose logarithm has a standard deviation near
    # sqrt(20 * 5 / 256) = 0.6: a factor of 20 is five deviations. Half the variance would leave 1e-6.
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 256))
    y = mlp.MLP([256] * 21, rng=rng)(x)
    assert 1 / 20 < np.square(y).mean() / np.square(x).mean() < 20


def test_keeps_float32(rng):
    net = mlp.MLP([3, 4, 2], rng=rng, dtype=np.float32)
    y = net(np.ones((2, 3), np.float32))
    assert net.backward(y).dtype == y.dtype == np.float32


@pytest.mark.parametrize(("twin", "options"), TWINS)
def test_parameter_counts(twin, options):
    assert twin.count_parameters(twin.MLP([784, 256, 10], **options(0))) == 784 * 256 + 256 + 256 * 10 + 10
    assert twin.count_parameters(twin.MLP([784, 10], bias=False, **options(0))) == 7840
    assert twin.count_parameters(twin.MLP([2, 1], **options(0))[0]) == 3


def test_shared_layer_counts_once(rng):
    layer = linear.Linear(4, 4, rng=rng)
    assert mlp.count_parameters(module.Sequential(layer, layer)) == 20


@pytest.mark.parametrize(("twin", "options"), TWINS)
def test_bad_input(twin, options):
    for sizes, error in [([3], ValueError), ([3, 0], ValueError), ([3, 2.0], TypeError), (3, TypeError)]:
        with pytest.raises(error, match=r"^sizes: expected"):
            twin.MLP(sizes, **options(0))
    with pytest.raises(ValueError, match=r"^activation: expected one of 'sigmoid', .*'elu', got 'swish'"):
        twin.MLP([3, 2], "swish", **options(0))
    with pytest.raises(ValueError, match=r"^dropout: expected a number in \[0, 1\], got 1.5"):
        twin.MLP([3, 2], dropout=1.5, **options(0))
    with pytest.raises(ValueError, match=r"^x: expected shape \(\.\.\., 3\)"):
        twin.MLP([3, 2], **options(0))(np.zeros((1, 4)) if twin is mlp else torch.zeros(1, 4, dtype=torch.float64))
    with pytest.raises(TypeError, match=r"^module: expected a Module, got list"):
        twin.count_parameters([1, 2])


def test_seed_in_place_of_a_generator():
    with pytest.raises(TypeError, match=r"^rng: expected a numpy\.random\.Generator"):
        mlp.MLP([3, 2], rng=0)
