"""Live pages in a real browser: cells run, errors are shown, Stop stops, widgets compute what Python computes."""

import base64
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from dlcourse.widgets import NAMES, codec, defaults, host
from tests.built import HTML, ROOT, soup
from tests.widgets.numbers import named


def pages_with(selector):
    pages = sorted(path.relative_to(HTML).as_posix() for path in HTML.glob("chapters/**/*.html"))
    return [page for page in pages if soup(page).select_one(selector)]


LIVE = pages_with("div.cell.tag_live")
WIDGETS = [(page, index, json.loads(place.string)["about"]["name"]) for page in pages_with(".dl-widget-place")
           for index, place in enumerate(soup(page).select("script.dl-widget-data"))]


def visit(tab, site, page):
    tab.goto(f"{site}/{page}")
    tab.wait_for_selector("html[data-dl-live]", state="attached")
    return tab.locator("div.cell.tag_live")


def press(cell, name):
    cell.get_by_role("button", name=f"{name}, live cell").click()


def write(tab, cell, code):
    """Replace the code of a cell as a reader does: open the editor, select all, type."""
    if cell.locator(".cm-content").count() == 0:
        press(cell, "Edit")
    cell.locator(".cm-content").press("Control+A")
    tab.keyboard.insert_text(code)


def wait_for(cell, *states):
    page = cell.page
    handle = cell.element_handle()
    page.wait_for_function("([cell, states]) => states.includes(cell.dataset.live)", arg=[handle, list(states)])
    return cell.locator(".dl-live-output").inner_text()


def test_every_chapter_is_live():
    chapters = {path.stem for path in (ROOT / "chapters").glob("*.ipynb")}
    assert {Path(page).stem for page in LIVE} >= chapters
    for page in LIVE:
        assert soup(page).select_one("script.dl-live-setup"), f"{page} has no set-up cell"
        assert len(soup(page).select("div.cell.tag_live")) >= (8 if Path(page).stem in chapters else 2)
    assert {name for _, _, name in WIDGETS} == set(NAMES), "a widget that no page shows"


@pytest.mark.parametrize("page", LIVE)
def test_all_live_cells_run(tab, site, page):
    cells = visit(tab, site, page)
    assert tab.locator("html").get_attribute("data-dl-python") is None      # nothing loads before it is asked for
    results = tab.evaluate("() => dlbook.runAll()")
    assert len(results) == cells.count()
    failed = {index + 1: result["output"] for index, result in enumerate(results) if result["state"] != "done"}
    assert failed == {}


@pytest.mark.parametrize("page", LIVE)
def test_each_live_cell_runs_on_its_own(tab, site, page):
    """A reader may begin anywhere: what a cell needs runs first, in an otherwise empty Python."""
    cells = visit(tab, site, page)
    last = cells.nth(cells.count() - 1)
    press(last, "Run")
    assert "Error" not in wait_for(last, "done", "error")
    assert last.get_attribute("data-live") == "done"


def test_edit_run_and_reset(tab, site):
    cell = visit(tab, site, LIVE[0]).first
    write(tab, cell, "print('six', 6)\n6 * 7")
    tab.keyboard.press("Control+Enter")
    assert wait_for(cell, "done").split() == ["six", "6", "42"]
    assert cell.locator(".dl-live-note").inner_text() == "edited"
    tab.reload()                                                            # edits are kept
    cell = visit(tab, site, LIVE[0]).first
    assert "6 * 7" in cell.locator(".cm-content").inner_text()
    press(cell, "Reset")
    assert "6 * 7" not in cell.locator(".cm-content").inner_text()
    assert cell.locator(".dl-live-output").inner_text() == ""


def test_large_temporary_arrays(tab, site):
    """From 256 KiB on NumPy calls a function that WebAssembly has not; the worker stands in for it."""
    cell = visit(tab, site, LIVE[0]).first
    write(tab, cell, "import numpy as np\na = np.ones(100_000)\nfloat(((a + 1) * 2 - 1).sum())")
    tab.keyboard.press("Control+Enter")
    assert wait_for(cell, "done", "error").strip() == "300000.0"


