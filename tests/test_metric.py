"""Metric learning: worked values, the points where distances have no direction, and bad input."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dlcourse import metric, metric_torch
from dlcourse.metric import ContrastiveLoss, TripletMarginLoss, pairwise_distances

TWINS = {
    "reference": SimpleNamespace(module=metric, array=np.asarray),
    "counterpart": SimpleNamespace(module=metric_torch, array=torch.tensor),
}


@pytest.fixture(params=TWINS)
def twin(request):
    """Each half in turn."""
    return TWINS[request.param]


# --- values by hand -----------------------------------------------------------------------------


def test_contrastive_worked_by_hand():
    x1 = np.array([[3.0, 4.0], [3.0, 4.0], [0.6, 0.8]])
    x2 = np.zeros((3, 2))                                    # distances 5, 5 and 1
    same = np.array([1, 0, 0])
    loss = ContrastiveLoss(margin=3.0, reduction="sum")
    assert loss(x1, x2, same) == pytest.approx(12.5 + 0 + 2, rel=1e-12)
    d_x1, d_x2 = loss.backward()
    np.testing.assert_allclose(d_x1, [[3, 4], [0, 0], [-1.2, -1.6]], rtol=1e-12)
    np.testing.assert_array_equal(d_x2, -d_x1)
    mean = ContrastiveLoss(margin=3.0)
    assert mean(x1, x2, same) == pytest.approx(14.5 / 3, rel=1e-12)
    np.testing.assert_allclose(mean.backward(2.0)[0], 2 * d_x1 / 3, rtol=1e-12)


def test_triplet_worked_by_hand():
    anchor = np.array([[0.0, 0.0], [0.0, 0.0]])
    positive = np.array([[3.0, 4.0], [0.0, 1.0]])
    negative = np.array([[0.0, 3.0], [0.0, 9.0]])            # 5 - 3 + 1 = 3, and 1 - 9 + 1 < 0
    loss = TripletMarginLoss()
    assert loss(anchor, positive, negative) == pytest.approx(1.5, abs=2e-6)     # PyTorch's epsilon
    d_anchor, d_positive, d_negative = loss.backward()
    np.testing.assert_allclose(d_anchor, [[-0.3, 0.1], [0, 0]], atol=2e-6)
    np.testing.assert_allclose(d_positive, [[0.3, 0.4], [0, 0]], atol=2e-6)
    np.testing.assert_allclose(d_negative, [[0, -0.5], [0, 0]], atol=2e-6)


def test_distances_worked_by_hand(twin):
    x = twin.array(np.array([[0.0, 0.0], [3.0, 4.0]]))
    y = twin.array(np.array([[0.0, 0.0], [0.0, 4.0], [6.0, 8.0]]))
    np.testing.assert_allclose(np.asarray(twin.module.pairwise_distances(x, y)), [[0, 4, 10], [5, 3, 5]], rtol=1e-12)


# --- where a distance has no direction ------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("same", [0, 1])
def test_contrastive_gradient_of_coincident_points_is_zero(same):
    x = np.array([[1.0, 2.0]])
    loss = ContrastiveLoss()
    assert loss(x, x, np.array([same])) == (0.0 if same else 0.5)
    for gradient in loss.backward():
        np.testing.assert_array_equal(gradient, 0)
    tensor = torch.tensor(x, requires_grad=True)
    metric_torch.ContrastiveLoss()(tensor, torch.tensor(x), torch.tensor([same])).backward()
    np.testing.assert_array_equal(tensor.grad, np.zeros((1, 2)))


@pytest.mark.filterwarnings("error")
def test_triplet_gradient_of_a_distance_of_exactly_zero():
    # anchor - positive + epsilon is zero: no direction, so no pull; the negative still pushes.
    anchor, positive, negative = np.zeros((1, 1)), np.full((1, 1), 1e-6), np.full((1, 1), 0.5)
    loss = TripletMarginLoss()
    loss(anchor, positive, negative)
    d_anchor, d_positive, d_negative = loss.backward()
    assert (d_anchor[0, 0], d_positive[0, 0], d_negative[0, 0]) == (1, 0, -1)


def test_triplet_at_the_kink_takes_the_slope_that_torch_takes():
    # Distances of exactly 0 and 1 in floating point: the excess is exactly 0.
    points = [np.zeros((1, 1)), np.full((1, 1), 1e-6), np.full((1, 1), 1e-6 - 1)]
    loss = TripletMarginLoss()
    assert loss(*points) == 0
    tensors = [torch.tensor(point, requires_grad=True) for point in points]
    torch.nn.TripletMarginLoss()(*tensors).backward()
    assert tensors[2].grad.item() == 1                       # so the test does stand on the kink
    for gradient, tensor in zip(loss.backward(), tensors, strict=True):
        np.testing.assert_array_equal(gradient, tensor.grad)


# --- what the losses do ---------------------------------------------------------------------------


def test_descent_on_pairs_brings_like_together_and_parts_the_others_by_the_margin(rng):
    x = rng.standard_normal((6, 2))
    label = np.array([0, 0, 0, 1, 1, 1])
    first, second = np.triu_indices(6, 1)
    same = label[first] == label[second]
    loss = ContrastiveLoss(margin=2.0)
    for _ in range(500):
        loss(x[first], x[second], same)
        d_first, d_second = loss.backward()
        np.add.at(x, first, -0.5 * d_first)
        np.add.at(x, second, -0.5 * d_second)
    distance = pairwise_distances(x, x)[first, second]
    assert distance[same].max() < 0.05
    assert distance[~same].min() > 1.9
    assert distance.max() < 2.5                              # beyond the margin nothing pushes any more


def test_descent_on_triplets_keeps_the_margin(rng):
    anchor, positive, negative = rng.standard_normal((3, 5, 2))
    loss = TripletMarginLoss(margin=0.5, reduction="sum")
    before = loss(anchor, positive, negative)
    for _ in range(300):
        loss(anchor, positive, negative)
        for x, gradient in zip((anchor, positive, negative), loss.backward(), strict=True):
            x -= 0.05 * gradient
    assert before > 1
    assert loss(anchor, positive, negative) == 0


def test_losses_ignore_a_shift_of_all_points(rng):
    x1, x2, x3 = rng.standard_normal((3, 7, 4))
    same = rng.integers(0, 2, 7)
    for loss, inputs in ((ContrastiveLoss(3.0), (x1, x2)), (TripletMarginLoss(3.0), (x1, x2, x3))):
        extra = (same,) if len(inputs) == 2 else ()
        value = loss(*inputs, *extra)
        np.testing.assert_allclose(sum(loss.backward()), 0, atol=1e-15)
        assert loss(*(x + 5.0 for x in inputs), *extra) == pytest.approx(value, rel=1e-9)


def test_pairs_may_be_marked_by_a_comparison(twin):
    x1, x2 = (twin.array(np.array(x)) for x in ([[0.0], [0.0]], [[2.0], [0.5]]))
    loss = twin.module.ContrastiveLoss(1.0)
    values = [float(loss(x1, x2, twin.array(np.array([1, 0], dtype)))) for dtype in (bool, np.int32)]
    assert values[0] == values[1] == pytest.approx((2 + 0.125) / 2)


# --- stable distances -----------------------------------------------------------------------------


def test_distances_of_near_points_far_from_the_origin(twin):
    # 40 rows, so that torch.cdist by itself would take the matrix product. In float32 the squared
    # norms, 2e8, come in steps of 16; the squared distances are at most 1.6.
    steps = np.arange(40, dtype=np.float32) / 32
    x = np.stack([10000 + steps, np.full(40, 10000, np.float32)], axis=1)
    exact = np.abs(steps[:, None] - steps)
    distances = np.asarray(twin.module.pairwise_distances(twin.array(x), twin.array(x)))
    assert distances.dtype == np.float32
    np.testing.assert_array_equal(distances, exact)
    squares = (x**2).sum(axis=1)
    expanded = squares[:, None] - 2 * x @ x.T + squares
    assert np.abs(np.sqrt(np.maximum(expanded, 0)) - exact).max() > 0.5     # the trap is really there


def test_distances_are_a_metric(rng):
    x = rng.standard_normal((8, 3))
    d = pairwise_distances(x, x)
    np.testing.assert_array_equal(np.diag(d), 0)
    np.testing.assert_array_equal(d, d.T)
    i_to_k, i_to_j, j_to_k = d[:, None, :], d[:, :, None], d[None, :, :]
    assert (i_to_k <= i_to_j + j_to_k + 1e-12).all()


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ContrastiveLoss", "TripletMarginLoss"])
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"margin": 0.0}, ValueError, r"^margin: .*\(0, inf\), got 0"),
        ({"margin": -1.0}, ValueError, r"^margin: .*\(0, inf\), got -1"),
        ({"margin": "1"}, TypeError, r"^margin: expected a number, got str"),
        ({"reduction": "none"}, ValueError, r"^reduction: expected one of 'mean', 'sum', got 'none'"),
    ],
)
def test_bad_options(twin, name, options, error, message):
    with pytest.raises(error, match=message):
        getattr(twin.module, name)(**options)


ONES = np.ones((2, 3))


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ((np.ones((0, 3)), np.ones((0, 3)), np.ones(0, int)), ValueError, r"^x1: expected at least one element"),
        ((np.ones(3), np.ones(3), np.ones(3, int)), ValueError, r"^x1: expected shape \(N, D\), got \(3,\)"),
        ((ONES.astype(int), ONES, np.ones(2, int)), TypeError, r"^x1: expected dtype .*float.*, got .*int64"),
        ((ONES, np.ones((1, 3)), np.ones(2, int)), ValueError, r"^x2: expected shape \(2, 3\), got \(1, 3\)"),
        ((ONES, ONES.astype("f4"), np.ones(2, int)), TypeError, r"^x2: expected dtype .*float64, got .*float32"),
        ((ONES, ONES, np.array([0, 2])), ValueError, r"^same: expected labels from 0 to 1, got 2 at index 1"),
        ((ONES, ONES, np.ones(2)), TypeError, r"^same: expected dtype an integer type, got .*float64"),
        ((ONES, ONES, np.ones(3, bool)), ValueError, r"^same: expected shape \(2,\), got \(3,\)"),
    ],
)
def test_bad_pairs(twin, inputs, error, message):
    with pytest.raises(error, match=message):
        twin.module.ContrastiveLoss()(*map(twin.array, inputs))


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ((np.ones((0, 3)),) * 3, ValueError, r"^anchor: expected at least one element"),
        ((np.ones(3),) * 3, ValueError, r"^anchor: expected shape \(N, D\), got \(3,\)"),
        ((ONES, np.ones((1, 3)), ONES), ValueError, r"^positive: expected shape \(2, 3\), got \(1, 3\)"),
        ((ONES, ONES, np.ones((2, 1))), ValueError, r"^negative: expected shape \(2, 3\), got \(2, 1\)"),
        ((ONES, ONES.astype("f4"), ONES), TypeError, r"^positive: expected dtype .*float64, got .*float32"),
        ((ONES, ONES, ONES.astype(int)), TypeError, r"^negative: expected dtype .*float64, got .*int64"),
    ],
)
def test_bad_triplets(twin, inputs, error, message):
    with pytest.raises(error, match=message):
        twin.module.TripletMarginLoss()(*map(twin.array, inputs))


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ((np.ones(3), ONES), ValueError, r"^x: expected shape \(N, D\), got \(3,\)"),
        ((ONES, np.ones((2, 4))), ValueError, r"^y: expected shape \(M, 3\), got \(2, 4\)"),
        ((ONES, ONES.astype("f4")), TypeError, r"^y: expected dtype .*float64, got .*float32"),
        ((ONES.astype(int), ONES), TypeError, r"^x: expected dtype .*float.*, got .*int64"),
    ],
)
def test_bad_rows(twin, inputs, error, message):
    with pytest.raises(error, match=message):
        twin.module.pairwise_distances(*map(twin.array, inputs))


@pytest.mark.parametrize("loss", [ContrastiveLoss(), TripletMarginLoss()], ids=lambda x: type(x).__name__)
def test_bad_output_gradient(loss):
    loss(ONES, ONES, np.ones(2, int) if isinstance(loss, ContrastiveLoss) else ONES)
    with pytest.raises(TypeError, match=r"^dy: expected a number, got an array"):
        loss.backward(np.ones(2))
