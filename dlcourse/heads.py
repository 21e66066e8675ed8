"""Heads: the last linear layer of a network, with the loss and the decision that suit its task.

All three tasks end in the same affine map. What differs is how its outputs are read: as numbers,
as scores of classes that exclude one another, or as scores of labels that do not.
"""

import numpy as np

from .activations import sigmoid, softmax
from .linear import Linear
from .losses import BCEWithLogitsLoss, CrossEntropyLoss, MSELoss
from .validation import check_array, check_integer

__all__ = ["MultiClassHead", "MultiLabelHead", "RegressionHead"]


def check_output(head, output):
    """Check that ``output`` may have come from the head."""
    check_array(output, "output", shape=("N", head.out_features), dtype=head.weight.dtype)


class RegressionHead(Linear):
    r"""Predict numbers; learn from the squared error.

    .. math:: L = \frac{1}{N M} \sum_n \sum_m (y_{nm} - t_{nm})^2

    Parameters
    ----------
    in_features : int
        Number of features, D.
    out_features : int
        Number of numbers to predict, M.
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype
        float32 or float64.
    """

    def __init__(self, in_features, out_features, *, rng, dtype=np.float64):
        super().__init__(in_features, out_features, rng=rng, dtype=dtype)
        self.criterion = MSELoss()

    def loss(self, output, target):
        """Compute the mean squared error.

        Parameters
        ----------
        output : ndarray of shape (N, M)
        target : ndarray of shape (N, M), in the type of the weights

        Returns
        -------
        float
            In the type of `output`.
        """
        check_output(self, output)
        return self.criterion(output, target)

    def loss_backward(self, dy=1.0):
        """Return the gradient of the last loss with respect to the output, for `backward`.

        Parameters
        ----------
        dy : float
            The weight of this loss, where it is one term of a sum.

        Returns
        -------
        ndarray of shape (N, M)
        """
        return self.criterion.backward(dy)

    def predict(self, output):
        """Return the outputs: they are the numbers.

        Parameters
        ----------
        output : ndarray of shape (N, M)

        Returns
        -------
        ndarray of shape (N, M)
        """
        check_output(self, output)
        return output


class MultiClassHead(Linear):
    r"""Choose exactly one of several classes: their probabilities compete.

    .. math:: p_{nc} = \frac{e^{y_{nc}}}{\sum_j e^{y_{nj}}}, \qquad
              L = -\frac1N \sum_n \ln p_{n t_n}

    Parameters
    ----------
    in_features : int
        Number of features, D.
    num_classes : int
        Number of classes, C.
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype
        float32 or float64.
    """

    def __init__(self, in_features, num_classes, *, rng, dtype=np.float64):
        check_integer(num_classes, "num_classes", low=1)
        super().__init__(in_features, num_classes, rng=rng, dtype=dtype)
        self.criterion = CrossEntropyLoss()

    def loss(self, output, target):
        """Compute the mean cross entropy.

        Parameters
        ----------
        output : ndarray of shape (N, C)
        target : ndarray of int, shape (N,)
            Classes, from 0 to C - 1.

        Returns
        -------
        float
            In the type of `output`.
        """
        check_output(self, output)
        return self.criterion(output, target)

    def loss_backward(self, dy=1.0):
        """Return the gradient of the last loss with respect to the output, for `backward`.

        Parameters
        ----------
        dy : float
            The weight of this loss, where it is one term of a sum.

        Returns
        -------
        ndarray of shape (N, C)
        """
        return self.criterion.backward(dy)

    def probabilities(self, output):
        """Turn scores into probabilities, which sum to one over the classes.

        Parameters
        ----------
        output : ndarray of shape (N, C)

        Returns
        -------
        ndarray of shape (N, C)
        """
        check_output(self, output)
        return softmax(output, 1)

    def predict(self, output):
        """Choose the most probable class of each row, the first of several.

        Parameters
        ----------
        output : ndarray of shape (N, C)

        Returns
        -------
        ndarray of int, shape (N,)
        """
        check_output(self, output)
        return output.argmax(axis=1)


class MultiLabelHead(Linear):
    r"""Decide on each of several labels by itself: any number of them may apply.

    .. math:: p_{nl} = \sigma(y_{nl}), \qquad
              L = -\frac{1}{N K} \sum_n \sum_l
                  \big[ t_{nl} \ln p_{nl} + (1 - t_{nl}) \ln(1 - p_{nl}) \big]

    Parameters
    ----------
    in_features : int
        Number of features, D.
    num_labels : int
        Number of labels, K.
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype
        float32 or float64.
    """

    def __init__(self, in_features, num_labels, *, rng, dtype=np.float64):
        check_integer(num_labels, "num_labels", low=1)
        super().__init__(in_features, num_labels, rng=rng, dtype=dtype)
        self.criterion = BCEWithLogitsLoss()

    def loss(self, output, target):
        """Compute the mean binary cross entropy.

        Parameters
        ----------
        output : ndarray of shape (N, K)
        target : ndarray of shape (N, K), in the type of the weights
            Zeros and ones.

        Returns
        -------
        float
            In the type of `output`.
        """
        check_output(self, output)
        return self.criterion(output, target)

    def loss_backward(self, dy=1.0):
        """Return the gradient of the last loss with respect to the output, for `backward`.

        Parameters
        ----------
        dy : float
            The weight of this loss, where it is one term of a sum.

        Returns
        -------
        ndarray of shape (N, K)
        """
        return self.criterion.backward(dy)

    def probabilities(self, output):
        """Turn each score into the probability of its label.

        Parameters
        ----------
        output : ndarray of shape (N, K)

        Returns
        -------
        ndarray of shape (N, K)
        """
        check_output(self, output)
        return sigmoid(output)

    def predict(self, output):
        """Decide for each label whether it is more probable than not.

        Parameters
        ----------
        output : ndarray of shape (N, K)

        Returns
        -------
        ndarray of int, shape (N, K)
            Zeros and ones.
        """
        check_output(self, output)
        return (output > 0).astype(np.int64)               # a score above 0 is a probability above 1/2
