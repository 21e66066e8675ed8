"""Activations: what stands between the linear layers and makes a network more than one of them.

All but `PReLU`, `Maxout` and the softmax layers act on each number by itself. Their ``forward(x)``
takes an ndarray of any shape and returns one of the same shape and dtype; their ``backward(dy)``
takes and returns that shape too, and multiplies each number of ``dy`` by the slope at its ``x``.
Where the slope jumps, at zero, they take the one on the left, as PyTorch does. An argument of the
wrong kind is a TypeError and one of the wrong value a ValueError, everywhere.
"""

import math

import numpy as np

from .linear import Linear
from .module import Module, Parameter
from .validation import check_array, check_integer, check_number

__all__ = [
    "ELU",
    "GELU",
    "LeakyReLU",
    "LogSoftmax",
    "Maxout",
    "PReLU",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "log_softmax",
    "sigmoid",
    "softmax",
]


def sigmoid(x):
    r"""Squash each number to the interval from 0 to 1.

    .. math:: \sigma(x) = \frac{1}{1 + e^{-x}} = \frac{e^x}{1 + e^x}

    The first form overflows far to the left and the second far to the right. So the first is used
    for :math:`x \ge 0` and the second for :math:`x < 0`: the one exponential that either needs is
    then :math:`e^{-|x|}`, which never exceeds 1.

    Parameters
    ----------
    x : ndarray

    Returns
    -------
    ndarray of the shape and dtype of x
    """
    check_array(x, "x")
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, z) / (1 + z)


class Sigmoid(Module):
    r"""Logistic function, :math:`\sigma(x) = 1 / (1 + e^{-x})`.

    Its slope is largest at zero, where it is 1/4, and vanishes on both sides: a saturated unit
    passes no gradient on.
    """

    def forward(self, x):
        r"""Compute :math:`y = \sigma(x)`."""
        self.y = sigmoid(x)
        return self.y

    def backward(self, dy):
        r"""Compute :math:`\mathrm{d}x = \mathrm{d}y \, y \, (1 - y)`."""
        check_array(dy, "dy", shape=self.y.shape, dtype=self.y.dtype)
        return dy * self.y * (1 - self.y)


class Tanh(Module):
    r"""Hyperbolic tangent, :math:`\tanh(x) = (e^x - e^{-x}) / (e^x + e^{-x}) = 2\,\sigma(2x) - 1`.

    A sigmoid stretched to the interval from -1 to 1, so that its outputs centre on zero.

    References
    ----------
    LeCun, Bottou, Orr and Müller, "Efficient BackProp" (1998), section 4.4 (why centred).
    """

    def forward(self, x):
        r"""Compute :math:`y = \tanh(x)`."""
        check_array(x, "x")
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        r"""Compute :math:`\mathrm{d}x = \mathrm{d}y \, (1 - y^2)`."""
        check_array(dy, "dy", shape=self.y.shape, dtype=self.y.dtype)
        return dy * (1 - self.y**2)


class ReLU(Module):
    r"""Rectified linear unit, :math:`\max(0, x)`.

    The slope is 1 on the right, however large `x`, and 0 on the left: a unit that is negative for
    every example gets no gradient and cannot recover.

    References
    ----------
    Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural
    Networks" (2012), section 3.1.
    """

    def forward(self, x):
        r"""Compute :math:`y = \max(0, x)`."""
        check_array(x, "x")
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dy):
        r"""Compute :math:`\mathrm{d}x = \mathrm{d}y` where :math:`x > 0`, else 0."""
        check_array(dy, "dy", shape=self.x.shape, dtype=self.x.dtype)
        return np.where(self.x > 0, dy, 0)


