"""Backpropagation on a graph: numbers by hand, the rules as written, and messages that add up."""

import itertools
import math
import re

import numpy as np
import pytest

from dlcourse.gradcheck import numerical_gradient
from dlcourse.widgets import backprop_graph, host

RESULTS = {
    "product": lambda x, y, z: (x + y) * z,
    "penalty": lambda w, x: (w * x - 5) ** 2 + w**2 / 2,
    "neuron": lambda w, x, b, T: (T - 1 / (1 + math.exp(-(w * x + b)))) ** 2 / 2,
}


def run(**inputs):
    """Compute with some controls set and the others at their defaults."""
    return backprop_graph.compute(**host.defaults("backprop_graph", **inputs))


def random_values(seed):
    """Draw a value for every leaf and constant."""
    rng = np.random.default_rng(seed)
    return {name: round(float(rng.uniform(-2, 2)), 1) for name in "wxyzb"} | {"T": round(float(rng.uniform()), 2)}


def evaluate_text(text, values):
    """Compute what a formula says, read as mathematics."""
    text = re.sub(r"\{(\w+)\}", lambda name: f"({values[name[1]]!r})", text)
    for written, python in {"×": "*", "−": "-", "²": "**2", "½": "0.5", "σ": "sigmoid"}.items():
        text = text.replace(written, python)
    return eval(text, {"sigmoid": lambda z: 1 / (1 + math.exp(-z))})  # only what the widget's table says


def test_the_graph_of_the_text_by_hand():
    out = run()
    nodes = {node["name"]: (node["value"], node["grad"]) for node in out["nodes"]}
    assert nodes == {"w": (2, 8), "x": (3, 4), "p": (6, 2), "d": (1, 2), "e": (1, 1), "s": (4, 0.5), "h": (2, 1),
                     "L": (3, 1)}
    messages = [(m["source"], m["target"], m["local"], m["message"], m["total"]) for m in out["messages"]]
    assert messages == [("L", "e", 1, 1, 1), ("L", "h", 1, 1, 1), ("e", "d", 2, 2, 2), ("d", "p", 1, 2, 2),
                        ("p", "w", 3, 6, 6), ("p", "x", 2, 4, 4), ("h", "s", 0.5, 0.5, 0.5), ("s", "w", 4, 2, 8)]


def test_sum_copies_and_product_swaps():
    out = run(graph="product", x=-2.0, y=5.0, z=-4.0)
    nodes = {node["name"]: (node["value"], node["grad"]) for node in out["nodes"]}
    assert nodes == {"x": (-2, -4), "y": (5, -4), "z": (-4, 3), "q": (3, -4), "f": (-12, 1)}


def test_neuron_by_hand():
    out = run(graph="neuron", w=2.0, x=1.0, b=-1.0, T=0.0)
    grads = {node["name"]: node["grad"] for node in out["nodes"]}
    a = 1 / (1 + math.exp(-1))
    assert grads["b"] == pytest.approx(a * a * (1 - a))
    assert grads["x"] == pytest.approx(2 * a * a * (1 - a))


@pytest.mark.parametrize("graph", RESULTS)
@pytest.mark.parametrize("seed", range(3))
def test_rules_say_what_is_computed(graph, seed):
    out = run(graph=graph, **random_values(seed))
    values = {node["name"]: node["value"] for node in out["nodes"]} | out["constants"]
    assert values[out["result"]] == pytest.approx(RESULTS[graph](**out["leaves"], **out["constants"]))
    known = set(out["leaves"]) | set(out["constants"])
    for node in out["nodes"]:
        if node["formula"]:
            assert set(re.findall(r"\{(\w+)\}", node["formula"])) <= known    # each after its operands
            assert evaluate_text(node["formula"], values) == pytest.approx(node["value"])
        known.add(node["name"])
    for message in out["messages"]:
        assert evaluate_text(message["rule"], values) == pytest.approx(message["local"])


