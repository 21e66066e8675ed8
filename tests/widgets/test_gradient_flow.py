"""Gradient flow: the backward pass against differences, and the law it is held against."""

import itertools
import math

import numpy as np
import pytest

from dlcourse.initializers import orthogonal
from dlcourse.widgets import gradient_flow as flow
from dlcourse.widgets import host
from dlcourse.widgets.codec import to_json

PHI = {"tanh": np.tanh, "linear": lambda z: z, "relu": lambda z: np.maximum(z, 0)}


def outputs(**inputs):
    return flow.compute(**host.defaults("gradient_flow", **inputs))


def network(activation, hidden=6, steps=5):
    rng = np.random.default_rng(3)
    weight, inputs = rng.standard_normal((hidden, hidden)) / 2, rng.standard_normal((steps, hidden))
    loss = rng.standard_normal(hidden)
    states, layers = flow.forward(weight, inputs, flow.ACTIVATIONS[activation])
    return weight, inputs, loss, states, flow.backward(weight, states, layers, loss)


def run_on(weight, inputs, state, activation):
    for u in inputs:
        state = PHI[activation](weight @ state + u)
    return state


def slope_along(f, x, direction, eps=1e-6):
    return (f(x + eps * direction) - f(x - eps * direction)) / (2 * eps)


@pytest.mark.parametrize("activation", PHI)
def test_forward_is_the_recurrence(activation):
    weight, inputs, _, states, _ = network(activation)
    assert len(states) == 6
    np.testing.assert_allclose(states[-1], run_on(weight, inputs, np.zeros(6), activation))