class LeakyReLU(Module):
    r"""Rectifier that leaks: :math:`x` for :math:`x > 0`, else :math:`a x` with a small slope `a`.

    For :math:`a \le 1` this is :math:`\max(a x, x)`. The leak keeps every unit alive.

    Parameters
    ----------
    negative_slope : float
        The slope `a` on the left, at least 0.

    References
    ----------
    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models" (2013),
    section 2.
    """

    def __init__(self, negative_slope=0.01):
        super().__init__()
        self.negative_slope = check_number(negative_slope, "negative_slope", low=0)

    def forward(self, x):
        r"""Compute :math:`y = x` where :math:`x > 0`, else :math:`a x`."""
        check_array(x, "x")
        self.x = x
        return np.where(x > 0, x, self.negative_slope * x)

    def backward(self, dy):
        r"""Compute :math:`\mathrm{d}x = \mathrm{d}y` where :math:`x > 0`, else :math:`a\,\mathrm{d}y`."""
        check_array(dy, "dy", shape=self.x.shape, dtype=self.x.dtype)
        return np.where(self.x > 0, dy, self.negative_slope * dy)


class PReLU(Module):
    r"""Leaky rectifier that learns its slope: :math:`x` for :math:`x > 0`, else :math:`a_c x`.

    Parameters
    ----------
    num_parameters : int
        1 for a slope that all channels share, else the number of channels, C.
    init : float
        Initial slope.
    dtype : numpy.dtype
        float32 or float64.

    Attributes
    ----------
    weight : Parameter of shape (1,) or (C,)
        The slopes.

    References
    ----------
    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers" (2015), section 2.1. No weight decay is
    applied to the slopes there: it would pull them towards the plain rectifier.
    """

    def __init__(self, num_parameters=1, init=0.25, *, dtype=np.float64):
        super().__init__()
        self.num_parameters = check_integer(num_parameters, "num_parameters", low=1)
        self.weight = Parameter(np.full(num_parameters, check_number(init, "init"), dtype=dtype))

    def forward(self, x):
        r"""Compute :math:`y = x` where :math:`x > 0`, else :math:`a_c x`.

        Parameters
        ----------
        x : ndarray of shape (N, C, ...), or of any shape for a shared slope

        Returns
        -------
        ndarray of the shape of x
        """
        check_array(x, "x", dtype=self.weight.dtype)
        if self.num_parameters > 1 and (x.ndim < 2 or x.shape[1] != self.num_parameters):
            raise ValueError(f"x: expected shape (N, {self.num_parameters}, ...), got {x.shape}")
        self.x = x
        shared = self.num_parameters == 1
        shape = (1,) * x.ndim if shared else (1, -1, *(1,) * (x.ndim - 2))
        self.slope = self.weight.data.reshape(shape)       # (C,) -> (1, C, 1, ..., 1)
        return np.where(x > 0, x, self.slope * x)

    def backward(self, dy):
        r"""Propagate the gradient, to the slopes as well.

        .. math::

            \mathrm{d}x = \begin{cases} \mathrm{d}y & x > 0 \\ a_c\, \mathrm{d}y & x \le 0 \end{cases},
            \qquad
            \mathrm{d}a_c = \sum_{x_i \le 0 \text{ in channel } c} x_i\, \mathrm{d}y_i

        Parameters
        ----------
        dy : ndarray of the shape of x

        Returns
        -------
        ndarray of the shape of x
        """
        check_array(dy, "dy", shape=self.x.shape, dtype=self.x.dtype)
        by_slope = np.where(self.x > 0, 0, self.x * dy)
        others = tuple(axis for axis in range(self.x.ndim) if self.num_parameters == 1 or axis != 1)
        self.weight.accumulate(by_slope.sum(axis=others).reshape(-1))  # (N, C, ...) -> (C,)
        return np.where(self.x > 0, dy, self.slope * dy)


class ELU(Module):
    r"""Exponential linear unit: :math:`x` for :math:`x > 0`, else :math:`\alpha (e^x - 1)`.

    It saturates at :math:`-\alpha` on the left only, which brings the mean output near zero.

    Parameters
    ----------
    alpha : float
        Greater than 0.

    References
    ----------
    Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by Exponential
    Linear Units" (2016), section 3.
    """

    def __init__(self, alpha=1.0):
        super().__init__()
        self.alpha = check_number(alpha, "alpha", low=0, low_open=True)

    def forward(self, x):
        r"""Compute :math:`y = x` where :math:`x > 0`, else :math:`\alpha (e^x - 1)`."""
        check_array(x, "x")
        self.x = x
        left = np.minimum(x, 0)                            # else e^x overflows where it is not wanted
        return np.where(x > 0, x, self.alpha * np.expm1(left))

    def backward(self, dy):
        r"""Compute :math:`\mathrm{d}x = \mathrm{d}y` where :math:`x > 0`, else :math:`\alpha e^x\, \mathrm{d}y`."""
        check_array(dy, "dy", shape=self.x.shape, dtype=self.x.dtype)
        left = np.minimum(self.x, 0)
        return np.where(self.x > 0, dy, self.alpha * np.exp(left) * dy)


