"""Train LeNet-5 on all of MNIST, or a small residual network on all of Fashion-MNIST.

Usage, from the root of the repository; the data are downloaded once::

    python recipes/image_classifiers.py lenet5
    python recipes/image_classifiers.py resnet
    torchrun --nproc-per-node=2 recipes/image_classifiers.py resnet

An interrupted run goes on where it was. Afterwards the weights are in ``dlcourse/data/weights``, and
``recipes/lenet5.json`` or ``recipes/resnet.json`` says how they came about. ``--validate`` trains
without the last 10,000 training images and is scored on them: so the settings were chosen.
``--check`` scores the stored weights again, in both halves of the course, and compares with the result.
"""

import argparse
import hashlib
import json
import math
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import distributed
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

import dlcourse
from dlcourse import data, lenet, lenet_torch, resnet, resnet_torch
from dlcourse.checkpoint_torch import TrainingState
from dlcourse.data.trained import STEP, read_weights, trained_input
from dlcourse.devices import default_device, device_name, hardware
from dlcourse.interop import copy_weights, to_numpy
from dlcourse.mlp import count_parameters
from dlcourse.optim_torch import Momentum
from dlcourse.progress import track
from dlcourse.training import accuracy
from dlcourse.training_torch import evaluation_mode, minibatches

ROOT = Path(__file__).parents[1]
HELD_OUT = 10_000          # of the training images, for choosing settings
WARM_UP = 0.25             # share of all steps in which the learning rate rises


@dataclass(frozen=True)
class Recipe:
    """A network, its data, and the settings that were chosen for it."""

    reference: type
    counterpart: type
    load: str               # the function of `dlcourse.data`
    epochs: int
    batch_size: int
    lr: float
    weight_decay: float
    shift: int              # pixels, up to which a training image is moved in each direction
    flip: bool              # whether it is mirrored half of the time
    autocast: bool          # whether convolutions compute in bfloat16


RECIPES = {
    "lenet5": Recipe(lenet.LeNet5, lenet_torch.LeNet5, "mnist",
                     epochs=20, batch_size=64, lr=0.02, weight_decay=1e-4, shift=1, flip=False,
                     autocast=False),
    "resnet": Recipe(resnet.SmallResNet, resnet_torch.SmallResNet, "fashion_mnist",
                     epochs=12, batch_size=128, lr=0.1, weight_decay=5e-4, shift=2, flip=True,
                     autocast=True),
}


# ---------------------------------------------------------------- data

def load(name, part):
    """Load the images that a network learns from, or is scored on, as it takes them.

    Parameters
    ----------
    name : str
        Of the network.
    part : {"train", "test"}

    Returns
    -------
    x : ndarray of float32, shape (N, 1, H, W)
    t : ndarray of int64, shape (N,)
    """
    dataset = getattr(data, RECIPES[name].load)(part, flatten=False)
    return trained_input(name, dataset.x), dataset.y


def draw_distortions(num_images, shift, flip, *, rng):
    """Draw where each image is moved, and whether it is mirrored.

    Parameters
    ----------
    num_images, shift : int
    flip : bool
    rng : numpy.random.Generator

    Returns
    -------
    corners : ndarray of int64, shape (N, 2)
        From 0 to twice the shift: the upper left corner of what is cut out of the image with a margin.
    mirrored : ndarray of bool, shape (N,)
    """
    corners = rng.integers(0, 2 * shift, (num_images, 2), endpoint=True)
    return corners, rng.random(num_images) < (0.5 if flip else 0)


def distort(x, corners, mirrored, shift):
    """Move and mirror images.

    Parameters
    ----------
    x : Tensor of shape (N, 1, H, W)
    corners : Tensor of int64, shape (N, 2)
    mirrored : Tensor of bool, shape (N,)
    shift : int
        Width of the margin that an image is given; its grey is that of the first pixel.

    Returns
    -------
    Tensor of shape (N, 1, H, W)
    """
    num_images, _, height, width = x.shape
    x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    padded = F.pad(x, (shift,) * 4, value=x[0, 0, 0, 0].item())            # (N, 1, H + 2 shift, W + 2 shift)
    image = torch.arange(num_images, device=x.device)[:, None, None]
    rows = corners[:, 0, None, None] + torch.arange(height, device=x.device)[:, None]      # (N, H, 1)
    columns = corners[:, 1, None, None] + torch.arange(width, device=x.device)             # (N, 1, W)
    return padded[image, 0, rows, columns][:, None]


# ---------------------------------------------------------------- training

@dataclass(frozen=True)
class Team:
    """Which of how many processes this one is, and where it computes."""

    rank: int
    size: int
    device: torch.device

    def share(self, array):
        """Take this process's part of a batch, as a tensor."""
        return torch.as_tensor(array[self.rank::self.size]).to(self.device)


@contextmanager
def team():
    """Join the processes that torchrun has started; without it this one is alone."""
    if not distributed.is_torchelastic_launched():
        yield Team(0, 1, default_device())
        return
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size(), device)
    finally:
        distributed.destroy_process_group()


