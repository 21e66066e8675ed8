"""Parity cases of `dlcourse.delta_rule`."""

from dlcourse import delta_rule, delta_rule_torch
from dlcourse.interop import copy_weights, to_torch
from dlcourse.parity import Comparison, parity_case

from . import torch_dtype


@parity_case("delta_rule.DeltaRuleNetwork", batch=(0, 9), depth=(1, 4), width=(1, 7), bias=[False, True])
def network(rng, dtype, device, batch, depth, width, bias):
    """The lecture's deltas are autograd's -∂E/∂net, and its updates are gradient descent."""
    sizes = [int(size) for size in rng.integers(1, width + 1, depth + 1)]
    ours = delta_rule.DeltaRuleNetwork(sizes, bias, rng=rng, dtype=dtype)
    theirs = delta_rule_torch.DeltaRuleNetwork(sizes, bias, dtype=torch_dtype(dtype), device=device)
    copy_weights(ours, theirs)
    x = rng.standard_normal((batch, sizes[0])).astype(dtype)
    target = rng.uniform(0, 1, (batch, sizes[-1])).astype(dtype)
    x_twin, target_twin = to_torch(x, device), to_torch(target, device)

    results = [
        Comparison("forward", "output", ours(x), theirs(x_twin)),
        Comparison("forward", "error", ours.error(x, target), theirs.error(x_twin, target_twin)),
    ]
    deltas = zip(ours.deltas(x, target), theirs.deltas(x_twin, target_twin), strict=True)
    results += [Comparison("gradient", f"deltas[{l}]", *pair) for l, pair in enumerate(deltas)]
    for _ in range(3):
        ours.update(x, target, eta=0.5)
        theirs.update(x_twin, target_twin, eta=0.5)
    parameters = dict(theirs.named_parameters())
    results += [
        Comparison("gradient", f"{name} after three updates", parameter.data, parameters[name])
        for name, parameter in ours.named_parameters()
    ]
    return results
