"""Data: small real sets that installed packages carry, the full MNIST sets, and generators of toy problems.

Everything here returns a `Dataset`. Only `mnist` and `fashion_mnist` may need a network, and only
the first time.
"""

from .bundled import breast_cancer, diabetes, digits, iris, mnist_5k, wine
from .dataset import Dataset, SeparableDataset, split
from .downloads import DownloadError, fashion_mnist, mnist
from .synthetic import blobs, circles, moons, noisy_sine, separable, spirals, xor

__all__ = [
    "Dataset",
    "DownloadError",
    "SeparableDataset",
    "blobs",
    "breast_cancer",
    "circles",
    "diabetes",
    "digits",
    "fashion_mnist",
    "iris",
    "mnist",
    "mnist_5k",
    "moons",
    "noisy_sine",
    "separable",
    "spirals",
    "split",
    "wine",
    "xor",
]
