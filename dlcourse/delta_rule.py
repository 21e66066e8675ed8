"""Backpropagation as the lecture writes it: one delta for each sigmoid unit."""

import numpy as np

from .activations import sigmoid
from .module import Module, Parameter
from .validation import check_array, check_integer, check_number, check_rng, describe

__all__ = ["DeltaRuleNetwork"]


def check_sizes(sizes):
    """Check that ``sizes`` lists the widths of the inputs and of one or more layers."""
    if not isinstance(sizes, (list, tuple)):
        raise TypeError(f"sizes: expected a list of integers, got {describe(sizes)}")
    if len(sizes) < 2:
        raise ValueError(f"sizes: expected the inputs and at least one layer, got {sizes}")
    return [check_integer(size, "sizes", low=1) for size in sizes]


class DeltaRuleNetwork(Module):
    r"""Feedforward network of sigmoid units, trained by the delta rule.

    Unit j of a layer gathers the activities :math:`a_i` of the layer before:

    .. math:: net_j = \sum_i w_{ji}\, a_i, \qquad a_j = \sigma(net_j), \qquad
              \sigma'(net_j) = a_j (1 - a_j)

    The error of an example with targets :math:`T_k` is

    .. math:: E = \tfrac12 \sum_k (T_k - a_k)^2

    Every method exists twice: with a loop over units for one example, which reads like the
    formulas (``forward_loops``, ``deltas_loops``), and as matrix products for a batch.

    Parameters
    ----------
    sizes : sequence of int
        Number of units in each layer, the inputs first.
    bias : bool
        Whether each layer also gets weights from a unit whose activity is always 1. The lecture
        has none.
    rng : numpy.random.Generator
        Draws the initial weights, from :math:`U(-1/\sqrt{I}, 1/\sqrt{I})` for I inputs.
    dtype : numpy.dtype
        float32 or float64.

    Attributes
    ----------
    weights : list of Parameter, shapes (J, I)
        ``weights[l].data[j, i]`` is :math:`w_{ji}`, from unit i of layer l to unit j of layer l + 1.
    biases : list of Parameter, shapes (J,)
        Empty without bias.
    activations : list of ndarray
        The activities of all layers in the last forward pass, the inputs first.

    Notes
    -----
    A delta is the *negative* derivative of the error, :math:`\delta_j = -\partial E / \partial
    net_j`, so that adding :math:`\eta\, \delta_j a_i` descends. The lecture's opening slide has
    :math:`w_{ij} \leftarrow w_{ij} + \eta\, \partial E / \partial w_{ij}`, which with this E would
    climb: its sign only fits if E is a goodness.

    References
    ----------
    Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors,
    Nature 323, pages 533-536.
    """

    def __init__(self, sizes, bias=False, *, rng, dtype=np.float64):
        super().__init__()
        self.sizes = check_sizes(sizes)
        check_rng(rng)
        self.weights, self.biases = [], []
        for num_from, num_to in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            bound = 1 / np.sqrt(num_from)
            self.weights.append(Parameter(rng.uniform(-bound, bound, (num_to, num_from)).astype(dtype)))
            if bias:
                self.biases.append(Parameter(rng.uniform(-bound, bound, num_to).astype(dtype)))

    def named_parameters(self, prefix=""):
        """Yield the weights and biases, under the names of a ``torch.nn.ParameterList``.

        Parameters
        ----------
        prefix : str

        Yields
        ------
        (str, Parameter)
        """
        for name in ("weights", "biases"):
            for index, parameter in enumerate(getattr(self, name)):
                yield f"{prefix}{name}.{index}", parameter

    def forward_loops(self, x):
        r"""Compute :math:`a_j = \sigma(\sum_i w_{ji}\, a_i)`, unit by unit.

        Parameters
        ----------
        x : ndarray of shape (D,)
            One example.

        Returns
        -------
        ndarray of shape (K,)
            The activities of the last layer.
        """
        check_array(x, "x", shape=(self.sizes[0],), dtype=self.weights[0].dtype)
        self.activations = [x]
        for l, weight in enumerate(self.weights):
            a = self.activations[l]
            net = np.zeros(self.sizes[l + 1], x.dtype)
            for j in range(self.sizes[l + 1]):
                for i in range(self.sizes[l]):
                    net[j] += weight.data[j, i] * a[i]
                if self.biases:
                    net[j] += self.biases[l].data[j]
            self.activations.append(sigmoid(net))
        return self.activations[-1]

    def deltas_loops(self, x, target):
        r"""Compute the deltas, unit by unit and from the last layer to the first.

        .. math::

            \delta_k = (T_k - a_k)\, \sigma'(net_k), \qquad
            \delta_j = \Big[\sum_k w_{kj}\, \delta_k\Big]\, \sigma'(net_j)

        Parameters
        ----------
        x : ndarray of shape (D,)
            One example.
        target : ndarray of shape (K,)
            What the last layer should say, T.

        Returns
        -------
        list of ndarray
            The deltas of each layer but the inputs.
        """
        check_array(target, "target", shape=(self.sizes[-1],), dtype=self.weights[0].dtype)
        a = self.forward_loops(x)
        delta = np.zeros_like(a)
        for k in range(self.sizes[-1]):
            delta[k] = (target[k] - a[k]) * a[k] * (1 - a[k])
        deltas = [delta]
        for l in range(len(self.weights) - 1, 0, -1):
            a, weight, delta = self.activations[l], self.weights[l].data, np.zeros_like(self.activations[l])
            for j in range(self.sizes[l]):
                blame = 0
                for k in range(self.sizes[l + 1]):
                    blame += weight[k, j] * deltas[0][k]
                delta[j] = blame * a[j] * (1 - a[j])
            deltas.insert(0, delta)
        return deltas

    def forward(self, x):
        r"""Compute :math:`A_{l+1} = \sigma(A_l W_l^\top)` for all rows at once.

        Parameters
        ----------
        x : ndarray of shape (N, D)

        Returns
        -------
        ndarray of shape (N, K)
            The activities of the last layer.
        """
        check_array(x, "x", shape=("N", self.sizes[0]), dtype=self.weights[0].dtype)
        self.activations = [x]
        for l, weight in enumerate(self.weights):
            net = self.activations[l] @ weight.data.T               # (N, I) @ (I, J) -> (N, J)
            if self.biases:
                net += self.biases[l].data
            self.activations.append(sigmoid(net))
        return self.activations[-1]

    def deltas(self, x, target):
        r"""Compute the deltas of all rows at once.

        .. math::

            \Delta_L = (T - A_L) \odot A_L \odot (1 - A_L), \qquad
            \Delta_l = (\Delta_{l+1} W_l) \odot A_l \odot (1 - A_l)

        Parameters
        ----------
        x : ndarray of shape (N, D)
        target : ndarray of shape (N, K)

        Returns
        -------
        list of ndarray, shapes (N, J)
            The deltas of each layer but the inputs.
        """
        a = self.forward(x)
        check_array(target, "target", shape=a.shape, dtype=a.dtype)
        deltas = [(target - a) * a * (1 - a)]
        for l in range(len(self.weights) - 1, 0, -1):
            a = self.activations[l]
            blame = deltas[0] @ self.weights[l].data                # (N, K) @ (K, J) -> (N, J)
            deltas.insert(0, blame * a * (1 - a))
        return deltas

    def error(self, x, target):
        r"""Compute :math:`E = \frac12 \sum_k (T_k - a_k)^2`, summed over the rows.

        Parameters
        ----------
        x : ndarray of shape (N, D)
        target : ndarray of shape (N, K)

        Returns
        -------
        float
        """
        a = self.forward(x)
        check_array(target, "target", shape=a.shape, dtype=a.dtype)
        return 0.5 * np.square(target - a).sum()

    def update(self, x, target, eta):
        r"""Change every weight once.

        .. math:: w_{ji} \leftarrow w_{ji} + \eta\, \delta_j\, a_i

        The changes for the rows of a batch are added up. All deltas are known before the first
        weight changes.

        Parameters
        ----------
        x : ndarray of shape (N, D)
        target : ndarray of shape (N, K)
        eta : float
            Learning rate.

        Raises
        ------
        TypeError, ValueError
            If the learning rate is not a positive number, or a shape or type is wrong.
        """
        check_number(eta, "eta", low=0, low_open=True)
        deltas = self.deltas(x, target)
        for l, delta in enumerate(deltas):
            self.weights[l].data += eta * (delta.T @ self.activations[l])    # (J, N) @ (N, I) -> (J, I)
            if self.biases:
                self.biases[l].data += eta * delta.sum(axis=0)               # the unit that is always 1
