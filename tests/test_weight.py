"""What a page weighs, and what it shows without JavaScript: formulas, drawings and icons made by the build."""

import io
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from bs4 import BeautifulSoup
from dlbook import mathematics, serve, weight, written
from fontTools.ttLib import TTFont

from dlcourse import plotting
from tests.built import HTML, soup
from tests.test_chapters import CHAPTERS

LARGEST_PAGE = 600_000          # bytes over the network, all files, text compressed as static hosts do
CHAPTER_PAGES = [f"chapters/{path.stem}.html" for path in CHAPTERS]
PAGES = [*CHAPTER_PAGES, "chapters/index.html", "chapters/reference/notation.html", "chapters/reference/glossary.html",
         "chapters/reference/claims.html", "chapters/reference/api/optim.html"]
MACROS = {"macros": {"top": r"{\mathsf{T}}"}}

every_page = pytest.mark.parametrize("page", PAGES)
every_chapter = pytest.mark.parametrize("page", CHAPTER_PAGES)


# --- Formulas -------------------------------------------------------------------------------------


@every_page
def test_formulas_are_set_and_hold_mathml(page):
    formulas = soup(page).select("span.math, div.math")
    assert formulas
    for formula in formulas:
        assert formula.select_one("mjx-container > mjx-math[aria-hidden=true]"), f"{page}: {formula}"
        assert formula.select_one("mjx-assistive-mml math"), f"{page}: {formula}"
        assert not re.search(r"\\[([a-zA-Z]", formula.get_text()), f"{page}: {formula.get_text()}"
        assert not formula.select_one("mjx-merror, mjx-utext"), f"{page}: {formula.get_text()}"


@every_page
def test_every_glyph_of_a_formula_has_a_rule(page):
    css = (HTML / "_static" / "formulas.css").read_text(encoding="utf-8")
    for glyph in soup(page).select("mjx-c[class]"):
        selector = "mjx-c." + ".".join(glyph["class"])
        assert f"{selector}::before" in css, f"{page}: {selector}"


def test_fonts_of_formulas_hold_exactly_what_the_style_sheet_names():
    css = (HTML / "_static" / "formulas.css").read_text(encoding="utf-8")
    named = set(re.findall(r'url\("([^"?]*)\?v=\w{8}"\)', css))
    there = {path.relative_to(HTML / "_static").as_posix() for path in (HTML / "_static" / "mathjax").rglob("*.*")}
    assert named == there
    assert "mathjax/fonts/MathJax_Math-Italic.woff" in there
    characters = TTFont(HTML / "_static" / "mathjax" / "fonts" / "MathJax_Math-Italic.woff").getBestCmap()
    assert ord("x") in characters


def test_formula_that_cannot_be_set_is_reported(tmp_path):
    formulas = [(r"\frac{a}{b", True), (r"\undefined", False), (r"x^\top", False)]
    (broken, unknown, fine), css = mathematics.set_formulas(formulas, MACROS, tmp_path / "formulas")
    assert broken == {"error": "Missing close brace"}
    assert unknown == {"error": r"Undefined control sequence \undefined"}
    assert "<msup>" in fine["html"]
    assert 0.5 < fine["width"] < 2
    assert 'content: "x"' in css


def test_a_formula_keeps_its_comma(tmp_path):
    """No line is broken between a formula and what follows it at once; a wide one may scroll instead."""
    formulas = [("x", False), ("+".join(["abc"] * 20), False)]
    answers, _ = mathematics.set_formulas(formulas, MACROS, tmp_path / "formulas")
    span = '<span class="math notranslate nohighlight">\\({}\\)</span>'
    page = f"<p>({span.format('x')}), {span.format('x')} and {span.format(formulas[1][0])}, end"
    filled = mathematics.fill(page, dict(zip(formulas, answers, strict=True)), "page")
    together = BeautifulSoup(filled, "html.parser").select(".dl-together")
    assert len(together) == 1
    assert (together[0].contents[0], together[0].contents[-1]) == ("(", "),")


def test_formulas_are_set_once(tmp_path, monkeypatch):
    folder = tmp_path / "formulas"
    first = mathematics.set_formulas([("x", False)], MACROS, folder)
    monkeypatch.setattr(mathematics.subprocess, "run", None)     # a second process would fail
    assert mathematics.set_formulas([("x", False)], MACROS, folder) == first


def test_warning_names_page_and_formula(monkeypatch):
    told = []

    def warning(text, *values, **options):
        told.append((text % values, options))

    monkeypatch.setattr(mathematics.logger, "warning", warning)
    page = r'<span class="math notranslate nohighlight">\(a &lt; \b\)</span>'
    assert mathematics.fill(page, {(r"a < \b", False): {"error": "no such command"}}, "one") == page
    assert told == [(r"formula: no such command: a < \b", {"location": "one", "type": "dlbook", "subtype": "formula"})]


