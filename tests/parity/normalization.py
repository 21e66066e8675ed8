"""Parity cases of `dlcourse.normalization`, in training and in evaluation mode."""


from dlcourse import normalization as ours
from dlcourse import normalization_torch as theirs
from dlcourse.interop import to_torch
from dlcourse.parity import Comparison, ModulePair, parity_case

from . import torch_dtype

# Two values are normalised to -1 and 1 whatever they are, but for eps. With the default of 1e-5 the
# gradient would be so close to zero that difference quotients resolve only their own rounding.
EPS = [1e-3, 0.1]
MOMENTUM = [0.0, 0.1, 1.0]
BOTH = [True, False]


def spread(rng, shape, dtype, over):
    """Draw numbers whose standard deviation over some axes is of order one.

    Where it happens to be tiny (two values that nearly coincide), a norm magnifies the rounding of
    its input without bound, in both twins alike.
    """
    x = rng.standard_normal(shape)
    x = (x - x.mean(axis=over, keepdims=True)) / x.std(axis=over, keepdims=True)
    kept = x.std(axis=over, keepdims=True).shape
    return (rng.uniform(0.5, 2, kept) * x + rng.standard_normal(kept)).astype(dtype)


def randomized(rng, norm):
    """Give a norm parameters and running averages that are no longer those it started with."""
    for parameter in norm.parameters():
        parameter.data[...] = rng.standard_normal(parameter.shape)
    if hasattr(norm, "running_var"):
        norm.running_mean[...] = rng.standard_normal(norm.num_features)
        norm.running_var[...] = rng.uniform(0.5, 2, norm.num_features)
    return norm


def pair(rng, dtype, name, x, *args, training=True, **options):
    """Build both twins of a norm."""
    reference = randomized(rng, getattr(ours, name)(*args, dtype=dtype, **options))
    counterpart = getattr(theirs, name)(*args, dtype=torch_dtype(dtype), **options)
    return ModulePair(reference.train(training), counterpart.train(training), [x])


# --- batch norms

@parity_case(
    "normalization.BatchNorm1d", batch=(2, 9), features=(1, 5), eps=EPS, momentum=MOMENTUM, affine=BOTH
)
def batch_vectors(rng, dtype, device, batch, features, eps, momentum, affine):
    x = spread(rng, (batch, features), dtype, 0)
    return pair(rng, dtype, "BatchNorm1d", x, features, eps, momentum, affine)


@parity_case(
    "normalization.BatchNorm1d [sequences]", batch=(1, 5), features=(1, 5), length=(2, 5), eps=EPS, momentum=MOMENTUM
)
def batch_sequences(rng, dtype, device, batch, features, length, eps, momentum):
    """A batch of one will do, since its positions count as well."""
    x = spread(rng, (batch, features, length), dtype, (0, 2))
    return pair(rng, dtype, "BatchNorm1d", x, features, eps, momentum)


@parity_case(
    "normalization.BatchNorm1d [evaluation]", batch=(0, 5), features=(1, 5), shape=[(), (0,), (1,), (3,)], affine=BOTH
)
def batch_evaluation(rng, dtype, device, batch, features, shape, affine):
    x = rng.standard_normal((batch, features, *shape)).astype(dtype)
    return pair(rng, dtype, "BatchNorm1d", x, features, affine=affine, training=False)


@parity_case(
    "normalization.BatchNorm2d", batch=(1, 5), channels=(1, 5), height=(1, 3), width=(2, 3), eps=EPS,
    momentum=MOMENTUM, affine=BOTH,
)
def batch_images(rng, dtype, device, batch, channels, height, width, eps, momentum, affine):
    x = spread(rng, (batch, channels, height, width), dtype, (0, 2, 3))
    return pair(rng, dtype, "BatchNorm2d", x, channels, eps, momentum, affine)


@parity_case(
    "normalization.BatchNorm2d [evaluation]", batch=(0, 5), channels=(1, 5), height=(1, 3), width=(1, 3), affine=BOTH
)
def batch_images_evaluation(rng, dtype, device, batch, channels, height, width, affine):
    x = rng.standard_normal((batch, channels, height, width)).astype(dtype)
    return pair(rng, dtype, "BatchNorm2d", x, channels, affine=affine, training=False)


LIMITS = {"r_max": [1.0, 1.5, 3.0], "d_max": [0.0, 0.5, 5.0]}


@parity_case(
    "normalization.BatchRenorm1d", batch=(2, 9), features=(1, 5), eps=EPS, momentum=MOMENTUM, **LIMITS, affine=BOTH
)
def renorm_vectors(rng, dtype, device, batch, features, eps, momentum, r_max, d_max, affine):
    """Not checked numerically: backward holds r and d constant, and difference quotients do not."""
    x = spread(rng, (batch, features), dtype, 0)
    built = pair(rng, dtype, "BatchRenorm1d", x, features, eps, momentum, r_max, d_max, affine)
    built.check_numerically = False
    return built


