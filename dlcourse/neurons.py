"""The first artificial neurons: the McCulloch-Pitts unit, and the perceptron that learns."""

import numpy as np

from .module import Module, Parameter
from .validation import check_array, check_finite, check_integer, check_rng, check_same_length

__all__ = ["McCullochPitts", "Perceptron", "novikoff_bound"]


class McCullochPitts(Module):
    r"""Threshold unit with binary inputs and fixed wiring.

    With E the excitatory and I the inhibitory inputs,

    .. math::

        y = \begin{cases}
            1 & \text{if } \sum_{i \in E} x_i \ge \theta \text{ and } x_i = 0 \text{ for all } i \in I \\
            0 & \text{otherwise.}
        \end{cases}

    All excitatory inputs weigh the same, and inhibition is absolute: one active inhibitory input
    silences the unit. Nothing is learned; whoever builds the network chooses the wiring.

    Parameters
    ----------
    num_inputs : int
        Number of inputs, D.
    threshold : int
        Number of active excitatory inputs that make the unit fire, :math:`\theta`.
    inhibitory : sequence of int
        Positions of the inhibitory inputs. All others are excitatory.

    Attributes
    ----------
    excitatory : list of int
    inhibitory : list of int

    Raises
    ------
    TypeError, ValueError
        If a number is not an integer, or a position lies outside ``0 .. num_inputs - 1``.

    Notes
    -----
    The paper has no threshold of zero. Here it is allowed, so that a single inhibitory input makes
    NOT; the paper needs a second input that is always active.

    References
    ----------
    McCulloch and Pitts (1943), A logical calculus of the ideas immanent in nervous activity,
    Bulletin of Mathematical Biophysics 5, pages 115-133; the assumptions are listed on page 118.
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
        x : ndarray of int, shape (..., D)
            Zeros and ones.

        Returns
        -------
        ndarray of int, shape (...)
            Zeros and ones, in the type of `x`.
        """
        check_array(x, "x", shape=(..., self.num_inputs), kind="int")
        check_values(x, "x", (0, 1))
        excitation = x[..., self.excitatory].sum(axis=-1)          # (..., |E|) -> (...)
        inhibited = x[..., self.inhibitory].any(axis=-1)           # (..., |I|) -> (...)
        return ((excitation >= self.threshold) & ~inhibited).astype(x.dtype)


class Perceptron(Module):
    r"""Linear threshold unit that learns from its mistakes.

    .. math::

        \hat y = \begin{cases} +1 & \text{if } w^\top x + b > 0 \\ -1 & \text{otherwise} \end{cases}

    The weights start at zero.

    Parameters
    ----------
    num_inputs : int
        Number of inputs, D.
    dtype : numpy.dtype
        float32 or float64.

    Attributes
    ----------
    weight : Parameter of shape (D,)
    bias : Parameter of shape ()
        The negative of the threshold.

    Notes
    -----
    Rosenblatt's machine fed this unit with the outputs of randomly wired threshold units; here
    it sees the data directly.

    References
    ----------
    Rosenblatt (1958), The perceptron: a probabilistic model for information storage and
    organization in the brain, Psychological Review 65 (6), pages 386-408.

    Rosenblatt (1962), Principles of Neurodynamics, chapter 5 (the error-correction rule).
    """

    def __init__(self, num_inputs, *, dtype=np.float64):
        super().__init__()
        self.num_inputs = check_integer(num_inputs, "num_inputs", low=1)
        self.weight = Parameter(np.zeros(num_inputs, dtype))
        self.bias = Parameter(np.zeros((), dtype))

    def score(self, x):
        r"""Compute :math:`w^\top x + b`, which is zero on the separating line.

        Parameters
        ----------
        x : ndarray of shape (..., D)

        Returns
        -------
        ndarray of shape (...)
        """
        check_array(x, "x", shape=(..., self.num_inputs), dtype=self.weight.dtype)
        return x @ self.weight.data + self.bias.data               # (..., D) @ (D,) -> (...)

    def forward(self, x):
        """Classify each row.

        Parameters
        ----------
        x : ndarray of shape (..., D)

        Returns
        -------
        ndarray of int, shape (...)
            +1 where the score is positive, else -1.
        """
        return np.where(self.score(x) > 0, 1, -1)

    def update(self, x, y):
        r"""Learn from one example: move only if it is on the wrong side, or on the line.

        .. math::

            \text{if } y\,(w^\top x + b) \le 0: \qquad w \leftarrow w + y\,x, \qquad b \leftarrow b + y

        Parameters
        ----------
        x : ndarray of shape (D,)
        y : int
            Its label, -1 or +1.

        Returns
        -------
        bool
            Whether the weights moved.
        """
        check_array(x, "x", shape=(self.num_inputs,), dtype=self.weight.dtype)
        check_finite(x, "x")
        if check_integer(y, "y") not in (-1, 1):
            raise ValueError(f"y: expected -1 or 1, got {y}")
        return self._learn(x, y)

    def _learn(self, x, y):
        """Do the work of `update`, without the checks."""
        mistaken = bool(y * self.score(x) <= 0)
        if mistaken:
            self.weight.data += y * x
            self.bias.data += y
        return mistaken

    def fit(self, x, y, *, max_epochs, rng=None):
        """Go through the examples until an epoch passes without a mistake.

        That happens for certain if some line separates the two classes, after at most
        `novikoff_bound` updates in all. If none does, the weights never settle.

        Parameters
        ----------
        x : ndarray of shape (N, D)
        y : ndarray of int, shape (N,)
            Labels, -1 or +1.
        max_epochs : int
            When to give up.
        rng : numpy.random.Generator, optional
            Shuffles the examples anew in each epoch. Without it they come in the order given.

        Returns
        -------
        dict
            ``"mistakes"``, a list of the number of updates in each epoch; ``"weights"`` and
            ``"biases"``, lists of copies of both after each update.

        Raises
        ------
        TypeError, ValueError
            If there are no examples, one is not finite, or a label is neither -1 nor +1.
        """
        check_array(x, "x", shape=("N", self.num_inputs), dtype=self.weight.dtype, empty=False)
        check_finite(x, "x")
        check_signs(x, y)
        check_integer(max_epochs, "max_epochs", low=1)
        order = np.arange(len(x))
        history = {"mistakes": [], "weights": [], "biases": []}
        for _ in range(max_epochs):
            mistakes = 0
            if rng is not None:
                order = check_rng(rng).permutation(len(x))
            for i in order:
                if self._learn(x[i], y[i]):
                    mistakes += 1
                    history["weights"].append(self.weight.data.copy())
                    history["biases"].append(self.bias.data.copy())
            history["mistakes"].append(mistakes)
            if mistakes == 0:
                break
        return history


