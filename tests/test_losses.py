"""Losses: worked values, invariants, what the lectures claim, and bad input."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dlcourse import losses, losses_torch
from dlcourse.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MBELoss,
    MSELoss,
    MultiClassHingeLoss,
)

TWINS = {
    "reference": SimpleNamespace(module=losses, array=np.asarray),
    "counterpart": SimpleNamespace(module=losses_torch, array=torch.tensor),
}
CLASSIFICATION = ["CrossEntropyLoss", "MultiClassHingeLoss", "BCEWithLogitsLoss", "BCELoss"]
REGRESSION = ["MSELoss", "L1Loss", "MBELoss", "HuberLoss"]


@pytest.fixture(params=TWINS)
def twin(request):
    """Each half in turn."""
    return TWINS[request.param]


# --- values by hand -----------------------------------------------------------------------------


def test_cross_entropy_worked_by_hand():
    logits = np.log([[1.0, 2.0, 5.0], [1.0, 1.0, 2.0]])      # p = (1/8, 2/8, 5/8) and (1/4, 1/4, 1/2)
    target = np.array([1, 2])
    mean, total = CrossEntropyLoss(), CrossEntropyLoss("sum")
    assert mean(logits, target) == pytest.approx((math.log(4) + math.log(2)) / 2, rel=1e-12)
    assert total(logits, target) == pytest.approx(math.log(8), rel=1e-12)
    gradient = np.array([[0.125, -0.75, 0.625], [0.25, 0.25, -0.5]])
    np.testing.assert_allclose(mean.backward(), gradient / 2, rtol=1e-12)
    np.testing.assert_allclose(total.backward(3.0), 3 * gradient, rtol=1e-12)


def test_hinge_worked_by_hand():
    # The true class scores 3: the excess of the others is 3.2 - 3 + 1 = 1.2 and -1 - 3 + 1 < 0. In
    # the second row class 2 scores -3, and 2 and 2.5 exceed it by 6 and 6.5.
    scores = np.array([[3.0, 3.2, -1.0], [2.0, 2.5, -3.0]])
    target = np.array([0, 2])
    loss = MultiClassHingeLoss()
    assert loss(scores, target) == pytest.approx((1.2 + 12.5) / 2, rel=1e-12)
    np.testing.assert_array_equal(loss.backward(), np.array([[-1, 1, 0], [1, 1, -2]]) / 2)


def test_hinge_is_the_multi_margin_loss_of_torch_times_the_number_of_classes(rng):
    scores, target = rng.standard_normal((6, 5)), rng.integers(0, 5, 6)
    divided = torch.nn.MultiMarginLoss()(torch.tensor(scores), torch.tensor(target)).item()
    assert MultiClassHingeLoss()(scores, target) == pytest.approx(5 * divided, rel=1e-12)


def test_binary_cross_entropy_worked_by_hand():
    target = np.array([[1.0, 0.0], [1.0, 0.25]])
    p = np.array([[0.5, 0.75], [0.8, 0.5]])
    value = (math.log(2) + math.log(4) + math.log(1.25) + math.log(2)) / 4
    by_p, by_logit = BCELoss(), BCEWithLogitsLoss()
    assert by_p(p, target) == pytest.approx(value, rel=1e-12)
    assert by_logit(np.log(p / (1 - p)), target) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(by_p.backward(), np.array([[-2, 4], [-1.25, 1]]) / 4, rtol=1e-12)
    np.testing.assert_allclose(by_logit.backward(), (p - target) / 4, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "value", "gradient"),
    [
        (MSELoss(), 14 / 4, [[1.0, -1.5], [0.5, 0.0]]),
        (MSELoss("sum"), 14, [[4.0, -6.0], [2.0, 0.0]]),
        (L1Loss(), 6 / 4, [[0.25, -0.25], [0.25, 0.0]]),
        (L1Loss("sum"), 6, [[1.0, -1.0], [1.0, 0.0]]),
        (MBELoss(), 0, [[-0.25, -0.25], [-0.25, -0.25]]),
        (MBELoss("sum"), 0, [[-1.0, -1.0], [-1.0, -1.0]]),
        (HuberLoss(2.0), (2 + 4 + 0.5) / 4, [[0.5, -0.5], [0.25, 0.0]]),
        (HuberLoss(1.0, "sum"), 1.5 + 2.5 + 0.5, [[1.0, -1.0], [1.0, 0.0]]),
    ],
    ids=lambda x: f"{type(x).__name__}-{x.reduction}" if isinstance(x, losses.Loss) else "",
)
def test_regression_losses_worked_by_hand(loss, value, gradient):
    prediction = np.array([[3.0, -1.0], [5.0, 0.0]])
    target = np.array([[1.0, 2.0], [4.0, 0.0]])              # residuals 2, -3, 1 and 0
    assert loss(prediction, target) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(loss.backward(), gradient, rtol=1e-12)


def test_bias_error_is_target_minus_prediction(twin):
    loss = twin.module.MBELoss()
    assert float(loss(twin.array(np.array([1.0, 1.0])), twin.array(np.array([4.0, 2.0])))) == 2.0


# --- invariants -----------------------------------------------------------------------------------


def example(name, rng, dtype=float):
    """Draw a prediction and a target that a loss accepts."""
    if name in ("CrossEntropyLoss", "MultiClassHingeLoss"):
        return rng.standard_normal((6, 5)).astype(dtype), rng.integers(0, 5, 6)
    return rng.random((6, 5)).astype(dtype), rng.random((6, 5)).astype(dtype)


@pytest.mark.parametrize("name", CLASSIFICATION + REGRESSION)
def test_mean_is_over_what_the_docstring_says(rng, twin, name):
    prediction, target = (twin.array(x) for x in example(name, rng))
    make = getattr(twin.module, name)
    mean, total = (float(make(reduction=reduction)(prediction, target)) for reduction in ("mean", "sum"))
    count = 6 if name in ("CrossEntropyLoss", "MultiClassHingeLoss") else 30
    assert total == pytest.approx(count * mean, rel=1e-12)


@pytest.mark.parametrize("name", CLASSIFICATION + REGRESSION)
def test_result_has_the_input_dtype_and_no_axes(rng, name):
    for dtype in (np.float32, np.float64):
        loss = getattr(losses, name)()
        value = loss(*example(name, rng, dtype))
        assert isinstance(value, dtype)
        assert loss.backward(dtype(2)).dtype == dtype


def test_score_gradients_sum_to_zero(rng):
    # Neither loss notices a shift of all scores of an example.
    for loss in (CrossEntropyLoss(), MultiClassHingeLoss()):
        loss(rng.standard_normal((6, 5)), rng.integers(0, 5, 6))
        np.testing.assert_allclose(loss.backward().sum(axis=1), 0, atol=1e-15)


def test_untrained_scores_cost_log_c_or_c_minus_one():
    target = np.array([0, 3, 9])
    assert CrossEntropyLoss()(np.zeros((3, 10)), target) == pytest.approx(math.log(10), rel=1e-12)
    assert MultiClassHingeLoss()(np.zeros((3, 10)), target) == 9


def test_hinge_is_content_beyond_the_margin_and_cross_entropy_never_is():
    scores, target = np.array([[5.0, 3.9, -2.0]]), np.array([0])
    hinge, cross_entropy = MultiClassHingeLoss(), CrossEntropyLoss()
    assert hinge(scores, target) == 0
    np.testing.assert_array_equal(hinge.backward(), 0)
    assert cross_entropy(scores, target) > 0
    assert cross_entropy.backward()[0, 0] < 0


def test_binary_cross_entropy_is_cross_entropy_of_two_classes(rng):
    x, target = rng.standard_normal(7), rng.integers(0, 2, 7)
    two = CrossEntropyLoss()(np.stack([np.zeros(7), x], axis=1), target)
    assert BCEWithLogitsLoss()(x, target.astype(float)) == pytest.approx(two, rel=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_confident_and_wrong_is_finite(dtype):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert CrossEntropyLoss()(np.array([[1000.0, 0.0]], dtype), np.array([1])) == 1000
        loss = BCEWithLogitsLoss("sum")
        assert loss(np.array([1000.0, -1000.0], dtype), np.array([0.0, 1.0], dtype)) == 2000
        np.testing.assert_array_equal(loss.backward(), [1, -1])
        certain = BCELoss("sum")
        assert certain(np.array([1.0, 0.0, 1.0], dtype), np.array([0.0, 1.0, 1.0], dtype)) == 200
        np.testing.assert_allclose(certain.backward(), [1e12, -1e12, 0], rtol=1e-6)


def test_binary_cross_entropy_of_tiny_probabilities_keeps_its_digits():
    # log(1 - p) computed as written would be 0 for p = 1e-20.
    by_p = BCELoss()(np.array([1e-20]), np.array([0.0]))
    by_logit = BCEWithLogitsLoss()(np.array([-50.0]), np.array([0.0]))
    np.testing.assert_allclose([by_p, by_logit], [1e-20, math.exp(-50)], rtol=1e-12)


def test_huber_is_half_the_square_inside_and_delta_times_the_distance_outside(rng):
    prediction, target = rng.standard_normal((2, 20))
    wide, narrow = HuberLoss(1e3)(prediction, target), HuberLoss(1e-6)(prediction, target) / 1e-6
    assert wide == pytest.approx(0.5 * MSELoss()(prediction, target), rel=1e-12)
    assert narrow == pytest.approx(L1Loss()(prediction, target), rel=1e-5)


def test_an_outlier_moves_the_mse_most():
    target = np.zeros(5)
    prediction = np.array([0.1, -0.1, 0.1, -0.1, 100.0])
    pulls = []
    for loss in (MSELoss(), HuberLoss(), L1Loss()):
        loss(prediction, target)
        gradient = np.abs(loss.backward())
        pulls.append(gradient[-1] / gradient[0])
    np.testing.assert_allclose(pulls, [1000, 10, 1], rtol=1e-9)


def test_constant_that_minimises_mse_is_the_mean_and_mae_the_median():
    target = np.array([0.0, 1.0, 2.0, 3.0, 14.0])
    candidates = np.linspace(0, 14, 141)
    for loss, best in ((MSELoss(), 4.0), (L1Loss(), 2.0)):
        values = [loss(np.full(5, c), target) for c in candidates]
        assert candidates[np.argmin(values)] == pytest.approx(best)


def test_bias_error_cannot_be_trained_on():
    target = np.array([1.0, 2.0])
    loss = MBELoss()
    assert loss(np.array([-99.0, 102.0]), target) == 0       # both far off, and no error to be seen
    prediction = np.zeros(2)
    values = []
    for _ in range(100):
        values.append(loss(prediction, target))
        prediction -= 10 * loss.backward()
    np.testing.assert_allclose(np.diff(values), -5)          # the same gain at every step, without end
    assert MSELoss()(prediction, target) > 1e5


def test_labels_of_any_integer_type(twin):
    logits = twin.array(np.array([[0.0, 2.0], [1.0, 0.0]]))
    for name in ("CrossEntropyLoss", "MultiClassHingeLoss"):
        values = {
            float(getattr(twin.module, name)()(logits, twin.array(np.array([1, 0], dtype))))
            for dtype in (np.int64, np.int32, np.uint8)
        }
        assert len(values) == 1


def test_an_empty_sum_is_zero(twin):
    for name in CLASSIFICATION + REGRESSION:
        scores = name in ("CrossEntropyLoss", "MultiClassHingeLoss")
        prediction = np.zeros((0, 3))
        target = np.zeros(0, int) if scores else np.zeros((0, 3))
        assert float(getattr(twin.module, name)(reduction="sum")(twin.array(prediction), twin.array(target))) == 0


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLASSIFICATION + REGRESSION)
def test_bad_reduction(twin, name):
    with pytest.raises(ValueError, match=r"^reduction: expected one of 'mean', 'sum', got 'none'"):
        getattr(twin.module, name)(reduction="none")


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("MultiClassHingeLoss", {"margin": -1.0}, ValueError, r"^margin: .*\[0, inf\), got -1"),
        ("MultiClassHingeLoss", {"margin": "1"}, TypeError, r"^margin: expected a number, got str"),
        ("HuberLoss", {"delta": 0.0}, ValueError, r"^delta: .*\(0, inf\), got 0"),
        ("HuberLoss", {"delta": None}, TypeError, r"^delta: expected a number"),
    ],
)
def test_bad_options(twin, name, options, error, message):
    with pytest.raises(error, match=message):
        getattr(twin.module, name)(**options)


@pytest.mark.parametrize(("name", "argument"), [("CrossEntropyLoss", "logits"), ("MultiClassHingeLoss", "scores")])
@pytest.mark.parametrize(
    ("scores", "target", "error", "message"),
    [
        (np.zeros((0, 3)), np.zeros(0, int), ValueError, r"ARG: expected at least one element"),
        (np.zeros(3), np.zeros(3, int), ValueError, r"ARG: expected shape \(N, C\), got \(3,\)"),
        (np.zeros((2, 3), int), np.zeros(2, int), TypeError, r"ARG: expected dtype .*float.*, got .*int64"),
        (np.zeros((2, 3)), np.array([0, 3]), ValueError, r"target: expected labels from 0 to 2, got 3 at index 1"),
        (np.zeros((2, 3)), np.array([-100, 0]), ValueError, r"target: .*from 0 to 2, got -100 at index 0"),
        (np.zeros((2, 3)), np.zeros(3, int), ValueError, r"target: expected shape \(2,\), got \(3,\)"),
        (np.zeros((2, 3)), np.zeros((2, 3), int), ValueError, r"target: expected shape \(2,\), got \(2, 3\)"),
        (np.zeros((2, 3)), np.zeros(2), TypeError, r"target: expected dtype an integer type, got .*float64"),
    ],
)
def test_bad_scores_and_labels(twin, name, argument, scores, target, error, message):
    with pytest.raises(error, match="^" + message.replace("ARG", argument)):
        getattr(twin.module, name)()(twin.array(scores), twin.array(target))


@pytest.mark.parametrize("name", ["BCEWithLogitsLoss", "BCELoss", *REGRESSION])
def test_bad_prediction_and_target(twin, name):
    loss = getattr(twin.module, name)()
    argument = "logits" if name == "BCEWithLogitsLoss" else "prediction"

    def call(prediction, target):
        return loss(twin.array(prediction), twin.array(target))

    with pytest.raises(ValueError, match=rf"^{argument}: expected at least one element"):
        call(np.zeros((0, 3)), np.zeros((0, 3)))
    with pytest.raises(TypeError, match=rf"^{argument}: expected dtype .*float.*, got .*int64"):
        call(np.zeros(3, int), np.zeros(3))
    with pytest.raises(TypeError, match=rf"^{argument}: expected a .*, got list"):
        loss([0.5], twin.array(np.zeros(1)))
    # The classic: (3, 1) against (3,) would broadcast to nine residuals.
    with pytest.raises(ValueError, match=r"^target: expected shape \(3, 1\), got \(3,\)"):
        call(np.zeros((3, 1)), np.zeros(3))
    with pytest.raises(TypeError, match=r"^target: expected dtype .*float64, got .*float32"):
        call(np.zeros(3), np.zeros(3, np.float32))


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_bad_probabilities(twin, bad):
    good, broken = twin.array(np.array([[0.5, 0.5]])), twin.array(np.array([[0.5, bad]]))
    message = rf"expected numbers from 0 to 1, got {bad} at index \(0, 1\)"
    with pytest.raises(ValueError, match=f"^prediction: {message}"):
        twin.module.BCELoss()(broken, good)
    with pytest.raises(ValueError, match=f"^target: {message}"):
        twin.module.BCELoss()(good, broken)
    with pytest.raises(ValueError, match=f"^target: {message}"):
        twin.module.BCEWithLogitsLoss()(good, broken)


@pytest.mark.parametrize("name", CLASSIFICATION + REGRESSION)
def test_bad_output_gradient(rng, name):
    loss = getattr(losses, name)()
    loss(*example(name, rng))
    with pytest.raises(TypeError, match=r"^dy: expected a number, got an array"):
        loss.backward(np.ones(6))
