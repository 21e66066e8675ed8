"""The digit reader: what preprocessing does, what the stored network knows, and what drawn strokes are read as."""

import itertools
import json

import numpy as np
import pytest

from dlcourse.data import mnist_5k
from dlcourse.widgets import digit_reader, host
from dlcourse.widgets.codec import to_json
from dlcourse.widgets.digit_reader import centre_and_rescale, compute, load_network

BLANK = np.zeros((28, 28))


def bar(top, left, height, width):
    drawing = np.zeros((28, 28))
    drawing[top:top + height, left:left + width] = 1
    return drawing


def mass(image):
    rows, columns = np.mgrid[:28, :28]
    return (image * rows).sum() / image.sum(), (image * columns).sum() / image.sum()


# ---------------------------------------------------------------- centring and rescaling

def test_images_of_mnist_stay_as_they_are():
    """They were made by the same rule, so no pixel changes."""
    for image in mnist_5k("test", flatten=False, dtype=np.float64).x[::20]:
        seen, _, centre, scale = centre_and_rescale(image)
        assert scale == 1
        assert max(abs(centre[0] - 14), abs(centre[1] - 14)) <= 0.51
        assert np.allclose(seen, image, atol=1e-12)


def test_a_bar_is_enlarged_to_twenty_pixels_and_centred():
    """By hand: 10 rows by 4 columns become 20 by 8, moved by whole pixels until the middle is next to pixel 14."""
    seen, box, centre, scale = centre_and_rescale(bar(2, 2, 10, 4))
    assert box == (2, 2, 12, 6)
    assert centre == (6.5, 3.5)
    assert scale == 2
    assert mass(seen) == pytest.approx((13.5, 13.5), abs=1e-9)
    assert seen[14, 14] == pytest.approx(1)
    # At an edge the ink falls linearly, over one cell of the drawing: two pixels of the result.
    assert seen[2:6, 14] == pytest.approx([0, 0.25, 0.75, 1])
    assert seen[14, 8:12] == pytest.approx([0, 0.25, 0.75, 1])


def test_a_reduced_drawing_keeps_its_mean_ink():
    """Ink per area does not change, so the sum falls with the square of the scale, 20/26."""
    drawing = bar(1, 3, 26, 20)
    seen, _, _, scale = centre_and_rescale(drawing)
    assert scale == pytest.approx(20 / 26)
    assert seen.sum() == pytest.approx(drawing.sum() * scale**2, rel=0.02)


def test_where_it_was_drawn_makes_no_difference():
    drawing = np.round(load_network()[1][3] / 255, 2)
    aside = np.roll(drawing, (-4, 3), axis=(0, 1))
    here, there = compute(drawing, True, "top", 0), compute(aside, True, "top", 0)
    assert np.allclose(here["seen"], there["seen"], atol=1e-6)
    assert np.allclose(here["probabilities"], there["probabilities"])


def test_without_centring_the_place_decides():
    """The page says so: most digits are misread in a corner, and none is when they are centred."""
    _, examples = load_network()
    right = {True: 0, False: 0}
    for digit, image in enumerate(examples / 255):
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        corner = np.roll(image, (-rows[0], -columns[0]), axis=(0, 1))
        for centre in right:
            right[centre] += compute(corner, centre, "top", 0)["top"] == digit
    assert right[True] == 10
    assert right[False] <= 5


# ---------------------------------------------------------------- the network

def forward(x):
    """The network written out once more, from the stored file."""
    with np.load(digit_reader.WEIGHTS) as stored:
        w1, b1, w2, b2 = (stored[name].astype(float) for name in ("0.weight", "0.bias", "2.weight", "2.bias"))
    hidden = np.maximum(0, x @ w1.T + b1)
    return hidden, hidden @ w2.T + b2


def test_the_file_is_small():
    assert digit_reader.WEIGHTS.stat().st_size <= 400_000


def test_held_out_digits_are_read_as_the_result_file_says():
    test = mnist_5k("test", dtype=np.float64)
    share = np.mean(forward(test.x)[1].argmax(axis=1) == test.y)
    result = json.loads((digit_reader.WEIGHTS.parents[3] / "recipes" / "digits.json").read_text())
    assert share == pytest.approx(result["held_out_accuracy"], abs=1e-9)
    assert share > 0.97


