"""The drawing kit in a browser: how numbers read, what a drag follows, what is spoken, what goes with a control."""

from dataclasses import asdict

import pytest

from dlcourse.widgets import host
from dlcourse.widgets.controls import Choice, Counter, Slider

PAGE = """<!doctype html><html lang="en"><title>kit</title><style>%s</style><body style="margin:0"><div id="here"></div>
<script type="module">%s
Object.assign(window, { bracket, drag, draw, firstAbove, fixed, format, make, mount, percent, player, swatch, ticks });
window.ready = true;
</script></html>"""

CONTROLS = (Slider("size", "Size", -2.0, 2.0, 0.5, 0.0), Choice("which", "Which", (("a", "A"), ("b", "B")), "a"),
            Counter("seed", high=2))


@pytest.fixture
def tab(browser):
    """A page with the kit, and nothing drawn yet."""
    kit = (host.FOLDER / "kit.js").read_text(encoding="utf-8").replace("\nexport ", "\n")
    css = (host.FOLDER / "kit.css").read_text(encoding="utf-8")
    tab = browser.new_page()
    errors = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.set_content(PAGE % (css, kit))
    tab.wait_for_function("window.ready")
    yield tab
    assert errors == []
    tab.close()


@pytest.fixture
def widget(tab):
    """A widget with three controls; what it asks Python for is kept in ``asked``."""
    tab.evaluate("""(controls) => {
        const about = { name: "test", title: "Test", about: "About.", controls };
        const state = { about, inputs: { size: 0, which: "a", seed: 2 }, outputs: {}, error: "" };
        window.asked = [];
        const model = { get: (key) => state[key], set: (key, value) => { state[key] = value; }, on() {}, off() {},
            save_changes: () => asked.push(state.inputs) };
        mount({ model, el: document.getElementById("here") }, (ui) => { window.ui = ui; return () => "Seen."; });
    }""", [asdict(control) for control in CONTROLS])
    return tab


NUMBERS = {
    "format(0.000012345)": "1.23 × 10⁻⁵", "format(-2.5)": "−2.5", "format(1e-7)": "10⁻⁷", "format(1 / 3, 2)": "0.33",
    "fixed(-0.04, 1)": "0.0", "fixed(-0.06, 1)": "−0.1", "fixed(2, 2)": "2.00",
    "percent(0.5)": "50%", "percent(0)": "0%", "percent(1, 1)": "100.0%", "percent(0.0004, 1)": "<\u00a00.1%",
    "percent(0.99951, 1)": ">\u00a099.9%", "percent(0.9994, 1)": "99.9%", "percent(0.004)": "<\u00a01%",
    "bracket('−2')": "(−2)", "bracket('3 × 10⁻⁵')": "(3 × 10⁻⁵)", "bracket('4')": "4",
    "firstAbove([4, 6, 10], 6)": 6, "firstAbove([4, 6, 10], 6.1)": 10, "firstAbove([4, 6, 10], 70)": 10,
    "ticks([0, 1], 5)": [0, 0.2, 0.4, 0.6, 0.8, 1], "ticks([1e-4, 1e4], 3, true)": [1e-3, 1, 1e3],
}


def test_numbers_read_as_a_reader_wants_them_in_a_browser(tab):
    for expression, expected in NUMBERS.items():
        found = tab.evaluate(expression)
        assert found == (pytest.approx(expected) if isinstance(expected, list) else expected), expression


def test_a_drag_follows_one_pointer_until_it_lets_go_in_a_browser(tab):
    tab.evaluate("""() => {
        const box = make("div", { style: "width:100px;height:100px" });
        window.log = [];
        here.append(box);
        drag(box, {
            press: ({ clientX }) => { log.push("press"); return clientX < 50; },
            move: ({ clientX }) => log.push(clientX),
            release: () => log.push("release"),
        });
    }""")
    tab.mouse.move(20, 20)                                         # nothing is pressed yet
    tab.mouse.down()
    tab.mouse.move(30, 20)
    tab.mouse.move(300, 20)                                        # outside: it is followed all the same
    tab.mouse.up()
    tab.mouse.move(40, 20)
    assert tab.evaluate("log") == ["press", 30, 300, "release"]
    tab.mouse.move(70, 20)
    tab.mouse.down()                                               # declined
    tab.mouse.move(80, 20)
    tab.mouse.up()
    assert tab.evaluate("log.slice(4)") == ["press"]
    tab.mouse.move(20, 20)
    tab.mouse.down(button="right")
    tab.mouse.up(button="right")
    assert tab.evaluate("log.length") == 5


def test_a_frame_is_spoken_where_the_walk_comes_to_rest_in_a_browser(tab):
    tab.evaluate("""() => {
        window.walk = player({ interval: 100, story: "2em", show: (k) => `Frame ${k}.` });
        here.append(walk.element);
        walk.resize(4, 0);
    }""")
    written, spoken = tab.locator(".dlw-story"), tab.locator("[role=status]")
    tab.wait_for_timeout(600)
    assert (written.inner_text(), spoken.inner_text()) == ("Frame 0.", "")     # what is there at first is read anyway
    tab.evaluate("""() => {
        window.heard = [];
        const spoken = walk.element.querySelector("[role=status]");
        new MutationObserver(() => heard.push(spoken.textContent)).observe(spoken, { childList: true });
    }""")
    tab.get_by_role("button", name="Play").click()
    tab.wait_for_function("heard.length")
    assert tab.evaluate("heard") == ["Frame 3."]
    assert written.inner_text() == "Frame 3."
    assert tab.locator("input").get_attribute("aria-valuetext") == "3 of 3"


def test_controls_know_their_range_and_what_goes_with_them_in_a_browser(widget):
    assert widget.evaluate("[0.7, -9, 1.8].map((value) => ui.within('size', value))") == [0.5, -2, 2]
    assert widget.evaluate("ui.next('seed')") == 0                             # after the last one, the first
    widget.evaluate("ui.accompany('which', (value) => ({ size: value === 'b' ? 1.5 : 0, seed: 1 }))")
    widget.locator("select").select_option("b")
    assert widget.evaluate("asked") == [{"size": 1.5, "which": "b", "seed": 1}]   # one question, not two
    assert widget.locator("input[name=size]").input_value() == "1.5"
    widget.evaluate("ui.set({ which: 'a', seed: 2 })")                         # what is said expressly counts
    assert widget.evaluate("asked[1]") == {"size": 0, "which": "a", "seed": 2}
    widget.evaluate("ui.control('size').hidden = true")
    assert not widget.locator("input[name=size]").is_visible()


def test_signs_of_a_legend_differ_by_shape_in_a_browser(tab):
    names = "(shape) => [...swatch({ shape }).children].map(({ localName }) => localName).join()"
    drawn = {shape: tab.evaluate(names, shape) for shape in (None, "circle", "square", "triangle", "ring", "bar")}
    assert drawn == {None: "path", "circle": "circle", "square": "rect", "triangle": "path", "ring": "circle",
                     "bar": "rect"}
    assert tab.evaluate("swatch({ shape: 'ring' }).firstChild.getAttribute('fill')") == "none"
    assert tab.evaluate("swatch({ shape: 'square', both: true }).children.length") == 2
