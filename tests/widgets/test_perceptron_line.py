"""The perceptron's line: the run of the package's perceptron, its bound, and what happens without a line."""

import itertools

import numpy as np
import pytest

from dlcourse.neurons import Perceptron
from dlcourse.widgets import host, perceptron_line


def run(**inputs):
    """Compute with some controls set and the others at their defaults."""
    chosen = host.defaults("perceptron_line", **inputs)
    return perceptron_line.compute(**{**chosen, "points": np.asarray(chosen["points"], dtype=np.float64)})


def as_points(x, y):
    """Lay out points as the reader's moves are sent."""
    return np.column_stack([x, y]).ravel().tolist()


def test_three_points_of_the_text_by_hand():
    out = run(data="abc")
    lines = [[0, 0, 0], [-1, -2, -1], [1, -2, 0], [2, -1, 1], [1, -3, 0], [2, -2, 1]]
    assert np.array_equal(out["lines"], lines)
    assert [out["names"][i] for i in out["cause"][1:]] == list("ABCAC")
    assert out["epoch"].tolist() == [0, 1, 1, 1, 2, 2]
    assert out["before"][1:].tolist() == [0, -3, -1, -1, -2]
    assert (out["after"] - out["before"])[1:].tolist() == [6, 5, 3, 6, 3]       # |x|² + 1
    assert out["wrong"].astype(int).tolist() == [[1, 1, 1], [0, 1, 1], [0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert out["settled"]
    assert out["bound"] == pytest.approx(54)
    assert out["radius"] == pytest.approx(np.sqrt(6))
    assert out["gamma"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("order", ["listed", "sorted", "shuffled"])
@pytest.mark.parametrize("inputs", [{}, {"margin": 0.05, "n": 40, "seed": 8}, {"data": "overlap"}, {"data": "xor"}])
def test_walk_is_that_of_the_perceptron(inputs, order):
    out = run(order=order, order_seed=7, **inputs)
    x, y = out["x"], out["y"]
    if order == "sorted":
        x, y = np.concatenate([x[y < 0], x[y > 0]]), np.sort(y)
    rng = np.random.default_rng(7) if order == "shuffled" else None
    history = Perceptron(2).fit(x, y, max_epochs=150, rng=rng)
    lines = np.column_stack([history["weights"], history["biases"]])
    made = len(out["lines"]) - 1
    assert np.allclose(out["lines"][1:], lines[:made], rtol=0, atol=1e-9)
    assert out["settled"] == (history["mistakes"][-1] == 0 and made == len(lines))
    counts = np.bincount(out["epoch"][1:])[1:]
    assert counts[:-1].tolist() == history["mistakes"][: len(counts) - 1]


def test_wrong_points_and_best_line_so_far():
    out = run(data="overlap", n=30)
    extended = np.column_stack([out["x"], np.ones(30)])
    scores = out["y"] * (out["lines"] @ extended.T)
    clear = np.abs(scores) > 1e-9
    assert np.array_equal(out["wrong"][clear], (scores <= 0)[clear])
    assert out["fewest"].tolist() == [min(out["wrong"][: k + 1].sum(axis=1)) for k in range(len(out["lines"]))]


def test_default_run_settles_within_the_bound():
    out = run()
    assert out["settled"]
    assert out["separable"]
    assert not out["wrong"][-1].any()
    assert 5 <= len(out["lines"]) - 1 <= 30 < out["bound"]


@pytest.mark.parametrize("seed", range(6))
def test_floor_and_ceiling_of_the_proof(seed):
    out = run(seed=seed)
    k, extended = np.arange(len(out["lines"])), np.column_stack([out["x"], np.ones(20)])
    radius = np.linalg.norm(extended, axis=1).max()
    stars = [line / np.linalg.norm(line) for line in (out["lines"][-1], widest_by_scan(out["x"], out["y"]))]
    gamma, star = max(((out["y"] * (extended @ star)).min(), tuple(star)) for star in stars)   # the smaller bound
    assert out["radius"] == pytest.approx(radius)
    assert out["gamma"] == pytest.approx(gamma, rel=1e-3)
    assert out["bound"] == pytest.approx((radius / gamma) ** 2, rel=1e-3)
    np.testing.assert_allclose(out["product"], out["lines"] @ star, rtol=1e-3, atol=1e-3)
    assert np.all(out["product"] >= k * out["gamma"] - 1e-9)
    assert np.all(out["product"] <= out["length"] + 1e-9)
    assert np.all(out["length"] <= np.sqrt(k) * out["radius"] + 1e-9)


def test_further_from_the_origin_is_harder():
    made = {shift: [len(run(seed=seed, shift=shift)["lines"]) - 1 for seed in range(12)] for shift in (0.0, 1.0, 5.0)}
    assert 2 * np.median(made[0.0]) < np.median(made[1.0]) < np.median(made[5.0]) / 3
    near, far = run(shift=0.0), run(shift=5.0)
    assert far["margin"] == pytest.approx(near["margin"])
    assert far["bound"] > 20 * near["bound"]


def test_xor_goes_round():
    out = run(data="xor")
    assert np.array_equal(out["lines"][1:5], [[0, 0, -1], [0, 1, 0], [1, 1, 1], [0, 0, 0]])
    assert out["repeats"].tolist() == [-1, -1, -1, -1, 0, 1, 2, 3, 0]
    assert not out["separable"]
    assert not out["settled"]
    assert out["bound"] is None


@pytest.mark.parametrize("order", ["listed", "sorted", "shuffled"])
def test_overlap_never_ends(order):
    out = run(data="overlap", order=order)
    assert len(out["lines"]) == perceptron_line.MOST + 1
    assert not out["separable"]
    assert out["fewest"][-1] > 0


def test_one_flipped_label_destroys_separability():
    out = run()
    x, y = out["x"] - out["shift"], out["y"].copy()
    y[np.argmin(x[:, 0] + x[:, 1])] *= -1                       # deep inside the other class
    moved = run(points=as_points(x, y))
    assert not moved["separable"]
    assert not moved["settled"]
    assert moved["half"] == out["half"]
    assert run(points=as_points(x, out["y"]))["separable"]


def six_points(seed):
    """Draw two small clouds that a line separates about every other time."""
    y = np.array([-1, -1, 1, 1, 1, -1])
    return np.random.default_rng(seed).normal(size=(6, 2)) + 0.5 * y[:, None], y


def widest_by_scan(x, y):
    """Find weights and bias of the widest line by trying very many directions."""
    angles = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    above, below = (x @ directions)[y > 0].min(axis=0), (x @ directions)[y < 0].max(axis=0)
    best = (above - below).argmax()
    return np.append(directions[:, best], -(above + below)[best] / 2)


@pytest.mark.parametrize("seed", range(20))
def test_widest_line_against_a_scan(seed):
    x, y = six_points(seed)
    line, found = widest_by_scan(x, y), perceptron_line.widest_line(x, y)
    scanned = (y * (x @ line[:2] + line[2])).min()
    assert (found is not None) == (scanned > 0)
    if found:
        weight, bias, margin = found
        assert margin == pytest.approx(scanned, abs=1e-3)
        assert (y * (x @ weight + bias)).min() == pytest.approx(margin)
        assert np.hypot(*weight) == pytest.approx(1)


def test_both_verdicts_occur_in_the_scan():
    verdicts = [perceptron_line.widest_line(*six_points(seed)) is None for seed in range(20)]
    assert 3 <= sum(verdicts) <= 17


def test_all_truth_tables_of_two_switches():
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
    tables = itertools.product([-1, 1], repeat=4)
    outs = [run(points=as_points(corners, table)) for table in tables]
    assert sum(out["separable"] for out in outs) == sum(out["settled"] for out in outs) == 14


def test_points_on_one_spot_and_one_class():
    same = run(points=as_points(np.ones((2, 2)), [-1, 1]))
    assert not same["separable"]
    lone = run(points=as_points(np.ones((2, 2)), [1, 1]))
    assert lone["settled"]
    assert lone["separable"]
    assert lone["margin"] is None                               # there is no other class to keep away from
    assert lone["bound"] == pytest.approx(1)                    # (w, b) points at the only place, so γ is R


def test_random_points_lie_around_the_origin_before_the_shift():
    for data in ("separable", "overlap"):
        assert np.abs(run(data=data, shift=0.0)["x"].mean(axis=0)).max() < 0.01


def test_places_of_the_lines():
    out = run()
    foot, normal, lines = out["foot"][1:], out["normal"][1:], out["lines"][1:]
    assert np.allclose((foot * lines[:, :2]).sum(axis=1) + lines[:, 2], 0)       # on the line
    assert np.allclose(normal * np.hypot(*lines[:, :2].T)[:, None], lines[:, :2])
    turned = (out["centre"] - foot) @ np.array([[0, 1], [-1, 0]])
    assert np.allclose((turned * normal).sum(axis=1), 0)                         # no point of it is nearer
    assert np.isnan(out["foot"][0]).all()
    assert not out["visible"][0]


def test_bad_points_are_refused():
    with pytest.raises(ValueError, match="expected x1, x2 and label of each point, got 4 numbers"):
        run(points=[0.0, 0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="labels -1 and 1"):
        run(points=[0.0, 0.0, 0.5])


def test_corners_of_all_ranges_run_clean():
    choices = [("abc", "separable", "overlap", "xor"), (4, 40), (0.02, 2.0), (0.0, 5.0),
               ("listed", "sorted", "shuffled"), (0, 1_000_000)]
    with np.errstate(all="raise"):
        for data, n, margin, shift, order, seed in itertools.product(*choices):
            out = run(data=data, n=n, margin=margin, shift=shift, order=order, seed=seed, order_seed=seed)
            assert len(out["lines"]) <= perceptron_line.MOST + 1
            assert np.isfinite(out["lines"]).all()
            assert out["separable"] or not out["settled"]
            assert data != "separable" or out["separable"]


def test_slider_of_the_margin_reaches_its_ends_and_the_default():
    margin = next(control for control in perceptron_line.CONTROLS if control.name == "margin")
    grid = margin.low * 10 ** (margin.step * np.arange(41))
    assert grid[[0, 20, 40]] == pytest.approx([0.02, 0.2, 2.0])
    assert margin.default == pytest.approx(grid[20])
    assert margin.high == pytest.approx(grid[40])


def test_evaluate_round_trip():
    inputs = host.defaults("perceptron_line")
    outputs, state = host.evaluate("perceptron_line", inputs)
    again, _ = host.evaluate("perceptron_line", {**inputs, "picture": "proof"})
    assert state is None
    assert outputs == again
    assert np.array_equal(np.frombuffer(outputs["lines"]["data"]).reshape(-1, 3), run()["lines"])
