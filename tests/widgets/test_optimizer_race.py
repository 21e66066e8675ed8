"""The optimiser race: its paths are those of the update rules written out, and its effects those of the chapter."""

import itertools

import numpy as np
import pytest

from dlcourse.widgets import defaults, evaluate, optimizer_race
from dlcourse.widgets.controls import Choice, Slider

# The losses written out: u along the valley, v across it, k the curvature across.
LOSSES = {
    "ravine": lambda u, v, k: u**2 / 2 + k * v**2 / 2,
    "curved": lambda u, v, k: u**2 / 2 + k * (v + 1 - 0.02 * u**2) ** 2 / 2,
    "saddle": lambda u, v, k: (u - 6) ** 2 * (u + 6) ** 2 / 144 + k * v**2 / 2,
    "dented": lambda u, v, k: u**2 / 2 + 6 * np.sin(0.75 * u) ** 2 + k * v**2 / 2,
}
BOTTOMS = {"ravine": [[0, 0]], "curved": [[0, -1]], "saddle": [[-6, 0], [6, 0]], "dented": [[0, 0]]}

RULES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
EVERYONE = {f"{rule}_on": True for rule in RULES}


def run(**inputs):
    """Compute with all optimisers and some inputs other than the defaults."""
    outputs = optimizer_race.compute(**{**defaults("optimizer_race"), **EVERYONE, **inputs})
    assert outputs["names"] == [rule for rule in RULES if {**EVERYONE, **inputs}[f"{rule}_on"]]
    return outputs


def result(outputs, key, rule):
    return outputs[key][outputs["names"].index(rule)]


def by_hand(rule, s, w, gradient, steps):
    """Write each rule out once more, as the papers have it, for one array of weights."""
    path, m, v, a = [w], 0 * w, 0 * w, 0 * w
    for t in range(1, steps + 1):
        g, lam = gradient(w), s["weight_decay"]
        if rule == "adamw":
            w = w - s["lr"] * lam * w
        else:
            g = g + lam * w
        if rule == "sgd":
            step = g
        elif rule in ("momentum", "nesterov"):
            a = s["momentum"] * a + g
            step = a if rule == "momentum" else g + s["momentum"] * a
        elif rule == "adagrad":
            a = a + g**2
            step = g / (np.sqrt(a) + s["eps"])
        elif rule == "rmsprop":
            a = s["alpha"] * a + (1 - s["alpha"]) * g**2
            step = g / (np.sqrt(a) + s["eps"])
        else:
            m = s["beta1"] * m + (1 - s["beta1"]) * g
            v = s["beta2"] * v + (1 - s["beta2"]) * g**2
            step = m / (1 - s["beta1"] ** t) / (np.sqrt(v / (1 - s["beta2"] ** t)) + s["eps"])
        w = w - s["lr"] * step
        path.append(w)
    return np.array(path)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("angle", [0, 30])
def test_the_paths_follow_the_rules_written_out(rule, angle):
    turn = np.pi * angle / 180
    Q = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    H = Q @ np.diag([1.0, 40.0]) @ Q.T
    settings = {**optimizer_race.SETTINGS[rule], "lr": 0.02, "weight_decay": 0.3}
    changes = {f"{rule}_{name}": value for name, value in settings.items()}
    outputs = run(kappa=40.0, angle=angle, steps=40, **changes)
    expected = by_hand(rule, settings, Q @ [-9.0, 1.3], lambda w: H @ w, 40)
    assert np.allclose(result(outputs, "paths", rule), expected, rtol=1e-5, atol=1e-5)
    assert np.allclose(result(outputs, "losses", rule), [0.5 * w @ H @ w for w in expected])
    assert np.allclose(outputs["start"], Q @ [-9.0, 1.3])


@pytest.mark.parametrize("rule", RULES)
def test_every_setting_of_a_rule_moves_its_path_and_no_other(rule):
    before = run(angle=20)
    for name, value in optimizer_race.SETTINGS[rule].items():
        other = {"lr": 0.5 * value, "eps": 0.1}.get(name, value + 0.3 if value < 0.5 else value - 0.3)
        after = run(angle=20, **{f"{rule}_{name}": other})
        for entry in RULES:
            same = np.array_equal(result(before, "paths", entry), result(after, "paths", entry))
            assert same == (entry != rule), (name, entry)


