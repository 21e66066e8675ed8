"""Progress bars for loops that take a while.

A bar is for someone who waits, so it is drawn only where someone does: in a terminal or a notebook
session. The environment variable ``DLCOURSE_PROGRESS`` overrules that: ``0`` never draws (the book
is built so, since a bar would end up on the page as a line of characters), ``1`` always does.
"""

import os
import sys

from .validation import check_integer, describe

__all__ = ["track"]


def track(iterable, description, total=None, enabled=True):
    """Go through an iterable, showing how far one has come.

    Parameters
    ----------
    iterable : iterable
    description : str
        Stands to the left of the bar.
    total : int, optional
        Number of items, where ``len(iterable)`` does not tell.
    enabled : bool
        Whether to draw a bar at all.

    Returns
    -------
    iterable
        A tqdm bar where one is wanted and tqdm is installed, otherwise `iterable` itself.

    Raises
    ------
    TypeError
        If `iterable` cannot be iterated over, or another argument is of the wrong kind.
    ValueError
        If `total` is negative, or ``DLCOURSE_PROGRESS`` is neither 0 nor 1.
    """
    # Asked of the type: calling iter() would start the workers of a data loader.
    if not (hasattr(iterable, "__iter__") or hasattr(iterable, "__getitem__")):
        raise TypeError(f"iterable: expected an iterable, got {describe(iterable)}")
    if not isinstance(description, str):
        raise TypeError(f"description: expected a string, got {describe(description)}")
    if total is not None:
        check_integer(total, "total", low=0)
    if not (enabled and bars_wanted()):
        return iterable
    try:
        from tqdm.auto import tqdm  # not to be had in the browser
    except ImportError:
        return iterable
    return tqdm(iterable, desc=description, total=total, leave=False)


def bars_wanted():
    """Tell whether anyone watches: ``DLCOURSE_PROGRESS`` if it is set, else a terminal or a notebook."""
    setting = os.environ.get("DLCOURSE_PROGRESS", "")
    if setting not in ("", "0", "1"):
        raise ValueError(f"DLCOURSE_PROGRESS: expected 0 or 1, got {setting!r}")
    if setting:
        return setting == "1"
    return "ipykernel" in sys.modules or sys.stderr.isatty()
