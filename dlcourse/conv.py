r"""Convolution of images: the layer, its transpose, and the loops that define them.

What networks call a convolution slides a kernel over an image without turning it round. Mathematics
calls this a cross-correlation; since the kernel is learned, the difference is only in the name.
"""

import numpy as np

from .module import Module, Parameter
from .patches import Patches, check_pair, output_size, pair
from .validation import check_array, check_integer, check_rng

__all__ = ["Conv2d", "ConvTranspose2d", "conv2d_loops", "output_size"]


def conv2d_loops(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    r"""Convolve by the definition, one output number at a time.

    .. math::

        Y_{n,o,r,c} = b_o + \sum_{k} \sum_{i,j} W_{o,k,i,j}\, \tilde X_{n,\, g K + k,\; sr + di,\; sc + dj}

    with :math:`\tilde X` the images with a margin of zeros, :math:`K` the number of channels of a
    group and :math:`g = \lfloor o G / O \rfloor` the group of kernel :math:`o`.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    weight : ndarray of shape (O, C / groups, kernel height, kernel width)
    bias : ndarray of shape (O,), optional
    stride, padding, dilation : int or tuple of two int
        Step s between patches, margin of zeros, step d between the pixels of a patch.
    groups : int
        Channels and kernels are divided into so many groups that do not see each other.

    Returns
    -------
    ndarray of shape (N, O, output height, output width)
    """
    (step_y, step_x), (top, left), (gap_y, gap_x) = pair(stride), pair(padding), pair(dilation)
    kernels, channels, height, width = weight.shape
    x = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))
    out_height = output_size(x.shape[2], height, step_y, 0, gap_y)
    out_width = output_size(x.shape[3], width, step_x, 0, gap_x)
    y = np.zeros((len(x), kernels, out_height, out_width), x.dtype)
    for n, o, r, c in np.ndindex(y.shape):
        first = o * groups // kernels * channels
        rows = slice(r * step_y, r * step_y + gap_y * (height - 1) + 1, gap_y)
        columns = slice(c * step_x, c * step_x + gap_x * (width - 1) + 1, gap_x)
        patch = x[n, first:first + channels, rows, columns]  # (C / groups, kernel height, kernel width)
        y[n, o, r, c] = (weight[o] * patch).sum()
    return y if bias is None else y + bias[:, None, None]


def correlate(x, weight, patches):
    r"""Compute :math:`Y = W X_{\text{col}}`, a matrix product over the columns of all patches.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    weight : ndarray of shape (O, C / G, kernel height, kernel width)
    patches : Patches

    Returns
    -------
    ndarray of shape (N, O, output height, output width)
    """
    y = np.empty(patches.out_shape, x.dtype)
    planes, rows = patches.planes(x), patches.rows(weight)
    for block in patches.blocks():
        maps = patches.empty_maps(block, x.dtype)
        np.matmul(rows, patches.gather(planes, block), out=maps)  # (O, K) @ (K, n M), for each group
        y[block] = patches.lines(maps)
    return y


