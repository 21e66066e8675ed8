"""Adversarial examples: by hand on a linear model, what an attack leaves alone, and what is refused."""

import numpy as np
import pytest
import torch

from dlcourse import adversarial, adversarial_torch, lenet, losses, losses_torch, mlp, mlp_torch
from dlcourse.gradcheck import numerical_gradient
from dlcourse.interop import copy_weights

HALVES = pytest.mark.parametrize("half", [adversarial, adversarial_torch], ids=["reference", "counterpart"])
X, T = np.random.default_rng(0).uniform(0.3, 0.7, (4, 6)), np.array([0, 1, 2, 0])


def numbers(half, x):
    return x if half is adversarial else torch.from_numpy(np.asarray(x))


def network(half, sizes=(6, 8, 3), **settings):
    """Give model and loss; the counterpart has the reference's weights."""
    reference = mlp.MLP(list(sizes), "tanh", rng=np.random.default_rng(1), **settings)
    if half is adversarial:
        return reference, losses.CrossEntropyLoss()
    twin = mlp_torch.MLP(list(sizes), "tanh", dtype=torch.float64, **settings)
    copy_weights(reference, twin)
    return twin, losses_torch.CrossEntropyLoss()


@HALVES
def test_the_gradient_is_that_of_difference_quotients(half):
    model, loss = network(half)
    reference, its_loss = network(adversarial)
    expected = numerical_gradient(lambda x: its_loss(reference(x), T), X.copy())
    assert np.allclose(half.input_gradient(model, loss, numbers(half, X), numbers(half, T)), expected, atol=1e-8)


def test_a_linear_score_moves_by_epsilon_times_the_sum_of_slopes():
    """Two classes, scores w x and 0: the step is against the sign of w, whatever its size."""
    model = mlp.MLP([3, 2], bias=False, rng=np.random.default_rng(0))
    w = np.array([2.0, -0.001, 0.5])
    model[0].weight.data[...] = [w, np.zeros(3)]
    x = np.full((1, 3), 0.5)
    moved = adversarial.fast_gradient_sign(model, losses.CrossEntropyLoss(), x, np.array([0]), 0.1)
    assert np.allclose(moved - x, [[-0.1, 0.1, -0.1]], atol=1e-15)
    assert (model(x) - model(moved))[0, 0] == pytest.approx(0.1 * np.abs(w).sum())


@HALVES
def test_no_pixel_moves_too_far_or_out_of_bounds(half):
    model, loss = network(half)
    x, t = numbers(half, X), numbers(half, T)
    for moved in (half.fast_gradient_sign(model, loss, x, t, 0.4, (0.2, 0.8)),
                  half.basic_iterative(model, loss, x, t, 0.4, 0.15, 6, (0.2, 0.8))):
        moved = np.asarray(moved)
        assert np.abs(moved - X).max() <= 0.4 + 1e-12
        assert moved.min() == 0.2
        assert moved.max() == 0.8
    assert np.array_equal(half.fast_gradient_sign(model, loss, x, t, 0.0), X)


@HALVES
def test_one_long_step_is_the_fast_method_and_more_steps_raise_the_loss_at_least_as_much(half):
    model, loss = network(half)
    x, t = numbers(half, X), numbers(half, T)
    fast = half.fast_gradient_sign(model, loss, x, t, 0.2)
    assert np.array_equal(half.basic_iterative(model, loss, x, t, 0.2, 0.2, 1), fast)
    slow = half.basic_iterative(model, loss, x, t, 0.2, 0.02, 20)
    assert loss(model(x), t) < loss(model(fast), t) <= loss(model(slow), t) + 1e-9


