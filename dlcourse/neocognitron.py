r"""The Neocognitron: cells that look for a feature, cells that do not mind where it is, in turns.

S cells compare a patch with what they have learned. All cells of a plane share one template, so a
plane is a map of the places where its feature is. C cells blur a plane, and fewer of them are kept,
so that a feature may move a little without the network's noticing. Templates are learned without
labels and without gradients: the cell that answers most takes the patch before it as its template.
"""

import numpy as np

from .conv import correlate
from .module import Module, Parameter, Sequential
from .patches import Patches
from .validation import check_array, check_finite, check_integer, check_number, check_rng, describe

__all__ = ["CLayer", "Neocognitron", "SLayer"]


def falling_weights(kernel_size, dtype):
    """Give fixed weights that fall with the distance from the middle and add up to one."""
    distance = np.arange(kernel_size) - kernel_size // 2
    row = np.exp(-0.5 * (3 * distance / kernel_size) ** 2)
    return (np.outer(row, row) / row.sum() ** 2).astype(dtype)


def check_kernel(kernel_size):
    """Check that a neighbourhood has a middle."""
    if check_integer(kernel_size, "kernel_size", low=1) % 2 == 0:
        raise ValueError(f"kernel_size: expected an odd number, got {kernel_size}")
    return kernel_size


def filtered(x, weight, stride=1):
    """Correlate with kernels; a margin of zeros keeps the size where the stride is one."""
    margin = weight.shape[-1] // 2
    return correlate(x, weight, Patches(x.shape, weight.shape, (stride, stride), (margin, margin), (1, 1), 1))


def check_images(x, planes, dtype=None):
    """Check maps of at least one pixel and without negative numbers: cells fire or are silent."""
    check_array(x, "x", shape=("N", planes, "H", "W"), dtype=dtype)
    if 0 in x.shape[1:]:
        raise ValueError(f"x: expected maps of at least one pixel, got {x.shape}")
    check_finite(x, "x")
    if x.min(initial=0) < 0:
        raise ValueError(f"x: expected no negative numbers, got {x.min()}")


def seed_cells(u, kernel_size):
    """Choose the cells that learn: the strongest of all, then the strongest of those still free, and so on.

    A seed excludes its whole plane, since a plane has one template, and its neighbours in all
    planes, since one template for a place is enough.

    Parameters
    ----------
    u : ndarray of shape (K, H, W)
        Answers to one image.
    kernel_size : int
        Size of the neighbourhood.

    Yields
    ------
    tuple of int
        Plane, row and column.
    """
    u, reach = u.copy(), kernel_size // 2
    while u.max() > 0:
        plane, row, column = (int(i) for i in np.unravel_index(u.argmax(), u.shape))
        yield plane, row, column
        u[plane] = 0
        u[:, max(row - reach, 0):row + reach + 1, max(column - reach, 0):column + reach + 1] = 0


