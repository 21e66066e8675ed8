"""Checkpoints: the state of a training run in one file, so that the run survives an interruption.

The file is NumPy's ``.npz``, an archive of arrays, plus one JSON string that says where in the
state each array belongs. There is no pickle in it: loading a pickle runs whatever code its author
put there, loading arrays and JSON runs none.
"""

import json
import os

import numpy as np

from .module import Module
from .validation import check_rng, describe

__all__ = ["TrainingState", "load_checkpoint", "save_checkpoint"]


def save_checkpoint(checkpoint, state):
    """Write a state to a file, all of it or nothing.

    The bytes go to a temporary file beside the final one, which then takes its place in a single
    step. Whenever the power fails, a complete checkpoint is on the disk: the old or the new one.

    Parameters
    ----------
    checkpoint : str or path-like
        Where to write. An existing file is replaced.
    state : dict
        Arrays, numbers, strings, booleans and None, in dicts, lists and tuples nested at will.

    Raises
    ------
    TypeError
        If `state` holds anything else, or `checkpoint` is not a path.
    """
    path = check_path(checkpoint)
    arrays = {}
    layout = json.dumps(pack(state, arrays, "state"))
    temporary = f"{path}.tmp"
    try:
        with open(temporary, "wb") as file:
            np.savez(file, layout=np.array(layout), **arrays)
            file.flush()
            os.fsync(file.fileno())                        # on the disk before it takes its place
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def load_checkpoint(checkpoint):
    """Read the state back, exactly as it was.

    Parameters
    ----------
    checkpoint : str or path-like
        A file that `save_checkpoint` wrote.

    Returns
    -------
    dict
        The state; NumPy's numbers come back as such, tuples as tuples, arrays bit for bit.

    Raises
    ------
    ValueError
        If the file is damaged, or no checkpoint at all.
    FileNotFoundError
        If there is none.
    """
    path = check_path(checkpoint)
    try:
        with np.load(path, allow_pickle=False) as file:
            return unpack(json.loads(file["layout"].item()), file)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged file fails anywhere: as an archive, an array or JSON
        raise ValueError(
            f"checkpoint: expected a file written by save_checkpoint, got {path!r}, which cannot be read ({error})"
        ) from error


class TrainingState:
    """All that a training run changes as it goes: weights, the optimizer's memory, random generators.

    A run that forgets one of them (Adam's means, say, or how far the generator of a dropout layer
    had come) goes on after an interruption, but differently.

    Parameters
    ----------
    model : Module
        Random generators held by its layers count among its state.
    optimizer : Optimizer
        With ``state_dict`` and ``load_state_dict``.
    rng : numpy.random.Generator
        The one that shuffles the examples.
    settings : dict of str to int, float, str or None
        What must be the same after an interruption, such as the batch size.

    Raises
    ------
    TypeError
        If `model` is not a module, or `rng` not a generator.
    """

    def __init__(self, model, optimizer, rng, settings):
        if not isinstance(model, Module):
            raise TypeError(f"model: expected a Module, got {describe(model)}")
        self.model, self.optimizer, self.rng = model, optimizer, check_rng(rng)
        layouts = {name: f"{array.dtype} {array.shape}" for name, array in model.state_dict().items()}
        self.settings = {**settings, "optimizer": type(optimizer).__name__, "weights": layouts}

    def save(self, checkpoint, progress):
        """Write the state to a file.

        Parameters
        ----------
        checkpoint : str or path-like
        progress : dict
            What else to keep, such as the losses so far.
        """
        state = {
            "settings": self.settings,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generators": {name: rng.bit_generator.state for name, rng in self.generators().items()},
            "progress": progress,
        }
        save_checkpoint(checkpoint, state)

    def load(self, checkpoint):
        """Return to the state in a file.

        Parameters
        ----------
        checkpoint : str or path-like

        Returns
        -------
        dict
            The `progress` that was saved along.

        Raises
        ------
        ValueError
            If the file is damaged, no checkpoint, or that of another run.
        """
        state = load_checkpoint(checkpoint)
        check_same_run(state, self.settings, checkpoint)
        try:
            self.optimizer.load_state_dict(state["optimizer"])
            self.model.load_state_dict(state["model"])
            for name, rng in self.generators().items():
                rng.bit_generator.state = state["generators"][name]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"checkpoint: expected that of this run, got {str(checkpoint)!r} ({error})") from error
        return state["progress"]

    def generators(self):
        """Collect the random generators by name: that of the batches, and those that layers hold.

        Returns
        -------
        dict of str to numpy.random.Generator
        """
        found = {"rng": self.rng}
        for prefix, module in walk(self.model, "model."):
            for name, value in vars(module).items():
                if isinstance(value, np.random.Generator):
                    found[prefix + name] = value
        return found


def walk(module, prefix=""):
    """Yield a module and all below it, each after the prefix of the names of what it holds."""
    yield prefix, module
    for name, child in module.named_children():
        yield from walk(child, f"{prefix}{name}.")


def check_same_run(state, settings, checkpoint):
    """Check that a checkpoint holds a training state, and that of a run with the same settings."""
    if not isinstance(state, dict) or not isinstance(state.get("settings"), dict):
        raise ValueError(f"checkpoint: expected a file written by TrainingState.save, got {str(checkpoint)!r}")
    for name, value in settings.items():
        if state["settings"].get(name) != value:
            raise ValueError(
                f"checkpoint: expected a run with {name} {value}, got {str(checkpoint)!r} "
                f"with {name} {state['settings'].get(name)}"
            )


def check_path(checkpoint):
    """Check that a checkpoint's place is given by a path, and return it as a string."""
    if not isinstance(checkpoint, (str, os.PathLike)):
        raise TypeError(f"checkpoint: expected a path, got {describe(checkpoint)}")
    return os.fspath(checkpoint)


def pack(value, arrays, where):
    """Turn a value into JSON, with its arrays moved to `arrays` and replaced by their names there.

    Dicts become lists of pairs, since JSON knows only strings as keys.

    Parameters
    ----------
    value : object
    arrays : dict of str to ndarray
        Gains an entry for each array met.
    where : str
        Path of `value` inside the state, for the message.

    Returns
    -------
    object
        What ``json.dumps`` takes.
    """
    if isinstance(value, (np.ndarray, np.generic)) and not value.dtype.hasobject:
        name = f"array_{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"kind": "array" if isinstance(value, np.ndarray) else "scalar", "name": name}
    if isinstance(value, dict):
        items = [[key, pack(item, arrays, f"{where}[{key!r}]")] for key, item in value.items()]
        return {"kind": "dict", "items": items}
    if isinstance(value, (list, tuple)):
        items = [pack(item, arrays, f"{where}[{index}]") for index, item in enumerate(value)]
        return {"kind": "tuple" if isinstance(value, tuple) else "list", "items": items}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{where}: expected arrays, numbers, strings, dicts, lists or tuples, got {describe(value)}")


def unpack(layout, arrays):
    """Undo `pack`."""
    if not isinstance(layout, dict):
        return layout
    kind = layout["kind"]
    if kind == "array":
        return arrays[layout["name"]]
    if kind == "scalar":
        return arrays[layout["name"]][()]
    if kind == "dict":
        return {key: unpack(item, arrays) for key, item in layout["items"]}
    items = [unpack(item, arrays) for item in layout["items"]]
    return tuple(items) if kind == "tuple" else items
