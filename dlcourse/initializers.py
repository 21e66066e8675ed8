r"""Initial weights: random numbers of the right size.

A layer :math:`y = Wx` with independent weights of variance :math:`\sigma^2` and n inputs gives
:math:`\operatorname{Var}(y_i) = n \sigma^2 \operatorname{E}(x_j^2)`. A deep stack multiplies such
factors, so unless each is near one the signal vanishes or explodes, and on the way back the
gradient does. The initialisers choose :math:`\sigma` accordingly; they differ in the n they count
(inputs, or inputs and outputs) and in the `gain` that makes up for the activation.
"""

import math

import numpy as np

from .validation import check_choice, check_integer, check_number, check_rng, describe

__all__ = [
    "fan_in_and_out",
    "gain",
    "he_normal",
    "he_uniform",
    "identity",
    "orthogonal",
    "xavier_normal",
    "xavier_uniform",
]

NONLINEARITIES = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu")


def fan_in_and_out(shape):
    r"""Count how many inputs feed one output of a layer, and how many outputs one input feeds.

    A kernel meets its inputs at every one of its positions, so for a convolution both counts are
    multiplied by the size of the kernel.

    Parameters
    ----------
    shape : tuple of int
        Of the weights: ``(out, in)`` or ``(out, in, height, width)`` and the like.

    Returns
    -------
    (int, int)
        fan_in and fan_out.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.
    """
    _check_shape(shape)
    outputs, inputs, *kernel = shape
    return inputs * math.prod(kernel), outputs * math.prod(kernel)


def gain(nonlinearity, negative_slope=0.0):
    r"""Return the factor by which weights must be larger to make up for an activation.

    A ReLU passes half of a symmetric signal's mean square on, so :math:`\sigma` grows by
    :math:`\sqrt 2`; a leaky one of slope a passes :math:`(1 + a^2)/2`:

    =================  ==========================
    ``"linear"``       1
    ``"sigmoid"``      1
    ``"tanh"``         5/3
    ``"relu"``         :math:`\sqrt{2}`
    ``"leaky_relu"``   :math:`\sqrt{2 / (1 + a^2)}`
    ``"selu"``         3/4
    =================  ==========================

    Parameters
    ----------
    nonlinearity : str
    negative_slope : float
        The slope a; only the leaky ReLU has one.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    Notes
    -----
    The numbers are PyTorch's, those for tanh and SELU rules of thumb. Only the slope's default
    differs: 0 here, 0.01 there.

    References
    ----------
    He, Zhang, Ren and Sun, *Delving deep into rectifiers*, ICCV 2015, section 2.2.
    """
    check_choice(nonlinearity, "nonlinearity", NONLINEARITIES)
    check_number(negative_slope, "negative_slope")
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + negative_slope**2)),
        "selu": 3 / 4,
    }
    return gains[nonlinearity]


def xavier_uniform(shape, *, gain=1.0, rng, dtype=np.float64):
    r"""Draw weights from :math:`U(-b, b)` with the standard deviation of `xavier_normal`.

    .. math:: b = \sqrt{3}\,\sigma = \text{gain} \cdot \sqrt{\frac{6}{\text{fan in} + \text{fan out}}}

    Parameters
    ----------
    shape : tuple of int
    gain : float
    rng : numpy.random.Generator
    dtype : numpy.dtype

    Returns
    -------
    ndarray of shape `shape`

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural
    networks*, AISTATS 2010, equation 16.
    """
    fan_in, fan_out = fan_in_and_out(shape)
    bound = _check_gain(gain) * math.sqrt(6 / (fan_in + fan_out))
    return check_rng(rng).uniform(-bound, bound, shape).astype(_check_dtype(dtype))


def xavier_normal(shape, *, gain=1.0, rng, dtype=np.float64):
    r"""Draw normal weights that compromise between the signal's variance and the gradient's.

    Keeping the first takes :math:`\sigma^2 = 1/\text{fan in}`, keeping the second
    :math:`\sigma^2 = 1/\text{fan out}`. Take one over the mean of both:

    .. math:: \sigma = \text{gain} \cdot \sqrt{\frac{2}{\text{fan in} + \text{fan out}}}

    Parameters
    ----------
    shape : tuple of int
    gain : float
    rng : numpy.random.Generator
    dtype : numpy.dtype

    Returns
    -------
    ndarray of shape `shape`

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural
    networks*, AISTATS 2010, equation 12.
    """
    fan_in, fan_out = fan_in_and_out(shape)
    std = _check_gain(gain) * math.sqrt(2 / (fan_in + fan_out))
    return (std * check_rng(rng).standard_normal(shape)).astype(_check_dtype(dtype))


