"""The multilayer perceptron in PyTorch: a ``torch.nn.Sequential``."""

from itertools import pairwise

import torch

from .activations_torch import ELU, LeakyReLU, ReLU, Sigmoid, Tanh
from .delta_rule import check_sizes
from .dropout_torch import Dropout
from .initializers_torch import he_normal, xavier_normal
from .linear_torch import Linear
from .validation import check_choice, check_number, describe

__all__ = ["MLP", "count_parameters"]

ACTIVATIONS = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU, "leaky_relu": LeakyReLU, "elu": ELU}


class MLP(torch.nn.Sequential):
    """Feedforward network of linear layers, with an activation after each but the last.

    Parameters
    ----------
    sizes : sequence of int
    activation : {"sigmoid", "tanh", "relu", "leaky_relu", "elu"}
    bias : bool
    dropout : float
        Probability of dropping a hidden unit in training.
    rng : torch.Generator, optional
        Draws the initial weights and the dropped units; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, sizes, activation="relu", bias=True, dropout=0.0, *, rng=None, dtype=None, device=None):
        sizes = check_sizes(sizes)
        check_choice(activation, "activation", ACTIVATIONS)
        check_number(dropout, "dropout", low=0, high=1)
        initialise = xavier_normal if activation in ("sigmoid", "tanh") else he_normal
        layers = []
        for num_inputs, num_outputs in pairwise(sizes):
            if layers:
                layers.append(ACTIVATIONS[activation]())
                if dropout > 0:
                    layers.append(Dropout(dropout, rng=rng))
            linear = Linear(num_inputs, num_outputs, bias, rng=rng, dtype=dtype, device=device)
            weight = initialise((num_outputs, num_inputs), rng=rng, dtype=dtype, device=device)
            linear.weight = torch.nn.Parameter(weight)
            if bias:
                torch.nn.init.zeros_(linear.bias)
            layers.append(linear)
        super().__init__(*layers)


def count_parameters(module):
    """Count the trainable numbers of a module; a parameter that is used twice counts once.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    int
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module: expected a Module, got {describe(module)}")
    return sum(parameter.numel() for parameter in module.parameters())
