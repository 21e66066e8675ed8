"""The pooling explorer: windows by hand, where gradients go, and what a move leaves of the output."""

import itertools

import numpy as np
import pytest

from dlcourse.widgets import host
from dlcourse.widgets import pooling_explorer as explorer
from dlcourse.widgets.codec import to_json


def outputs(**inputs):
    return explorer.compute(**host.defaults("pooling_explorer", **inputs))


def windows(image, window, stride):
    """Cut out every window; row and column of its corner with it."""
    last = len(image) - window + 1
    return [(i, j, image[i:i + window, j:j + window]) for i in range(0, last, stride) for j in range(0, last, stride)]


@pytest.mark.parametrize("window, stride", list(itertools.product((2, 3, 4), (1, 2, 3, 4))))
def test_outputs_and_gradients_window_by_window(window, stride):
    largest = outputs(picture="random", kind="max", window=window, stride=stride)
    mean = outputs(picture="random", kind="average", window=window, stride=stride)
    image, share, won = largest["image"], np.zeros((12, 12)), np.zeros((12, 12))
    cut = windows(image, window, stride)
    for i, j, part in cut:
        share[i:i + window, j:j + window] += 1 / part.size
        first = int(np.argmax(part))                       # of equals the first, in reading order
        won[i + first // window, j + first % window] += 1
    np.testing.assert_array_equal(largest["output"].ravel(), [part.max() for _, _, part in cut])
    np.testing.assert_allclose(mean["output"].ravel(), [part.mean() for _, _, part in cut])
    np.testing.assert_array_equal(largest["gradient"], won)
    np.testing.assert_allclose(mean["gradient"], share)
    assert largest["learning"] == np.count_nonzero(won) <= largest["size"] ** 2
    assert mean["learning"] == np.count_nonzero(share)
    assert largest["left_over"] == 12 - (cut[-1][0] + window)


def test_a_move_within_the_windows_is_forgotten_and_one_across_their_border_is_not():
    inside = outputs(picture="line", right=1)
    across = outputs(picture="line", right=2)
    assert inside["input_distance"] == pytest.approx(np.sqrt(2)) == across["input_distance"]
    assert inside["output_distance"] == 0
    assert not inside["changed"].any()
    assert across["output_distance"] == pytest.approx(np.sqrt(2))


def test_a_larger_window_forgets_more():
    assert outputs(right=1)["input_distance"] == pytest.approx(0.89, abs=0.005)
    found = [outputs(window=window, stride=1, right=1)["output_distance"] for window in (2, 3, 4)]
    assert found[0] > found[1] > found[2]
    assert found == pytest.approx([0.65, 0.53, 0.49], abs=0.005)


@pytest.mark.parametrize("kind", ["max", "average"])
def test_a_move_by_the_stride_moves_the_output_by_one(kind):
    """Equivariance: what was computed at a place is computed one place further on."""
    result = outputs(kind=kind, window=2, stride=2, right=2, down=2)
    np.testing.assert_allclose(result["output"][1:, 1:], result["before"][:-1, :-1])


def test_moves_only_paper_round_the_edge():
    for name in (*explorer.PICTURES, "random"):
        still, moved = outputs(picture=name)["image"], outputs(picture=name, right=3, down=3)["image"]
        np.testing.assert_array_equal(moved[3:, 3:], still[:9, :9])
        assert not still[9:].any()
        assert not still[:, 9:].any()


def test_new_numbers_are_new_and_the_same_seed_is_the_same():
    assert np.array_equal(outputs(picture="random", seed=3)["image"], outputs(picture="random", seed=3)["image"])
    assert not np.array_equal(outputs(picture="random", seed=3)["image"], outputs(picture="random", seed=4)["image"])


def test_the_menu_offers_the_pictures_and_the_module_as_many_pixels():
    assert [value for value, _ in explorer.CONTROLS[0].options] == [*explorer.PICTURES, "random"]
    assert {picture.shape for picture in explorer.PICTURES.values()} == {(12, 12)}
    assert f"const SIZE = {explorer.SIZE};" in host.script("pooling_explorer")


@pytest.mark.filterwarnings("error")
def test_corners_run_clean_and_small():
    ranges = ((*explorer.PICTURES, "random"), ("max", "average"), (2, 4), (1, 4), (0, 3), (0, 3))
    with np.errstate(all="raise"):
        for picture, kind, window, stride, right, down in itertools.product(*ranges):
            result = outputs(picture=picture, kind=kind, window=window, stride=stride, right=right, down=down)
            assert np.isfinite(result["output_distance"])
    encoded, state = host.evaluate("pooling_explorer", host.defaults("pooling_explorer"))
    assert state is None
    assert len(str(to_json(encoded))) < 60_000
    with pytest.raises(ValueError, match="window"):
        host.evaluate("pooling_explorer", host.defaults("pooling_explorer") | {"window": 5})