def test_two_steps_of_gradient_descent_as_the_chapter_has_them_by_hand():
    outputs = run(kappa=10.0, start_along=-10.0, start_across=1.0, sgd_lr=0.15)
    assert np.allclose(result(outputs, "paths", "sgd")[:3], [[-10, 1], [-8.5, -0.5], [-7.225, 0.25]])
    assert np.allclose(result(outputs, "losses", "sgd")[:2], [55, 37.375])
    assert outputs["first"] == 55
    assert np.isclose(outputs["target"], 0.0055)


@pytest.mark.parametrize("rule", ["sgd", "momentum", "nesterov"])
@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_beyond_the_stable_rate_a_path_leaves_and_below_it_does_not(rule, decay):
    same = {"tune": rule, f"{rule}_weight_decay": decay, "kappa": 30.0, "steps": 200}
    limit = run(**same)["limit"]
    below, beyond = (run(**same, **{f"{rule}_lr": factor * limit}) for factor in (0.97, 1.05))
    assert result(below, "left", rule) is None
    assert abs(result(below, "paths", rule)[-1, 1]) < 1.3
    assert result(beyond, "left", rule) is not None
    assert abs(result(beyond, "losses", rule)[-1]) > beyond["first"] or np.isnan(result(beyond, "losses", rule)[-1])


def test_there_is_a_limit_only_for_steps_proportional_to_the_gradient_and_only_in_the_ravine():
    assert np.isclose(run(tune="sgd")["limit"], 0.02)
    assert run(tune="adam")["limit"] is None
    assert run(tune="sgd", surface="saddle")["limit"] is None


def test_turning_the_valley_hurts_those_that_rescale_axes_and_no_other():
    straight, turned = run(), run(angle=30)
    for rule in ("sgd", "momentum", "nesterov"):
        assert np.allclose(result(straight, "losses", rule), result(turned, "losses", rule))
    assert result(straight, "arrived", "adagrad") < 25
    assert result(turned, "arrived", "adagrad") is None
    assert result(turned, "losses", "rmsprop")[-1] > 5 * result(straight, "losses", "rmsprop")[-1]
    assert result(turned, "arrived", "adam") < 1.5 * result(straight, "arrived", "adam")


def test_the_defaults_repeat_the_race_of_the_chapter():
    outputs = run()
    arrived = dict(zip(outputs["names"], outputs["arrived"], strict=True))
    assert arrived["sgd"] is None
    assert arrived["nesterov"] < arrived["momentum"] < 100
    assert arrived["adagrad"] < min(arrived["momentum"], arrived["adam"])
    assert result(run(sgd_lr=0.0224), "left", "sgd") is not None          # one position beyond 2/κ
    assert result(run(sgd_lr=0.0195), "left", "sgd") is None


def test_the_saddle_holds_gradient_descent_and_the_dents_hold_it_too():
    along, across = optimizer_race.VALLEYS["saddle"].start
    saddle = run(surface="saddle", start_along=along, start_across=across)
    assert LOSSES["saddle"](0, 0, 100.0) == 9
    assert 9 in saddle["levels"]                                      # the line through the saddle is drawn
    assert result(saddle, "losses", "sgd")[-1] > 8.5
    assert result(saddle, "losses", "adam")[-1] < 0.01
    dents = run(surface="dented")
    assert result(dents, "losses", "sgd")[-1] > 5
    assert abs(np.diff(result(dents, "losses", "sgd")[-10:])).max() < 1e-3
    assert result(dents, "losses", "momentum")[-1] < 0.1


def test_noise_is_drawn_from_the_seed_and_shared():
    still, noisy, again, other = run(), run(noise=2.0), run(noise=2.0), run(noise=2.0, seed=1)
    assert np.array_equal(noisy["paths"], again["paths"])
    assert not np.allclose(noisy["paths"], still["paths"])
    assert not np.allclose(noisy["paths"], other["paths"])
    draws = np.random.default_rng(0).standard_normal((100, 2))
    w = np.array([-9.0, 1.3])
    assert np.allclose(result(noisy, "paths", "sgd")[1], w - 0.0158 * (w * [1, 100] + 2 * draws[0]))


@pytest.mark.parametrize("name", sorted(optimizer_race.VALLEYS))
def test_the_gradient_is_the_slope_of_the_loss_and_the_bottoms_are_minima(name):
    valley, rng = optimizer_race.VALLEYS[name], np.random.default_rng(0)
    places = rng.uniform([-10, -2.2], [10, 2.2], (50, 2))
    numeric = np.stack([(LOSSES[name](*(places + h).T, 7.0) - LOSSES[name](*(places - h).T, 7.0)) / 2e-5
                        for h in (np.array([1e-5, 0]), np.array([0, 1e-5]))], axis=-1)
    assert np.allclose(valley.loss(places, 7.0), LOSSES[name](*places.T, 7.0))
    assert np.allclose(valley.gradient(places, 7.0), numeric, atol=1e-6)
    assert np.allclose(run(surface=name)["bottoms"], BOTTOMS[name])
    assert np.allclose(LOSSES[name](*np.transpose(BOTTOMS[name]), 7.0), 0)
    assert np.allclose(valley.gradient(np.array(BOTTOMS[name], dtype=float), 7.0), 0)


