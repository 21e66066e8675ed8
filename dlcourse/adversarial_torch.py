"""Adversarial examples in PyTorch: ``torch.autograd.grad`` asks for the input's gradient alone."""

import torch

from .adversarial import check_bounds
from .training_torch import evaluation_mode
from .validation import check_integer, check_number, describe
from .validation_torch import check_tensor

__all__ = ["basic_iterative", "fast_gradient_sign", "input_gradient"]


def input_gradient(model, loss, x, t):
    """Compute the gradient of the loss with respect to the input.

    The model works in evaluation mode, and each layer is back in its own mode afterwards. The
    parameters' gradients are not touched, since autograd is asked for none but the input's.

    Parameters
    ----------
    model : torch.nn.Module
    loss : torch.nn.Module
    x : Tensor of shape (N, ...)
    t : Tensor

    Returns
    -------
    Tensor of the shape of x
    """
    check_model(model, "model")
    check_model(loss, "loss")
    check_finite(check_tensor(x, "x", shape=(..., "N", "D")))
    x = x.detach().requires_grad_()
    with evaluation_mode(model), torch.enable_grad():
        (gradient,) = torch.autograd.grad(loss(model(x), t), x)
    return gradient


def fast_gradient_sign(model, loss, x, t, epsilon, bounds=(0, 1)):
    """Move every pixel by the same small amount, in the direction that raises the loss.

    Parameters
    ----------
    model : torch.nn.Module
    loss : torch.nn.Module
    x : Tensor of shape (N, ...)
    t : Tensor
    epsilon : float
    bounds : tuple of two float

    Returns
    -------
    Tensor of the shape of x
    """
    check_number(epsilon, "epsilon", low=0)
    low, high = check_bounds(bounds)
    check_pixels(x, low, high)
    step = epsilon * input_gradient(model, loss, x, t).sign()
    return (x.detach() + step).clamp(low, high)


def basic_iterative(model, loss, x, t, epsilon, step, steps, bounds=(0, 1)):
    """Take several small steps of the fast gradient sign method, never further away than epsilon.

    Parameters
    ----------
    model : torch.nn.Module
    loss : torch.nn.Module
    x : Tensor of shape (N, ...)
    t : Tensor
    epsilon : float
    step : float
    steps : int
    bounds : tuple of two float

    Returns
    -------
    Tensor of the shape of x
    """
    check_number(epsilon, "epsilon", low=0)
    check_number(step, "step", low=0)
    check_integer(steps, "steps", low=1)
    low, high = check_bounds(bounds)
    check_pixels(x, low, high)
    moved = x.detach()
    low, high = (moved - epsilon).clamp(min=low), (moved + epsilon).clamp(max=high)
    for _ in range(steps):
        moved = torch.clamp(moved + step * input_gradient(model, loss, moved, t).sign(), low, high)
    return moved


def check_model(value, name):
    """Check that an argument is a module."""
    if not isinstance(value, torch.nn.Module):
        raise TypeError(f"{name}: expected a torch.nn.Module, got {describe(value)}")


def check_finite(x):
    """Check that no pixel is NaN or infinite, where they lie on the CPU."""
    if x.device.type == "cpu" and not torch.compiler.is_compiling() and not x.isfinite().all():
        raise ValueError("x: expected finite numbers, got some that are not")


def check_pixels(x, low, high):
    """Check that all pixels are within bounds, where they lie on the CPU."""
    check_finite(check_tensor(x, "x"))
    if x.device.type == "cpu" and x.numel() and (x.min() < low or x.max() > high):
        raise ValueError(f"x: expected pixels from {low:g} to {high:g} (bounds), got {x.min():g} to {x.max():g}")
