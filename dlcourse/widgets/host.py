"""What every widget is: a name, its controls, and a pure function from their values to numbers.

The same three calls serve a Jupyter kernel, the worker of a static page and a test:
`describe` for what to show, `defaults` for where to begin and `evaluate` for what to draw.
"""

import importlib
from dataclasses import asdict
from pathlib import Path

from ..validation import check_choice
from .codec import encode

__all__ = ["NAMES", "defaults", "describe", "evaluate", "load", "script"]

FOLDER = Path(__file__).parent

# What the widgets are made with; every other file of the folder is a widget, with an ES module of the same name.
SHARED = {"__init__", "codec", "controls", "host", "jupyter", "quiz", "shown"}

#: The widgets.
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in SHARED))


def load(name):
    """Import the module of a widget.

    Parameters
    ----------
    name : str
        One of `NAMES`.

    Returns
    -------
    module
        With ``TITLE`` and ``ABOUT`` (str), ``CONTROLS`` (tuple of controls) and ``compute``.

    Raises
    ------
    ValueError
        If there is no widget of that name.
    """
    check_choice(name, "name", NAMES)
    return importlib.import_module(f"dlcourse.widgets.{name}")


def describe(name):
    """Say what a widget shows and what can be set.

    Parameters
    ----------
    name : str

    Returns
    -------
    dict
        ``name``, ``title``, ``about`` and ``controls``, of JSON types only.
    """
    module = load(name)
    controls = [asdict(control) for control in module.CONTROLS]
    return {"name": name, "title": module.TITLE, "about": module.ABOUT, "controls": controls}


def defaults(name, **inputs):
    """Values to begin with.

    Parameters
    ----------
    name : str
    **inputs
        What a chapter wants other than the widget's own defaults.

    Returns
    -------
    dict
        A value for each control.

    Raises
    ------
    TypeError, ValueError
        If there is no such control, or the value does not suit it.
    """
    controls = {control.name: control for control in load(name).CONTROLS}
    unknown = sorted(set(inputs) - set(controls))
    if unknown:
        raise TypeError(f"{unknown[0]}: {name} has no such control; it has {', '.join(controls)}")
    for key, value in inputs.items():
        controls[key].check(value)
    return {key: inputs.get(key, control.default) for key, control in controls.items()}


def evaluate(name, inputs, state=None):
    """Check the inputs and compute.

    Parameters
    ----------
    name : str
    inputs : dict
        A value for each control.
    state : object, optional
        What the last call left, for a widget whose next step depends on the one before.

    Returns
    -------
    outputs : dict
        Encoded by `dlcourse.widgets.codec.encode`.
    state : object
        To be passed to the next call; None for most.

    Raises
    ------
    TypeError, ValueError
        If an input is missing, unknown or out of range.
    """
    module = load(name)
    checked = {control.name: control.check(inputs[control.name])
               for control in module.CONTROLS if control.name in inputs}
    if checked.keys() != inputs.keys() or len(checked) != len(module.CONTROLS):
        wanted = ", ".join(control.name for control in module.CONTROLS)
        raise TypeError(f"inputs: expected {wanted}, got {', '.join(inputs) or 'none'}")
    if getattr(module, "STATEFUL", False):
        outputs, state = module.compute(**checked, state=state)
    else:
        outputs = module.compute(**checked)
    return encode(outputs), state


def script(name):
    """Put a widget's ES module and the shared drawing kit into one, as Jupyter needs it.

    Parameters
    ----------
    name : str
        One of `NAMES`, or ``"quiz"``.

    Returns
    -------
    str
        One module without imports. (The book's pages bundle the same two files.)
    """
    check_choice(name, "name", (*NAMES, "quiz"))
    kit = (FOLDER / "kit.js").read_text(encoding="utf-8").replace("\nexport ", "\n")
    own = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    before, separator, after = own.partition('from "./kit.js";\n')
    return kit + (before[: before.rindex("import {")] + after if separator else own)