def test_numbers_are_those_of_the_network_written_out():
    drawing = np.round(load_network()[1][7] / 255, 2)
    out = compute(drawing, False, "top", 0)
    hidden, logits = forward(drawing.ravel())
    p = np.exp(logits - logits.max())
    assert np.allclose(out["probabilities"], p / p.sum())
    assert np.allclose(out["hidden"], hidden, atol=1e-5)
    assert out["scale"] == 1
    assert compute(bar(2, 2, 10, 4), True, "top", 0)["scale"] == 2
    assert out["top"] == 7
    assert out["unit"] == hidden.argmax() + 1
    assert out["activation"] == pytest.approx(hidden.max())
    assert compute(drawing, False, "top", 5)["activation"] == pytest.approx(hidden[4])


@pytest.mark.parametrize("digit", ["top", "2", "9"])
def test_the_pixels_contributions_sum_to_the_lead(digit):
    """Checked against difference quotients of the network written out, pixel by pixel."""
    drawing = np.round(load_network()[1][4] / 255, 2)
    out = compute(drawing, False, digit, 0)
    c, k = out["digit"], out["rival"]
    _, logits = forward(drawing.ravel())
    assert c == (4 if digit == "top" else int(digit))
    assert k == next(j for j in np.argsort(-logits) if j != c)
    assert out["lead"] == pytest.approx(logits[c] - logits[k])
    assert out["from_pixels"] == pytest.approx(out["evidence"].sum(), abs=1e-4)
    assert out["from_pixels"] + out["from_biases"] == pytest.approx(out["lead"])
    for pixel in np.flatnonzero(drawing)[::9]:
        step = np.zeros(784)
        step[pixel] = 1e-6
        up, down = forward(drawing.ravel() + step)[1], forward(drawing.ravel() - step)[1]
        slope = ((up[c] - up[k]) - (down[c] - down[k])) / 2e-6
        assert out["evidence"].ravel()[pixel] == pytest.approx(slope * drawing.ravel()[pixel], abs=1e-4)


def test_the_lead_is_the_logarithm_of_a_ratio_of_probabilities():
    out = compute(np.round(load_network()[1][8] / 255, 2), True, "top", 0)
    p = out["probabilities"]
    assert out["lead"] == pytest.approx(np.log(p[out["digit"]] / p[out["rival"]]))


def test_hidden_units_are_sorted_by_the_digit_they_favour():
    order = compute(BLANK, True, "top", 0)["unit_digit"]
    assert np.all(np.diff(order) >= 0)
    assert set(order) == set(range(10))


def test_examples_are_read_right():
    for digit, image in enumerate(load_network()[1]):
        assert compute(image / 255, True, "top", 0)["top"] == digit


def test_the_network_is_sure_of_what_is_no_digit():
    """The page says so of the letter H, a 4, and of a frame, a 0."""
    letter = bar(5, 8, 18, 2) + bar(5, 18, 18, 2) + bar(13, 10, 2, 8)
    frame = bar(5, 5, 18, 18) - bar(7, 7, 14, 14)
    for nonsense, answer in ((letter, 4), (frame, 0)):
        out = compute(nonsense, True, "top", 0)
        assert out["top"] == answer
        assert out["probabilities"].max() > 0.99


def test_a_blank_pad_is_said_to_be_blank():
    out = compute(BLANK, True, "top", 0)
    assert out["blank"]
    assert np.all(out["evidence"] == 0)
    assert out["from_biases"] == pytest.approx(out["lead"])


def test_corners_of_all_ranges_run_clean():
    dot, speck = np.zeros((28, 28)), np.zeros((28, 28))
    dot[0, 0], speck[27, 27] = 1, 0.01
    two = np.maximum(dot, speck[::-1] * 100)
    with np.errstate(all="raise"):
        for drawing, centre, digit, unit in itertools.product(
            (BLANK, np.ones((28, 28)), dot, speck, two), (True, False), ("top", "0", "9"), (0, 1, 128)
        ):
            out = compute(drawing, centre, digit, unit)
            assert np.isfinite(out["seen"]).all()
            assert out["probabilities"].sum() == pytest.approx(1)


def test_the_same_inputs_give_the_same_result():
    inputs = host.defaults("digit_reader")
    first = host.evaluate("digit_reader", inputs)
    host.evaluate("digit_reader", {**inputs, "drawing": BLANK.tolist(), "digit": "3"})
    assert host.evaluate("digit_reader", inputs) == first
    assert all(parameter.grad is None for parameter in load_network()[0].parameters())   # nothing adds up


