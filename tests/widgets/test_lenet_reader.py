"""LeNet-5 reads: every layer's numbers, what a unit is computed from and sees, what a push does, and the picture."""

import itertools
import json
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch

from dlcourse import lenet_torch
from dlcourse.data import mnist_1k, trained, trained_input
from dlcourse.lenet import C3_TABLE, LeNet5
from dlcourse.widgets import digit_reader, host
from dlcourse.widgets import lenet_reader as reader
from dlcourse.widgets.codec import to_json
from dlcourse.widgets.digit_reader import centre_and_rescale, load_network

BLANK = np.zeros((28, 28))
SHAPES = {"input": (1, 32, 32), "C1": (6, 28, 28), "S2": (6, 14, 14), "C3": (16, 10, 10), "S4": (16, 5, 5),
          "C5": (120,), "F6": (84,), "output": (10,)}
LAYERS = list(SHAPES)[1:]
every_layer = pytest.mark.parametrize("layer", LAYERS)


def digit(number):
    return np.round(load_network()[1][number] / 255, 2)


def outputs(**inputs):
    return reader.compute(**{**host.defaults("lenet_reader"), "drawing": digit(4), **inputs})


@pytest.fixture(scope="module")
def twin():
    network = lenet_torch.LeNet5().double().eval()
    network.load_state_dict({name: torch.from_numpy(array).double() for name, array in trained("lenet5").items()})
    return network


def each_layer(network, x):
    """Run the counterpart, and keep what stands behind each layer: after squashing, or flattening."""
    found = []
    for layer in network:
        x = layer(x)
        found.append(x)
    return dict(zip(LAYERS, (found[i] for i in (1, 3, 5, 7, 10, 12, 13)), strict=True))


# ---------------------------------------------------------------- the numbers

def test_shapes_are_those_of_1998():
    result = outputs()
    assert {name: result[name].shape for name in SHAPES} == SHAPES
    assert all(result[name].dtype == np.float32 for name in SHAPES)


@pytest.mark.parametrize("number", range(10))
def test_scores_are_those_of_the_network_run_directly(number):
    network = LeNet5(rng=np.random.default_rng(1), dtype=np.float32)
    network.load_state_dict(trained("lenet5"))
    seen = centre_and_rescale(digit(number))[0]
    scores = network.eval()(trained_input("lenet5", seen[None]))[0]
    result = outputs(drawing=digit(number))
    np.testing.assert_allclose(result["output"], scores, rtol=1e-4, atol=1e-4)
    p = np.exp(scores - scores.max())
    np.testing.assert_allclose(result["probabilities"], p / p.sum(), atol=1e-5)
    assert result["top"] == number


@pytest.mark.parametrize(("number", "push", "centre"), [(4, 0, True), (9, 4, True), (2, 1, False)])
def test_every_layer_equals_the_torch_twin(twin, number, push, centre):
    result = outputs(drawing=digit(number), push=push, centre=centre)
    with torch.no_grad():
        found = each_layer(twin, torch.from_numpy(result["input"]).double()[None])
    for name, values in found.items():
        np.testing.assert_allclose(result[name], values[0].numpy().reshape(SHAPES[name]), rtol=1e-5, atol=2e-6)


def test_the_input_has_a_margin_and_the_papers_range():
    drawing = digit(2)
    seen = outputs(drawing=drawing, centre=False)["input"][0]
    np.testing.assert_allclose(seen[2:30, 2:30], 1.275 * drawing - 0.1, atol=1e-6)
    seen[2:30, 2:30] = -0.1
    np.testing.assert_allclose(seen, -0.1, atol=1e-7)


def test_a_push_moves_the_input_and_paper_follows():
    image = np.random.default_rng(0).random((28, 28))
    still, moved = (reader.activations(image, push)["input"][0] for push in (0, 3))
    np.testing.assert_array_equal(moved[3:, 3:], still[:29, :29])
    np.testing.assert_allclose(np.r_[moved[:3].ravel(), moved[:, :3].ravel()], -0.1, atol=1e-7)
    np.testing.assert_array_equal(outputs(drawing=image, centre=False, push=3)["input"][0], moved.astype(np.float32))


# ---------------------------------------------------------------- the chosen map or unit

def squash(z):
    return 1.7159 * np.tanh(2 / 3 * z)


