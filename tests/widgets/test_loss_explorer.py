import itertools

import numpy as np
import pytest

from dlcourse.widgets import host, loss_explorer
from dlcourse.widgets.loss_explorer import CONTROLS, MARGINS, RESIDUALS, best_for_huber, compute

DEFAULTS = {control.name: control.default for control in CONTROLS}
SQUARED, ABSOLUTE, HUBER = range(3)
ZERO_ONE, PERCEPTRON, HINGE, SQUARED_HINGE, ENTROPY, ON_SIGMOID = range(6)


def outputs(**changes):
    return compute(**DEFAULTS | changes)


def by_formula(m):
    """Values and gradients of the losses of a margin, away from their kinks."""
    a = 1 / (1 + np.exp(-m))
    values = [m <= 0, np.where(m < 0, -m, 0), np.where(m < 1, 1 - m, 0), np.where(m < 1, (1 - m) ** 2, 0),
              np.log(1 + np.exp(-m)), (1 - a) ** 2]
    gradients = [0 * m, -1.0 * (m < 0), -1.0 * (m < 1), np.where(m < 1, -2 * (1 - m), 0), a - 1,
                 -2 * (1 - a) * a * (1 - a)]
    return np.stack([1.0 * v for v in values]), np.stack(gradients)


def test_curves_of_residuals_are_the_formulas():
    out, r = outputs(delta=1.5), RESIDUALS
    assert out["values"].shape == out["gradients"].shape == (3, 281)
    np.testing.assert_allclose(out["values"][SQUARED], r * r)
    np.testing.assert_allclose(out["values"][ABSOLUTE], np.abs(r))
    np.testing.assert_allclose(out["values"][HUBER], np.where(np.abs(r) < 1.5, r * r / 2, 1.5 * (np.abs(r) - 0.75)))
    np.testing.assert_allclose(out["gradients"], [2 * r, np.sign(r), np.clip(r, -1.5, 1.5)])


def test_mean_median_and_between():
    out = outputs()                                        # targets 1, 2, 3, 4 and 10; by hand with delta 3:
    np.testing.assert_allclose(out["best"], [4, 3, 3.25])  # (c-1) + (c-2) + (c-3) + (c-4) - 3 = 0
    np.testing.assert_allclose(out["mean_gradients"], [2 * (3 - 4), 0, (2 + 1 + 0 - 1 - 3) / 5], atol=1e-12)
    np.testing.assert_allclose(out["point_values"][:, 4], [49, 7, 3 * (7 - 1.5)])
    np.testing.assert_allclose(out["point_gradients"][:, 4], [-14, -1, -3])


def test_the_outlier_drags_the_mean_only():
    near, far = outputs(outlier=10.0)["best"], outputs(outlier=20.0)["best"]
    np.testing.assert_allclose(far - near, [2, 0, 0], atol=1e-12)


@pytest.mark.parametrize("outlier", [0.0, 2.5, 3.0, 7.0, 20.0])
def test_huber_runs_from_the_median_to_the_mean(outlier):
    targets = np.array([1, 2, 3, 4, outlier])
    small, large = best_for_huber(targets, 0.1), best_for_huber(targets, 30.0)
    np.testing.assert_allclose([small, large], [np.median(targets), targets.mean()], atol=0.101)
    np.testing.assert_allclose(large, targets.mean())


@pytest.mark.parametrize("delta", [0.1, 0.7, 1.0, 3.0, 8.0])
def test_no_other_constant_has_a_smaller_huber_loss(delta):
    def total(c):
        r = np.abs(c - targets)
        return np.where(r <= delta, r * r / 2, delta * (r - delta / 2)).sum()

    rng = np.random.default_rng(0)
    for targets in rng.uniform(0, 20, (20, 5)):
        best = best_for_huber(targets, delta)
        assert total(best) <= min(total(c) for c in np.linspace(0, 20, 801)) + 1e-12