def test_round_trip_through_the_host_is_small():
    inputs = json.loads(json.dumps(host.defaults("digit_reader")))
    outputs, state = host.evaluate("digit_reader", inputs)
    assert state is None
    assert len(json.dumps(to_json(outputs))) < 60_000
    assert outputs["seen"]["shape"] == [28, 28]
    assert outputs["top"] == 4
    with pytest.raises(ValueError, match="drawing: expected numbers from"):
        host.evaluate("digit_reader", {**inputs, "drawing": np.full((28, 28), 2.0)})
    with pytest.raises(ValueError, match="drawing"):
        host.evaluate("digit_reader", {**inputs, "drawing": np.zeros((5, 5))})


# ---------------------------------------------------------------- strokes, drawn with the mouse

def arc(centre, radii, start, end, num=16):
    """Points on an ellipse; angles in degrees, 0 to the right and 90 down."""
    angle = np.deg2rad(np.linspace(start, end, num))
    return np.stack([centre[0] + radii[0] * np.cos(angle), centre[1] + radii[1] * np.sin(angle)], axis=1)


def path(*points):
    return np.array(points, dtype=float)


def eight():
    t = np.linspace(0, 2 * np.pi, 30)
    return np.stack([0.5 - 0.42 * np.sin(2 * t), 0.5 - 0.5 * np.cos(t)], axis=1)


def curve(a, b, c, num=10):
    """A parabola from a to c with b as the corner of its tangents."""
    t = np.linspace(0, 1, num)[:, None]
    return (1 - t)**2 * path(a) + 2 * t * (1 - t) * path(b) + t**2 * path(c)


# Each digit in the ways it is written; x to the right and y down, from 0 to 1.
STROKES = {
    0: [[arc((0.5, 0.5), (0.42, 0.5), -90, -450, 28)]],
    1: [[path((0.5, 0), (0.5, 1))], [path((0.25, 0.25), (0.55, 0), (0.55, 1))]],
    2: [[np.concatenate([arc((0.47, 0.3), (0.4, 0.3), 195, 395), path((0.05, 1), (0.95, 1))])]],
    3: [[np.concatenate([arc((0.45, 0.25), (0.4, 0.25), 200, 450), arc((0.45, 0.74), (0.45, 0.26), 270, 520)])]],
    4: [[path((0.3, 0), (0.05, 0.6), (0.95, 0.6)), path((0.72, 0.2), (0.68, 1))],
        [path((0.65, 1), (0.65, 0), (0.05, 0.65), (0.95, 0.65))]],
    5: [[np.concatenate([path((0.9, 0), (0.2, 0), (0.15, 0.45)), arc((0.45, 0.68), (0.42, 0.32), 225, 510)])],
        [np.concatenate([path((0.22, 0), (0.15, 0.45)), arc((0.45, 0.68), (0.42, 0.32), 225, 510)]),
         path((0.22, 0), (0.9, 0))]],
    6: [[np.concatenate([curve((0.75, 0), (0.15, 0.25), (0.1, 0.7)), arc((0.48, 0.72), (0.38, 0.28), 180, -180)])]],
    7: [[path((0.05, 0), (0.95, 0), (0.4, 1))],
        [path((0.05, 0), (0.95, 0), (0.4, 1)), path((0.3, 0.5), (0.9, 0.5))]],
    8: [[eight()]],
    9: [[np.concatenate([arc((0.48, 0.28), (0.38, 0.28), -20, -380, 24), path((0.86, 0.3), (0.75, 1))])]],
}


def drawings(num_each, rng):
    """Vary each digit as hands do: size, slant, turn, width, place, and a little wobble; in cells of the pad."""
    for digit, turn in itertools.product(range(10), range(num_each)):
        strokes = STROKES[digit][turn % len(STROKES[digit])]
        height, width = rng.uniform(14, 24), rng.uniform(0.5, 0.75)
        angle, slant = np.deg2rad(rng.uniform(-8, 8)), rng.uniform(-0.2, 0.1)
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        change = height * rotation @ np.array([[1, -slant], [0, 1]]) @ np.diag([width, 1])
        moved = [(points - 0.5) @ change.T + rng.normal(0, 0.02 * height, points.shape) / 2 for points in strokes]
        low, high = np.concatenate(moved).min(axis=0), np.concatenate(moved).max(axis=0)
        place = rng.uniform(np.minimum(1 - low, 14), np.maximum(27 - high, 14))
        yield digit, [points + place for points in moved]


