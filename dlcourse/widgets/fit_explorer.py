"""Fit explorer: a polynomial through a few noisy points of a sine, with and without a penalty.

The training error falls with every coefficient. The test error falls, then rises: beyond some degree
the coefficients fit the noise. More points, less noise or a small L2 penalty tame the same
polynomial.
"""

import numpy as np

from ..module import Parameter
from ..regularizers import L2
from .controls import Choice, Counter, Slider, Toggle

__all__ = ["ABOUT", "CONTROLS", "TITLE", "compute"]

TITLE = "Fit explorer"
ABOUT = (
    "A polynomial is fitted to a few noisy points of a sine. Change its degree, penalise its weights or "
    "add points, and compare the error on the training points with the error on new ones."
)

CONTROLS = (
    Slider("degree", "Degree of the polynomial", 0, 15, 1, 9),
    Toggle("penalised", "Penalise the weights (L2)", False),
    Slider("strength", "Strength λ", 1e-10, 1.0, 0.25, 1e-5, scale="log"),
    Slider("num_points", "Training points", 3, 100, 1, 10),
    Slider("noise", "Noise σ", 0.0, 1.0, 0.05, 0.25),
    Choice("against", "Errors against", (("degree", "The degree"), ("strength", "The strength λ")), "degree"),
    Toggle("draws", "Other draws, bias and variance", False),
    Counter("seed", 2),
)

GRID = np.linspace(0, 1, 200)
DEGREES = np.arange(16)
STRENGTHS = 10 ** np.linspace(-10, 0, 41)
NUM_DRAWS = 15


def sine(x):
    """One period of a sine on [0, 1]."""
    return np.sin(2 * np.pi * x)


def powers(x, degree):
    """List the powers of each input from 0 up.

    Parameters
    ----------
    x : ndarray of float64, shape (N,)
    degree : int

    Returns
    -------
    ndarray of float64, shape (N, degree + 1)
    """
    return np.vander(x, degree + 1, increasing=True)


def solver(X, strengths):
    r"""Find the matrices that turn targets into weights, one for each strength.

    .. math:: w = V\,\mathrm{diag}\Bigl(\frac{\nu_j}{\nu_j^2 + N\lambda}\Bigr)\,U^\top t,
              \qquad X = U\,\mathrm{diag}(\nu_j)\,V^\top

    minimises :math:`\tfrac1N \lVert Xw - t\rVert_2^2 + \lambda\lVert w\rVert_2^2`. One decomposition
    serves all strengths.

    Parameters
    ----------
    X : ndarray of float64, shape (N, D)
    strengths : ndarray of float64, shape (K,)
        Each :math:`\lambda \ge 0`. At 0 this is least squares; if several weights fit equally well,
        the shortest.

    Returns
    -------
    ndarray of float64, shape (K, D, N)
    """
    U, nu, Vt = np.linalg.svd(X, full_matrices=False)               # (N, R), (R,), (R, D)
    # As np.linalg.lstsq does, a singular value that is only rounding error counts as zero.
    kept = nu > np.finfo(float).eps * max(X.shape) * nu[0]
    denominators = nu**2 + len(X) * strengths[:, None]              # (K, R)
    factors = np.where(kept, nu, 0) / np.where(kept, denominators, 1)
    return (Vt.T * factors[:, None, :]) @ U.T


def errors(x, t, degree, strengths, noise):
    r"""Measure fits of one degree on the training points and on all points to come.

    A new target is :math:`f(x) + \varepsilon`. Averaged over its noise, the squared error at x is
    :math:`\sigma^2 + (f(x) - \hat y(x))^2`, which needs no test points. Averaged over the noise of
    the training points as well, it splits into noise, bias and variance. The prediction is linear in
    the targets, :math:`\hat y = St`, so that :math:`\bar y = S f` and
    :math:`\operatorname{Var}[\hat y_i] = \sigma^2 \sum_n S_{in}^2`.

    Parameters
    ----------
    x, t : ndarray of float64, shape (N,)
        Training points.
    degree : int
    strengths : ndarray of float64, shape (K,)
    noise : float
        Standard deviation :math:`\sigma`.

    Returns
    -------
    dict of str to ndarray of float64, shape (K,)
        ``train`` and ``test``: mean squared errors of the fits to these points; ``bias2`` and
        ``variance``: means over the grid, for training targets drawn anew.
    """
    X = powers(x, degree)
    solve = solver(X, strengths)                                    # (K, D, N)
    smooth = powers(GRID, degree) @ solve                           # (K, 200, N)
    return {
        "train": np.mean((solve @ t @ X.T - t) ** 2, axis=1),
        "test": noise**2 + np.mean((smooth @ t - sine(GRID)) ** 2, axis=1),
        "bias2": np.mean((smooth @ sine(x) - sine(GRID)) ** 2, axis=1),
        "variance": noise**2 * np.mean(np.sum(smooth**2, axis=2), axis=1),
    }


