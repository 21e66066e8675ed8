"""The reverse-mode autodiff: each operation against difference quotients, and the graph it walks."""

import gc
import weakref

import numpy as np
import pytest
import torch

from dlcourse import autodiff, autodiff_torch
from dlcourse.autodiff import Tensor, cross_entropy, log_softmax, tensor
from dlcourse.gradcheck import numerical_gradient, relative_error
from tests.parity import away_from
from tests.parity.autodiff import BINARY, NOT_EMPTY, STEPS, UNARY, operands

TWINS = [
    pytest.param(autodiff, np.asarray, id="reference"),
    pytest.param(autodiff_torch, torch.tensor, id="counterpart"),
]


def assert_matches_difference_quotients(rng, function, *arrays):
    """Compare the gradient of the result, weighted at random, for each array."""
    leaves = [tensor(a, requires_grad=True) for a in arrays]
    y = function(autodiff, *leaves)
    dy = rng.standard_normal(y.shape)
    y.backward(dy)
    for leaf, array in zip(leaves, arrays, strict=True):
        numerical = numerical_gradient(lambda _: np.sum(dy * function(autodiff, *map(Tensor, arrays)).data), array)
        assert relative_error(leaf.grad, numerical) < 1e-7
        assert leaf.grad.shape == array.shape


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("shapes", ["same", "row", "column", "number", "outer"])
def test_binary_gradients(rng, name, shapes):
    assert_matches_difference_quotients(rng, BINARY[name], *operands(rng, np.float64, 3, 4, shapes))


# These have no slope that a difference quotient could see.
SPECIAL = {"detached", "power zero", "amax with ties"}


@pytest.mark.parametrize("name", sorted({**UNARY, **NOT_EMPTY}.keys() - SPECIAL))
def test_unary_gradients(rng, name):
    assert_matches_difference_quotients(rng, {**UNARY, **NOT_EMPTY}[name], away_from(rng, (3, 4), np.float64))


@pytest.mark.parametrize("step", STEPS)
def test_step_gradients(rng, step):
    assert_matches_difference_quotients(rng, lambda _, a, b: step(a, b), *rng.standard_normal((2, 3, 4)))


