"""Dropout: train a network with a random part of its units missing."""

import numpy as np

from .module import Module
from .validation import check_array, check_number, check_rng

__all__ = ["Dropout"]


class Dropout(Module):
    r"""Inverted dropout: drop units at random, and scale up those that are kept.

    .. math:: y_i = \frac{m_i\, x_i}{1 - p}, \qquad m_i \sim \text{Bernoulli}(1 - p)

    The scale makes up for the missing units on average, :math:`\operatorname{E}(y_i) = x_i`, so
    that at test time, when nothing is dropped, nothing need be scaled either.

    Parameters
    ----------
    p : float
        Probability of *dropping* a unit, in [0, 1]. With 1, nothing is left and the output is
        zero.
    rng : numpy.random.Generator
        Draws the masks.

    Attributes
    ----------
    mask : ndarray of bool, of the shape of the last input, or None
        True where a unit was kept. None in evaluation mode, and before the first forward pass.

    Raises
    ------
    ValueError, TypeError
        If `p` is no probability, or `rng` is not a generator.

    Notes
    -----
    The slides of the course, like the first papers, call the probability of *keeping* a unit p.
    Here as in PyTorch it is the probability of dropping it: their p is 1 - p.

    In the paper nothing is scaled in training; at test time the weights are multiplied by the
    probability of keeping (section 4). Inverted dropout, which every library has, has the same
    expectation and leaves the network alone at test time.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, *Dropout: A simple way to prevent
    neural networks from overfitting*, JMLR 15, 2014.
    """

    def __init__(self, p=0.5, *, rng):
        super().__init__()
        self.p = check_number(p, "p", low=0, high=1)
        self.rng = check_rng(rng)
        self.mask = None

    def forward(self, x, mask=None):
        r"""Compute :math:`y = m x / (1 - p)`; in evaluation mode, :math:`y = x`.

        Parameters
        ----------
        x : ndarray of any shape
        mask : ndarray of bool, of the shape of x, optional
            True where a unit is to be kept. Drawn where it is not given; ignored in evaluation
            mode.

        Returns
        -------
        ndarray of the shape of x
        """
        check_array(x, "x")
        if mask is not None:
            check_array(mask, "mask", shape=x.shape, kind="bool")
        if not self.training:
            self.mask = None
            return x
        self.mask = self.rng.random(x.shape) >= self.p if mask is None else mask
        return self.drop(x)

    def backward(self, dy):
        r"""Propagate the gradient through the units that were kept: :math:`\mathrm{d}x = m\, \mathrm{d}y / (1 - p)`.

        Parameters
        ----------
        dy : ndarray of the shape of the last input

        Returns
        -------
        ndarray of the shape of dy
        """
        if self.mask is None:
            return check_array(dy, "dy")
        check_array(dy, "dy", shape=self.mask.shape)
        return self.drop(dy)

    def drop(self, x):
        r"""Apply the linear map that is both passes: :math:`m x / (1 - p)`.

        Parameters
        ----------
        x : ndarray of the shape of the mask

        Returns
        -------
        ndarray of the shape of x
        """
        if self.p == 1:
            return np.zeros_like(x)
        return np.where(self.mask, x / (1 - self.p), 0)