def test_characters_of_fonts_are_read_from_the_style_sheet():
    css = (
        'mjx-c.mjx-c1D465.TEX-I::before {\n  padding: 0;\n  content: "x";\n}\n'
        'mjx-c.mjx-c2264::before {\n  content: "\\2264";\n}\n'
        'mjx-stretchy-v.mjx-c7B mjx-beg mjx-c::before {\n  content: "\\23A7";\n}\n'
    )
    brace = {"\u23a7"}
    assert mathematics.characters(css) == {
        "TEX-I": {"x"}, "TEX": {"\u2264"} | brace, "TEX-S1": brace, "TEX-S4": brace, "TEX-A": brace
    }


# --- Drawings and icons ---------------------------------------------------------------------------


@pytest.mark.parametrize("long, short", [
    ("M 0 388.80 \nL 432 388.80 \nL 0.50 -0.25 \nz\n", "M0 388.8 432 388.8 .5-.25z"),
    ("M 1 2 \nM 3 4 \nQ 1 2 3 4 \nQ 5 6 7 8 \nL 100 -0.00", "M1 2M3 4Q1 2 3 4 5 6 7 8L100 0"),
    ("M 1e-05 2 \nC 1 2 3 4 5 6 \n", "M1e-05 2C1 2 3 4 5 6"),
])
def test_path_is_shortened_and_stays_the_same(long, short):
    assert weight.short_path(long) == short


def test_groups_without_attributes_are_removed():
    assert weight.unwrap_groups('<g><g id="a"><g><use/></g></g></g><g/>') == '<g id="a"><use/></g>'


def test_two_drawings_share_their_glyphs():
    sprite, drawings = weight.Sprite(), []
    for prefix in ("fig-a", "fig-b"):
        with plt.rc_context({"svg.fonttype": "path", "svg.hashsalt": "test"}):
            figure, ax = plt.subplots()
            ax.plot([0, 1], [0, 1], marker="o")
            ax.set_title("one")
            full = plotting.svg(figure, prefix)
        full = full.replace("<svg ", '<svg role="img" aria-label="A line." ', 1)
        plt.close(figure)
        drawings.append(weight.lighten_drawing(full, sprite))
        assert len(drawings[-1]) < len(full) / 2
    first, second = drawings
    assert first.replace("fig-a", "") == second.replace("fig-b", "")      # clip paths keep their own ids
    page = BeautifulSoup(sprite.svg() + first + second, "html.parser")
    ids = [element["id"] for element in page.select("[id]")]
    assert len(ids) == len(set(ids))
    assert {use["href"][1:] for use in page.select("use")} <= set(ids)
    assert set(re.findall(r"url\(#([^)]*)\)", first + second)) <= set(ids)
    assert 'aria-label="A line."' in first


@every_page
def test_shapes_are_there_once(page):
    sprites = soup(page).select("svg.dl-sprite[aria-hidden=true]")
    assert len(sprites) == 1
    shapes = [path["id"] for path in sprites[0].select("path")]
    assert len(shapes) == len(set(shapes))
    assert {use["href"][1:] for use in soup(page).select("use")} == set(shapes)
    drawn = [str(path).replace(path["id"], "") for path in sprites[0].select("path")]
    assert len(drawn) == len(set(drawn))
    ids = [element["id"] for element in soup(page).select("[id]")]
    assert [name for name, count in Counter(ids).items() if count > 1] == []


@every_page
def test_icons_are_drawn_by_the_page(page):
    assert not soup(page).select('i[class*="fa-"], span[class*="fa-"]')
    for name in ("fa-sun", "fa-moon", "fa-circle-half-stroke", "fa-bars", "fa-expand", "fa-magnifying-glass"):
        assert soup(page).select_one(f"svg.dl-icon.{name} > use"), name


def test_icon_fonts_hold_what_style_sheets_name():
    css = (HTML / "_static" / weight.THEME_CSS).read_text(encoding="utf-8")
    bell = weight.icon_codes()["fa-bell"]                                 # of an admonition's title
    font = HTML / "_static" / weight.WEBFONTS / "fa-solid-900.woff"
    assert chr(bell) in css
    assert bell in TTFont(font).getBestCmap()
    assert font.stat().st_size < 10_000
    assert "woff2" not in css


@every_page
def test_no_script_without_use_is_loaded(page):
    loaded = " ".join(script["src"] for script in soup(page).select("script[src]"))
    for name in ("fontawesome", "mathjax", "searchindex", "searchtools"):
        assert name not in loaded.lower()


def test_search_page_keeps_the_index():
    assert "searchindex.js" in " ".join(script["src"] for script in soup("search.html").select("script[src]"))


