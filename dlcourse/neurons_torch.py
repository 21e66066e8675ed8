"""The first artificial neurons in PyTorch: tensor code, since ``torch.nn`` has neither."""

import torch

from .validation import check_integer, check_same_length
from .validation_torch import check_tensor

__all__ = ["McCullochPitts", "Perceptron", "novikoff_bound"]


class McCullochPitts(torch.nn.Module):
    """Threshold unit with binary inputs, equal weights and absolute inhibition.

    Parameters
    ----------
    num_inputs : int
    threshold : int
        Number of active excitatory inputs that make the unit fire.
    inhibitory : sequence of int
        Positions of the inhibitory inputs.
    """

    def __init__(self, num_inputs, threshold, inhibitory=()):
        super().__init__()
        self.num_inputs = check_integer(num_inputs, "num_inputs", low=1)
        self.threshold = check_integer(threshold, "threshold", low=0)
        self.inhibitory = [check_integer(i, "inhibitory", low=0, high=num_inputs - 1) for i in inhibitory]
        self.excitatory = [i for i in range(num_inputs) if i not in self.inhibitory]

    def forward(self, x):
        """Decide for each row whether the unit fires.

        Parameters
        ----------
        x : Tensor of int, shape (..., D)

        Returns
        -------
        Tensor of int, shape (...)
        """
        check_tensor(x, "x", shape=(..., self.num_inputs), kind="int")
        if x.device.type == "cpu" and not torch.compiler.is_compiling():
            check_values(x, "x", (0, 1))
        excitation = x[..., self.excitatory].sum(-1)
        inhibited = (x[..., self.inhibitory] != 0).any(-1)
        return ((excitation >= self.threshold) & ~inhibited).to(x.dtype)


class Perceptron(torch.nn.Module):
    """Linear threshold unit that learns from its mistakes, without gradients.

    Parameters
    ----------
    num_inputs : int
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, num_inputs, *, dtype=None, device=None):
        super().__init__()
        self.num_inputs = check_integer(num_inputs, "num_inputs", low=1)
        weight = torch.zeros(num_inputs, dtype=dtype, device=device)
        self.weight = torch.nn.Parameter(weight, requires_grad=False)
        self.bias = torch.nn.Parameter(weight.new_zeros(()), requires_grad=False)

    def score(self, x):
        """Compute w·x + b.

        Parameters
        ----------
        x : Tensor of shape (..., D)

        Returns
        -------
        Tensor of shape (...)
        """
        check_tensor(x, "x", shape=(..., self.num_inputs), dtype=self.weight.dtype)
        return x @ self.weight + self.bias

    def forward(self, x):
        """Classify each row: +1 where the score is positive, else -1.

        Parameters
        ----------
        x : Tensor of shape (..., D)

        Returns
        -------
        Tensor of int64, shape (...)
        """
        return torch.where(self.score(x) > 0, 1, -1)

    def update(self, x, y):
        """Learn from one example; return whether the weights moved.

        Parameters
        ----------
        x : Tensor of shape (D,)
        y : int
            Its label, -1 or +1.

        Returns
        -------
        bool
        """
        check_tensor(x, "x", shape=(self.num_inputs,), dtype=self.weight.dtype)
        check_finite(x, "x")
        if check_integer(y, "y") not in (-1, 1):
            raise ValueError(f"y: expected -1 or 1, got {y}")
        return self._learn(x, y)

    def _learn(self, x, y):
        mistaken = bool(y * self.score(x) <= 0)
        if mistaken:
            self.weight += y * x
            self.bias += y
        return mistaken

    def fit(self, x, y, *, max_epochs, rng=None):
        """Go through the examples until an epoch passes without a mistake.

        Parameters
        ----------
        x : Tensor of shape (N, D)
        y : Tensor of int, shape (N,)
        max_epochs : int
        rng : torch.Generator, optional
            Shuffles the examples anew in each epoch.

        Returns
        -------
        dict
            ``"mistakes"`` per epoch; ``"weights"`` and ``"biases"`` after each update.
        """
        check_tensor(x, "x", shape=("N", self.num_inputs), dtype=self.weight.dtype, empty=False)
        check_finite(x, "x")
        check_signs(x, y)
        check_integer(max_epochs, "max_epochs", low=1)
        order = range(len(x))
        labels = y.tolist()
        history = {"mistakes": [], "weights": [], "biases": []}
        for _ in range(max_epochs):
            mistakes = 0
            if rng is not None:
                order = torch.randperm(len(x), generator=rng).tolist()
            for i in order:
                if self._learn(x[i], labels[i]):
                    mistakes += 1
                    history["weights"].append(self.weight.clone())
                    history["biases"].append(self.bias.clone())
            history["mistakes"].append(mistakes)
            if mistakes == 0:
                break
        return history


def novikoff_bound(x, y, weight, bias):
    """Bound the number of updates of a perceptron by (R / γ)², given a separating line.

    Parameters
    ----------
    x : Tensor of shape (N, D)
    y : Tensor of int, shape (N,)
    weight : Tensor of shape (D,)
    bias : Tensor of shape () or float

    Returns
    -------
    Tensor of shape ()
    """
    check_tensor(x, "x", shape=("N", "D"), empty=False)
    check_finite(x, "x")
    check_signs(x, y)
    check_tensor(weight, "weight", shape=(x.shape[1],), dtype=x.dtype)
    ones = x.new_ones(len(x), 1)
    extended = torch.cat([x, ones], dim=1)
    line = torch.cat([weight, weight.new_full((1,), float(bias))])
    radius = extended.norm(dim=1).max()
    margins = y * (extended @ line) / line.norm()
    if not margins.min() > 0:
        raise ValueError(
            f"weight, bias: expected a line that separates the data, got example {int(margins.argmin())} "
            "on the wrong side or on the line"
        )
    return (radius / margins.min()) ** 2


def check_values(x, name, allowed):
    """Check that every element of ``x`` is one of a few numbers."""
    wrong = ~torch.isin(x, torch.tensor(allowed, device=x.device))
    if wrong.any():
        index = tuple(wrong.nonzero()[0].tolist())
        value = int(x[index])
        raise ValueError(f"{name}: expected only {' and '.join(map(str, allowed))}, got {value} at index {index}")


def check_signs(x, y):
    """Check that ``y`` has a label, -1 or +1, for each row of ``x``."""
    check_tensor(y, "y", shape=("N",), kind="int")
    check_same_length(x=x, y=y)
    check_values(y, "y", (-1, 1))


def check_finite(x, name):
    """Check that no element of ``x`` is NaN or infinite; learning stops for every mistake anyway."""
    bad = ~x.isfinite()
    if bad.any():
        index = tuple(bad.nonzero()[0].tolist())
        raise ValueError(f"{name}: expected finite numbers, got {float(x[index])} at index {index}")
