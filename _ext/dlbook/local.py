"""Keep every page free of outside requests: scripts and styles come from the book's own folder."""

import shutil
from pathlib import Path

from sphinx.util import logging

logger = logging.getLogger(__name__)

MATHJAX = Path(__file__).parents[1] / "node_modules" / "mathjax" / "es5"

# What tex-chtml.js may load later: fonts, TeX extensions, the menu, and speech for screen readers.
NEEDED = ["tex-chtml.js", "input/tex", "output/chtml", "a11y", "ui", "sre"]


def serve_mathjax(app, config):
    """Point every page at the book's own MathJax.

    Sphinx' default is a copy on somebody else's server, which a book that is read offline, or
    by somebody who does not want to be watched, must not use.
    """
    config.mathjax_path = "mathjax/tex-chtml.js"
    if not (MATHJAX / "tex-chtml.js").exists():
        logger.info("MathJax is not installed: formulas are left as TeX source (`make javascript` installs it)")


def copy_mathjax(app, exception):
    """Copy the needed part of MathJax into the built book."""
    if exception is not None or app.builder.format != "html" or not MATHJAX.exists():
        return
    target = Path(app.outdir) / "_static" / "mathjax"
    for name in NEEDED:
        source = MATHJAX / name
        if source.is_dir():
            shutil.copytree(source, target / name, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def keep_local(app, pagename, templatename, context, doctree):
    """Drop scripts and styles that would be fetched from elsewhere (sphinx-thebe adds one to each page)."""

    def outside(entry):
        text = f"{getattr(entry, 'filename', entry)} {getattr(entry, 'attributes', {})}"
        return "thebe" in text.lower() or "://" in str(getattr(entry, "filename", entry))

    for kind in ("script_files", "css_files"):
        context[kind] = [entry for entry in context.get(kind, []) if not outside(entry)]


def setup(app):
    """Register the hooks."""
    app.connect("config-inited", serve_mathjax, priority=900)
    app.connect("html-page-context", keep_local, priority=900)
    app.connect("build-finished", copy_mathjax)
