"""What a loader returns, and how to divide it into parts."""

from dataclasses import KW_ONLY, dataclass, replace
from itertools import pairwise

import numpy as np

from ..validation import check_integer, check_number, check_rng, check_same_length, describe

__all__ = ["Dataset", "SeparableDataset", "split"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs, targets, and where they come from.

    Parameters
    ----------
    x : ndarray of float, shape (N, ...)
        Inputs.
    y : ndarray of int64, shape (N,), or of float, shape (N, 1)
        Class labels from 0, or the numbers to predict. These have the shape of a network's output,
        since a difference of shapes (N, 1) and (N,) would be of shape (N, N).
    name : str
    source : str
        Who made it, and where it is taken from here.
    licence : str
    feature_names : tuple of str
        What the columns of `x` are; empty for images.
    class_names : tuple of str
        What the labels mean; empty for regression.

    Raises
    ------
    ValueError
        If x and y have different numbers of rows.
    """

    x: np.ndarray
    y: np.ndarray
    _: KW_ONLY
    name: str
    source: str
    licence: str
    feature_names: tuple = ()
    class_names: tuple = ()

    def __post_init__(self):
        check_same_length(x=self.x, y=self.y)

    def __len__(self):
        return len(self.x)

    def __repr__(self):
        return f"<{self.name}: x {self.x.dtype} {self.x.shape}, y {self.y.dtype} {self.y.shape}>"

    def take(self, index):
        """Select examples.

        Parameters
        ----------
        index : ndarray or slice
            Row numbers, or a mask.

        Returns
        -------
        Dataset
            With all other fields as they are.
        """
        return replace(self, x=self.x[index], y=self.y[index])


@dataclass(frozen=True, eq=False, repr=False)
class SeparableDataset(Dataset):
    """Two classes that a hyperplane separates, and that hyperplane.

    Parameters
    ----------
    x : ndarray of float, shape (N, D)
    y : ndarray of int64, shape (N,)
    name, source, licence : str
    feature_names, class_names : tuple of str
    weight : ndarray of shape (D,)
        Unit normal of the hyperplane; it points to class 1.
    bias : float
        The hyperplane is where ``x @ weight + bias == 0``.
    margin : float
        Distance of the nearest example on either side.
    """

    _: KW_ONLY
    weight: np.ndarray
    bias: float
    margin: float


def split(data, parts=(0.6, 0.2, 0.2), *, rng, stratify=True):
    """Divide a data set at random, by default into training, validation and test examples.

    Parameters
    ----------
    data : Dataset or tuple of ndarray
        Arrays have one row for each example; the last of them holds the targets.
    parts : sequence of float or of int
        The share of each part (all shares sum to one), or its number of examples (if they sum to
        less than there are, the rest is left out).
    rng : numpy.random.Generator
        Shuffles, so that each part comes in random order.
    stratify : bool
        Whether every class should have about the same share in each part. Applies to targets that
        are integer labels; others have no classes.

    Returns
    -------
    tuple of Dataset, or tuple of tuple of ndarray
        As many as `parts`, of the kind of `data`.

    Raises
    ------
    ValueError
        If the shares do not sum to one, the sizes to too much, or a part would be empty.
    TypeError
        If `data` is neither, or `parts` mixes shares and sizes.
    """
    check_rng(rng)
    arrays = (data.x, data.y) if isinstance(data, Dataset) else data
    if not isinstance(arrays, (tuple, list)) or not arrays or not all(isinstance(a, np.ndarray) for a in arrays):
        raise TypeError(f"data: expected a Dataset or a tuple of arrays, got {describe(data)}")
    num_examples = check_same_length(**{f"data[{index}]": array for index, array in enumerate(arrays)})
    edges = part_edges(parts, num_examples)
    target = arrays[-1]
    by_class = stratify and target.ndim == 1 and target.dtype.kind in "iu"
    order = interleaved(target, rng) if by_class else rng.permutation(num_examples)
    chosen = [rng.permutation(order[start:stop]) for start, stop in pairwise(edges)]
    if isinstance(data, Dataset):
        return tuple(data.take(index) for index in chosen)
    return tuple(tuple(array[index] for array in arrays) for index in chosen)


def part_edges(parts, num_examples):
    """Return where each part begins, and where the last one ends."""
    if isinstance(parts, str) or not hasattr(parts, "__len__") or not len(parts):
        raise TypeError(f"parts: expected a sequence of shares or of sizes, got {describe(parts)}")
    if all(isinstance(part, (int, np.integer)) for part in parts):
        sizes = [check_integer(part, f"parts[{index}]", low=1) for index, part in enumerate(parts)]
        if sum(sizes) > num_examples:
            raise ValueError(f"parts: expected sizes that sum to at most {num_examples}, got {sum(sizes)}")
        return np.cumsum([0, *sizes])
    if any(isinstance(part, (int, np.integer)) for part in parts):
        raise TypeError(f"parts: expected shares only or sizes only, got {describe(parts)}")
    shares = [
        check_number(part, f"parts[{index}]", low=0, high=1, low_open=True) for index, part in enumerate(parts)
    ]
    if abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"parts: expected shares that sum to 1, got {describe(parts)}, which sum to {sum(shares):g}")
    edges = np.rint(np.cumsum([0.0, *shares]) * num_examples).astype(int)
    if (np.diff(edges) == 0).any():
        raise ValueError(f"parts: expected at least one example in each part, got {np.diff(edges)} of {num_examples}")
    return edges


def interleaved(labels, rng):
    """Order examples so that any stretch of the order holds the classes in about their proportions.

    The examples of each class are shuffled and spread evenly from 0 to 1; all are then sorted by
    where they lie, in random order where several lie together.
    """
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        place[rng.permutation(members)] = (np.arange(len(members)) + 0.5) / len(members)
    return np.lexsort((rng.random(len(labels)), place))
