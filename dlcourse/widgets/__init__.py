"""Widgets: sliders and pictures over the course's own NumPy code.

Each is one Python file with a pure function ``compute`` and one ES module that draws what it
returns. In Jupyter the kernel computes; in the built book a worker in the reader's browser runs the
very same file. No formula is written twice. Widgets: Python never draws, JavaScript never computes.
"""

from .host import NAMES, defaults, describe, evaluate

__all__ = ["NAMES", "defaults", "describe", "evaluate", "show_widget"]


def show_widget(name, **inputs):
    """Display a widget.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    **inputs
        Values of controls to begin with; the others take their defaults.

    Returns
    -------
    Shown
        What a notebook displays as the widget and the book as its place in the page.

    Raises
    ------
    TypeError, ValueError
        If there is no such widget or control, or a value does not suit it.
    """
    from .shown import Shown  # needs IPython and anywidget, which the browser has not

    return Shown(name, defaults(name, **inputs))
