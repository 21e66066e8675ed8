"""Keep every page free of outside requests: scripts and styles come from the book's own folder."""


def keep_local(app, pagename, templatename, context, doctree):
    """Drop scripts and styles that would be fetched from elsewhere (sphinx-thebe adds one to each page)."""

    def outside(entry):
        text = f"{getattr(entry, 'filename', entry)} {getattr(entry, 'attributes', {})}"
        return "thebe" in text.lower() or "://" in str(getattr(entry, "filename", entry))

    for kind in ("script_files", "css_files"):
        context[kind] = [entry for entry in context.get(kind, []) if not outside(entry)]


def setup(app):
    """Register the hook."""
    app.connect("html-page-context", keep_local, priority=900)