def test_small_steps_stop_on_top_of_a_hill_that_a_long_one_jumps_over():
    """The loss is a hill over the line, tanh 9 (x - 0.3) - tanh 9 (x - 0.7), with its top at 0.5."""
    model, loss = mlp.MLP([1, 2, 2], "tanh", rng=np.random.default_rng(0)), losses.CrossEntropyLoss()
    model[0].weight.data[...], model[0].bias.data[...] = 9, [-2.7, -6.3]
    model[2].weight.data[...] = [[-1, 1], [1, -1]]
    x, t = np.array([[0.35]]), np.array([0])
    assert adversarial.fast_gradient_sign(model, loss, x, t, 0.6).item() == pytest.approx(0.95)
    assert adversarial.basic_iterative(model, loss, x, t, 0.6, 0.02, 30).item() == pytest.approx(0.5, abs=0.021)


@HALVES
def test_mode_and_gradients_stay_as_they_were(half):
    """With dropout of one half: in training mode two gradients would differ."""
    model, loss = network(half, dropout=0.5)
    model.train()
    last = model[len(model) - 1]
    last.train(False)
    model[0].weight.grad = marker = numbers(half, np.full((8, 6), 7.0))
    x, t = numbers(half, X), numbers(half, T)
    first, second = (half.input_gradient(model, loss, x, t) for _ in range(2))
    assert np.array_equal(first, second)
    assert model.training
    assert not last.training
    assert model[0].weight.grad is marker
    assert np.all(np.asarray(marker) == 7)
    assert model[0].bias.grad is None
    with pytest.raises(ValueError, match="target"):
        half.input_gradient(model, loss, x, t + 9)
    assert model.training
    assert model[0].weight.grad is marker


def test_the_input_is_not_changed_and_needs_no_gradient_afterwards():
    model, loss = network(adversarial_torch)
    x = torch.from_numpy(X.copy())
    with torch.no_grad():                                  # evaluation code often runs like this
        moved = adversarial_torch.fast_gradient_sign(model, loss, x, torch.from_numpy(T), 0.1)
    assert np.array_equal(x, X)
    assert not x.requires_grad
    assert not moved.requires_grad


def test_images_and_float32_through_lenet():
    model = lenet.LeNet5(rng=np.random.default_rng(0), dtype=np.float32)
    x = np.random.default_rng(1).random((2, 1, 32, 32), dtype=np.float32)
    moved = adversarial.fast_gradient_sign(model, losses.CrossEntropyLoss(), x, np.array([3, 8]), 0.1)
    assert moved.dtype == np.float32
    assert moved.shape == x.shape
    assert all(parameter.grad is None for parameter in model.parameters())


@HALVES
def test_bad_input(half):
    model, loss = network(half)
    x, t = numbers(half, X), numbers(half, T)
    attack = half.fast_gradient_sign
    for wrong, kind, message in [
        ((None, loss, x, t, 0.1), TypeError, "model: expected a"),
        ((model, "loss", x, t, 0.1), TypeError, "loss: expected a"),
        ((model, loss, X.tolist(), t, 0.1), TypeError, "x: expected a"),
        ((model, loss, numbers(half, X > 0.5), t, 0.1), TypeError, "x: expected dtype"),
        ((model, loss, x[0], t, 0.1), ValueError, "x: expected shape"),
        ((model, loss, x * np.nan, t, 0.1), ValueError, "x: expected finite"),
        ((model, loss, x + 1, t, 0.1), ValueError, "x: expected pixels from 0 to 1"),
        ((model, loss, x, t, -0.1), ValueError, "epsilon: expected"),
        ((model, loss, x, t, "a"), TypeError, "epsilon: expected"),
        ((model, loss, x, t, 0.1, (1, 0)), ValueError, "bounds: expected the smaller"),
        ((model, loss, x, t, 0.1, 1), TypeError, "bounds: expected two"),
        ((model, loss, x[:0], t[:0], 0.1), ValueError, "logits: expected at least one"),
    ]:
        with pytest.raises(kind, match=message):
            attack(*wrong)
    with pytest.raises(ValueError, match="step: expected"):
        half.basic_iterative(model, loss, x, t, 0.1, -0.1, 3)
    with pytest.raises(ValueError, match="steps: expected"):
        half.basic_iterative(model, loss, x, t, 0.1, 0.1, 0)
