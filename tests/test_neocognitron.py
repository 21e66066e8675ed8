"""The Neocognitron: cells by hand, what they learn, what they do not mind, and what they refuse."""

import numpy as np
import pytest
import torch

from dlcourse import neocognitron, neocognitron_torch
from dlcourse.data import mnist_5k

HALVES = pytest.mark.parametrize("half", [neocognitron, neocognitron_torch], ids=["reference", "counterpart"])
BAR = np.zeros((1, 1, 9, 9))
BAR[0, 0, 2:7, 4] = 1


def numbers(half, x):
    return x if half is neocognitron else torch.from_numpy(np.asarray(x))


def make(half, *settings):
    if half is neocognitron:
        return half.SLayer(*settings, rng=np.random.default_rng(0))
    return half.SLayer(*settings, rng=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_an_s_cell_by_hand():
    """One pixel, so that c = 1 and h = x: 4 (1 + 3 * 2) / (1 + 2 * 4 / 5 * 0.5 * 2) - 4."""
    layer = make(neocognitron, 1, 1, 1, 4.0)
    layer.weight.data[...], layer.inhibition.data[...] = 3, 0.5
    assert layer(np.full((1, 1, 1, 1), 2.0)).item() == pytest.approx(4 * (7 / 2.6 - 1), rel=1e-14)
    layer.inhibition.data[...] = 5
    assert layer(np.full((1, 1, 1, 1), 2.0)).item() == 0


def test_c_cells_by_hand():
    """Single pixels in two planes, 3 and 1: the mean is 2, so z = 4 / 3 - 1 and 2 / 3 - 1."""
    x = np.array([3.0, 1.0]).reshape(1, 2, 1, 1)
    y = neocognitron.CLayer(1, 1, saturation=0.5)(x)
    assert y.ravel() == pytest.approx([(1 / 3) / (0.5 + 1 / 3), 0], rel=1e-14)


@pytest.mark.parametrize("selectivity", [1.0, 4.0])
def test_the_answer_is_a_cosine_with_a_threshold(selectivity):
    """After one patch at a large rate, each answer is (1 + r) cos - r, or nothing."""
    rng = np.random.default_rng(1)
    layer = make(neocognitron, 2, 1, 3, selectivity)
    # The rate makes the ones of the formula small beside what they are added to.
    layer.learn(rng.random((1, 2, 3, 3)) + np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]]), rate=1e9)
    template, c = layer.weight.data[0] / 1e9, layer.fixed
    patch = template / c
    x = rng.random((40, 2, 3, 3)) * rng.choice([0, 1], (40, 2, 3, 3)) + patch * rng.random((40, 1, 1, 1))
    dots = (c * patch * x).sum(axis=(1, 2, 3))
    cosine = dots / np.sqrt((c * patch**2).sum() * (c * x**2).sum(axis=(1, 2, 3)))
    expected = np.maximum((1 + selectivity) * cosine - selectivity, 0)
    answers = layer(x)[:, 0, 1, 1]
    assert answers == pytest.approx(expected, abs=1e-6)
    assert ((cosine > selectivity / (1 + selectivity)) == (answers > 1e-6)).all()


def test_a_template_is_learned_where_the_answer_was_largest():
    layer = make(neocognitron, 1, 1, 5, 4.0)
    [(image, plane, row, column)] = layer.learn(BAR, rate=1000.0)
    assert (image, plane) == (0, 0)
    patch = np.pad(BAR[0, 0], 2)[row:row + 5, column:column + 5]
    assert np.allclose(layer.weight.data[0, 0], 1000 * layer.fixed * patch, atol=1e-3)
    assert layer.inhibition.data[0] == pytest.approx(500 * np.sqrt((layer.fixed * patch**2).sum()))
    answers = layer(BAR)[0, 0]
    assert np.unravel_index(answers.argmax(), answers.shape) == (row, column)
    assert answers.max() == pytest.approx(1, abs=0.02)


@HALVES
def test_a_feature_that_is_known_takes_no_second_plane(half):
    """The same bar somewhere else is for the plane that knows it; a bar across is for a new one."""
    layer = make(half, 1, 2, 5, 4.0)
    layer.learn(numbers(half, BAR), rate=1000.0)
    first = int(np.argmax(np.asarray(getattr(layer.inhibition, "data", layer.inhibition))))
    seeds = layer.learn(numbers(half, np.roll(BAR, 1, axis=3)), rate=1000.0)
    assert seeds[0][1] == first
    across = layer.learn(numbers(half, np.ascontiguousarray(BAR.swapaxes(2, 3))), rate=1000.0)
    assert {plane for _, plane, _, _ in across} != {first}


def test_seeds_share_neither_plane_nor_place():
    rng = np.random.default_rng(2)
    seeds = list(neocognitron.seed_cells(rng.random((30, 12, 12)), 5))
    assert len({plane for plane, _, _ in seeds}) == len(seeds) > 5
    for i, (_, row, column) in enumerate(seeds):
        assert all(max(abs(row - r), abs(column - c)) > 2 for _, r, c in seeds[:i])


