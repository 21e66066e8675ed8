"""Heads: what regression, choosing a class and tagging with labels do with the same outputs."""

import math

import numpy as np
import pytest
import torch

from dlcourse import heads, heads_torch
from dlcourse.gradcheck import numerical_gradient, relative_error
from tests.parity.heads import NAMES, draw_target

TWINS = [
    pytest.param(heads, np.asarray, lambda: {"rng": np.random.default_rng(0)}, id="reference"),
    pytest.param(heads_torch, torch.tensor, lambda: {"rng": torch.Generator().manual_seed(0), "dtype": torch.float64},
                 id="counterpart"),
]
SIZES = list(zip(NAMES, ["out_features", "num_classes", "num_labels"], strict=True))
SCORES = np.array([[2.0, -1.0, 0.5], [-3.0, -2.0, -1.0]])


@pytest.mark.parametrize(("twin", "array", "options"), TWINS)
def test_classes_compete(twin, array, options):
    head = twin.MultiClassHead(4, 3, **options())
    before = np.asarray(head.probabilities(array(SCORES)))
    raised = SCORES.copy()
    raised[:, 1] += 1
    after = np.asarray(head.probabilities(array(raised)))
    assert before.sum(axis=1) == pytest.approx([1, 1])
    assert np.all(after[:, 1] > before[:, 1])
    assert np.all(after[:, [0, 2]] < before[:, [0, 2]])
    assert head.predict(array(SCORES)).tolist() == [0, 2]          # one class each, even if all scores are low


@pytest.mark.parametrize(("twin", "array", "options"), TWINS)
def test_labels_do_not_compete(twin, array, options):
    head = twin.MultiLabelHead(4, 3, **options())
    before = np.asarray(head.probabilities(array(SCORES)))
    raised = SCORES.copy()
    raised[:, 1] += 1
    after = np.asarray(head.probabilities(array(raised)))
    assert np.all(after[:, 1] > before[:, 1])
    assert np.array_equal(after[:, [0, 2]], before[:, [0, 2]])
    assert before[0].sum() > 1
    assert before[1].sum() < 1
    assert head.predict(array(SCORES)).tolist() == [[1, 0, 1], [0, 0, 0]]    # any number of labels, or none


@pytest.mark.parametrize(("twin", "array", "options"), TWINS)
def test_losses_by_hand(twin, array, options):
    regression = twin.RegressionHead(4, 2, **options())
    output = array(np.array([[1.0, 2.0], [0.0, -1.0]]))
    assert float(regression.loss(output, array(np.array([[0.0, 2.0], [2.0, -1.0]])))) == pytest.approx((1 + 4) / 4)
    assert regression.predict(output).tolist() == output.tolist()
    classes = twin.MultiClassHead(4, 2, **options())
    expected = -math.log(math.e / (math.e + math.e**2)) / 2 - math.log(1 / (1 + math.exp(-1))) / 2
    assert float(classes.loss(output, array(np.array([0, 0])))) == pytest.approx(expected)
    labels = twin.MultiLabelHead(4, 2, **options())
    sigma = [1 / (1 + math.exp(-score)) for score in (1.0, 2.0, 0.0, -1.0)]
    expected = -(math.log(sigma[0]) + math.log(1 - sigma[1]) + math.log(1 - sigma[2]) + math.log(sigma[3])) / 4
    assert float(labels.loss(output, array(np.array([[1.0, 0.0], [0.0, 1.0]])))) == pytest.approx(expected)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_of_the_loss_reaches_the_weights(rng, name):
    head = getattr(heads, name)(4, 3, rng=rng)
    x, target = rng.standard_normal((5, 4)), draw_target(name, rng, np.float64, 5, 3)
    head.loss(head(x), target)
    dx = head.backward(head.loss_backward())
    for array, gradient in ((x, dx), (head.weight.data, head.weight.grad), (head.bias.data, head.bias.grad)):
        assert relative_error(gradient, numerical_gradient(lambda _: head.loss(head(x), target), array)) < 1e-7


@pytest.mark.parametrize("name", NAMES)
def test_each_head_learns_its_task(rng, name):
    x = rng.standard_normal((200, 4))
    scores = x @ rng.standard_normal((4, 3))
    target = {
        "RegressionHead": scores,
        "MultiClassHead": scores.argmax(axis=1),
        "MultiLabelHead": (scores > 0).astype(float),
    }[name]
    head = getattr(heads, name)(4, 3, rng=rng)
    for _ in range(400):
        head.zero_grad()
        head.loss(head(x), target)
        head.backward(head.loss_backward())
        for parameter in head.parameters():
            parameter.data -= 0.5 * parameter.grad
    if name == "RegressionHead":
        assert np.abs(head.predict(head(x)) - target).max() < 1e-3
    else:
        assert np.mean(head.predict(head(x)) == target) > 0.95


@pytest.mark.parametrize(("twin", "array", "options"), TWINS)
@pytest.mark.parametrize("name", NAMES)
def test_weights_are_those_of_a_linear_layer(twin, array, options, name):
    head = getattr(twin, name)(4, 3, **options())
    assert {key: tuple(value.shape) for key, value in head.state_dict().items()} == {"weight": (3, 4), "bias": (3,)}


@pytest.mark.parametrize(("twin", "array", "options"), TWINS)
@pytest.mark.parametrize("name", NAMES)
def test_bad_outputs(twin, array, options, name):
    head = getattr(twin, name)(4, 3, **options())
    methods = [head.predict, lambda output: head.loss(output, None)]
    methods += [head.probabilities] if name != "RegressionHead" else []
    for method in methods:
        with pytest.raises(ValueError, match=r"^output: expected shape \(N, 3\), got \(2, 4\)"):
            method(array(np.zeros((2, 4))))
        with pytest.raises(TypeError, match=r"^output: expected dtype (torch\.)?float64"):
            method(array(np.zeros((2, 3), np.float32)))


@pytest.mark.parametrize(("twin", "array", "options"), TWINS)
@pytest.mark.parametrize(("name", "argument"), SIZES)
def test_bad_sizes(twin, array, options, name, argument):
    with pytest.raises(ValueError, match=r"^in_features: expected an integer at least 1, got 0"):
        getattr(twin, name)(0, 3, **options())
    with pytest.raises(ValueError, match=rf"^{argument}: expected an integer at least 1, got 0"):
        getattr(twin, name)(4, 0, **options())
    with pytest.raises(TypeError, match=rf"^{argument}: expected an integer, got float"):
        getattr(twin, name)(4, 1.5, **options())


@pytest.mark.parametrize(("twin", "array", "options"), TWINS)
def test_bad_targets(twin, array, options):
    output = array(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"^target: expected shape \(2, 3\), got \(2, 1\)"):
        twin.RegressionHead(4, 3, **options()).loss(output, array(np.zeros((2, 1))))
    with pytest.raises(ValueError, match=r"^target: expected labels from 0 to 2, got 3 at index 1"):
        twin.MultiClassHead(4, 3, **options()).loss(output, array(np.array([0, 3])))
    with pytest.raises(ValueError, match=r"^target: expected numbers from 0 to 1, got 2"):
        twin.MultiLabelHead(4, 3, **options()).loss(output, array(np.full((2, 3), 2.0)))
    with pytest.raises(ValueError, match=r"expected at least one element"):
        twin.RegressionHead(4, 3, **options()).loss(output[:0], output[:0])