def sweep(against, x, t, degree, strength, noise):
    """Measure the errors over all degrees or over all strengths.

    Parameters
    ----------
    against : {"degree", "strength"}
    x, t : ndarray of float64, shape (N,)
    degree : int
        Kept while the strength varies.
    strength : float
        Kept while the degree varies.
    noise : float

    Returns
    -------
    dict of str to ndarray of float64, shape (K,)
        ``at``, the degrees or strengths, and the errors as in `errors`.
    """
    if against == "strength":
        return {"at": STRENGTHS, **errors(x, t, degree, STRENGTHS, noise)}
    rows = [errors(x, t, d, np.array([strength]), noise) for d in DEGREES]
    return {"at": DEGREES, **{name: np.concatenate([row[name] for row in rows]) for name in rows[0]}}


def compute(degree, penalised, strength, num_points, noise, against, draws, seed):
    """Fit a polynomial, and measure its errors and those of its neighbours.

    Parameters
    ----------
    degree : int
    penalised : bool
        Whether the squares of the weights are penalised, the constant's included.
    strength : float
        Of the penalty.
    num_points : int
        N, evenly spaced on [0, 1].
    noise : float
        Standard deviation of the targets' noise.
    against : {"degree", "strength"}
        What the errors are swept over.
    draws : bool
        Whether fits to other draws of the noise are wanted.
    seed : int
        Of the noise.

    Returns
    -------
    dict
        ``x``, ``t`` (float64, shape (N,)); ``grid``, ``truth``, ``curve`` (float64, shape (200,));
        ``others`` (float32, shape (15, 200), or None); ``train``, ``test``, ``bias2``, ``variance``;
        ``excess``, bias² plus variance, and ``expected``, the test error averaged over draws of the
        training noise; ``off``, the root mean square distance from the sine; ``largest``, the largest weight in
        size; ``penalty``; ``sweep`` as `sweep` returns it; ``best``, where its test error is least;
        ``floor``, the noise's variance; ``inputs``, the arguments as given, so that numbers are never
        drawn under later settings.
    """
    lam = strength if penalised else 0.0
    x = np.linspace(0, 1, num_points)
    rng = np.random.default_rng(seed)
    t = sine(x) + noise * rng.standard_normal(num_points)
    solve = solver(powers(x, degree), np.array([lam]))[0]           # (D, N)
    w = solve @ t
    curve = powers(GRID, degree) @ w
    others = None
    if draws:
        targets = sine(x) + noise * rng.standard_normal((NUM_DRAWS, num_points))
        others = (targets @ solve.T @ powers(GRID, degree).T).astype(np.float32)
    here = {name: float(value[0]) for name, value in errors(x, t, degree, np.array([lam]), noise).items()}
    swept = sweep(against, x, t, degree, lam, noise)
    return {
        "x": x,
        "t": t,
        "grid": GRID,
        "truth": sine(GRID),
        "curve": curve,
        "others": others,
        **here,
        "excess": here["bias2"] + here["variance"],
        "expected": noise**2 + here["bias2"] + here["variance"],
        "off": float(np.sqrt(np.mean((curve - sine(GRID)) ** 2))),
        "largest": float(np.abs(w).max()),
        "penalty": float(L2(lam)([Parameter(w)])),
        "sweep": swept,
        "best": swept["at"][np.argmin(swept["test"])],
        "floor": noise**2,
        "inputs": {"degree": degree, "penalised": penalised, "strength": strength, "num_points": num_points,
                   "against": against},
    }
