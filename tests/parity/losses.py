"""Parity cases of `dlcourse.losses`."""

import numpy as np

from dlcourse import losses, losses_torch
from dlcourse.parity import ModulePair, parity_case

from . import away_from

# Any number of axes; a mean needs an element, a sum does not.
SHAPES = [(1,), (7,), (5, 1), (3, 5), (2, 1, 3)]
EMPTY = [(0,), (0, 3)]


def twins(name, **options):
    """Build both halves of a loss."""
    return getattr(losses, name)(**options), getattr(losses_torch, name)(**options)


@parity_case("losses.CrossEntropyLoss", batch=(1, 9), classes=(1, 7), scale=[1.0, 10.0])
def cross_entropy(rng, dtype, device, batch, classes, scale):
    """The mean."""
    logits = (scale * rng.standard_normal((batch, classes))).astype(dtype)
    return ModulePair(*twins("CrossEntropyLoss"), [logits, rng.integers(0, classes, batch)])


@parity_case("losses.CrossEntropyLoss [sum]", batch=(0, 9), classes=(1, 7), integers=["int64", "int32", "uint8"])
def cross_entropy_sum(rng, dtype, device, batch, classes, integers):
    """The sum, of an empty batch too; labels of any integer type."""
    logits = rng.standard_normal((batch, classes)).astype(dtype)
    target = rng.integers(0, classes, batch).astype(integers)
    return ModulePair(*twins("CrossEntropyLoss", reduction="sum"), [logits, target])


@parity_case("losses.CrossEntropyLoss [large logits]", batch=(1, 9), classes=(2, 7))
def cross_entropy_large(rng, dtype, device, batch, classes):
    """Scores whose exponentials would overflow."""
    logits = rng.choice([-1000.0, 0.0, 1000.0], (batch, classes)).astype(dtype)
    inputs = [logits, rng.integers(0, classes, batch)]
    return ModulePair(*twins("CrossEntropyLoss"), inputs, check_numerically=False)


def scores_clear_of_margin(rng, target, classes, margin):
    """Draw scores of which none meets the margin exactly."""
    while True:
        scores = rng.standard_normal((len(target), classes))
        if np.all(np.abs(scores - scores[np.arange(len(target)), target][:, None] + margin) > 1e-3):
            return scores


@parity_case("losses.MultiClassHingeLoss", batch=(1, 9), classes=(1, 7), margin=[0.5, 1.0, 2.0])
def hinge(rng, dtype, device, batch, classes, margin):
    """The mean."""
    target = rng.integers(0, classes, batch)
    scores = scores_clear_of_margin(rng, target, classes, margin).astype(dtype)
    return ModulePair(*twins("MultiClassHingeLoss", margin=margin), [scores, target])


@parity_case("losses.MultiClassHingeLoss [sum]", batch=(0, 9), classes=(1, 7))
def hinge_sum(rng, dtype, device, batch, classes):
    """The sum, of an empty batch too."""
    target = rng.integers(0, classes, batch)
    scores = scores_clear_of_margin(rng, target, classes, 1.0).astype(dtype)
    return ModulePair(*twins("MultiClassHingeLoss", reduction="sum"), [scores, target])


@parity_case("losses.MultiClassHingeLoss [ties]", batch=(1, 9), classes=(2, 7), margin=[0.0, 1.0])
def hinge_ties(rng, dtype, device, batch, classes, margin):
    """Whole scores, which meet the margin exactly now and then."""
    scores = rng.integers(-2, 3, (batch, classes)).astype(dtype)
    inputs = [scores, rng.integers(0, classes, batch)]
    return ModulePair(*twins("MultiClassHingeLoss", margin=margin), inputs, check_numerically=False)


def draw_probabilities(rng, shape, dtype, hard):
    """Draw targets: 0 and 1, or anything between."""
    return (rng.integers(0, 2, shape) if hard else rng.random(shape)).astype(dtype)


