r"""Multi-task learning: one network for several tasks, with hard or soft sharing of parameters.

The losses of the tasks are added up with weights, :math:`L = l_a + \alpha l_b + \beta l_c + \cdots`,
and all parameters learn from the sum.

.. rubric:: References

Caruana (1997), Multitask learning, Machine Learning 28, pages 41-75 (hard sharing).

Duong, Cohn, Bird and Cook (2015), Low resource dependency parsing: cross-lingual parameter sharing
in a neural network parser, ACL, section 3 (soft sharing).

Ruder (2017), An overview of multi-task learning in deep neural networks, arXiv:1706.05098,
section 3 (the two names).
"""

import numbers
from itertools import combinations

import numpy as np

from .module import Module
from .validation import check_number, describe

__all__ = ["HardSharing", "SoftSharing", "weighted_sum"]


def check_modules(modules, name, kind=Module):
    """Check that ``modules`` maps at least one name to a module."""
    if not isinstance(modules, dict) or not modules:
        raise TypeError(f"{name}: expected a dict of at least one name to a Module, got {describe(modules)}")
    for key, module in modules.items():
        if not isinstance(key, str) or not isinstance(module, kind):
            raise TypeError(f"{name}[{key!r}]: expected a name for a Module, got {describe(module)}")
    return dict(modules)


def check_same_keys(given, expected, name, expected_name):
    """Check that a dict has an entry for each of the expected names, and no other."""
    if not isinstance(given, dict):
        raise TypeError(f"{name}: expected a dict, got {describe(given)}")
    if given.keys() != expected.keys():
        raise ValueError(f"{name}: expected the names of {expected_name}, {sorted(expected)}, got {sorted(given)}")


class HardSharing(Module):
    r"""One trunk that all tasks share, and a head for each.

    .. math:: y_k = h_k(f(x)), \qquad
              \mathrm{d}x = f'(x)^\top \sum_k h_k'(f(x))^\top\, \mathrm{d}y_k

    The trunk gets the sum of the gradients of all tasks.

    Parameters
    ----------
    trunk : Module
        Computes the shared features.
    heads : dict of str to Module
        By the name of the task; each takes the features.

    Attributes
    ----------
    trunk : Module
    heads : dict of str to Module

    Raises
    ------
    TypeError
        If something is not a module, or there are no heads.
    """

    def __init__(self, trunk, heads):
        super().__init__()
        if not isinstance(trunk, Module):
            raise TypeError(f"trunk: expected a Module, got {describe(trunk)}")
        self.trunk = trunk
        self.heads = check_modules(heads, "heads")

    def named_children(self):
        """Yield the trunk, then each head as ``heads.name``, as a ``torch.nn.ModuleDict`` does.

        Yields
        ------
        (str, Module)
        """
        yield "trunk", self.trunk
        for name, head in self.heads.items():
            yield f"heads.{name}", head

    def forward(self, x):
        """Compute the features once, and every head's output from them.

        Parameters
        ----------
        x : ndarray

        Returns
        -------
        dict of str to ndarray
        """
        features = self.trunk(x)
        return {name: head(features) for name, head in self.heads.items()}

    def backward(self, dy):
        """Add up what the heads send back, and pass the sum through the trunk.

        Parameters
        ----------
        dy : dict of str to ndarray
            Gradient for the output of each head.

        Returns
        -------
        ndarray of the shape of x
        """
        check_same_keys(dy, self.heads, "dy", "heads")
        return self.trunk.backward(sum(head.backward(dy[name]) for name, head in self.heads.items()))


