r"""Normalisation of a network's inputs and of its layers: one formula over different axes.

Every norm subtracts a mean and divides by a standard deviation. They differ in which values of an
array share one mean. For images of shape ``(N, C, H, W)``, and for vectors without H and W:

================  =================  =======================================
norm              means over         so that a mean belongs to each
================  =================  =======================================
batch             N, H, W            channel
batch renorm      N, H, W            channel
layer             C, H, W            example
instance          H, W               channel of an example
group             C/G, H, W          of an example's G groups of channels
inputs            N, H, W            channel, over all of the training data
================  =================  =======================================

Only the norms that average over N mix the examples of a batch. They keep running averages, in
order to normalise single examples later.
"""

import math
import numbers

import numpy as np

from .module import Module, Parameter
from .validation import check_array, check_finite, check_integer, check_number, describe

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchRenorm1d",
    "GroupNorm",
    "InputNormalizer",
    "InstanceNorm2d",
    "LayerNorm",
]


class InputNormalizer(Module):
    r"""Shift and scale each input feature to mean 0 and variance 1 over the *training* data.

    .. math:: y = \frac{x - \mu}{\sigma}

    What `fit` has seen is all that is ever used: validation and test data are transformed by the
    training data's numbers, and so tell the network nothing about themselves beforehand.

    Parameters
    ----------
    num_features : int
        Number of features or channels, C.
    dtype : numpy.dtype

    Attributes
    ----------
    mean, std : ndarray of shape (C,)
        NaN before `fit`. A feature that is constant has nothing to be divided by, and its
        ``std`` is set to 1; it is normalised to zero.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    Notes
    -----
    The standard deviation is the biased one, with n in the denominator.
    """

    buffer_names = ("mean", "std")

    def __init__(self, num_features, *, dtype=np.float64):
        super().__init__()
        self.num_features = check_integer(num_features, "num_features", low=1)
        self.mean = np.full(num_features, np.nan, dtype)
        self.std = np.full(num_features, np.nan, dtype)

    def fit(self, x):
        """Take mean and standard deviation from the training data.

        Parameters
        ----------
        x : ndarray of shape (N, C, ...)
            At least one example, without NaN or infinity.

        Returns
        -------
        InputNormalizer
            Itself.
        """
        self._check_input(x)
        check_array(x, "x", empty=False)
        check_finite(x, "x")
        axes = _all_but_channels(x)
        constant = x.max(axis=axes) == x.min(axis=axes)
        # Sums over a whole data set are taken in float64: in float32 they would lose digits.
        self.mean[...] = x.mean(axis=axes, dtype=np.float64)
        self.std[...] = np.where(constant, 1, x.std(axis=axes, dtype=np.float64))
        return self

    def forward(self, x):
        """Normalise any data by what `fit` has stored.

        Parameters
        ----------
        x : ndarray of shape (N, C, ...)

        Returns
        -------
        ndarray of the shape of x
        """
        self._check_input(x)
        if np.isnan(self.std).any():
            raise RuntimeError("InputNormalizer: expected fit(training data) before forward")
        self.axes = _all_but_channels(x)
        return (x - np.expand_dims(self.mean, self.axes)) / np.expand_dims(self.std, self.axes)

    def backward(self, dy):
        r"""Propagate the gradient: :math:`\mathrm{d}x = \mathrm{d}y / \sigma`.

        Parameters
        ----------
        dy : ndarray of the shape of the last input

        Returns
        -------
        ndarray of the shape of dy
        """
        self._check_input(dy, "dy")
        return dy / np.expand_dims(self.std, self.axes)

    def _check_input(self, x, name="x"):
        """Check for shape (N, C, ...)."""
        check_array(x, name, shape=("N", self.num_features, *np.shape(x)[2:]), dtype=self.mean.dtype)


