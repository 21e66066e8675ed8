"""The same network with the deltas left to autograd: a delta is -∂E/∂net."""

import torch

from .delta_rule import check_sizes
from .validation import check_number
from .validation_torch import check_tensor

__all__ = ["DeltaRuleNetwork"]


class DeltaRuleNetwork(torch.nn.Module):
    """Feedforward network of sigmoid units, trained by gradient descent on E = ½ Σ (T - a)².

    Parameters
    ----------
    sizes : sequence of int
        Number of units in each layer, the inputs first.
    bias : bool
    rng : torch.Generator, optional
        Draws the initial weights; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, sizes, bias=False, *, rng=None, dtype=None, device=None):
        super().__init__()
        self.sizes = check_sizes(sizes)
        self.weights, self.biases = torch.nn.ParameterList(), torch.nn.ParameterList()
        for num_from, num_to in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            bound = num_from**-0.5
            weight = torch.empty(num_to, num_from, dtype=dtype, device=device)
            self.weights.append(torch.nn.init.uniform_(weight, -bound, bound, generator=rng))
            if bias:
                vector = torch.empty(num_to, dtype=dtype, device=device)
                self.biases.append(torch.nn.init.uniform_(vector, -bound, bound, generator=rng))

    def forward(self, x):
        """Compute the activities of the last layer; keep the net inputs for `deltas`.

        Parameters
        ----------
        x : Tensor of shape (N, D)

        Returns
        -------
        Tensor of shape (N, K)
        """
        check_tensor(x, "x", shape=("N", self.sizes[0]), dtype=self.weights[0].dtype)
        self.nets = []
        for l, weight in enumerate(self.weights):
            net = torch.nn.functional.linear(x, weight, self.biases[l] if self.biases else None)
            self.nets.append(net)
            x = net.sigmoid()
        return x

    def error(self, x, target):
        """Compute E = ½ Σ (T - a)², summed over units and rows.

        Parameters
        ----------
        x : Tensor of shape (N, D)
        target : Tensor of shape (N, K)

        Returns
        -------
        Tensor of shape ()
        """
        a = self(x)
        check_tensor(target, "target", shape=a.shape, dtype=a.dtype)
        return 0.5 * (target - a).square().sum()

    def deltas(self, x, target):
        """Compute -∂E/∂net for each layer but the inputs.

        Parameters
        ----------
        x : Tensor of shape (N, D)
        target : Tensor of shape (N, K)

        Returns
        -------
        list of Tensor, shapes (N, J)
        """
        gradients = torch.autograd.grad(self.error(x, target), self.nets)
        return [-gradient for gradient in gradients]

    def update(self, x, target, eta):
        """Take one step of gradient descent, w ← w - η ∂E/∂w.

        Parameters
        ----------
        x : Tensor of shape (N, D)
        target : Tensor of shape (N, K)
        eta : float
        """
        check_number(eta, "eta", low=0, low_open=True)
        parameters = list(self.parameters())
        gradients = torch.autograd.grad(self.error(x, target), parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= eta * gradient
