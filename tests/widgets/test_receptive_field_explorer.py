"""The receptive field explorer: cones by hand and by gradients, growth by closed forms, weights by counting."""

import itertools
from math import comb

import numpy as np
import pytest

from dlcourse.widgets import host
from dlcourse.widgets import receptive_field_explorer as explorer
from dlcourse.widgets.codec import to_json


def outputs(**inputs):
    return explorer.compute(**host.defaults("receptive_field_explorer", **inputs))


def test_three_layers_of_three_by_hand():
    result = outputs(depth=3, kernel_size=3)
    assert (result["size"], result["jump"], result["first"]) == (7, 1, 0)
    assert [len(places) for places in result["places"]] == [7, 5, 3, 1]
    np.testing.assert_array_equal(result["places"][3], [3])               # the unit is drawn above its field's middle
    np.testing.assert_array_equal(result["places"][2], [2, 3, 4])
    np.testing.assert_allclose(result["weights"] * 27, [1, 3, 6, 7, 6, 3, 1])    # ways down: (1 + x + x^2)^3
    assert (result["stacked"], result["single"]) == (27, 49)


def test_pairs_count_as_binomials():
    result = outputs(depth=6, kernel_size=2)
    np.testing.assert_allclose(result["weights"] * 64, [comb(6, k) for k in range(7)])
    assert result["core"] == 5                              # 1 + 1 of 64 outside: 97%; without the sixes it is 78%


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_growth_by_closed_forms(k):
    """Sums of a geometric series: the l-th layer adds (k - 1) times its jump, pooling adds its jump once more."""
    n = np.arange(1, 7)
    plain, stride, pooling, dilation = outputs(kernel_size=k)["growth"]
    np.testing.assert_array_equal(plain, 1 + n * (k - 1))
    np.testing.assert_array_equal(stride, 1 + (k - 1) * (2**n - 1))
    np.testing.assert_array_equal(dilation, stride)
    np.testing.assert_array_equal(pooling, 1 + k * (2**n - 1))


@pytest.mark.parametrize("kind", explorer.KINDS)
@pytest.mark.parametrize("kernel_size", [2, 3, 5])
@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("unit", [-3, 0, 2])
def test_the_pixels_seen_are_those_that_count(kind, kernel_size, depth, unit):
    result = outputs(kind=kind, kernel_size=kernel_size, depth=depth, unit=unit)
    pixels, first = result["places"][0], result["first"]
    assert first == unit * result["jump"]
    np.testing.assert_array_equal(pixels, first + np.flatnonzero(result["weights"]))
    assert pixels[-1] - first + 1 == result["size"] == len(result["weights"])
    assert result["weights"].sum() == pytest.approx(1)
    assert len(result["names"]) == len(result["places"]) == len(result["all_places"]) == len(result["edges"]) + 1


def test_the_unit_moves_by_the_jump_and_stays_in_sight():
    for kind, jump in (("plain", 1), ("stride", 16), ("pooling", 16), ("dilation", 1)):
        middle, next_one = outputs(kind=kind, depth=4), outputs(kind=kind, depth=4, unit=1)
        assert middle["jump"] == jump == next_one["first"] - middle["first"]
        for unit in (-3, 3):
            result = outputs(kind=kind, depth=4, unit=unit)
            for seen, everywhere in zip(result["places"], result["all_places"], strict=True):
                assert set(seen) <= set(everywhere)
            assert result["left"] <= result["places"][0][0] <= result["places"][0][-1] <= result["right"]


def test_connections_lead_from_units_to_their_inputs():
    result = outputs(kind="stride", depth=2, kernel_size=3)
    first, second = result["edges"]
    np.testing.assert_array_equal(second[:, 0], result["places"][1])      # the top unit sees each of them once
    np.testing.assert_array_equal(np.unique(first[:, 0]), np.arange(7))
    assert len(first) == 9
    assert np.abs(first[:, 0] - first[:, 1]).max() == 1
    crowded = outputs(kind="pooling", depth=6, kernel_size=5)
    assert any(crowded["crowded"])
    for pairs, many in zip(crowded["edges"], crowded["crowded"], strict=True):
        assert not many or len(pairs) == 2


def test_the_core_holds_the_weight_and_no_smaller_one_does():
    for kind, depth, kernel_size in itertools.product(explorer.KINDS, (2, 5), (2, 3, 5)):
        result = outputs(kind=kind, depth=depth, kernel_size=kernel_size)
        weights, core = result["weights"], result["core"]
        cut = (len(weights) - core) // 2
        assert weights[cut:len(weights) - cut].sum() >= 0.95
        if core > 2:
            assert weights[cut + 1:len(weights) - cut - 1].sum() < 0.95


def test_the_module_knows_the_kinds_in_their_order():
    source = host.script("receptive_field_explorer")
    assert f"const KINDS = {list(explorer.KINDS)};".replace("'", '"') in source
    assert [value for value, _ in explorer.CONTROLS[2].options] == list(explorer.KINDS)


@pytest.mark.filterwarnings("error")
def test_corners_run_clean_and_small():
    with np.errstate(all="raise"):
        for depth, kernel_size, kind, unit in itertools.product((1, 6), (2, 5), explorer.KINDS, (-3, 3)):
            inputs = host.defaults("receptive_field_explorer") | {"depth": depth, "kernel_size": kernel_size,
                                                                  "kind": kind, "unit": unit}
            encoded, state = host.evaluate("receptive_field_explorer", inputs)
            assert state is None
            assert len(str(to_json(encoded))) < 100_000
    with pytest.raises(ValueError, match="depth"):
        host.evaluate("receptive_field_explorer", host.defaults("receptive_field_explorer") | {"depth": 7})
