"""Parity cases of `dlcourse.saliency`."""

from dlcourse import saliency as ours
from dlcourse import saliency_torch as theirs
from dlcourse.interop import to_torch
from dlcourse.parity import Comparison, parity_case

from .adversarial import CLASSES, networks


@parity_case("saliency.saliency", kind=["dense", "convolutional"], batch=(0, 4))
def slopes(rng, dtype, device, kind, batch):
    model, twin = networks(rng, dtype, device, kind)
    x, t = rng.standard_normal((batch, 1, 6, 6)).astype(dtype), rng.integers(0, CLASSES, batch)
    slopes_twin = theirs.saliency(twin, to_torch(x, device), to_torch(t, device))
    return [Comparison("gradient", "input", ours.saliency(model, x, t), slopes_twin)]


@parity_case("saliency.activation_maximization", kind=["dense", "convolutional"], batch=(0, 3), unit=(0, CLASSES - 1),
             steps=(1, 5), penalty=[0.0, 0.1], bounds=[None, (0, 1)])
def ascent(rng, dtype, device, kind, batch, unit, steps, penalty, bounds):
    model, twin = networks(rng, dtype, device, kind)
    x = rng.random((batch, 1, 6, 6)).astype(dtype)
    settings = {"steps": steps, "lr": 0.1, "penalty": penalty, "bounds": bounds}
    best = ours.activation_maximization(model, unit, x, **settings)
    best_twin = theirs.activation_maximization(twin, unit, to_torch(x, device), **settings)
    return [Comparison("forward", "x", best, best_twin)]


@parity_case("saliency.top_activations", images=(1, 7), units=(1, 4), height=(1, 4), width=(1, 5), k=(1, 7),
             values=[3, 10**6])
def strongest(rng, dtype, device, images, units, height, width, k, values):
    """With many ties and with hardly any."""
    maps = rng.integers(-values, values, (images, units, height, width)).astype(dtype)
    k = min(k, images)
    places, places_twin = ours.top_activations(maps, k), theirs.top_activations(to_torch(maps, device), k)
    return [Comparison("forward", "places", places, places_twin)]
