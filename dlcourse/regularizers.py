"""Weight penalties: what is added to the loss so that, of two models that fit, the simpler wins.

A penalty has no input but the parameters themselves. ``forward(params)`` returns a number to be
added to the loss, and ``backward()`` adds the penalty's gradient to each parameter's, beside what
the loss has put there:

>>> import numpy as np
>>> from dlcourse.module import Parameter
>>> w = Parameter(np.array([3.0, -4.0]))
>>> penalty = L2(0.1)
>>> print(penalty([w]))
2.5
>>> penalty.backward()
>>> print(w.grad)
[ 0.6 -0.8]

Biases are usually not penalised: pass the weights only.
"""

import numpy as np

from .module import Module, Parameter
from .validation import check_number, describe

__all__ = ["L1", "L2", "ElasticNet"]


def check_parameters(params):
    """Check that ``params`` is a collection of at least one Parameter, and list it."""
    if not hasattr(params, "__iter__"):
        raise TypeError(f"params: expected a list of Parameters, got {describe(params)}")
    params = list(params)
    if not params:
        raise ValueError("params: expected at least one Parameter, got none")
    for index, parameter in enumerate(params):
        if not isinstance(parameter, Parameter):
            raise TypeError(f"params[{index}]: expected a Parameter, got {describe(parameter)}")
    return params


class L2(Module):
    r"""Penalty on the squares of the weights.

    .. math:: \lambda R(W) = \lambda \sum_k \sum_l W_{kl}^2

    It prefers many small weights to a few large ones.

    Parameters
    ----------
    coefficient : float
        The strength :math:`\lambda`, at least 0.

    Notes
    -----
    Many texts put 1/2 in front. The weight decay of PyTorch's SGD is that one: its
    ``weight_decay`` is :math:`2 \lambda`.

    References
    ----------
    Hoerl and Kennard, "Ridge Regression" (1970).
    """

    def __init__(self, coefficient):
        super().__init__()
        self.coefficient = check_number(coefficient, "coefficient", low=0)

    def forward(self, params):
        r"""Compute the penalty.

        Parameters
        ----------
        params : list of Parameter

        Returns
        -------
        numpy.floating
        """
        self.params = check_parameters(params)
        return self.coefficient * sum(np.sum(p.data**2) for p in self.params)

    def backward(self, dy=1.0):
        r"""Add :math:`2 \lambda W` to the gradient of each parameter.

        Parameters
        ----------
        dy : float
            Gradient of the total loss with respect to the penalty.
        """
        dy = check_number(dy, "dy")
        for p in self.params:
            p.accumulate(dy * 2 * self.coefficient * p.data)


class L1(Module):
    r"""Penalty on the absolute values of the weights.

    .. math:: \lambda R(W) = \lambda \sum_k \sum_l |W_{kl}|

    Its pull towards zero does not weaken near zero, so that many weights end there.

    Parameters
    ----------
    coefficient : float
        The strength :math:`\lambda`, at least 0.

    References
    ----------
    Tibshirani, "Regression Shrinkage and Selection via the Lasso" (1996).
    """

    def __init__(self, coefficient):
        super().__init__()
        self.coefficient = check_number(coefficient, "coefficient", low=0)

    def forward(self, params):
        r"""Compute the penalty.

        Parameters
        ----------
        params : list of Parameter

        Returns
        -------
        numpy.floating
        """
        self.params = check_parameters(params)
        return self.coefficient * sum(np.sum(np.abs(p.data)) for p in self.params)

    def backward(self, dy=1.0):
        r"""Add :math:`\lambda\, \mathrm{sign}(W)`, which is 0 at 0, to the gradient of each parameter.

        Parameters
        ----------
        dy : float
            Gradient of the total loss with respect to the penalty.
        """
        dy = check_number(dy, "dy")
        for p in self.params:
            p.accumulate(dy * self.coefficient * np.sign(p.data))


class ElasticNet(Module):
    r"""Sum of both penalties.

    .. math:: R(W) = \sum_k \sum_l \left(\lambda_1 |W_{kl}| + \lambda_2 W_{kl}^2\right)

    Parameters
    ----------
    l1, l2 : float
        The strengths :math:`\lambda_1` and :math:`\lambda_2`, at least 0. The lecture's
        :math:`\beta` is :math:`\lambda_2 / \lambda_1`.

    References
    ----------
    Zou and Hastie, "Regularization and Variable Selection via the Elastic Net" (2005), section 2.1.
    """

    def __init__(self, l1, l2):
        super().__init__()
        self.l1 = check_number(l1, "l1", low=0)
        self.l2 = check_number(l2, "l2", low=0)

    def forward(self, params):
        r"""Compute the penalty.

        Parameters
        ----------
        params : list of Parameter

        Returns
        -------
        numpy.floating
        """
        self.params = check_parameters(params)
        return sum(np.sum(self.l1 * np.abs(p.data) + self.l2 * p.data**2) for p in self.params)

    def backward(self, dy=1.0):
        r"""Add :math:`\lambda_1\, \mathrm{sign}(W) + 2 \lambda_2 W` to the gradient of each parameter.

        Parameters
        ----------
        dy : float
            Gradient of the total loss with respect to the penalty.
        """
        dy = check_number(dy, "dy")
        for p in self.params:
            p.accumulate(dy * (self.l1 * np.sign(p.data) + 2 * self.l2 * p.data))
