"""What a network looks at: linear models by hand, ascents that arrive, and what is refused."""

import numpy as np
import pytest
import torch

from dlcourse import saliency, saliency_torch
from dlcourse.activations import ReLU
from dlcourse.conv import Conv2d
from dlcourse.interop import copy_weights
from dlcourse.lenet import LeNet5
from dlcourse.mlp import MLP
from dlcourse.mlp_torch import MLP as MLPTwin
from dlcourse.module import Flatten, Sequential

HALVES = pytest.mark.parametrize("half", [saliency, saliency_torch], ids=["reference", "counterpart"])
X = np.random.default_rng(0).random((4, 5))


def numbers(half, x):
    return x if half is saliency else torch.from_numpy(np.asarray(x))


def linear(half):
    """Give a linear model and its weights, (3, 5)."""
    reference = MLP([5, 3], rng=np.random.default_rng(1))
    weight = reference[0].weight.data
    if half is saliency:
        return reference, weight
    twin = MLPTwin([5, 3], dtype=torch.float64)
    copy_weights(reference, twin)
    return twin, weight


@HALVES
def test_the_slopes_of_a_linear_model_are_its_weights(half):
    model, weight = linear(half)
    t = np.array([2, 0, 1, 2])
    slopes = half.saliency(model, numbers(half, X), numbers(half, t))
    assert np.allclose(slopes, weight[t], atol=1e-15)
    parameters = model.parameters()
    assert all(parameter.grad is None for parameter in parameters)


def test_pixels_that_no_score_sees_have_no_slope():
    """A convolution with a stride of two and kernels of one pixel sees a quarter of the image."""
    rng = np.random.default_rng(0)
    model = Sequential(Conv2d(1, 1, 1, 2, rng=rng), Flatten())
    slopes = saliency.saliency(model, rng.random((1, 1, 4, 4)), np.array([3]))
    assert np.flatnonzero(slopes).tolist() == [10]         # row 2, column 2
    assert slopes[0, 0, 2, 2] == model[0].weight.data.item()


def test_lenet_in_float32():
    model = LeNet5(rng=np.random.default_rng(0), dtype=np.float32)
    x = np.random.default_rng(1).random((2, 1, 32, 32), dtype=np.float32)
    t = np.array([1, 7])
    slopes = saliency.saliency(model, x, t)
    assert slopes.dtype == np.float32
    direction = np.random.default_rng(2).standard_normal(x.shape).astype(np.float32)
    rise = (model(x + 1e-2 * direction) - model(x - 1e-2 * direction))[np.arange(2), t] / 2e-2
    assert np.allclose(rise, (slopes * direction).sum(axis=(1, 2, 3)), atol=2e-2)


@HALVES
def test_ascent_on_a_linear_score_arrives_where_penalty_and_slope_balance(half):
    """The maximum of w x - penalty |x|^2 is w / (2 penalty)."""
    model, weight = linear(half)
    start = numbers(half, X.copy())
    best = half.activation_maximization(model, 1, start, steps=200, lr=0.2, penalty=0.5)
    assert np.allclose(best, weight[1] / (2 * 0.5), atol=1e-12)
    assert np.array_equal(start, X)


@HALVES
def test_between_bounds_a_linear_score_is_largest_in_a_corner(half):
    model, weight = linear(half)
    best = half.activation_maximization(model, 0, numbers(half, X), steps=50, lr=10.0, bounds=(0, 1))
    assert np.array_equal(best, np.broadcast_to(weight[0] > 0, X.shape))


def test_a_hidden_unit_is_a_score_of_a_network_cut_short():
    model = MLP([5, 4, 3], "tanh", rng=np.random.default_rng(3))
    hidden = Sequential(*model.layers[:2])
    best = saliency.activation_maximization(hidden, 2, np.zeros((1, 5)), steps=50, lr=0.5)
    assert hidden(best)[0, 2] > 0.9


@HALVES
def test_the_strongest_images_and_their_places_by_hand(half):
    maps = np.zeros((4, 2, 2, 3))
    maps[2, 0, 1, 2], maps[2, 0, 0, 0], maps[0, 0, 0, 1] = 9, 8, 5
    maps[3, 1], maps[1, 1, 1, 0] = 2, 2
    places = np.asarray(half.top_activations(numbers(half, maps), 2))
    assert places[0].tolist() == [[2, 1, 2], [0, 0, 1]]    # an image counts once
    assert places[1].tolist() == [[1, 1, 0], [3, 0, 0]]    # among equals, the first
    assert places.dtype == np.int64


@HALVES
def test_among_many_equals_the_order_is_that_of_the_images(half):
    """Of 100 images, the 50 odd ones are equal and lead."""
    maps = numbers(half, np.arange(100.0).reshape(100, 1, 1, 1) % 2)
    assert np.asarray(half.top_activations(maps, 50))[0, :, 0].tolist() == list(range(1, 100, 2))


def test_the_patch_at_such_a_place_is_what_the_unit_saw():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((6, 1, 7, 7))
    layer = Conv2d(1, 2, 3, rng=rng)
    maps = ReLU()(layer(x))
    for unit, best in enumerate(saliency.top_activations(maps, 3)):
        for image, row, column in best:
            answer = (layer.weight.data[unit] * x[image, :, row:row + 3, column:column + 3]).sum()
            assert answer + layer.bias.data[unit] == pytest.approx(maps[image, unit].max())


@HALVES
def test_bad_input(half):
    model, _ = linear(half)
    x, t = numbers(half, X), numbers(half, np.array([0, 1, 2, 0]))
    with pytest.raises(TypeError, match="model: expected a"):
        half.saliency(None, x, t)
    with pytest.raises(TypeError, match="x: expected a"):
        half.saliency(model, X.tolist(), t)
    with pytest.raises(ValueError, match="t: expected labels from 0 to 2, got 4"):
        half.saliency(model, x, t + 4)
    with pytest.raises(ValueError, match=r"t: expected shape \(4,\)"):
        half.saliency(model, x, t[:2])
    layers = ReLU() if half is saliency else torch.nn.ReLU()
    with pytest.raises(ValueError, match=r"model\(x\): expected shape \(N, C\)"):
        half.saliency(layers, numbers(half, np.ones((2, 3, 5))), t[:2])
    ascent = {"unit": 0, "x": x, "steps": 2, "lr": 0.1}
    for name, value, kind in [("unit", 3, ValueError), ("unit", -1, ValueError), ("unit", 0.5, TypeError),
                              ("steps", 0, ValueError), ("lr", 0.0, ValueError), ("penalty", -1.0, ValueError),
                              ("bounds", (1, 0), ValueError), ("x", X.tolist(), TypeError)]:
        with pytest.raises(kind, match=f"^{name}: expected"):
            half.activation_maximization(model, **ascent | {name: value})
    maps = np.zeros((2, 1, 3, 3))
    for wrong, k, message in [(maps, 3, "k: expected"), (maps, 0, "k: expected"), (maps[0], 1, "maps: expected shape"),
                              (maps[:0], 1, "maps: expected at least one")]:
        with pytest.raises(ValueError, match=message):
            half.top_activations(numbers(half, wrong), k)
