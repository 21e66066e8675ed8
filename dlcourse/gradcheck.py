r"""Numerical gradients, and a check of hand-derived backward passes against them.

The derivative of a function is the limit of a difference quotient, so a quotient with a small
step is an independent witness for a formula. Central differences err by :math:`O(\epsilon^2)`
from the Taylor remainder and by about :math:`u/\epsilon` from rounding, with :math:`u \approx
10^{-16}` in float64: the best step is near :math:`u^{1/3} \approx 10^{-5}`, and the quotient is
then good to some ten digits. In float32 it is good to three or four, so check in float64.

.. rubric:: References

Nocedal and Wright, *Numerical Optimization*, 2nd ed., section 8.1 (the best step).
"""

import numpy as np

from .validation import check_array, check_number, check_rng

__all__ = ["GradientError", "gradcheck", "numerical_gradient"]


class GradientError(AssertionError):
    """A hand-derived gradient that differs from the numerical one; the message shows both."""


def numerical_gradient(f, x, eps=1e-5):
    r"""Differentiate a scalar function of an array by central differences.

    .. math:: \frac{\partial f}{\partial x_i} \approx
              \frac{f(x + \epsilon e_i) - f(x - \epsilon e_i)}{2 \epsilon}

    Parameters
    ----------
    f : callable
        Maps `x` to a number. It is called with `x` itself, changed in one place at a time.
    x : ndarray of float64
        Restored before the function returns.
    eps : float
        The step.

    Returns
    -------
    ndarray of the shape of x

    Raises
    ------
    TypeError
        If `x` is not float64: in float32 the quotient says little.
    """
    check_array(x, "x", dtype=np.float64)
    check_number(eps, "eps", low=0, low_open=True)
    grad = np.empty_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + eps
        above = float(f(x))
        x[index] = kept - eps
        below = float(f(x))
        x[index] = kept
        grad[index] = (above - below) / (2 * eps)
    return grad


def relative_error(a, b, floor=1e-4):
    r"""Measure how far two gradients lie apart, relative to the larger.

    .. math:: \frac{\max_i |a_i - b_i|}{\max(\max_i |a_i|, \max_i |b_i|, \text{floor})}

    The norm is taken over the whole array, since single elements may cancel to nearly nothing.
    The floor keeps the rounding of a gradient that is exactly zero from counting.

    Parameters
    ----------
    a, b : ndarray of one shape
    floor : float

    Returns
    -------
    float
    """
    if a.size == 0:
        return 0.0
    return float(np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max(), floor))


def gradcheck(module, *inputs, rng, rtol=1e-6, eps=1e-5, differentiable=None):
    r"""Compare every gradient of a module's backward pass with the numerical one.

    The output is contracted with a random array to a single number,
    :math:`L = \langle \mathrm{d}y, f(x) \rangle`, whose gradient is what ``backward(dy)``
    claims to return. A backward pass that is wrong anywhere is wrong in L almost surely.

    Parameters
    ----------
    module : Module
        With parameters in float64. A random module must be given its mask as an input.
    *inputs : ndarray
        Passed to ``forward``. Gradients are checked for the float64 ones.
    rng : numpy.random.Generator
        Draws dy.
    rtol : float
        Largest error allowed, relative to the largest element of the gradient.
    eps : float
        Step of the difference quotient.
    differentiable : sequence of int, optional
        Positions of the inputs that ``backward`` returns a gradient for; by default all float64
        inputs.

    Returns
    -------
    dict of str to float
        The relative error for each input and parameter.

    Raises
    ------
    GradientError
        At the first gradient that is too far off; names it and prints both numbers.
    """
    check_rng(rng)
    if differentiable is None:
        differentiable = [i for i, x in enumerate(inputs) if np.asarray(x).dtype == np.float64]
    y = np.asarray(module(*inputs))
    dy = rng.standard_normal(y.shape)

    def contracted(_):
        return np.sum(dy * module(*inputs))

    module.zero_grad()
    module(*inputs)
    dx = module.backward(dy if y.ndim else float(dy))
    dx = dx if isinstance(dx, tuple) else (dx,)
    claimed = {f"input {i}": (inputs[i], dx[k]) for k, i in enumerate(differentiable)}
    for name, parameter in module.named_parameters():
        grad = np.zeros_like(parameter.data) if parameter.grad is None else parameter.grad
        claimed[name] = (parameter.data, grad)

    errors = {}
    for name, (array, grad) in claimed.items():
        numerical = numerical_gradient(contracted, array, eps)
        if grad.shape != numerical.shape:
            raise GradientError(f"{name}: expected a gradient of shape {numerical.shape}, got {grad.shape}")
        errors[name] = relative_error(grad, numerical)
        if not errors[name] <= rtol:               # written so that a NaN fails too
            worst = np.unravel_index(np.argmax(np.abs(grad - numerical)), grad.shape)
            at = tuple(int(i) for i in worst)
            raise GradientError(
                f"{type(module).__name__}, gradient of {name}: relative error {errors[name]:.3g} > {rtol:g}; "
                f"worst at {at}: backward gives {grad[worst]:.10g}, numerically it is {numerical[worst]:.10g}"
            )
    return errors
