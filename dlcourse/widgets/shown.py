"""A widget as the output of a cell: interactive in Jupyter, a place for it in the built book."""

import html

from ..notebook import marked
from .codec import to_json
from .host import describe, evaluate

__all__ = ["Shown"]


class Shown:
    """What `dlcourse.widgets.show_widget` returns.

    Parameters
    ----------
    name : str
    inputs : dict
        A value for each control.
    """

    def __init__(self, name, inputs):
        self.name, self.inputs = name, inputs
        self._widget = None

    @property
    def widget(self):
        """The `dlcourse.widgets.jupyter.Widget`, made when first asked for."""
        if self._widget is None:
            from .jupyter import Widget

            self._widget = Widget(self.name, self.inputs)
        return self._widget

    def __repr__(self):
        """Name the widget as plain text does."""
        return f"<widget {self.name}>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        """Give the widget to Jupyter, and to the book the numbers that its first picture shows."""
        about = describe(self.name)
        outputs, _ = evaluate(self.name, self.inputs)
        data = {"about": about, "inputs": to_json(plain(self.inputs)), "outputs": to_json(outputs)}
        body = f"<p><strong>{html.escape(about['title'])}.</strong> {html.escape(about['about'])}</p>"
        bundle = {"text/plain": repr(self), "text/html": marked("widget", data, body)}
        view = self.widget._repr_mimebundle_()
        view = view[0] if isinstance(view, tuple) else view
        return {**bundle, **{key: value for key, value in (view or {}).items() if "widget-view" in key}}


def plain(inputs):
    """Turn arrays among the inputs into lists.

    Parameters
    ----------
    inputs : dict

    Returns
    -------
    dict
    """
    return {key: value.tolist() if hasattr(value, "tolist") else value for key, value in inputs.items()}
