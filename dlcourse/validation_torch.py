"""The same checks for tensors.

Shapes and types are known without looking at a tensor's values, so these checks cost nothing on
a GPU and survive ``torch.compile``. Values (labels, NaN) are looked at on the CPU only: reading
them from a GPU would make every step wait for it. The training loop checks them once, before it
starts.
"""

import torch

from .validation import describe, shape_matches, shape_text

__all__ = ["check_labels", "check_tensor"]


def check_tensor(x, name, *, shape=None, dtype=None, kind="float", empty=True):
    """Check that ``x`` is a tensor of the expected shape and type.

    Parameters
    ----------
    x : object
    name : str
    shape : tuple, optional
        Sizes, names of free sizes, and a leading ``...``, as in `dlcourse.validation.check_array`.
    dtype : torch.dtype, optional
        Ignored under autocast, which casts for itself.
    kind : {"float", "int", "bool"}
    empty : bool

    Returns
    -------
    Tensor
        ``x`` itself.

    Raises
    ------
    TypeError
        If ``x`` is not a tensor, or of the wrong type.
    ValueError
        If the shape differs, or ``x`` is empty and must not be.
    """
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"{name}: expected a torch.Tensor, got {describe(x)}")
    if dtype is not None and x.dtype != dtype and not torch.is_autocast_enabled(x.device.type):
        raise TypeError(f"{name}: expected dtype {dtype}, got {x.dtype}")
    integral = not x.is_floating_point() and not x.is_complex() and x.dtype != torch.bool
    allowed = {"float": x.is_floating_point(), "int": integral, "bool": x.dtype == torch.bool}
    if dtype is None and not allowed[kind]:
        wanted = {"float": "a floating-point type", "int": "an integer type", "bool": "bool"}[kind]
        raise TypeError(f"{name}: expected dtype {wanted}, got {x.dtype}")
    if shape is not None and not shape_matches(tuple(x.shape), shape):
        raise ValueError(f"{name}: expected shape {shape_text(shape)}, got {tuple(x.shape)}")
    if not empty and x.numel() == 0:
        raise ValueError(f"{name}: expected at least one element, got an empty tensor, shape {tuple(x.shape)}")
    return x


def check_labels(target, name, *, num_classes, length=None):
    """Check integer class labels; their values only where they lie on the CPU.

    Parameters
    ----------
    target : Tensor of int64, shape (N,)
    name : str
    num_classes : int
    length : int, optional

    Returns
    -------
    Tensor
        ``target`` itself.

    Raises
    ------
    TypeError, ValueError
        As `dlcourse.validation.check_labels`.
    """
    check_tensor(target, name, kind="int", shape=("N" if length is None else length,))
    if target.device.type == "cpu" and not torch.compiler.is_compiling():
        outside = (target < 0) | (target >= num_classes)
        if outside.any():
            index = int(outside.nonzero()[0])
            raise ValueError(
                f"{name}: expected labels from 0 to {num_classes - 1}, got {int(target[index])} at index {index}"
            )
    return target
