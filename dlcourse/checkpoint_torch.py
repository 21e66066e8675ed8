"""Checkpoints in PyTorch: ``torch.save``, and ``torch.load`` with ``weights_only=True``.

That switch admits tensors and plain containers only. Without it the file is a pickle, and loading
a stranger's pickle runs the stranger's code.
"""

import json
import os
import zipfile

import numpy as np
import torch

from .checkpoint import check_path, check_same_run
from .validation import check_rng, describe

__all__ = ["TrainingState", "load_checkpoint", "save_checkpoint"]


def save_checkpoint(checkpoint, state):
    """Write a state to a file, all of it or nothing.

    Parameters
    ----------
    checkpoint : str or path-like
    state : dict
        Tensors, numbers, strings, booleans and None, in dicts, lists and tuples nested at will.

    Raises
    ------
    TypeError
        If `state` holds anything else, or `checkpoint` is not a path.
    """
    path = check_path(checkpoint)
    check_plain(state, "state")
    temporary = f"{path}.tmp"
    try:
        with open(temporary, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def load_checkpoint(checkpoint):
    """Read the state back; tensors arrive on the CPU.

    Parameters
    ----------
    checkpoint : str or path-like

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If the file is damaged, or no checkpoint at all.
    FileNotFoundError
        If there is none.
    """
    path = check_path(checkpoint)
    try:
        with zipfile.ZipFile(path) as archive:             # torch.load does not look at the checksums
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"{damaged} is damaged")
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # torch.load fails in as many ways as a file can be damaged
        raise ValueError(
            f"checkpoint: expected a file written by save_checkpoint, got {path!r}, which cannot be read ({error})"
        ) from error


class TrainingState:
    """All that a training run changes as it goes: weights, the optimizer's memory, random generators.

    PyTorch's global generators are among them, since dropout draws from them: they are set back as
    well.

    Parameters
    ----------
    model : torch.nn.Module
    optimizer : torch.optim.Optimizer
    rng : numpy.random.Generator
        The one that shuffles the examples.
    settings : dict of str to int, float, str or None
        What must be the same after an interruption.
    """

    def __init__(self, model, optimizer, rng, settings):
        if not isinstance(model, torch.nn.Module):
            raise TypeError(f"model: expected a torch.nn.Module, got {describe(model)}")
        self.model, self.optimizer, self.rng = model, optimizer, check_rng(rng)
        layouts = {name: f"{tensor.dtype} {tuple(tensor.shape)}" for name, tensor in model.state_dict().items()}
        self.settings = {**settings, "optimizer": type(optimizer).__name__, "weights": layouts}

    def save(self, checkpoint, progress):
        """Write the state to a file.

        Parameters
        ----------
        checkpoint : str or path-like
        progress : dict
            What else to keep, such as the losses so far.
        """
        generators = self.generators()
        state = {
            "settings": self.settings,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            # JSON, since some NumPy generators keep arrays in their state, which torch.load refuses
            "rng": json.dumps(self.rng.bit_generator.state, default=np.ndarray.tolist),
            "generators": {name: get_state() for name, (get_state, _) in generators.items()},
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
            self.rng.bit_generator.state = json.loads(state["rng"])
            for name, (_, set_state) in self.generators().items():
                set_state(state["generators"][name])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"checkpoint: expected that of this run, got {str(checkpoint)!r} ({error})") from error
        return state["progress"]

    def generators(self):
        """Collect PyTorch's random generators: how to ask each for its state, and how to set it.

        Returns
        -------
        dict of str to (callable, callable)
        """
        found = {"cpu": (torch.get_rng_state, torch.set_rng_state)}
        for device in sorted({parameter.device.type for parameter in self.model.parameters()} - {"cpu"}):
            backend = torch.get_device_module(device)      # torch.cuda or torch.mps
            found[device] = (backend.get_rng_state, backend.set_rng_state)
        for prefix, module in self.model.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, torch.Generator):
                    found[f"model.{prefix}.{name}"] = (value.get_state, value.set_state)
        return found


def check_plain(value, where):
    """Check that ``torch.load`` will take with ``weights_only=True`` what is about to be saved."""
    if isinstance(value, dict):
        for key, item in value.items():
            check_plain(item, f"{where}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            check_plain(item, f"{where}[{index}]")
    elif value is not None and not isinstance(value, (bool, int, float, str, torch.Tensor)):
        raise TypeError(
            f"{where}: expected tensors, numbers, strings, dicts, lists or tuples, got {type(value).__name__}"
        )
