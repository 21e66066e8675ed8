"""A picture without a text alternative, and a cell that draws around `show`, fail the build."""

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


def setup(app):
    """Register the check."""
    app.connect("doctree-read", check_pictures)