@every_layer
def test_a_value_follows_from_its_sources_by_hand(layer):
    """Sum over the sources of weight times what lies below it, plus the bias, squashed; subsampling takes a mean."""
    for unit in (1, 4, 10):
        result = outputs(drawing=digit(3), layer=layer, unit=unit)
        below, (r, c) = result[result["below"]], (result["row"], result["column"])
        if layer in ("S2", "S4"):
            patches = below[result["sources"], 2 * r:2 * r + 2, 2 * c:2 * c + 2].mean(axis=(1, 2), keepdims=True)
        elif layer in ("F6", "output"):
            patches = below[result["sources"], None, None]
        else:
            patches = below[result["sources"], r:r + 5, c:c + 5]
        assert patches.shape == result["weights"].shape
        z = np.sum(np.float64(result["weights"]) * patches) + result["bias"]
        assert result["value"] == pytest.approx(z if layer == "output" else squash(z), abs=1e-5)


def test_maps_of_c3_are_computed_from_those_of_the_table():
    for unit in range(16):
        assert outputs(layer="C3", unit=unit + 1)["sources"] == list(C3_TABLE[unit])
    assert outputs(layer="S2", unit=5)["sources"] == [4]
    assert outputs(layer="C5", unit=7)["sources"] == list(range(16))


@every_layer
def test_the_framed_pixels_are_exactly_those_that_count(twin, layer):
    """The gradient of the twin: outside of the field it is zero, and it reaches all four edges of the field."""
    result = outputs(drawing=digit(5), layer=layer, unit=3)
    x = torch.from_numpy(result["input"]).double()[None].requires_grad_()
    values = each_layer(twin, x)[layer][0]
    (values[2, result["row"], result["column"]] if values.ndim == 3 else values[2]).backward()
    seen = x.grad[0, 0].numpy() != 0
    top, left, bottom, right = result["field"]
    assert (np.flatnonzero(seen.any(axis=1))[[0, -1]] == (top, bottom - 1)).all()
    assert (np.flatnonzero(seen.any(axis=0))[[0, -1]] == (left, right - 1)).all()


def test_fields_have_the_widths_of_the_chapter_and_stay_in_the_image():
    ends = {"C1": 27, "S2": 13, "C3": 9, "S4": 4, "C5": 0, "F6": 0, "output": 0}
    widths = []
    for layer, last in ends.items():
        assert reader.field(layer, 0, 0)[:2] == (0, 0)
        top, left, bottom, right = reader.field(layer, last, last)
        assert (bottom, right) == (32, 32)
        assert bottom - top == right - left
        widths.append(bottom - top)
    assert widths == [5, 6, 14, 16, 32, 32, 32]


@every_layer
def test_the_strongest_differs_most_from_blank_paper(layer):
    result, blank = outputs(layer=layer), outputs(layer=layer, drawing=BLANK)
    own, paper = (np.float64(one[layer]).reshape(SHAPES[layer][0], -1) for one in (result, blank))
    chosen = result["unit"] - 1
    change = np.abs(own - paper)
    if layer == "output":
        assert chosen == result["top"]
    else:
        assert chosen == change.max(axis=1).argmax()
    side = SHAPES[layer][-1] if len(SHAPES[layer]) == 3 else 1
    place = result["row"] * side + result["column"]
    assert change[chosen, place] == pytest.approx(change[chosen].max(), abs=1e-6)
    assert result["value"] == pytest.approx(own[chosen, place], abs=1e-5)
    assert result["paper"] == pytest.approx(paper[chosen, place], abs=1e-5)
    again = outputs(layer=layer, unit=result["unit"])
    assert (again["unit"], again["row"], again["column"]) == (result["unit"], result["row"], result["column"])


@every_layer
def test_a_number_beyond_the_layer_is_its_last(layer):
    result = outputs(layer=layer, unit=120)
    assert result["unit"] == result["count"] == SHAPES[layer][0]


# ---------------------------------------------------------------- what the page says

def test_maps_move_along_and_the_answer_does_not_hold():
    """Up to S4 a push is a move by whole places; with it five of the ten examples are misread."""
    here, there = outputs(drawing=digit(9)), outputs(drawing=digit(9), push=4)
    for layer, n in (("C1", 4), ("S2", 2), ("C3", 2), ("S4", 1)):
        np.testing.assert_allclose(there[layer][:, n:, n:], here[layer][:, :-n, :-n], atol=1e-6)
    assert np.linalg.norm(there["C5"] - here["C5"]) > np.linalg.norm(outputs()["C5"] - here["C5"])
    assert (here["top"], there["top"]) == (9, 6)
    assert [outputs(drawing=digit(d), push=4)["top"] == d for d in range(10)].count(False) == 5
    assert all(outputs(drawing=digit(d), push=1)["top"] == d for d in range(10))


