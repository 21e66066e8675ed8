r"""Metric learning: losses on distances, which place like near like and the rest apart.

The lecture writes the aim as a difference: distances to the same class minus distances to other
classes. Minimised as it stands, it goes to minus infinity by pushing the classes ever further
apart. Both losses here therefore stop pushing beyond a margin. Embeddings are the rows of
ndarrays of shape (N, D), and "mean" is over the N pairs or triplets.

An argument of the wrong kind is a TypeError and one of the wrong value a ValueError, everywhere.
"""

import numpy as np

from .losses import Loss
from .validation import check_array, check_labels, check_number

__all__ = ["ContrastiveLoss", "TripletMarginLoss", "pairwise_distances"]


def unit_rows(difference, distance):
    """Divide each row by its length; a row of length zero has no direction and stays zero."""
    return difference / np.where(distance > 0, distance, 1)[:, None]   # (N, D) / (N, 1)


class ContrastiveLoss(Loss):
    r"""Pull pairs of the same class together, and push the others a margin apart.

    .. math:: L_i = \tfrac{1}{2} s_i d_i^2 + \tfrac{1}{2} (1 - s_i) \max(0,\, m - d_i)^2, \qquad
              d_i = \lVert x_{1i} - x_{2i} \rVert_2

    Parameters
    ----------
    margin : float
        The margin m, greater than 0.
    reduction : {"mean", "sum"}
        Over the pairs.

    Notes
    -----
    In the paper Y = 1 stands for a pair of *different* classes; here ``same`` is 1 - Y. Two
    different points that coincide should part, but in no particular direction: their gradient is
    set to zero.

    References
    ----------
    Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping" (2006),
    section 2.1, equation 4.
    """

    def __init__(self, margin=1.0, reduction="mean"):
        super().__init__(reduction)
        self.margin = check_number(margin, "margin", low=0, low_open=True)

    def forward(self, x1, x2, same):
        """Compute the loss.

        Parameters
        ----------
        x1, x2 : ndarray of shape (N, D)
            The pairs.
        same : ndarray of int or bool, shape (N,)
            1 where a pair is of the same class, else 0.

        Returns
        -------
        numpy.floating
        """
        check_array(x1, "x1", shape=("N", "D"), empty=self.reduction == "sum")
        check_array(x2, "x2", shape=x1.shape, dtype=x1.dtype)
        if isinstance(same, np.ndarray) and same.dtype == np.bool_:
            same = same.astype(np.int64)
        self.same = check_labels(same, "same", num_classes=2, length=len(x1)) == 1
        self.difference = x1 - x2                                      # (N, D)
        self.distance = np.sqrt((self.difference**2).sum(axis=1))      # (N,)
        self.gap = np.maximum(self.margin - self.distance, 0)          # (N,)
        return self.reduce(0.5 * np.where(self.same, self.distance, self.gap) ** 2)

    def backward(self, dy=1.0):
        r"""Compute the gradients, which are opposite to one another.

        .. math::

            \frac{\partial L_i}{\partial x_{1i}} = s_i (x_{1i} - x_{2i})
                - (1 - s_i) \max(0,\, m - d_i) \frac{x_{1i} - x_{2i}}{d_i}
                = -\frac{\partial L_i}{\partial x_{2i}}

        Parameters
        ----------
        dy : float

        Returns
        -------
        (ndarray of shape (N, D), ndarray of shape (N, D))
            For `x1` and for `x2`.
        """
        push = self.gap[:, None] * unit_rows(self.difference, self.distance)   # (N, D)
        d_x1 = self.share(dy) * np.where(self.same[:, None], self.difference, -push)
        return d_x1, -d_x1


