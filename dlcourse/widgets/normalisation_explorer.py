"""Normalisation explorer: which values share a mean, and what that takes out of them.

All norms subtract a mean and divide by a deviation. A change that moves all values of a mean alike
disappears; any other gets through, and may even reach values that it never touched.
"""

from functools import lru_cache

import numpy as np

from ..normalization import BatchNorm2d, GroupNorm, InstanceNorm2d, LayerNorm
from .controls import Choice, Counter, Slider

__all__ = ["ABOUT", "CONTROLS", "TITLE", "compute"]

TITLE = "Normalisation explorer"
ABOUT = (
    "Rows are examples, columns are channels; the values in one outline share a mean. Scale or shift one part of "
    "the input and see which norm takes it out again. Then make the batch small and compare training with evaluation."
)

CONTROLS = (
    Choice("norm", "Normalisation", (("batch", "Batch norm"), ("layer", "Layer norm"), ("instance", "Instance norm"),
                                     ("group", "Group norm")), "batch"),
    Choice("mode", "Mode", (("training", "Training"), ("evaluation", "Evaluation")), "training"),
    Choice("groups", "Groups of channels", (("1", "1"), ("2", "2"), ("3", "3"), ("6", "6")), "2"),
    Slider("examples", "Examples in the batch N", 1, 8, 1, 4),
    Choice("pixels", "Values per channel H × W", (("1x1", "1 × 1 (vectors)"), ("1x2", "1 × 2"), ("2x2", "2 × 2")),
           "1x2"),
    Choice("changed", "Part of the input to change", (("channel", "Channel 1 (every example)"),
                                                      ("example", "Example 1 (every channel)")), "channel"),
    Slider("scale", "Scale it by", 0.1, 10.0, 0.05, 1.0, scale="log"),
    Slider("shift", "Then shift it by", -5.0, 5.0, 0.25, 0.0),
    Slider("gamma", "Learned scale γ of channel 1", -2.0, 3.0, 0.1, 1.0),
    Slider("beta", "Learned shift β of channel 1", -3.0, 3.0, 0.1, 0.0),
    Slider("eps", "ε", 1e-5, 10.0, 0.5, 1e-5, scale="log"),
    Counter("seed"),
)

# What the layer below delivers: channels differ in mean and deviation, examples in brightness.
MEANS = np.array([1.0, -2.0, 0.5, 2.0, -0.5, -1.0])
DEVIATIONS = np.array([1.0, 0.5, 1.5, 0.8, 1.2, 0.6])
BRIGHTNESS = 0.6
CHANNELS = len(MEANS)
PAST_BATCHES = 40
EDGES = np.linspace(-6, 6, 25)                             # of the histograms


def draw_batches(rng, batches, examples, size):
    """Draw what the layer below might deliver.

    Parameters
    ----------
    rng : numpy.random.Generator
    batches, examples : int
    size : tuple of int
        Height H and width W.

    Returns
    -------
    ndarray of float64, shape (batches, examples, 6, H, W)
    """
    noise = rng.standard_normal((batches, examples, CHANNELS, 4))            # the same for every size
    brightness = BRIGHTNESS * rng.standard_normal((batches, examples, 1, 1))
    x = MEANS[:, None] + brightness + DEVIATIONS[:, None] * noise
    height, width = size
    return x[..., : height * width].reshape(batches, examples, CHANNELS, height, width)


@lru_cache(maxsize=64)
def running_statistics(seed, examples, size):
    """Let a batch norm see past batches, of the size of the one shown, before anything was changed.

    Parameters
    ----------
    seed, examples : int
    size : tuple of int

    Returns
    -------
    mean, var : ndarray of float64, shape (6,)
        Still 0 and 1 if the batches have a single value per channel, which batch norm refuses.
    """
    layer = BatchNorm2d(CHANNELS)
    if examples * size[0] * size[1] > 1:
        for batch in draw_batches(np.random.default_rng([seed, 1]), PAST_BATCHES, examples, size):
            layer(batch)
    return layer.running_mean, layer.running_var


def make_layer(norm, groups, size, gamma, beta, eps):
    """Make the layer, with scale and shift of channel 1 set.

    Parameters
    ----------
    norm : {"batch", "layer", "instance", "group"}
    groups : int
        For group norm only.
    size : tuple of int
        Height and width.
    gamma, beta, eps : float

    Returns
    -------
    dlcourse.module.Module
    """
    layer = {
        "batch": lambda: BatchNorm2d(CHANNELS, eps),
        "layer": lambda: LayerNorm((CHANNELS, *size), eps),
        "instance": lambda: InstanceNorm2d(CHANNELS, eps, affine=True),
        "group": lambda: GroupNorm(groups, CHANNELS, eps),
    }[norm]()
    layer.weight.data[0], layer.bias.data[0] = gamma, beta
    return layer


def group_of(norm, groups, shape):
    """Number the values that share a mean.

    Parameters
    ----------
    norm : {"batch", "layer", "instance", "group"}
    groups : int
        For group norm only.
    shape : tuple of int
        Of the input, (N, C, H, W).

    Returns
    -------
    ndarray of int64, shape (N, C, H, W)
        Equal where a mean is shared.
    """
    example, channel = np.indices(shape)[:2]
    if norm == "batch":
        return channel
    if norm == "layer":
        return example
    if norm == "instance":
        return example * CHANNELS + channel
    return example * groups + channel // (CHANNELS // groups)


