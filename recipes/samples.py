"""Choose the test images of MNIST and Fashion-MNIST that come with the package: every tenth.

With them a chapter evaluates trained networks without downloading anything. Usage, from the root of
the repository::

    python recipes/samples.py
"""

import argparse
import os
from pathlib import Path

import numpy as np

from dlcourse.data import fashion_mnist, mnist
from dlcourse.data.trained import STEP

ROOT = Path(__file__).parents[1]


def save(path, data):
    """Write every tenth image of a data set, as bytes, and its label.

    Parameters
    ----------
    path : pathlib.Path
    data : dlcourse.data.Dataset

    Returns
    -------
    int
        The file's size in bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp.npz")
    np.savez_compressed(temporary, images=np.rint(255 * data.x[::STEP]).astype(np.uint8),
                        labels=data.y[::STEP].astype(np.uint8))
    os.replace(temporary, path)
    return path.stat().st_size


def main(arguments=None):
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dlcourse" / "data" / "samples")
    folder = parser.parse_args(arguments).out
    for name, load in (("mnist", mnist), ("fashion-mnist", fashion_mnist)):
        path = folder / f"{name}.npz"
        print(f"{path}: {save(path, load('test', flatten=False)):,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
