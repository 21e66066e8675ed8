"""Convolution of images in PyTorch: ``torch.nn.Conv2d``, its transpose, and the loops that define them."""

import torch

from .conv import check_output_padding
from .patches import output_size, pair
from .validation_torch import check_tensor

__all__ = ["Conv2d", "ConvTranspose2d", "conv2d_loops", "output_size"]


def conv2d_loops(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolve by the definition, one output number at a time.

    Parameters
    ----------
    x : Tensor of shape (N, C, H, W)
    weight : Tensor of shape (O, C / groups, kernel height, kernel width)
    bias : Tensor of shape (O,), optional
    stride, padding, dilation : int or tuple of two int
    groups : int

    Returns
    -------
    Tensor of shape (N, O, output height, output width)
    """
    (step_y, step_x), (top, left), (gap_y, gap_x) = pair(stride), pair(padding), pair(dilation)
    kernels, channels, height, width = weight.shape
    x = torch.nn.functional.pad(x, (left, left, top, top))
    rows = range(output_size(x.shape[2], height, step_y, 0, gap_y))
    columns = range(output_size(x.shape[3], width, step_x, 0, gap_x))
    y = []
    for o in range(kernels):
        first = o * groups // kernels * channels
        for r in rows:
            for c in columns:
                patch = x[:, first:first + channels,
                          r * step_y:r * step_y + gap_y * (height - 1) + 1:gap_y,
                          c * step_x:c * step_x + gap_x * (width - 1) + 1:gap_x]
                y.append((weight[o] * patch).sum(dim=(1, 2, 3)))  # (N,)
    y = torch.stack(y, dim=1).reshape(len(x), kernels, len(rows), len(columns))
    return y if bias is None else y + bias[:, None, None]


class _Window(torch.nn.Module):
    """What both layers add to PyTorch's own: initial weights from a generator, and a check of the images."""

    def __init__(self, *settings, rng, **kind):
        super().__init__(*settings, **kind)
        if rng is not None:
            bound = self.weight[0].numel() ** -0.5
            for parameter in self.parameters():
                torch.nn.init.uniform_(parameter, -bound, bound, generator=rng)

    def forward(self, x):
        """Convolve, or spread.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)

        Returns
        -------
        Tensor of shape (N, O, output height, output width)
        """
        check_tensor(x, "x", shape=("N", self.in_channels, "H", "W"), dtype=self.weight.dtype)
        return super().forward(x)


class Conv2d(_Window, torch.nn.Conv2d):
    """Slide kernels over images; the parameters are those of the reference.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation : int or tuple of two int
    groups : int
    bias : bool
    rng : torch.Generator, optional
        Draws the initial weights; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 *, rng=None, dtype=None, device=None):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
                         rng=rng, device=device, dtype=dtype)


class ConvTranspose2d(_Window, torch.nn.ConvTranspose2d):
    """Spread each pixel over a patch; the parameters are those of the reference.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, output_padding : int or tuple of two int
    groups : int
    bias : bool
    dilation : int or tuple of two int
    rng : torch.Generator, optional
        Draws the initial weights; PyTorch's global generator where it is not given.
    dtype : torch.dtype, optional
    device : torch.device or str, optional
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1,
                 bias=True, dilation=1, *, rng=None, dtype=None, device=None):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
                         dilation, rng=rng, device=device, dtype=dtype)
        check_output_padding(self.output_padding, self.stride)
