"""Weight penalties: the lecture's example, gradients, and bad input."""

import doctest
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dlcourse import regularizers, regularizers_torch
from dlcourse.gradcheck import numerical_gradient, relative_error
from dlcourse.module import Parameter
from dlcourse.regularizers import L1, L2, ElasticNet

TWINS = {
    "reference": SimpleNamespace(
        module=regularizers, parameter=lambda x: Parameter(np.array(x, float)), number=float
    ),
    "counterpart": SimpleNamespace(
        module=regularizers_torch,
        parameter=lambda x: torch.nn.Parameter(torch.tensor(x, dtype=torch.float64)),
        number=lambda value: value.item(),
    ),
}


@pytest.fixture(params=TWINS)
def twin(request):
    """Each half in turn."""
    return TWINS[request.param]


def test_the_lectures_two_weight_vectors(twin):
    x = np.ones(4)
    first, second = [1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]
    assert x @ first == x @ second == 1
    w1, w2 = twin.parameter(first), twin.parameter(second)
    # Both score 1. L2 charges 1 against 4 · 1/16 = 1/4, L1 charges 1 for either.
    assert twin.number(twin.module.L2(1.0)([w1])) == 1.0
    assert twin.number(twin.module.L2(1.0)([w2])) == 0.25
    assert twin.number(twin.module.L1(1.0)([w1])) == twin.number(twin.module.L1(1.0)([w2])) == 1.0


def test_worked_by_hand():
    params = [Parameter(np.array([[1.0, -2.0]])), Parameter(np.array([0.0, 3.0]))]
    for penalty, value, grads in (
        (L2(0.5), 7.0, [[[1, -2]], [0, 3]]),
        (L1(0.5), 3.0, [[[0.5, -0.5]], [0, 0.5]]),
        (ElasticNet(0.5, 2.0), 31.0, [[[4.5, -8.5]], [0, 12.5]]),
    ):
        for parameter in params:
            parameter.grad = None
        assert penalty(params) == pytest.approx(value, rel=1e-12)
        assert penalty.backward() is None
        for parameter, grad in zip(params, grads, strict=True):
            np.testing.assert_allclose(parameter.grad, grad, rtol=1e-12)


@pytest.mark.parametrize("penalty", [L1(0.3), L2(0.3), ElasticNet(0.3, 0.7)], ids=lambda p: type(p).__name__)
def test_gradient_matches_difference_quotients(rng, penalty):
    # Weights at least 0.1 from zero, where the absolute value has its kink.
    values = [rng.choice([-1, 1], shape) * rng.uniform(0.1, 2, shape) for shape in ((3, 4), (5,), (1, 2, 2))]
    params = [Parameter(value) for value in values]
    penalty(params)
    penalty.backward(1.5)
    for parameter in params:
        numerical = numerical_gradient(lambda _: 1.5 * penalty(params), parameter.data)
        assert relative_error(parameter.grad, numerical) < 1e-6


def test_gradient_is_added_to_that_of_the_loss():
    w = Parameter(np.array([2.0]))
    w.accumulate(np.array([10.0]))
    penalty = L2(0.5)
    penalty([w])
    penalty.backward()
    penalty.backward()
    np.testing.assert_array_equal(w.grad, [14.0])


def test_elastic_net_is_the_sum_of_both(rng, twin):
    params = [twin.parameter(rng.standard_normal((3, 4)))]
    both = twin.number(twin.module.L1(0.3)(params)) + twin.number(twin.module.L2(0.7)(params))
    assert twin.number(twin.module.ElasticNet(0.3, 0.7)(params)) == pytest.approx(both, rel=1e-12)


