"""The fit explorer: its fits and errors are those of the chapter, computed once more in other ways."""

import itertools

import numpy as np
import pytest

from dlcourse.module import Parameter
from dlcourse.regularizers import L2
from dlcourse.widgets import defaults, evaluate, fit_explorer

GRID = np.linspace(0, 1, 200)


def run(**inputs):
    return fit_explorer.compute(**{**defaults("fit_explorer"), **inputs})


def sample(n=10, noise=0.25, seed=2):
    x = np.linspace(0, 1, n)
    return x, np.sin(2 * np.pi * x) + noise * np.random.default_rng(seed).standard_normal(n)


def vander(x, degree):
    return x[:, None] ** np.arange(degree + 1)


@pytest.mark.parametrize("degree", [0, 1, 3, 9])
def test_without_penalty_it_is_least_squares_on_the_chapters_points(degree):
    x, t = sample()
    w = np.linalg.lstsq(vander(x, degree), t, rcond=None)[0]
    outputs = run(degree=degree)
    assert np.array_equal(outputs["t"], t)
    assert np.allclose(outputs["curve"], vander(GRID, degree) @ w, atol=1e-5)
    assert np.isclose(outputs["train"], np.mean((vander(x, degree) @ w - t) ** 2), atol=1e-12)
    assert np.isclose(outputs["off"], np.sqrt(np.mean((vander(GRID, degree) @ w - np.sin(2 * np.pi * GRID)) ** 2)))
    assert np.isclose(outputs["largest"], np.abs(w).max(), rtol=1e-3)
    assert outputs["penalty"] == 0


@pytest.mark.parametrize("strength", [1e-6, 1e-3, 1.0])
def test_with_penalty_it_solves_the_chapters_normal_equations(strength):
    x, t = sample()
    X = vander(x, 9)
    w = np.linalg.solve(X.T @ X + 10 * strength * np.eye(10), X.T @ t)
    outputs = run(penalised=True, strength=strength)
    assert np.allclose(outputs["curve"], vander(GRID, 9) @ w, atol=1e-6)
    assert np.isclose(outputs["penalty"], strength * np.sum(w**2), rtol=1e-5)


def test_one_feature_by_hand():
    X, t = np.array([[1.0], [2.0]]), np.array([2.0, 3.0])
    assert np.allclose(fit_explorer.solver(X, np.array([0.0, 0.5])) @ t, [[8 / 5], [8 / 6]])


def test_at_the_solution_the_penalty_of_the_package_holds_the_weights_up():
    x, t = sample()
    X, strength = vander(x, 9), 1e-5
    w = fit_explorer.solver(X, np.array([strength]))[0] @ t
    p, penalty = Parameter(w), L2(strength)
    penalty([p])
    penalty.backward()
    assert np.allclose(p.grad + 2 / 10 * X.T @ (X @ w - t), 0, atol=1e-9)


def test_with_more_weights_than_points_the_shortest_weights_are_chosen():
    x, t = sample(5)
    X = vander(x, 12)
    w = fit_explorer.solver(X, np.array([0.0]))[0] @ t
    assert np.allclose(w, np.linalg.pinv(X) @ t, rtol=1e-6)
    assert run(degree=12, num_points=5)["train"] < 1e-20
    two = np.random.default_rng(0).standard_normal((6, 2))
    sums = np.column_stack([two, two.sum(axis=1)])                      # the third column tells nothing new
    assert np.allclose(fit_explorer.solver(sums, np.array([0.0]))[0], np.linalg.pinv(sums))


def test_the_test_error_is_that_of_fresh_points():
    outputs = run(degree=3)
    rng = np.random.default_rng(0)
    fresh = np.sin(2 * np.pi * GRID) + 0.25 * rng.standard_normal((5000, 200))
    assert np.isclose(outputs["test"], np.mean((fresh - outputs["curve"]) ** 2), rtol=0.01)
    assert np.isclose(outputs["test"], outputs["floor"] + outputs["off"] ** 2)


@pytest.mark.parametrize("inputs", [{"degree": 3}, {"degree": 9}, {"degree": 9, "penalised": True},
                                    {"degree": 2, "num_points": 20}])
def test_bias_and_variance_are_those_of_many_draws(inputs):
    outputs = run(**inputs)
    n, degree = inputs.get("num_points", 10), inputs["degree"]
    x, rng = np.linspace(0, 1, n), np.random.default_rng(1)
    draws = np.sin(2 * np.pi * x)[:, None] + 0.25 * rng.standard_normal((n, 20_000))
    X = vander(x, degree)
    if inputs.get("penalised"):
        w = np.linalg.solve(X.T @ X + n * 1e-5 * np.eye(degree + 1), X.T @ draws)
    else:
        w = np.linalg.lstsq(X, draws, rcond=None)[0]
    fits = vander(GRID, degree) @ w
    assert np.isclose(outputs["variance"], fits.var(axis=1).mean(), rtol=0.05)
    assert np.isclose(outputs["bias2"], np.mean((fits.mean(axis=1) - np.sin(2 * np.pi * GRID)) ** 2), atol=1e-3)
    off = np.mean((fits - np.sin(2 * np.pi * GRID)[:, None]) ** 2)
    assert np.isclose(outputs["excess"], off, rtol=0.05)
    assert np.isclose(outputs["expected"], 0.25**2 + off, rtol=0.05)


