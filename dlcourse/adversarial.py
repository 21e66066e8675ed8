r"""Adversarial examples: inputs changed as little as can be seen, and as much as can be against the loss.

A network is trained by the gradient of its loss with respect to the weights. The same backward pass
gives the gradient with respect to the input, and steps along it raise the loss.
"""

import numpy as np

from .module import Module
from .training import evaluation_mode
from .validation import check_array, check_finite, check_integer, check_number, describe

__all__ = ["basic_iterative", "fast_gradient_sign", "input_gradient"]


def input_gradient(model, loss, x, t):
    r"""Compute :math:`\nabla_x L(f(x), t)`, the gradient of the loss with respect to the input.

    The model works in evaluation mode, and each layer is back in its own mode afterwards. On the
    way through the layers the backward pass adds to the parameters' gradients; what they were
    before is kept aside and put back, so that an attack between two training steps does not
    disturb them.

    Parameters
    ----------
    model : Module
    loss : Module
        ``loss(model(x), t)``. A mean over the examples makes each gradient N times smaller; their
        signs are the same.
    x : ndarray of shape (N, ...)
    t : ndarray
        Targets, as the loss wants them.

    Returns
    -------
    ndarray of the shape of x

    Raises
    ------
    ValueError, TypeError
        If an argument is of the wrong kind, or the input is not finite.
    """
    check_model(model, "model")
    check_model(loss, "loss")
    check_finite(check_array(x, "x", shape=(..., "N", "D")), "x")
    kept = [(parameter, parameter.grad) for parameter in model.parameters()]
    try:
        with evaluation_mode(model):
            loss(model(x), t)
            return model.backward(loss.backward())
    finally:
        for parameter, grad in kept:
            parameter.grad = grad


def fast_gradient_sign(model, loss, x, t, epsilon, bounds=(0, 1)):
    r"""Move every pixel by the same small amount, in the direction that raises the loss.

    .. math:: \tilde x = \operatorname{clip}\bigl(x + \epsilon\, \mathrm{sign}\, \nabla_x L(f(x), t)\bigr)

    Among all changes of no pixel by more than :math:`\epsilon`, this one raises a loss that is
    linear in x the most: by :math:`\epsilon` times the sum of the absolute slopes, which grows with
    the number of pixels.

    Parameters
    ----------
    model : Module
    loss : Module
    x : ndarray of shape (N, ...)
    t : ndarray
        Targets; a step away from the true ones needs no wrong one in mind.
    epsilon : float
        The largest change of a pixel, at least 0.
    bounds : tuple of two float
        Darkest and brightest value of a pixel.

    Returns
    -------
    ndarray of the shape of x

    Raises
    ------
    ValueError, TypeError
        If an argument is of the wrong kind or out of range, or `x` out of bounds.

    References
    ----------
    Goodfellow, Shlens, Szegedy, Explaining and harnessing adversarial examples, ICLR 2015,
    section 4; clipping as in Kurakin et al., section 2.1.
    """
    check_number(epsilon, "epsilon", low=0)
    low, high = check_bounds(bounds)
    check_pixels(x, low, high)
    step = epsilon * np.sign(input_gradient(model, loss, x, t))
    return np.clip(x + step, low, high)


def basic_iterative(model, loss, x, t, epsilon, step, steps, bounds=(0, 1)):
    r"""Take several small steps of the fast gradient sign method, never further away than epsilon.

    .. math::

        x_{i+1} = \operatorname{clip}_{[x - \epsilon,\, x + \epsilon]}
            \bigl(x_i + \alpha\, \mathrm{sign}\, \nabla_x L(f(x_i), t)\bigr), \qquad x_0 = x

    The gradient is taken anew at each point, so that the path may bend where the loss does.

    Parameters
    ----------
    model : Module
    loss : Module
    x : ndarray of shape (N, ...)
    t : ndarray
    epsilon : float
        The largest change of a pixel in all.
    step : float
        The change in one step, :math:`\alpha`, at least 0.
    steps : int
        How many.
    bounds : tuple of two float
        Darkest and brightest value of a pixel.

    Returns
    -------
    ndarray of the shape of x

    Raises
    ------
    ValueError, TypeError
        If an argument is of the wrong kind or out of range, or `x` out of bounds.

    References
    ----------
    Kurakin, Goodfellow, Bengio, Adversarial examples in the physical world, ICLR 2017 workshop,
    section 2.2.
    """
    check_number(epsilon, "epsilon", low=0)
    check_number(step, "step", low=0)
    check_integer(steps, "steps", low=1)
    low, high = check_bounds(bounds)
    check_pixels(x, low, high)
    low, high = np.maximum(x - epsilon, low), np.minimum(x + epsilon, high)
    moved = x
    for _ in range(steps):
        moved = np.clip(moved + step * np.sign(input_gradient(model, loss, moved, t)), low, high)
    return moved


def check_model(value, name):
    """Check that an argument is a module."""
    if not isinstance(value, Module):
        raise TypeError(f"{name}: expected a Module, got {describe(value)}")


def check_bounds(bounds):
    """Check the darkest and the brightest value of a pixel."""
    if not isinstance(bounds, tuple | list) or len(bounds) != 2:
        raise TypeError(f"bounds: expected two numbers, got {describe(bounds)}")
    low, high = (check_number(bound, "bounds") for bound in bounds)
    if low >= high:
        raise ValueError(f"bounds: expected the smaller number first, got {bounds}")
    return low, high


def check_pixels(x, low, high):
    """Check that all pixels are within bounds: clipping would move others by more than epsilon."""
    check_finite(check_array(x, "x"), "x")
    if x.size and (x.min() < low or x.max() > high):
        raise ValueError(f"x: expected pixels from {low:g} to {high:g} (bounds), got {x.min():g} to {x.max():g}")