@pytest.mark.parametrize("name", sorted(optimizer_race.VALLEYS))
def test_contour_lines_lie_on_their_level(name):
    outputs = run(surface=name, angle=25)
    inner = outputs["contours"].astype(float) @ outputs["axes"]             # back to (u, v)
    assert inner.shape == (10, 2, 209, 2)
    height = LOSSES[name](inner[..., 0], inner[..., 1], 100.0)
    ends = inner[:, 0, :, 1] == inner[:, 1, :, 1]
    ends |= np.isclose(inner[:, 0, :, 1], inner[:, 1, :, 1], atol=1e-5)      # where both sides meet
    for level, heights, end in zip(outputs["levels"], height, ends, strict=True):
        on = ~np.isnan(heights[0]) & ~end
        assert on.any()
        assert np.allclose(heights[:, on], level, rtol=1e-3)


def test_the_picture_holds_the_start_however_it_is_turned():
    for angle, u, v in itertools.product((0, 20, 45), (-10.0, 10.0), (-2.2, 2.2)):
        outputs = run(angle=angle, start_along=u, start_across=v)
        assert np.all(np.abs(outputs["start"]) <= outputs["half"])
        assert np.allclose(outputs["axes"].T @ outputs["start"], [u, v])


def test_arrival_and_departure_on_small_examples():
    assert optimizer_race.arrival(np.array([1.0, 1e-5, 1.0, 1e-5, 1e-6])) == 3
    assert optimizer_race.arrival(np.array([1.0, 0.5])) is None
    assert optimizer_race.arrival(np.array([1.0, 1e-9, np.nan])) is None
    half = np.array([1.0, 1.0])
    assert optimizer_race.departure(np.array([[0, 0], [2, 0], [0, 0]]), half) is None
    assert optimizer_race.departure(np.array([[0, 0], [2, 0], [0, 0], [0, 3], [9, 9]]), half) == 3
    assert optimizer_race.departure(np.array([[0, 0], [2, 0], [np.nan, np.nan]]), half) == 1


def corners():
    """Shared controls at all combinations of their ends, the settings and the start each at one of theirs."""
    shared = {c.name: (c.low, c.high) for c in optimizer_race.CONTROLS if isinstance(c, Slider) and "_" not in c.name}
    own = {c.name: (c.low, c.high) for c in optimizer_race.setting_sliders()}
    rng = np.random.default_rng(0)
    for surface in optimizer_race.VALLEYS:
        for ends in itertools.product(*shared.values()):
            pick = {name: ends_[rng.integers(2)] for name, ends_ in own.items()}
            start = {"start_along": (-10.0, 10.0)[rng.integers(2)], "start_across": (-2.2, 0.0)[rng.integers(2)]}
            yield {"surface": surface, **dict(zip(shared, ends, strict=True)), **pick, **start}


def test_the_ends_of_all_ranges_run_clean():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for inputs in corners():
            outputs = run(**inputs)
            assert np.isfinite(outputs["losses"][:, 0]).all()
            assert not np.isinf(outputs["paths"]).any()
        assert run(start_along=0.0, start_across=0.0)["first"] == 0
        nobody = run(**dict.fromkeys(EVERYONE, False))
        assert nobody["paths"].shape == (0, 101, 2)


def test_it_passes_through_the_host():
    inputs = defaults("optimizer_race")
    outputs, state = evaluate("optimizer_race", inputs)
    assert state is None
    assert outputs["paths"]["shape"] == [4, 101, 2]
    assert outputs["arrived"][0] is None
    assert sum(len(part["data"]) for part in outputs.values() if isinstance(part, dict) and "data" in part) < 45_000
    with pytest.raises(ValueError, match="sgd_lr"):
        evaluate("optimizer_race", {**inputs, "sgd_lr": 100.0})
    tune = next(c for c in optimizer_race.CONTROLS if isinstance(c, Choice) and c.name == "tune")
    assert tuple(rule for rule, _ in tune.options) == RULES
