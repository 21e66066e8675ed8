"""The last step of the build: every page that Sphinx wrote is read once, changed in order, and written once."""

from pathlib import Path

from . import accessibility, live, mathematics, weight


def finish(app, exception):
    """Build the scripts of live pages, and make all pages as they are served."""
    if exception is not None or app.builder.format != "html":
        return
    outdir = Path(app.outdir)
    live.build_files(outdir)
    written = {path: path.read_text(encoding="utf-8") for path in sorted(outdir.rglob("*.html"))}
    pages = dict(written)
    mathematics.render(pages, outdir, app.config)
    weight.lighten(pages, outdir)                  # after the scripts are built: it looks for icons in them
    accessibility.mend(pages)                      # after the icons have become drawings
    for path, page in pages.items():
        if page != written[path]:
            path.write_text(page, encoding="utf-8")


def setup(app):
    """Register the hook: after all others that write pages."""
    app.connect("build-finished", finish, priority=900)