def test_answers_hardly_depend_on_contrast_but_move_with_the_image():
    layer = make(neocognitron, 1, 1, 5, 4.0)
    layer.learn(BAR, rate=1e6)
    assert np.allclose(layer(0.3 * BAR), layer(BAR), atol=1e-3)
    assert np.allclose(layer(np.roll(BAR, 1, axis=3)), np.roll(layer(BAR), 1, axis=3), atol=1e-12)


def test_c_cells_do_not_mind_a_small_shift():
    """One strong cell among four planes, moved by one: S answers share nothing, C answers nearly all."""
    x = np.zeros((1, 4, 9, 9))
    x[0, 1, 4, 4] = 5
    moved = np.roll(x, 1, axis=3)
    c = neocognitron.CLayer(7, 1)
    before, after = c(x).ravel(), c(moved).ravel()
    assert (x * moved).sum() == 0
    assert before @ after > 0.9 * np.linalg.norm(before) * np.linalg.norm(after)


def test_layers_learn_from_the_bottom_up():
    """The upper layer learns from the planes as they are once the lower one has learned."""
    def stages():
        rng = np.random.default_rng(5)
        return [neocognitron.SLayer(1, 4, 3, 2.0, rng=rng), neocognitron.CLayer(3),
                neocognitron.SLayer(4, 5, 3, 1.0, rng=rng)]

    x = np.random.default_rng(6).random((3, 1, 8, 8))
    whole = neocognitron.Neocognitron(*stages())
    assert whole.learn(x) is whole
    s1, c1, s2 = stages()
    s1.learn(x)
    s2.learn(c1(s1(x)))
    assert np.array_equal(whole.layers[0].weight.data, s1.weight.data)
    assert np.array_equal(whole.layers[2].weight.data, s2.weight.data)


def test_digits_that_are_shifted_keep_their_features():
    """Cosine of the features before and after a shift by two pixels, on digits never learned: above that of pixels."""
    digits = mnist_5k("train", flatten=False)
    learned, unseen = digits.x[::175, None], digits.x[50::350, None]
    kind = {"rng": np.random.default_rng(0), "dtype": np.float32}
    net = neocognitron.Neocognitron(
        neocognitron.SLayer(1, 16, 5, 2.3, **kind), neocognitron.CLayer(5),
        neocognitron.SLayer(16, 64, 5, 1.0, **kind), neocognitron.CLayer(7, 4),
    ).learn(learned)

    def similarity(f):
        a, b = (f(x).reshape(len(x), -1) for x in (unseen, np.roll(unseen, 2, axis=3)))
        return ((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).mean()

    assert similarity(net) > similarity(lambda x: x) + 0.2


@HALVES
def test_bad_images(half):
    layer, c = make(half, 1, 2, 3, 1.0), half.CLayer(3)
    for call in (layer, layer.learn, c):
        with pytest.raises(ValueError, match=r"x: expected shape \(N, "):
            call(numbers(half, BAR[0]))
        with pytest.raises(ValueError, match="x: expected no negative"):
            call(numbers(half, BAR - 1))
        with pytest.raises(ValueError, match="x: expected finite"):
            call(numbers(half, BAR * np.nan))
        with pytest.raises(ValueError, match="x: expected maps of at least one pixel"):
            call(numbers(half, BAR[:, :, :0]))
        with pytest.raises(TypeError, match="x: expected"):
            call(BAR.tolist())
    with pytest.raises(TypeError, match="x: expected dtype"):
        layer(numbers(half, BAR.astype(np.float32)))
    with pytest.raises(ValueError, match="x: expected at least one element"):
        layer.learn(numbers(half, BAR[:0]))
    with pytest.raises(ValueError, match="rate"):
        layer.learn(numbers(half, BAR), rate=0.0)


@HALVES
def test_bad_settings(half):
    for position, name in enumerate(["in_planes", "planes", "kernel_size", "selectivity"]):
        settings = [1, 1, 3, 1.0]
        settings[position] = 0
        with pytest.raises(ValueError, match=rf"^{name}: expected"):
            make(half, *settings)
    with pytest.raises(ValueError, match="kernel_size: expected an odd number, got 4"):
        make(half, 1, 1, 4, 1.0)
    for name, value in [("kernel_size", 2), ("stride", 0), ("saturation", 0.0)]:
        with pytest.raises(ValueError, match=rf"^{name}: expected"):
            half.CLayer(**{"kernel_size": 3, name: value})
    with pytest.raises(TypeError, match=r"layers\[1\]: expected an SLayer or a CLayer"):
        half.Neocognitron(half.CLayer(3), "C")


def test_a_seed_is_no_generator():
    with pytest.raises(TypeError, match="rng: expected"):
        neocognitron.SLayer(1, 1, 3, 1.0, rng=0)