def _standardize(x, over, eps):
    r"""Shift and scale values so that they have mean 0 and variance 1 over the given axes.

    .. math::

        \hat x_i = \frac{x_i - \mu}{s}, \qquad
        \mu = \frac{1}{n} \sum_j x_j, \quad
        \sigma^2 = \frac{1}{n} \sum_j (x_j - \mu)^2, \quad
        s = \sqrt{\sigma^2 + \epsilon}

    where i and j run through the n values that share a mean.

    Parameters
    ----------
    x : ndarray
    over : tuple of int
        The axes whose values share a mean.
    eps : float

    Returns
    -------
    (ndarray, ndarray, ndarray, ndarray)
        The standardised x; then :math:`\mu`, :math:`\sigma^2` and s, with 1 for the size of
        each axis in `over`.
    """
    mean = x.mean(axis=over, keepdims=True)
    centred = x - mean
    var = np.mean(centred * centred, axis=over, keepdims=True)
    std = np.sqrt(var + eps)
    return centred / std, mean, var, std


def _standardize_backward(dx_hat, x_hat, std, over):
    r"""Propagate the gradient through `_standardize`.

    Each :math:`x_j` acts on all :math:`\hat x_i` of its mean: directly, through the mean, with
    :math:`\partial\mu/\partial x_j = 1/n`, and through s, with

    .. math::

        \frac{\partial s}{\partial x_j}
        = \frac{1}{2s}\, \frac{\partial \sigma^2}{\partial x_j}
        = \frac{1}{2s}\, \frac{2 (x_j - \mu)}{n} = \frac{\hat x_j}{n}.

    The quotient rule collects the three:

    .. math::

        \frac{\partial \hat x_i}{\partial x_j}
        = \frac{1}{s} \Bigl( \delta_{ij} - \frac{1}{n} - \frac{\hat x_i \hat x_j}{n} \Bigr)
        \quad\Rightarrow\quad
        \mathrm{d}x_j = \frac{1}{s} \Bigl( \mathrm{d}\hat x_j
        - \frac{1}{n} \sum_i \mathrm{d}\hat x_i
        - \hat x_j\, \frac{1}{n} \sum_i \mathrm{d}\hat x_i\, \hat x_i \Bigr)

    In words: take away from the gradient what would shift all values, and what would stretch
    them, since the norm undoes both.

    Parameters
    ----------
    dx_hat, x_hat : ndarray of one shape
    std : ndarray
        As `_standardize` returned it.
    over : tuple of int

    Returns
    -------
    ndarray of the shape of dx_hat
    """
    shift = dx_hat.mean(axis=over, keepdims=True)
    stretch = np.mean(dx_hat * x_hat, axis=over, keepdims=True)
    return (dx_hat - shift - x_hat * stretch) / std


