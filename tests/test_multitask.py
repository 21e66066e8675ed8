"""Multi-task learning: what the trunk hears, and what the pull between towers does."""

import numpy as np
import pytest
import torch

from dlcourse import heads, linear, linear_torch, mlp, multitask, multitask_torch
from dlcourse.gradcheck import numerical_gradient, relative_error


def make(twin, in_features, out_features, seed=0):
    """Make a float64 linear layer of either twin."""
    if twin is multitask:
        return linear.Linear(in_features, out_features, rng=np.random.default_rng(seed))
    return linear_torch.Linear(in_features, out_features, rng=torch.Generator().manual_seed(seed), dtype=torch.float64)


def hard(rng):
    """Make a trunk with a regression and a classification head."""
    trunk = mlp.MLP([4, 6, 5], "tanh", rng=rng)
    return multitask.HardSharing(
        trunk, {"size": heads.RegressionHead(5, 1, rng=rng), "kind": heads.MultiClassHead(5, 3, rng=rng)}
    )


def soft(coefficient, seed=0):
    """Make three networks of the same architecture."""
    rng = np.random.default_rng(seed)
    return multitask.SoftSharing({name: mlp.MLP([2, 3, 1], "tanh", rng=rng) for name in "abc"}, coefficient)


TWINS = [pytest.param(multitask, id="reference"), pytest.param(multitask_torch, id="counterpart")]


def test_trunk_gets_the_sum_of_the_gradients_of_all_tasks(rng):
    net = hard(rng)
    x, dy = rng.standard_normal((7, 4)), {"size": rng.standard_normal((7, 1)), "kind": rng.standard_normal((7, 3))}
    silence = {name: np.zeros_like(value) for name, value in dy.items()}
    trunk_gradients, dxs = [], []
    for given in (dy, {**silence, "size": dy["size"]}, {**silence, "kind": dy["kind"]}):
        net.zero_grad()
        net(x)
        dxs.append(net.backward(given))
        trunk_gradients.append([parameter.grad for parameter in net.trunk.parameters()])
    assert dxs[0] == pytest.approx(dxs[1] + dxs[2])
    for both, size, kind in zip(*trunk_gradients, strict=True):
        assert both == pytest.approx(size + kind)
        assert np.abs(size).max() > 0
        assert np.abs(kind).max() > 0


def test_weighted_loss_of_two_heads_has_the_right_gradient(rng):
    net = hard(rng)
    x, target = rng.standard_normal((7, 4)), {"size": rng.standard_normal((7, 1)), "kind": rng.integers(0, 3, 7)}
    weights = {"size": 1.0, "kind": 0.3}

    def loss(_=None):
        outputs = net(x)
        losses = {name: head.loss(outputs[name], target[name]) for name, head in net.heads.items()}
        return multitask.weighted_sum(losses, weights)

    loss()
    net.backward({name: head.loss_backward(weights[name]) for name, head in net.heads.items()})
    for name, parameter in net.named_parameters():
        assert relative_error(parameter.grad, numerical_gradient(loss, parameter.data)) < 1e-7, name


@pytest.mark.parametrize("twin", TWINS)
def test_names_are_those_of_a_module_dict(twin):
    net = twin.HardSharing(make(twin, 2, 3), {"a": make(twin, 3, 1), "b": make(twin, 3, 2)})
    expected = ["trunk.weight", "trunk.bias", "heads.a.weight", "heads.a.bias", "heads.b.weight", "heads.b.bias"]
    assert list(net.state_dict()) == expected
    net = twin.SoftSharing({"a": make(twin, 2, 3), "b": make(twin, 2, 3)}, 0.5)
    assert list(net.state_dict()) == ["towers.a.weight", "towers.a.bias", "towers.b.weight", "towers.b.bias"]


@pytest.mark.parametrize("twin", TWINS)
def test_training_mode_reaches_every_part(twin):
    net = twin.HardSharing(make(twin, 2, 3), {"a": make(twin, 3, 1)})
    net.eval()
    assert (net.trunk.training, net.heads["a"].training) == (False, False)
    net.train()
    assert (net.trunk.training, net.heads["a"].training) == (True, True)


@pytest.mark.parametrize("twin", TWINS)
def test_penalty_by_hand(twin):
    net = twin.SoftSharing({name: make(twin, 1, 1) for name in "abc"}, 0.5)
    for name, weight, bias in (("a", 1.0, 0.0), ("b", 2.0, 0.0), ("c", 4.0, 1.0)):
        net.towers[name].weight.data[...] = weight
        net.towers[name].bias.data[...] = bias
    # Weights: 1 + 9 + 4; biases: 0 + 1 + 1.
    assert net.penalty().item() == 0.5 * 16


def test_penalty_gradient_and_its_sum():
    net = soft(0.7)
    net.penalty_backward(dy=2.0)
    for name, parameter in net.named_parameters():
        numerical = numerical_gradient(lambda _: 2.0 * net.penalty(), parameter.data)
        assert relative_error(parameter.grad, numerical) < 1e-7, name
    # What pulls one tower pushes another: the gradients of like parameters add up to nothing.
    for like in zip(*(tower.parameters() for tower in net.towers.values()), strict=True):
        assert sum(parameter.grad for parameter in like) == pytest.approx(np.zeros(like[0].shape))