def test_an_error_shows_the_readers_part_of_the_traceback(tab, site):
    cell = visit(tab, site, LIVE[0]).first
    write(tab, cell, "import numpy as np\nnp.stack([])")
    tab.keyboard.press("Shift+Enter")
    text = wait_for(cell, "error")
    assert 'File "<cell 1>", line 2' in text
    assert "numpy/" not in text
    assert "need at least one array to stack" in text


def test_printing_is_shown_while_the_cell_runs_and_stop_ends_it(tab, site):
    cells = visit(tab, site, LIVE[0])
    cell = cells.first
    write(tab, cell, "kept = 1\nprint('begun')\nwhile True:\n    pass")
    tab.keyboard.press("Control+Enter")
    cell.locator(".dl-live-output").get_by_text("begun").wait_for()         # streamed: the cell has not ended
    assert cell.get_attribute("data-live") == "running"
    (worker,) = tab.workers
    # The page is free at once; the browser itself ends a busy worker up to two seconds later.
    with worker.expect_event("close"):
        milliseconds = tab.evaluate("""async () => {
            const cell = document.querySelector("div.cell.tag_live");
            const stopped = new Promise((resolve) => new MutationObserver(
                () => cell.dataset.live === "stopped" && resolve()).observe(cell, { attributes: true }));
            const start = performance.now();
            [...cell.querySelectorAll("button")].find((button) => button.textContent === "Stop").click();
            await stopped;
            return performance.now() - start;
        }""")
    assert milliseconds < 1000
    assert "what the cells had defined is gone" in cell.locator(".dl-live-output").inner_text()
    write(tab, cell, "'kept' in globals(), 2 + 2")
    tab.keyboard.press("Control+Enter")
    assert wait_for(cell, "done").strip() == "(False, 4)"


def test_stop_also_ends_what_waits_and_what_loads(tab, site):
    cells = visit(tab, site, LIVE[0])
    press(cells.nth(0), "Run")
    press(cells.nth(1), "Run")
    press(cells.nth(0), "Stop")                                             # while Python is still being loaded
    assert "Stopped" in wait_for(cells.nth(0), "stopped")
    press(cells.nth(1), "Run")
    wait_for(cells.nth(1), "done")


def test_a_cell_cannot_ask_for_input(tab, site):
    cell = visit(tab, site, LIVE[0]).first
    write(tab, cell, "input('How many?')")
    tab.keyboard.press("Control+Enter")
    assert "A cell of a page cannot ask for input" in wait_for(cell, "error")


def test_what_is_needed_and_fails_or_is_stopped_ends_the_cell_too(tab, site):
    cells = visit(tab, site, LIVE[0])
    first, second = cells.nth(0), cells.nth(1)
    write(tab, first, "needed = 1 / 0")
    write(tab, second, "needed + 1")
    press(second, "Run")
    assert "Not run: it needs what live cell 1 above defines" in wait_for(second, "error")
    write(tab, first, "while True: needed = 1")
    press(second, "Run")
    tab.wait_for_function("(cell) => cell.dataset.live === 'running'", arg=first.element_handle())
    press(first, "Stop")
    assert "Stopped" in wait_for(first, "stopped")
    assert "Stopped before it ran" in wait_for(second, "stopped")


def test_run_all_above_runs_the_cells_above_and_says_so(tab, site):
    cells = visit(tab, site, LIVE[0])
    press(cells.nth(2), "Run all above")
    cells.nth(2).locator(".dl-live-report").get_by_text("all above ran in").wait_for()
    assert [cells.nth(i).get_attribute("data-live") for i in range(3)] == ["done", "done", None]


def test_a_flood_of_output_is_cut(tab, site):
    cell = visit(tab, site, LIVE[0]).first
    write(tab, cell, "for i in range(200_000):\n    print(i)")
    tab.keyboard.press("Control+Enter")
    text = wait_for(cell, "done")
    assert len(text) < 110_000
    assert "the rest is left out" in text