@pytest.mark.parametrize("graph", RESULTS)
@pytest.mark.parametrize("seed", range(3))
def test_messages_multiply_and_add(graph, seed):
    out = run(graph=graph, **random_values(seed))
    grads = {node["name"]: node["grad"] for node in out["nodes"]}
    sent = {out["result"]: 1.0}
    for message in out["messages"]:
        assert message["upstream"] == pytest.approx(sent[message["source"]])   # all its messages have come before
        assert message["message"] == pytest.approx(message["local"] * message["upstream"])
        sent[message["target"]] = sent.get(message["target"], 0) + message["message"]
        assert message["total"] == pytest.approx(sent[message["target"]])
    assert sent == pytest.approx(grads)


@pytest.mark.parametrize("graph", RESULTS)
def test_gradients_against_differences(graph):
    for seed in range(5):
        values = random_values(seed)
        for leaf in backprop_graph.GRAPHS[graph].leaves:
            out = run(graph=graph, leaf=leaf, nudge=1e-5, **values)

            def result(x, out=out, leaf=leaf):
                return RESULTS[graph](**{**out["leaves"], leaf: x.item()}, **out["constants"])

            slope = numerical_gradient(result, np.array(values[leaf])).item()
            assert out["leaf"] == leaf
            assert out["gradient"] == pytest.approx(slope, rel=1e-6, abs=1e-8)
            assert out["quotient"] == pytest.approx(slope, rel=1e-9, abs=1e-9)


def test_nudge_exact_on_a_parabola_not_on_a_sigmoid():
    assert run(nudge=1.0)["difference"] < 1e-12
    neuron = {"graph": "neuron", "w": 2.0, "x": 1.0, "b": -1.0}
    wide, narrow, tiny = (run(nudge=nudge, **neuron)["difference"] for nudge in (1.0, 1e-2, 1e-8))
    assert wide > 0.01 > 1e-5 > narrow > 0
    assert tiny > 1e-11                                        # rounding takes over


def test_wrong_and_saturated_unit_learns_slowly():
    near = run(graph="neuron", w=2.0, x=1.0, b=-1.0)
    far = run(graph="neuron", w=5.0, x=2.0, b=-1.0)
    assert far["nodes"][-1]["value"] > near["nodes"][-1]["value"]
    assert abs(far["gradient"]) < abs(near["gradient"]) / 100


def test_a_derivative_of_zero_can_be_reached():
    assert run(w=1.5, x=3.0)["gradient"] < 0 < run(w=1.6, x=3.0)["gradient"]


def test_curve_and_tangent():
    out = run(leaf="x")
    assert out["curve"].shape == out["tangent"].shape == out["places"].shape == (61,)
    assert np.allclose(out["curve"], [RESULTS["penalty"](2.0, x) for x in out["places"]])
    assert out["curve"][30] == out["tangent"][30] == 3
    assert np.allclose(np.diff(out["tangent"]) / np.diff(out["places"]), 4)


def test_leaf_of_another_graph_is_replaced():
    assert run(graph="product", leaf="w")["leaf"] == "x"


def test_starts_are_in_range():
    controls = {control.name: control for control in backprop_graph.CONTROLS}
    starts = run()["starts"]
    assert starts.keys() == RESULTS.keys()
    for name, value in itertools.chain.from_iterable(leaves.items() for leaves in starts.values()):
        assert controls[name].check(value) == value
    assert run()["leaves"] == starts["penalty"]


def test_corners_of_all_ranges_run_clean():
    with np.errstate(all="raise"):
        for graph, nudge in itertools.product(RESULTS, (1e-8, 1.0)):
            for signs in itertools.product((-5.0, 0.0, 5.0), repeat=4):
                first, x, y, b = signs
                leaf = list(backprop_graph.GRAPHS[graph].leaves)[-1]
                out = run(graph=graph, nudge=nudge, w=first, z=first, x=x, y=y, b=b, T=float(x > 0), leaf=leaf)
                assert np.isfinite([node["grad"] for node in out["nodes"]]).all()
                assert np.isfinite(out["curve"]).all()


def test_evaluate_round_trip():
    inputs = host.defaults("backprop_graph")
    outputs, state = host.evaluate("backprop_graph", inputs)
    assert state is None
    assert outputs["nodes"] == run()["nodes"]
    assert np.array_equal(np.frombuffer(outputs["curve"]["data"]), run()["curve"])