def novikoff_bound(x, y, weight, bias):
    r"""Bound the number of updates that a perceptron needs, given a line that separates the data.

    With each example extended by a one, :math:`\tilde x = (x, 1)`, and :math:`\tilde w = (w, b)`:

    .. math::

        \left(\frac{R}{\gamma}\right)^2, \qquad
        R = \max_n \|\tilde x_n\|, \qquad
        \gamma = \min_n \frac{y_n\, \tilde w^\top \tilde x_n}{\|\tilde w\|}

    R is the radius of the data and :math:`\gamma` the margin. The bound holds for examples in any
    order and for any separating line; the line with the widest margin gives the best bound.

    Parameters
    ----------
    x : ndarray of shape (N, D)
    y : ndarray of int, shape (N,)
        Labels, -1 or +1.
    weight : ndarray of shape (D,)
    bias : ndarray of shape () or float

    Returns
    -------
    float
        In the type of `x`.

    Raises
    ------
    ValueError
        If the line does not separate the data, or there are none.

    References
    ----------
    Novikoff (1962), On convergence proofs on perceptrons, Symposium on the Mathematical Theory
    of Automata 12, pages 615-622.
    """
    check_array(x, "x", shape=("N", "D"), empty=False)
    check_finite(x, "x")
    check_signs(x, y)
    check_array(weight, "weight", shape=(x.shape[1],), dtype=x.dtype)
    bias = x.dtype.type(bias)
    radius = np.sqrt((x * x).sum(axis=1).max() + 1)                # the one is the input of the bias
    norm = np.sqrt(weight @ weight + bias * bias)
    signed_scores = y.astype(x.dtype) * (x @ weight + bias)        # (N,) * ((N, D) @ (D,)) -> (N,)
    if not signed_scores.min() > 0:                                # written so that a NaN fails too
        raise ValueError(
            f"weight, bias: expected a line that separates the data, got example {signed_scores.argmin()} "
            "on the wrong side or on the line"
        )
    return (radius * norm / signed_scores.min()) ** 2


def check_values(x, name, allowed):
    """Check that every element of ``x`` is one of a few numbers."""
    wrong = ~np.isin(x, allowed)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(f"{name}: expected only {' and '.join(map(str, allowed))}, got {x[index]} at index {index}")


def check_signs(x, y):
    """Check that ``y`` has a label, -1 or +1, for each row of ``x``."""
    check_array(y, "y", shape=("N",), kind="int")
    check_same_length(x=x, y=y)
    check_values(y, "y", (-1, 1))
