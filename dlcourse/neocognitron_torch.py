"""The Neocognitron in PyTorch: convolutions with templates that are learned without gradients."""

import torch
from torch import nn
from torch.nn.functional import conv2d, pad

from .neocognitron import check_kernel
from .validation import check_integer, check_number, describe
from .validation_torch import check_tensor

__all__ = ["CLayer", "Neocognitron", "SLayer"]


def falling_weights(kernel_size, dtype=None, device=None):
    """Give fixed weights that fall with the distance from the middle and add up to one."""
    distance = torch.arange(kernel_size, dtype=torch.float64, device=device) - kernel_size // 2
    row = torch.exp(-0.5 * (3 * distance / kernel_size) ** 2)
    return (torch.outer(row, row) / row.sum() ** 2).to(dtype or torch.get_default_dtype())


def check_images(x, planes, dtype=None):
    """Check maps of at least one pixel and, where they lie on the CPU, that no number is negative."""
    check_tensor(x, "x", shape=("N", planes, "H", "W"), dtype=dtype)
    if 0 in x.shape[1:]:
        raise ValueError(f"x: expected maps of at least one pixel, got {tuple(x.shape)}")
    if x.device.type == "cpu" and not torch.compiler.is_compiling():
        if not x.isfinite().all():
            raise ValueError("x: expected finite numbers, got some that are not")
        if (x < 0).any():
            raise ValueError(f"x: expected no negative numbers, got {x.min()}")


def seed_cells(u, kernel_size):
    """Choose the cells that learn: the strongest of all, then the strongest of those still free, and so on.

    Parameters
    ----------
    u : Tensor of shape (K, H, W)
    kernel_size : int

    Yields
    ------
    tuple of int
        Plane, row and column.
    """
    u, reach = u.clone(), kernel_size // 2
    while u.max() > 0:
        plane, row, column = (int(i) for i in torch.unravel_index(u.argmax(), u.shape))
        yield plane, row, column
        u[plane] = 0
        u[:, max(row - reach, 0):row + reach + 1, max(column - reach, 0):column + reach + 1] = 0


class SLayer(nn.Module):
    """Planes of S cells: how well does the patch before a cell match the template of its plane?

    Parameters
    ----------
    in_planes, planes : int
    kernel_size : int
    selectivity : float
    rng : torch.Generator, optional
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_planes, planes, kernel_size, selectivity, *, rng=None, dtype=None, device=None):
        super().__init__()
        self.in_planes = check_integer(in_planes, "in_planes", low=1)
        self.kernel_size = check_kernel(kernel_size)
        self.selectivity = check_number(selectivity, "selectivity", low=0, low_open=True)
        shape = (check_integer(planes, "planes", low=1), in_planes, kernel_size, kernel_size)
        self.register_buffer("fixed", falling_weights(kernel_size, dtype, device) / in_planes, persistent=False)
        weight = 1e-4 * torch.rand(shape, generator=rng, dtype=dtype, device=device) * self.fixed
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.inhibition = nn.Parameter(weight.new_zeros(planes), requires_grad=False)

    def norm(self, x):
        """Compute the root mean square of each patch.

        Parameters
        ----------
        x : Tensor of shape (N, J, H, W)

        Returns
        -------
        Tensor of shape (N, 1, H, W)
        """
        energy = conv2d((x**2).sum(dim=1, keepdim=True), self.fixed[None, None], padding="same")
        return energy.clamp(min=0).sqrt()                  # fast convolutions may round below zero

    def forward(self, x):
        """Answer to images, or to the planes of C cells below.

        Parameters
        ----------
        x : Tensor of shape (N, J, H, W)

        Returns
        -------
        Tensor of shape (N, K, H, W)
        """
        check_images(x, self.in_planes, self.weight.dtype)
        r = self.selectivity
        excitation = conv2d(x, self.weight, padding="same")
        inhibition = 2 * r / (1 + r) * self.inhibition[:, None, None] * self.norm(x)
        return r * torch.relu((excitation - inhibition) / (1 + inhibition))

    @torch.no_grad()
    def learn(self, x, rate=1000.0):
        """Learn templates from images, one image after the other, without labels.

        Parameters
        ----------
        x : Tensor of shape (N, J, H, W)
        rate : float

        Returns
        -------
        list of tuple of int
            The seeds in order: image, plane, row and column.
        """
        check_images(x, self.in_planes, self.weight.dtype)
        check_tensor(x, "x", empty=False)
        check_number(rate, "rate", low=0, low_open=True)
        size, seeds = self.kernel_size, []
        padded = pad(x, [size // 2] * 4)
        for n in range(len(x)):
            u, h = self(x[n:n + 1])[0], self.norm(x[n:n + 1])[0, 0]
            for plane, row, column in seed_cells(u, size):
                self.weight[plane] += rate * self.fixed * padded[n, :, row:row + size, column:column + size]
                self.inhibition[plane] += rate / 2 * h[row, column]
                seeds.append((n, plane, row, column))
        return seeds


class CLayer(nn.Module):
    """Planes of C cells: is the feature anywhere near?

    Parameters
    ----------
    kernel_size : int
    stride : int
    saturation : float
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
        x : Tensor of shape (N, K, H, W)

        Returns
        -------
        Tensor of shape (N, K, H / stride, W / stride), sizes rounded up
        """
        check_images(x, "K")
        kernel = falling_weights(self.kernel_size, x.dtype, x.device)
        kernel = kernel.expand(x.shape[1], 1, -1, -1)      # one and the same for each plane
        blurred = conv2d(x, kernel, stride=self.stride, padding=self.kernel_size // 2, groups=x.shape[1])
        mean = blurred.mean(dim=1, keepdim=True)
        z = torch.relu((blurred - mean) / (1 + mean))
        return z / (self.saturation + z)


class Neocognitron(nn.Sequential):
    """S and C layers in turns.

    Parameters
    ----------
    *layers : SLayer or CLayer
    """

    def __init__(self, *layers):
        for index, layer in enumerate(layers):
            if not isinstance(layer, SLayer | CLayer):
                raise TypeError(f"layers[{index}]: expected an SLayer or a CLayer, got {describe(layer)}")
        super().__init__(*layers)

    def learn(self, x, rate=1000.0):
        """Learn all templates without labels, layer by layer.

        Parameters
        ----------
        x : Tensor of shape (N, 1, H, W)
        rate : float

        Returns
        -------
        Neocognitron
            Itself.
        """
        for layer in self:
            if isinstance(layer, SLayer):
                layer.learn(x, rate)
            x = layer(x)
        return self