def test_both_networks_take_the_same_nonsense_for_the_same_digits():
    letter = BLANK.copy()
    letter[5:23, [8, 9, 18, 19]] = letter[13:15, 8:20] = 1
    frame = BLANK.copy()
    frame[5:23, 5:23] = 1
    frame[7:21, 7:21] = 0
    for drawing, answer in ((letter, 4), (frame, 0)):
        results = outputs(drawing=drawing), digit_reader.compute(drawing, True, "top", 0)
        assert [result["top"] for result in results] == [answer, answer]
        assert results[0]["probabilities"].max() > 0.999


def test_digits_of_the_test_part_are_read():
    test = mnist_1k(flatten=False, dtype=np.float64)
    answers = [reader.activations(image)["output"].argmax() for image in test.x[::5]]
    assert np.mean(answers == test.y[::5]) >= 0.985


# ---------------------------------------------------------------- limits, speed, the way to the page

def test_corners_of_all_ranges_run_clean():
    dot, speck = np.zeros((2, 28, 28))
    dot[0, 0], speck[27, 27] = 1, 0.01
    with np.errstate(all="raise"):
        for drawing, centre, push in itertools.product((BLANK, np.ones((28, 28)), dot, speck), (True, False), (0, 4)):
            for layer, unit in itertools.product(LAYERS, (0, 1, 120)):
                result = reader.compute(drawing, centre, push, layer, unit)
                assert all(np.isfinite(result[name]).all() for name in SHAPES)
                assert result["probabilities"].sum() == pytest.approx(1)
                assert result["blank"] == (not drawing.any())


def test_the_same_inputs_give_the_same_result():
    inputs = host.defaults("lenet_reader")
    first = host.evaluate("lenet_reader", inputs)
    host.evaluate("lenet_reader", {**inputs, "drawing": BLANK.tolist(), "layer": "C5", "unit": 9})
    assert host.evaluate("lenet_reader", inputs) == first


def test_a_step_takes_milliseconds():
    inputs = host.defaults("lenet_reader", layer="C5")
    times = []
    for _ in range(20):
        start = time.perf_counter()
        host.evaluate("lenet_reader", inputs)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005


@every_layer
def test_round_trip_through_the_host_is_small(layer):
    inputs = json.loads(json.dumps(host.defaults("lenet_reader", layer=layer)))
    result, state = host.evaluate("lenet_reader", inputs)
    assert state is None
    assert len(json.dumps(to_json(result))) < 70_000
    assert result["C1"]["shape"] == [6, 28, 28]
    assert result["top"] == 4
    with pytest.raises(ValueError, match="drawing: expected numbers from"):
        host.evaluate("lenet_reader", {**inputs, "drawing": np.full((28, 28), 2.0)})
    with pytest.raises(ValueError, match="layer: expected one of 'C1'"):
        host.evaluate("lenet_reader", {**inputs, "layer": "C2"})


def test_the_pages_python_has_the_weights_and_nothing_more(tmp_path):
    """Of the stored arrays exactly two are packed, and with what is packed, NumPy aside, the widget computes."""
    from dlbook.live import ROOT, browser_files

    files = browser_files()
    assert [name for name in files if name.endswith(".npz")] == [
        "dlcourse/data/weights/lenet5.npz", "dlcourse/widgets/weights/digits.npz"]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    code = f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        for name in ("torch", "matplotlib", "sklearn", "mlxtend", "tqdm", "pooch", "scipy", "filelock", "requests"):
            sys.modules[name] = None
        import dlcourse
        assert dlcourse.__file__.startswith({str(tmp_path)!r})
        from dlcourse.widgets import defaults, evaluate
        print(evaluate("lenet_reader", defaults("lenet_reader"))[0]["value"])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(outputs()["value"])


# ---------------------------------------------------------------- the picture

