"""The recipes of LeNet-5 and the small residual network: distortions, interruptions, several processes, results."""

import gzip
import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from dlcourse import data
from dlcourse.checkpoint_torch import load_checkpoint
from dlcourse.data import downloads, trained
from dlcourse.data.trained import read_weights, trained_input
from dlcourse.devices import default_device
from dlcourse.interop import copy_weights
from dlcourse.training import accuracy

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "recipes" / "image_classifiers.py"
NETWORKS = ("lenet5", "resnet")
FOLDERS = {"lenet5": "mnist", "resnet": "fashion-mnist"}
NUM_TRAIN, NUM_TEST = 200, 40
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


def module_of(path):
    spec = importlib.util.spec_from_file_location(f"recipe_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module                        # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def recipe():
    return module_of(SCRIPT)


def idx(array):
    """Write bytes in the format of MNIST."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Both data sets in small, in the files that they come in: bright squares, whose place tells the class."""
    folder, rng, registry = tmp_path_factory.mktemp("data"), np.random.default_rng(0), {}
    for name in FOLDERS.values():
        (folder / name).mkdir()
        for part, number in (("train", NUM_TRAIN), ("t10k", NUM_TEST)):
            labels = rng.permutation(np.arange(number) % 10).astype(np.uint8)
            images = rng.integers(0, 60, (number, 28, 28), dtype=np.uint8)
            for image, label in zip(images, labels, strict=True):
                row, column = 4 + 12 * (label // 5), 2 + 5 * (label % 5)
                image[row:row + 8, column:column + 4] = 255
            for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
                file = f"{name}/{part}-{kind}-ubyte.gz"
                (folder / file).write_bytes(gzip.compress(idx(array)))
                registry[file] = hashlib.sha256(idx(array)).hexdigest()
    (folder / "registry.json").write_text(json.dumps(registry))
    # Runs the recipe with the checksums of these files instead of the real ones. With an eighth step, which is in
    # the middle of the second epoch of five, it is killed if so wished, by the signal of kill -9.
    (folder / "run.py").write_text(f"""
import itertools, json, os, runpy, signal
from torch.nn import functional as F
from dlcourse.data import downloads
steps, cross_entropy = itertools.count(1), F.cross_entropy
def killed(*arguments):
    if next(steps) == 8:
        os.kill(os.getpid(), signal.SIGKILL)
    return cross_entropy(*arguments)
if "KILL" in os.environ:
    F.cross_entropy = killed
registry = json.load(open({str(folder / "registry.json")!r}))
downloads.MNIST.update({{name: registry[name] for name in downloads.MNIST}})
downloads.FASHION_MNIST.update({{name: registry[name] for name in downloads.FASHION_MNIST}})
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
""")
    return folder


@pytest.fixture
def small(folder, monkeypatch):
    """Let the loaders find the small data sets."""
    registry = json.loads((folder / "registry.json").read_text())
    monkeypatch.setenv("DLCOURSE_DATA", str(folder))
    for known in (downloads.MNIST, downloads.FASHION_MNIST):
        for name in known:
            monkeypatch.setitem(known, name, registry[name])
    return folder


def command(name, place, *more):
    """Settings of a run that takes seconds, and where it leaves its files."""
    return [name, "--epochs", "3", "--batch-size", "40", "--lr", "0.02", "--no-autocast",
            "--checkpoint", str(place / "checkpoint.pt"), "--weights", str(place / "weights.npz"),
            "--result", str(place / "result.json"), *more]


def run(folder, arguments, launcher=(), **environment):
    """Run the recipe in a process of its own, or in several."""
    environment |= {**os.environ, "DLCOURSE_DATA": str(folder), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *launcher, str(folder / "run.py"), *arguments], env=environment,
                          capture_output=True, text=True)


def outcome(place):
    """Return the result file of a run, and its weights."""
    return json.loads((place / "result.json").read_text()), read_weights(place / "weights.npz")


def of_the_run(entries):
    """Leave out what differs from one run to the next."""
    return {key: value for key, value in entries.items() if "seconds" not in key}


# ---------------------------------------------------------------- distortions

def distorted(recipe, x, corners, mirrored, shift):
    return recipe.distort(torch.from_numpy(x), torch.tensor(corners), torch.tensor(mirrored), shift).numpy()


def test_in_the_middle_and_not_mirrored_an_image_is_itself(recipe, rng):
    x = rng.random((3, 1, 6, 5), dtype=np.float32)
    for shift in (0, 2):
        assert np.array_equal(distorted(recipe, x, [[shift, shift]] * 3, [False] * 3, shift), x)


def test_images_are_moved_and_mirrored_each_in_its_own_way(recipe, rng):
    x = rng.random((3, 1, 6, 6), dtype=np.float32)
    x[:, :, [0, 1, -2, -1], :] = x[:, :, :, [0, 1, -2, -1]] = 0.5         # a margin, and what comes in is like it
    moved = distorted(recipe, x, [[0, 2], [4, 1], [2, 2]], [False, False, True], 2)
    assert np.array_equal(moved[0], np.roll(x[0], (2, 0), axis=(1, 2)))
    assert np.array_equal(moved[1], np.roll(x[1], (-2, 1), axis=(1, 2)))
    assert np.array_equal(moved[2], x[2, :, :, ::-1])


def test_what_comes_in_at_the_border_is_paper(recipe):
    x = np.ones((1, 1, 4, 4), np.float32)
    x[0, 0, 0, 0] = -0.1
    moved = distorted(recipe, x, [[0, 2]], [False], 1)[0, 0]
    assert np.all(moved[0] == np.float32(-0.1))
    assert np.all(moved[:, -1] == np.float32(-0.1))
    assert np.all(moved[2:, :-1] == 1)


def test_draws_cover_their_range(recipe, rng):
    corners, mirrored = recipe.draw_distortions(2000, 2, True, rng=rng)
    assert set(corners.ravel().tolist()) == {0, 1, 2, 3, 4}
    assert 0.45 < mirrored.mean() < 0.55                   # 4.5 standard deviations
    corners, mirrored = recipe.draw_distortions(20, 0, False, rng=rng)
    assert not corners.any()
    assert not mirrored.any()


def test_the_learning_rate_rises_and_falls(recipe):
    rates = [recipe.learning_rate(share, 0.1) for share in np.linspace(0, 1, 101)]
    top = int(np.argmax(rates))
    assert rates[0] == 0
    assert rates[top] == pytest.approx(0.1)
    assert top == 100 * recipe.WARM_UP
    assert rates[-1] == pytest.approx(0, abs=1e-12)
    assert np.all(np.diff(rates[:top + 1]) > 0)
    assert np.all(np.diff(rates[top:]) < 0)


# ---------------------------------------------------------------- runs

@pytest.mark.parametrize("name", NETWORKS)
def test_one_command_leaves_weights_and_a_result(recipe, small, tmp_path, capsys, name):
    assert recipe.main(command(name, tmp_path, "--seed", "3")) == 0
    said = capsys.readouterr().out
    assert said.count("training loss") == 3
    entries, weights = outcome(tmp_path)
    assert entries["settings"]["seed"] == 3
    assert entries["settings"]["epochs"] == len(entries["training_loss"]) == 3
    assert entries["training_loss"][-1] < entries["training_loss"][0]
    assert (entries["training_images"], entries["test_images"]) == (NUM_TRAIN, NUM_TEST)
    assert entries["same_answer_of_both_halves"] == NUM_TEST
    assert entries["largest_difference_of_both_halves"] < 1e-3
    assert entries["weights_bytes"] == (tmp_path / "weights.npz").stat().st_size
    assert (entries["processes"], entries["threads"]) == (1, torch.get_num_threads())
    assert entries["device"]
    assert {"hardware", "dlcourse"} <= entries.keys()
    with np.load(tmp_path / "weights.npz") as stored:      # half precision, but for norms and biases
        assert {stored[key].dtype.name for key in stored.files if stored[key].ndim > 1} == {"float16"}
        assert {stored[key].dtype.name for key in stored.files if stored[key].ndim == 1} == {"float32"}
    net = recipe.RECIPES[name].reference(rng=np.random.default_rng(0), dtype=np.float32).eval()
    net.load_state_dict(weights)
    x, t = recipe.load(name, "test")
    assert entries["test_accuracy"] == pytest.approx(accuracy(net(x), t), abs=1e-4)
    assert not list(tmp_path.glob("*.tmp*"))


def test_it_learns_what_can_be_learned(recipe, small, tmp_path):
    """Where the square is tells the class, at most a pixel of shift leaves that alone."""
    recipe.main(command("lenet5", tmp_path, "--epochs", "15", "--quiet"))
    assert outcome(tmp_path)[0]["test_accuracy"] > 0.9


@pytest.mark.parametrize("name", NETWORKS)
def test_a_killed_run_ends_like_an_undisturbed_one(recipe, small, tmp_path, name):
    """It dies in its second epoch, by a signal that no program can catch."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir(), broken.mkdir()
    assert recipe.main(command(name, whole, "--quiet")) == 0
    first = run(small, command(name, broken), KILL="1")
    assert first.returncode == -signal.SIGKILL
    assert "epoch 1 of 3" in first.stdout
    assert not (broken / "result.json").exists()
    assert len(load_checkpoint(broken / "checkpoint.pt")["progress"]["loss"]) == 1
    second = run(small, command(name, broken))
    assert second.returncode == 0, second.stderr
    assert "epoch 1 of 3" not in second.stdout
    (entries, weights), (again, resumed) = outcome(whole), outcome(broken)
    assert of_the_run(again) == of_the_run(entries)
    for key in weights:
        assert np.array_equal(weights[key], resumed[key]), key


def test_another_runs_checkpoint_is_refused(recipe, small, tmp_path):
    recipe.main(command("lenet5", tmp_path, "--quiet"))
    with pytest.raises(ValueError, match="checkpoint: expected a run with network resnet"):
        recipe.main(command("resnet", tmp_path, "--quiet"))
    with pytest.raises(ValueError, match=r"checkpoint: expected a run with lr 0\.5"):
        recipe.main(command("lenet5", tmp_path, "--quiet", "--lr", "0.5"))


def test_two_processes_come_to_the_result_of_one(recipe, small, tmp_path):
    """Both draw the same batches of 40 and take 20 images each; the mean of two means over 20 is that over 40.

    What remains is the order of additions in float32, to which 15 steps add, and half precision when the weights
    are stored. That holds for a network without batch norm, whose statistics would be those of 20 images.
    """
    if default_device().type != "cpu":
        pytest.skip("CUDA would be used, and two processes need two devices")
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    recipe.main(command("lenet5", one, "--quiet"))
    done = run(small, command("lenet5", two), TORCHRUN)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch 1 of 3") == done.stdout.count("test images") == 1     # rank 0 alone
    (entries, weights), (again, parallel) = outcome(one), outcome(two)
    assert again["processes"] == 2
    assert again["training_loss"] == pytest.approx(entries["training_loss"], abs=2e-4)
    for key in weights:
        assert np.allclose(weights[key], parallel[key], rtol=2e-3, atol=1e-4), key


def test_two_processes_train_a_network_with_batch_norm_and_can_be_resumed_by_one(recipe, small, tmp_path):
    if default_device().type != "cpu":
        pytest.skip("CUDA would be used, and two processes need two devices")
    done = run(small, command("resnet", tmp_path), TORCHRUN)
    assert done.returncode == 0, done.stderr
    entries, weights = outcome(tmp_path)
    assert entries["processes"] == 2
    assert entries["training_loss"][-1] < entries["training_loss"][0]
    assert recipe.main(command("resnet", tmp_path, "--quiet")) == 0       # nothing is left to train
    again, stored = outcome(tmp_path)
    assert again["training_loss"] == entries["training_loss"]
    assert all(np.array_equal(weights[key], stored[key]) for key in weights)


def test_a_batch_that_cannot_be_shared_is_refused(recipe, tmp_path):
    x, t = np.zeros((8, 1, 28, 28), np.float32), np.zeros(8, np.int64)
    settings = {"seed": 0, "epochs": 1, "lr": 0.1, "weight_decay": 0.0, "shift": 0, "flip": False, "autocast": False}
    for batch_size in (3, 16):
        with pytest.raises(ValueError, match="batch_size: expected a multiple of 2 processes and at most 8 images"):
            recipe.train("resnet", {**settings, "batch_size": batch_size}, x, t, tmp_path / "none",
                         recipe.Team(0, 2, torch.device("cpu")))


def test_shares_of_a_batch_are_all_of_it(recipe):
    shares = [recipe.Team(rank, 3, torch.device("cpu")).share(np.arange(12)) for rank in range(3)]
    assert sorted(torch.cat(shares).tolist()) == list(range(12))
    assert [len(share) for share in shares] == [4, 4, 4]


def test_a_loss_that_is_not_finite_ends_the_run(recipe, small, tmp_path):
    with pytest.raises(ValueError, match="loss: expected a finite number"):
        recipe.main(command("lenet5", tmp_path, "--quiet", "--lr", "1e20"))
    assert not (tmp_path / "checkpoint.pt").exists()


def test_validation_sees_no_test_image_and_stores_no_result(recipe, small, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(recipe, "HELD_OUT", 50)
    load = recipe.load

    def only_training(name, part):
        assert part == "train"
        return load(name, part)

    monkeypatch.setattr(recipe, "load", only_training)
    recipe.main(command("lenet5", tmp_path, "--validate"))
    assert "of 50 held-out training images" in capsys.readouterr().out
    assert load_checkpoint(tmp_path / "checkpoint.pt")["settings"]["images"] == NUM_TRAIN - 50
    assert not (tmp_path / "result.json").exists()
    assert not (tmp_path / "weights.npz").exists()


def test_check_notices_other_weights(recipe, small, tmp_path, capsys):
    recipe.main(command("lenet5", tmp_path, "--quiet"))
    assert recipe.main(command("lenet5", tmp_path, "--check")) == 0
    assert "is as" in capsys.readouterr().out
    with np.load(tmp_path / "weights.npz") as stored:
        arrays = dict(stored)
    arrays["13.bias"] += np.arange(10, dtype=np.float32)
    np.savez_compressed(tmp_path / "weights.npz", **arrays)
    assert recipe.main(command("lenet5", tmp_path, "--check")) == 1
    assert "test_loss" in capsys.readouterr().out


def test_bfloat16_trains(recipe, small, tmp_path):
    recipe.main(command("resnet", tmp_path, "--quiet", "--autocast"))
    losses = outcome(tmp_path)[0]["training_loss"]
    assert losses[-1] < losses[0]


# ---------------------------------------------------------------- what is committed

SAMPLES = {"lenet5": data.mnist_1k, "resnet": data.fashion_mnist_1k}
LEAST = {"lenet5": 0.99, "resnet": 0.925}


def halves(recipe, name):
    """Both halves of a network with the weights that come with the package."""
    reference = recipe.RECIPES[name].reference(rng=np.random.default_rng(0), dtype=np.float32).eval()
    reference.load_state_dict(trained(name))
    counterpart = recipe.RECIPES[name].counterpart().eval()
    copy_weights(reference, counterpart)
    return reference, counterpart


def logits(halves, x, size=250):
    with torch.no_grad():
        return [np.concatenate(parts) for parts in zip(*(
            (halves[0](part), halves[1](torch.from_numpy(part)).numpy())
            for part in np.array_split(x, max(1, len(x) // size))), strict=True)]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_stored_result_belongs_to_the_stored_weights(recipe, name):
    entries = json.loads((ROOT / "recipes" / f"{name}.json").read_text())
    path = ROOT / "dlcourse" / "data" / "weights" / f"{name}.npz"
    assert entries["weights_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert entries["weights_bytes"] == path.stat().st_size <= 2_000_000
    assert (entries["training_images"], entries["test_images"]) == (60_000, 10_000)
    assert entries["test_accuracy"] >= LEAST[name]
    assert entries["same_answer_of_both_halves"] == 10_000
    assert entries["parameters"] == sum(parameter.data.size for parameter in halves(recipe, name)[0].parameters())
    chosen = {key: getattr(recipe.RECIPES[name], key) for key in entries["settings"] if key != "seed"}
    assert entries["settings"] == {"seed": 0, **chosen}    # the command without options
    assert len(entries["training_loss"]) == chosen["epochs"]


@pytest.mark.parametrize("name", NETWORKS)
def test_stored_weights_read_test_images_as_measured(recipe, name):
    """Every tenth test image comes with the package: both halves answer alike, and score what the result says."""
    sample = SAMPLES[name](flatten=False)
    ours, theirs = logits(halves(recipe, name), trained_input(name, sample.x))
    assert np.array_equal(ours.argmax(axis=1), theirs.argmax(axis=1))
    assert np.abs(ours - theirs).max() < 1e-3
    entries = json.loads((ROOT / "recipes" / f"{name}.json").read_text())
    assert accuracy(ours, sample.y) == pytest.approx(entries["sample_accuracy"], abs=1e-3)   # one image, elsewhere
    assert entries["sample_accuracy"] == pytest.approx(entries["test_accuracy"], abs=0.03)


def test_both_halves_read_the_5000_digits_alike(recipe):
    """They are among those that it has learned from, so that it reads nearly all of them."""
    digits = data.mnist_5k(flatten=False)
    ours, theirs = logits(halves(recipe, "lenet5"), trained_input("lenet5", digits.x))
    assert np.array_equal(ours.argmax(axis=1), theirs.argmax(axis=1))
    assert accuracy(ours, digits.y) > 0.99


# ---------------------------------------------------------------- what the package offers

@pytest.mark.parametrize(("load", "whole"), [("mnist_1k", "mnist"), ("fashion_mnist_1k", "fashion_mnist")])
def test_samples_are_1000_images_with_their_labels(load, whole):
    sample = getattr(data, load)()
    assert sample.x.shape == (1000, 784)
    assert sample.x.dtype == np.float32
    assert sample.y.shape == (1000,)
    assert sample.y.dtype == np.int64
    assert (sample.x.min(), sample.x.max()) == (0, 1)
    assert np.all(np.abs(np.rint(sample.x * 255) - sample.x * 255) < 1e-4)
    assert np.bincount(sample.y, minlength=10).min() > 80
    assert len(sample.class_names) == 10
    square = getattr(data, load)(flatten=False, dtype=np.float64)
    assert square.x.dtype == np.float64
    assert np.allclose(square.x.reshape(1000, 784), sample.x)
    with pytest.raises(ValueError, match="dtype: expected"):
        getattr(data, load)(dtype=np.int64)


def test_sampled_digits_are_not_among_the_5000_others():
    assert not {x.tobytes() for x in data.mnist_1k().x} & {x.tobytes() for x in data.mnist_5k().x}


def test_the_samples_are_every_tenth_test_image(small, tmp_path, capsys):
    samples = module_of(ROOT / "recipes" / "samples.py")
    assert samples.main(["--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("bytes") == 2
    for name, load in (("mnist", data.mnist), ("fashion-mnist", data.fashion_mnist)):
        with np.load(tmp_path / f"{name}.npz") as stored:
            test = load("test", flatten=False)
            assert np.array_equal(stored["images"], np.rint(255 * test.x[::10]))
            assert stored["labels"].tolist() == test.y[::10].tolist()


def test_inputs_are_as_the_networks_expect_them(rng):
    images = rng.random((3, 28, 28))
    x = trained_input("lenet5", images)
    assert x.shape == (3, 1, 32, 32)
    assert x.dtype == np.float32
    assert np.allclose(x[:, 0, 2:-2, 2:-2], -0.1 + 1.275 * images, atol=1e-6)             # paper -0.1, ink 1.175
    margin = np.ones((32, 32), bool)
    margin[2:-2, 2:-2] = False
    assert np.all(x[:, 0, margin] == np.float32(-0.1))
    clothes = trained_input("resnet", data.fashion_mnist_1k(flatten=False).x)
    assert clothes.shape == (1000, 1, 28, 28)
    assert abs(clothes.mean()) < 0.02
    assert clothes.std() == pytest.approx(1, abs=0.02)


def test_bad_names_and_images_are_refused(rng):
    with pytest.raises(ValueError, match="name: expected one of 'lenet5', 'resnet', got 'alexnet'"):
        trained("alexnet")
    with pytest.raises(ValueError, match="name: expected one of"):
        trained_input("alexnet", rng.random((1, 28, 28)))
    with pytest.raises(ValueError, match=r"images: expected shape \(N, 28, 28\)"):
        trained_input("lenet5", rng.random((1, 784)))
    with pytest.raises(TypeError, match="images: expected"):
        trained_input("lenet5", np.zeros((1, 28, 28), np.uint8))


def test_weights_are_fresh_each_time():
    trained("lenet5")["0.weight"][...] = 0
    assert trained("lenet5")["0.weight"].any()
