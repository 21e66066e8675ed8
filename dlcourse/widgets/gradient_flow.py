r"""Gradient flow: how much of a gradient is left after it has travelled back through time.

A recurrent network passes its state through the same matrix at every step, so backpropagation
multiplies by that matrix's transpose again and again: the gradient shrinks or grows like a power.
"""

from functools import lru_cache, partial

import numpy as np

from .. import activations
from ..initializers import orthogonal
from ..module import Parameter
from ..optim import clip_grad_norm_
from .controls import Choice, Counter, Slider, Toggle

__all__ = ["ABOUT", "CONTROLS", "TITLE", "backward", "compute", "forward"]

TITLE = "Gradient flow through time"
ABOUT = (
    "A loss at the last step sends its gradient back through a recurrent network. Move the spectral radius "
    "ρ through 1 and look at what reaches the early steps, then change the activation."
)

ACTIVATIONS = {
    "tanh": activations.Tanh,
    "linear": partial(activations.LeakyReLU, 1.0),    # slope 1 on both sides: the identity
    "relu": activations.ReLU,
}

CONTROLS = (
    Slider("rho", "Spectral radius ρ", 0.2, 2.0, 0.01, 0.9),
    Choice("activation", "Activation", (("tanh", "tanh"), ("linear", "Linear (none)"), ("relu", "ReLU")), "tanh"),
    Choice("matrix", "Recurrent matrix", (("orthogonal", "Orthogonal, times ρ"), ("gaussian", "Gaussian, scaled to ρ")),
           "orthogonal"),
    Slider("hidden", "Hidden units", 8, 48, 1, 24),
    Slider("steps", "Steps back", 10, 100, 1, 50),
    Slider("inputs", "Size of the inputs", 0.01, 3.0, 0.05, 0.3, scale="log"),
    Toggle("clip", "Clip the gradient of W", False),
    Slider("threshold", "Clipping threshold", 0.01, 1e4, 0.1, 5.0, scale="log"),
    Counter("seed"),
)


@lru_cache(maxsize=16)
def unit_matrix(matrix, hidden, seed):
    """Draw a recurrent matrix of spectral radius 1.

    The eigenvalues of a multiple of it are the same multiples, so they are worked out only once.

    Parameters
    ----------
    matrix : {"orthogonal", "gaussian"}
    hidden : int
    seed : int

    Returns
    -------
    weight : ndarray of float64, shape (hidden, hidden)
    eigenvalues : ndarray of complex128, shape (hidden,)
    """
    rng = np.random.default_rng(seed)
    weight = orthogonal((hidden, hidden), rng=rng) if matrix == "orthogonal" else rng.standard_normal((hidden, hidden))
    eigenvalues = np.linalg.eigvals(weight)
    radius = np.abs(eigenvalues).max()
    weight, eigenvalues = weight / radius, eigenvalues / radius
    weight.flags.writeable = eigenvalues.flags.writeable = False      # they are handed out again
    return weight, eigenvalues


def forward(weight, inputs, activation):
    r"""Run the recurrence from a state of zero.

    .. math:: z_t = W h_{t-1} + u_t, \qquad h_t = \phi(z_t), \qquad h_0 = 0

    Parameters
    ----------
    weight : ndarray of float64, shape (H, H)
    inputs : ndarray of float64, shape (T, H)
        The u, which stand for an input times its weights plus a bias.
    activation : callable
        Makes a module of `dlcourse.activations`.

    Returns
    -------
    states : list of ndarray of shape (H,)
        T + 1 of them, from the initial one on.
    layers : list of Module
        The T activations, each of which remembers its own step.
    """
    states, layers = [np.zeros(len(weight))], []
    for u in inputs:
        layers.append(activation())
        states.append(layers[-1].forward(weight @ states[-1] + u))
    return states, layers


def backward(weight, states, layers, dh):
    r"""Send a gradient back from the last state to the first.

    .. math:: \mathrm{d}z_t = \phi'(z_t) \odot \mathrm{d}h_t, \qquad
              \mathrm{d}h_{t-1} = W^\top \mathrm{d}z_t, \qquad
              \mathrm{d}W = \sum_t \mathrm{d}z_t\, h_{t-1}^\top

    Parameters
    ----------
    weight : ndarray of float64, shape (H, H)
    states, layers : list
        What `forward` returned.
    dh : ndarray of float64, shape (H,)
        The gradient of the loss with respect to the last state.

    Returns
    -------
    dhs : ndarray of float64, shape (T + 1, H)
        Row t is the gradient with respect to the state t steps before the last.
    dw : ndarray of float64, shape (H, H)
    """
    dhs, dw = [dh], np.zeros_like(weight)
    for layer, before in zip(reversed(layers), reversed(states[:-1]), strict=True):
        dz = layer.backward(dhs[-1])
        dw += np.outer(dz, before)
        dhs.append(weight.T @ dz)
    return np.array(dhs), dw


