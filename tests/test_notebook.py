"""What chapters show: `dlcourse.notebook` and `dlcourse.plotting`, and what the book makes of it."""

import html
import json
import logging
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("agg")

import matplotlib.pyplot as plt
from dlbook import accessibility, outputs, pages
from docutils import nodes
from docutils.utils import new_document

from dlcourse import notebook, plotting
from dlcourse.linear import Linear

ALT = "A straight line that rises from zero to two over the integers"


@pytest.fixture
def displayed(monkeypatch):
    """Collect what a function displays."""
    bundles = []
    monkeypatch.setattr(notebook, "display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def payload(bundle):
    match = outputs.MARKED.match(bundle["text/html"])
    return match["kind"], json.loads(html.unescape(match["data"]))


def line_figure():
    plotting.use_style()
    figure, ax = plt.subplots()
    ax.plot([0, 1, 2])
    return figure


def test_show_displays_drawing_caption_and_alternative(displayed):
    notebook.show(line_figure(), alt=ALT, caption="A line with $y = x$.", name="fig-line")
    kind, data = payload(displayed[0])
    assert (kind, data["name"], data["alt"]) == ("figure", "fig-line", ALT)
    assert f'aria-label="{ALT}"' in displayed[0]["text/html"]
    assert displayed[0]["text/plain"] == ALT
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alt": ""}, "alt: expected a text of at least 40"),
        ({"alt": "a picture"}, "alt: expected"),
        ({"caption": " "}, "caption: expected"),
        ({"name": "line"}, "name: expected 'fig-'"),
        ({"name": "fig-Line"}, "name: expected 'fig-'"),
    ],
)
def test_show_refuses_a_figure_that_says_nothing(displayed, arguments, message):
    good = {"alt": ALT, "caption": "A line that rises.", "name": "fig-line"}
    with pytest.raises(ValueError, match=message):
        notebook.show(line_figure(), **{**good, **arguments})
    assert displayed == []
    plt.close("all")


def test_drawing_follows_the_theme_and_keeps_its_ids_apart():
    drawing = plotting.svg(line_figure(), "fig-one")
    plt.close("all")
    assert "var(--dl-blue, #0067a6)" in drawing
    bare = re.sub(r"var\([^)]*\)", "", drawing)
    assert not any(color in bare for color in plotting.COLORS.values())
    assert set(re.findall(r'id="([^-"]+-[^-"]+)-', drawing)) == {"fig-one"}
    for reference in re.findall(r'(?:href="#|url\(#)([^")]+)', drawing):
        assert f'id="{reference}"' in drawing


def test_drawing_that_is_too_large_is_refused():
    figure, ax = plt.subplots()
    ax.scatter(*np.random.default_rng(0).normal(size=(2, 20_000)), c=np.arange(20_000))
    with pytest.raises(ValueError, match="figure: expected a drawing of at most 400 kB, got"):
        plotting.svg(figure, "fig-large")
    plt.close("all")


