"""Heads in PyTorch: a linear layer with a loss of ``torch.nn``."""

import torch

from .linear_torch import Linear
from .losses_torch import BCEWithLogitsLoss, CrossEntropyLoss, MSELoss
from .validation import check_integer
from .validation_torch import check_tensor

__all__ = ["MultiClassHead", "MultiLabelHead", "RegressionHead"]


def check_output(head, output):
    """Check that ``output`` may have come from the head."""
    check_tensor(output, "output", shape=("N", head.out_features), dtype=head.weight.dtype)


class RegressionHead(Linear):
    """Predict numbers; learn from the squared error.

    Parameters
    ----------
    in_features, out_features : int
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_features, out_features, *, rng=None, dtype=None, device=None):
        check_integer(in_features, "in_features", low=1)
        check_integer(out_features, "out_features", low=1)
        super().__init__(in_features, out_features, rng=rng, dtype=dtype, device=device)
        self.criterion = MSELoss()

    def loss(self, output, target):
        """Compute the mean squared error of outputs (N, M)."""
        check_output(self, output)
        return self.criterion(output, target)

    def predict(self, output):
        """Return the outputs: they are the numbers."""
        check_output(self, output)
        return output


class MultiClassHead(Linear):
    """Choose exactly one of several classes: their probabilities compete.

    Parameters
    ----------
    in_features, num_classes : int
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_features, num_classes, *, rng=None, dtype=None, device=None):
        check_integer(in_features, "in_features", low=1)
        check_integer(num_classes, "num_classes", low=1)
        super().__init__(in_features, num_classes, rng=rng, dtype=dtype, device=device)
        self.criterion = CrossEntropyLoss()

    def loss(self, output, target):
        """Compute the mean cross entropy of outputs (N, C)."""
        check_output(self, output)
        return self.criterion(output, target)

    def probabilities(self, output):
        """Turn scores into probabilities, which sum to one over the classes."""
        check_output(self, output)
        return output.softmax(1)

    def predict(self, output):
        """Choose the most probable class of each row."""
        check_output(self, output)
        return output.argmax(1)


class MultiLabelHead(Linear):
    """Decide on each of several labels by itself: any number of them may apply.

    Parameters
    ----------
    in_features, num_labels : int
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_features, num_labels, *, rng=None, dtype=None, device=None):
        check_integer(in_features, "in_features", low=1)
        check_integer(num_labels, "num_labels", low=1)
        super().__init__(in_features, num_labels, rng=rng, dtype=dtype, device=device)
        self.criterion = BCEWithLogitsLoss()

    def loss(self, output, target):
        """Compute the mean binary cross entropy of outputs (N, K)."""
        check_output(self, output)
        return self.criterion(output, target)

    def probabilities(self, output):
        """Turn each score into the probability of its label."""
        check_output(self, output)
        return output.sigmoid()

    def predict(self, output):
        """Decide for each label whether it is more probable than not."""
        check_output(self, output)
        return (output > 0).to(torch.int64)