def test_penalty_adds_to_gradients_of_the_loss(rng):
    net = soft(0.7)
    x, dy = rng.standard_normal((4, 2)), {name: np.ones((4, 1)) for name in "abc"}
    net(x)
    net.backward(dy)
    alone = [parameter.grad.copy() for parameter in net.parameters()]
    net.zero_grad()
    net.penalty_backward()
    pull = [parameter.grad.copy() for parameter in net.parameters()]
    net(x)
    net.backward(dy)
    for parameter, first, second in zip(net.parameters(), alone, pull, strict=True):
        assert parameter.grad == pytest.approx(first + second)


def test_coefficient_decides_how_alike_the_towers_become():
    # Each tower learns its own line, y = s x; the pull makes the three slopes meet in the middle.
    x = np.linspace(-1, 1, 20)[:, None]
    slopes = {"a": -1.0, "b": 0.0, "c": 2.0}

    def spread(coefficient):
        rng = np.random.default_rng(0)
        net = multitask.SoftSharing({name: linear.Linear(1, 1, rng=rng) for name in slopes}, coefficient)
        for _ in range(500):
            net.zero_grad()
            outputs = net(x)
            net.backward({name: 2 * (outputs[name] - slopes[name] * x) / len(x) for name in slopes})
            net.penalty_backward()
            for parameter in net.parameters():
                parameter.data -= 0.05 * parameter.grad
        return np.ptp([tower.weight.data.item() for tower in net.towers.values()])

    apart, near, together = spread(0.0), spread(0.1), spread(3.0)
    assert apart == pytest.approx(3.0, abs=1e-3)
    assert together < 0.2 < near < 2.8


def test_weighted_sum_by_hand():
    total = multitask.weighted_sum({"a": 1.0, "b": 10.0, "c": 100.0}, {"c": 0.5, "a": 1, "b": 0})
    assert total == 51.0


@pytest.mark.parametrize("twin", TWINS)
def test_bad_modules(twin):
    layer = make(twin, 2, 3)
    with pytest.raises(TypeError, match=r"^trunk: expected a Module, got function"):
        twin.HardSharing(make, {"a": layer})
    for bad in ({}, [layer], layer):
        with pytest.raises(TypeError, match=r"^heads: expected a dict of at least one name to a Module"):
            twin.HardSharing(layer, bad)
    with pytest.raises(TypeError, match=r"^heads\['a'\]: expected a name for a Module, got int 3"):
        twin.HardSharing(layer, {"a": 3})
    with pytest.raises(TypeError, match=r"^towers\[1\]: expected a name for a Module"):
        twin.SoftSharing({1: layer, 2: layer}, 0.1)
    with pytest.raises(ValueError, match=r"^towers: expected at least two, got 1"):
        twin.SoftSharing({"a": layer}, 0.1)
    with pytest.raises(ValueError, match=r"^towers\['b'\]: expected parameters like those of 'a', .*\(2, 2\)"):
        twin.SoftSharing({"a": layer, "b": make(twin, 2, 2)}, 0.1)
    for coefficient in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"^coefficient: expected a number in \[0, inf\)"):
            twin.SoftSharing({"a": layer, "b": make(twin, 2, 3)}, coefficient)


def test_bad_gradients(rng):
    for net, name in ((hard(rng), "heads"), (soft(0.1), "towers")):
        net(np.zeros((1, 4 if name == "heads" else 2)))
        with pytest.raises(ValueError, match=rf"^dy: expected the names of {name}, .*, got \['size', 'type'\]"):
            net.backward({"size": np.zeros((1, 1)), "type": np.zeros((1, 3))})
        with pytest.raises(TypeError, match=r"^dy: expected a dict, got an array of float64"):
            net.backward(np.zeros((1, 1)))


@pytest.mark.parametrize(("twin", "number"), [(multitask, np.float64), (multitask_torch, torch.tensor)])
def test_bad_losses(twin, number):
    losses = {"a": number(1.0), "b": number(2.0)}
    with pytest.raises(ValueError, match=r"^weights: expected the names of losses, \['a', 'b'\], got \['a'\]"):
        twin.weighted_sum(losses, {"a": 1.0})
    with pytest.raises(ValueError, match=r"^weights\['b'\]: expected a number in \[0, inf\), got -1"):
        twin.weighted_sum(losses, {"a": 1.0, "b": -1.0})
    with pytest.raises(TypeError, match=r"^losses\['a'\]: expected"):
        twin.weighted_sum({"a": "1"}, {"a": 1.0})
    with pytest.raises(ValueError, match=r"^losses: expected at least one, got none"):
        twin.weighted_sum({}, {})
    with pytest.raises(TypeError, match=r"^weights: expected a dict, got list"):
        twin.weighted_sum(losses, [1.0, 2.0])
