r"""What a network looks at: which pixels matter to a score, which image raises it, which ones did.

A score may be a unit of any layer as well as a class: a network without its last layers, and with
`dlcourse.module.Flatten` at its end, has that layer's units as its scores.
"""

import numpy as np

from .adversarial import check_bounds, input_gradient
from .module import Module
from .validation import check_array, check_integer, check_labels, check_number

__all__ = ["activation_maximization", "saliency", "top_activations"]


class _Score(Module):
    """Not a loss but its opposite: the scores of the classes that are asked for, added up."""

    def __init__(self, name):
        super().__init__()
        self.name = name                                   # of the argument that asks, for messages

    def forward(self, logits, target):
        """Add up one score of each example; logits has shape (N, C), target (N,)."""
        check_array(logits, "model(x)", shape=("N", "C"))
        check_labels(target, self.name, num_classes=logits.shape[1], length=len(logits))
        self.chosen = np.zeros_like(logits)
        self.chosen[np.arange(len(logits)), target] = 1    # (N, C), a one in each row
        return (self.chosen * logits).sum()

    def backward(self):
        """Give each of the chosen scores the slope 1, and the others 0."""
        return self.chosen


def saliency(model, x, t):
    r"""Compute :math:`\partial s_t / \partial x`, the slope of a class's score for every pixel.

    Where it is large, a small change of the pixel would change the score most. Mode and gradients
    of the model are afterwards as they were before, as in `dlcourse.adversarial.input_gradient`.

    Parameters
    ----------
    model : Module
        Gives scores of shape (N, C).
    x : ndarray of shape (N, ...)
    t : ndarray of int, shape (N,)
        For each example the class that is asked for.

    Returns
    -------
    ndarray of the shape of x

    Raises
    ------
    ValueError, TypeError
        If an argument is of the wrong kind, or a class out of range.

    Notes
    -----
    The paper's map of an image is the largest absolute slope of the channels of each pixel:
    ``np.abs(saliency(model, x, t)).max(axis=1)``.

    References
    ----------
    Simonyan, Vedaldi, Zisserman, Deep inside convolutional networks: visualising image
    classification models and saliency maps, ICLR 2014 workshop, section 3.
    """
    return input_gradient(model, _Score("t"), x, t)


def activation_maximization(model, unit, x, *, steps, lr, penalty=0.0, bounds=None):
    r"""Change images by gradient ascent, until a unit answers as much as it can.

    .. math:: x \leftarrow x + \eta\, \nabla_x \bigl(s_u(x) - \lambda \lVert x \rVert_2^2\bigr)

    Without a penalty or bounds, most scores could grow for ever.

    Parameters
    ----------
    model : Module
        Gives scores of shape (N, C).
    unit : int
        Which of the C scores.
    x : ndarray of shape (N, ...)
        Where to start: zeros, noise, or images. It is not changed.
    steps : int
    lr : float
        The step size :math:`\eta`, greater than 0.
    penalty : float
        The weight :math:`\lambda` of the squared norm, at least 0.
    bounds : tuple of two float, optional
        Darkest and brightest value of a pixel; after each step, pixels beyond are set to them.

    Returns
    -------
    ndarray of the shape of x

    Raises
    ------
    ValueError, TypeError
        If an argument is of the wrong kind or out of range.

    References
    ----------
    Simonyan, Vedaldi, Zisserman, Deep inside convolutional networks: visualising image
    classification models and saliency maps, ICLR 2014 workshop, section 2. It has no bounds.
    """
    check_integer(unit, "unit", low=0)
    check_integer(steps, "steps", low=1)
    check_number(lr, "lr", low=0, low_open=True)
    check_number(penalty, "penalty", low=0)
    low, high = (-np.inf, np.inf) if bounds is None else check_bounds(bounds)
    check_array(x, "x", shape=(..., "N", "D"))
    score, t = _Score("unit"), np.full(len(x), unit)
    for _ in range(steps):
        x = np.clip(x + lr * (input_gradient(model, score, x, t) - 2 * penalty * x), low, high)
    return x


def top_activations(maps, k):
    """Find, for each unit of a convolution, the images that drive it most, and where in them.

    An image counts once, with the place of its largest answer.

    Parameters
    ----------
    maps : ndarray of shape (N, C, H, W)
        Answers of C units to N images.
    k : int
        How many images, from 1 to N.

    Returns
    -------
    ndarray of int64, shape (C, k, 3)
        Image, row and column, the strongest first. Among equals the first in reading order.

    Raises
    ------
    ValueError, TypeError
        If an argument is of the wrong kind or out of range.

    References
    ----------
    Zeiler, Fergus, Visualizing and understanding convolutional networks, ECCV 2014, section 4,
    shows the nine strongest of each unit.
    """
    check_array(maps, "maps", shape=("N", "C", "H", "W"), empty=False)
    check_integer(k, "k", low=1, high=len(maps))
    flat = maps.reshape(*maps.shape[:2], -1)                               # (N, C, H W)
    images = np.argsort(-flat.max(axis=2), axis=0, kind="stable")[:k].T    # (C, k)
    places = np.take_along_axis(flat.argmax(axis=2), images.T, axis=0).T   # (C, k)
    return np.stack([images, *np.divmod(places, maps.shape[3])], axis=2)
