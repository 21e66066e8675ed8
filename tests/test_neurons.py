"""Threshold units and the perceptron: logic gates, convergence, and what one line cannot do."""

import itertools

import numpy as np
import pytest
import torch

from dlcourse import neurons, neurons_torch

TWINS = [pytest.param(neurons, np.asarray, id="reference"), pytest.param(neurons_torch, torch.tensor, id="counterpart")]
CORNERS = np.array(list(itertools.product([0, 1], repeat=2)))        # 00 01 10 11
AND = np.array([-1, -1, -1, 1])
XOR = np.array([-1, 1, 1, -1])


@pytest.mark.parametrize(("twin", "array"), TWINS)
@pytest.mark.parametrize(
    ("threshold", "inhibitory", "expected"),
    [
        pytest.param(2, (), [0, 0, 0, 1], id="and"),
        pytest.param(1, (), [0, 1, 1, 1], id="or"),
        pytest.param(1, (1,), [0, 0, 1, 0], id="first and not second"),
        pytest.param(0, (0, 1), [1, 0, 0, 0], id="nor"),
        pytest.param(3, (), [0, 0, 0, 0], id="never"),
        pytest.param(0, (), [1, 1, 1, 1], id="always"),
    ],
)
def test_logic_gates(twin, array, threshold, inhibitory, expected):
    unit = twin.McCullochPitts(2, threshold, inhibitory)
    assert unit(array(CORNERS)).tolist() == expected


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_not(twin, array):
    unit = twin.McCullochPitts(1, threshold=0, inhibitory=[0])
    assert unit(array([[0], [1]])).tolist() == [1, 0]


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_one_inhibitory_input_silences_any_excitation(twin, array):
    unit = twin.McCullochPitts(10, threshold=1, inhibitory=[9])
    assert unit(array([[1] * 9 + [0], [1] * 10])).tolist() == [1, 0]


def test_two_layers_of_units_make_xor():
    only_first = neurons.McCullochPitts(2, 1, inhibitory=[1])
    only_second = neurons.McCullochPitts(2, 1, inhibitory=[0])
    either = neurons.McCullochPitts(2, 1)
    hidden = np.stack([only_first(CORNERS), only_second(CORNERS)], axis=1)
    assert either(hidden).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_fit_by_hand(twin, array):
    # w, b = (0, 0), 0. Example 1 (2, 1) is on the line: w = (2, 1), b = 1. Example 2 (1, 3) of class
    # -1 scores 6: w = (1, -2), b = 0. Second epoch: example 1 scores 0, w = (3, -1), b = 1;
    # example 2 scores 1, w = (2, -4), b = 0. Third: (2, 1) scores 0, w = (4, -3), b = 1; (1, 3)
    # scores -4. Fourth: 6 and -4.
    perceptron = twin.Perceptron(2, dtype=array(np.zeros(1)).dtype)
    x = np.array([[2.0, 1.0], [1.0, 3.0]])
    history = perceptron.fit(array(x), array(np.array([1, -1])), max_epochs=10)
    assert history["mistakes"] == [2, 2, 1, 0]
    assert [w.tolist() for w in history["weights"]] == [[2, 1], [1, -2], [3, -1], [2, -4], [4, -3]]
    assert [float(b) for b in history["biases"]] == [1, 0, 1, 0, 1]
    assert perceptron(array(x)).tolist() == [1, -1]


def separable(rng, num_examples, margin):
    """Draw points on both sides of a line through the plane, none nearer than the margin."""
    weight, bias = np.array([0.8, -0.6]), 0.2
    x = rng.uniform(-1, 1, (20 * num_examples, 2))
    x = x[np.abs(x @ weight + bias) > margin][:num_examples]
    assert len(x) == num_examples
    return x, np.where(x @ weight + bias > 0, 1, -1), weight, bias


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shuffle", [False, True])
def test_converges_within_novikoffs_bound(seed, shuffle):
    rng = np.random.default_rng(seed)
    x, y, weight, bias = separable(rng, 100, margin=0.1)
    perceptron = neurons.Perceptron(2)
    history = perceptron.fit(x, y, max_epochs=10_000, rng=rng if shuffle else None)
    updates = sum(history["mistakes"])
    assert history["mistakes"][-1] == 0
    assert 0 < updates <= neurons.novikoff_bound(x, y, weight, bias)
    assert updates == len(history["weights"]) == len(history["biases"])
    assert np.array_equal(perceptron(x), y)


