"""The built book, as a reader gets it: complete, local, and readable by everyone."""

import copy
import json
import re
from urllib.parse import unquote, urldefrag

import pytest

from dlcourse.parity import CASES
from tests.built import HTML, ROOT, quiet, serious_barriers, soup
from tests.test_chapters import CHAPTERS, calls, code_cells

MEASURED = ROOT / "_build" / "measured"

BACK = ["notation", "glossary", "claims", "parity", "times", "bibliography", "api/index"]
PLAY = sorted((ROOT / "chapters" / "play").glob("*.ipynb"))
PAGES = ["chapters/index.html", *(f"chapters/{path.stem}.html" for path in CHAPTERS),
         *(f"chapters/play/{path.stem}.html" for path in PLAY),
         *(f"chapters/reference/{name}.html" for name in BACK)]

every_page = pytest.mark.parametrize("page", PAGES)
every_chapter = pytest.mark.parametrize("stem", [path.stem for path in CHAPTERS])


def article(page):
    return soup(page).select_one("article.bd-article")


@every_page
def test_page_is_there(page):
    assert article(page) is not None, f"{page}: run `make book` first"
    assert article(page).h1


def test_front_page_leads_to_the_book():
    assert "chapters/index.html" in (HTML / "index.html").read_text()


@every_page
def test_every_picture_has_a_text_alternative(page):
    for image in article(page).select("img"):
        assert image.get("alt", "").strip(), f"{page}: {image}"
    for drawing in article(page).select("svg"):
        label = drawing.get("aria-label", "")
        assert drawing.get("aria-hidden") == "true" or len(label) >= 40, f"{page}: {drawing.attrs}"


# Markup that a slip (an unclosed fence, a missing dollar) leaves on the page as it was typed.
RAW = re.compile(
    r"\$\$|\\(?:frac|sum|mathbb|lVert|top|partial|begin)\b|\{(?:numref|ref|eq|term|cite|doc)(?::\w)?\}`|```"
)


@every_page
def test_no_markup_is_left_on_the_page(page):
    for block in copy.deepcopy(article(page)).select("p, li, td, dd, dt, figcaption, h1, h2, h3, pre"):
        if block.name == "pre" and block.find_parent(class_="cell_input"):
            continue                                      # a cell may write captions in TeX
        for part in block.select(".math, code, svg"):
            if block.name != "pre":
                part.extract()
        assert not RAW.search(block.get_text()), f"{page}: {block.get_text()[:200]}"


@every_page
def test_nothing_is_loaded_from_elsewhere(page):
    for tag, attribute in (("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src")):
        for element in soup(page).select(f"{tag}[{attribute}]"):
            if tag == "link" and "stylesheet" not in element.get("rel", []) and "preload" not in element.get("rel", []):
                continue
            assert not re.match(r"(?:https?:)?//", element[attribute]), f"{page}: {element}"


@every_page
def test_links_inside_the_book_lead_somewhere(page):
    for link in soup(page).select("a[href]"):
        target, fragment = urldefrag(link["href"])
        if re.match(r"[a-z]+:", target):
            continue
        file = (HTML / page).parent / unquote(target) if target else HTML / page
        file = file.resolve()
        if file.suffix not in (".html", ""):
            assert file.exists(), f"{page}: {link['href']}"
            continue
        assert file.exists(), f"{page}: {link['href']}"
        if fragment and file.suffix == ".html":
            found = soup(file.relative_to(HTML.resolve()).as_posix())
            assert found.find(id=unquote(fragment)) is not None, f"{page}: {link['href']}"


@every_chapter
def test_chapter_has_what_a_reader_needs(stem):
    page = article(f"chapters/{stem}.html")
    assert page.select("figure.dl-figure figcaption .caption-number")        # numbered figures
    assert page.select("a.reference.internal[href*='bibliography.html#']")  # citations
    assert page.select("a.sphinx-codeautolink-a")                           # names in code lead to the reference
    assert page.select("a.reference.internal[href*='glossary.html#term-']")  # terms lead to the glossary
    assert page.select(".dl-source-box")                                    # the package's own source
    assert page.select("div.highlight-python, div.highlight-ipython3")
    assert not page.select(".problematic, .system-message")


@every_chapter
def test_formulas_are_numbered_and_figures_match_the_notebook(stem):
    page = article(f"chapters/{stem}.html")
    path = ROOT / "chapters" / f"{stem}.ipynb"
    shown = [call for source in code_cells(path) for call in calls(source, "show")]
    assert len(page.select("figure.dl-figure")) == len(shown)
    assert page.select("div.math .eqno")


def test_ledger_lists_every_claim():
    cells = [source for path in CHAPTERS for source in code_cells(path)]
    claimed = {call.args[0].value for source in cells for call in calls(source, "claim")}
    rows = article("chapters/reference/claims.html").select("table tbody tr")
    linked = {urldefrag(row.select_one("a")["href"])[1] for row in rows}
    assert linked == claimed


