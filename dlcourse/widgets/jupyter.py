"""The widget in JupyterLab: the kernel computes, the same ES module draws."""

import anywidget
import traitlets

from .host import FOLDER, describe, evaluate, script

__all__ = ["Widget"]


class Widget(anywidget.AnyWidget):
    """A widget of the book, computed by the kernel.

    Parameters
    ----------
    name : str
        One of `dlcourse.widgets.NAMES`.
    inputs : dict
        A value for each control.
    """

    _css = FOLDER / "kit.css"
    about = traitlets.Dict().tag(sync=True)
    inputs = traitlets.Dict().tag(sync=True)
    outputs = traitlets.Dict().tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)

    def __init__(self, name, inputs):
        self._state = None
        outputs, self._state = evaluate(name, inputs)
        super().__init__(_esm=script(name), about=describe(name), inputs=dict(inputs), outputs=outputs)
        self.observe(self._compute, names="inputs")

    def _compute(self, change):
        """Compute anew when a control has moved; an error is shown in the widget, not lost in a log."""
        try:
            outputs, self._state = evaluate(self.about["name"], change["new"], self._state)
        except (TypeError, ValueError) as error:
            self.error = str(error)
            return
        with self.hold_sync():
            self.outputs = outputs
            self.error = ""