@parity_case("losses.BCEWithLogitsLoss", shape=SHAPES, scale=[1.0, 5.0], hard=[True, False])
def bce_with_logits(rng, dtype, device, shape, scale, hard):
    """The mean."""
    inputs = [(scale * rng.standard_normal(shape)).astype(dtype), draw_probabilities(rng, shape, dtype, hard)]
    return ModulePair(*twins("BCEWithLogitsLoss"), inputs, differentiable=[0])


@parity_case("losses.BCEWithLogitsLoss [sum]", shape=SHAPES + EMPTY)
def bce_with_logits_sum(rng, dtype, device, shape):
    """The sum, of an empty batch too."""
    inputs = [rng.standard_normal(shape).astype(dtype), draw_probabilities(rng, shape, dtype, hard=True)]
    return ModulePair(*twins("BCEWithLogitsLoss", reduction="sum"), inputs, differentiable=[0])


@parity_case("losses.BCEWithLogitsLoss [large logits]", shape=SHAPES)
def bce_with_logits_large(rng, dtype, device, shape):
    """Scores whose sigmoids round to 0 and 1."""
    logits = rng.choice([-1000.0, 0.0, 1000.0], shape).astype(dtype)
    inputs = [logits, draw_probabilities(rng, shape, dtype, hard=True)]
    return ModulePair(*twins("BCEWithLogitsLoss"), inputs, differentiable=[0], check_numerically=False)


@parity_case("losses.BCELoss", shape=SHAPES, hard=[True, False])
def bce(rng, dtype, device, shape, hard):
    """The mean."""
    inputs = [rng.uniform(0.05, 0.95, shape).astype(dtype), draw_probabilities(rng, shape, dtype, hard)]
    return ModulePair(*twins("BCELoss"), inputs, differentiable=[0])


@parity_case("losses.BCELoss [sum]", shape=SHAPES + EMPTY)
def bce_sum(rng, dtype, device, shape):
    """The sum, of an empty batch too."""
    inputs = [rng.uniform(0.05, 0.95, shape).astype(dtype), draw_probabilities(rng, shape, dtype, hard=True)]
    return ModulePair(*twins("BCELoss", reduction="sum"), inputs, differentiable=[0])


@parity_case("losses.BCELoss [certain]", shape=SHAPES)
def bce_certain(rng, dtype, device, shape):
    """Predictions of exactly 0 and 1, right and wrong, where logarithm and gradient are cut off."""
    inputs = [rng.integers(0, 2, shape).astype(dtype), draw_probabilities(rng, shape, dtype, hard=True)]
    return ModulePair(*twins("BCELoss"), inputs, differentiable=[0], check_numerically=False)


def register_regression(name, options, kinks):
    @parity_case(f"losses.{name}", shape=SHAPES, options=options)
    def mean(rng, dtype, device, shape, options):
        """The mean, away from the kinks."""
        target = rng.standard_normal(shape).astype(dtype)
        prediction = target + away_from(rng, shape, dtype, kinks)
        return ModulePair(*twins(name, **options), [prediction, target], differentiable=[0])

    @parity_case(f"losses.{name} [sum]", shape=SHAPES + EMPTY)
    def total(rng, dtype, device, shape):
        """The sum, of an empty batch too."""
        target = rng.standard_normal(shape).astype(dtype)
        prediction = target + away_from(rng, shape, dtype, kinks)
        return ModulePair(*twins(name, reduction="sum"), [prediction, target], differentiable=[0])

    @parity_case(f"losses.{name} [kinks]", shape=SHAPES)
    def at_kinks(rng, dtype, device, shape):
        """Whole residuals, 0 and 1 among them."""
        target = rng.integers(-2, 3, shape).astype(dtype)
        prediction = rng.integers(-2, 3, shape).astype(dtype)
        return ModulePair(*twins(name), [prediction, target], differentiable=[0], check_numerically=False)


register_regression("MSELoss", [{}], ())
register_regression("L1Loss", [{}], (0.0,))
register_regression("MBELoss", [{}], ())
register_regression("HuberLoss", [{}, {"delta": 0.5}, {"delta": 2.0}], (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0))
