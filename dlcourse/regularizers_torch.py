"""Weight penalties in PyTorch: add one to the loss, and autograd does the rest."""

import torch

from .validation import check_number, describe
from .validation_torch import check_tensor

__all__ = ["L1", "L2", "ElasticNet"]


def check_parameters(params):
    """Check that ``params`` is a collection of at least one tensor, and list it."""
    if isinstance(params, torch.Tensor) or not hasattr(params, "__iter__"):
        got = "a single tensor" if isinstance(params, torch.Tensor) else describe(params)
        raise TypeError(f"params: expected a list of parameters, got {got}")
    params = list(params)
    if not params:
        raise ValueError("params: expected at least one parameter, got none")
    for index, parameter in enumerate(params):
        check_tensor(parameter, f"params[{index}]")
    return params


class L2(torch.nn.Module):
    """Penalty on the squares of the weights, without a factor of 1/2.

    Parameters
    ----------
    coefficient : float
        At least 0.
    """

    def __init__(self, coefficient):
        super().__init__()
        self.coefficient = check_number(coefficient, "coefficient", low=0)

    def forward(self, params):
        """Compute the penalty of a list of parameters, as a tensor of shape ()."""
        return self.coefficient * sum(p.square().sum() for p in check_parameters(params))


class L1(torch.nn.Module):
    """Penalty on the absolute values of the weights.

    Parameters
    ----------
    coefficient : float
        At least 0.
    """

    def __init__(self, coefficient):
        super().__init__()
        self.coefficient = check_number(coefficient, "coefficient", low=0)

    def forward(self, params):
        """Compute the penalty of a list of parameters, as a tensor of shape ()."""
        return self.coefficient * sum(p.abs().sum() for p in check_parameters(params))


class ElasticNet(torch.nn.Module):
    """Sum of both penalties.

    Parameters
    ----------
    l1, l2 : float
        At least 0.
    """

    def __init__(self, l1, l2):
        super().__init__()
        self.l1 = check_number(l1, "l1", low=0)
        self.l2 = check_number(l2, "l2", low=0)

    def forward(self, params):
        """Compute the penalty of a list of parameters, as a tensor of shape ()."""
        return sum((self.l1 * p.abs() + self.l2 * p.square()).sum() for p in check_parameters(params))
