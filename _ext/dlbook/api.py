"""The reference pages document what is ours; what a counterpart takes from PyTorch as it is, PyTorch documents."""


def skip_foreign(app, what, name, thing, skip, options):
    """Leave out classes that a counterpart only re-exports."""
    return True if getattr(thing, "__module__", "").startswith("torch.") else None


def setup(app):
    """Register the hook."""
    app.connect("autodoc-skip-member", skip_foreign)
