"""Parity cases of `dlcourse.activations`."""

import numpy as np

from dlcourse import activations, activations_torch
from dlcourse.interop import to_torch
from dlcourse.parity import Comparison, ModulePair, parity_case

from . import away_from, torch_dtype

# One axis to four, batches of none, of one and odd sizes.
SHAPES = [(0, 3), (1,), (1, 1), (7,), (5, 3), (1, 3, 5), (2, 3, 5, 1)]
CONSTRUCTORS = {
    "Sigmoid": [{}],
    "Tanh": [{}],
    "ReLU": [{}],
    "LeakyReLU": [{}, {"negative_slope": 0.0}, {"negative_slope": 0.3}, {"negative_slope": 1.5}],
    "ELU": [{}, {"alpha": 0.5}, {"alpha": 2.0}],
    "GELU": [{}],
}


def register_elementwise(name, options):
    @parity_case(f"activations.{name}", shape=SHAPES, options=options, scale=[1.0, 3.0])
    def elementwise(rng, dtype, device, shape, options, scale):
        """Any shape; away from the kink at zero."""
        return ModulePair(
            getattr(activations, name)(**options),
            getattr(activations_torch, name)(**options),
            [away_from(rng, shape, dtype) * dtype.type(scale)],
        )

    @parity_case(f"activations.{name} [special points]", options=options)
    def special_points(rng, dtype, device, options):
        """At the kink, where both twins must take the same slope, and far out on both sides."""
        return ModulePair(
            getattr(activations, name)(**options),
            getattr(activations_torch, name)(**options),
            [np.array([0.0, -0.0, 1e-30, -1e-30, 20.0, -20.0, 1000.0, -1000.0], dtype)],
            check_numerically=False,
        )


for _name, _options in CONSTRUCTORS.items():
    register_elementwise(_name, _options)


@parity_case("activations.PReLU", batch=(0, 5), channels=(1, 5), rest=[(), (3,), (1, 3)], shared=[True, False])
def prelu(rng, dtype, device, batch, channels, rest, shared):
    """One slope for all channels, or one for each."""
    count = 1 if shared else channels
    ours = activations.PReLU(count, 0.1, dtype=dtype)
    ours.weight.data[...] = rng.uniform(-0.5, 0.5, count)
    return ModulePair(
        ours,
        activations_torch.PReLU(count, 0.1, dtype=torch_dtype(dtype)),
        [away_from(rng, (batch, channels, *rest), dtype)],
    )


@parity_case("activations.PReLU [any shape]", shape=SHAPES, init=[0.25, 0.0])
def prelu_shared(rng, dtype, device, shape, init):
    """A shared slope, at its initial value; zeros among the inputs."""
    return ModulePair(
        activations.PReLU(init=init, dtype=dtype),
        activations_torch.PReLU(init=init, dtype=torch_dtype(dtype)),
        [rng.integers(-2, 3, shape).astype(dtype)],
        check_numerically=False,
    )


@parity_case("activations.Maxout", batch=(0, 5), in_features=(1, 7), out_features=(1, 4), num_pieces=(1, 4))
def maxout(rng, dtype, device, batch, in_features, out_features, num_pieces):
    """Pieces of which one leads clearly, since a tie is a kink."""
    ours = activations.Maxout(in_features, out_features, num_pieces, rng=rng, dtype=dtype)
    theirs = activations_torch.Maxout(in_features, out_features, num_pieces, dtype=torch_dtype(dtype))
    while True:
        x = rng.standard_normal((batch, in_features)).astype(dtype)
        z = np.sort(ours.linear(x).reshape(batch, out_features, num_pieces), axis=-1)
        if num_pieces == 1 or np.all(z[..., -1] - z[..., -2] > 1e-3):
            return ModulePair(ours, theirs, [x])


@parity_case("activations.Maxout [more axes]", shape=[(2, 3, 5), (1, 0, 5), (5,)])
def maxout_axes(rng, dtype, device, shape):
    """Rows with any number of axes in front."""
    return ModulePair(
        activations.Maxout(5, 3, 2, rng=rng, dtype=dtype),
        activations_torch.Maxout(5, 3, 2, dtype=torch_dtype(dtype)),
        [rng.standard_normal(shape).astype(dtype)],
        check_numerically=False,
    )


SOFTMAX_SHAPES = [((1,), 0), ((7,), -1), ((0, 3), 1), ((5, 3), -1), ((5, 3), 0), ((2, 3, 5), 1), ((1, 2, 3, 5), -3)]


@parity_case("activations.Softmax", shape_dim=SOFTMAX_SHAPES, scale=[1.0, 5.0])
def softmax_layer(rng, dtype, device, shape_dim, scale):
    """Along every kind of axis."""
    shape, dim = shape_dim
    x = (scale * rng.standard_normal(shape)).astype(dtype)
    return ModulePair(activations.Softmax(dim), activations_torch.Softmax(dim), [x])


@parity_case("activations.LogSoftmax", shape_dim=SOFTMAX_SHAPES, scale=[1.0, 5.0])
def log_softmax_layer(rng, dtype, device, shape_dim, scale):
    """Along every kind of axis."""
    shape, dim = shape_dim
    x = (scale * rng.standard_normal(shape)).astype(dtype)
    return ModulePair(activations.LogSoftmax(dim), activations_torch.LogSoftmax(dim), [x])


@parity_case("activations.sigmoid", shape=SHAPES, scale=[1.0, 30.0, 1000.0])
def sigmoid_function(rng, dtype, device, shape, scale):
    """Far into saturation."""
    x = (scale * rng.standard_normal(shape)).astype(dtype)
    return [Comparison("forward", "output", activations.sigmoid(x), activations_torch.sigmoid(to_torch(x, device)))]


@parity_case("activations.softmax", shape_dim=SOFTMAX_SHAPES, scale=[1.0, 1000.0])
def softmax_function(rng, dtype, device, shape_dim, scale):
    """Scores large enough that their exponentials would overflow."""
    shape, dim = shape_dim
    x = (scale * rng.standard_normal(shape)).astype(dtype)
    theirs = activations_torch.softmax(to_torch(x, device), dim)
    return [Comparison("forward", "output", activations.softmax(x, dim), theirs)]


@parity_case("activations.log_softmax", shape_dim=SOFTMAX_SHAPES, scale=[1.0, 1000.0])
def log_softmax_function(rng, dtype, device, shape_dim, scale):
    """Scores large enough that their exponentials would overflow."""
    shape, dim = shape_dim
    x = (scale * rng.standard_normal(shape)).astype(dtype)
    theirs = activations_torch.log_softmax(to_torch(x, device), dim)
    return [Comparison("forward", "output", activations.log_softmax(x, dim), theirs)]
