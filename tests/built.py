"""The built book, for the tests that look at it."""

import functools
from pathlib import Path

from bs4 import BeautifulSoup

HTML = Path(__file__).parents[1] / "_build" / "html"


@functools.cache
def soup(page):
    """Parse a page, given by its path below the book."""
    return BeautifulSoup((HTML / page).read_text(encoding="utf-8"), "html.parser")
