"""What can be said of the chapters' notebooks without running them."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))

# Lines of code that a reader sees at once. Cells that only draw are folded away, and may be longer.
LONGEST_CELL = 20
LONGEST_FOLDED_CELL = 25


def cells_of(path):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def code_cells(path):
    return ["".join(cell["source"]) for cell in cells_of(path)]


def calls(source, function):
    """List the calls of a function by its bare name, as syntax trees."""
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function
    ]


def keyword(call, name):
    return next((k.value for k in call.keywords if k.arg == name), None)


each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def test_there_are_chapters():
    assert len(CHAPTERS) >= 6


@each_chapter
def test_outputs_are_stripped(path):
    for cell in json.loads(path.read_text())["cells"]:
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell["id"])
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


@each_chapter
def test_cells_are_short(path):
    lengths = {"visible": [], "folded": []}
    for cell in cells_of(path):
        folded = "hide-input" in cell["metadata"].get("tags", [])
        lengths["folded" if folded else "visible"].append(len("".join(cell["source"]).splitlines()))
    assert max(lengths["visible"]) <= LONGEST_CELL
    assert max(lengths["folded"]) <= LONGEST_FOLDED_CELL


@each_chapter
def test_cells_assert_what_the_text_claims(path):
    assertions = sum(
        isinstance(node, ast.Assert) for source in code_cells(path) for node in ast.walk(ast.parse(source))
    )
    assert assertions >= 10


@each_chapter
def test_every_figure_goes_through_show(path):
    for source in code_cells(path):
        assert not re.search(r"\bplt\.show\(", source)
        drawn = len(re.findall(r"plt\.(?:subplots|figure|subplot_mosaic)\(", source))
        if drawn:
            assert calls(source, "show"), f"a figure that is not shown with its text alternative:\n{source}"


@each_chapter
def test_every_figure_has_a_text_alternative_and_a_caption(path):
    for source in code_cells(path):
        for call in calls(source, "show"):
            for name in ("alt", "caption", "name"):
                assert keyword(call, name) is not None, f"show() without {name}:\n{source}"


def labels_of(function):
    found = []
    for path in CHAPTERS:
        for source in code_cells(path):
            for call in calls(source, function):
                value = call.args[0] if function == "claim" else keyword(call, "name")
                assert isinstance(value, ast.Constant), f"{path.stem}: the label of {function}() must be a literal"
                found.append(value.value)
    return found


@pytest.mark.parametrize("function", ["show", "show_table", "claim"])
def test_labels_are_unique_in_the_book(function):
    found = labels_of(function)
    assert found
    assert len(found) == len(set(found))


def test_a_verdict_is_never_a_literal():
    """A claim's check must be computed, or the ledger could say anything."""
    for path in CHAPTERS:
        for source in code_cells(path):
            for call in calls(source, "claim"):
                assert not isinstance(keyword(call, "check"), ast.Constant), source


@each_chapter
def test_nothing_is_fetched(path):
    for source in code_cells(path):
        assert not re.search(r"https?://|\burllib\b|\brequests\b|!\s*(?:pip|wget|curl)", source)