def root_mean_square_slope(weight, states, inputs, activation):
    """Average the slopes of all units over all steps, as they act on lengths.

    Parameters
    ----------
    weight, inputs : ndarray
    states : list
    activation : callable
        As in `forward`, or what it returned.

    Returns
    -------
    float
    """
    layer = activation()
    layer.forward(np.array(states[:-1]) @ weight.T + inputs)    # (T, H), all steps at once now that they are known
    slopes = layer.backward(np.ones_like(inputs))
    return float(np.sqrt(np.mean(slopes**2)))


def mean_factor(norms):
    """Give the factor which, taken once for each step, leads from the first norm to the last.

    Parameters
    ----------
    norms : ndarray of float64, shape (T + 1,)

    Returns
    -------
    float
    """
    return float((norms[-1] / norms[0]) ** (1 / (len(norms) - 1)))


def halving_steps(factor):
    """Count the steps in which repeated multiplication by a factor halves a number.

    Parameters
    ----------
    factor : float
        At least 0.

    Returns
    -------
    float
        Negative for a factor above 1: so many steps double. Infinite where the factor is 1.
    """
    if factor == 0:
        return 0.0
    rate = -np.log2(factor)
    return float(1 / rate) if abs(rate) > 1e-12 else np.inf


def clipped_norm(dw, threshold):
    """Shorten a gradient as `dlcourse.optim.clip_grad_norm_` does before a step of training.

    Parameters
    ----------
    dw : ndarray of float64
    threshold : float

    Returns
    -------
    before, after : float
        Its norms.
    """
    parameter = Parameter(np.zeros_like(dw))
    parameter.grad = dw
    before = clip_grad_norm_([parameter], threshold)
    return float(before), float(np.linalg.norm(parameter.grad))


def compute(rho, activation, matrix, hidden, steps, inputs, clip, threshold, seed):
    """Run a recurrent network forward and backward once.

    Parameters
    ----------
    rho : float
        Spectral radius of the recurrent matrix.
    activation, matrix : str
    hidden, steps : int
        H and T.
    inputs : float
        Standard deviation of what is added to the units at each step.
    clip : bool
    threshold : float
        Largest norm of the gradient of W that is left if `clip`.
    seed : int
        For matrix, inputs and the direction of the loss's gradient.

    Returns
    -------
    dict
        ``back`` (0 to T), ``norms`` of the gradient that many steps back, ``law``, ρ to that power, and
        ``clipped``, the norms after clipping, (all float64, shape (T + 1,)); ``real`` and ``imaginary``,
        the eigenvalues (H,); ``slope``, the root mean square of the activation's; ``factor`` per step
        and ``halving``, the steps that halve; ``law_halving``; ``total`` and ``total_clipped``, the norm of
        the gradient of W before and after; ``zero_at``, the step back at which nothing is left, or None.
    """
    unit, eigenvalues = unit_matrix(matrix, hidden, seed)
    rng = np.random.default_rng([seed, 1])                      # not the numbers that made the matrix
    weight = rho * unit
    u = inputs * rng.standard_normal((100, hidden))[:steps]     # a longer run begins with the same inputs
    loss = rng.standard_normal(hidden)
    states, layers = forward(weight, u, ACTIVATIONS[activation])
    dhs, dw = backward(weight, states, layers, loss / np.linalg.norm(loss))
    norms = np.linalg.norm(dhs, axis=1)
    total, after = clipped_norm(dw, threshold)
    total_clipped = after if clip else total
    factor = mean_factor(norms)
    gone = np.flatnonzero(norms == 0)
    return {
        "back": np.arange(steps + 1.0),
        "norms": norms,
        "law": rho ** np.arange(steps + 1.0),
        "clipped": norms * (total_clipped / total) if total > 0 else norms,
        "real": rho * eigenvalues.real,
        "imaginary": rho * eigenvalues.imag,
        "slope": root_mean_square_slope(weight, states, u, ACTIVATIONS[activation]),
        "factor": factor,
        "halving": halving_steps(factor),
        "law_halving": halving_steps(rho),
        "total": total,
        "total_clipped": total_clipped,
        "zero_at": int(gone[0]) if gone.size else None,
    }
