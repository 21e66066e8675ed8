"""Parity cases of `dlcourse.conv`: all settings together, odd sizes, batches of none and of one."""

import numpy as np
import torch

from dlcourse import conv as ours
from dlcourse import conv_torch as theirs
from dlcourse.interop import to_torch
from dlcourse.parity import Comparison, ModulePair, parity_case
from dlcourse.patches import pair

from . import torch_dtype

# Kernels of up to three pixels, two apart, reach over five: images of five pixels and more hold one.
SIZES = {"height": (5, 9), "width": (5, 8), "kernel": [(1, 1), (2, 3), (3, 2), (3, 3), 2], "stride": [1, 2, (2, 1), 3],
         "padding": [0, 1, (0, 2)], "dilation": [1, 2, (1, 2)], "groups": (1, 3)}


@parity_case("conv.Conv2d", batch=(0, 3), ins=(1, 3), outs=(1, 3), bias=[True, False], **SIZES)
def convolution(rng, dtype, device, batch, ins, outs, bias, groups, height, width, **settings):
    kernel, stride, padding, dilation = (settings[key] for key in ("kernel", "stride", "padding", "dilation"))
    arguments = (ins * groups, outs * groups, kernel, stride, padding, dilation, groups, bias)
    return ModulePair(
        ours.Conv2d(*arguments, rng=rng, dtype=dtype),
        theirs.Conv2d(*arguments, dtype=torch_dtype(dtype)),
        [rng.standard_normal((batch, ins * groups, height, width)).astype(dtype)],
    )


@parity_case("conv.ConvTranspose2d", batch=(0, 3), ins=(1, 3), outs=(1, 3), bias=[True, False], extra=[0, 1],
             **{**SIZES, "height": (3, 6), "width": (3, 5), "padding": [0, 1, (0, 1)]})
def transposed(rng, dtype, device, batch, ins, outs, bias, extra, groups, height, width, **settings):
    kernel, stride, padding, dilation = (settings[key] for key in ("kernel", "stride", "padding", "dilation"))
    extra = tuple(min(extra, step - 1) for step in pair(stride))  # more is not legal
    arguments = (ins * groups, outs * groups, kernel, stride, padding, extra, groups, bias, dilation)
    return ModulePair(
        ours.ConvTranspose2d(*arguments, rng=rng, dtype=dtype),
        theirs.ConvTranspose2d(*arguments, dtype=torch_dtype(dtype)),
        [rng.standard_normal((batch, ins * groups, height, width)).astype(dtype)],
    )


@parity_case("conv.conv2d_loops", batch=(1, 2), ins=(1, 2), outs=(1, 2), **SIZES)
def loops(rng, dtype, device, batch, ins, outs, groups, height, width, **settings):
    """Both loops beside each other, and beside PyTorch's own convolution."""
    stride, padding, dilation = (settings[key] for key in ("stride", "padding", "dilation"))
    kernel = np.broadcast_to(settings["kernel"], 2)
    x = rng.standard_normal((batch, ins * groups, height, width)).astype(dtype)
    weight = rng.standard_normal((outs * groups, ins, *kernel)).astype(dtype)
    bias = rng.standard_normal(outs * groups).astype(dtype)
    y = ours.conv2d_loops(x, weight, bias, stride, padding, dilation, groups)
    tensors = [to_torch(a, device) for a in (x, weight, bias)]
    looped = theirs.conv2d_loops(*tensors, stride, padding, dilation, groups)
    direct = torch.nn.functional.conv2d(*tensors, stride, padding, dilation, groups)
    return [Comparison("forward", "output", y, looped), Comparison("forward", "output of F.conv2d", y, direct)]


@parity_case("conv.output_size", size=(5, 30), kernel=(1, 3), stride=(1, 5), padding=(0, 3), dilation=(1, 2))
def sizes(rng, dtype, device, size, kernel, stride, padding, dilation):
    """The formula beside the shape that PyTorch's convolution has."""
    image = torch.zeros(1, 1, size, size, device=device)
    weight = torch.zeros(1, 1, kernel, kernel, device=device)
    shape = torch.nn.functional.conv2d(image, weight, None, stride, padding, dilation).shape
    arguments = (size, kernel, stride, padding, dilation)
    found = np.array(ours.output_size(*arguments), dtype)
    return [Comparison("forward", "size", found, torch.tensor(n, dtype=torch_dtype(dtype), device=device))
            for n in (shape[2], theirs.output_size(*arguments))]
