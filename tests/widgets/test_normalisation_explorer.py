import itertools

import numpy as np
import pytest

from dlcourse.widgets import host
from dlcourse.widgets.normalisation_explorer import (
    BRIGHTNESS,
    CONTROLS,
    DEVIATIONS,
    MEANS,
    compute,
    running_statistics,
)

DEFAULTS = {control.name: control.default for control in CONTROLS}
NORMS = ("batch", "layer", "instance", "group")


def outputs(**changes):
    return compute(**DEFAULTS | changes)


def by_hand(norm, x, eps):
    """Standardise with explicit loops over the boxes that share a mean; groups of three channels."""
    channels = range(x.shape[1])
    boxes = {"batch": [(slice(None), c) for c in channels],
             "layer": [(n,) for n in range(len(x))],
             "instance": [(n, c) for n in range(len(x)) for c in channels],
             "group": [(n, part) for n in range(len(x)) for part in (slice(0, 3), slice(3, 6))]}[norm]
    y = np.empty_like(x)
    for box in boxes:
        y[box] = (x[box] - np.mean(x[box])) / np.sqrt(np.var(x[box]) + eps)
    return y, boxes


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("pixels, shape", [("1x2", (4, 6, 1, 2)), ("2x2", (4, 6, 2, 2))])
def test_output_is_that_of_the_formula(norm, pixels, shape):
    out = outputs(norm=norm, pixels=pixels, gamma=2.0, beta=-1.0, eps=0.1, scale=3.0, shift=1.0)
    x_hat, boxes = by_hand(norm, out["x"], 0.1)
    assert out["x"].shape == shape
    np.testing.assert_allclose(out["x_hat"], x_hat, atol=1e-12)
    np.testing.assert_allclose((out["x"] - out["mean"]) / out["std"], x_hat, atol=1e-12)
    np.testing.assert_allclose(out["y"][:, 0], 2 * x_hat[:, 0] - 1, atol=1e-12)
    np.testing.assert_allclose(out["y"][:, 1:], x_hat[:, 1:], atol=1e-12)
    for number, box in enumerate(boxes):                   # the outlines are the boxes, in this order
        assert (out["group"][box] == number).all()
        np.testing.assert_allclose(out["before"][:, number], [out["x"][box].mean(), out["x"][box].std()])
        np.testing.assert_allclose(out["after"][:, number], [out["y"][box].mean(), out["y"][box].std()], atol=1e-12)


def test_groups_run_from_layer_to_instance_norm():
    for groups, norm in (("1", "layer"), ("6", "instance")):
        np.testing.assert_allclose(outputs(norm="group", groups=groups)["y"], outputs(norm=norm)["y"], atol=1e-12)
        np.testing.assert_array_equal(outputs(norm="group", groups=groups)["group"], outputs(norm=norm)["group"])


def test_the_change_is_what_it_says():
    plain, x = outputs()["x"], outputs(changed="channel", scale=2.0, shift=1.0)["x"]
    np.testing.assert_allclose(x[:, 0], 2 * plain[:, 0] + 1)
    np.testing.assert_array_equal(x[:, 1:], plain[:, 1:])
    x = outputs(changed="example", scale=2.0, shift=1.0)["x"]
    np.testing.assert_allclose(x[0], 2 * plain[0] + 1)
    np.testing.assert_array_equal(x[1:], plain[1:])


@pytest.mark.parametrize("changed, norm, removed, spreads", [
    ("channel", "batch", True, False), ("channel", "instance", True, False),
    ("channel", "layer", False, True), ("channel", "group", False, True),
    ("example", "layer", True, False), ("example", "instance", True, False), ("example", "group", True, False),
    ("example", "batch", False, True),
])
def test_which_norm_takes_which_change_out(changed, norm, removed, spreads):
    out = outputs(norm=norm, changed=changed, scale=5.0, shift=2.0)
    moved = np.abs(out["y"] - outputs(norm=norm)["y"])
    part = (slice(None), 0) if changed == "channel" else (0,)
    touched = np.zeros(moved.shape, dtype=bool)
    touched[part] = True
    assert out["moved_inside"] == pytest.approx(moved[touched].max(), abs=1e-12)
    assert out["moved_outside"] == pytest.approx(moved[~touched].max(), abs=1e-12)
    assert out["moved_inside"] < 0.02 if removed else out["moved_inside"] > 0.3
    assert out["moved_outside"] > 0.3 if spreads else out["moved_outside"] < 1e-12


def test_two_values_leave_only_their_order():
    out = outputs(examples=2, pixels="1x1")
    np.testing.assert_allclose(np.abs(out["y"]), 1, atol=5e-3)
    np.testing.assert_array_equal(np.sign(out["y"][0]), np.sign(out["x"][0] - out["x"][1]))
    np.testing.assert_allclose(np.abs(outputs(examples=1)["y"]), 1, atol=1e-3)      # one example, two pixels


def test_small_batches_widen_the_gap_between_the_modes():
    def gap(examples):
        return np.mean([outputs(examples=examples, seed=seed)["gap"] for seed in range(20)])

    assert gap(1) > 1.5 * gap(8)
    assert gap(1) > gap(2) > gap(8)