PAGE = """<!doctype html><html lang="en"><title>pad</title><style>%s</style><body style="margin:0">
<div id="here" style="width:800px"></div><script type="module">
%s
const state = %s;
const listeners = {};
const model = {
  get: (key) => state[key], set: (key, value) => { state[key] = value; }, off() {},
  on: (event, listener) => { (listeners[event] ??= []).push(listener); },
  // The picture does not matter here, so each answer is the first one.
  save_changes: () => listeners["change:outputs"].forEach((listener) => listener()),
};
widget.render({ model, el: document.getElementById("here") });
window.state = state;
window.pad = document.querySelector("[aria-roledescription='drawing pad']");
</script></html>"""


@pytest.fixture(scope="module")
def pad(browser):
    """A page with the widget, whose drawing can be read; every answer is the first one."""
    inputs = host.defaults("digit_reader")
    outputs, _ = host.evaluate("digit_reader", inputs)
    state = {"about": host.describe("digit_reader"), "inputs": inputs, "outputs": to_json(outputs), "error": ""}
    script = host.script("digit_reader").replace("export default", "const widget =")
    css = (host.FOLDER / "kit.css").read_text(encoding="utf-8")
    tab = browser.new_page(viewport={"width": 820, "height": 1000})
    errors = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.set_content(PAGE % (css, script, json.dumps(state)))
    tab.wait_for_function("window.pad")
    yield tab
    assert errors == []
    tab.close()


def drawn(tab):
    return np.array(tab.evaluate("window.state.inputs.drawing"))


def press(tab, name):
    tab.locator(f"[data-action={name}]").click()


def draw_with_mouse(tab, strokes):
    press(tab, "clear")
    box = tab.evaluate("(() => { const { x, y, width } = pad.getBoundingClientRect(); return { x, y, width }; })()")
    cell = box["width"] / 28
    for points in strokes:
        places = [(box["x"] + cell * x, box["y"] + cell * y) for x, y in points]
        tab.mouse.move(*places[0])
        tab.mouse.down()
        for place in places[1:]:
            tab.mouse.move(*place)
        tab.mouse.up()
    return drawn(tab)


def share_read(tab, num_each, seed):
    """Draw, and count how many are read right; returns also the drawings that are not."""
    right, wrong = [], []
    for digit, strokes in drawings(num_each, np.random.default_rng(seed)):
        drawing = draw_with_mouse(tab, strokes)
        answer = compute(drawing, True, "top", 0)["top"]
        right.append(answer == digit)
        if answer != digit:
            wrong.append((digit, answer, drawing))
    return np.mean(right), wrong


def test_digits_drawn_with_the_mouse_are_read_in_a_browser(pad):
    share, wrong = share_read(pad, 2, seed=1)
    assert share >= 0.85, [(digit, answer) for digit, answer, _ in wrong]


def test_a_stroke_has_the_width_of_the_pen_in_a_browser(pad):
    drawing = draw_with_mouse(pad, [path((5, 14.5), (23, 14.5))])
    assert drawing[14, 10] == 1                                    # on the line
    assert drawing[13, 10] == pytest.approx(0.5, abs=0.05)         # the soft edge
    assert drawing[11, 10] == drawing[17, 10] == 0


def test_keys_draw_undo_and_clear_in_a_browser(pad):
    press(pad, "clear")
    pad.evaluate("pad.focus()")
    pad.keyboard.press("ArrowLeft")
    assert not drawn(pad).any()                                    # the pen is up
    pad.keyboard.press("Space")
    for _ in range(5):
        pad.keyboard.press("ArrowDown")
    ink = drawn(pad)
    assert ink.any()
    assert np.ptp(np.flatnonzero(ink.any(axis=1))) > np.ptp(np.flatnonzero(ink.any(axis=0)))
    pad.keyboard.press("Space")
    pad.keyboard.press("Delete")
    assert not drawn(pad).any()
    press(pad, "undo")
    assert np.array_equal(drawn(pad), ink)


def test_an_example_is_put_on_the_pad_in_a_browser(pad):
    press(pad, "example-6")
    assert np.allclose(drawn(pad), load_network()[1][6] / 255, atol=0.006)