class GELU(Module):
    r"""Gaussian error linear unit, :math:`x\, \Phi(x)`, in its tanh approximation.

    .. math:: y = \tfrac{1}{2} x \left(1 + \tanh u\right), \qquad
              u = \sqrt{2 / \pi} \left(x + 0.044715\, x^3\right)

    Notes
    -----
    The exact :math:`\Phi`, the normal distribution function, needs erf, which NumPy lacks. The
    approximation is off by less than 0.0005 anywhere. In PyTorch it is ``GELU(approximate="tanh")``.

    References
    ----------
    Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016), section 2.
    """

    def forward(self, x):
        r"""Compute :math:`y = \frac{1}{2} x (1 + \tanh u)`."""
        check_array(x, "x")
        self.x = x
        u = math.sqrt(2 / math.pi) * x * (1 + 0.044715 * x**2)
        self.tanh_u = np.tanh(u)
        return 0.5 * x * (1 + self.tanh_u)

    def backward(self, dy):
        r"""Apply the product rule to :math:`x` and :math:`1 + \tanh u`.

        .. math:: \frac{\mathrm{d}y}{\mathrm{d}x} = \tfrac{1}{2} (1 + \tanh u)
                  + \tfrac{1}{2} x \left(1 - \tanh^2 u\right) \frac{\mathrm{d}u}{\mathrm{d}x}, \qquad
                  \frac{\mathrm{d}u}{\mathrm{d}x} = \sqrt{2 / \pi} \left(1 + 3 \cdot 0.044715\, x^2\right)
        """
        check_array(dy, "dy", shape=self.x.shape, dtype=self.x.dtype)
        du = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * self.x**2)
        return dy * 0.5 * (1 + self.tanh_u + self.x * (1 - self.tanh_u**2) * du)


class Maxout(Module):
    r"""Maximum over several linear functions, or pieces, of the input.

    .. math:: y_m = \max_{k = 1 \dots K} \left(w_{mk}^\top x + b_{mk}\right)

    One unit can be any convex piecewise linear function with K pieces, the rectifiers among them;
    the price is K times the parameters.

    Parameters
    ----------
    in_features : int
        Number of inputs, D.
    out_features : int
        Number of outputs, M.
    num_pieces : int
        Number of linear functions for each output, K.
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype
        float32 or float64.

    Attributes
    ----------
    linear : Linear
        From D to M·K features; rows mK to mK + K - 1 of its weight belong to output m.

    References
    ----------
    Goodfellow, Warde-Farley, Mirza, Courville and Bengio, "Maxout Networks" (2013), section 3.
    """

    def __init__(self, in_features, out_features, num_pieces=2, *, rng, dtype=np.float64):
        super().__init__()
        self.out_features = check_integer(out_features, "out_features", low=1)
        self.num_pieces = check_integer(num_pieces, "num_pieces", low=1)
        self.linear = Linear(in_features, out_features * num_pieces, rng=rng, dtype=dtype)

    def forward(self, x):
        r"""Compute all pieces, and keep the largest of each unit.

        Parameters
        ----------
        x : ndarray of shape (..., D)

        Returns
        -------
        ndarray of shape (..., M)
        """
        z = self.linear(x)
        z = z.reshape(*z.shape[:-1], self.out_features, self.num_pieces)   # (..., M * K) -> (..., M, K)
        self.winner = z.argmax(axis=-1, keepdims=True)                     # (..., M, 1)
        return np.take_along_axis(z, self.winner, axis=-1)[..., 0]         # (..., M)

    def backward(self, dy):
        r"""Send each unit's gradient to the piece that won, and none to the others.

        Parameters
        ----------
        dy : ndarray of shape (..., M)

        Returns
        -------
        ndarray of shape (..., D)
        """
        check_array(dy, "dy", shape=self.winner.shape[:-1], dtype=self.linear.weight.dtype)
        pieces = np.arange(self.num_pieces)
        dz = np.where(pieces == self.winner, dy[..., None], 0)             # (..., M, K)
        dz = dz.reshape(*dy.shape[:-1], self.linear.out_features)          # (..., M, K) -> (..., M * K)
        return self.linear.backward(dz)                                    # (..., M * K) -> (..., D)


