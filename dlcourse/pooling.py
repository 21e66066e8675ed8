r"""Pooling: one number for each window of an image."""

import numpy as np

from .module import Module
from .patches import check_pair, output_size
from .validation import check_array

__all__ = ["AvgPool2d", "GlobalAvgPool2d", "MaxPool2d", "max_pool2d_loops"]


def max_pool2d_loops(x, kernel_size, stride):
    r"""Take the maximum of each window by the definition, one output number at a time.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    kernel_size, stride : int

    Returns
    -------
    ndarray of shape (N, C, output height, output width)
    """
    height, width = (output_size(size, kernel_size, stride) for size in x.shape[2:])
    y = np.zeros((*x.shape[:2], height, width), x.dtype)
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = x[n, c, i * stride:i * stride + kernel_size, j * stride:j * stride + kernel_size].max()
    return y


class _Pool(Module):
    """What both kinds of pooling share: windows, and a margin.

    Raises
    ------
    ValueError, TypeError
        If a size is out of range, or the margin is more than half a window.
    """

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        self.kernel_size = check_pair(kernel_size, "kernel_size", low=1)
        self.stride = self.kernel_size if stride is None else check_pair(stride, "stride", low=1)
        self.padding = check_pair(padding, "padding", low=0)
        self.overlap = any(s < k for s, k in zip(self.stride, self.kernel_size, strict=True))
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ValueError(f"padding: expected at most half of kernel_size = {self.kernel_size}, got {padding}")

    def check(self, x):
        """Check images, and find the size of the output."""
        check_array(x, "x", shape=("N", "C", "H", "W"))
        size = [output_size(n, k, s, p) for n, k, s, p
                in zip(x.shape[2:], self.kernel_size, self.stride, self.padding, strict=True)]
        if min(size) < 1:
            raise ValueError(f"x: expected images in which a window of {self.kernel_size} fits, got {x.shape}")
        self.shape, self.out_shape = x.shape, (*x.shape[:2], *size)

    def pad(self, x, value):
        """Add the margin."""
        (top, left) = self.padding
        margin = ((0, 0), (0, 0), (top, top), (left, left))
        return np.pad(x, margin, constant_values=value) if top or left else x

    def crop(self, x):
        """Cut the margin off."""
        (top, left), (height, width) = self.padding, self.shape[2:]
        return x[:, :, top:top + height, left:left + width]

    def positions(self):
        """Go through the positions of the window.

        Yields
        ------
        tuple
            An index that picks, of padded images, the pixel at this position of every window. The
            result has the shape of the output.
        """
        (height, width), (step_y, step_x) = self.out_shape[2:], self.stride
        for i in range(self.kernel_size[0]):
            for j in range(self.kernel_size[1]):
                yield np.s_[:, :, i:i + (height - 1) * step_y + 1:step_y, j:j + (width - 1) * step_x + 1:step_x]


class MaxPool2d(_Pool):
    r"""Keep the largest number of each window.

    .. math:: y = \max_{(i,j)} x_{i,j}

    Parameters
    ----------
    kernel_size : int or tuple of two int
        Size of the window.
    stride : int or tuple of two int, optional
        Step between windows; by default their size, so that they do not overlap.
    padding : int or tuple of two int
        Margin on each side. It never wins.

    Notes
    -----
    Where several pixels of a window are largest, the first in reading order gets the gradient, as in
    PyTorch. A NaN in a window makes its output NaN, in both; its gradient goes to that pixel in
    PyTorch and is lost here.
    """

    def forward(self, x):
        """Keep the largest.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, C, output height, output width)
        """
        self.check(x)
        self.x = self.pad(x, -np.inf)
        first, *others = self.positions()
        self.y = self.x[first].copy()                      # (N, C, H', W')
        for position in others:
            np.maximum(self.y, self.x[position], out=self.y)
        return self.y

    def backward(self, dy):
        r"""Send each gradient to the pixel that won.

        .. math:: \mathrm{d}x_{i,j} = \mathrm{d}y \,[\,(i,j) = \arg\max x\,]

        Parameters
        ----------
        dy : ndarray of shape (N, C, output height, output width)

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        check_array(dy, "dy", shape=self.out_shape, dtype=self.x.dtype)
        dx, unclaimed = np.zeros_like(self.x), np.ones(self.out_shape, dtype=bool)
        for position in self.positions():
            won = self.x[position] == self.y               # (N, C, H', W')
            won &= unclaimed
            unclaimed ^= won
            if self.overlap:
                dx[position] += dy * won
            else:                                          # nothing to add to, and no array in between
                np.multiply(dy, won, out=dx[position])
        return self.crop(dx)


class AvgPool2d(_Pool):
    r"""Average each window; zeros of the margin count.

    .. math:: y = \frac1{F_h F_w} \sum_{i,j} x_{i,j}

    Parameters
    ----------
    kernel_size : int or tuple of two int
        Size of the window.
    stride : int or tuple of two int, optional
        Step between windows; by default their size.
    padding : int or tuple of two int
        Margin of zeros on each side.
    """

    def forward(self, x):
        """Average.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, C, output height, output width)
        """
        self.check(x)
        self.dtype, padded = x.dtype, self.pad(x, 0)
        y = np.zeros(self.out_shape, x.dtype)
        for position in self.positions():
            y += padded[position]
        y /= np.prod(self.kernel_size)
        return y

    def backward(self, dy):
        r"""Give every pixel of a window its share.

        .. math:: \mathrm{d}x_{i,j} = \frac{\mathrm{d}y}{F_h F_w}

        Parameters
        ----------
        dy : ndarray of shape (N, C, output height, output width)

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        check_array(dy, "dy", shape=self.out_shape, dtype=self.dtype)
        height, width = (n + 2 * p for n, p in zip(self.shape[2:], self.padding, strict=True))
        dx = np.zeros((*self.shape[:2], height, width), dy.dtype)
        share = dy / np.prod(self.kernel_size, dtype=dy.dtype)
        for position in self.positions():
            dx[position] += share
        return self.crop(dx)


class GlobalAvgPool2d(Module):
    r"""Average each map as a whole: one number a channel.

    .. math:: y_c = \frac1{HW} \sum_{i,j} x_{c,i,j}

    References
    ----------
    Lin, Chen, Yan, Network in network, ICLR 2014, section 3.2.
    """

    def __init__(self):
        super().__init__()

    def forward(self, x):
        """Average the maps.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, C)
        """
        check_array(x, "x", shape=("N", "C", "H", "W"))
        if 0 in x.shape[2:]:
            raise ValueError(f"x: expected maps of at least one pixel, got {x.shape}")
        self.shape, self.dtype = x.shape, x.dtype
        return x.mean(axis=(2, 3))

    def backward(self, dy):
        r"""Give every pixel its share.

        .. math:: \mathrm{d}x_{c,i,j} = \frac{\mathrm{d}y_c}{HW}

        Parameters
        ----------
        dy : ndarray of shape (N, C)

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        check_array(dy, "dy", shape=self.shape[:2], dtype=self.dtype)
        share = dy / np.prod(self.shape[2:], dtype=dy.dtype)
        return np.broadcast_to(share[:, :, None, None], self.shape).copy()
