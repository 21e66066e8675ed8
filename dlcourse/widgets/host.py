"""What every widget is: a name, its controls, and a pure function from their values to numbers.

The same three calls serve a Jupyter kernel, the worker of a static page and a test:
`describe` for what to show, `defaults` for where to begin and `evaluate` for what to draw.
"""

import importlib
import re
from dataclasses import asdict
from pathlib import Path

from ..validation import check_choice
from .codec import encode

__all__ = ["NAMES", "defaults", "describe", "evaluate", "load", "script"]

FOLDER = Path(__file__).parent

# What the widgets are made with; every other file of the folder is a widget, with an ES module of the same name.
SHARED = {"__init__", "codec", "controls", "host", "jupyter", "quiz", "shown"}

# ES modules that widgets import: from each other's files nothing, from these by name.
MODULES = ("kit", "pad")
IMPORT = re.compile(rf'^import \{{[^}}]*\}} from "\./({"|".join(MODULES)})\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)

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
    """Put a widget's ES module and the modules that it shares with others into one, as Jupyter needs it.

    Parameters
    ----------
    name : str
        One of `NAMES`, or ``"quiz"``.

    Returns
    -------
    str
        One module without imports. (The book's pages bundle the same files.)
    """
    check_choice(name, "name", (*NAMES, "quiz"))
    sources = {}

    def collect(module):
        """Add a module, and before it what it imports; each once."""
        source = (FOLDER / f"{module}.js").read_text(encoding="utf-8")
        for needed in IMPORT.findall(source):
            if needed not in sources:
                collect(needed)
        sources[module] = EXPORT.sub("", IMPORT.sub("", source))

    collect(name)
    return "\n".join(sources.values())
