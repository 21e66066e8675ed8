"""Parity cases of `dlcourse.metric`."""

import numpy as np

from dlcourse import metric, metric_torch
from dlcourse.interop import to_torch
from dlcourse.parity import Comparison, ModulePair, parity_case

GAP = 1e-2


def pairs_clear_of_kinks(rng, batch, features, margin):
    """Draw pairs whose distance is neither zero nor the margin."""
    while True:
        x1, x2 = rng.standard_normal((2, batch, features))
        distance = np.linalg.norm(x1 - x2, axis=1)
        if np.all(distance > GAP) and np.all(np.abs(distance - margin) > GAP):
            return x1, x2


@parity_case("metric.ContrastiveLoss", batch=(1, 9), features=(1, 7), margin=[0.5, 1.0, 5.0], kind=["int64", "bool"])
def contrastive(rng, dtype, device, batch, features, margin, kind):
    """The mean, with pairs inside and outside the margin."""
    x1, x2 = (x.astype(dtype) for x in pairs_clear_of_kinks(rng, batch, features, margin))
    same = rng.integers(0, 2, batch).astype(kind)
    return ModulePair(metric.ContrastiveLoss(margin), metric_torch.ContrastiveLoss(margin), [x1, x2, same])


@parity_case("metric.ContrastiveLoss [sum]", batch=(0, 9), features=(1, 7))
def contrastive_sum(rng, dtype, device, batch, features):
    """The sum, of an empty batch too."""
    x1, x2 = (x.astype(dtype) for x in pairs_clear_of_kinks(rng, batch, features, 2.0))
    return ModulePair(
        metric.ContrastiveLoss(2.0, "sum"),
        metric_torch.ContrastiveLoss(2.0, "sum"),
        [x1, x2, rng.integers(0, 2, batch)],
    )


@parity_case("metric.ContrastiveLoss [coincident]", batch=(1, 9), features=(1, 3))
def contrastive_coincident(rng, dtype, device, batch, features):
    """Points on a grid: some pairs coincide, some are exactly a margin apart."""
    x1, x2 = rng.integers(0, 2, (2, batch, features)).astype(dtype)
    return ModulePair(
        metric.ContrastiveLoss(),
        metric_torch.ContrastiveLoss(),
        [x1, x2, rng.integers(0, 2, batch)],
        check_numerically=False,
    )


def triplets_clear_of_kinks(rng, batch, features, margin):
    """Draw triplets that neither coincide nor keep the margin exactly."""
    while True:
        anchor, positive, negative = rng.standard_normal((3, batch, features))
        to_positive = np.linalg.norm(anchor - positive, axis=1)
        to_negative = np.linalg.norm(anchor - negative, axis=1)
        excess = to_positive - to_negative + margin
        if np.all(to_positive > GAP) and np.all(to_negative > GAP) and np.all(np.abs(excess) > GAP):
            return anchor, positive, negative


@parity_case("metric.TripletMarginLoss", batch=(1, 9), features=(1, 7), margin=[0.2, 1.0, 3.0])
def triplet(rng, dtype, device, batch, features, margin):
    """The mean, with triplets that keep the margin and others that do not."""
    inputs = [x.astype(dtype) for x in triplets_clear_of_kinks(rng, batch, features, margin)]
    return ModulePair(metric.TripletMarginLoss(margin), metric_torch.TripletMarginLoss(margin), inputs)


@parity_case("metric.TripletMarginLoss [sum]", batch=(0, 9), features=(1, 7))
def triplet_sum(rng, dtype, device, batch, features):
    """The sum, of an empty batch too."""
    inputs = [x.astype(dtype) for x in triplets_clear_of_kinks(rng, batch, features, 1.0)]
    ours, theirs = metric.TripletMarginLoss(reduction="sum"), metric_torch.TripletMarginLoss(reduction="sum")
    return ModulePair(ours, theirs, inputs)


@parity_case("metric.TripletMarginLoss [coincident]", batch=(1, 9), features=(1, 3))
def triplet_coincident(rng, dtype, device, batch, features):
    """Points on a coarse grid, where many coincide and PyTorch's epsilon decides the direction."""
    # In steps of 2 no distance differs from another by the margin, a tie that rounding would break.
    inputs = list((2 * rng.integers(0, 2, (3, batch, features))).astype(dtype))
    ours, theirs = metric.TripletMarginLoss(), metric_torch.TripletMarginLoss()
    return ModulePair(ours, theirs, inputs, check_numerically=False)


@parity_case("metric.pairwise_distances", rows=(0, 40), columns=(0, 40), features=(1, 7), offset=[0.0, 1000.0])
def pairwise(rng, dtype, device, rows, columns, features, offset):
    """Few rows and many, near the origin and far from it."""
    x = (offset + rng.standard_normal((rows, features))).astype(dtype)
    y = (offset + rng.standard_normal((columns, features))).astype(dtype)
    theirs = metric_torch.pairwise_distances(to_torch(x, device), to_torch(y, device))
    return [Comparison("forward", "output", metric.pairwise_distances(x, y), theirs)]
