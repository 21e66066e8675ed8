"""The twin contract: the same weights and inputs must give the same outputs and gradients.

A *case* is a function that builds both twins from random sizes and says what to compare. It is
registered under the name of what it covers; the tests run every case over many sizes, in
float64 and float32, on each device there is, and the book prints the largest errors they saw.
"""

import importlib
import inspect
import pkgutil
from dataclasses import dataclass, field

import numpy as np
import torch

from .gradcheck import gradcheck
from .interop import copy_weights, to_numpy, to_torch

__all__ = ["CASES", "TOLERANCE", "Comparison", "ModulePair", "case_rng", "draw_sizes", "parity_case", "run_case"]

# Errors are relative to max(1, largest element). Inputs and weights are drawn of order one, so a
# result far below one arose by cancellation and carries the rounding of its terms. Both twins
# round each operation to u (1.1e-16 or 6e-8) but in different orders over at most some thousand
# terms, which leaves two decades to spare in float64 and a factor of about ten in float32.
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}

CASES = {}


@dataclass
class Case:
    """A registered parity case: what it covers, its builder, and the sizes to draw."""

    name: str
    build: object
    sizes: dict


@dataclass
class Comparison:
    """One pair of results.

    Parameters
    ----------
    what : str
        ``"forward"``, or ``"gradient"`` (which includes buffers and updated parameters).
    name : str
        The output, input or parameter that is compared.
    reference : ndarray or float
    counterpart : Tensor or float
    """

    what: str
    name: str
    reference: object
    counterpart: object

    def error(self):
        """Return the relative error; infinite where shapes, types or finiteness differ."""
        ours = np.asarray(self.reference)
        theirs = as_array(self.counterpart)
        if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            return np.inf
        if ours.size == 0:
            return 0.0
        if ours.dtype.kind not in "fc":
            return 0.0 if np.array_equal(ours, theirs) else np.inf
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        gap = np.where(same, 0.0, np.abs(ours - theirs)).max()
        finite = np.abs(theirs[np.isfinite(theirs)])
        error = gap / max(1.0, finite.max(initial=0.0))
        return float(error) if np.isfinite(error) else np.inf

    def __str__(self):
        ours = np.asarray(self.reference)
        theirs = as_array(self.counterpart)
        head = f"{self.what} {self.name}: relative error {self.error():.3g}"
        if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            return f"{head}; reference {ours.dtype} {ours.shape}, counterpart {theirs.dtype} {theirs.shape}"
        worst = np.unravel_index(np.argmax(np.abs(ours - theirs)), ours.shape) if ours.size else ()
        at = tuple(int(i) for i in worst)
        return f"{head}; worst at {at}: reference {ours[worst]:.10g}, counterpart {theirs[worst]:.10g}"