def weight_gradient(x, dy, patches):
    r"""Compute :math:`\mathrm{d}W = \mathrm{d}Y X_{\text{col}}^\top`.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    dy : ndarray of shape (N, O, output height, output width)
    patches : Patches

    Returns
    -------
    ndarray of shape (O, C / G, kernel height, kernel width)
    """
    kernels = patches.out_shape[1]
    rows = np.zeros((patches.groups, kernels // patches.groups, patches.pixels), x.dtype)
    planes = patches.planes(x)
    for block in patches.blocks():
        columns = patches.gather(planes, block)
        rows += patches.spread(dy, block) @ columns.transpose(0, 2, 1)  # (O, n M) @ (n M, K), for each group
    return patches.kernels(rows)


def input_gradient(dy, weight, patches):
    r"""Compute :math:`\mathrm{d}X_{\text{col}} = W^\top \mathrm{d}Y`, and add up what overlaps.

    Parameters
    ----------
    dy : ndarray of shape (N, O, output height, output width)
    weight : ndarray of shape (O, C / G, kernel height, kernel width)
    patches : Patches

    Returns
    -------
    ndarray of shape (N, C, H, W)
    """
    planes = patches.planes(np.zeros(patches.shape, dy.dtype))
    turned = np.ascontiguousarray(patches.rows(weight).transpose(0, 2, 1))  # (G, K, O / G)
    for block in patches.blocks():
        columns = patches.empty_columns(block, dy.dtype)
        np.matmul(turned, patches.spread(dy, block), out=columns)  # (K, O) @ (O, n M), for each group
        patches.scatter(columns, planes, block)
    return patches.image(planes)


def check_output_padding(output_padding, stride):
    """Check that a convolution would lead from the larger output back to the input's size."""
    if any(extra >= step for extra, step in zip(output_padding, stride, strict=True)):
        raise ValueError(f"output_padding: expected less than stride = {stride}, got {output_padding}")


class _Window(Module):
    """What a convolution and its transpose share: settings, parameters, and the patches of a shape.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, rng, dtype
        Those of `Conv2d`.
    transposed : bool
        Whether the kernels lead from the output's channels to the input's.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
                 *, transposed, rng, dtype):
        super().__init__()
        self.in_channels = check_integer(in_channels, "in_channels", low=1)
        self.out_channels = check_integer(out_channels, "out_channels", low=1)
        self.groups = check_integer(groups, "groups", low=1)
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % groups:
                raise ValueError(f"{name}: expected a multiple of groups = {groups}, got {getattr(self, name)}")
        self.kernel_size = check_pair(kernel_size, "kernel_size", low=1)
        self.stride = check_pair(stride, "stride", low=1)
        self.padding = check_pair(padding, "padding", low=0)
        self.dilation = check_pair(dilation, "dilation", low=1)
        check_rng(rng)
        kernels, seen = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        shape = (kernels, seen // groups, *self.kernel_size)
        bound = 1 / np.sqrt(np.prod(shape[1:]))
        self.weight = Parameter(rng.uniform(-bound, bound, shape).astype(dtype))
        self.bias = Parameter(rng.uniform(-bound, bound, out_channels).astype(dtype)) if bias else None
        self._patches = None

    def patches(self, shape):
        """Find the patches of images of a shape; those of the last call are kept."""
        if self._patches is None or self._patches.shape != tuple(shape):
            self._patches = Patches(shape, self.weight.shape, self.stride, self.padding, self.dilation, self.groups)
        return self._patches

    def add_bias(self, y):
        """Add each channel's bias to all of its pixels, in place; y has shape (N, O, H', W')."""
        if self.bias is not None:
            y += self.bias.data[:, None, None]             # (N, O, H', W') + (O, 1, 1)
        return y

    def accumulate(self, dw, dy):
        """Add to the parameters' gradients; that of a bias is the sum over all of its pixels."""
        self.weight.accumulate(dw)
        if self.bias is not None:
            self.bias.accumulate(dy.sum(axis=(0, 2, 3)))   # (O,)


class Conv2d(_Window):
    r"""Slide kernels over images.

    .. math:: Y = W * X + b

    The initial weights and biases are drawn from :math:`U(-1/\sqrt{K}, 1/\sqrt{K})`, where :math:`K` is
    the number of pixels of a patch in all channels that a kernel sees, as PyTorch does.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size, stride, padding, dilation : int or tuple of two int
        For rows and columns: size of the kernel, step between patches, margin of zeros on each side,
        step between the pixels of a patch.
    groups : int
        Channels and kernels are divided into so many groups that do not see each other.
    bias : bool
        Whether to add b.
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype
        float32 or float64.

    Attributes
    ----------
    weight : Parameter of shape (O, C / groups, kernel height, kernel width)
    bias : Parameter of shape (O,), or None

    Raises
    ------
    ValueError, TypeError
        If a size is out of range, ``groups`` does not divide the channels, or ``rng`` is no generator.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition,
    Proceedings of the IEEE 86(11), 1998, section II A.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 *, rng, dtype=np.float64):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
                         transposed=False, rng=rng, dtype=dtype)

    def forward(self, x):
        r"""Compute :math:`Y = W X_{\text{col}} + b`, where the columns of X_col are the patches.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, O, output height, output width)

        Raises
        ------
        ValueError, TypeError
            If shape or type differ, or the kernel does not fit into the image.
        """
        check_array(x, "x", shape=("N", self.in_channels, "H", "W"), dtype=self.weight.dtype)
        patches = self.patches(x.shape)
        if min(patches.out_shape[2:]) < 1:
            raise ValueError(f"x: expected images in which a kernel of {self.kernel_size} fits, got {x.shape}")
        self.x = x
        return self.add_bias(correlate(x, self.weight.data, patches))

    def backward(self, dy):
        r"""Propagate the gradient.

        .. math::

            \mathrm{d}W = \mathrm{d}Y X_{\text{col}}^\top, \qquad
            \mathrm{d}b = \textstyle\sum_{n,r,c} \mathrm{d}Y_{n,\cdot,r,c}, \qquad
            \mathrm{d}X_{\text{col}} = W^\top \mathrm{d}Y

        A pixel of X stands in many columns, and its gradient is the sum of theirs.

        Parameters
        ----------
        dy : ndarray of shape (N, O, output height, output width)

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        patches = self.patches(self.x.shape)
        check_array(dy, "dy", shape=patches.out_shape, dtype=self.weight.dtype)
        self.accumulate(weight_gradient(self.x, dy, patches), dy)
        return input_gradient(dy, self.weight.data, patches)


class ConvTranspose2d(_Window):
    r"""Spread each pixel over a patch: the transpose of a convolution as a linear map.

    Its forward pass is the backward pass of a `Conv2d` with the same kernels, and the other way
    round. The output has :math:`(H - 1) S - 2P + D (F - 1) + P_o + 1` rows.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size, stride, padding : int or tuple of two int
        Those of the convolution that leads back, for rows and columns.
    output_padding : int or tuple of two int
        Rows and columns more. Where the stride is above one, images of several sizes lead to the same
        size; this chooses among them, so it must be below the stride.
    groups : int
    bias : bool
        Whether to add b.
    dilation : int or tuple of two int
    rng : numpy.random.Generator
        Draws the initial weights.
    dtype : numpy.dtype
        float32 or float64.

    Attributes
    ----------
    weight : Parameter of shape (C, O / groups, kernel height, kernel width)
    bias : Parameter of shape (O,), or None

    Raises
    ------
    ValueError, TypeError
        If a size is out of range, ``groups`` does not divide the channels, or ``rng`` is no generator.

    References
    ----------
    Dumoulin, Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285, section 4.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1,
                 bias=True, dilation=1, *, rng, dtype=np.float64):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
                         transposed=True, rng=rng, dtype=dtype)
        self.output_padding = check_pair(output_padding, "output_padding", low=0)
        check_output_padding(self.output_padding, self.stride)

    def output_shape(self, shape):
        """Give the output's shape for an input's, (N, C, H, W)."""
        settings = zip(shape[2:], self.kernel_size, self.stride, self.padding, self.dilation, self.output_padding,
                       strict=True)
        size = [(n - 1) * s - 2 * p + d * (f - 1) + extra + 1 for n, f, s, p, d, extra in settings]
        return (shape[0], self.out_channels, *size)

    def forward(self, x):
        r"""Compute :math:`Y_{\text{col}} = W^\top X`, and add up what overlaps.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, O, output height, output width)

        Raises
        ------
        ValueError, TypeError
            If shape or type differ, or nothing is left of the output.
        """
        check_array(x, "x", shape=("N", self.in_channels, "H", "W"), dtype=self.weight.dtype)
        shape = self.output_shape(x.shape)
        if min(*x.shape[2:], *shape[2:]) < 1:
            raise ValueError(f"x: expected images with an output of at least one pixel, got {x.shape}")
        self.x = x
        return self.add_bias(input_gradient(x, self.weight.data, self.patches(shape)))

    def backward(self, dy):
        r"""Propagate the gradient: a convolution with the same kernels.

        .. math::

            \mathrm{d}X = W\, \mathrm{d}Y_{\text{col}}, \qquad
            \mathrm{d}W = X\, \mathrm{d}Y_{\text{col}}^\top, \qquad
            \mathrm{d}b = \textstyle\sum_{n,r,c} \mathrm{d}Y_{n,\cdot,r,c}

        Parameters
        ----------
        dy : ndarray of shape (N, O, output height, output width)

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        shape = self.output_shape(self.x.shape)
        check_array(dy, "dy", shape=shape, dtype=self.weight.dtype)
        patches = self.patches(shape)
        self.accumulate(weight_gradient(dy, self.x, patches), dy)
        return correlate(dy, self.weight.data, patches)
