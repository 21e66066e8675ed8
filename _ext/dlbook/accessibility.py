"""Pages that everyone can read: pictures have text alternatives, controls have names, lists are lists."""

import re

from docutils import nodes
from sphinx.util import logging

logger = logging.getLogger(__name__)


def check_pictures(app, doctree):
    """Warn of every picture that says nothing to a reader who cannot see it."""
    for image in doctree.findall(nodes.image):
        if not image.get("alt", "").strip():
            logger.warning(
                "picture without a text alternative: %s (in a notebook, display figures with dlcourse.notebook.show)",
                image.get("uri"), location=image, type="dlbook", subtype="alt",
            )
    for drawing in doctree.findall(nodes.raw):
        text = drawing.astext()
        if "<svg" in text and 'aria-label="' not in text and 'aria-hidden="true"' not in text:
            logger.warning("drawing without a text alternative", location=drawing, type="dlbook", subtype="alt")


# What the theme and docutils get wrong, as axe-core finds it: a pattern, and what it becomes.
MENDED = [
    # The arrow that opens a part of the contents says nothing; the link before it says which part.
    (
        re.compile(r'(?P<link><a class="[^"]*reference internal" href="[^"]*">(?P<name>(?:(?!</a>).)*)</a>\s*'
                   r"<details[^>]*>\s*)<summary>", re.DOTALL),
        lambda match: f'{match["link"]}<summary aria-label="Pages under {plain(match["name"])}">',
    ),
    # A control with a text is called by this text; a label that says something else hides it.
    (re.compile(r'(<button\b[^>]*?) aria-label="Search"([^>]*search-button-field)'), r"\1\2"),
    (re.compile(r'(<button\b[^>]*search-button-field[^>]*?) aria-label="Search"'), r"\1"),
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    # The button of the theme has a name; its three icons must not add theirs.
    (re.compile(r'(<svg class="dl-icon theme-switch[^>]*?) role="img"([^>]*>)<title>[^<]*</title>'),
     r'\1 aria-hidden="true"\2'),
    # In the list of modules a list must not follow an item, but be part of it.
    (re.compile(r'(<li><a href="[^"]*">[^<]*</a>)</li>\s*(<ul>(?:\s*<li><a href="[^"]*">[^<]*</a></li>)*\s*</ul>)'),
     r"\1\2</li>"),
    # The theme "auto" has no colours; a script chooses one of the others, if there are scripts.
    (re.compile(r'(<html\b[^>]*) data-theme="auto"'), r'\1 data-theme="light"'),
    # A bibliography holds anchors besides its entries, which a list must not.
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    (re.compile(r' role="doc-biblioentry"'), ""),
]


def plain(markup):
    """Take the text out of a piece of HTML, fit for an attribute."""
    return " ".join(re.sub(r"<[^>]*>", "", markup).split()).replace('"', "&quot;")


def mend(pages):
    """Mend the names and roles on all pages (dict from path to text)."""
    for path in pages:
        for pattern, replacement in MENDED:
            pages[path] = pattern.sub(replacement, pages[path])


def setup(app):
    """Register the check."""
    app.connect("doctree-read", check_pictures)