def learning_rate(share, peak):
    """Rise along a straight line to the peak, then fall along half a cosine to zero.

    Parameters
    ----------
    share : float
        Of all steps, from 0 to 1.
    peak : float

    Returns
    -------
    float
    """
    if share < WARM_UP:
        return peak * share / WARM_UP
    return peak * 0.5 * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP)))


def train(name, settings, x, t, checkpoint, workers, progress=True):
    """Train a network, going on from a checkpoint if there is one.

    Every process draws the same batches and distortions, and takes its share of each. The gradients
    are averaged over the processes, so that a step is that of one process with the whole batch, but for
    batch norms: they see the share of their process.

    Parameters
    ----------
    name : str
    settings : dict
        ``seed``, ``epochs``, ``batch_size``, ``lr``, ``weight_decay``, ``shift``, ``flip``, ``autocast``.
    x : ndarray of float32, shape (N, 1, H, W)
    t : ndarray of int64, shape (N,)
    checkpoint : pathlib.Path
    workers : Team
    progress : bool
        Whether to show bars and print a line for each epoch.

    Returns
    -------
    net : torch.nn.Module
    history : dict of str to list of float
        ``loss``, ``seconds`` and ``cpu_seconds`` of each epoch.
    """
    batch_size, epochs = settings["batch_size"], settings["epochs"]
    steps = len(x) // batch_size
    if batch_size % workers.size or not steps:
        raise ValueError(f"batch_size: expected a multiple of {workers.size} processes and at most {len(x)} images, "
                         f"got {batch_size}")
    net = RECIPES[name].counterpart(rng=torch.Generator().manual_seed(settings["seed"]))
    net = net.to(workers.device, memory_format=torch.channels_last)        # in which convolutions are faster
    optimizer = Momentum(net.parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"])
    rng = np.random.default_rng(settings["seed"])
    state = TrainingState(net, optimizer, rng, {"network": name, "images": len(x), **settings})
    history = state.load(checkpoint) if checkpoint.exists() else {"loss": [], "seconds": [], "cpu_seconds": []}
    # Running means of batch norms need not be shared: rank 0 keeps its own, no step depends on them.
    model = DistributedDataParallel(net, broadcast_buffers=False) if workers.size > 1 else net
    x, t = torch.from_numpy(x).to(workers.device), torch.from_numpy(t).to(workers.device)

    for epoch in range(len(history["loss"]), epochs):
        start, cpu_start = time.perf_counter(), time.process_time()
        # The last batch, if smaller, is left out: its images come in other epochs.
        batches = [index for index in minibatches(len(x), batch_size, rng=rng) if len(index) == batch_size]
        bar = track(batches, f"epoch {epoch + 1}", enabled=progress and workers.rank == 0)
        loss = train_epoch(model, optimizer, x, t, bar, epoch * steps, epochs * steps, settings, workers, rng)
        history["loss"].append(loss)
        history["seconds"].append(time.perf_counter() - start)
        history["cpu_seconds"].append(time.process_time() - cpu_start)
        if workers.rank == 0:
            state.save(checkpoint, history)
            if progress:
                print(f"epoch {epoch + 1} of {epochs}: training loss {loss:.4f}, {history['seconds'][-1]:.0f} s",
                      flush=True)
    return net, history


def train_epoch(model, optimizer, x, t, batches, step, num_steps, settings, workers, rng):
    """Take a step for each batch, and return the mean loss over all processes."""
    model.train()
    total = torch.zeros((), device=workers.device)
    count = 0
    for index in batches:
        optimizer.param_groups[0]["lr"] = learning_rate((step + count) / num_steps, settings["lr"])
        corners, mirrored = draw_distortions(len(index), settings["shift"], settings["flip"], rng=rng)
        mine = workers.share(index)
        images = distort(x[mine], workers.share(corners), workers.share(mirrored), settings["shift"])
        with torch.autocast(workers.device.type, dtype=torch.bfloat16, enabled=settings["autocast"]):
            logits = model(images.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits.float(), t[mine])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach()                             # stays on the device
        count += 1
    if workers.size > 1:
        distributed.all_reduce(total, distributed.ReduceOp.SUM)
    mean = total.item() / (count * workers.size)
    if not math.isfinite(mean):
        raise ValueError(f"loss: expected a finite number, got {mean} after step {step + count}; try a lower --lr")
    return mean


# ---------------------------------------------------------------- weights and result

def save_weights(path, net):
    """Write weights in half precision; what has one axis only, such as norms and biases, in single.

    Parameters
    ----------
    path : pathlib.Path
    net : torch.nn.Module
    """
    arrays = {name: to_numpy(tensor) for name, tensor in net.state_dict().items() if tensor.is_floating_point()}
    arrays = {name: array.astype(np.float16 if array.ndim > 1 else np.float32) for name, array in arrays.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp.npz")               # savez would add .npz to any other ending
    np.savez_compressed(temporary, **arrays)
    os.replace(temporary, path)


def score(name, path, x, t):
    """Run stored weights on images, in both halves of the course.

    Parameters
    ----------
    name : str
    path : pathlib.Path
        Of the weights.
    x : ndarray of float32, shape (N, 1, H, W)
    t : ndarray of int64, shape (N,)

    Returns
    -------
    dict
        Of JSON types. The accuracy is that of the PyTorch half.
    """
    reference = RECIPES[name].reference(rng=np.random.default_rng(0), dtype=np.float32).eval()
    reference.load_state_dict(read_weights(path))
    counterpart = RECIPES[name].counterpart()
    copy_weights(reference, counterpart)
    parts = np.array_split(x, max(1, len(x) // 250))
    ours = np.concatenate([reference(part) for part in parts])             # (N, 10)
    with evaluation_mode(counterpart), torch.no_grad():
        theirs = np.concatenate([counterpart(torch.from_numpy(part)).numpy() for part in parts])
    return {
        "parameters": count_parameters(reference),
        "test_images": len(x),
        "test_accuracy": round(accuracy(theirs, t), 4),
        "test_loss": round(F.cross_entropy(torch.from_numpy(theirs), torch.from_numpy(t)).item(), 4),
        "sample_accuracy": round(accuracy(theirs[::STEP], t[::STEP]), 4),
        "same_answer_of_both_halves": int(np.sum(ours.argmax(axis=1) == theirs.argmax(axis=1))),
        "largest_difference_of_both_halves": float(f"{np.abs(ours - theirs).max():.1e}"),
        "weights_bytes": path.stat().st_size,
        "weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def check(name, weights, result):
    """Score stored weights again, and tell where the result file says otherwise.

    Parameters
    ----------
    name : str
    weights, result : pathlib.Path

    Returns
    -------
    list of str
        The differing entries, in words.
    """
    said, found = json.loads(result.read_text()), score(name, weights, *load(name, "test"))
    return [f"{key}: {found[key]}, {result.name} says {said.get(key)}" for key in found
            if found[key] != said.get(key) and key != "largest_difference_of_both_halves"]   # depends on the machine


def parse(arguments):
    """Read the command line; settings that are not given are those of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=sorted(RECIPES))
    parser.add_argument("--seed", type=int, default=0)
    for name, kind in (("epochs", int), ("batch_size", int), ("lr", float), ("weight_decay", float), ("shift", int)):
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind)
    parser.add_argument("--flip", action=argparse.BooleanOptionalAction, help="mirror half of the training images")
    parser.add_argument("--autocast", action=argparse.BooleanOptionalAction, help="compute in bfloat16")
    parser.add_argument("--validate", action="store_true", help="score on training images held out; store nothing")
    parser.add_argument("--check", action="store_true", help="score the stored weights instead of training")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--result", type=Path)
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args(arguments)
    recipe, network = RECIPES[options.network], options.network
    settings = {"seed": options.seed}
    for name in ("epochs", "batch_size", "lr", "weight_decay", "shift", "flip", "autocast"):
        given = getattr(options, name)
        settings[name] = getattr(recipe, name) if given is None else given
    file = f"{network}-validate.pt" if options.validate else f"{network}.pt"
    options.checkpoint = options.checkpoint or ROOT / "_build" / "recipes" / file
    options.weights = options.weights or ROOT / "dlcourse" / "data" / "weights" / f"{network}.npz"
    options.result = options.result or ROOT / "recipes" / f"{network}.json"
    return options, settings


def main(arguments=None):
    """Train, store the weights, and score what was stored."""
    options, settings = parse(arguments)
    name = options.network
    if options.check:
        differences = check(name, options.weights, options.result)
        print("\n".join(differences) or f"{options.weights} is as {options.result} says")
        return int(bool(differences))

    options.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    x, t = load(name, "train")
    scored = (x[-HELD_OUT:], t[-HELD_OUT:]) if options.validate else None
    if options.validate:
        x, t = x[:-HELD_OUT], t[:-HELD_OUT]
    with team() as workers:
        net, history = train(name, settings, x, t, options.checkpoint, workers, progress=not options.quiet)
        if workers.rank:
            return 0
    path = options.checkpoint.with_suffix(".npz") if options.validate else options.weights
    save_weights(path, net)
    entries = score(name, path, *(scored or load(name, "test")))
    if not options.quiet:
        kind = "held-out training" if options.validate else "test"
        print(f"{entries['test_accuracy']:.2%} of {entries['test_images']:,} {kind} images; the halves agree on "
              f"{entries['same_answer_of_both_halves']:,}; {path} has {entries['weights_bytes']:,} bytes")
    if not options.validate:
        options.result.write_text(json.dumps({
            "recipe": f"recipes/image_classifiers.py {name}",
            "data": RECIPES[name].load,
            "settings": settings,
            "training_images": len(x),
            **entries,
            "training_loss": [round(value, 4) for value in history["loss"]],
            "seconds_training": round(sum(history["seconds"]), 1),
            "cpu_seconds_training": round(sum(history["cpu_seconds"]), 1),
            "processes": workers.size,
            "threads": torch.get_num_threads(),
            "device": device_name(workers.device),
            "hardware": hardware(),
            "dlcourse": dlcourse.__version__,
        }, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
