"""The multilayer perceptron: linear layers with an activation between them."""

from itertools import pairwise

import numpy as np

from .activations import ELU, LeakyReLU, ReLU, Sigmoid, Tanh
from .delta_rule import check_sizes
from .dropout import Dropout
from .initializers import he_normal, xavier_normal
from .linear import Linear
from .module import Module, Sequential
from .validation import check_choice, check_number, describe

__all__ = ["MLP", "count_parameters"]

ACTIVATIONS = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU, "leaky_relu": LeakyReLU, "elu": ELU}


class MLP(Sequential):
    r"""Feedforward network of linear layers, with an activation after each but the last.

    .. math:: f(x) = W_L\, \phi(\dots \phi(W_2\, \phi(W_1 x + b_1) + b_2) \dots) + b_L

    With ``bias=False``, sizes ``[D, C]`` give the linear score function :math:`f = W x`, and
    ``[D, H, C]`` the two-layer network :math:`f = W_2 \max(0, W_1 x)`.

    Weights are drawn from a normal distribution with mean 0, whose variance keeps the scale of
    activations and gradients about the same from layer to layer. For I inputs and J outputs it is
    :math:`2 / I` (He) with the activations that cut off one half of the line, and
    :math:`2 / (I + J)` (Xavier) with sigmoid and tanh. Biases start at zero.

    Parameters
    ----------
    sizes : sequence of int
        Number of inputs, of units in each hidden layer, and of outputs.
    activation : {"sigmoid", "tanh", "relu", "leaky_relu", "elu"}
    bias : bool
        Whether the linear layers add biases.
    dropout : float
        Probability of dropping a hidden unit in training. With 0 there are no dropout layers, and
        the linear layers are numbers 0, 2, 4 and so on; with others, 0, 3, 6 and so on.
    rng : numpy.random.Generator
        Draws the initial weights and the dropped units.
    dtype : numpy.dtype
        float32 or float64.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, there are fewer than two, the activation is
        unknown, or the dropout is no probability.

    References
    ----------
    Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward neural
    networks, AISTATS, section 4.2.1.

    He, Zhang, Ren and Sun (2015), Delving deep into rectifiers, ICCV, section 2.2.
    """

    def __init__(self, sizes, activation="relu", bias=True, dropout=0.0, *, rng, dtype=np.float64):
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
            linear = Linear(num_inputs, num_outputs, bias, rng=rng, dtype=dtype)
            linear.weight.data = initialise(linear.weight.shape, rng=rng, dtype=dtype)
            if bias:
                linear.bias.data[...] = 0
            layers.append(linear)
        super().__init__(*layers)


def count_parameters(module):
    """Count the trainable numbers of a module; a parameter that is used twice counts once.

    Parameters
    ----------
    module : Module

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If `module` is not a module.
    """
    if not isinstance(module, Module):
        raise TypeError(f"module: expected a Module, got {describe(module)}")
    different = {id(parameter): parameter for parameter in module.parameters()}
    return sum(parameter.data.size for parameter in different.values())
