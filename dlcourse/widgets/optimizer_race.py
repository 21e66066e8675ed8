"""Optimiser race: every rule of `dlcourse.optim` runs down the same valley.

One learning rate has to serve a gentle direction and a steep one. What each rule does about that is
seen in its path, and what it costs in the loss beside it. Turn the valley away from the axes and
those rules that rescale the axes lose their advantage.
"""

from dataclasses import dataclass

import numpy as np

from .. import optim
from ..module import Parameter
from .controls import Choice, Counter, Slider, Toggle

__all__ = ["ABOUT", "CONTROLS", "TITLE", "compute"]

TITLE = "Optimiser race"
ABOUT = (
    "Choose an optimiser to tune and push its learning rate, then turn the valley. Watch who reaches the star, "
    "who zigzags and who leaves the picture. The start can be dragged."
)

RULES = {
    "sgd": optim.SGD,
    "momentum": optim.Momentum,
    "nesterov": optim.Nesterov,
    "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
}
LABELS = {"sgd": "SGD", "momentum": "Momentum", "nesterov": "Nesterov", "adagrad": "Adagrad",
          "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}

#: What each rule is told. The learning rates suit the ravine that the widget begins with.
SETTINGS = {
    "sgd": {"lr": 0.0158, "weight_decay": 0.0},
    "momentum": {"lr": 0.00631, "momentum": 0.9, "weight_decay": 0.0},
    "nesterov": {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.0},
    "adagrad": {"lr": 2.51, "eps": 1e-10, "weight_decay": 0.0},
    "rmsprop": {"lr": 0.0631, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0},
    "adam": {"lr": 0.631, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0},
    "adamw": {"lr": 0.631, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01},
}

#: Label, lowest and highest value, step and scale of the slider of each setting.
RANGES = {
    "lr": ("learning rate η", 1e-3, 10.0, 0.05, "log"),
    "momentum": ("momentum μ", 0.0, 0.99, 0.01, "linear"),
    "alpha": ("memory α", 0.0, 0.999, 0.001, "linear"),
    "beta1": ("β₁", 0.0, 0.99, 0.01, "linear"),
    "beta2": ("β₂", 0.0, 0.999, 0.001, "linear"),
    "eps": ("ε", 1e-10, 1.0, 0.5, "log"),
    "weight_decay": ("weight decay λ", 0.0, 1.0, 0.01, "linear"),
}


@dataclass(frozen=True)
class Valley:
    r"""A loss with a gentle direction u and a steep one v.

    .. math:: f(u, v) = a(u) + \tfrac{\kappa}{2}\,\bigl(v - c(u)\bigr)^2

    Parameters
    ----------
    along, along_slope : callable
        Height :math:`a(u) \ge 0` of the valley's floor and its derivative, on arrays.
    course, course_slope : callable
        Where the floor runs, :math:`v = c(u)`, and its derivative.
    bottoms : tuple of float
        Each u at which :math:`a(u) = 0`.
    start : tuple of float
        A telling place (u, v) to start from.
    """

    along: callable
    along_slope: callable
    course: callable
    course_slope: callable
    bottoms: tuple
    start: tuple

    def loss(self, points, kappa):
        """Evaluate the loss.

        Parameters
        ----------
        points : ndarray of shape (..., 2)
            Places (u, v).
        kappa : float

        Returns
        -------
        ndarray of shape (...,)
        """
        u, v = points[..., 0], points[..., 1]
        return self.along(u) + 0.5 * kappa * (v - self.course(u)) ** 2

    def gradient(self, points, kappa):
        r"""Evaluate the gradient, :math:`(a' - \kappa (v - c)\, c',\; \kappa (v - c))`.

        Parameters
        ----------
        points : ndarray of shape (..., 2)
        kappa : float

        Returns
        -------
        ndarray of shape (..., 2)
        """
        u, v = points[..., 0], points[..., 1]
        steep = kappa * (v - self.course(u))
        return np.stack([self.along_slope(u) - steep * self.course_slope(u), steep], axis=-1)


def straight(u):
    """Run along v = 0; its own derivative too."""
    return np.zeros_like(u)


VALLEYS = {
    "ravine": Valley(
        along=lambda u: 0.5 * u**2, along_slope=lambda u: u,
        course=straight, course_slope=straight, bottoms=(0.0,), start=(-9.0, 1.3)),
    "curved": Valley(
        along=lambda u: 0.5 * u**2, along_slope=lambda u: u,
        course=lambda u: 0.02 * u**2 - 1, course_slope=lambda u: 0.04 * u, bottoms=(0.0,), start=(-9.0, 1.8)),
    "saddle": Valley(
        along=lambda u: (u**2 - 36) ** 2 / 144, along_slope=lambda u: u * (u**2 - 36) / 36,
        course=straight, course_slope=straight, bottoms=(-6.0, 6.0), start=(-0.1, 1.3)),
    "dented": Valley(
        along=lambda u: 0.5 * u**2 + 3 * (1 - np.cos(1.5 * u)), along_slope=lambda u: u + 4.5 * np.sin(1.5 * u),
        course=straight, course_slope=straight, bottoms=(0.0,), start=(-9.0, 1.3)),
}

HALF_VIEW = np.array([10.5, 2.5])   # half the picture's width and height while the valley is not turned
FAR = 1e4                           # a path that gets here is followed no further
LEVELS = 9 * 2.5 ** np.arange(-3, 7)   # heights of the contour lines; 9 is the height of the saddle
ALONG = np.linspace(-13, 13, 209)   # reaches into the corners of the picture at 45 degrees
TARGET = 1e-4                       # share of the first loss that counts as having arrived


def setting_sliders():
    """Make a slider for every setting of every rule.

    Returns
    -------
    tuple of Slider
        Named after rule and setting, such as ``"adam_beta1"``.
    """
    sliders = []
    for rule, settings in SETTINGS.items():
        for setting, default in settings.items():
            label, low, high, step, scale = RANGES[setting]
            sliders.append(Slider(f"{rule}_{setting}", f"{LABELS[rule]}: {label}", low, high, step, default, scale))
    return tuple(sliders)


CONTROLS = (
    Choice("tune", "Optimiser to tune", tuple(LABELS.items()), "sgd"),
    *setting_sliders(),
    Choice("surface", "Loss", (("ravine", "Ravine"), ("curved", "Curved valley"), ("saddle", "Saddle"),
                               ("dented", "Valley with dents")), "ravine"),
    Slider("kappa", "Curvature across, κ", 1.0, 1000.0, 0.05, 100.0, scale="log"),
    Slider("angle", "Valley turned by (degrees)", 0, 45, 1, 0),
    Slider("noise", "Noise in the gradient", 0.0, 10.0, 0.1, 0.0),
    Slider("start_along", "Start, along the valley", -10.0, 10.0, 0.1, -9.0),
    Slider("start_across", "Start, across it", -2.2, 2.2, 0.1, 1.3),
    Slider("steps", "Steps", 20, 200, 10, 100),
    *(Toggle(f"{rule}_on", label, rule in ("sgd", "momentum", "adagrad", "adam")) for rule, label in LABELS.items()),
    Counter("seed"),
)


def make_optimizer(rule, weights, settings):
    """Build one of the course's optimisers.

    Parameters
    ----------
    rule : str
        A key of ``RULES``.
    weights : Parameter
    settings : dict of str to float
        As in ``SETTINGS``.

    Returns
    -------
    dlcourse.optim.Optimizer
    """
    settings = dict(settings)
    if "beta1" in settings:
        settings["betas"] = (settings.pop("beta1"), settings.pop("beta2"))
    return RULES[rule]([weights], **settings)


def race(settings, gradient, start, noise):
    """Let several optimisers run from one start.

    Parameters
    ----------
    settings : dict of str to dict
        Settings of each rule that takes part, as in ``SETTINGS``.
    gradient : callable
        Turns places, an ndarray of shape (n, 2), into gradients of the same shape.
    start : ndarray of float64, shape (2,)
    noise : ndarray of float64, shape (T, 2)
        Added to the gradient of each step, the same for all.

    Returns
    -------
    ndarray of float64, shape (n, T + 1, 2)
        The paths; NaN after a path has got further than ``FAR``.
    """
    places = np.tile(start, (len(settings), 1))
    weights = [Parameter(row) for row in places]        # views: a step of an optimiser moves its row
    optimizers = [make_optimizer(rule, w, settings[rule]) for rule, w in zip(settings, weights, strict=True)]
    paths = np.full((len(noise) + 1, len(settings), 2), np.nan)
    paths[0] = places
    running = np.arange(len(settings))
    for t, disturbance in enumerate(noise, start=1):
        gradients = gradient(places[running]) + disturbance
        for i, g in zip(running, gradients, strict=True):
            weights[i].grad = g
            optimizers[i].step()
        paths[t, running] = places[running]
        running = running[np.abs(places[running]).max(axis=1) < FAR]
    return paths.transpose(1, 0, 2)


def arrival(losses):
    """Count the steps until the loss stays below ``TARGET`` times the first one.

    Parameters
    ----------
    losses : ndarray of float64, shape (T + 1,)

    Returns
    -------
    int or None
        None if it does not within these steps.
    """
    above = np.nonzero(~(losses <= TARGET * losses[0]))[0]      # NaN counts as above
    first = int(above[-1]) + 1 if len(above) else 0
    return first if first < len(losses) else None


def departure(path, half):
    """Find the first step from which a path stays outside the picture.

    Parameters
    ----------
    path : ndarray of float64, shape (T + 1, 2)
    half : ndarray of float64, shape (2,)
        Half the picture's width and height.

    Returns
    -------
    int or None
        None if it ends inside.
    """
    inside = np.nonzero(np.all(np.abs(path) <= half, axis=1))[0]
    return int(inside[-1]) + 1 if inside[-1] < len(path) - 1 else None


def contour_lines(valley, kappa):
    r"""Find both sides of every contour line: :math:`v = c(u) \pm \sqrt{2 (f - a(u)) / \kappa}`.

    Parameters
    ----------
    valley : Valley
    kappa : float

    Returns
    -------
    ndarray of float64, shape (levels, 2, 209, 2)
        Places (u, v), the upper side first; NaN where the floor lies above the level.
    """
    below = LEVELS[:, None] - valley.along(ALONG)                   # (levels, 209)
    reach = np.sqrt(2 * np.maximum(below, 0) / kappa)
    outside = below < 0
    # One place more at each end, where the reach is zero: there the two sides meet.
    outside[:, 1:-1] &= (below[:, :-2] < 0) & (below[:, 2:] < 0)
    reach[outside] = np.nan
    v = valley.course(ALONG) + np.stack([reach, -reach], axis=1)    # (levels, 2, 209)
    return np.stack([np.broadcast_to(ALONG, v.shape), v], axis=-1)


def stable_limit(rule, settings, kappa):
    r"""Give the learning rate from which on a rule is thrown out of a ravine.

    Across the valley a step multiplies v by :math:`1 - \eta\kappa`, which must stay above -1. With
    momentum :math:`\mu` the limit is :math:`1 + \mu` times as high, and with Nesterov's gradient
    ahead :math:`(1 + \mu)/(1 + 2\mu)` times. Weight decay adds to the curvature.

    Parameters
    ----------
    rule : str
    settings : dict of str to float
    kappa : float
        At least 1.

    Returns
    -------
    float or None
        None for a rule whose steps are not proportional to the gradient.
    """
    mu = settings.get("momentum", 0.0)
    factors = {"sgd": 1.0, "momentum": 1 + mu, "nesterov": (1 + mu) / (1 + 2 * mu)}
    return 2 * factors[rule] / (kappa + settings["weight_decay"]) if rule in factors else None


def compute(surface, kappa, angle, noise, start_along, start_across, steps, tune, seed, **settings):
    """Run the race.

    Parameters
    ----------
    surface : str
        A key of ``VALLEYS``.
    kappa : float
        Curvature across the valley; along a ravine it is 1.
    angle : float
        By how many degrees the valley is turned, its start with it.
    noise : float
        Standard deviation of what is added to each component of each gradient.
    start_along, start_across : float
        The start (u, v), in the valley's own directions.
    steps : int
        T.
    tune : str
        The rule whose stable limit is given.
    seed : int
        Of the noise.
    **settings : float or bool
        ``"rule_setting"`` for each of ``SETTINGS``, and ``"rule_on"`` for whether it takes part.

    Returns
    -------
    dict
        ``names`` (list of str, n of them); ``steps``; ``paths`` (float32, shape (n, T + 1, 2)) and
        ``losses`` (float64, shape (n, T + 1)), NaN where a path is followed no further; ``left`` and
        ``arrived`` (lists of int or None) as `departure` and `arrival` give them; ``first``, the loss at
        the start, and ``target``, the loss to get below; ``limit``, the largest stable rate of the rule
        to tune, or None; ``contours`` (float32), ``levels``, ``bottoms`` (shape (k, 2)), ``start``
        (shape (2,)) and ``half`` (shape (2,)) for the picture; ``axes`` (shape (2, 2)), whose columns are
        the valley's directions; ``starts``, a telling start for each valley.
    """
    valley = VALLEYS[surface]
    turn = np.deg2rad(angle)
    Q = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    chosen = {rule: {setting: settings[f"{rule}_{setting}"] for setting in SETTINGS[rule]} for rule in RULES}
    running = {rule: chosen[rule] for rule in RULES if settings[f"{rule}_on"]}

    start = Q @ (start_along, start_across)
    disturbances = noise * np.random.default_rng(seed).standard_normal((steps, 2))
    paths = race(running, lambda w: valley.gradient(w @ Q, kappa) @ Q.T, start, disturbances)   # rows: Q.T w, Q g
    losses = valley.loss(paths @ Q, kappa)
    first = float(valley.loss(np.array([start_along, start_across]), kappa))
    half = np.abs(Q) @ HALF_VIEW                        # the box around the turned picture
    bottoms = np.array([(u, valley.course(np.array(u))) for u in valley.bottoms])
    return {
        "names": list(running),
        "steps": steps,
        "paths": paths.astype(np.float32),
        "losses": losses,
        "left": [departure(path, half) for path in paths],
        "arrived": [arrival(loss) for loss in losses],
        "first": first,
        "target": TARGET * first,
        "limit": stable_limit(tune, chosen[tune], kappa) if surface == "ravine" else None,
        "contours": (contour_lines(valley, kappa) @ Q.T).astype(np.float32),
        "levels": LEVELS,
        "bottoms": bottoms @ Q.T,
        "start": start,
        "half": half,
        "axes": Q,
        "starts": {name: list(entry.start) for name, entry in VALLEYS.items()},
    }
