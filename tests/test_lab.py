"""Every widget and a quiz in JupyterLab, against a real kernel."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import TimeoutError

from dlcourse.widgets import NAMES, host, quiz
from tests.widgets.numbers import named

# A cold JupyterLab on two busy cores takes 10 to 20 s to show a notebook.
PATIENCE = 60_000

QUIZ = Path(__file__).parents[1] / "chapters" / "quiz" / "02_perceptron.toml"
QUESTION = next(iter(quiz.load(QUIZ.stem, QUIZ.parent).values()))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab with one notebook that shows every widget; it ends with the test."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell("from dlcourse.widgets import show_widget")]
    cells += [nbformat.v4.new_code_cell(f"show_widget({name!r})") for name in NAMES]
    cells.append(nbformat.v4.new_code_cell("from dlcourse.widgets.quiz import show_quiz\n\n"
                                           f"show_quiz({QUIZ.stem!r}, {QUESTION.name!r})"))
    (folder / "quiz").mkdir()
    shutil.copy(QUIZ, folder / "quiz")
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {
        "name": "python3", "display_name": "Python 3", "language": "python"}})
    nbformat.write(notebook, folder / "widgets.ipynb")
    home = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR",
                                                  "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root",
               f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=test",
               "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                              env={**os.environ, **home})
    address = None
    for line in server.stderr:
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/lab", line):
            address = found[1]
            break
    assert address, "JupyterLab did not start"
    # Its later messages must be read, or it would wait for a reader.
    drain = threading.Thread(target=server.stderr.read, daemon=True)
    drain.start()
    yield address
    request = urllib.request.Request(f"{address}/api/shutdown?token=test", method="POST")
    urllib.request.urlopen(request, timeout=30)
    server.wait(timeout=60)
    drain.join()
    server.stderr.close()


@pytest.fixture(scope="module")
def notebook(browser, lab):
    """The notebook, open and executed."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(PATIENCE)
    tab = context.new_page()
    tab.errors = []
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.goto(f"{lab}/lab/tree/widgets.ipynb?token=test&reset")
    tab.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    tab.get_by_text("Python 3 (ipykernel) | Idle").wait_for()        # cells that are run earlier are forgotten
    tab.get_by_role("menuitem", name="Run", exact=True).click()
    tab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    yield tab
    context.close()


@pytest.mark.parametrize("name", NAMES)
def test_widget_in_jupyterlab(notebook, name):
    cell = notebook.locator(".jp-CodeCell").nth(1 + NAMES.index(name))
    cell.scroll_into_view_if_needed()
    widget = notebook.locator(f".dl-widget[data-widget={name}]")
    widget.scroll_into_view_if_needed()
    widget.wait_for()
    slider = widget.locator(".dlw-controls input[type=range]:visible").first
    handle = widget.element_handle()
    before = widget.locator(".dlw-stage").inner_html()
    slider.focus()
    slider.press("ArrowLeft" if slider.input_value() == slider.get_attribute("max") else "ArrowRight")
    notebook.wait_for_function(
        "([widget, before]) => widget.querySelector('.dlw-stage').innerHTML !== before", arg=[handle, before])
    assert widget.locator(".dlw-error").count() == 0
    assert notebook.errors == []
    if getattr(host.load(name), "STATEFUL", False):
        return
    inputs = json.loads(widget.evaluate("(widget) => JSON.stringify(widget.dlModel.get('inputs'))"))
    assert inputs != json.loads(json.dumps(host.defaults(name), default=lambda array: array.tolist()))
    expected = named(name, inputs)
    # The kernel may still be at the step before: wait for its number, and say which differ if it never comes.
    differing = """([widget, numbers]) => [...widget.querySelectorAll("[data-name][data-value]")]
        .map(({ dataset }) => [dataset.name, Number(dataset.value), numbers[dataset.name]])
        .filter(([name]) => name in numbers)
        .filter(([, shown, number]) => !(Math.abs(shown - number) <= 1e-6 * Math.abs(number) + 1e-12))"""
    try:
        notebook.wait_for_function(f"(given) => ({differing})(given).length === 0", arg=[handle, expected])
    except TimeoutError:
        assert notebook.evaluate(differing, [handle, expected]) == []


def test_quiz_in_jupyterlab(notebook):
    """By keyboard alone: JupyterLab has shortcuts of its own for all of these keys."""
    cells = notebook.locator(".jp-CodeCell").count()
    cell = notebook.locator(".jp-CodeCell").nth(1 + len(NAMES))
    cell.scroll_into_view_if_needed()
    question = notebook.locator(f".dl-quiz[data-quiz='{QUESTION.chapter}:{QUESTION.name}']")
    question.scroll_into_view_if_needed()
    status = question.get_by_role("status")
    question.locator("input").first.focus()
    notebook.keyboard.press("Space")
    notebook.keyboard.press("Enter")
    expected = "Right." if QUESTION.options[0].right else "Not right."
    assert status.inner_text().startswith(("✓ " if QUESTION.options[0].right else "✗ ") + expected)
    right = [option.right for option in QUESTION.options].index(True)
    for _ in range(right or len(QUESTION.options)):
        notebook.keyboard.press("ArrowDown")
    assert status.inner_text() == ""
    notebook.keyboard.press("Tab")
    notebook.keyboard.press("Enter")
    assert status.inner_text().startswith("✓ Right.")
    assert question.get_attribute("data-verdict") == "right"
    assert notebook.locator(".jp-CodeCell").count() == cells            # Enter has run or added nothing
    assert notebook.errors == []
