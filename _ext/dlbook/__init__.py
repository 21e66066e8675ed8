"""The book's own Sphinx extension: figures, tables, claims, and pages made from measurements."""

from pathlib import Path

from . import accessibility, api, exercises, live, local, mathematics, outputs, pages, quiz, written

STATIC = Path(__file__).parent / "static"


def add_static_path(app, config):
    """Serve the extension's style sheet with the book."""
    config.html_static_path.append(str(STATIC))


def setup(app):
    """Register everything with Sphinx."""
    app.connect("config-inited", add_static_path)
    app.add_css_file("dlbook.css")
    for part in (outputs, quiz, pages, api, accessibility, exercises, live, local, mathematics, written):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