def test_unused_assets_are_dropped_and_used_ones_stay():
    head = '<link href="_static/copybutton.css?v=1" rel="stylesheet"/>\n<script src="_static/copybutton.js"></script>\n'
    assert weight.drop_unused(head) == ""
    assert weight.drop_unused(head + '<div class="highlight">') == head + '<div class="highlight">'


# --- All changes of the written pages -------------------------------------------------------------


@pytest.fixture
def written_book(tmp_path, monkeypatch):
    """An application that has written two pages, one of which accessibility.mend changes."""
    monkeypatch.setattr(written.live, "build_files", lambda outdir: None)
    monkeypatch.setattr(written.weight, "lighten_theme", lambda static: None)
    theme = tmp_path / "_static" / weight.THEME_CSS
    theme.parent.mkdir(parents=True)
    theme.write_text("")
    (tmp_path / "mended.html").write_text('<summary aria-label="Toggle hidden content">')
    (tmp_path / "plain.html").write_text("<p>Text.")
    return SimpleNamespace(outdir=str(tmp_path), builder=SimpleNamespace(format="html"),
                           config=SimpleNamespace(mathjax3_config=None))


def test_a_page_is_written_once_and_only_if_it_changed(written_book, monkeypatch):
    touched = Counter()

    def count(name, method):
        return lambda path, *values, **options: touched.update([(name, path.name)]) or method(path, *values, **options)

    for name in ("read_text", "write_text"):
        monkeypatch.setattr(Path, name, count(name, getattr(Path, name)))
    written.finish(written_book, None)
    pages = {key: number for key, number in touched.items() if key[1].endswith(".html")}
    assert pages == {("read_text", "mended.html"): 1, ("read_text", "plain.html"): 1, ("write_text", "mended.html"): 1}
    assert (Path(written_book.outdir) / "mended.html").read_text() == "<summary>"


def test_only_a_book_in_html_that_was_built_is_changed(written_book):
    written.finish(written_book, RuntimeError("the build failed"))
    written_book.builder.format = "latex"
    written.finish(written_book, None)
    assert "aria-label" in (Path(written_book.outdir) / "mended.html").read_text()


# --- In a browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compressing_site():
    """Serve the book as a static host does: text is compressed."""
    return serve.Server(compress=True).address


@every_chapter
def test_chapter_weighs_little(browser, compressing_site, page):
    """Everything that an untouched page transfers, read to its end."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    protocol = context.new_cdp_session(tab)
    protocol.send("Network.enable")
    address, size = {}, Counter()
    protocol.on("Network.requestWillBeSent",
                lambda event: address.update({event["requestId"]: event["request"]["url"]}))
    protocol.on("Network.loadingFinished",
                lambda event: size.update({address[event["requestId"]]: event["encodedDataLength"]}))
    tab.goto(f"{compressing_site}/{page}", wait_until="networkidle")
    steps = tab.evaluate("Math.ceil(document.documentElement.scrollHeight / innerHeight)")
    for step in range(steps + 1):
        tab.evaluate(f"scrollTo(0, {step} * innerHeight)")
        tab.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    tab.wait_for_load_state("networkidle")
    context.close()
    total = sum(size.values())
    largest = ", ".join(f"{url.rpartition('/')[2]}: {count}" for url, count in size.most_common(5))
    assert 100_000 < total <= LARGEST_PAGE, f"{page}: {total} bytes; {largest}"


@pytest.mark.parametrize("width", [390, 1280])
@every_page
def test_formulas_are_seen_without_javascript(browser, site, page, width):
    """Each formula has a box, and one that is wider than its place scrolls there and takes the focus."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 800})
    tab = context.new_page()
    tab.goto(f"{site}/{page}", wait_until="load")
    boxes = tab.evaluate(
        """() => [...document.querySelectorAll("article mjx-container")].map((formula) => {
          const math = formula.querySelector("mjx-math").getBoundingClientRect();
          const place = formula.getBoundingClientRect();
          return {
            text: formula.textContent,
            box: [math.width, math.height],
            fits: math.width <= place.width + 1,
            focusable: formula.tabIndex === 0,
          };
        })"""
    )
    context.close()
    assert boxes
    for formula in boxes:
        assert min(formula["box"]) > 1, formula
        assert formula["fits"] or formula["focusable"], formula


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_icons_and_drawings_have_ink(browser, site, theme):
    """Icons that are to be seen, and drawings, are not blank."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)
    context.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
    tab = context.new_page()
    tab.goto(f"{site}/{CHAPTER_PAGES[1]}", wait_until="load")
    seen = [icon for icon in tab.locator("svg.dl-icon").all() if icon.is_visible()]
    assert len(seen) >= 5
    for element in [*seen[:8], *tab.locator(".dl-drawing > svg").all()[:3]]:
        picture = plt.imread(io.BytesIO(element.screenshot()))[..., :3]
        assert np.ptp(picture, axis=(0, 1)).max() > 0.3, element.get_attribute("class")
    context.close()