def test_shuffled_counterpart_converges():
    x, y, weight, bias = (torch.as_tensor(a) for a in separable(np.random.default_rng(0), 100, margin=0.1))
    perceptron = neurons_torch.Perceptron(2, dtype=torch.float64)
    history = perceptron.fit(x, y, max_epochs=10_000, rng=torch.Generator().manual_seed(0))
    assert history["mistakes"][-1] == 0
    assert sum(history["mistakes"]) <= neurons_torch.novikoff_bound(x, y, weight, bias)
    assert torch.equal(perceptron(x), y)


def test_shuffling_follows_the_generator():
    x, y, _, _ = separable(np.random.default_rng(0), 100, margin=0.02)
    runs = [neurons.Perceptron(2).fit(x, y, max_epochs=500, rng=np.random.default_rng(s)) for s in (1, 1, 2)]
    assert np.array_equal(runs[0]["weights"], runs[1]["weights"])
    assert runs[0]["mistakes"] != runs[2]["mistakes"] or not np.array_equal(runs[0]["weights"], runs[2]["weights"])


def test_novikoff_bound_by_hand():
    # Extended examples (3, 0, 1) and (-3, 0, 1), line (1, 0, 0): R^2 = 10, margin 3.
    x, y = np.array([[3.0, 0.0], [-3.0, 0.0]]), np.array([1, -1])
    assert neurons.novikoff_bound(x, y, np.array([1.0, 0.0]), 0.0) == pytest.approx(10 / 9)
    # A line is the same at any length; a bias of 1 shifts it: margin min(4, 2) / sqrt(2).
    assert neurons.novikoff_bound(x, y, np.array([7.0, 0.0]), 7.0) == pytest.approx(10 / 2)


def test_xor_never_settles():
    # The weights stay small integers, so they come round again: the perceptron cycles for ever.
    history = neurons.Perceptron(2).fit(CORNERS.astype(float), XOR, max_epochs=200)
    assert len(history["mistakes"]) == 200
    assert min(history["mistakes"]) > 0
    assert np.abs(history["weights"]).max() <= 3


def test_and_settles():
    perceptron = neurons.Perceptron(2)
    assert perceptron.fit(CORNERS.astype(float), AND, max_epochs=50)["mistakes"][-1] == 0
    assert np.array_equal(perceptron(CORNERS.astype(float)), AND)


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_a_score_of_zero_does_not_surpass_the_threshold(twin, array):
    fresh = twin.Perceptron(2, dtype=array(np.zeros(1)).dtype)
    assert fresh(array(np.array([[1.0, 2.0], [0.0, 0.0]]))).tolist() == [-1, -1]


