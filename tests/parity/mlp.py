"""Parity cases of `dlcourse.mlp`."""

import numpy as np

from dlcourse import linear, linear_torch, mlp, mlp_torch, module, module_torch
from dlcourse.parity import Comparison, ModulePair, parity_case

from . import torch_dtype


@parity_case("mlp.MLP", batch=(0, 6), depth=(1, 3), width=(1, 7), bias=[True, False],
             activation=["sigmoid", "tanh", "elu"])
def smooth(rng, dtype, device, batch, depth, width, bias, activation):
    """Activations without a kink."""
    sizes = [int(size) for size in rng.integers(1, width + 1, depth + 1)]
    return ModulePair(
        mlp.MLP(sizes, activation, bias, rng=rng, dtype=dtype),
        mlp_torch.MLP(sizes, activation, bias, dtype=torch_dtype(dtype)),
        [rng.standard_normal((batch, sizes[0])).astype(dtype)],
    )


@parity_case("mlp.MLP [rectifiers]", batch=(0, 6), width=(1, 7), activation=["relu", "leaky_relu"])
def rectified(rng, dtype, device, batch, width, activation):
    """Two layers whose rows reach the hidden units away from the kink at zero."""
    ours = mlp.MLP([3, width, 2], activation, rng=rng, dtype=dtype)
    x = rng.standard_normal((8 * batch, 3)).astype(dtype)
    clear = np.abs(ours[0](x)).min(axis=1) > 1e-2
    return ModulePair(ours, mlp_torch.MLP([3, width, 2], activation, dtype=torch_dtype(dtype)), [x[clear][:batch]])


@parity_case("mlp.MLP [dropout, evaluation]", batch=(0, 6), width=(1, 7))
def with_dropout(rng, dtype, device, batch, width):
    """Dropout layers have no say in evaluation, but take part in the numbering of the others."""
    ours = mlp.MLP([3, width, 2], "tanh", dropout=0.4, rng=rng, dtype=dtype).eval()
    theirs = mlp_torch.MLP([3, width, 2], "tanh", dropout=0.4, dtype=torch_dtype(dtype)).eval()
    return ModulePair(ours, theirs, [rng.standard_normal((batch, 3)).astype(dtype)])


@parity_case("mlp.count_parameters", depth=(1, 4), width=(1, 9), bias=[True, False])
def count(rng, dtype, device, depth, width, bias):
    """A network, and one that applies the same layer twice."""
    sizes = [width] * (depth + 1)
    layer, layer_twin = linear.Linear(width, width, rng=rng), linear_torch.Linear(width, width)
    return [
        Comparison(
            "forward", "network",
            mlp.count_parameters(mlp.MLP(sizes, bias=bias, rng=rng)),
            mlp_torch.count_parameters(mlp_torch.MLP(sizes, bias=bias)),
        ),
        Comparison(
            "forward", "shared layer",
            mlp.count_parameters(module.Sequential(layer, layer)),
            mlp_torch.count_parameters(module_torch.Sequential(layer_twin, layer_twin)),
        ),
    ]