def check_axis(x, dim):
    """Check that ``x`` can be normalised along axis ``dim``."""
    check_array(x, "x")
    if x.ndim == 0:
        raise ValueError("x: expected at least one axis, got shape ()")
    check_integer(dim, "dim", low=-x.ndim, high=x.ndim - 1)
    if x.shape[dim] == 0:
        raise ValueError(f"x: expected at least one element along axis {dim}, got shape {x.shape}")


def softmax(x, dim=-1):
    r"""Turn scores into positive numbers that sum to 1 along an axis.

    .. math:: p_i = \frac{e^{x_i}}{\sum_j e^{x_j}} = \frac{e^{x_i - m}}{\sum_j e^{x_j - m}},
              \qquad m = \max_j x_j

    A shift of all scores cancels. Shifted by their maximum, the largest exponent is 0: nothing
    overflows, and the sum is at least 1, so that it cannot vanish either.

    Parameters
    ----------
    x : ndarray
    dim : int
        The axis that is normalised, which must not be empty.

    Returns
    -------
    ndarray of the shape and dtype of x
    """
    check_axis(x, dim)
    exponential = np.exp(x - x.max(axis=dim, keepdims=True))
    return exponential / exponential.sum(axis=dim, keepdims=True)


def log_softmax(x, dim=-1):
    r"""Compute the logarithm of `softmax` without a logarithm of zero.

    .. math:: \log p_i = (x_i - m) - \log \sum_j e^{x_j - m}, \qquad m = \max_j x_j

    A probability below the smallest float rounds to 0, and its logarithm to minus infinity. Here
    the score itself stands in front of the logarithm, and the sum behind it is at least 1.

    Parameters
    ----------
    x : ndarray
    dim : int
        The axis that is normalised, which must not be empty.

    Returns
    -------
    ndarray of the shape and dtype of x
    """
    check_axis(x, dim)
    shifted = x - x.max(axis=dim, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True))


class Softmax(Module):
    r"""Probabilities from scores along an axis: `softmax` as a layer.

    Parameters
    ----------
    dim : int
        The axis that is normalised.
    """

    def __init__(self, dim=-1):
        super().__init__()
        self.dim = check_integer(dim, "dim")

    def forward(self, x):
        r"""Compute :math:`p = \mathrm{softmax}(x)`, in the shape of `x`."""
        self.p = softmax(x, self.dim)
        return self.p

    def backward(self, dy):
        r"""Multiply by the Jacobian :math:`\mathrm{diag}(p) - p p^\top`, without forming it.

        .. math:: \mathrm{d}x_i = p_i \Big(\mathrm{d}y_i - \sum_j p_j\, \mathrm{d}y_j\Big)
        """
        check_array(dy, "dy", shape=self.p.shape, dtype=self.p.dtype)
        return self.p * (dy - (self.p * dy).sum(axis=self.dim, keepdims=True))


class LogSoftmax(Module):
    r"""Log-probabilities from scores along an axis: `log_softmax` as a layer.

    Parameters
    ----------
    dim : int
        The axis that is normalised.
    """

    def __init__(self, dim=-1):
        super().__init__()
        self.dim = check_integer(dim, "dim")

    def forward(self, x):
        r"""Compute :math:`\log p = \log \mathrm{softmax}(x)`, in the shape of `x`."""
        self.log_p = log_softmax(x, self.dim)
        return self.log_p

    def backward(self, dy):
        r"""Multiply by the Jacobian :math:`I - \mathbf{1} p^\top`, transposed.

        .. math:: \mathrm{d}x_i = \mathrm{d}y_i - p_i \sum_j \mathrm{d}y_j
        """
        check_array(dy, "dy", shape=self.log_p.shape, dtype=self.log_p.dtype)
        return dy - np.exp(self.log_p) * dy.sum(axis=self.dim, keepdims=True)