class _Norm(Module):
    r"""What all norms of layers share: :math:`y = \gamma \hat x + \beta`, forward and backward.

    A subclass checks its input and says `over` which axes the means are taken, and along which
    axes one scale and shift are `shared`.

    Parameters
    ----------
    shape : tuple of int
        Of :math:`\gamma` (``weight``) and :math:`\beta` (``bias``).
    eps : float
    affine : bool
        Whether there are a weight and a bias.
    dtype : numpy.dtype
    """

    def __init__(self, shape, eps, affine, dtype):
        super().__init__()
        self.eps = check_number(eps, "eps", low=0, low_open=True)
        self.dtype = np.dtype(dtype) if affine else None     # without parameters any type will do
        self.weight = Parameter(np.ones(shape, dtype)) if affine else None
        self.bias = Parameter(np.zeros(shape, dtype)) if affine else None

    def _normalize(self, x, over, shared):
        """Standardise over some axes; then scale and shift."""
        self.over = over
        x_hat, self.mean, self.var, self.std = _standardize(x, over, self.eps)
        return self._scale_and_shift(x_hat, shared)

    def backward(self, dy):
        r"""Propagate the gradient: through scale and shift, then through mean and deviation.

        Parameters
        ----------
        dy : ndarray of the shape of the last input

        Returns
        -------
        ndarray of the shape of dy
        """
        dx_hat = self._scale_and_shift_backward(dy)
        return _standardize_backward(dx_hat, self.x_hat, self.std, self.over)

    def _scale_and_shift(self, x_hat, shared):
        r"""Compute :math:`y = \gamma \hat x + \beta`."""
        self.x_hat, self.shared = x_hat, shared
        if self.weight is None:
            return x_hat
        weight = np.expand_dims(self.weight.data, shared)    # (C,) -> (1, C, 1, 1), say
        bias = np.expand_dims(self.bias.data, shared)
        return x_hat * weight + bias

    def _scale_and_shift_backward(self, dy):
        r"""Add the parameters' gradients, summed along the shared axes, and return dx_hat.

        .. math::

            \mathrm{d}\gamma = \sum \hat x\, \mathrm{d}y, \qquad
            \mathrm{d}\beta = \sum \mathrm{d}y, \qquad
            \mathrm{d}\hat x = \gamma\, \mathrm{d}y
        """
        check_array(dy, "dy", shape=self.x_hat.shape, dtype=self.x_hat.dtype)
        if self.weight is None:
            return dy
        self.weight.accumulate((dy * self.x_hat).sum(axis=self.shared))      # (N, C, H, W) -> (C,), say
        self.bias.accumulate(dy.sum(axis=self.shared))
        return dy * np.expand_dims(self.weight.data, self.shared)


