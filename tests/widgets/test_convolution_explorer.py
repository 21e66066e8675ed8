"""The convolution explorer: sums by hand, sizes by counting, and what a flip does."""

import itertools

import numpy as np
import pytest

from dlcourse.widgets import convolution_explorer as explorer
from dlcourse.widgets import host
from dlcourse.widgets.codec import to_json


def outputs(**inputs):
    controls = {control.name: control for control in explorer.CONTROLS}
    values = host.defaults("convolution_explorer", **inputs)
    return explorer.compute(**{name: controls[name].check(value) for name, value in values.items()})


def by_four_loops(image, kernel, stride, padding, dilation):
    """Read pixels one at a time, with zero where there are none; no slices, no padded copy."""
    height, width = image.shape
    rows, k = [], len(kernel)
    top = -padding
    while top + dilation * (k - 1) <= height - 1 + padding:
        row, left = [], -padding
        while left + dilation * (k - 1) <= width - 1 + padding:
            total = 0.0
            for u in range(k):
                for v in range(k):
                    i, j = top + u * dilation, left + v * dilation
                    total += kernel[u, v] * (image[i, j] if 0 <= i < height and 0 <= j < width else 0.0)
            row.append(total)
            left += stride
        rows.append(row)
        top += stride
    return np.array(rows)


@pytest.mark.parametrize("stride, padding, dilation", list(itertools.product((1, 2, 3), (0, 1, 2, 3), (1, 2, 3))))
def test_correlation_agrees_with_reading_single_pixels(stride, padding, dilation, rng):
    image, kernel = rng.random((10, 10)), rng.standard_normal((3, 3))
    expected = by_four_loops(image, kernel, stride, padding, dilation)
    result = outputs(picture="own", image=image, kernel="own", weights=kernel, stride=stride, padding=padding,
                     dilation=dilation)
    assert result["output"].shape == expected.shape == (result["size"], result["size"])
    np.testing.assert_allclose(result["output"], expected, atol=1e-12)
    last = (result["size"] - 1) * stride + result["reach"]
    assert result["left_over"] == 10 + 2 * padding - last
    assert 0 <= result["left_over"] < stride


def test_each_sum_is_that_of_its_products(rng):
    weights = rng.standard_normal((3, 3))
    for flip in (False, True):
        result = outputs(kernel="own", weights=weights, padding=1, stride=2, flip=flip)
        laid_on = np.rot90(weights, 2) if flip else weights
        np.testing.assert_array_equal(result["used"], laid_on)
        np.testing.assert_allclose(result["pixels"] * laid_on.ravel(), result["products"])
        np.testing.assert_allclose(result["products"].sum(axis=1), result["output"].ravel(), atol=1e-12)


def test_numbers_of_common_settings():
    assert outputs(stride=1, padding=0)["size"] == 8
    assert outputs(stride=1, padding=1)["size"] == 10
    assert outputs(stride=2, padding=1)["size"] == 5
    assert outputs(dilation=2)["reach"] == 5
    assert outputs()["dense"] == 100 * 64


def test_an_edge_answers_only_where_it_is():
    response = outputs(picture="edge", kernel="sobel_x")["output"]
    assert set(np.flatnonzero(response[0])) == {3, 4}            # windows that see both sides of columns 4 and 5
    np.testing.assert_array_equal(response[:, 3:5], 4.0)
    np.testing.assert_array_equal(outputs(picture="edge", kernel="sobel_y")["output"], 0.0)


def test_flipping_shows_the_kernel_itself_around_one_pixel():
    weights = np.arange(9.0).reshape(3, 3)
    plain = outputs(picture="pixel", kernel="own", weights=weights, padding=1)["output"]
    flipped = outputs(picture="pixel", kernel="own", weights=weights, padding=1, flip=True)["output"]
    np.testing.assert_array_equal(plain[3:6, 3:6], np.rot90(weights, 2))
    np.testing.assert_array_equal(flipped[3:6, 3:6], weights)
    assert plain.sum() == flipped.sum() == 36


