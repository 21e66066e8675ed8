"""Convolution: worked examples of the lectures, what it is equal to, and what it refuses."""

import numpy as np
import pytest
import torch

from dlcourse import conv, conv_torch, linear
from dlcourse.patches import BLOCK, Patches

# The five by five image of the lecture's worked example, its kernel, and the result by hand.
IMAGE = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]], float)
KERNEL = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], float)
RESULT = np.array([[4, 3, 4], [2, 4, 3], [2, 3, 4]], float)


def rng():
    return np.random.default_rng(5)


def layer_of(kernel, **settings):
    """A layer with one given kernel and no bias."""
    layer = conv.Conv2d(1, 1, kernel.shape, bias=False, rng=rng(), **settings)
    layer.weight.data[0, 0] = kernel
    return layer


def test_the_worked_example_of_the_lecture():
    assert np.array_equal(layer_of(KERNEL)(IMAGE[None, None])[0, 0], RESULT)
    assert np.array_equal(conv.conv2d_loops(IMAGE[None, None], KERNEL[None, None])[0, 0], RESULT)


@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "expected"), [
    (7, 3, 1, 0, 5), (7, 3, 2, 0, 3), (7, 3, 1, 1, 7),  # lecture 2
    (7, 3, 3, 1, 3),  # the poll of lecture 4
    (32, 5, 1, 0, 28), (28, 5, 1, 0, 24),  # a five by five kernel shrinks the image
    (9, 5, 1, 2, 9), (9, 7, 1, 3, 9),  # (F - 1) / 2 keeps the size
    (7, 3, 3, 0, 2),  # (7 - 3) / 3 + 1 is no whole number: the last pixels are left out
])
def test_output_sizes_of_the_lectures(size, kernel, stride, padding, expected):
    assert conv.output_size(size, kernel, stride, padding) == expected
    layer = conv.Conv2d(1, 1, kernel, stride, padding, rng=rng())
    assert layer(np.zeros((1, 1, size, size))).shape == (1, 1, expected, expected)


def test_dilation_reaches_as_far_as_a_larger_kernel():
    assert conv.output_size(9, 3, dilation=2) == conv.output_size(9, 5) == 5


def test_one_by_one_convolution_is_a_linear_layer_at_every_pixel():
    layer = conv.Conv2d(5, 3, 1, rng=rng())
    dense = linear.Linear(5, 3, rng=rng())
    dense.weight.data, dense.bias.data = layer.weight.data[:, :, 0, 0], layer.bias.data
    x = rng().standard_normal((2, 5, 4, 6))
    pixels = dense(np.ascontiguousarray(x.transpose(0, 2, 3, 1)))
    assert np.allclose(layer(x), pixels.transpose(0, 3, 1, 2), rtol=0, atol=1e-14)


def test_a_shifted_image_gives_a_shifted_map():
    """Translation equivariance, away from the border."""
    layer, x = conv.Conv2d(2, 3, 3, rng=rng()), np.zeros((1, 2, 12, 12))
    x[:, :, 3:7, 3:7] = rng().standard_normal((1, 2, 4, 4))
    assert np.array_equal(layer(np.roll(x, (2, 3), (2, 3))), np.roll(layer(x), (2, 3), (2, 3)))


def test_transposed_convolution_is_the_transposed_matrix():
    """The inner products of y with a convolution of x, and of x with the transpose of y, are one number."""
    forth = conv.Conv2d(2, 3, 3, stride=2, padding=1, bias=False, rng=rng())
    back = conv.ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=(0, 1), bias=False, rng=rng())
    back.weight.data = forth.weight.data
    x, y = rng().standard_normal((2, 2, 7, 8)), rng().standard_normal((2, 3, 4, 4))
    assert back(y).shape == x.shape
    assert np.isclose((forth(x) * y).sum(), (x * back(y)).sum(), rtol=1e-12)


def test_a_transposed_convolution_can_repeat_pixels():
    layer = conv.ConvTranspose2d(1, 1, 2, stride=2, bias=False, rng=rng())
    layer.weight.data[...] = 1
    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert np.array_equal(layer(x), x.repeat(2, axis=2).repeat(2, axis=3))


def test_groups_do_not_see_each_other():
    layer = conv.Conv2d(4, 2, 3, groups=2, bias=False, rng=rng())
    x = rng().standard_normal((1, 4, 5, 5))
    before = layer(x).copy()
    x[:, 2:] += 1
    after = layer(x)
    assert np.array_equal(after[:, 0], before[:, 0])
    assert not np.isclose(after[:, 1], before[:, 1]).any()


def test_parameters_are_those_of_the_formula():
    """96 kernels of 11 by 11 on three channels: the first layer of AlexNet has 34,944 parameters."""
    layer = conv.Conv2d(3, 96, 11, stride=4, rng=rng())
    assert layer.weight.data.size + layer.bias.data.size == 96 * (3 * 11 * 11 + 1) == 34_944