def test_gradients_vanish_at_the_best_constants():
    for k, c in enumerate(outputs(outlier=15.0)["best"]):
        assert abs(outputs(outlier=15.0, prediction=float(c))["mean_gradients"][k]) < 1e-12


def test_curves_of_margins_are_the_formulas():
    out = outputs(task="classification")
    assert out["values"].shape == out["gradients"].shape == (6, 241)
    smooth = (np.abs(MARGINS) > 1e-9) & (np.abs(MARGINS - 1) > 1e-9)
    values, gradients = by_formula(MARGINS)
    np.testing.assert_allclose(out["values"][:, smooth], values[:, smooth], atol=1e-12)
    np.testing.assert_allclose(out["gradients"][:, smooth], gradients[:, smooth], atol=1e-12)


def test_gradients_of_margins_are_slopes_of_the_values():
    m, h = np.array([-5.3, -1.7, -0.4, 0.3, 0.8, 1.9, 4.4]), 1e-6
    slopes = (loss_explorer.of_margins(m + h)[0] - loss_explorer.of_margins(m - h)[0]) / (2 * h)
    np.testing.assert_allclose(loss_explorer.of_margins(m)[1], slopes, atol=1e-7)


def test_on_the_line_the_perceptron_still_learns():
    out = outputs(task="classification", margin=0.0)
    assert out["point_values"][ZERO_ONE] == 1
    assert out["point_gradients"][PERCEPTRON] == -1
    assert outputs(task="classification", margin=1.0)["point_gradients"][HINGE] == 0


def test_the_squared_error_is_asleep_where_it_is_most_wrong():
    out = outputs(task="classification", margin=-5.0)      # the chapter's numbers
    assert abs(out["point_gradients"][ENTROPY]) == pytest.approx(0.993, abs=5e-4)
    assert abs(out["point_gradients"][ON_SIGMOID]) == pytest.approx(0.013, abs=5e-4)
    assert out["ratio"] == pytest.approx(75, abs=1)
    end = out["paths"][:, -1]
    assert end[ENTROPY] > 2
    assert end[ON_SIGMOID] < -4.5


def test_each_path_follows_its_own_gradient():
    start = -4.35                                          # never on a kink
    out = outputs(task="classification", margin=start)
    paths = out["paths"]
    assert out["learning_rate"] == 1
    assert paths.shape == (6, 26)
    assert (paths[:, 0] == start).all()
    for k, path in enumerate(paths):
        np.testing.assert_allclose(np.diff(path), -by_formula(path[:-1])[1][k], atol=1e-12)


def test_where_each_loss_is_content():
    paths = outputs(task="classification", margin=-5.0)["paths"]
    assert (paths[ZERO_ONE] == -5).all()                   # no slope, no step
    assert paths[PERCEPTRON, -1] == paths[HINGE, -1] == 1
    assert paths[SQUARED_HINGE, 1] == -5 + 2 * 6           # overshoots, and rests where the loss is zero
    assert paths[SQUARED_HINGE, -1] == 7


def test_corners_run_clean():
    ends = {c.name: (c.low, c.high) for c in CONTROLS if c.kind == "slider"}
    with np.errstate(all="raise"):
        for task in ("regression", "classification"):
            for corner in itertools.product(*ends.values()):
                out = compute(task, **dict(zip(ends, corner, strict=True)))
                assert all(np.isfinite(value).all() for value in out.values())


def test_evaluate_and_script():
    for task in ("regression", "classification"):
        encoded, state = host.evaluate("loss_explorer", host.defaults("loss_explorer", task=task))
        out = outputs(task=task)
        assert state is None
        assert encoded.keys() == out.keys()
        assert encoded["values"]["shape"] == list(out["values"].shape)
        np.testing.assert_array_equal(np.frombuffer(encoded["values"]["data"]), out["values"].ravel())
    with pytest.raises(ValueError, match="margin"):
        host.evaluate("loss_explorer", DEFAULTS | {"margin": 7.0})
    assert "import {" not in host.script("loss_explorer")