def test_symmetric_kernels_are_told_from_others():
    same = {name: outputs(kernel=name)["symmetric"] for name in explorer.KERNELS}
    assert same == {"sobel_x": False, "sobel_y": False, "blur": True, "sharpen": True, "outline": True,
                    "identity": True, "shift": False}
    for name, symmetric in same.items():
        turned = outputs(kernel=name, flip=True)["output"]
        assert np.array_equal(outputs(kernel=name)["output"], turned) == symmetric


@pytest.mark.parametrize("name, total", [("blur", 1), ("sharpen", 1), ("identity", 1), ("shift", 1), ("outline", 0),
                                         ("sobel_x", 0), ("sobel_y", 0)])
def test_what_a_kernel_makes_of_an_even_area(name, total):
    result = outputs(picture="own", image=np.ones((10, 10)), kernel=name)
    np.testing.assert_allclose(result["output"], total, atol=1e-12)


@pytest.mark.parametrize("name, middle, around", [
    ("blur", 1 / 9, 1 / 9), ("sharpen", 5, [0, -1, 0, -1, -1, 0, -1, 0]), ("outline", 8, -1), ("identity", 1, 0),
])
def test_what_is_said_of_middle_and_neighbours(name, middle, around):
    response = outputs(picture="pixel", kernel=name, padding=1)["output"][3:6, 3:6].ravel()
    assert response[4] == middle
    np.testing.assert_array_equal(np.delete(response, 4), around)


def test_the_module_draws_as_many_pixels_as_python_has():
    assert f"const SIZE = {explorer.SIZE};" in host.script("convolution_explorer")


def test_stride_and_dilation_together_pass_over_pixels():
    assert outputs(dilation=2)["unused_count"] == 0
    for padding, rows in ((0, range(0, 10, 2)), (1, range(1, 10, 2))):  # even places only, or odd ones
        result = outputs(stride=2, dilation=2, padding=padding)
        expected = np.array([[not (i in rows and j in rows) for j in range(10)] for i in range(10)])
        np.testing.assert_array_equal(result["unused"], expected)
        assert result["unused_count"] == 100 - len(rows) ** 2


def test_strongest_is_the_largest_by_size():
    result = outputs()
    assert abs(result["output"].ravel()[result["strongest"]]) == np.abs(result["output"]).max() == 4


def test_pictures_and_kernels_are_offered_and_of_the_right_shape():
    choices = {control.name: [value for value, _ in control.options] for control in explorer.CONTROLS[:2]}
    assert choices == {"picture": [*explorer.PICTURES, "own"], "kernel": [*explorer.KERNELS, "own"]}
    assert {picture.shape for picture in explorer.PICTURES.values()} == {(10, 10)}
    assert {kernel.shape for kernel in explorer.KERNELS.values()} == {(3, 3)}


@pytest.mark.filterwarnings("error")
def test_corners_run_clean_and_small():
    with np.errstate(all="raise"):
        for picture, kernel in itertools.product((*explorer.PICTURES, "own"), (*explorer.KERNELS, "own")):
            for stride, padding, dilation, flip in itertools.product((1, 3), (0, 3), (1, 3), (False, True)):
                result = outputs(picture=picture, kernel=kernel, stride=stride, padding=padding, dilation=dilation,
                                 flip=flip, weights=np.full((3, 3), -9.0))
                assert np.isfinite(result["output"]).all()


def test_round_trip_through_the_host():
    inputs = host.defaults("convolution_explorer")
    encoded, state = host.evaluate("convolution_explorer", inputs)
    assert state is None
    assert encoded == host.evaluate("convolution_explorer", inputs)[0]
    output = np.frombuffer(encoded["output"]["data"]).reshape(encoded["output"]["shape"])
    np.testing.assert_array_equal(output, outputs()["output"])
    assert len(str(to_json(encoded))) < 60_000
    with pytest.raises(ValueError, match="weights"):
        host.evaluate("convolution_explorer", {**inputs, "weights": [[10, 0, 0]] * 3})
    with pytest.raises(ValueError, match="image"):
        host.evaluate("convolution_explorer", {**inputs, "image": [[0] * 9] * 10})