@pytest.mark.parametrize("norm", NORMS)
def test_evaluation_differs_for_batch_norm_only(norm):
    out = outputs(norm=norm)
    np.testing.assert_array_equal(out["y"], out["trained"])
    np.testing.assert_array_equal(outputs(norm=norm, mode="evaluation")["y"], out["evaluated"])
    rms = np.sqrt(np.mean((out["trained"] - out["evaluated"]) ** 2))
    assert out["gap"] == pytest.approx(rms)
    assert (out["gap"] > 0.1) == (norm == "batch")


def averages_by_hand():
    """Forty batches of 4 examples with 1 x 2 pixels, each with a share of a tenth in the running averages."""
    rng = np.random.default_rng([0, 1])
    noise, brightness = rng.standard_normal((40, 4, 6, 4)), 0.6 * rng.standard_normal((40, 4, 1, 1))
    means, deviations = [1, -2, 0.5, 2, -0.5, -1], [1, 0.5, 1.5, 0.8, 1.2, 0.6]
    mean, var = np.zeros(6), np.ones(6)
    for batch in (np.reshape(means, (6, 1)) + brightness + np.reshape(deviations, (6, 1)) * noise)[..., :2]:
        mean = 0.9 * mean + 0.1 * batch.mean(axis=(0, 2))
        var = 0.9 * var + 0.1 * batch.var(axis=(0, 2), ddof=1)
    return mean, var


def test_evaluation_uses_running_averages_from_before_the_change():
    out = outputs(mode="evaluation", changed="channel", shift=5.0)
    mean, var = averages_by_hand()
    np.testing.assert_allclose(out["y"], (out["x"] - mean[:, None, None]) / np.sqrt(var[:, None, None] + 1e-5))
    np.testing.assert_allclose((out["x"] - out["mean"]) / out["std"], out["x_hat"])
    assert out["moved_inside"] == pytest.approx(5 / np.sqrt(var[0] + 1e-5))
    assert out["moved_outside"] == 0


def test_running_averages_approach_what_the_batches_are_drawn_from():
    mean, var = np.mean([running_statistics(seed, 8, (2, 2)) for seed in range(40)], axis=0)
    np.testing.assert_allclose(mean, MEANS, atol=0.15)
    np.testing.assert_allclose(var, DEVIATIONS**2 + BRIGHTNESS**2, rtol=0.15)
    np.testing.assert_array_equal(running_statistics(0, 1, (1, 1)), [np.zeros(6), np.ones(6)])


def test_a_single_value_is_refused():
    for inputs in ({"norm": "instance"}, {"norm": "group", "groups": "6"}, {"norm": "batch", "examples": 1}):
        out = outputs(pixels="1x1", **inputs)
        assert "more than one value" in out["refused"]
        assert out["y"] is out["x_hat"] is out["after"] is out["gap"] is None
    out = outputs(pixels="1x1", examples=1, mode="evaluation")
    np.testing.assert_allclose(out["y"], out["x"] / np.sqrt(1 + 1e-5))
    assert out["trained"] is None


def test_histograms_count_every_value():
    out = outputs(scale=10.0, shift=5.0)
    assert (out["edges"].shape, out["counts_before"].shape, out["counts_after"].shape) == ((25,), (24,), (24,))
    assert out["counts_before"].sum() == out["counts_after"].sum() == out["x"].size
    beyond = np.sum(out["x"] >= out["edges"][-2])
    assert out["counts_before"][-1] == beyond > 0


def test_a_smaller_batch_is_the_beginning_of_a_larger_one():
    np.testing.assert_array_equal(outputs(examples=2)["x"], outputs(examples=8)["x"][:2])
    np.testing.assert_array_equal(outputs(pixels="1x1")["x"][..., 0, 0], outputs(pixels="2x2")["x"][..., 0, 0])
    assert not np.array_equal(outputs(seed=1)["x"], outputs(seed=2)["x"])


def test_a_call_leaves_nothing_behind():
    first = outputs(shift=5.0)
    for norm, mode in itertools.product(NORMS, ("training", "evaluation")):
        outputs(norm=norm, mode=mode, shift=5.0)
    np.testing.assert_array_equal(outputs(shift=5.0)["evaluated"], first["evaluated"])


def test_corners_run_clean():
    choices = {c.name: [value for value, _ in c.options] for c in CONTROLS if c.kind == "choice"}
    ends = {c.name: (c.low, c.high) for c in CONTROLS if c.kind == "slider"}
    rng = np.random.default_rng(0)
    corners = list(itertools.product(*ends.values()))
    with np.errstate(all="raise"):
        for choice in itertools.product(*choices.values()):
            for i in rng.choice(len(corners), 12, replace=False):
                chosen, corner = (dict(zip(*pair, strict=True)) for pair in ((choices, choice), (ends, corners[i])))
                out = compute(**chosen, **corner, seed=0)
                numbers = [v for v in out.values() if isinstance(v, np.ndarray | float)]
                assert all(np.isfinite(v).all() for v in numbers)


def test_evaluate_and_script():
    encoded, state = host.evaluate("normalisation_explorer", host.defaults("normalisation_explorer"))
    out = outputs()
    assert state is None
    assert encoded.keys() == out.keys()
    np.testing.assert_array_equal(np.frombuffer(encoded["y"]["data"]).reshape(out["y"].shape), out["y"])
    refused, _ = host.evaluate("normalisation_explorer", DEFAULTS | {"norm": "instance", "pixels": "1x1"})
    assert refused["y"] is None
    with pytest.raises(ValueError, match="examples"):
        host.evaluate("normalisation_explorer", DEFAULTS | {"examples": 9})
    assert "import {" not in host.script("normalisation_explorer")