def test_weight_decay_of_torch_is_twice_the_coefficient():
    decayed, penalised = (torch.nn.Parameter(torch.tensor([3.0, -4.0], dtype=torch.float64)) for _ in range(2))
    decayed.grad = torch.zeros_like(decayed)
    torch.optim.SGD([decayed], lr=0.1, weight_decay=2 * 0.05).step()
    regularizers_torch.L2(0.05)([penalised]).backward()
    torch.optim.SGD([penalised], lr=0.1).step()
    torch.testing.assert_close(decayed, penalised, rtol=1e-12, atol=0)


def test_descent_on_l1_reaches_zero_and_on_l2_does_not():
    # Proves the claim about the pull near zero: constant steps of 0.01 arrive, shrinking ones do not.
    weights = {}
    for penalty in (L1(0.1), L2(0.1)):
        w = Parameter(np.array([0.1]))
        for _ in range(10):
            w.grad = None
            penalty([w])
            penalty.backward()
            w.data -= 0.1 * w.grad
        weights[type(penalty)] = w.data[0]
    assert weights[L1] == pytest.approx(0, abs=1e-12)
    assert weights[L2] == pytest.approx(0.1 * 0.98**10, rel=1e-12)


def test_value_has_the_parameters_dtype():
    w = Parameter(np.ones(3, np.float32))
    for penalty in (L1(0.1), L2(0.1), ElasticNet(0.1, 0.1)):
        value = penalty([w])
        penalty.backward()
        assert value.shape == ()
        assert value.dtype == w.grad.dtype == np.float32


def test_takes_what_a_module_lists(twin):
    if twin is TWINS["reference"]:
        params = tuple(Parameter(np.ones((2, 3))) for _ in range(2))
    else:
        params = torch.nn.Linear(5, 2).parameters()    # a generator
    assert twin.number(twin.module.L2(0.0)(params)) == 0


def test_module_docstring_runs():
    outcome = doctest.testmod(regularizers)
    assert outcome.attempted > 0
    assert outcome.failed == 0


BAD = {
    "negative L1": (lambda t: t.module.L1(-1), ValueError, r"^coefficient: .*\[0, inf\), got -1"),
    "negative L2": (lambda t: t.module.L2(-1e-9), ValueError, r"^coefficient: .*\[0, inf\), got -1e-09"),
    "infinite": (lambda t: t.module.L2(float("inf")), ValueError, r"^coefficient: .*got inf"),
    "text": (lambda t: t.module.L1("1e-3"), TypeError, r"^coefficient: expected a number, got str"),
    "negative l1": (lambda t: t.module.ElasticNet(-1, 0), ValueError, r"^l1: .*got -1"),
    "negative l2": (lambda t: t.module.ElasticNet(0, -1), ValueError, r"^l2: .*got -1"),
    "a bool": (lambda t: t.module.ElasticNet(0, True), TypeError, r"^l2: expected a number, got bool"),
    "one parameter": (lambda t: t.module.L2(1)(t.parameter([1.0])), TypeError, r"^params: expected a list of"),
    "no list": (lambda t: t.module.L1(1)(3), TypeError, r"^params: expected a list of .*, got int 3"),
    "nothing": (lambda t: t.module.ElasticNet(1, 1)([]), ValueError, r"^params: expected at least one .*got none"),
    "a number inside": (
        lambda t: t.module.L2(1)([t.parameter([1.0]), 2.0]), TypeError, r"^params\[1\]: expected a .*, got float 2.0"
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(twin, case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call(twin)


@pytest.mark.parametrize("penalty", [L1(1), L2(1), ElasticNet(1, 1)], ids=lambda p: type(p).__name__)
def test_bad_output_gradient(penalty):
    penalty([Parameter(np.ones(2))])
    with pytest.raises(TypeError, match=r"^dy: expected a number, got ndarray|^dy: expected a number, got an array"):
        penalty.backward(np.ones(2))


def test_counterpart_takes_no_integers():
    with pytest.raises(TypeError, match=r"^params\[0\]: expected dtype a floating-point type, got torch.int64"):
        regularizers_torch.L2(1)([torch.tensor([1])])
