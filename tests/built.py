"""The built book, for the tests that look at it."""

import functools
from contextlib import contextmanager
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
AXE = ROOT / "_ext" / "node_modules" / "axe-core" / "axe.min.js"


@functools.cache
def soup(page):
    """Parse a page, given by its path below the book."""
    return BeautifulSoup((HTML / page).read_text(encoding="utf-8"), "html.parser")


@contextmanager
def quiet(tab, site):
    """See that a tab logs no error meanwhile and asks nobody but the book; gives the list of what it has asked."""
    asked, errors = [], []
    listeners = {
        "request": lambda request: asked.append(request.url),
        "console": lambda message: message.type == "error" and errors.append(message.text),
        "pageerror": lambda error: errors.append(str(error)),
    }
    for event, listener in listeners.items():
        tab.on(event, listener)
    try:
        yield asked
    finally:
        for event, listener in listeners.items():
            tab.remove_listener(event, listener)
    assert [url for url in asked if not url.startswith((site, HTML.as_uri(), "data:", "blob:"))] == []
    assert errors == []


def barriers(place, impacts=("minor", "moderate", "serious", "critical", None)):
    """List what axe finds in an element (a locator) that keeps somebody from reading it, once colours stand still."""
    place.evaluate("""() => Promise.all(document.getAnimations()
        .filter((one) => one instanceof CSSTransition).map((one) => one.finished.catch(() => {})))""")
    if not place.evaluate("() => 'axe' in window"):
        place.page.add_script_tag(path=AXE)
    found = place.evaluate("""async (place) => (await axe.run(place, { resultTypes: ["violations"] }))
        .violations.map(({ impact, id, nodes }) => [impact, id, nodes.length, nodes[0].html.slice(0, 200)])""")
    return [barrier for barrier in found if barrier[0] in impacts]


def serious_barriers(tab):
    """List those of a whole page that its reader cannot get round."""
    return barriers(tab.locator("html"), impacts=("serious", "critical"))