def test_a_failed_download_says_so_and_can_be_tried_again(browser, site):
    context = browser.new_context()                     # not the quiet tab: a 404 is logged as an error
    tab = context.new_page()
    cell = visit(tab, site, LIVE[0]).first
    tab.route("**/runtime/library.packed", lambda route: route.fulfill(status=404))
    press(cell, "Run")
    assert "library could not be loaded (404)" in wait_for(cell, "error")
    assert "Run a cell to try again" in tab.locator(".dl-live-progress").inner_text()
    tab.unroute("**/runtime/library.packed")
    press(cell, "Run")
    wait_for(cell, "done")
    context.close()


def test_progress_is_shown_while_python_loads(tab, site):
    cell = visit(tab, site, LIVE[0]).first
    tab.evaluate("""() => { window.seen = new Set(); new MutationObserver(() => {
        const box = document.querySelector(".dl-live-progress");
        if (box) window.seen.add(box.textContent);
    }).observe(document.body, { childList: true, subtree: true, characterData: true }); }""")
    press(cell, "Run")
    wait_for(cell, "done")
    seen = tab.evaluate("[...window.seen]")
    assert any(re.search(r"Loading Python and NumPy: \d+\.\d of 9\.\d MB", text) for text in seen), seen
    assert tab.locator(".dl-live-progress").count() == 0


def test_a_page_from_a_folder_runs_too(browser):
    """Opened by a double click, without any server."""
    context = browser.new_context()
    tab = context.new_page()
    asked = []
    tab.on("request", lambda request: request.url.startswith(("file:", "data:", "blob:")) or asked.append(request.url))
    tab.goto((HTML / LIVE[0]).as_uri())
    tab.wait_for_selector("html[data-dl-live]", state="attached")
    results = tab.evaluate("() => dlbook.runAll()")
    context.close()
    assert {result["state"] for result in results} == {"done"}
    assert asked == []


def test_every_live_control_is_reached_by_tab(tab, site):
    page, index, _ = WIDGETS[0]
    visit(tab, site, page)
    place = tab.locator(".dl-widget-place").nth(index)
    place.scroll_into_view_if_needed()
    place.locator(".dl-widget").wait_for()
    wanted = tab.evaluate("""() => {
        const live = [...document.querySelectorAll(".dl-live-bar button, .dl-widget :is(input, select, button)")]
            .filter((control) => !control.disabled && control.checkVisibility())
            // Of a group that arrow keys walk through, one member at a time can be reached by Tab.
            .filter((control) => control.tabIndex >= 0)
            .filter(({ type, name }, i, all) => type !== "radio" || all.findIndex((one) => one.name === name) === i);
        live.forEach((control, i) => { control.dataset.number = i; });
        document.body.focus();
        return live.length;
    }""")
    reached = set()
    for _ in range(1500):
        tab.keyboard.press("Tab")
        number = tab.evaluate("document.activeElement?.dataset?.number")
        if number is not None:
            reached.add(int(number))
        if len(reached) == wanted:
            break
    assert reached == set(range(wanted))


def test_the_keyboard_leaves_the_editor(tab, site):
    cell = visit(tab, site, LIVE[0]).first
    press(cell, "Edit")
    cell.locator(".cm-content").wait_for()
    tab.wait_for_function("document.activeElement.classList.contains('cm-content')")
    tab.keyboard.press("Escape")
    tab.keyboard.press("Tab")
    assert not tab.evaluate("document.activeElement.classList.contains('cm-content')")


def unpack(value):
    """Decode what the worker sent (JSON with base64) to numbers and arrays."""
    if isinstance(value, dict) and "dtype" in value:
        return np.frombuffer(base64.b64decode(value["data"]), value["dtype"]).reshape(value["shape"])
    if isinstance(value, dict):
        return {key: unpack(entry) for key, entry in value.items()}
    return [unpack(entry) for entry in value] if isinstance(value, list) else value