def test_parity_table_lists_every_case():
    import tests.parity  # noqa: F401  (registers the cases)

    names = {row.select_one("code").get_text() for row in article("chapters/reference/parity.html").select("tbody tr")}
    assert names == set(CASES)


def test_times_table_lists_every_notebook():
    names = {row.select_one("code").get_text() for row in article("chapters/reference/times.html").select("tbody tr")}
    assert names == {path.name for path in [*CHAPTERS, *PLAY]}
    measured = json.loads((MEASURED / "times.json").read_text())["notebooks"]
    assert all(entry["seconds"] > 0 and entry["megabytes"] > 50 for entry in measured.values())


def test_every_public_name_has_a_reference_entry():
    from tests.test_contract import PUBLIC

    objects = (HTML / "genindex.html").read_text()
    for topic, name in PUBLIC:
        assert f"dlcourse.{topic}.{name}" in objects, f"{topic}.{name} is missing from the reference"


# index.html only leads to the first page, and the theme leaves templates in _static.
EVERYTHING = sorted(path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html")
                    if path != HTML / "index.html" and "_static" not in path.parts)

# Words in tables that are broken in the middle because their column is too narrow.
BROKEN_WORDS = """() => {
  const broken = [];
  for (const cell of document.querySelectorAll("article table:not(.indextable) :is(td, th)")) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      for (const word of text.data.matchAll(/[\\p{L}\\p{N}.,]+/gu)) {
        const place = document.createRange();
        place.setStart(text, word.index);
        place.setEnd(text, word.index + word[0].length);
        const lines = new Set([...place.getClientRects()].map(({ top }) => Math.round(top)));
        if (lines.size > 1) broken.push(word[0]);
      }
    }
  }
  return broken;
}"""


def test_contents_open_on_a_phone_in_a_browser(browser, site):
    """The two buttons at the top open the contents of the book and of the page."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    tab = context.new_page()
    tab.goto(f"{site}/chapters/02_perceptron.html", wait_until="load")
    for which, link in (("primary", "5. Optimisation"), ("secondary", "Pitfalls")):
        assert not tab.locator(f".bd-sidebar-{which}").get_by_text(link).is_visible()
        tab.locator(f".{which}-toggle:visible").click()
        tab.locator(f"dialog[open].bd-sidebar-{which}").get_by_text(link).click(trial=True)
        tab.keyboard.press("Escape")
    context.close()


def test_contents_can_be_hidden_in_a_browser(browser, site):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.goto(f"{site}/chapters/02_perceptron.html", wait_until="load")
    contents = tab.locator(".bd-sidebar-primary").get_by_text("5. Optimisation")
    contents.click(trial=True)
    tab.locator(".primary-toggle:visible").click()
    contents.wait_for(state="hidden")
    context.close()


def test_claims_are_told_apart_in_a_browser(browser, site):
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{site}/chapters/02_perceptron.html", wait_until="load")
    boxes = tab.locator(".dl-claim").evaluate_all("""boxes => boxes.map((box) => {
      const { borderLeftColor, paddingLeft } = getComputedStyle(box);
      return [box.querySelector("[class^=dl-verdict]").className, borderLeftColor, parseFloat(paddingLeft)];
    })""")
    context.close()
    colours = {(verdict, colour) for verdict, colour, _ in boxes}
    assert len(colours) == len({verdict for verdict, _ in colours}) == len({colour for _, colour in colours}) == 3
    assert min(padding for *_, padding in boxes) > 10


def test_without_javascript_the_page_has_its_colours_in_a_browser(tab_without_javascript, site):
    tab = tab_without_javascript
    tab.goto(f"{site}/chapters/02_perceptron.html", wait_until="load")
    link, text = (tab.locator(f"article {name}").first.evaluate("(element) => getComputedStyle(element).color")
                  for name in ("p > a", "p"))
    assert link != text


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", EVERYTHING or PAGES)
def test_page_in_a_browser(browser, site, page, theme):
    """No request leaves the machine, nothing is logged as an error, a phone shows it whole, everyone can read it."""
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=theme)
    context.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
    tab = context.new_page()
    with quiet(tab, site) as asked:
        tab.goto(f"{site}/{page}", wait_until="load")
        if soup(page).select(".math"):
            assert tab.locator("mjx-container").count() > 0
            assert tab.locator("mjx-merror").count() == 0
        assert tab.evaluate("document.documentElement.dataset.theme") == theme
        for place in tab.locator(".dl-widget-place").all():
            place.scroll_into_view_if_needed()
            place.locator(".dl-widget").wait_for()
        assert tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        assert tab.evaluate(BROKEN_WORDS) == []
        tab.set_viewport_size({"width": 1280, "height": 900})
        assert tab.evaluate(BROKEN_WORDS) == []
        tab.locator(".bd-sidebar-primary nav a").last.hover()  # a link under the pointer has a colour of its own
        assert serious_barriers(tab) == []
        context.close()
    assert [url for url in asked if url.startswith("blob:")] == []      # no Python was started
