"""Train the network that reads what is drawn on the page "Draw a digit".

A multilayer perceptron, 784-128-10, with ReLU and dropout, learns from 4,000 images of MNIST and is
scored on the other 1,000 that the course carries. What people draw with a mouse is not what census
clerks wrote with a pen, so every image comes many times: turned, sheared, resized, shifted, and in
thinner and thicker strokes. Usage, from the root of the repository::

    python recipes/digits.py

An interrupted run goes on where it was. Afterwards the weights are in
``dlcourse/widgets/weights/digits.npz``, and ``recipes/digits.json`` says how they came about.
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

import numpy as np

import dlcourse
from dlcourse.data import mnist_5k
from dlcourse.devices import hardware
from dlcourse.losses import CrossEntropyLoss
from dlcourse.mlp import MLP, count_parameters
from dlcourse.optim import Adam
from dlcourse.progress import track
from dlcourse.training import accuracy, evaluate, fit

ROOT = Path(__file__).parents[1]
SIDE = 28
CENTRE = 14                # where MNIST puts a digit's centre of mass, counted from pixel 0
CHUNK = 4000               # images that are distorted at a time, to spare memory


# ---------------------------------------------------------------- data

def load(part):
    """Load the 4,000 images to train on, or the 1,000 to be scored on.

    Parameters
    ----------
    part : {"train", "test"}
        Of each class the first 400 images of `dlcourse.data.mnist_5k`, or the last 100.

    Returns
    -------
    x : ndarray of float32, shape (N, 28, 28)
        From 0 (paper) to 1 (ink).
    t : ndarray of int64, shape (N,)
    """
    parts = [mnist_5k(name, flatten=False) for name in {"train": ("train", "validation"), "test": ("test",)}[part]]
    return np.concatenate([data.x for data in parts]), np.concatenate([data.y for data in parts])


def random_maps(num_images, *, rng):
    """Draw a rotation, a shear, two scales and a shift for each image.

    Parameters
    ----------
    num_images : int
    rng : numpy.random.Generator

    Returns
    -------
    matrices : ndarray of float64, shape (N, 2, 2)
        From places in the distorted image to places in the original, both counted from the centre.
    shifts : ndarray of float64, shape (N, 2)
        To be added, in pixels: down and to the right.
    """
    angle = np.deg2rad(rng.uniform(-15, 15, num_images))
    shear = rng.uniform(-0.25, 0.25, num_images)
    scales = np.exp(rng.uniform(np.log(0.8), np.log(1.15), (num_images, 2)))   # of height and width
    cosine, sine, one, zero = np.cos(angle), np.sin(angle), np.ones(num_images), np.zeros(num_images)
    rotations = np.moveaxis(np.array([[cosine, -sine], [sine, cosine]]), 2, 0)  # (2, 2, N) -> (N, 2, 2)
    shears = np.moveaxis(np.array([[one, zero], [shear, one]]), 2, 0)           # slanted, as writing is
    matrices = rotations @ shears / scales[:, None, :]                          # divided: a map back
    return matrices, rng.uniform(-2.0, 2.0, (num_images, 2))


def warp(images, matrices, shifts):
    """Distort each image by a linear map and a shift.

    Every pixel of the result looks up where it comes from and takes the mean of the four pixels
    around, weighted by nearness.

    Parameters
    ----------
    images : ndarray of float32, shape (N, 28, 28)
    matrices : ndarray of float64, shape (N, 2, 2)
    shifts : ndarray of float64, shape (N, 2)

    Returns
    -------
    ndarray of float32, shape (N, 28, 28)
        Paper, 0, where the place lies outside the original.
    """
    places = np.stack(np.mgrid[:SIDE, :SIDE], axis=-1).reshape(-1, 2) - float(CENTRE)   # (784, 2)
    source = places @ matrices.transpose(0, 2, 1) + (CENTRE + shifts)[:, None, :]       # (N, 784, 2)
    # A border of paper, so that every place outside reads 0.
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2)))                                   # (N, 31, 31)
    source = np.clip(source + 1, 0, SIDE + 1)
    corner = source.astype(np.int64)                                       # rounded down
    below, right = np.moveaxis((source - corner).astype(np.float32), 2, 0)   # (N, 784) each
    row, column = np.moveaxis(corner, 2, 0)
    image = np.arange(len(images))[:, None]
    upper = (1 - right) * padded[image, row, column] + right * padded[image, row, column + 1]
    lower = (1 - right) * padded[image, row + 1, column] + right * padded[image, row + 1, column + 1]
    return ((1 - below) * upper + below * lower).reshape(images.shape)


def change_thickness(images, amounts):
    """Make strokes thicker or thinner by up to a pixel on each side.

    Parameters
    ----------
    images : ndarray of float32, shape (N, 28, 28)
    amounts : ndarray of float, shape (N,)
        From -1, every pixel becomes the least of itself and its four neighbours, to 1, the most.

    Returns
    -------
    ndarray of float32, shape (N, 28, 28)
    """
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    cross = np.stack([padded[:, 1:-1, 1:-1], padded[:, :-2, 1:-1], padded[:, 2:, 1:-1],
                      padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]])
    amounts = np.asarray(amounts, dtype=np.float32)[:, None, None]
    extreme = np.where(amounts > 0, cross.max(axis=0), cross.min(axis=0))
    return images + np.abs(amounts) * (extreme - images)


def augment(x, t, copies, *, rng, progress=False):
    """Distort every image several times, each time anew.

    Parameters
    ----------
    x : ndarray of float32, shape (N, 28, 28)
    t : ndarray of int64, shape (N,)
    copies : int
        The first copy is the images as they are.
    rng : numpy.random.Generator
    progress : bool

    Returns
    -------
    x : ndarray of float32, shape (copies * N, 784)
    t : ndarray of int64, shape (copies * N,)
    """
    distorted = [x]
    for _ in track(range(copies - 1), "distorting", enabled=progress):
        for start in range(0, len(x), CHUNK):
            images = x[start:start + CHUNK]
            images = warp(images, *random_maps(len(images), rng=rng))
            distorted.append(change_thickness(images, rng.uniform(-0.7, 1.0, len(images))))
    return np.concatenate(distorted).reshape(-1, SIDE * SIDE), np.tile(t, copies)


# ---------------------------------------------------------------- training

def train(settings, checkpoint, progress=True):
    """Train the network, going on from a checkpoint if there is one.

    Parameters
    ----------
    settings : dict
        ``seed``, ``copies``, ``hidden``, ``epochs``, ``dropout``, ``lr``, ``batch_size``.
    checkpoint : path-like
    progress : bool
        Whether to show bars and print a line for each epoch.

    Returns
    -------
    MLP
        In float32, with dropout layers, in training mode.
    History
    """
    # Drawn from the seed alone, so that a resumed run sees the same images.
    rng = np.random.default_rng(settings["seed"])
    x, t = augment(*load("train"), settings["copies"], rng=rng, progress=progress)
    net = MLP([SIDE * SIDE, settings["hidden"], 10], dropout=settings["dropout"], rng=rng, dtype=np.float32)
    optimizer = Adam(net.parameters(), lr=settings["lr"])

    def after_epoch(epoch, history, model):
        # The learning rate falls along half a cosine; the optimizer's state carries it into the checkpoint.
        # (A NumPy float64 would make every update float64 until a resumed run reads it back as a float.)
        optimizer.lr = settings["lr"] * 0.5 * (1 + math.cos(math.pi * (epoch + 1) / settings["epochs"]))
        if progress:
            print(f"epoch {epoch + 1} of {settings['epochs']}: training loss {history.train_loss[-1]:.4f}, "
                  f"{history.seconds[-1]:.0f} s", flush=True)

    history = fit(net, CrossEntropyLoss(), optimizer, x, t, epochs=settings["epochs"],
                  batch_size=settings["batch_size"], rng=rng, checkpoint=checkpoint, callback=after_epoch,
                  progress=progress)
    return net, history


def without_dropout(net):
    """Copy a network with dropout into one without, its hidden units sorted by the digit they speak for most.

    The order of hidden units is arbitrary: swapping two of them, with their incoming and outgoing
    weights, changes no output. Sorted, they can be shown as one row for each digit.

    Parameters
    ----------
    net : MLP
        Of layers Linear, ReLU, Dropout, Linear.

    Returns
    -------
    MLP
        Of layers Linear, ReLU, Linear, in the same dtype. Its outputs are those of `net` in evaluation mode.
    """
    first, last = net[0], net[-1]
    order = np.argsort(last.weight.data.argmax(axis=0), kind="stable")
    plain = MLP([first.in_features, first.out_features, last.out_features],
                rng=np.random.default_rng(0), dtype=first.weight.dtype)
    plain.load_state_dict({"0.weight": first.weight.data[order], "0.bias": first.bias.data[order],
                           "2.weight": last.weight.data[:, order], "2.bias": last.bias.data})
    return plain


def choose_examples(net, x, t):
    """Choose one image of each digit, such as is read right and with a typical certainty.

    Parameters
    ----------
    net : MLP
    x : ndarray of float32, shape (N, 28, 28)
    t : ndarray of int64, shape (N,)

    Returns
    -------
    ndarray of int64, shape (10,)
        Row numbers.
    """
    logits = net(x.reshape(len(x), -1))
    margin = np.sort(logits, axis=1)[:, -1] - np.sort(logits, axis=1)[:, -2]
    chosen = []
    for digit in range(10):
        right = np.flatnonzero((t == digit) & (logits.argmax(axis=1) == t))
        chosen.append(right[np.argsort(margin[right])[len(right) // 2]])
    return np.array(chosen)


def save_weights(path, net, examples):
    """Write the file that the widget reads: the weights in half precision, and ten example images.

    Parameters
    ----------
    path : path-like
    net : MLP
        Of layers Linear, ReLU, Linear.
    examples : ndarray of float32, shape (10, 28, 28)
        One image of each digit.

    Returns
    -------
    int
        Its size in bytes.
    """
    arrays = {name: array.astype(np.float16) for name, array in net.state_dict().items()}
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp.npz")       # savez would add .npz to any other ending
    np.savez_compressed(temporary, examples=np.rint(255 * examples).astype(np.uint8), **arrays)
    os.replace(temporary, path)
    return path.stat().st_size


def report(settings, net, history, size, seconds, held_out):
    """Collect what the result file says.

    Parameters
    ----------
    settings : dict
    net : MLP
        With the weights as they are stored.
    history : History
    size : int
        Bytes of the weights' file.
    seconds : float
        Of this call, without what was trained before an interruption.
    held_out : (ndarray, ndarray)
        The 1,000 images, one a row, and their labels.

    Returns
    -------
    dict
        Of JSON types.
    """
    loss, share = evaluate(net, CrossEntropyLoss(), *held_out, metric=accuracy)
    return {
        "recipe": "recipes/digits.py",
        "settings": settings,
        "parameters": count_parameters(net),
        "training_images": 4000,
        "held_out_images": len(held_out[0]),
        "held_out_accuracy": round(share, 4),
        "held_out_loss": round(loss, 4),
        "training_loss": [round(value, 4) for value in history.train_loss],
        "weights_bytes": size,
        "seconds_training": round(sum(history.seconds), 1),
        "seconds_this_run": round(seconds, 1),
        "hardware": hardware(),
        "dlcourse": dlcourse.__version__,
    }


def main(arguments=None):
    """Train, store the weights in half precision, and score what was stored."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--copies", type=int, default=24, help="how often each training image comes")
    parser.add_argument("--hidden", type=int, default=128, help="hidden units")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "_build" / "recipes" / "digits.npz")
    parser.add_argument("--weights", type=Path, default=ROOT / "dlcourse" / "widgets" / "weights" / "digits.npz")
    parser.add_argument("--result", type=Path, default=ROOT / "recipes" / "digits.json")
    parser.add_argument("--quiet", action="store_true")
    options = vars(parser.parse_args(arguments))
    checkpoint, weights, result, quiet = (options.pop(name) for name in ("checkpoint", "weights", "result", "quiet"))

    start = time.perf_counter()
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    trained, history = train(options, checkpoint, progress=not quiet)
    net = without_dropout(trained)
    x, t = load("test")
    size = save_weights(weights, net, x[choose_examples(net, x, t)])
    with np.load(weights) as stored:               # what is scored is what the page will use
        net.load_state_dict({name: stored[name] for name in net.state_dict()})
    entries = report(options, net, history, size, time.perf_counter() - start, (x.reshape(len(x), -1), t))
    result.write_text(json.dumps(entries, indent=1) + "\n")
    if not quiet:
        print(f"{entries['held_out_accuracy']:.1%} of the {len(x):,} held-out digits; {weights} has {size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