def mean_and_variance(x, group):
    """Average over the values of each group.

    Parameters
    ----------
    x : ndarray of float64
    group : ndarray of int64, the shape of x
        As `group_of` numbers them.

    Returns
    -------
    mean, var : ndarray of float64, shape (G,)
    """
    count = np.bincount(group.ravel())
    mean = np.bincount(group.ravel(), weights=x.ravel()) / count
    centred = x - mean[group]
    return mean, np.bincount(group.ravel(), weights=(centred * centred).ravel()) / count


def change(x, part, scale, shift):
    """Scale and shift one channel or one example.

    Parameters
    ----------
    x : ndarray of float64, shape (N, C, H, W)
    part : {"channel", "example"}
        Channel 1 of all examples, or example 1 with all channels.
    scale, shift : float

    Returns
    -------
    after : ndarray of float64, shape (N, C, H, W)
    touched : ndarray of bool, the same shape
    """
    touched = np.zeros(x.shape, dtype=bool)
    touched[(slice(None), 0) if part == "channel" else 0] = True
    return np.where(touched, scale * x + shift, x), touched


def run(layer, mode, x):
    """Send a batch through a layer.

    Parameters
    ----------
    layer : dlcourse.module.Module
    mode : {"training", "evaluation"}
    x : ndarray of float64, shape (N, C, H, W)

    Returns
    -------
    y : ndarray of float64, shape (N, C, H, W), or None
        None if the layer refuses to take a mean over a single value.
    message : str
        Why it refuses, or "".
    """
    layer.train(mode == "training")
    try:
        return layer(x), ""
    except ValueError as error:
        return None, str(error)


def largest(distances):
    """Return the largest of some distances, and 0 if there are none."""
    return float(distances.max(initial=0.0))


def compute(norm, mode, groups, examples, pixels, changed, scale, shift, gamma, beta, eps, seed):
    """Normalise one batch.

    Parameters
    ----------
    norm : {"batch", "layer", "instance", "group"}
    mode : {"training", "evaluation"}
        Matters to batch norm only.
    groups : str
        Number of groups of channels, a divisor of 6.
    examples : int
        Batch size N.
    pixels : str
        ``"HxW"``, the values per channel.
    changed : {"channel", "example"}
    scale, shift : float
        What is done to the changed part of the input.
    gamma, beta : float
        The layer's own scale and shift of channel 1; 1 and 0 for the other channels.
    eps : float
    seed : int
        Of the batch.

    Returns
    -------
    dict
        Arrays of shape (N, C, H, W): ``x``, ``group``, ``mean`` and ``std`` (the s of the formula) that each
        value is normalised with, ``x_hat`` and ``y``, and ``trained`` and ``evaluated``, the output in
        either mode. The last four are None where the layer refuses, and ``refused`` says why.
        For each group: ``before`` and ``after``, mean and deviation, shape (2, G).
        ``edges`` (25,) with the counts ``counts_before`` and ``counts_after`` (24,). ``moved_inside`` and
        ``moved_outside``: how far any output moved because of scale and shift, in the changed part and
        elsewhere. ``gap``: root mean square of the difference between the modes.
    """
    size = tuple(int(side) for side in pixels.split("x"))
    original = draw_batches(np.random.default_rng([seed, 0]), 1, 8, size)[0, :examples]   # of 8, the first N
    x, touched = change(original, changed, scale, shift)
    group = group_of(norm, int(groups), x.shape)
    running_mean, running_var = running_statistics(seed, examples, size)

    def send(batch, how):
        layer = make_layer(norm, int(groups), size, gamma, beta, eps)
        if norm == "batch":                                # copies: a training step would move the stored ones
            layer.running_mean[:], layer.running_var[:] = running_mean, running_var
        return layer, *run(layer, how, batch)

    layer, y, refused = send(x, mode)
    outputs = {how: y if how == mode else send(x, how)[1] for how in ("training", "evaluation")}
    mean, var = mean_and_variance(x, group)
    by_running = norm == "batch" and mode == "evaluation"
    used_mean, used_var = (running_mean, running_var) if by_running else (mean, var)
    result = {
        "x": x, "group": group, "mean": used_mean[group], "std": np.sqrt(used_var + eps)[group],
        "x_hat": None, "y": y, "trained": outputs["training"], "evaluated": outputs["evaluation"],
        "refused": refused, "before": np.stack([mean, np.sqrt(var)]), "after": None,
        "edges": EDGES, "counts_before": histogram(x), "counts_after": None,
        "moved_inside": None, "moved_outside": None, "gap": None,
    }
    if y is None:
        return result
    moved = np.abs(y - send(original, mode)[1])
    mean, var = mean_and_variance(y, group)
    result |= {
        "x_hat": layer.x_hat.reshape(x.shape), "after": np.stack([mean, np.sqrt(var)]), "counts_after": histogram(y),
        "moved_inside": largest(moved[touched]), "moved_outside": largest(moved[~touched]),
    }
    if outputs["training"] is not None and outputs["evaluation"] is not None:
        result["gap"] = float(np.sqrt(np.mean((outputs["training"] - outputs["evaluation"]) ** 2)))
    return result


def histogram(x):
    """Count the values between neighbouring edges; what lies outside counts into the last bins."""
    return np.histogram(np.clip(x, EDGES[0], EDGES[-1]), EDGES)[0]
