"""What the networks share: layers with names, images of one size, and initial weights."""

from collections import OrderedDict
from functools import partial

from torch import nn

from ..validation_torch import check_tensor

__all__ = ["Network", "initialise", "krizhevsky_norm"]

gaussian = partial(nn.init.normal_, std=0.01)
he = partial(nn.init.kaiming_normal_, nonlinearity="relu")
xavier = nn.init.xavier_uniform_


class Network(nn.Sequential):
    """Layers with names, one after the other, for colour images.

    Parameters
    ----------
    layers : iterable of (str, torch.nn.Module)
    size : int, optional
        Height and width that the images must have; any where it is not given.
    """

    def __init__(self, layers, size=None):
        super().__init__(OrderedDict(layers))
        self.size = ("H", "W") if size is None else (size, size)

    def forward(self, x):
        """Compute the scores of the classes.

        Parameters
        ----------
        x : Tensor of shape (N, 3, H, W)

        Returns
        -------
        Tensor of shape (N, num_classes)

        Raises
        ------
        TypeError, ValueError
            If ``x`` does not hold colour images of the network's size.
        """
        check_tensor(x, "x", shape=("N", 3, *self.size))
        return super().forward(x)


def initialise(network, weight, rng):
    """Draw the weights of all convolutions and linear layers, and set their biases to zero.

    Parameters
    ----------
    network : torch.nn.Module
    weight : callable
        Fills a tensor in place, and takes a ``generator``.
    rng : torch.Generator or None
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            weight(layer.weight, generator=rng)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def krizhevsky_norm():
    r"""Make the response normalisation of AlexNet.

    .. math:: b_c = a_c \Bigl/ \Bigl(2 + 10^{-4} \textstyle\sum_{|d - c| \le 2} a_d^2\Bigr)^{0.75}

    PyTorch divides its ``alpha`` by the number of channels in the sum, which is 5.
    """
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
