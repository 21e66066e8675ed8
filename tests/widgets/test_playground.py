"""The playground: its numbers against a hand-written network, its experiments, and what keeps a run going."""

import itertools
import json

import numpy as np
import pytest

from dlcourse import data
from dlcourse.widgets import host, playground
from dlcourse.widgets.codec import to_json

FEATURE_NAMES = ("x1", "x2", "x1_squared", "x2_squared", "product", "sin_x1", "sin_x2")


def settings(**changes):
    return {control.name: control.default for control in playground.CONTROLS} | changes


def play(frames, state=None, start=0, **changes):
    """Ask for some frames, one after the other, as the page does."""
    outputs = None
    for tick in range(start, start + frames + 1):
        outputs, state = playground.compute(**settings(**changes, tick=tick), state=state)
    return outputs, state


def losses(outputs):
    return outputs["curve"][1:, -1]


def sigmoid(s):
    return 1 / (1 + np.exp(-s))


def cross_entropy(score, y):
    p = sigmoid(score)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def xor_points(noise=0.35, points=100, sample=0):
    """The default points, drawn by hand: at 1.5 times the corners, training first, 200 for testing after."""
    rng = np.random.default_rng(sample)
    return [(1.5 * s.x, s.y[:, None].astype(float)) for s in (data.xor(n, noise / 1.5, rng=rng) for n in (points, 200))]


# ------------------------------------------------------------------ numbers

def test_first_picture_is_that_of_the_first_weights():
    outputs, _ = play(0)
    w, b = outputs["weights"], outputs["biases"]
    assert [weight.shape for weight in w] == [(4, 2), (4, 4), (1, 4)]
    assert all((bias == 0).all() for bias in b)
    for (x, y), loss in zip(xor_points(), losses(outputs), strict=True):
        score = np.tanh(np.tanh(x @ w[0].T) @ w[1].T) @ w[2].T
        assert loss == pytest.approx(cross_entropy(score, y), rel=1e-12)
    assert outputs["test_accuracy"] == np.mean((score > 0) == (y == 1))
    assert outputs["norm"] == pytest.approx(np.sqrt(sum((weight**2).sum() for weight in w)))
    assert outputs["guess"] == pytest.approx(cross_entropy(np.zeros(4), np.array([0, 1, 1, 0])))