def relative_luminance(color):
    channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    """The contrast ratio of WCAG 2.1."""
    lighter, darker = sorted((relative_luminance(a), relative_luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def theme_colors(theme):
    sheet = (Path(__file__).parents[1] / "_ext/dlbook/static/dlbook.css").read_text()
    block = re.search(rf'html\[data-theme="{theme}"\] {{(.*?)}}', sheet, re.DOTALL)[1]
    return dict(re.findall(r"--dl-(\w+): (#[0-9a-f]{6})", block))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colors_stand_out_in_both_themes(theme):
    colors = theme_colors(theme)
    assert set(colors) == set(plotting.COLORS)
    if theme == "light":
        assert colors == plotting.COLORS
    for name in plotting.CYCLE:
        assert contrast(colors[name], colors["paper"]) >= 4.5, name   # also thin enough for text
    for name in ("ink", "muted"):
        assert contrast(colors[name], colors["paper"]) >= 4.5, name


def test_decision_boundary_colours_each_class(rng):
    _, ax = plt.subplots()
    x = rng.normal(size=(40, 2))
    y = (x[:, 0] > 0).astype(int)
    plotting.decision_boundary(ax, lambda grid: (grid[:, 0] > 0).astype(int), x, y, resolution=20)
    left, right = (image.get_array() for image in ax.images)
    assert not left.mask[:, :9].any()
    assert left.mask[:, 11:].all()
    assert right.mask[:, :9].all()
    assert [len(points.get_offsets()) for points in ax.collections] == [int((y == k).sum()) for k in (0, 1)]
    plt.close("all")


def test_show_source_shows_the_code_that_runs(displayed):
    notebook.show_source(Linear.forward, Linear.backward)
    kind, data = payload(displayed[1])
    assert kind == "source"
    assert data["code"].startswith("def backward(self, dy):\n    check_array(dy")
    assert '"""' not in data["code"]
    assert re.fullmatch(r"dlcourse/linear.py, lines \d+ to \d+", data["where"])
    assert data["object"] == "dlcourse.linear.Linear.backward"
    notebook.show_source(Linear, docstrings=True)
    assert "Affine map" in payload(displayed[2])[1]["code"]


def test_show_table_checks_its_rows(displayed):
    notebook.show_table(["a", "b"], [["1", "2"]], caption="Two numbers in a row.", name="tab-two")
    assert payload(displayed[0])[1]["rows"] == [["1", "2"]]
    with pytest.raises(ValueError, match=r"rows\[1\]: expected 2 cells as in the header, got 1"):
        notebook.show_table(["a", "b"], [["1", "2"], ["1"]], caption="Two numbers in a row.", name="tab-two")


CLAIM = {"deck": "L2", "says": "Water is wet everywhere", "measured": "5 of 5", "verdict": "holds"}


def test_claim_is_recorded_when_its_check_is_true(displayed):
    notebook.claim("claim-wet", check=True, **CLAIM)
    assert payload(displayed[0]) == ("claim", {"name": "claim-wet", **CLAIM})


def test_claim_fails_when_its_check_is_false(displayed):
    with pytest.raises(AssertionError, match="claim-wet: the measurement"):
        notebook.claim("claim-wet", check=False, **CLAIM)
    assert displayed == []


@pytest.mark.parametrize(
    ("change", "message"), [({"deck": "L9"}, "deck: expected"), ({"verdict": "maybe"}, "verdict: expected")]
)
def test_claim_checks_its_arguments(displayed, change, message):
    with pytest.raises(ValueError, match=message):
        notebook.claim("claim-wet", check=True, **{**CLAIM, **change})


def warnings_of(doctree, caplog):
    with caplog.at_level(logging.WARNING, logger="sphinx.dlbook.accessibility"):
        accessibility.check_pictures(None, doctree)
    return [record.getMessage() for record in caplog.records]


def test_a_picture_without_alternative_is_a_warning(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("sphinx"), "propagate", True)
    document = new_document("page")
    document += nodes.image(uri="a.png", alt="Something worth saying")
    assert warnings_of(document, caplog) == []
    document += nodes.image(uri="b.png")
    assert "picture without a text alternative" in warnings_of(document, caplog)[0]


def test_captions_hold_math_emphasis_and_code():
    kinds = [type(node).__name__ for node in outputs.inline("See $x^2$ and *this* in `code`.")]
    assert kinds == ["Text", "math", "Text", "emphasis", "Text", "literal", "Text"]


def test_numbers_stand_flush_right_in_tables():
    data = {"header": ["name", "error"], "rows": [["a", "1.5"], ["b", "2"]], "caption": "c"}
    [table], labelled = outputs.build_table(data, "")
    assert labelled is table
    flush = [entry["classes"] == ["dl-number"] for entry in table.findall(nodes.entry)]
    assert flush == [False, True] * 3


def test_errors_are_written_short():
    assert [pages.scientific(e) for e in (None, 0.0, 2.3e-16, 1e-5)] == ["–", "0", "2e-16", "1e-5"]
