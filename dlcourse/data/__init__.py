"""Data: small real sets that installed packages carry, the full MNIST sets, and generators of toy problems.

Every loader returns a `Dataset`. Only `mnist` and `fashion_mnist` may need a network, and only the
first time. `trained` gives the weights of networks that have learned from these two.
"""

from .bundled import breast_cancer, diabetes, digits, iris, mnist_5k, wine
from .dataset import Dataset, SeparableDataset, split
from .downloads import DownloadError, fashion_mnist, mnist
from .synthetic import blobs, circles, moons, noisy_sine, separable, spirals, xor
from .trained import fashion_mnist_1k, mnist_1k, trained, trained_input

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
    "fashion_mnist_1k",
    "iris",
    "mnist",
    "mnist_1k",
    "mnist_5k",
    "moons",
    "noisy_sine",
    "separable",
    "spirals",
    "split",
    "trained",
    "trained_input",
    "wine",
    "xor",
]