@parity_case(
    "normalization.BatchRenorm1d [sequences]", batch=(1, 5), features=(1, 5), length=(2, 5), momentum=MOMENTUM, **LIMITS
)
def renorm_sequences(rng, dtype, device, batch, features, length, momentum, r_max, d_max):
    x = spread(rng, (batch, features, length), dtype, (0, 2))
    built = pair(rng, dtype, "BatchRenorm1d", x, features, 1e-5, momentum, r_max, d_max)
    built.check_numerically = False
    return built


@parity_case(
    "normalization.BatchRenorm1d [at the limits]", batch=(2, 9), features=(1, 5), eps=EPS, r_max=[1.0, 1.2],
    d_max=[0.0, 2.0],
)
def renorm_at_the_limits(rng, dtype, device, batch, features, eps, r_max, d_max):
    """Both corrections lie far beyond their limits, hence are constant, and quotients do apply."""
    x = spread(rng, (batch, features), dtype, 0)
    built = pair(rng, dtype, "BatchRenorm1d", x, features, eps, 0.0, r_max, d_max)
    built.reference.running_var[...] = rng.choice([1e-3, 1e3], features)
    built.reference.running_mean[...] = rng.choice([-1e3, 1e3], features)
    return built


@parity_case(
    "normalization.BatchRenorm1d [evaluation]", batch=(0, 5), features=(1, 5), shape=[(), (1,), (3,)], affine=BOTH
)
def renorm_evaluation(rng, dtype, device, batch, features, shape, affine):
    x = rng.standard_normal((batch, features, *shape)).astype(dtype)
    return pair(rng, dtype, "BatchRenorm1d", x, features, affine=affine, training=False)


# --- norms within an example

@parity_case(
    "normalization.LayerNorm", leading=[(), (0,), (1,), (3,), (2, 3)], last=[(2,), (7,), (3, 2), (2, 1, 3)], eps=EPS,
    affine=BOTH, training=BOTH,
)
def layer(rng, dtype, device, leading, last, eps, affine, training):
    x = spread(rng, (*leading, *last), dtype, tuple(range(-len(last), 0)))
    return pair(rng, dtype, "LayerNorm", x, last[0] if len(last) == 1 else last, eps, affine, training=training)


@parity_case(
    "normalization.InstanceNorm2d", batch=(0, 5), channels=(1, 5), height=(1, 4), width=(2, 5), eps=EPS, affine=BOTH,
    training=BOTH,
)
def instance(rng, dtype, device, batch, channels, height, width, eps, affine, training):
    x = spread(rng, (batch, channels, height, width), dtype, (2, 3))
    return pair(rng, dtype, "InstanceNorm2d", x, channels, eps, affine, training=training)


@parity_case(
    "normalization.GroupNorm", batch=(0, 5), groups=(1, 4), size=(1, 3), shape=[(2,), (5,), (1, 3), (3, 3), (2, 1, 2)],
    eps=EPS, affine=BOTH, training=BOTH,
)
def group(rng, dtype, device, batch, groups, size, shape, eps, affine, training):
    x = spread(rng, (batch, groups, size, *shape), dtype, tuple(range(2, 3 + len(shape))))
    x = x.reshape(batch, groups * size, *shape)
    return pair(rng, dtype, "GroupNorm", x, groups, groups * size, eps, affine, training=training)


@parity_case("normalization.GroupNorm [vectors]", batch=(0, 5), groups=(1, 4), size=(3, 6))
def group_vectors(rng, dtype, device, batch, groups, size):
    x = spread(rng, (batch, groups, size), dtype, 2).reshape(batch, groups * size)
    return pair(rng, dtype, "GroupNorm", x, groups, groups * size)


# --- inputs

@parity_case("normalization.InputNormalizer", batch=(0, 5), features=(1, 7), shape=[(), (3,), (2, 3)])
def inputs(rng, dtype, device, batch, features, shape):
    """Data other than those of the fit, an empty batch among them."""
    x = rng.standard_normal((batch, features, *shape)).astype(dtype)
    reference = ours.InputNormalizer(features, dtype=dtype).fit(spread(rng, (9, features), dtype, 0))
    return ModulePair(reference, theirs.InputNormalizer(features, dtype=torch_dtype(dtype)), [x])


@parity_case(
    "normalization.InputNormalizer [fit]", batch=(2, 9), features=(1, 7), shape=[(), (3,), (2, 3)], constant=BOTH
)
def fit(rng, dtype, device, batch, features, shape, constant):
    """What is taken from the training data, with a constant feature among them."""
    x = spread(rng, (batch, features, *shape), dtype, (0, *range(2, 2 + len(shape))))
    if constant:
        x[:, 0] = 0.1
    reference = ours.InputNormalizer(features, dtype=dtype).fit(x)
    counterpart = theirs.InputNormalizer(features, dtype=torch_dtype(dtype), device=device).fit(to_torch(x, device))
    return [
        Comparison("forward", "mean", reference.mean, counterpart.mean),
        Comparison("forward", "std", reference.std, counterpart.std),
        Comparison("forward", "output", reference(x), counterpart(to_torch(x, device))),
    ]