class _BatchNorm(_Norm):
    """What batch norms share: normalise each channel over the batch, or by running averages."""

    buffer_names = ("running_mean", "running_var")

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, *, dtype=np.float64):
        self.num_features = check_integer(num_features, "num_features", low=1)
        super().__init__((num_features,), eps, affine, dtype)
        self.momentum = check_number(momentum, "momentum", low=0, high=1)
        self.dtype = np.dtype(dtype)
        self.running_mean = np.zeros(num_features, dtype)
        self.running_var = np.ones(num_features, dtype)

    def _normalize_batch(self, x, axes):
        """Normalise by the batch's mean and variance in training, by the running ones otherwise."""
        self.by_batch = self.training
        if self.training:
            _check_count(x.size // self.num_features, x)
            y = self._normalize(x, over=axes, shared=axes)
            self._update_running_averages(x)
            return y
        mean, self.std = self._running_mean_and_std(axes)
        return self._scale_and_shift((x - mean) / self.std, shared=axes)

    def backward(self, dy):
        r"""Propagate the gradient; running averages are constants, so there :math:`\mathrm{d}x = \mathrm{d}\hat x / s`.

        Parameters
        ----------
        dy : ndarray of the shape of the last input

        Returns
        -------
        ndarray of the shape of dy
        """
        return super().backward(dy) if self.by_batch else self._scale_and_shift_backward(dy) / self.std

    def _running_mean_and_std(self, axes):
        """Return both in a shape that combines with x, such as (1, C, 1, 1)."""
        mean, var = np.expand_dims(self.running_mean, axes), np.expand_dims(self.running_var, axes)
        return mean, np.sqrt(var + self.eps)

    def _update_running_averages(self, x):
        """Move the running averages towards the batch's mean and its unbiased variance."""
        n = x.size // self.num_features
        self.running_mean += self.momentum * (self.mean.ravel() - self.running_mean)
        self.running_var += self.momentum * (self.var.ravel() * n / (n - 1) - self.running_var)


class BatchNorm1d(_BatchNorm):
    r"""Normalise each feature over the batch.

    Parameters
    ----------
    num_features : int
        Number of features (channels), C.
    eps : float
        Positive; added to the variance.
    momentum : float
        Weight of the *new* value in the running averages, in [0, 1], as PyTorch has it.
    affine : bool
        Whether each feature has a weight and a bias.
    dtype : numpy.dtype

    Attributes
    ----------
    weight, bias : Parameter of shape (C,), or None
    running_mean, running_var : ndarray of shape (C,)
        Used in evaluation mode. They start at 0 and 1.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    Notes
    -----
    As in PyTorch, the batch is divided by the root of its biased variance, while the running
    average is one of unbiased variances. A single value a channel is refused in training: it
    would always be normalised to zero.

    References
    ----------
    Ioffe and Szegedy, *Batch normalization: Accelerating deep network training by reducing
    internal covariate shift*, ICML 2015, Algorithms 1 and 2.
    """

    def forward(self, x):
        """Normalise over the batch, and over the positions of sequences if there are any.

        Parameters
        ----------
        x : ndarray of shape (N, C) or (N, C, L)

        Returns
        -------
        ndarray of the shape of x

        Raises
        ------
        ValueError
            If the shape does not fit, or, in training, a mean would be taken over a single value.
        """
        self._check_input(x)
        return self._normalize_batch(x, axes=(0,) if x.ndim == 2 else (0, 2))

    def _check_input(self, x):
        """Check for shape (N, C), or with a third axis (N, C, L)."""
        length = ("L",) if np.ndim(x) == 3 else ()
        check_array(x, "x", shape=("N", self.num_features, *length), dtype=self.dtype)


class BatchNorm2d(_BatchNorm):
    r"""Normalise each channel of images over the batch and all positions.

    A convolution treats all positions alike, and so does its norm.

    Parameters
    ----------
    num_features : int
        Number of channels, C.
    eps : float
        Positive; added to the variance.
    momentum : float
        Weight of the *new* value in the running averages, in [0, 1].
    affine : bool
        Whether each channel has a weight and a bias.
    dtype : numpy.dtype

    Attributes
    ----------
    weight, bias : Parameter of shape (C,), or None
    running_mean, running_var : ndarray of shape (C,)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Ioffe and Szegedy, *Batch normalization: Accelerating deep network training by reducing
    internal covariate shift*, ICML 2015, section 3.2.
    """

    def forward(self, x):
        """Normalise over the batch, height and width.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, C, H, W)

        Raises
        ------
        ValueError
            If the shape does not fit, or, in training, a mean would be taken over a single value.
        """
        check_array(x, "x", shape=("N", self.num_features, "H", "W"), dtype=self.dtype)
        return self._normalize_batch(x, axes=(0, 2, 3))


class BatchRenorm1d(BatchNorm1d):
    r"""Batch norm that is corrected towards the running averages, for small batches.

    .. math::

        \hat x = r\, \frac{x - \mu}{s} + d, \qquad
        r = \operatorname{clip}\Bigl(\frac{s}{s_\text{run}},
        \frac{1}{r_\text{max}}, r_\text{max}\Bigr), \quad
        d = \operatorname{clip}\Bigl(\frac{\mu - \mu_\text{run}}{s_\text{run}},
        -d_\text{max}, d_\text{max}\Bigr)

    Unclipped, this is :math:`(x - \mu_\text{run})/s_\text{run}`, the very output of evaluation mode:
    training and inference agree however small the batch. Yet gradients still go through the
    batch's own :math:`\mu` and s, while r and d count as constants.

    Parameters
    ----------
    num_features : int
        Number of features (channels), C.
    eps : float
        Positive; added to the variance.
    momentum : float
        Weight of the *new* value in the running averages, in [0, 1].
    r_max : float
        At least 1. With ``r_max=1`` and ``d_max=0`` this is batch norm.
    d_max : float
        At least 0.
    affine : bool
        Whether each feature has a weight and a bias.
    dtype : numpy.dtype

    Attributes
    ----------
    weight, bias : Parameter of shape (C,), or None
    running_mean, running_var : ndarray of shape (C,)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    Notes
    -----
    The paper keeps a running average of the standard deviation; here it is one of unbiased
    variances, as in batch norm, so that the state of either moves to the other. The paper starts
    as batch norm, for 5,000 steps, and then widens both limits step by step to 3 and 5; here
    they are attributes, which a training loop may change.

    References
    ----------
    Ioffe, *Batch renormalization: Towards reducing minibatch dependence in batch-normalized
    models*, NeurIPS 2017, Algorithm 1.
    """

    def __init__(
        self, num_features, eps=1e-5, momentum=0.1, r_max=3.0, d_max=5.0, affine=True, *, dtype=np.float64
    ):
        super().__init__(num_features, eps, momentum, affine, dtype=dtype)
        self.r_max = check_number(r_max, "r_max", low=1)
        self.d_max = check_number(d_max, "d_max", low=0)

    def forward(self, x):
        r"""Normalise by the batch and correct by r and d in training; else by the running averages.

        Parameters
        ----------
        x : ndarray of shape (N, C) or (N, C, L)

        Returns
        -------
        ndarray of the shape of x

        Raises
        ------
        ValueError
            If the shape does not fit, or, in training, a mean would be taken over a single value.
        """
        if not self.training:
            return super().forward(x)
        self._check_input(x)
        _check_count(x.size // self.num_features, x)
        self.by_batch, self.over = True, _all_but_channels(x)
        self.batch_hat, self.mean, self.var, self.std = _standardize(x, self.over, self.eps)
        running_mean, running_std = self._running_mean_and_std(self.over)
        self.r = np.clip(self.std / running_std, 1 / self.r_max, self.r_max)
        d = np.clip((self.mean - running_mean) / running_std, -self.d_max, self.d_max)
        self._update_running_averages(x)
        return self._scale_and_shift(self.r * self.batch_hat + d, shared=self.over)

    def backward(self, dy):
        r"""Propagate the gradient, with r and d held constant.

        Parameters
        ----------
        dy : ndarray of the shape of the last input

        Returns
        -------
        ndarray of the shape of dy
        """
        if not self.by_batch:
            return super().backward(dy)
        dx_hat = self._scale_and_shift_backward(dy)
        return _standardize_backward(self.r * dx_hat, self.batch_hat, self.std, self.over)


class LayerNorm(_Norm):
    r"""Normalise each example by itself, over its last axes.

    Training and evaluation do not differ, and a batch of one will do, as in recurrent networks.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Sizes of the last axes, over which the means are taken.
    eps : float
        Positive; added to the variance.
    elementwise_affine : bool
        Whether each element of an example has a weight and a bias.
    dtype : numpy.dtype

    Attributes
    ----------
    weight, bias : Parameter of shape `normalized_shape`, or None

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Ba, Kiros and Hinton, *Layer normalization*, arXiv:1607.06450, 2016, section 3.
    """

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, *, dtype=np.float64):
        self.normalized_shape = _check_normalized_shape(normalized_shape)
        super().__init__(self.normalized_shape, eps, elementwise_affine, dtype)

    def forward(self, x):
        """Normalise over the last axes.

        Parameters
        ----------
        x : ndarray
            Its last sizes must be `normalized_shape`.

        Returns
        -------
        ndarray of the shape of x

        Raises
        ------
        ValueError
            If the shape does not fit, or a mean would be taken over a single value.
        """
        check_array(x, "x", shape=(..., *self.normalized_shape), dtype=self.dtype)
        _check_count(math.prod(self.normalized_shape), x)
        first = x.ndim - len(self.normalized_shape)
        return self._normalize(x, over=tuple(range(first, x.ndim)), shared=tuple(range(first)))


class InstanceNorm2d(_Norm):
    r"""Normalise each channel of each image by itself.

    This takes the contrast of a single image out, which is a matter of style.

    Parameters
    ----------
    num_features : int
        Number of channels, C.
    eps : float
        Positive; added to the variance.
    affine : bool
        Whether each channel has a weight and a bias.
    dtype : numpy.dtype

    Attributes
    ----------
    weight, bias : Parameter of shape (C,), or None

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Ulyanov, Vedaldi and Lempitsky, *Instance normalization: The missing ingredient for fast
    stylization*, arXiv:1607.08022, 2016.
    """

    def __init__(self, num_features, eps=1e-5, affine=False, *, dtype=np.float64):
        self.num_features = check_integer(num_features, "num_features", low=1)
        super().__init__((num_features,), eps, affine, dtype)

    def forward(self, x):
        """Normalise over height and width.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, C, H, W)

        Raises
        ------
        ValueError
            If the shape does not fit, or a mean would be taken over a single value.
        """
        check_array(x, "x", shape=("N", self.num_features, "H", "W"), dtype=self.dtype)
        _check_count(x.shape[2] * x.shape[3], x)
        return self._normalize(x, over=(2, 3), shared=(0, 2, 3))


class GroupNorm(_Norm):
    r"""Normalise groups of channels of each example: between layer norm and instance norm.

    One group of all channels is layer norm (but for the parameters' shape), groups of one channel
    are instance norm.

    Parameters
    ----------
    num_groups : int
        Number of groups, G.
    num_channels : int
        Number of channels, C, a multiple of G.
    eps : float
        Positive; added to the variance.
    affine : bool
        Whether each channel has a weight and a bias.
    dtype : numpy.dtype

    Attributes
    ----------
    weight, bias : Parameter of shape (C,), or None

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Wu and He, *Group normalization*, ECCV 2018, section 3.
    """

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True, *, dtype=np.float64):
        self.num_groups, self.num_channels = _check_groups(num_groups, num_channels)
        super().__init__((num_channels,), eps, affine, dtype)

    def forward(self, x):
        """Normalise over the channels of a group and all positions.

        Parameters
        ----------
        x : ndarray of shape (N, C, ...)

        Returns
        -------
        ndarray of shape (N, C, ...)

        Raises
        ------
        ValueError
            If the shape does not fit, or a mean would be taken over a single value.
        """
        check_array(x, "x", shape=("N", self.num_channels, *np.shape(x)[2:]), dtype=self.dtype)
        size = self.num_channels // self.num_groups
        _check_count(size * math.prod(x.shape[2:]), x)
        groups = x.reshape(len(x), self.num_groups, size, *x.shape[2:])      # (N, C, H, W) -> (N, G, C/G, H, W)
        self.over = tuple(range(2, groups.ndim))
        self.groups_hat, _, _, self.std = _standardize(groups, self.over, self.eps)
        return self._scale_and_shift(self.groups_hat.reshape(x.shape), shared=_all_but_channels(x))

    def backward(self, dy):
        """Propagate the gradient.

        Parameters
        ----------
        dy : ndarray of shape (N, C, ...)

        Returns
        -------
        ndarray of shape (N, C, ...)
        """
        dx_hat = self._scale_and_shift_backward(dy).reshape(self.groups_hat.shape)
        return _standardize_backward(dx_hat, self.groups_hat, self.std, self.over).reshape(dy.shape)


def _all_but_channels(x):
    """Return all axes of ``x`` but the second."""
    return (0, *range(2, x.ndim))


def _check_count(count, x):
    """Refuse to normalise a single value, which would always become zero, or none at all."""
    if count < 2:
        raise ValueError(f"x: expected more than one value to take each mean over, got {count}, shape {tuple(x.shape)}")


def _check_normalized_shape(shape):
    """Return the sizes of the last axes as a tuple."""
    shape = (shape,) if isinstance(shape, numbers.Integral) else shape
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"normalized_shape: expected an integer or a tuple of them, got {describe(shape)}")
    if not shape:
        raise ValueError("normalized_shape: expected at least one size, got ()")
    return tuple(check_integer(size, "normalized_shape", low=1) for size in shape)


def _check_groups(num_groups, num_channels):
    """Return both numbers, of which the second must be a multiple of the first."""
    check_integer(num_groups, "num_groups", low=1)
    check_integer(num_channels, "num_channels", low=1)
    if num_channels % num_groups:
        raise ValueError(f"num_channels: expected a multiple of num_groups ({num_groups}), got {num_channels}")
    return num_groups, num_channels