PAGE = """<!doctype html><html lang="en"><title>widget</title><style>%s</style><body style="margin:0">
<div id="here" style="width:800px"></div><script type="module">
%s
const state = %s, listeners = {};
window.state = state;
window.answers = 0;
const model = {
  get: (key) => state[key], set: (key, value) => { state[key] = value; }, off() {},
  on: (event, listener) => { (listeners[event] ??= []).push(listener); },
  async save_changes() {
    state.outputs = await window.ask(state.inputs);
    listeners["change:outputs"].forEach((listener) => listener());
    window.answers += 1;
  },
};
widget.render({ model, el: document.getElementById("here") });
window.ready = true;
</script></html>"""


@pytest.fixture
def page(browser):
    """The widget in a page, with Python behind it."""
    inputs = host.defaults("lenet_reader")
    result, _ = host.evaluate("lenet_reader", inputs)
    state = {"about": host.describe("lenet_reader"), "inputs": inputs, "outputs": to_json(result), "error": ""}
    script = host.script("lenet_reader").replace("export default", "const widget =")
    css = (host.FOLDER / "kit.css").read_text(encoding="utf-8")
    tab = browser.new_page(viewport={"width": 820, "height": 1600})
    errors = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.expose_function("ask", lambda given: to_json(host.evaluate("lenet_reader", given)[0]))
    tab.set_content(PAGE % (css, script, json.dumps(state)))
    tab.wait_for_function("window.ready")
    yield tab
    assert errors == []
    tab.close()


def after(tab, act):
    """Act, wait for the answer, and return what is chosen and what is said."""
    before = tab.evaluate("window.answers")
    act()
    tab.wait_for_function("(before) => window.answers > before", arg=before)
    chosen = tab.locator("figure button[aria-pressed=true]")
    assert chosen.count() == 1
    assert tab.locator("figure button[tabindex='0']").count() == 1
    return chosen.get_attribute("aria-label"), tab.locator(".dlw-summary").inner_text()


def test_a_click_and_the_arrow_keys_choose_in_a_browser(page):
    label, said = after(page, page.get_by_role("button", name="C3, map 12", exact=True).click)
    assert label == "C3, map 12"
    assert "Map 12 of C3" in said
    assert "14 × 14 pixels" in said
    dashed = page.locator("[aria-label^='S2'] canvas").evaluate_all(
        "(all) => all.map((canvas) => canvas.style.border.includes('dashed'))")
    assert [k for k, one in enumerate(dashed) if one] == list(C3_TABLE[11])
    assert page.locator("[name=layer]").input_value() == "C3"
    assert after(page, lambda: page.keyboard.press("ArrowRight"))[0] == "C3, map 13"
    assert after(page, lambda: page.keyboard.press("ArrowUp"))[0].startswith("S2, map")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("S2, map")


def test_a_click_finds_the_unit_below_it_in_a_browser(page):
    row = page.get_by_role("button", name="C5, its strongest unit")
    box = row.locator("canvas").bounding_box()
    place = {"x": box["width"] * 7.5 / 40, "y": box["height"] * 1.5 / 3}
    assert after(page, lambda: row.click(position=place))[0] == "C5, unit 48 of 120"
    assert "Unit 48 of C5" in page.locator(".dlw-summary").inner_text()
    assert after(page, lambda: page.keyboard.press("ArrowLeft"))[0] == "C5, unit 47 of 120"
    strongest = outputs(layer="F6")["unit"]
    assert after(page, lambda: page.keyboard.press("ArrowDown"))[0] == f"F6, unit {strongest} of 84"


def test_layer_slider_and_push_work_in_a_browser(page):
    slider = page.locator("[name=unit]")
    after(page, lambda: page.locator("[name=layer]").select_option("output"))
    assert slider.get_attribute("max") == "10"
    label, said = after(page, lambda: slider.fill("3"))
    assert label == "output, digit 2"
    assert said.count("The score of 2 is") == 1
    after(page, lambda: page.locator("[data-action=example-9]").click())
    assert page.locator(".dlw-summary").inner_text().startswith("Read as 9")
    _, said = after(page, lambda: page.locator("[name=push]").fill("4"))
    assert said.startswith("Read as 6")
    assert "pushed aside by 4" in said


def test_a_stroke_is_read_in_a_browser(page):
    after(page, page.locator("[data-action=clear]").click)
    assert "The paper is blank" in page.locator(".dlw-summary").inner_text()
    box = page.locator("[aria-roledescription='drawing pad']").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    page.mouse.down()
    _, said = after(page, lambda: page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 30, steps=4))
    page.mouse.up()
    assert said.startswith("Read as 1")