class SLayer(Module):
    r"""Planes of S cells: how well does the patch before a cell match the template of its plane?

    .. math::

        u_k(n) = r\, \varphi\!\left[\frac{1 + \sum_{j,v} a_k(j, v)\, x_j(n + v)}
            {1 + \frac{2r}{1 + r}\, b_k\, h(n)} - 1\right], \qquad
        h(n) = \sqrt{\sum_{j,v} c(v)\, x_j(n + v)^2}, \qquad \varphi(z) = \max(0, z)

    The inhibition h divides, it does not subtract, so that contrast hardly matters. After one
    patch P was learned at a large rate, the answer is about :math:`(1 + r) \cos(P, x) - r`, the
    cosine weighted by c: only patches with :math:`\cos > r / (1 + r)` get one at all.

    Parameters
    ----------
    in_planes, planes : int
        Number of planes below, and of this layer.
    kernel_size : int
        Height and width of a patch, odd.
    selectivity : float
        The paper's r, greater than 0: the higher, the more alike patch and template must be.
    rng : numpy.random.Generator
        Draws initial weights, so small that a plane that has learned answers more.
    dtype : numpy.dtype

    Attributes
    ----------
    weight : Parameter of shape (K, J, kernel_size, kernel_size)
        The templates a.
    inhibition : Parameter of shape (K,)
        The strengths b of the inhibition; 0 as long as a plane has learned nothing.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    Notes
    -----
    The paper's planes shrink at the border; here a margin of zeros keeps their size.

    References
    ----------
    Fukushima, Neocognitron: a self-organizing neural network model for a mechanism of pattern
    recognition unaffected by shift in position, Biological Cybernetics 36, 1980.
    """

    def __init__(self, in_planes, planes, kernel_size, selectivity, *, rng, dtype=np.float64):
        super().__init__()
        self.in_planes = check_integer(in_planes, "in_planes", low=1)
        self.kernel_size = check_kernel(kernel_size)
        self.selectivity = check_number(selectivity, "selectivity", low=0, low_open=True)
        shape = (check_integer(planes, "planes", low=1), in_planes, kernel_size, kernel_size)
        self.fixed = falling_weights(kernel_size, dtype) / in_planes       # c
        self.weight = Parameter((1e-4 * check_rng(rng).random(shape) * self.fixed).astype(dtype))
        self.inhibition = Parameter(np.zeros(planes, dtype))

    def norm(self, x):
        """Compute h, the root mean square of each patch.

        Parameters
        ----------
        x : ndarray of shape (N, J, H, W)

        Returns
        -------
        ndarray of shape (N, 1, H, W)
        """
        return np.sqrt(filtered((x**2).sum(axis=1, keepdims=True), self.fixed[None, None]))

    def forward(self, x):
        """Answer to images, or to the planes of C cells below.

        Parameters
        ----------
        x : ndarray of shape (N, J, H, W)
            Not negative.

        Returns
        -------
        ndarray of shape (N, K, H, W)
        """
        check_images(x, self.in_planes, self.weight.dtype)
        r = self.selectivity
        excitation = filtered(x, self.weight.data)                         # (N, K, H, W)
        inhibition = 2 * r / (1 + r) * self.inhibition.data[:, None, None] * self.norm(x)
        # The formula's fraction minus one: of a small excitation, 1 + e would keep few digits.
        return r * np.maximum((excitation - inhibition) / (1 + inhibition), 0)

    def learn(self, x, rate=1000.0):
        r"""Learn templates from images, one image after the other, without labels.

        .. math:: \Delta a_k(j, v) = q\, c(v)\, x_j(n + v), \qquad \Delta b_k = \tfrac{q}{2}\, h(n)

        for the plane k and the place n of each seed cell, so that the whole plane follows its seed.
        Where every plane that has learned is silent, one that has not becomes the strongest.

        Parameters
        ----------
        x : ndarray of shape (N, J, H, W)
            At least one image.
        rate : float
            The paper's q, greater than 0.

        Returns
        -------
        list of tuple of int
            The seeds in order: image, plane, row and column.
        """
        check_images(x, self.in_planes, self.weight.dtype)
        check_array(x, "x", empty=False)
        check_number(rate, "rate", low=0, low_open=True)
        size, seeds = self.kernel_size, []
        padded = np.pad(x, ((0, 0), (0, 0), (size // 2, size // 2), (size // 2, size // 2)))
        for n in range(len(x)):
            u, h = self(x[n:n + 1])[0], self.norm(x[n:n + 1])[0, 0]        # (K, H, W), (H, W)
            for plane, row, column in seed_cells(u, size):
                patch = padded[n, :, row:row + size, column:column + size]
                self.weight.data[plane] += rate * self.fixed * patch       # (J, size, size)
                self.inhibition.data[plane] += rate / 2 * h[row, column]
                seeds.append((n, plane, row, column))
        return seeds


class CLayer(Module):
    r"""Planes of C cells: is the feature anywhere near?

    .. math::

        u_k(n) = \psi\!\left[\frac{1 + \sum_v d(v)\, x_k(n + v)}
            {1 + \frac{1}{K} \sum_{j,v} d(v)\, x_j(n + v)} - 1\right], \qquad
        \psi(z) = \frac{\varphi(z)}{\alpha + \varphi(z)}

    Each cell looks at one plane only, with fixed weights d that fall with the distance. The
    denominator is the mean of all planes: a feature counts where it is clearer than the others.

    Parameters
    ----------
    kernel_size : int
        Height and width of the neighbourhood, odd.
    stride : int
        Every so many-th cell is kept.
    saturation : float
        The paper's :math:`\alpha`, greater than 0: the input to which a cell gives half of its
        largest answer, 1.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    Notes
    -----
    With a single plane the excitation never exceeds the mean, and all cells are silent.

    References
    ----------
    Fukushima, Neocognitron: a self-organizing neural network model for a mechanism of pattern
    recognition unaffected by shift in position, Biological Cybernetics 36, 1980.
    """

    def __init__(self, kernel_size, stride=2, saturation=0.5):
        super().__init__()
        self.kernel_size = check_kernel(kernel_size)
        self.stride = check_integer(stride, "stride", low=1)
        self.saturation = check_number(saturation, "saturation", low=0, low_open=True)

    def forward(self, x):
        """Blur each plane, compare it with the others, and keep some of the cells.

        Parameters
        ----------
        x : ndarray of shape (N, K, H, W)
            Not negative.

        Returns
        -------
        ndarray of shape (N, K, H / stride, W / stride), sizes rounded up
        """
        check_images(x, "K")
        count, planes, height, width = x.shape
        kernel = falling_weights(self.kernel_size, x.dtype)[None, None]
        # d is the same for all planes, so each plane is an image of one channel.
        blurred = filtered(x.reshape(count * planes, 1, height, width), kernel, self.stride)
        blurred = blurred.reshape(count, planes, *blurred.shape[2:])       # (N, K, H', W')
        mean = blurred.mean(axis=1, keepdims=True)                         # (N, 1, H', W')
        z = np.maximum((blurred - mean) / (1 + mean), 0)                   # the fraction minus one
        return z / (self.saturation + z)


class Neocognitron(Sequential):
    """S and C layers in turns.

    Parameters
    ----------
    *layers : SLayer or CLayer
        From the image upwards.

    Raises
    ------
    TypeError
        If a layer is neither.

    References
    ----------
    Fukushima, Neocognitron: a self-organizing neural network model for a mechanism of pattern
    recognition unaffected by shift in position, Biological Cybernetics 36, 1980.
    """

    def __init__(self, *layers):
        for index, layer in enumerate(layers):
            if not isinstance(layer, SLayer | CLayer):
                raise TypeError(f"layers[{index}]: expected an SLayer or a CLayer, got {describe(layer)}")
        super().__init__(*layers)

    def learn(self, x, rate=1000.0):
        """Learn all templates without labels, layer by layer: a layer learns once those below have.

        Parameters
        ----------
        x : ndarray of shape (N, 1, H, W)
            At least one image, not negative.
        rate : float
            As in `SLayer.learn`.

        Returns
        -------
        Neocognitron
            Itself.
        """
        for layer in self.layers:
            if isinstance(layer, SLayer):
                layer.learn(x, rate)
            x = layer(x)
        return self