def test_the_sweep_holds_the_fit_shown():
    for inputs in ({"degree": 4}, {"degree": 9, "penalised": True}):
        outputs = run(**inputs)
        for name in ("train", "test", "bias2", "variance"):
            assert np.isclose(outputs["sweep"][name][inputs["degree"]], outputs[name])
    outputs = run(penalised=True, against="strength")
    here = np.argmin(np.abs(np.log(outputs["sweep"]["at"] / 1e-5)))
    assert np.isclose(outputs["sweep"]["at"][here], 1e-5)
    for name in ("train", "test", "bias2", "variance"):
        assert np.isclose(outputs["sweep"][name][here], outputs[name])


def test_the_best_degree_and_the_best_strength_are_those_of_a_search():
    x, t = sample()
    truth = np.sin(2 * np.pi * GRID)
    fits = [vander(GRID, d) @ np.linalg.lstsq(vander(x, d), t, rcond=None)[0] for d in range(16)]
    assert run()["best"] == np.argmin([np.mean((fit - truth) ** 2) for fit in fits]) == 5
    strengths, X = 10.0 ** np.arange(-10, 0.1, 0.25), vander(x, 9)
    fits = [vander(GRID, 9) @ np.linalg.solve(X.T @ X + 10 * lam * np.eye(10), X.T @ t) for lam in strengths]
    best = strengths[np.argmin([np.mean((fit - truth) ** 2) for fit in fits])]
    assert np.isclose(run(against="strength", penalised=True)["best"], best)


def test_the_effects_of_the_chapter():
    ninth, third, first = (run(degree=degree) for degree in (9, 3, 1))
    assert ninth["train"] < 1e-12 < third["train"] < first["train"]
    assert ninth["test"] > 3 * third["test"]
    assert ninth["off"] > 2 * third["off"]
    assert ninth["largest"] > 5e5
    swept = ninth["sweep"]
    assert np.all(np.diff(swept["train"][:10]) < 1e-9)
    total = swept["bias2"] + swept["variance"]
    assert np.argmin(total) == 3                                        # on average over draws
    tamed = run(penalised=True)
    assert tamed["test"] < ninth["test"] / 4
    assert tamed["variance"] < ninth["variance"] / 5
    assert run(num_points=100)["off"] < ninth["off"] / 3                # more points tame it as well


def test_other_draws_are_fits_to_other_noise():
    assert run()["others"] is None
    outputs = run(draws=True)
    assert outputs["others"].shape == (15, 200)
    assert np.array_equal(outputs["curve"], run()["curve"])
    rng = np.random.default_rng(2)
    rng.standard_normal(10)
    x, _ = sample()
    t = np.sin(2 * np.pi * x) + 0.25 * rng.standard_normal((15, 10))[3]
    w = np.linalg.lstsq(vander(x, 9), t, rcond=None)[0]
    assert np.allclose(outputs["others"][3], vander(GRID, 9) @ w, atol=1e-4)


def test_a_seed_is_a_sample():
    assert np.array_equal(run()["t"], run()["t"])
    assert not np.allclose(run()["t"], run(seed=3)["t"])
    assert np.array_equal(run(noise=0.0)["t"], np.sin(2 * np.pi * np.linspace(0, 1, 10)))


def test_the_ends_of_all_ranges_run_clean():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        ends = itertools.product((0, 15), (False, True), (1e-10, 1.0), (3, 100), (0.0, 1.0), ("degree", "strength"),
                                 (False, True))
        names = ("degree", "penalised", "strength", "num_points", "noise", "against", "draws")
        for corner in ends:
            outputs = run(**dict(zip(names, corner, strict=True)))
            for name in ("train", "test", "bias2", "variance"):
                assert np.isfinite(outputs[name])
                assert np.isfinite(outputs["sweep"][name]).all()
                assert outputs["sweep"][name].shape == outputs["sweep"]["at"].shape
            assert np.isfinite(outputs["curve"]).all()


def test_it_passes_through_the_host():
    inputs = defaults("fit_explorer")
    outputs, state = evaluate("fit_explorer", inputs)
    assert state is None
    assert outputs["curve"]["shape"] == [200]
    assert outputs["sweep"]["test"]["shape"] == [16]
    assert outputs["best"] == run()["best"]
    with pytest.raises(ValueError, match="degree"):
        evaluate("fit_explorer", {**inputs, "degree": 16})
