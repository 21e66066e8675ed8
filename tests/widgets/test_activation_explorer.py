"""The activation explorer: values and slopes against the formulas, and what many layers leave of a gradient."""

import itertools
import math

import numpy as np
import pytest

from dlcourse.widgets import activation_explorer, host


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def normal_cdf(z):
    return np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in z])


# Value and slope, away from the kinks at zero.
FORMULAS = {
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (lambda z: z * (z > 0), lambda z: 1.0 * (z > 0)),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01)),
    "elu": (lambda z: np.where(z > 0, z, np.exp(z) - 1), lambda z: np.where(z > 0, 1, np.exp(z))),
    "gelu": (lambda z: z * normal_cdf(z), lambda z: normal_cdf(z) + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)),
}


def run(**inputs):
    """Compute with some controls set and the others at their defaults."""
    return activation_explorer.compute(**host.defaults("activation_explorer", **inputs))


@pytest.mark.parametrize("activation", FORMULAS)
def test_curves_are_the_formulas(activation):
    out, (value, slope) = run(activation=activation), FORMULAS[activation]
    z = np.delete(out["grid"], 120)
    assert (out["grid"][120], out["grid"].shape) == (0, (241,))
    near = {"rtol": 0, "atol": 2e-3 if activation == "gelu" else 1e-12}         # the package's GELU is the tanh one
    np.testing.assert_allclose(np.delete(out["curve"], 120), value(z), **near)
    np.testing.assert_allclose(np.delete(out["slopes"], 120), slope(z), **near)
    here = run(activation=activation, z=-1.3)
    np.testing.assert_allclose([here["value"]], value(np.array([-1.3])), **near)
    np.testing.assert_allclose([here["slope"]], slope(np.array([-1.3])), **near)


def test_every_layer_multiplies_by_the_slope():
    assert run(z=0.0, layers=5)["passed"] == pytest.approx(1 / 4**5)        # a sigmoid at its steepest
    assert run(activation="relu", z=2.0, layers=20)["passed"] == 1
    assert run(activation="relu", z=-2.0, layers=1)["passed"] == 0


def test_share_of_the_inputs_that_is_saturated():
    """The sigmoid's slope a(1 - a) is below 0.05 where |z| exceeds log(a / (1 - a)) for the larger root a."""
    a = (1 + math.sqrt(1 - 4 * 0.05)) / 2
    end = math.log(a / (1 - a))
    out = run(threshold=0.05)
    np.testing.assert_array_equal(out["saturated"], np.abs(out["grid"]) > end)
    assert out["share"] == pytest.approx(1 - end / 6, abs=0.01)
    assert run(activation="relu")["share"] == pytest.approx(0.5, abs=0.01)
    assert run(activation="leaky_relu", threshold=0.005)["share"] == 0


def test_corners_run_clean():
    with np.errstate(all="raise"):
        for activation, z, layers, threshold in itertools.product(FORMULAS, (-6.0, 0.0, 6.0), (1, 20), (0.001, 0.3)):
            out = run(activation=activation, z=z, layers=layers, threshold=threshold)
            assert np.isfinite([out["value"], out["slope"], out["passed"], out["share"]]).all()


def test_evaluate_round_trip():
    outputs, state = host.evaluate("activation_explorer", host.defaults("activation_explorer"))
    assert state is None
    np.testing.assert_array_equal(np.frombuffer(outputs["curve"]["data"]), run()["curve"])