def test_fit_goes_on_from_the_present_weights():
    x, y = CORNERS.astype(float), AND
    at_once, in_steps = neurons.Perceptron(2), neurons.Perceptron(2)
    whole = at_once.fit(x, y, max_epochs=4)["mistakes"]
    assert whole == [m for _ in range(4) for m in in_steps.fit(x, y, max_epochs=1)["mistakes"]]
    assert np.array_equal(at_once.weight.data, in_steps.weight.data)


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_snapshots_are_copies(twin, array):
    perceptron = twin.Perceptron(1, dtype=array(np.zeros(1)).dtype)
    history = perceptron.fit(array(np.array([[1.0]])), array(np.array([1])), max_epochs=2)
    perceptron.update(array(np.array([-5.0])), 1)
    assert (float(history["weights"][0][0]), float(history["biases"][0])) == (1.0, 1.0)


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_bad_threshold_unit(twin, array):
    for arguments in [(0, 1), (2, -1), (2, 1, [2]), (2, 1, [-1])]:
        with pytest.raises(ValueError, match=r"^(num_inputs|threshold|inhibitory): expected an integer"):
            twin.McCullochPitts(*arguments)
    with pytest.raises(TypeError, match=r"^threshold: expected an integer, got float"):
        twin.McCullochPitts(2, 1.5)
    unit = twin.McCullochPitts(2, 1)
    with pytest.raises(ValueError, match=r"^x: expected only 0 and 1, got 2 at index \(0, 1\)"):
        unit(array(np.array([[0, 2]])))
    with pytest.raises(ValueError, match=r"^x: expected shape \(\.\.\., 2\), got \(1, 3\)"):
        unit(array(np.array([[0, 1, 1]])))
    with pytest.raises(TypeError, match=r"^x: expected dtype an integer type"):
        unit(array(np.array([[0.0, 1.0]])))


@pytest.mark.parametrize(("twin", "array"), TWINS)
@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        ([[1.0, 2.0]], [0], ValueError, r"^y: expected only -1 and 1, got 0 at index \(0,\)"),
        ([[1.0, 2.0]], [1.0], TypeError, r"^y: expected dtype an integer type"),
        ([[1.0, 2.0]], [1, -1], ValueError, r"^y: expected as many rows as x \(1\), got 2"),
        ([[1.0, np.nan]], [1], ValueError, r"^x: expected finite numbers, got nan at index \(0, 1\)"),
        ([[1.0, np.inf]], [1], ValueError, r"^x: expected finite numbers, got inf at index \(0, 1\)"),
        (np.zeros((0, 2)), np.zeros(0, int), ValueError, r"^x: expected at least one element"),
        ([[1.0]], [1], ValueError, r"^x: expected shape \(N, 2\), got \(1, 1\)"),
        (np.ones((1, 2), np.float32), [1], TypeError, r"^x: expected dtype (torch\.)?float64, got (torch\.)?float32"),
    ],
)
def test_bad_examples(twin, array, x, y, error, message):
    perceptron = twin.Perceptron(2, dtype=array(np.zeros(1)).dtype)
    with pytest.raises(error, match=message):
        perceptron.fit(array(np.asarray(x)), array(np.asarray(y)), max_epochs=3)


@pytest.mark.parametrize(("twin", "array"), TWINS)
def test_bad_arguments(twin, array):
    perceptron = twin.Perceptron(2, dtype=array(np.zeros(1)).dtype)
    x, y = array(np.array([[1.0, 2.0], [0.0, 1.0]])), array(np.array([1, -1]))
    with pytest.raises(ValueError, match=r"^num_inputs: expected an integer at least 1, got 0"):
        twin.Perceptron(0)
    with pytest.raises(ValueError, match=r"^max_epochs: expected an integer at least 1, got 0"):
        perceptron.fit(x, y, max_epochs=0)
    with pytest.raises(ValueError, match=r"^y: expected -1 or 1, got 0"):
        perceptron.update(x[0], 0)
    with pytest.raises(ValueError, match=r"^x: expected finite numbers"):
        perceptron.update(array(np.array([np.nan, 1.0])), 1)
    with pytest.raises(TypeError, match=r"^x: expected a"):
        perceptron([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"^weight, bias: expected a line that separates .* got example 1 "):
        twin.novikoff_bound(x, y, array(np.array([1.0, 1.0])), 0.0)
    with pytest.raises(ValueError, match=r"^weight, bias: expected a line"):
        twin.novikoff_bound(x, y, array(np.array([0.0, 0.0])), 0.0)


def test_seed_in_place_of_a_generator():
    with pytest.raises(TypeError, match=r"^rng: expected a numpy\.random\.Generator"):
        neurons.Perceptron(1).fit(np.ones((1, 1)), np.array([1]), max_epochs=1, rng=0)
