"""Networks that the recipes have trained on full data sets, and images that they have never seen.

The weights come with the package, and so does every tenth test image of both data sets: so a chapter
evaluates the networks without a network to download from.
"""

from pathlib import Path

import numpy as np

from ..validation import check_array, check_choice
from .bundled import check_dtype
from .dataset import Dataset
from .downloads import FASHION_CLASSES

__all__ = ["fashion_mnist_1k", "mnist_1k", "trained", "trained_input"]

WEIGHTS = Path(__file__).with_name("weights")
SAMPLES = Path(__file__).with_name("samples")
NETWORKS = ("lenet5", "resnet")
STEP = 10       # not the first 1,000: the first half of MNIST's test images is easier than the second

# Mean and standard deviation of all pixels of Fashion-MNIST's training part.
FASHION_MEAN, FASHION_STD = 0.2860, 0.3530


def trained(name):
    """Load the weights of a trained network.

    Parameters
    ----------
    name : {"lenet5", "resnet"}
        `dlcourse.lenet.LeNet5`, trained on MNIST, or `dlcourse.resnet.SmallResNet`, on Fashion-MNIST.

    Returns
    -------
    dict of str to ndarray of float32
        For ``load_state_dict`` of the reference, whence `dlcourse.interop.copy_weights` brings it to the
        counterpart.

    Notes
    -----
    ``recipes/image_classifiers.py`` trains both. Weights of two and more axes are stored in half
    precision.
    """
    return read_weights(WEIGHTS / f"{check_choice(name, 'name', NETWORKS)}.npz")


def read_weights(path):
    """Read the file that a recipe has written, in single precision."""
    with np.load(path) as stored:
        return {key: stored[key].astype(np.float32) for key in stored.files}


def trained_input(name, images):
    """Bring images into the form that a trained network has learned from.

    Parameters
    ----------
    name : {"lenet5", "resnet"}
    images : ndarray of float, shape (N, 28, 28)
        From 0 (paper) to 1 (ink), as the loaders give them.

    Returns
    -------
    ndarray of float32, shape (N, 1, 32, 32) or (N, 1, 28, 28)
        For LeNet-5 from -0.1 to 1.175, with a margin of two pixels of paper, as in 1998; for the residual
        network with mean 0 and variance 1 over the training images.
    """
    check_choice(name, "name", NETWORKS)
    check_array(images, "images", shape=("N", 28, 28))
    images = images.astype(np.float32)[:, None]                            # (N, 28, 28) -> (N, 1, 28, 28)
    if name == "resnet":
        return (images - np.float32(FASHION_MEAN)) / np.float32(FASHION_STD)
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))              # (N, 1, 32, 32)
    return padded * np.float32(1.275) - np.float32(0.1)


def fashion_mnist_1k(*, flatten=True, dtype=np.float32):
    """Load 1,000 images of clothes of 28 x 28 pixels: every tenth of Fashion-MNIST's test part.

    No network of the course has learned from any of them.

    Parameters
    ----------
    flatten : bool
        Whether an image is a row of 784 numbers.
    dtype : numpy.dtype

    Returns
    -------
    Dataset
        x (1000, 784) or (1000, 28, 28), from 0 to 1 in steps of 1/255; y int64 (1000,), labels 0 to 9.

    Notes
    -----
    Source: Xiao, Rasul and Vollgraf, *Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms*, arXiv 1708.07747, 2017. Licence: MIT.
    """
    return sample(
        "fashion-mnist", flatten, dtype, name="Fashion-MNIST, 1,000 test images",
        source="Xiao, Rasul and Vollgraf, Fashion-MNIST (2017)", licence="MIT", class_names=FASHION_CLASSES,
    )


def mnist_1k(*, flatten=True, dtype=np.float32):
    """Load 1,000 handwritten digits of 28 x 28 pixels: every tenth of MNIST's test part.

    No network of the course has learned from any of them, nor are they among those of `mnist_5k`.

    Parameters
    ----------
    flatten : bool
        Whether an image is a row of 784 numbers.
    dtype : numpy.dtype

    Returns
    -------
    Dataset
        x (1000, 784) or (1000, 28, 28), from 0 (paper) to 1 (ink) in steps of 1/255; y int64 (1000,),
        labels 0 to 9.

    Notes
    -----
    Source: LeCun, Cortes and Burges, *The MNIST database of handwritten digits*, 1998. Licence: the
    original states none.
    """
    return sample(
        "mnist", flatten, dtype, name="MNIST, 1,000 test images",
        source="LeCun, Cortes and Burges, The MNIST database of handwritten digits (1998)",
        licence="none stated by the authors", class_names=tuple("0123456789"),
    )


def sample(file, flatten, dtype, **description):
    """Load the test images that come with the package; ``recipes/samples.py`` has chosen them."""
    dtype = check_dtype(dtype)
    with np.load(SAMPLES / f"{file}.npz") as stored:
        pixels, labels = stored["images"], stored["labels"]
    x = pixels.astype(dtype) / 255                                         # (1000, 28, 28)
    return Dataset(x.reshape(len(x), -1) if flatten else x, labels.astype(np.int64), **description)
