"""Weights across the twins: one call in either direction."""

import numpy as np
import torch

from .module import Module

__all__ = ["copy_weights", "to_numpy", "to_torch"]

# PyTorch counts the batches that a batch norm has seen; the references have no use for it.
TORCH_ONLY = "num_batches_tracked"


def to_numpy(tensor):
    """Copy a tensor to a NumPy array.

    Parameters
    ----------
    tensor : Tensor

    Returns
    -------
    ndarray
    """
    return tensor.detach().cpu().numpy().copy()


def to_torch(array, device=None):
    """Copy a NumPy array to a tensor of the same dtype.

    Parameters
    ----------
    array : ndarray
    device : torch.device or str, optional

    Returns
    -------
    Tensor
    """
    return torch.tensor(np.asarray(array), device=device)


def copy_weights(source, target):
    """Copy all parameters and buffers from one twin to the other.

    Parameters
    ----------
    source, target : dlcourse.module.Module or torch.nn.Module
        Two reference modules, two counterparts, or one of each. Keeps the target's device and
        dtype.

    Raises
    ------
    ValueError
        If a name is missing or unknown, or a shape differs.
    """
    state = {
        name: value if isinstance(value, np.ndarray) else to_numpy(value)
        for name, value in source.state_dict().items()
        if not name.endswith(TORCH_ONLY)
    }
    if isinstance(target, Module):
        target.load_state_dict(state)
        return
    own = {name: value for name, value in target.state_dict().items() if not name.endswith(TORCH_ONLY)}
    missing, unknown = own.keys() - state.keys(), state.keys() - own.keys()
    if missing or unknown:
        raise ValueError(
            f"source: expected the names {sorted(own)}, got missing {sorted(missing)}, unknown {sorted(unknown)}"
        )
    with torch.no_grad():
        for name, tensor in own.items():
            if tuple(tensor.shape) != state[name].shape:
                raise ValueError(f"source[{name!r}]: expected shape {tuple(tensor.shape)}, got {state[name].shape}")
            tensor.copy_(torch.from_numpy(state[name]))
