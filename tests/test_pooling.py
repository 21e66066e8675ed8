"""Pooling: by hand, where gradients go, and what it refuses."""

import numpy as np
import pytest
import torch

from dlcourse import pooling, pooling_torch

IMAGE = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]], float)[None, None]
HALVES = pytest.mark.parametrize("half", [pooling, pooling_torch], ids=["reference", "counterpart"])


def numbers(half, x):
    return x if half is pooling else torch.from_numpy(x)


def test_two_by_two_windows_by_hand():
    assert np.array_equal(pooling.MaxPool2d(2)(IMAGE)[0, 0], [[6, 8], [3, 4]])
    assert np.array_equal(pooling.max_pool2d_loops(IMAGE, 2, 2)[0, 0], [[6, 8], [3, 4]])
    assert np.array_equal(pooling.AvgPool2d(2)(IMAGE)[0, 0], [[3.25, 5.25], [2, 2]])
    assert np.array_equal(pooling.GlobalAvgPool2d()(IMAGE), [[3.125]])


def test_the_gradient_goes_to_the_winner_alone():
    pool = pooling.MaxPool2d(2)
    pool(IMAGE)
    dx = pool.backward(np.array([[[[10.0, 20.0], [30.0, 40.0]]]]))
    expected = np.zeros((4, 4))
    expected[1, 1], expected[1, 3], expected[2, 0], expected[3, 3] = 10, 20, 30, 40
    assert np.array_equal(dx[0, 0], expected)


def test_a_pixel_that_wins_twice_gets_both_gradients():
    """Windows of three, two apart, share a column: as in AlexNet."""
    pool, x = pooling.MaxPool2d(3, stride=2), np.zeros((1, 1, 3, 5))
    x[0, 0, 1, 2] = 1
    assert np.array_equal(pool(x)[0, 0], [[1, 1]])
    dx = pool.backward(np.array([[[[2.0, 3.0]]]]))
    assert dx[0, 0, 1, 2] == 5
    assert dx.sum() == 5


@pytest.mark.parametrize("settings", [(2,), (3, 2), (3, 1, 1), ((2, 3), (1, 2))])
def test_gradients_are_neither_made_nor_lost(settings):
    """Every window hands on all of its gradient, with ties too."""
    x = np.random.default_rng(3).integers(0, 3, (2, 3, 7, 9)) * 1.0
    pool = pooling.MaxPool2d(*settings)
    dy = np.random.default_rng(4).standard_normal(pool(x).shape)
    assert np.isclose(pool.backward(dy).sum(), dy.sum(), rtol=1e-12)


def test_the_margin_never_wins():
    assert np.array_equal(pooling.MaxPool2d(3, 1, 1)(-IMAGE)[0, 0, 0], [-1, -1, -1, -2])


@HALVES
def test_bad_input(half):
    with pytest.raises(ValueError, match=r"x: expected shape \(N, C, H, W\)"):
        half.MaxPool2d(2)(numbers(half, IMAGE[0]))
    with pytest.raises((ValueError, RuntimeError), match=r"(?i)window|too small"):
        half.MaxPool2d(5)(numbers(half, IMAGE))
    with pytest.raises(TypeError, match="x: expected"):
        half.AvgPool2d(2)(IMAGE.tolist())
    with pytest.raises(ValueError, match="x: expected shape"):
        half.GlobalAvgPool2d()(numbers(half, IMAGE[0, 0]))


@pytest.mark.parametrize("kind", ["MaxPool2d", "AvgPool2d"])
def test_bad_settings(kind):
    make = getattr(pooling, kind)
    for argument, value in [("kernel_size", 0), ("stride", 0), ("padding", -1), ("padding", 2)]:
        with pytest.raises(ValueError, match=argument):
            make(**{"kernel_size": 3, argument: value})
    pool = make(2)
    pool(IMAGE)
    with pytest.raises(ValueError, match="dy: expected shape"):
        pool.backward(IMAGE)