def test_an_update_is_that_of_gradient_descent_by_hand():
    """One hidden layer, all points in one batch, both penalties: the gradient written out."""
    changes = dict(layers=1, units1=3, batch_size=200, updates=1, learning_rate=0.5, l2="0.03", l1="0.01")
    before, state = play(3, **changes)                     # biases are zero at first, and no longer
    after, _ = play(1, state, start=3, **changes)
    (x, y), _ = xor_points()
    (w1, w2), (b1, b2) = before["weights"], before["biases"]
    h = np.tanh(x @ w1.T + b1)
    ds = (sigmoid(h @ w2.T + b2) - y) / len(y)
    dz = ds @ w2 * (1 - h**2)
    expected = [w1 - 0.5 * (dz.T @ x + 0.06 * w1 + 0.01 * np.sign(w1)),
                w2 - 0.5 * (ds.T @ h + 0.06 * w2 + 0.01 * np.sign(w2))]
    for got, want in zip(after["weights"], expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)
    np.testing.assert_allclose(after["biases"][0], b1 - 0.5 * dz.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(after["biases"][1], b2 - 0.5 * ds.sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("name, rule", [
    ("x1", lambda a, b: a), ("x2", lambda a, b: b), ("x1_squared", lambda a, b: a * a),
    ("x2_squared", lambda a, b: b * b),
    ("product", lambda a, b: a * b), ("sin_x1", lambda a, b: np.sin(a)), ("sin_x2", lambda a, b: np.sin(b)),
])
def test_map_shows_the_function_at_the_middles_of_the_pixels(name, rule):
    """A single linear unit of one feature is that feature times its weight, everywhere."""
    only = dict.fromkeys(FEATURE_NAMES, False) | {name: True}
    outputs, _ = play(3, layers=0, **only)
    side = outputs["side"]
    line = -3.5 + 7 * (np.arange(side) + 0.5) / side
    a, b = np.tile(line, side), np.repeat(line, side)      # row 0 at the bottom
    score = outputs["weights"][0][0, 0] * rule(a, b) + outputs["biases"][0][0]
    np.testing.assert_allclose(outputs["score"], score, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(outputs["sides"] / 127, 2 * sigmoid(score) - 1, atol=0.5 / 127 + 1e-12)
    coarse = (np.arange(side // 2) + 0.5) * 14 / side - 3.5
    values = rule(np.tile(coarse, side // 2), np.repeat(coarse, side // 2))
    shown = outputs["features"][FEATURE_NAMES.index(name)] / 127
    np.testing.assert_allclose(shown, values / np.abs(values).max(), atol=0.5 / 127 + 1e-12)


def test_hidden_maps_are_shares_of_their_own_largest():
    outputs, _ = play(5, layers=1, units1=2, activation="relu")
    side = outputs["side"]
    line = -3.5 + 7 * (np.arange(side) + 0.5) / side
    x = np.stack([np.tile(line, side), np.repeat(line, side)], axis=1)
    h = np.maximum(x @ outputs["weights"][0].T + outputs["biases"][0], 0)
    np.testing.assert_allclose(outputs["maps"][0].T / 127, h / h.max(axis=0), atol=0.5 / 127 + 1e-12)


def test_points_are_those_trained_on_and_noise_is_in_units_of_the_picture():
    outputs, _ = play(0, show_test=True)
    for (x, y), points, labels in zip(xor_points(), outputs["points"], outputs["labels"], strict=True):
        np.testing.assert_allclose(points, x, rtol=1e-6)
        np.testing.assert_array_equal(labels, y[:, 0])
    assert len(play(0)[0]["points"]) == 1
    (x, _), _ = playground.make_data("blobs", 0.5, 200, 0)
    centres = np.where(x[:, :1] > 0, [1.6, 0.0], [-1.6, 0.0])
    assert np.std(x - centres) == pytest.approx(0.5, rel=0.1)


# ------------------------------------------------------------------ going on and beginning anew

def test_frames_of_any_length_make_the_same_updates():
    small, _ = play(30, updates=1, optimizer="adam")
    large, _ = play(3, updates=10, optimizer="adam")
    assert small["step"] == large["step"] == 30
    for a, b in zip(small["weights"], large["weights"], strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_example_comes_once_in_an_epoch():
    dealt = np.concatenate(playground.deal(settings(points=50), 3, 8))
    assert sorted(dealt) == list(range(50))
    outputs, _ = play(5, updates=7, points=50, batch_size=8)   # seven batches an epoch
    assert (outputs["step"], outputs["epoch"]) == (35, 4)


def test_same_state_gives_same_result_and_is_left_alone():
    _, state = play(4, optimizer="momentum")
    kept = {name: array.copy() for name, array in state.weights.items()}
    first, _ = playground.compute(**settings(tick=5, optimizer="momentum"), state=state)
    second, _ = playground.compute(**settings(tick=5, optimizer="momentum"), state=state)
    assert json.dumps(to_json(host.encode(first))) == json.dumps(to_json(host.encode(second)))
    assert all((state.weights[name] == kept[name]).all() for name in kept)


def test_nothing_is_trained_while_the_clock_stands():
    before, state = play(4)
    after, _ = playground.compute(**settings(tick=4, updates=20, learning_rate=1.0), state=state)
    assert after["step"] == before["step"] == 40
    np.testing.assert_array_equal(after["curve"], before["curve"])


@pytest.mark.parametrize("change", [
    {"learning_rate": 0.01}, {"l1": "0.01"}, {"l2": "0.01"}, {"batch_size": 7}, {"optimizer": "adam"}, {"updates": 3},
    {"show_test": True},
])
def test_training_goes_on_after_these(change):
    _, state = play(4)
    outputs, _ = playground.compute(**settings(tick=5, **change), state=state)
    assert outputs["step"] == 40 + change.get("updates", 10)
    assert outputs["curve"].shape[1] == 6


@pytest.mark.parametrize("change", [
    {"dataset": "moons"}, {"noise": 0.1}, {"points": 50}, {"sample": 1}, {"seed": 1}, {"restart": 1}, {"layers": 1},
    {"units1": 5}, {"activation": "relu"}, {"product": True}, {"x1": False},
])
def test_training_begins_anew_after_these(change):
    _, state = play(4)
    outputs, state = playground.compute(**settings(tick=4, **change), state=state)
    assert outputs["step"] == 0
    fresh, _ = play(0, **change)
    np.testing.assert_array_equal(outputs["weights"][0], fresh["weights"][0])
    outputs, _ = playground.compute(**settings(tick=5, **change), state=state)
    assert outputs["step"] == 10


def test_a_page_that_begins_at_a_later_tick_trains_one_frame():
    """The first picture of a page is stored in it: Python is first called when Play is pressed."""
    outputs, _ = playground.compute(**settings(tick=1), state=None)
    assert outputs["step"] == 10


def test_optimizer_keeps_its_memory_only_while_it_is_chosen():
    _, state = play(2, optimizer="momentum")
    assert state.memory["momentum"] == 0.9
    assert np.abs(state.memory["0.momentum_buffer"]).max() > 0
    _, state = playground.compute(**settings(tick=3, optimizer="adam", updates=1), state=state)
    assert state.memory["0.step"] == 1
    _, state = playground.compute(**settings(tick=4, optimizer="adam", learning_rate=0.001), state=state)
    assert state.memory["lr"] == 0.001


def test_long_curve_is_thinned_and_keeps_its_ends():
    _, state = play(600, updates=1, layers=0)
    steps = state.curve[0]
    assert len(steps) <= playground.LONGEST_CURVE
    assert (steps[0], steps[-1]) == (0, 600)
    assert (np.diff(steps) > 0).all()


def test_best_is_the_smallest_test_loss_of_all_frames():
    outputs, _ = play(60, **playground.EXPERIMENTS[7]["inputs"])
    at = outputs["curve"][2].argmin()
    assert outputs["best_test_loss"] == outputs["curve"][2, at]
    assert outputs["best_step"] == outputs["curve"][0, at]


# ------------------------------------------------------------------ what can be found out

def labelled(label):
    return next(entry["inputs"] for entry in playground.EXPERIMENTS if entry["label"] == label)


def test_every_experiment_is_a_setting_that_the_controls_accept():
    for entry in playground.EXPERIMENTS:
        host.defaults("playground", **entry["inputs"])
        assert entry["question"].endswith((".", "?"))


def test_xor_needs_a_hidden_layer_or_the_product():
    assert losses(play(100, **labelled("XOR: two layers of four units"))[0])[1] < 0.05
    bare = labelled("XOR without a hidden layer")
    assert losses(play(100, **bare)[0])[0] > 0.68                    # no better than guessing
    assert losses(play(100, **bare, product=True)[0])[1] < 0.05


def test_two_hidden_units_arrive_from_some_starts_only():
    inputs = labelled("XOR with two hidden units")
    right = [play(60, **inputs | {"seed": seed})[0]["test_accuracy"] for seed in range(8)]
    assert right[1] < 0.8                                            # the experiment begins with a failure
    assert max(right) > 0.95


def test_depth_without_bends_gains_nothing():
    inputs = labelled("Depth without bends")
    outputs, _ = play(100, **inputs)
    assert outputs["test_accuracy"] < 0.65
    w, b = outputs["weights"], outputs["biases"]
    weight, bias = w[0], b[0]
    for next_w, next_b in zip(w[1:], b[1:], strict=True):            # five layers are one
        weight, bias = next_w @ weight, next_w @ bias + next_b
    side = outputs["side"]
    line = -3.5 + 7 * (np.arange(side) + 0.5) / side
    plane = weight[0, 0] * np.tile(line, side) + weight[0, 1] * np.repeat(line, side) + bias[0]
    np.testing.assert_allclose(outputs["score"], plane, rtol=1e-4, atol=1e-5)
    assert play(100, **inputs | {"activation": "tanh", "learning_rate": 0.1})[0]["test_accuracy"] > 0.95


def test_three_lines_enclose_a_circle_and_two_do_not():
    inputs = labelled("A circle out of lines")
    assert play(100, **inputs)[0]["test_accuracy"] > 0.95
    assert play(100, **inputs | {"units1": 2})[0]["test_accuracy"] < 0.85


def test_squares_make_a_circle_without_hidden_layer():
    inputs = labelled("A circle by choice of features")
    assert play(100, **inputs)[0]["test_accuracy"] > 0.95
    plain = inputs | {"x1": True, "x2": True, "x1_squared": False, "x2_squared": False}
    assert play(100, **plain)[0]["test_accuracy"] < 0.65


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_spirals_are_learned(activation):
    assert play(80, **labelled("Spirals") | {"activation": activation})[0]["test_accuracy"] > 0.95


def test_overfitting_and_two_cures():
    inputs = labelled("Overfitting")
    train, test = losses(play(100, **inputs)[0])
    assert train < 0.02
    assert test > 1
    assert play(100, **inputs)[0]["overfits"]
    assert losses(play(100, **inputs, l2="0.01")[0])[1] < 0.5
    assert losses(play(100, **inputs | {"points": 200})[0])[1] < 0.5


def test_sigmoids_stay_where_they_are():
    inputs = labelled("Gradients that vanish")
    assert losses(play(100, **inputs)[0])[0] > 0.69
    for activation in ("tanh", "relu"):
        assert losses(play(100, **inputs | {"activation": activation})[0])[0] < 0.1


def test_too_large_a_learning_rate_kills_a_layer_of_relus():
    inputs = labelled("A learning rate too large")
    outputs, _ = play(50, **inputs)
    assert outputs["dead"][1].all()
    assert outputs["test_accuracy"] == 0.5
    lower, _ = play(100, **inputs | {"learning_rate": 0.316228})
    assert not lower["dead"][1].any()
    assert lower["test_accuracy"] > 0.95


def test_l1_leaves_the_two_squares():
    inputs = labelled("An L1 penalty chooses features")
    weights = np.abs(play(150, **inputs)[0]["weights"][0][0])
    squares = weights[[2, 3]]
    others = np.delete(weights, [2, 3])
    assert squares.min() > 1
    assert others.max() < 0.05
    assert np.delete(np.abs(play(150, **inputs | {"l1": "0"})[0]["weights"][0][0]), [2, 3]).max() > 0.1


def test_without_features_there_is_nothing_to_learn():
    outputs, _ = play(50, **dict.fromkeys(FEATURE_NAMES, False))
    assert np.ptp(outputs["score"]) == 0
    assert losses(outputs)[0] == pytest.approx(np.log(2), abs=0.02)


def test_weights_that_run_away_end_the_run():
    changes = dict(dataset="circles", learning_rate=10.0, optimizer="momentum", activation="leaky_relu", layers=4,
                   l2="0.3", units1=8, units2=8, units3=8, units4=8)
    outputs, state = play(40, **changes)
    assert 0 < outputs["ran_away"] <= outputs["step"] + 10
    assert all(np.isfinite(w).all() for w in outputs["weights"])
    later, _ = play(3, state, start=40, **changes)
    assert later["step"] == outputs["step"]
    anew, _ = playground.compute(**settings(**changes | {"restart": 1, "learning_rate": 0.01}, tick=41), state=state)
    assert anew["ran_away"] == 0
    assert anew["step"] == 10


# ------------------------------------------------------------------ ranges, and the way to the page

@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dataset", ["xor", "circles", "moons", "spirals", "blobs"])
def test_corners_of_all_ranges(dataset):
    activations = ("tanh", "relu", "leaky_relu", "elu", "sigmoid", "linear")
    corners = itertools.product(activations, ("sgd", "momentum", "adam"), (0, 4), (1, 8), (0.001, 10.0), (False, True))
    for index, (activation, optimizer, layers, units, learning_rate, on) in enumerate(corners):
        high = index % 2 == 1
        changes = dict(dataset=dataset, activation=activation, optimizer=optimizer, layers=layers,
                       learning_rate=learning_rate, noise=float(high), points=200 if high else 10,
                       batch_size=200 if index % 3 else 1, l1="0.3" if index % 5 else "0", l2="0.3" if high else "0",
                       updates=20, **dict.fromkeys(FEATURE_NAMES, on),
                       **{f"units{layer}": units for layer in (1, 2, 3, 4)})
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            outputs, _ = play(2, **changes)
        arrays = [*outputs["weights"], *outputs["biases"], outputs["score"], outputs["curve"]]
        assert all(np.isfinite(array).all() for array in arrays), changes


def test_round_trip_through_the_host():
    outputs, state = host.evaluate("playground", host.defaults("playground"))
    assert outputs["score"]["dtype"] == "float32"
    assert outputs["maps"][0]["shape"] == [4, 1600]
    assert len(json.dumps(to_json(outputs))) < 60_000
    outputs, _ = host.evaluate("playground", host.defaults("playground", tick=1), state)
    assert outputs["step"] == 10
    with pytest.raises(ValueError, match="layers"):
        host.evaluate("playground", host.defaults("playground") | {"layers": 5})


def test_labels_of_the_page_match_the_features():
    script = host.script("playground")
    for name, label in zip(playground.FEATURES, playground.FEATURE_LABELS, strict=True):
        assert f'["{name}", "{label}"]' in script