def he_uniform(shape, *, gain=2**0.5, rng, dtype=np.float64):
    r"""Draw weights from :math:`U(-b, b)` with the standard deviation of `he_normal`.

    .. math:: b = \sqrt{3}\,\sigma = \text{gain} \cdot \sqrt{\frac{3}{\text{fan in}}}

    Parameters
    ----------
    shape : tuple of int
    gain : float
    rng : numpy.random.Generator
    dtype : numpy.dtype

    Returns
    -------
    ndarray of shape `shape`

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    He, Zhang, Ren and Sun, *Delving deep into rectifiers*, ICCV 2015, section 2.2.
    """
    fan_in, _ = fan_in_and_out(shape)
    bound = _check_gain(gain) * math.sqrt(3 / fan_in)
    return check_rng(rng).uniform(-bound, bound, shape).astype(_check_dtype(dtype))


def he_normal(shape, *, gain=2**0.5, rng, dtype=np.float64):
    r"""Draw normal weights that keep the signal's mean square through a stack of ReLU layers.

    .. math:: \sigma = \text{gain} \cdot \sqrt{\frac{1}{\text{fan in}}}

    Parameters
    ----------
    shape : tuple of int
    gain : float
    rng : numpy.random.Generator
    dtype : numpy.dtype

    Returns
    -------
    ndarray of shape `shape`

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    He, Zhang, Ren and Sun, *Delving deep into rectifiers*, ICCV 2015, equation 10.
    """
    fan_in, _ = fan_in_and_out(shape)
    std = _check_gain(gain) * math.sqrt(1 / fan_in)
    return (std * check_rng(rng).standard_normal(shape)).astype(_check_dtype(dtype))


def identity(shape, *, gain=1.0, dtype=np.float64):
    r"""Return a multiple of the identity, as for the recurrent weights of an RNN with ReLU units.

    A recurrent layer that starts so remembers its state unchanged, and passes gradients unchanged
    through time.

    Parameters
    ----------
    shape : tuple of int
        Of two sizes. Where they differ, the diagonal starts at the top left.
    gain : float
    dtype : numpy.dtype

    Returns
    -------
    ndarray of shape `shape`

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Le, Jaitly and Hinton, *A simple way to initialize recurrent networks of rectified linear
    units*, arXiv:1504.00941, 2015.
    """
    if len(_check_shape(shape)) != 2:
        raise ValueError(f"shape: expected two sizes, got {shape}")
    return np.eye(*shape, dtype=_check_dtype(dtype)) * _check_gain(gain)


def orthogonal(shape, *, gain=1.0, rng, dtype=np.float64):
    r"""Draw a random matrix that keeps lengths: all of its singular values are equal to the gain.

    The factor Q of :math:`A = QR`, with A standard normal, is orthogonal. It is uniformly
    distributed among all such matrices if the signs are chosen so that R has a positive diagonal.

    Parameters
    ----------
    shape : tuple of int
        Axes after the first are taken together, so that W is ``(out, in * height * width)``. Its
        rows are orthogonal, or where there are more rows than columns, its columns.
    gain : float
    rng : numpy.random.Generator
    dtype : numpy.dtype

    Returns
    -------
    ndarray of shape `shape`

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Saxe, McClelland and Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks*, ICLR 2014.

    Mezzadri, *How to generate random matrices from the classical compact groups*, Notices of the
    AMS 54(5), 2007, section 5 (the signs).
    """
    rows, columns = _check_shape(shape)[0], math.prod(shape[1:])
    a = check_rng(rng).standard_normal((rows, columns))
    q, r = np.linalg.qr(a if rows >= columns else a.T)    # (long, short), (short, short)
    q = q * np.sign(np.diag(r))                           # flips columns of Q
    q = q if rows >= columns else q.T                     # (rows, columns)
    return (_check_gain(gain) * q).reshape(shape).astype(_check_dtype(dtype))


def _check_shape(shape):
    """Return a shape of at least two positive sizes."""
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"shape: expected a tuple of sizes, got {describe(shape)}")
    if len(shape) < 2:
        raise ValueError(f"shape: expected at least two sizes, (out, in), got {shape}")
    return tuple(check_integer(size, f"shape[{axis}]", low=1) for axis, size in enumerate(shape))


def _check_gain(gain):
    """Return a gain, which must not be negative."""
    return check_number(gain, "gain", low=0)


def _check_dtype(dtype):
    """Return float32 or float64."""
    if dtype is None or np.dtype(dtype) not in (np.float32, np.float64):
        raise TypeError(f"dtype: expected float32 or float64, got {dtype}")
    return np.dtype(dtype)