def assert_close(actual, expected, where):
    """Compare to 1e-6 of each array's own size: the browser's exp and log differ in the last bit.

    Below 1e-12 there is only rounding: the error of a curve through all its points is 7e-22 or 1e-21.
    """
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys(), where
        for key in expected:
            assert_close(actual[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(actual) == len(expected), where
        for i, pair in enumerate(zip(actual, expected, strict=True)):
            assert_close(*pair, f"{where}[{i}]")
    elif isinstance(expected, str | bool) or expected is None:
        assert actual == expected, where
    else:
        finite = np.abs(np.asarray(expected, float))
        size = np.max(finite, initial=0, where=np.isfinite(finite))
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=max(1e-12, 1e-6 * size), err_msg=where)


def moves(name):
    """Inputs to try: the defaults, then every control moved by itself, to its ends or its other options."""
    inputs = defaults(name)
    yield inputs
    for control in host.load(name).CONTROLS:
        if control.kind == "slider":
            values = [control.low, control.high]
        elif control.kind == "choice":
            values = [option for option, _ in control.options]
        elif control.kind == "toggle":
            values = [not control.default]
        else:
            values = []
        for value in values:
            yield {**inputs, control.name: value}


# The bytes in a result cannot travel through the test's own connection, so the page turns them into base64.
CALL = """async ([name, inputs]) => {
    const { outputs, error } = await dlbook.call("widget", name, "test", inputs);
    if (error) return { error };
    const text = (value) => {
        if (ArrayBuffer.isView(value)) return btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join(""));
        if (Array.isArray(value)) return value.map(text);
        if (value === undefined) return "undefined";      // else it would arrive here as None, as null does
        if (value === null || typeof value !== "object") return value;
        return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, text(entry)]));
    };
    return text(outputs);
}"""


@pytest.mark.parametrize("name", NAMES)
def test_the_browser_computes_what_python_computes(tab, site, name):
    visit(tab, site, LIVE[0])
    state = None
    for inputs in moves(name):
        plain = json.loads(json.dumps(inputs, default=lambda value: value.tolist()))
        expected, state = host.evaluate(name, plain, state)
        actual = tab.evaluate(CALL, [name, plain])
        assert_close(unpack(actual), unpack(codec.to_json(expected)), f"{name} at {plain}")


@pytest.mark.parametrize(("page", "index", "name"), WIDGETS)
def test_moving_a_control_changes_the_picture_and_its_numbers(tab, site, page, index, name):
    visit(tab, site, page)
    place = tab.locator(".dl-widget-place").nth(index)
    place.scroll_into_view_if_needed()
    place.locator(".dl-widget").wait_for()
    assert tab.locator("html").get_attribute("data-dl-python") is None       # the first picture needs no Python
    handle = place.element_handle()
    before = place.locator(".dlw-stage").inner_html()
    sliders = place.locator(".dlw-controls input[type=range]:visible")
    if sliders.count():
        slider = sliders.first
        back = slider.input_value() == slider.get_attribute("max")
        for _ in range(2):
            slider.press("ArrowLeft" if back else "ArrowRight")
    else:                                                                    # as set by the chapter it has menus only
        menu = place.locator(".dlw-controls select:visible").first
        menu.select_option(index=1 - menu.evaluate("(menu) => Math.min(1, menu.selectedIndex)"))
    tab.wait_for_function(
        "(place) => document.documentElement.dataset.dlPython === 'ready' && !place.dlModel.busy", arg=handle)
    assert place.locator(".dlw-stage").inner_html() != before
    assert place.locator(".dlw-error").count() == 0
    if getattr(host.load(name), "STATEFUL", False):
        return        # its numbers depend on every step since the start: compared call by call in the test above
    inputs = json.loads(tab.evaluate("(place) => JSON.stringify(place.dlModel.get('inputs'))", handle))
    expected = named(name, inputs)
    shown = {element.get_attribute("data-name"): float(element.get_attribute("data-value"))
             for element in place.locator("[data-name][data-value]").element_handles()}
    compared = expected.keys() & shown.keys()
    assert compared, f"{name} shows no number under the name that Python gives it"
    for key in compared:
        assert math.isclose(shown[key], expected[key], rel_tol=1e-6, abs_tol=1e-12), key


def test_a_page_is_whole_without_javascript(tab_without_javascript, site):
    tab = tab_without_javascript
    for page in LIVE:
        tab.goto(f"{site}/{page}")
        cells = tab.locator("div.cell.tag_live")
        assert cells.count() == cells.locator(".cell_input pre").count()
        for place in tab.locator(".dl-widget-place").all():
            assert "This picture moves where JavaScript is on." in place.inner_text()
