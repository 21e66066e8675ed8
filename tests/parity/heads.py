"""Parity cases of `dlcourse.heads`."""

from dlcourse import heads, heads_torch
from dlcourse.interop import to_torch
from dlcourse.parity import Comparison, ModulePair, parity_case

from . import torch_dtype

NAMES = ["RegressionHead", "MultiClassHead", "MultiLabelHead"]


def build(name, rng, dtype, in_features, out_features):
    """Make both twins of a head."""
    ours = getattr(heads, name)(in_features, out_features, rng=rng, dtype=dtype)
    return ours, getattr(heads_torch, name)(in_features, out_features, dtype=torch_dtype(dtype))


def draw_target(name, rng, dtype, batch, out_features):
    """Draw what a head learns from."""
    if name == "RegressionHead":
        return rng.standard_normal((batch, out_features)).astype(dtype)
    if name == "MultiClassHead":
        return rng.integers(0, out_features, batch)
    return rng.integers(0, 2, (batch, out_features)).astype(dtype)


for _name in NAMES:

    @parity_case(f"heads.{_name}", batch=(0, 6), in_features=(1, 7), out_features=(1, 5))
    def layer(rng, dtype, device, batch, in_features, out_features, name=_name):
        """The linear layer."""
        x = rng.standard_normal((batch, in_features)).astype(dtype)
        return ModulePair(*build(name, rng, dtype, in_features, out_features), [x])

    @parity_case(f"heads.{_name} [loss]", batch=(1, 6), out_features=(1, 5), weight=[1.0, 0.3])
    def loss(rng, dtype, device, batch, out_features, weight, name=_name):
        """The loss, as one weighted term of a sum."""
        ours, theirs = build(name, rng, dtype, 3, out_features)
        output = rng.standard_normal((batch, out_features)).astype(dtype)
        target = draw_target(name, rng, dtype, batch, out_features)
        output_twin = to_torch(output, device).requires_grad_()
        value, value_twin = ours.loss(output, target), theirs.loss(output_twin, to_torch(target, device))
        (weight * value_twin).backward()
        return [
            Comparison("forward", "loss", value, value_twin),
            Comparison("gradient", "output", ours.loss_backward(weight), output_twin.grad),
        ]

    @parity_case(f"heads.{_name} [decision]", batch=(0, 6), out_features=(1, 5))
    def decision(rng, dtype, device, batch, out_features, name=_name):
        """Probabilities and predictions for the same outputs, for labels some of them exactly at zero."""
        ours, theirs = build(name, rng, dtype, 3, out_features)
        output = rng.standard_normal((batch, out_features)).astype(dtype)
        if name == "MultiLabelHead":
            output[rng.random(output.shape) < 0.1] = 0
        output_twin = to_torch(output, device)
        results = [Comparison("forward", "prediction", ours.predict(output), theirs.predict(output_twin))]
        if name != "RegressionHead":
            probabilities = ours.probabilities(output), theirs.probabilities(output_twin)
            results.append(Comparison("forward", "probabilities", *probabilities))
        return results
