"""Multi-task learning in PyTorch: ``torch.nn.ModuleDict`` holds the heads or towers."""

from itertools import combinations

import torch

from .multitask import check_alike, check_modules, check_same_keys
from .validation import check_number, describe
from .validation_torch import check_tensor

__all__ = ["HardSharing", "SoftSharing", "weighted_sum"]


class HardSharing(torch.nn.Module):
    """One trunk that all tasks share, and a head for each.

    Parameters
    ----------
    trunk : torch.nn.Module
    heads : dict of str to torch.nn.Module
    """

    def __init__(self, trunk, heads):
        super().__init__()
        if not isinstance(trunk, torch.nn.Module):
            raise TypeError(f"trunk: expected a Module, got {describe(trunk)}")
        self.trunk = trunk
        self.heads = torch.nn.ModuleDict(check_modules(heads, "heads", torch.nn.Module))

    def forward(self, x):
        """Compute the features once, and every head's output from them.

        Parameters
        ----------
        x : Tensor

        Returns
        -------
        dict of str to Tensor
        """
        features = self.trunk(x)
        return {name: head(features) for name, head in self.heads.items()}


class SoftSharing(torch.nn.Module):
    """A network of its own for each task, and a penalty that keeps their parameters alike.

    Parameters
    ----------
    towers : dict of str to torch.nn.Module
    coefficient : float
    """

    def __init__(self, towers, coefficient):
        super().__init__()
        self.towers = torch.nn.ModuleDict(check_modules(towers, "towers", torch.nn.Module))
        self.coefficient = check_number(coefficient, "coefficient", low=0)
        check_alike(self.towers)

    def forward(self, x):
        """Compute every tower's output from the same input.

        Parameters
        ----------
        x : Tensor

        Returns
        -------
        dict of str to Tensor
        """
        return {name: tower(x) for name, tower in self.towers.items()}

    def penalty(self):
        """Compute c Σ ‖θ_a - θ_b‖² over the pairs of towers.

        Returns
        -------
        Tensor of shape ()
        """
        pairs = [
            pair
            for one, other in combinations(self.towers.values(), 2)
            for pair in zip(one.parameters(), other.parameters(), strict=True)
        ]
        return self.coefficient * sum((a - b).square().sum() for a, b in pairs)


def weighted_sum(losses, weights):
    """Combine the losses of several tasks: Σ λ_k l_k.

    Parameters
    ----------
    losses : dict of str to Tensor of shape ()
    weights : dict of str to float

    Returns
    -------
    Tensor of shape ()
    """
    check_same_keys(weights, losses, "weights", "losses")
    if not losses:
        raise ValueError("losses: expected at least one, got none")
    for name, loss in losses.items():
        check_tensor(loss, f"losses[{name!r}]", shape=())
        check_number(weights[name], f"weights[{name!r}]", low=0)
    return sum(weights[name] * loss for name, loss in losses.items())
