r"""The patches of images that a kernel meets, as the columns of a matrix.

A convolution is a matrix product: each column holds the pixels of one patch, each row of the other
matrix one kernel. What costs time is to write down the columns, since neighbouring patches share most
of their pixels. Two observations make it cheap.

1. Flatten the rows of a padded image of width :math:`Q` one after the other. Then the pixel that all
   patches have under position :math:`(i, j)` of the kernel is the flat image itself, shifted by
   :math:`iQ + j`. A row of the matrix is one long copy. Between the patches of one line of the output
   and those of the next, :math:`Q - W_o` columns belong to no patch. They are computed and dropped.

2. A stride of :math:`s` leaves :math:`s - 1` of :math:`s` patches out. Sort the pixels first into
   :math:`s^2` planes, by the remainders of their row and column modulo :math:`s`. Within a plane the
   stride is one.

Images are taken a few at a time, so that their columns stay in the processor's cache.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .validation import check_integer

__all__ = ["Patches", "check_pair", "output_size", "pair"]

BLOCK = 2**18  # numbers in the columns of one block of images: 1 MB of float32


def pair(value):
    """Read one number for both directions, or one for each.

    Parameters
    ----------
    value : int or tuple of two int

    Returns
    -------
    tuple of two int
    """
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


def check_pair(value, name, low):
    """Check one integer for both directions, or one for each.

    Parameters
    ----------
    value : object
    name : str
        Of the argument, for the message.
    low : int
        The smallest that is legal.

    Returns
    -------
    tuple of two int

    Raises
    ------
    ValueError, TypeError
        If it is neither one integer nor two, or one is too small.
    """
    if isinstance(value, tuple | list) and len(value) != 2:
        raise ValueError(f"{name}: expected one integer or two, got {len(value)}")
    return tuple(check_integer(one, name, low=low) for one in pair(value))


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    r"""Count the places of a kernel along one direction.

    .. math:: \left\lfloor \frac{N + 2P - D (F - 1) - 1}{S} \right\rfloor + 1

    Without dilation (:math:`D = 1`) this is the lecture's :math:`(N - F + 2P) / S + 1`.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation : int
        N, F, S, P and D.

    Returns
    -------
    int
        Below 1 if the kernel does not fit once.
    """
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


class Patches:
    """Where the patches of a batch of images lie, for one shape of images and of kernels.

    In the shapes below, N is the number of images, G that of groups, n the number of images of a
    block, S the number of planes (the product of the strides), L the number of pixels of a plane,
    K the number of pixels of a patch in all channels of its group, and M the number of columns of one
    image.

    Parameters
    ----------
    shape : tuple of int
        Of the images: (N, C, H, W).
    weight_shape : tuple of int
        Of the kernels: (O, C / G, kernel height, kernel width).
    stride, padding, dilation : tuple of two int
        For rows and columns.
    groups : int

    Attributes
    ----------
    out_shape : tuple of int
        (N, O, output height, output width).
    """

    def __init__(self, shape, weight_shape, stride, padding, dilation, groups):
        self.shape, self.weight_shape = tuple(shape), tuple(weight_shape)
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        count, _, *size = shape
        kernels, self.group_channels, *self.kernel = weight_shape
        out = [output_size(*one) for one in zip(size, self.kernel, stride, padding, dilation, strict=True)]
        self.out_shape = (count, kernels, *out)
        # The size of a plane: that of the padded image, in strides, rounded up.
        self.plane = [-(-(n + 2 * p) // s) for n, p, s in zip(size, padding, stride, strict=True)]
        self.columns = (out[0] - 1) * self.plane[1] + out[1]  # M: the last patch is the end of its flat copy
        self.pixels = self.group_channels * self.kernel[0] * self.kernel[1]  # K
        self.block = max(1, min(count, BLOCK // max(1, groups * self.pixels * self.columns)))
        self._buffers = {}

    def blocks(self):
        """Divide the batch.

        Yields
        ------
        slice
            The images of one block.
        """
        for first in range(0, self.shape[0], self.block):
            yield slice(first, min(first + self.block, self.shape[0]))

    def shifts(self):
        """Go through the positions of the kernel.

        Yields
        ------
        row, column : int
            The position.
        plane : int
            In which plane its pixels lie.
        shift : int
            By how much the flat plane is shifted for it.
        """
        for row in range(self.kernel[0]):
            for column in range(self.kernel[1]):
                down, i = divmod(row * self.dilation[0], self.stride[0])
                right, j = divmod(column * self.dilation[1], self.stride[1])
                yield row, column, i * self.stride[1] + j, down * self.plane[1] + right

    def planes(self, x):
        """Pad the images and sort their pixels into flat planes.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Returns
        -------
        ndarray of shape (N, S, G, C / G, L)
        """
        count, channels, height, width = self.shape
        (rows, cols), (top, left) = self.stride, self.padding
        padded = np.zeros((count, channels, self.plane[0] * rows, self.plane[1] * cols), x.dtype)
        padded[:, :, top:top + height, left:left + width] = x
        sorted_ = padded.reshape(count, channels, self.plane[0], rows, self.plane[1], cols).transpose(0, 3, 5, 1, 2, 4)
        return sorted_.reshape(count, rows * cols, self.groups, self.group_channels, self.plane[0] * self.plane[1])

    def image(self, planes):
        """Put the pixels of planes back where they were, and cut the padding off.

        Parameters
        ----------
        planes : ndarray of shape (N, S, G, C / G, L)

        Returns
        -------
        ndarray of shape (N, C, H, W)
        """
        count, channels, height, width = self.shape
        (rows, cols), (top, left) = self.stride, self.padding
        padded = planes.reshape(count, rows, cols, channels, *self.plane).transpose(0, 3, 4, 1, 5, 2)
        padded = padded.reshape(count, channels, self.plane[0] * rows, self.plane[1] * cols)
        return np.ascontiguousarray(padded[:, :, top:top + height, left:left + width])

    def gather(self, planes, block):
        """Write down the patches of a block of images.

        Parameters
        ----------
        planes : ndarray of shape (N, S, G, C / G, L)
        block : slice

        Returns
        -------
        ndarray of shape (G, K, n M)
            Valid until the next call.
        """
        columns = self._empty("columns", block, planes.dtype)  # (G, kh, kw, C / G, n, M)
        for row, column, plane, shift in self.shifts():
            shifted = planes[block, plane, :, :, shift:shift + self.columns]  # (n, G, C / G, M)
            columns[:, row, column] = shifted.transpose(1, 2, 0, 3)
        return columns.reshape(self.groups, self.pixels, -1)

    def scatter(self, columns, planes, block):
        """Add each number of the patches to the pixel that it was copied from: `gather`, transposed.

        Parameters
        ----------
        columns : ndarray of shape (G, K, n M)
        planes : ndarray of shape (N, S, G, C / G, L)
            Changed.
        block : slice
        """
        columns = columns.reshape(self.groups, *self.kernel, self.group_channels, -1, self.columns)
        for row, column, plane, shift in self.shifts():
            shifted = planes[block, plane, :, :, shift:shift + self.columns]
            shifted += columns[:, row, column].transpose(2, 0, 1, 3)

    def empty_columns(self, block, dtype):
        """Give room for a block's columns, of shape (G, K, n M)."""
        return self._empty("columns", block, dtype).reshape(self.groups, self.pixels, -1)

    def empty_maps(self, block, dtype):
        """Give room for a block's output, of shape (G, O / G, n M)."""
        return self._empty("maps", block, dtype)

    def lines(self, maps):
        """Look at the output as images: the numbers that belong to no patch are left out.

        Parameters
        ----------
        maps : ndarray of shape (G, O / G, n M)

        Returns
        -------
        ndarray of shape (n, O, output height, output width)
            A view.
        """
        kernels, *out = self.out_shape[1:]
        images, size = maps.shape[-1] // self.columns, maps.itemsize
        strides = (self.columns * size, images * self.columns * size, self.plane[1] * size, size)
        return as_strided(maps, (images, kernels, *out), strides)

    def spread(self, y, block):
        """Write images of the output's shape as a matrix, with zeros where a column belongs to no patch.

        Parameters
        ----------
        y : ndarray of shape (N, O, output height, output width)
        block : slice

        Returns
        -------
        ndarray of shape (G, O / G, n M)
            Valid until the next call.
        """
        maps = self.empty_maps(block, y.dtype)
        maps[...] = 0
        self.lines(maps)[...] = y[block]
        return maps

    def rows(self, weight):
        """Write each kernel as a row, in the order of the columns.

        Parameters
        ----------
        weight : ndarray of shape (O, C / G, kernel height, kernel width)

        Returns
        -------
        ndarray of shape (G, O / G, K)
        """
        return weight.transpose(0, 2, 3, 1).reshape(self.groups, -1, self.pixels)

    def kernels(self, rows):
        """Write rows as kernels: the inverse of `rows`.

        Parameters
        ----------
        rows : ndarray of shape (G, O / G, K)

        Returns
        -------
        ndarray of shape (O, C / G, kernel height, kernel width)
        """
        kernels = rows.reshape(-1, *self.kernel, self.group_channels).transpose(0, 3, 1, 2)
        return np.ascontiguousarray(kernels)

    def _empty(self, name, block, dtype):
        """Use the same memory again and again: to ask for new memory costs as much as to fill it."""
        images = block.stop - block.start
        shapes = {
            "columns": (self.groups, *self.kernel, self.group_channels, images, self.columns),
            "maps": (self.groups, self.out_shape[1] // self.groups, images * self.columns),
        }
        key = name, images, np.dtype(dtype)
        if key not in self._buffers:
            self._buffers[key] = np.empty(shapes[name], dtype)
        return self._buffers[key]