@dataclass
class ModulePair:
    """Two modules that must agree: same weights, same inputs, any output gradient.

    Parameters
    ----------
    reference : dlcourse.module.Module
    counterpart : torch.nn.Module
    inputs : list of ndarray
        Passed to both; arrays become tensors.
    differentiable : list of int, optional
        Positions of the inputs with a gradient; by default every floating-point one.
    check_numerically : bool
        Whether the float64 backward pass is also compared with difference quotients.
    """

    reference: object
    counterpart: object
    inputs: list
    differentiable: list = None
    check_numerically: bool = True
    differentiable_at: list = field(init=False)

    def __post_init__(self):
        floats = [i for i, x in enumerate(self.inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
        self.differentiable_at = floats if self.differentiable is None else list(self.differentiable)

    def compare(self, rng, device):
        """Run both twins forward and backward.

        Parameters
        ----------
        rng : numpy.random.Generator
            Draws the output's gradient.
        device : str
            Where the counterpart runs.

        Returns
        -------
        list of Comparison
        """
        ref, twin = self.reference, self.counterpart.to(device)
        copy_weights(ref, twin)
        tensors = [to_torch(x, device) if isinstance(x, np.ndarray) else x for x in self.inputs]
        for i in self.differentiable_at:
            tensors[i].requires_grad_()

        y = ref(*self.inputs)
        y_twin = twin(*tensors)
        results = [Comparison("forward", "output", y, y_twin)]
        if np.shape(y) != tuple(y_twin.shape):
            return results

        dy = rng.standard_normal(np.shape(y)).astype(np.asarray(y).dtype)
        ref.zero_grad()
        dx = ref.backward(dy if dy.ndim else float(dy))
        dx = dx if isinstance(dx, tuple) else (dx,)
        if y_twin.requires_grad:                       # an empty or constant output may need none
            y_twin.backward(to_torch(dy, device))
        for ours, i in zip(dx, self.differentiable_at, strict=True):
            results.append(Comparison("gradient", f"input {i}", ours, grad_or_zero(tensors[i])))
        theirs = dict(twin.named_parameters())
        for name, parameter in ref.named_parameters():
            grad = np.zeros_like(parameter.data) if parameter.grad is None else parameter.grad
            results.append(Comparison("gradient", name, grad, grad_or_zero(theirs[name])))
        buffers = dict(twin.named_buffers())
        for name, owner, attribute in ref.named_buffers():
            results.append(Comparison("gradient", f"buffer {name}", getattr(owner, attribute), buffers[name]))
        return results

    def gradcheck(self, rng):
        """Compare the reference's float64 backward pass with difference quotients."""
        if self.check_numerically:
            gradcheck(self.reference, *self.inputs, rng=rng, differentiable=self.differentiable_at)


def as_array(value):
    """Return a tensor or a number as an array."""
    return to_numpy(value) if isinstance(value, torch.Tensor) else np.asarray(value)


def grad_or_zero(tensor):
    """Return a tensor's gradient, or zeros where none arrived."""
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


def parity_case(name, **sizes):
    """Register a parity case.

    The decorated function is called as ``case(rng, dtype, device, **sizes)`` and returns a
    `ModulePair` or a list of `Comparison`.

    Parameters
    ----------
    name : str
        ``"module.PublicName"``; a suffix in brackets (``"losses.MSELoss [sum]"``) tells apart
        several cases of one name.
    **sizes : tuple or list
        What to draw: ``(low, high)`` an integer between both ends, a list one of its entries.
    """

    def register(build):
        if name in CASES:
            raise ValueError(f"name: expected a new case, got {name!r} a second time")
        CASES[name] = Case(name, build, sizes)
        return build

    return register


def case_rng(name, seed):
    """Return a generator that depends on the case's name and a seed, and on nothing else."""
    return np.random.default_rng([seed, *name.encode()])


def draw_sizes(case, rng):
    """Draw one set of sizes for a case, for use without Hypothesis.

    Parameters
    ----------
    case : Case
    rng : numpy.random.Generator

    Returns
    -------
    dict
    """
    return {
        key: int(rng.integers(spec[0], spec[1] + 1)) if isinstance(spec, tuple) else spec[rng.integers(len(spec))]
        for key, spec in case.sizes.items()
    }


def run_case(case, dtype, device, seed, sizes):
    """Build a case and compare its twins.

    Parameters
    ----------
    case : Case
    dtype : {"float32", "float64"}
    device : str
    seed : int
    sizes : dict

    Returns
    -------
    list of Comparison
    """
    rng = case_rng(case.name, seed)
    built = case.build(rng, np.dtype(dtype), device, **sizes)
    return built.compare(rng, device) if isinstance(built, ModulePair) else built


def public_names(module):
    """List the names a module offers: its ``__all__``, which every topic must have."""
    return list(importlib.import_module(module).__all__)


def twin_modules():
    """List the topics of the package: every ``name`` with a ``name_torch`` beside it.

    Returns
    -------
    list of str
        Module names without the package's own.
    """
    import dlcourse

    names = {info.name for info in pkgutil.walk_packages(dlcourse.__path__)}
    return sorted(name for name in names if f"{name}_torch" in names)


def argument_names(callable_):
    """List the argument names of a function or of a class's constructor, in order.

    ``device`` is left out, since NumPy has but one.
    """
    signature = inspect.signature(callable_)
    return [name for name in signature.parameters if name not in ("self", "device")]