@pytest.mark.parametrize(
    "shapes", [((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((2, 1, 2, 3), (4, 3, 2))]
)
def test_matmul_gradients(rng, shapes):
    assert_matches_difference_quotients(rng, lambda _, a, b: a @ b, *(rng.standard_normal(s) for s in shapes))


def test_loss_gradients(rng):
    target = np.array([0, 2, 1])
    assert_matches_difference_quotients(rng, lambda _, x: cross_entropy(x, target), rng.standard_normal((3, 4)))
    assert_matches_difference_quotients(rng, lambda _, x: log_softmax(x, 0), rng.standard_normal((3, 4)))


def test_a_node_used_twice_gets_both_gradients():
    # y = a b + a with a = x^2: dy/dx = (b + 1) 2x, by hand at x = 3, b = 4.
    x, b = tensor([3.0], requires_grad=True), tensor([4.0], requires_grad=True)
    a = x * x
    (a * b + a).backward()
    assert (x.grad.item(), b.grad.item()) == (30.0, 9.0)


def test_gradients_wait_for_all_paths():
    # A diamond whose arms differ in length. If the short arm made x report before the long arm
    # had arrived, part of the gradient would be lost. y = x + 2 (2 (2 x)): dy/dx = 9.
    start = tensor([1.0], requires_grad=True)
    x = start * 1
    (x + ((x * 2) * 2) * 2).backward()
    assert start.grad.item() == 9.0


def test_shared_chain_takes_one_visit_per_node():
    # x doubled 60 times by x + x has 2^60 paths: a walk over paths would never end.
    x = tensor([1.0], requires_grad=True)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


def test_chain_of_ten_thousand_nodes():
    x = tensor([1.0], requires_grad=True)
    y = x
    for _ in range(10_000):
        y = y + 1e-3
    y.backward()
    assert y.item() == pytest.approx(11)
    assert x.grad.item() == 1.0


def test_graph_is_freed_with_its_last_tensor():
    # Without waiting for the garbage collector, or training would pile up old graphs.
    gc.disable()
    try:
        x = tensor([1.0], requires_grad=True)
        loss = (x * 2).tanh().sum()
        loss.backward()
        product = weakref.ref(loss.parents[0].parents[0])
        assert product().op == "mul"
        del loss
        assert product() is None
    finally:
        gc.enable()


def test_graph_can_be_read():
    x, w = tensor([[1.0, 2.0]]), tensor([[3.0], [4.0]], requires_grad=True)
    y = (x @ w).tanh()
    assert y.op == "tanh"
    (product,) = y.parents
    assert product.op == "matmul"
    assert product.parents[0] is x
    assert product.parents[1] is w
    assert (w.op, w.parents) == ("leaf", ())
    assert (x @ x.T).parents == ()                    # nothing to differentiate, nothing recorded


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_gradients_add_up_and_only_leaves_keep_them(twin, array):
    x = twin.tensor(np.array([2.0]), requires_grad=True)
    for _ in range(2):
        middle, kept = x * 3, x * 5
        kept.retain_grad()
        (middle + kept * 7).sum().backward()
    assert float(x.grad[0]) == 2 * (3 + 35)
    assert float(kept.grad[0]) == 7
    if twin is autodiff:                              # PyTorch warns when this is read
        assert middle.grad is None


def test_two_leaves_do_not_share_one_gradient_array():
    a, b = tensor([1.0], requires_grad=True), tensor([1.0], requires_grad=True)
    (a + b).backward()
    a.grad *= 10
    assert b.grad.item() == 1.0


def test_gradient_given_is_not_changed():
    x, dy = tensor(np.ones(3), requires_grad=True), np.ones(3)
    for _ in range(2):
        (x * 1).backward(dy)
    x.backward(dy)
    assert x.grad.tolist() == [3, 3, 3]
    assert dy.tolist() == [1, 1, 1]


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_no_grad_ends_with_its_block(twin, array):
    x = twin.tensor(np.array([1.0]), requires_grad=True)
    with twin.no_grad():
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    with pytest.raises(TypeError), twin.no_grad():    # however it ends
        twin.tensor("no numbers")
    assert (x * 2).requires_grad


def test_arrays_and_numbers_on_the_left():
    x = tensor(np.array([[1.0, 2.0]]), requires_grad=True)
    for y in (np.ones((1, 2)) * x, np.ones((1, 2)) + x, np.ones((1, 2)) - x, np.ones((1, 2)) / x, np.ones((3, 1)) @ x,
              2 * x, 2 + x, 2 - x, 2 / x, np.float64(2) * x):
        assert isinstance(y, Tensor)
        assert y.requires_grad
    assert (np.array([[10.0, 20.0]]) / x).data.tolist() == [[10, 10]]
    assert (3 - x).data.tolist() == [[2, 1]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_take_the_dtype_of_the_tensor(dtype):
    x = tensor(np.ones(3, dtype), requires_grad=True)
    y = (np.float64(2) * x + 1 - np.float32(3) / x) ** 2 + x.mean() + x.amax()
    y.sum().backward()
    assert y.dtype == x.grad.dtype == dtype


def test_log_softmax_of_huge_scores():
    with np.errstate(all="raise", under="ignore"):
        y = log_softmax(tensor([[1000.0, 0.0, -1000.0]]), 1)
    assert y.data.tolist() == [[0.0, -1000.0, -2000.0]]


def train(twin, array, steps=60):
    """Fit XOR by gradient descent. One source for both twins."""
    rng = np.random.default_rng(3)
    x = twin.tensor(np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]))
    target = array(np.array([0, 1, 1, 0]))
    weights = [twin.tensor(rng.standard_normal(s), requires_grad=True) for s in ((8, 2), (8,), (2, 8), (2,))]
    losses = []
    for _ in range(steps):
        w1, b1, w2, b2 = weights
        loss = twin.cross_entropy((x @ w1.T + b1).tanh() @ w2.T + b2, target)
        loss.backward()
        for w in weights:
            w.data -= 0.5 * w.grad
            w.grad = None
        losses.append(loss.item())
    return losses


def test_one_training_loop_runs_on_both():
    ours, theirs = train(autodiff, np.asarray), train(autodiff_torch, torch.tensor)
    assert ours == pytest.approx(theirs, rel=1e-10)
    assert ours[-1] < 0.1 * ours[0]


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_tensor_copies_its_data(twin, array):
    source = np.array([1.0, 2.0])
    x = twin.tensor(source)
    source[0] = 9.0
    assert float(x[0].item()) == 1.0


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_bad_data(twin, array):
    with pytest.raises(TypeError, match=r"^data: expected dtype .*, got (torch\.)?int64"):
        twin.tensor([1, 2])
    with pytest.raises(TypeError, match=r"^data: expected an array, got a?\s?Tensor"):
        twin.tensor(twin.tensor([1.0]))


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_bad_loss_arguments(twin, array):
    logits = twin.tensor(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"^target: expected labels from 0 to 2, got 3 at index 1"):
        twin.cross_entropy(logits, array(np.array([0, 3])))
    with pytest.raises(ValueError, match=r"^target: expected shape \(2,\), got \(3,\)"):
        twin.cross_entropy(logits, array(np.array([0, 1, 2])))
    with pytest.raises(TypeError, match=r"^target: expected dtype an integer type"):
        twin.cross_entropy(logits, array(np.array([0.0, 1.0])))
    with pytest.raises(ValueError, match=r"^logits: expected at least one element"):
        twin.cross_entropy(twin.tensor(np.zeros((0, 3))), array(np.zeros(0, int)))
    with pytest.raises(TypeError, match=r"^logits: expected a (torch\.)?Tensor, got"):
        twin.cross_entropy(np.zeros((2, 3)), array(np.array([0, 1])))
    with pytest.raises(TypeError, match=r"^x: expected a (torch\.)?Tensor, got"):
        twin.log_softmax(np.zeros((2, 3)), 1)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda x: x.sum().backward(np.ones(3)), ValueError, r"^gradient: expected shape \(\), got \(3,\)"),
        (lambda x: (x * 2).backward(), ValueError, r"^gradient: expected one for a tensor of shape \(3,\), got None"),
        (lambda x: (x * 2).backward(np.ones(3, np.float32)), TypeError, r"^gradient: expected dtype float64"),
        (lambda x: x.detach().sum().backward(), ValueError, r"^backward: expected a tensor computed from one that req"),
        (lambda x: x + np.ones(3, np.float32), TypeError, r"^other: expected dtype float64, got float32"),
        (lambda x: x * tensor(np.ones(3, np.float32)), TypeError, r"^other: expected dtype float64, got float32"),
        (lambda x: x * "2", TypeError, r"^other: expected a NumPy array, got str"),
        (lambda x: x**x, TypeError, r"^exponent: expected a number, got Tensor"),
        (lambda x: x.T, ValueError, r"^T: expected a matrix, got shape \(3,\)"),
        (lambda x: x[:0].mean(), ValueError, r"^dim: expected axes with something to average, got None of shape"),
        (lambda x: x.sum(1), ValueError, r"axis 1 is out of bounds"),
        (lambda x: x.mean(1), ValueError, r"axis 1 is out of bounds"),
    ],
)
def test_misuse_of_the_reference(act, error, message):
    with pytest.raises(error, match=message):
        act(tensor(np.ones(3), requires_grad=True))