class SoftSharing(Module):
    r"""A network of its own for each task, and a penalty that keeps their parameters alike.

    .. math:: P = c \sum_{a < b} \|\theta_a - \theta_b\|^2

    Parameters
    ----------
    towers : dict of str to Module
        By the name of the task; all of one architecture.
    coefficient : float
        The strength c of the pull: with 0 the towers learn apart.

    Attributes
    ----------
    towers : dict of str to Module
    coefficient : float

    Raises
    ------
    TypeError, ValueError
        If something is not a module, the coefficient is negative, or two towers have parameters of
        different names or shapes.
    """

    def __init__(self, towers, coefficient):
        super().__init__()
        self.towers = check_modules(towers, "towers")
        self.coefficient = check_number(coefficient, "coefficient", low=0)
        check_alike(self.towers)

    def named_children(self):
        """Yield each tower as ``towers.name``, as a ``torch.nn.ModuleDict`` does.

        Yields
        ------
        (str, Module)
        """
        for name, tower in self.towers.items():
            yield f"towers.{name}", tower

    def forward(self, x):
        """Compute every tower's output from the same input.

        Parameters
        ----------
        x : ndarray

        Returns
        -------
        dict of str to ndarray
        """
        return {name: tower(x) for name, tower in self.towers.items()}

    def backward(self, dy):
        """Pass each output's gradient through its tower, and add up what arrives at the input.

        Parameters
        ----------
        dy : dict of str to ndarray
            Gradient for the output of each tower.

        Returns
        -------
        ndarray of the shape of x
        """
        check_same_keys(dy, self.towers, "dy", "towers")
        return sum(tower.backward(dy[name]) for name, tower in self.towers.items())

    def penalty(self):
        r"""Compute :math:`P = c \sum_{a < b} \|\theta_a - \theta_b\|^2`.

        Returns
        -------
        float
            In the type of the parameters.
        """
        return self.coefficient * sum(np.square(a.data - b.data).sum() for a, b in self.pairs())

    def penalty_backward(self, dy=1.0):
        r"""Add the gradient of the penalty to that of every parameter.

        .. math:: \frac{\partial P}{\partial \theta_a} = 2 c \sum_{b \ne a} (\theta_a - \theta_b)

        Parameters
        ----------
        dy : float
            Gradient of the loss with respect to the penalty.
        """
        check_number(dy, "dy")
        for a, b in self.pairs():
            pull = 2 * self.coefficient * dy * (a.data - b.data)
            a.accumulate(pull)
            b.accumulate(-pull)

    def pairs(self):
        """Yield the parameters that should be alike: each of one tower with its like in another.

        Yields
        ------
        (Parameter, Parameter)
        """
        for one, other in combinations(self.towers.values(), 2):
            yield from zip(one.parameters(), other.parameters(), strict=True)


def check_alike(towers):
    """Check that there are two towers or more, with parameters of the same names and shapes."""
    if len(towers) < 2:
        raise ValueError(f"towers: expected at least two, got {len(towers)}")
    layouts = {
        name: [(key, tuple(parameter.shape)) for key, parameter in tower.named_parameters()]
        for name, tower in towers.items()
    }
    (first, expected), *rest = layouts.items()
    for name, layout in rest:
        if layout != expected:
            raise ValueError(f"towers[{name!r}]: expected parameters like those of {first!r}, {expected}, got {layout}")


def weighted_sum(losses, weights):
    r"""Combine the losses of several tasks.

    .. math:: L = \sum_k \lambda_k\, l_k, \qquad \frac{\partial L}{\partial l_k} = \lambda_k

    Parameters
    ----------
    losses : dict of str to float
        By the name of the task.
    weights : dict of str to float
        :math:`\lambda_k \ge 0` for the same names.

    Returns
    -------
    float
        In the type of the losses.

    Raises
    ------
    TypeError, ValueError
        If the names differ, a weight is negative, or there are no losses.
    """
    check_same_keys(weights, losses, "weights", "losses")
    if not losses:
        raise ValueError("losses: expected at least one, got none")
    for name, loss in losses.items():
        if not isinstance(loss, numbers.Real):
            raise TypeError(f"losses[{name!r}]: expected a number, got {describe(loss)}")
        check_number(weights[name], f"weights[{name!r}]", low=0)
    return sum(float(weights[name]) * loss for name, loss in losses.items())