@pytest.mark.parametrize("activation", PHI)
def test_gradients_of_states_agree_with_differences(activation):
    weight, inputs, loss, states, (dhs, _) = network(activation)
    for back in range(6):
        start = 5 - back
        for unit in np.eye(6):
            numerical = slope_along(lambda h, start=start: loss @ run_on(weight, inputs[start:], h, activation),
                                    states[start], unit)
            assert unit @ dhs[back] == pytest.approx(numerical, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("activation", PHI)
def test_gradient_of_the_matrix_agrees_with_differences(activation, rng):
    weight, inputs, loss, _, (_, dw) = network(activation)
    for _ in range(10):
        direction = rng.standard_normal(weight.shape)
        numerical = slope_along(lambda w: loss @ run_on(w, inputs, np.zeros(6), activation), weight, direction)
        assert np.sum(dw * direction) == pytest.approx(numerical, rel=1e-6)


@pytest.mark.parametrize("rho", [0.2, 0.9, 1.0, 1.5, 2.0])
def test_orthogonal_and_linear_obeys_the_law_exactly(rho):
    result = outputs(rho=rho, activation="linear", steps=100)
    np.testing.assert_allclose(result["norms"], [rho**t for t in range(101)], rtol=1e-9)
    np.testing.assert_allclose(result["law"], result["norms"], rtol=1e-9)
    assert result["factor"] == pytest.approx(rho)
    assert result["slope"] == 1


def test_eigenvalues_are_those_of_the_matrix():
    for matrix in ("orthogonal", "gaussian"):
        result = outputs(rho=1.3, matrix=matrix, hidden=16)
        sizes = np.hypot(result["real"], result["imaginary"])
        assert sizes.max() == pytest.approx(1.3)
        weight = 1.3 * flow.unit_matrix(matrix, 16, 0)[0]
        assert np.sum(result["real"]) == pytest.approx(np.trace(weight))
        assert np.prod(result["real"] + 1j * result["imaginary"]) == pytest.approx(np.linalg.det(weight))
    assert sizes.min() < 0.9 < 1.3                                # Gaussian: spread over a disc


def test_tanh_vanishes_faster_than_the_law_and_the_more_so_the_larger_the_inputs():
    ends = [outputs(inputs=size)["norms"][-1] for size in (0.01, 0.3, 3.0)]
    law = 0.9**50
    assert ends[0] == pytest.approx(law, rel=0.05)                # near zero tanh is a straight line
    assert ends[1] < law / 100
    assert ends[2] < ends[1] / 1e6


def test_relu_needs_a_larger_radius_since_it_lets_half_of_the_gradient_pass():
    slopes = [outputs(activation="relu", rho=1.0, seed=seed)["slope"] for seed in range(5)]
    assert np.mean(slopes) == pytest.approx(math.sqrt(1 / 2), rel=0.05)
    assert outputs(activation="relu", rho=1.0)["norms"][-1] < 1e-5


def test_factor_is_radius_times_slope_for_an_orthogonal_matrix():
    for rho, activation in itertools.product((0.5, 0.9, 1.2), ("tanh", "relu")):
        result = outputs(rho=rho, activation=activation, hidden=48, steps=100)
        assert result["factor"] == pytest.approx(rho * result["slope"], rel=0.08)


def test_pace():
    assert flow.halving_steps(0.5) == pytest.approx(1)
    assert flow.halving_steps(0.9) == pytest.approx(math.log(0.5) / math.log(0.9))
    assert flow.halving_steps(2.0) == pytest.approx(-1)
    assert flow.halving_steps(1.0) == np.inf
    assert flow.halving_steps(0.0) == 0
    assert outputs(activation="linear", rho=0.9)["halving"] == pytest.approx(6.5788, abs=1e-3)


def test_clipping_moves_the_curve_and_keeps_its_shape():
    settings = {"rho": 1.2, "activation": "linear"}
    off, on = outputs(**settings), outputs(**settings, clip=True, threshold=1.0)
    np.testing.assert_array_equal(off["clipped"], off["norms"])
    assert on["total"] == off["total"] > 1000
    assert on["total_clipped"] == pytest.approx(1.0, rel=1e-5)
    np.testing.assert_allclose(on["clipped"] / on["norms"], 1 / on["total"], rtol=1e-5)
    assert outputs(clip=True, threshold=1e4)["total_clipped"] == pytest.approx(outputs()["total"])


def test_total_is_the_norm_of_the_matrix_gradient():
    result = outputs(steps=10, hidden=8, activation="linear", rho=0.5)
    weight = 0.5 * orthogonal((8, 8), rng=np.random.default_rng(0))
    rng = np.random.default_rng([0, 1])
    u, loss = 0.3 * rng.standard_normal((100, 8))[:10], rng.standard_normal(8)
    loss /= np.linalg.norm(loss)
    dw = np.empty((8, 8))
    for i, j in np.ndindex(8, 8):
        unit = np.zeros((8, 8))
        unit[i, j] = 1
        dw[i, j] = slope_along(lambda w: loss @ run_on(w, u, np.zeros(8), "linear"), weight, unit)
    assert result["total"] == pytest.approx(np.linalg.norm(dw), rel=1e-6)


def test_a_gradient_that_dies_is_said_to():
    result = outputs(rho=0.2, activation="relu", hidden=8, steps=100)
    dead = result["zero_at"]
    assert dead is not None
    assert result["norms"][dead - 1] > 0
    np.testing.assert_array_equal(result["norms"][dead:], 0)
    assert result["factor"] == result["halving"] == 0
    assert outputs()["zero_at"] is None


def test_a_longer_run_begins_with_the_same_numbers_and_results_do_not_depend_on_what_came_before():
    first = outputs(steps=20)
    outputs(steps=60, rho=1.7, matrix="gaussian", seed=4)
    again = outputs(steps=20)
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
    assert not np.array_equal(first["norms"], outputs(steps=20, seed=1)["norms"])


@pytest.mark.filterwarnings("error")
def test_corners_run_clean():
    corners = itertools.product((0.2, 2.0), PHI, ("orthogonal", "gaussian"), (8, 48), (10, 100), (0.01, 3.0),
                                (0.01, 1e4), (0, 1))
    with np.errstate(all="raise"):
        for rho, activation, matrix, hidden, steps, inputs, threshold, seed in corners:
            result = outputs(rho=rho, activation=activation, matrix=matrix, hidden=hidden, steps=steps, inputs=inputs,
                             clip=True, threshold=threshold, seed=seed)
            assert result["norms"].shape == result["clipped"].shape == (steps + 1,)
            assert np.isfinite(result["norms"]).all()
            assert np.isfinite(result["clipped"]).all()


def test_round_trip_through_the_host():
    inputs = host.defaults("gradient_flow")
    encoded, state = host.evaluate("gradient_flow", inputs)
    assert state is None
    np.testing.assert_array_equal(np.frombuffer(encoded["norms"]["data"]), outputs()["norms"])
    assert len(str(to_json(encoded))) < 60_000
    with pytest.raises(ValueError, match="rho"):
        host.evaluate("gradient_flow", {**inputs, "rho": 2.5})