class TripletMarginLoss(Loss):
    r"""Bring an anchor nearer to its like than to another, by a margin.

    .. math:: L_i = \max(0,\; d(a_i, p_i) - d(a_i, n_i) + m), \qquad
              d(u, v) = \lVert u - v + \epsilon \mathbf{1} \rVert_2, \quad \epsilon = 10^{-6}

    Parameters
    ----------
    margin : float
        The margin m, greater than 0.
    reduction : {"mean", "sum"}
        Over the triplets.

    Notes
    -----
    PyTorch adds :math:`\epsilon` to each coordinate of the difference, so that two equal points
    have a small distance with a gradient. The reference follows, although the distance is then
    not quite symmetric. FaceNet compares *squared* distances instead.

    References
    ----------
    Schroff, Kalenichenko and Philbin, "FaceNet" (2015), section 3.1.
    Balntas, Riba, Ponsa and Mikolajczyk, "Learning Local Feature Descriptors with Triplets and
    Shallow Convolutional Neural Networks" (2016).
    """

    eps = 1e-6

    def __init__(self, margin=1.0, reduction="mean"):
        super().__init__(reduction)
        self.margin = check_number(margin, "margin", low=0, low_open=True)

    def forward(self, anchor, positive, negative):
        """Compute the loss.

        Parameters
        ----------
        anchor, positive, negative : ndarray of shape (N, D)
            Row i of `positive` is of the class of row i of `anchor`, and row i of `negative` is
            not.

        Returns
        -------
        numpy.floating
        """
        check_array(anchor, "anchor", shape=("N", "D"), empty=self.reduction == "sum")
        check_array(positive, "positive", shape=anchor.shape, dtype=anchor.dtype)
        check_array(negative, "negative", shape=anchor.shape, dtype=anchor.dtype)
        to_positive = anchor - positive + self.eps                     # (N, D)
        to_negative = anchor - negative + self.eps                     # (N, D)
        d_positive = np.sqrt((to_positive**2).sum(axis=1))             # (N,)
        d_negative = np.sqrt((to_negative**2).sum(axis=1))             # (N,)
        self.u_positive = unit_rows(to_positive, d_positive)
        self.u_negative = unit_rows(to_negative, d_negative)
        excess = d_positive - d_negative + self.margin                 # (N,)
        self.active = excess >= 0                                      # at the kink itself too, as PyTorch
        return self.reduce(np.maximum(excess, 0))

    def backward(self, dy=1.0):
        r"""Compute the gradients of the triplets that do not keep the margin.

        .. math::

            \frac{\partial L_i}{\partial p_i} = -u_i, \qquad
            \frac{\partial L_i}{\partial n_i} = v_i, \qquad
            \frac{\partial L_i}{\partial a_i} = u_i - v_i,

        where u and v are the unit vectors from p and n towards a.

        Parameters
        ----------
        dy : float

        Returns
        -------
        (ndarray of shape (N, D), ndarray of shape (N, D), ndarray of shape (N, D))
            For `anchor`, `positive` and `negative`.
        """
        weight = self.share(dy) * self.active[:, None].astype(self.u_positive.dtype)   # (N, 1)
        grad_positive = -weight * self.u_positive                      # (N, D)
        grad_negative = weight * self.u_negative                       # (N, D)
        return -grad_positive - grad_negative, grad_positive, grad_negative


def pairwise_distances(x, y):
    r"""Compute the Euclidean distance of every row of one array to every row of another.

    .. math:: d_{ij} = \lVert x_i - y_j \rVert_2

    Parameters
    ----------
    x : ndarray of shape (N, D)
    y : ndarray of shape (M, D), of the dtype of x

    Returns
    -------
    ndarray of shape (N, M)

    Notes
    -----
    Expanded to :math:`\lVert x_i \rVert^2 - 2 x_i^\top y_j + \lVert y_j \rVert^2`, all distances are
    one matrix product. But near points far from the origin then have a distance that is a small
    difference of large numbers, and the sum may even be negative. So the differences are taken
    first, one row of `x` at a time, since all of them at once would fill N·M·D numbers.
    """
    check_array(x, "x", shape=("N", "D"))
    check_array(y, "y", shape=("M", x.shape[1]), dtype=x.dtype)
    distances = np.empty((len(x), len(y)), dtype=x.dtype)
    for i, row in enumerate(x):
        distances[i] = np.sqrt(((row - y) ** 2).sum(axis=1))           # (M, D) -> (M,)
    return distances
