"""A small book, built with and without the JavaScript packages."""

import io
import json
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup
from dlbook import node
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from dlcourse.widgets import show_widget


def bundle(shown):
    """Give what Jupyter stores for a widget when the book's chapters are executed."""
    data = shown._repr_mimebundle_()
    data.pop("application/vnd.jupyter.widget-view+json")
    return data


@pytest.fixture(scope="module")
def notebook():
    """One page with a set-up cell, a live cell, a formula and a widget, as it comes out of the execution."""
    shown = show_widget("activation_explorer", z=2)
    cells = [
        nbformat.v4.new_markdown_cell("# A page\n\nA formula: $x^2 + y^2$."),
        nbformat.v4.new_code_cell("import numpy as np", metadata={"tags": ["live-setup"]}),
        nbformat.v4.new_code_cell("np.arange(3) < 2", metadata={"tags": ["live"]}),
        nbformat.v4.new_code_cell("show_widget('activation_explorer', z=2)", metadata={"tags": ["remove-input"]}),
    ]
    cells[2]["outputs"] = [nbformat.v4.new_output("execute_result", {"text/plain": "array([ True,  True, False])"})]
    cells[3]["outputs"] = [nbformat.v4.new_output("execute_result", bundle(shown))]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def build(notebook, folder):
    """Build a book of that one page; returns its HTML, its files and the warnings."""
    source = folder / "source"
    source.mkdir()
    nbformat.write(notebook, source / "index.ipynb")
    settings = {"extensions": ["sphinx.ext.autodoc", "sphinx.ext.mathjax", "myst_nb", "dlbook"],
                "nb_execution_mode": "off", "myst_enable_extensions": ["dollarmath"],
                "html_theme": "sphinx_book_theme", "language": "en"}
    warnings = io.StringIO()
    with patch_docutils(), docutils_namespace():
        app = Sphinx(str(source), None, str(folder / "html"), str(folder / "doctrees"), "html",
                     confoverrides=settings, status=io.StringIO(), warning=warnings)
        app.build()
    page = BeautifulSoup((folder / "html" / "index.html").read_text(), "html.parser")
    return SimpleNamespace(page=page, static=folder / "html" / "_static", warnings=warnings.getvalue())


@pytest.fixture(scope="module")
def whole(notebook, tmp_path_factory):
    if node.missing():
        pytest.fail(f"the live part cannot be built: {node.missing()}")
    return build(notebook, tmp_path_factory.mktemp("whole"))


def test_the_live_part_is_there(whole):
    assert whole.warnings == ""
    assert json.loads(whole.page.select_one("script.dl-live-setup").string) == "import numpy as np"
    assert "import numpy as np" in whole.page.select_one("div.cell.tag_live-setup .cell_input pre").get_text()
    assert whole.page.select_one("script[src*='live/live.js']")
    assert "np.arange(3) < 2" in whole.page.select_one("div.cell.tag_live .cell_input pre").get_text()
    data = json.loads(whole.page.select_one(".dl-widget-place script.dl-widget-data").string)
    assert data["inputs"]["z"] == 2
    assert whole.page.select_one("mjx-container")
    for name in ("live.js", "editor.js", "widgets/activation_explorer.js", "runtime/library.packed",
                 "runtime/library.packed.js"):
        assert (whole.static / "live" / name).stat().st_size > 1000, name


def test_the_small_script_stays_small(whole):
    """Every page with a live cell loads it, also for a reader who runs nothing."""
    assert (whole.static / "live" / "live.js").stat().st_size < 30_000


def test_without_the_packages_the_book_is_whole_and_says_what_is_missing(notebook, tmp_path, monkeypatch):
    monkeypatch.setattr(node, "MODULES", tmp_path / "nowhere")
    assert "not installed" in node.missing()
    book = build(notebook, tmp_path)
    assert book.warnings == ""
    assert "np.arange(3) < 2" in book.page.select_one("div.cell.tag_live .cell_input pre").get_text()
    assert "True, False" in book.page.select_one("div.cell.tag_live .cell_output").get_text()
    assert "x^2 + y^2" in book.page.select_one(".math").get_text()
    place = book.page.select_one(".dl-widget-place").get_text()
    assert "Activation explorer." in place
    assert "leaves out live cells and widgets: their JavaScript could not be installed" in place
    assert not book.page.select("script[src*='live']")
    assert not (book.static / "live").exists()