def test_many_blocks_give_what_one_block_gives(monkeypatch):
    """Images are taken a few at a time; how many must not matter."""
    x = rng().standard_normal((7, 3, 6, 6))
    layer = conv.Conv2d(3, 4, 3, padding=1, rng=rng())
    whole = layer(x), layer.backward(np.ones((7, 4, 6, 6))), layer.weight.grad
    layer.zero_grad()
    columns = layer.patches(x.shape).columns * 27  # numbers in the columns of one image
    layer._patches = None
    monkeypatch.setattr("dlcourse.patches.BLOCK", 3 * columns)
    parts = layer(x), layer.backward(np.ones((7, 4, 6, 6))), layer.weight.grad
    assert len(list(layer.patches(x.shape).blocks())) == 3
    for one, other in zip(whole, parts, strict=True):
        assert np.allclose(one, other, rtol=0, atol=1e-13)


def test_columns_of_a_block_fit_into_their_limit():
    patches = Patches((64, 16, 28, 28), (32, 16, 3, 3), (1, 1), (1, 1), (1, 1), 1)
    assert 1 < patches.block < 64
    assert patches.block * patches.columns * patches.pixels <= BLOCK


def test_an_output_is_not_overwritten_by_the_next_call():
    layer = conv.Conv2d(1, 2, 3, rng=rng())
    x = rng().standard_normal((2, 1, 5, 5))
    first = layer(x)
    kept = first.copy()
    layer(x + 1)
    assert np.array_equal(first, kept)


def test_twins_start_from_the_same_distribution():
    """Both halves draw from U(-b, b), b = 1/sqrt(K). With 40,000 numbers the standard deviation of the sample
    differs from b / sqrt(3) by more than 3% with a probability below 1e-9 (its own is about 0.2%)."""
    bound = (4 * 5 * 5) ** -0.5
    ours = conv.Conv2d(4, 400, 5, rng=rng()).weight.data
    theirs = conv_torch.Conv2d(4, 400, 5, rng=torch.Generator().manual_seed(1)).weight.detach().numpy()
    for weight in (ours, theirs):
        assert abs(weight).max() <= bound
        assert np.isclose(weight.std(), bound / np.sqrt(3), rtol=0.03)


# --- bad input, in both twins

def build(half, name, *arguments, **options):
    """Build a layer of either half."""
    return getattr(half, name)(*arguments, **({"rng": rng()} if half is conv else {}), **options)


def images(half, *shape, dtype="float64"):
    x = np.zeros(shape, dtype)
    return x if half is conv else torch.from_numpy(x)


HALVES = pytest.mark.parametrize("half", [conv, conv_torch], ids=["reference", "counterpart"])
LAYERS = pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])


@HALVES
@LAYERS
def test_images_of_another_shape_or_type_are_refused(half, name):
    layer = build(half, name, 3, 2, 3, dtype=np.float64 if half is conv else torch.float64)
    with pytest.raises(ValueError, match=r"x: expected shape \(N, 3, H, W\)"):
        layer(images(half, 1, 2, 5, 5))
    with pytest.raises(ValueError, match="x: expected shape"):
        layer(images(half, 3, 5, 5))
    with pytest.raises(TypeError, match="x: expected dtype"):
        layer(images(half, 1, 3, 5, 5, dtype="float32"))


@HALVES
def test_a_kernel_that_does_not_fit_is_refused(half):
    layer = build(half, "Conv2d", 1, 1, 5, dtype=np.float64 if half is conv else torch.float64)
    with pytest.raises((ValueError, RuntimeError), match=r"(?i)kernel"):
        layer(images(half, 1, 1, 4, 9))


@HALVES
@LAYERS
def test_groups_must_divide_the_channels(half, name):
    with pytest.raises(ValueError, match="in_channels"):
        build(half, name, 3, 4, 3, groups=2)
    with pytest.raises(ValueError, match="out_channels"):
        build(half, name, 4, 3, 3, groups=2)


@LAYERS
@pytest.mark.parametrize(("argument", "value"), [
    ("in_channels", 0), ("out_channels", 0), ("kernel_size", 0), ("kernel_size", (3, 0)), ("kernel_size", (1, 2, 3)),
    ("stride", 0), ("padding", -1), ("dilation", 0), ("groups", 0),
])
def test_sizes_out_of_range_are_refused(name, argument, value):
    settings = {"in_channels": 2, "out_channels": 2, "kernel_size": 3, argument: value}
    with pytest.raises(ValueError, match=argument):
        getattr(conv, name)(**settings, rng=rng())


@HALVES
def test_more_output_padding_than_a_stride_leaves_is_refused(half):
    with pytest.raises(ValueError, match=r"output_padding: expected less than stride = \(2, 2\)"):
        build(half, "ConvTranspose2d", 1, 1, 3, stride=2, output_padding=2)


def test_a_generator_is_asked_for():
    with pytest.raises(TypeError, match="rng"):
        conv.Conv2d(1, 1, 3, rng=7)


def test_a_gradient_of_another_shape_is_refused():
    layer = conv.Conv2d(1, 2, 3, rng=rng())
    layer(np.zeros((1, 1, 5, 5)))
    with pytest.raises(ValueError, match="dy: expected shape"):
        layer.backward(np.zeros((1, 2, 5, 5)))
