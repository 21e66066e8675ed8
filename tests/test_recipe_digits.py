"""The recipe that trains the digit reader: what the distortions do, and that an interruption changes nothing."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from dlcourse.checkpoint import load_checkpoint
from dlcourse.mlp import MLP
from dlcourse.widgets.digit_reader import load_network

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("recipe_digits", ROOT / "recipes" / "digits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def images(rng):
    """Three images with a border of paper, so that nothing is pushed out."""
    x = np.zeros((3, 28, 28), np.float32)
    x[:, 8:20, 8:20] = rng.random((3, 12, 12))
    return x


SETTINGS = {"seed": 3, "copies": 2, "hidden": 8, "epochs": 3, "dropout": 0.3, "lr": 1e-3, "batch_size": 64}
IDENTITY = np.tile(np.eye(2), (3, 1, 1))


# ---------------------------------------------------------------- distortions

def test_the_identity_changes_nothing(recipe, images):
    assert np.array_equal(recipe.warp(images, IDENTITY, np.zeros((3, 2))), images)
    assert np.array_equal(recipe.change_thickness(images, np.zeros(3)), images)


def test_a_whole_shift_moves_pixels(recipe, images):
    """The result looks up two rows further down and one column further left."""
    moved = recipe.warp(images, IDENTITY, np.tile([2.0, -1.0], (3, 1)))
    assert np.allclose(moved, np.roll(images, (-2, 1), axis=(1, 2)), atol=1e-6)


def test_half_a_shift_is_the_mean_of_neighbours(recipe, images):
    moved = recipe.warp(images, IDENTITY, np.tile([0.0, 0.5], (3, 1)))
    assert np.allclose(moved, (images + np.roll(images, -1, axis=2)) / 2, atol=1e-6)


def test_a_quarter_turn_is_that_of_numpy(recipe, images):
    quarter = np.tile([[0.0, -1.0], [1.0, 0.0]], (3, 1, 1))
    turned = recipe.warp(images, quarter, np.zeros((3, 2)))
    # NumPy turns about the middle of 28 pixels, 13.5; here it is about pixel 14, without the first row and column.
    assert np.allclose(turned[:, 1:, 1:], np.rot90(images[:, 1:, 1:], k=-1, axes=(1, 2)), atol=1e-6)


def test_twice_as_large_covers_four_times_as_much(recipe):
    square = np.zeros((1, 28, 28), np.float32)
    square[0, 11:18, 11:18] = 1
    large = recipe.warp(square, np.eye(2)[None] / 2, np.zeros((1, 2)))
    assert large.sum() == pytest.approx(4 * square.sum(), rel=0.01)


def test_what_lies_outside_is_paper(recipe):
    full = np.ones((1, 28, 28), np.float32)
    moved = recipe.warp(full, np.eye(2)[None], np.array([[0.0, 100.0]]))
    assert np.all(moved == 0)


def test_strokes_become_thicker_and_thinner(recipe):
    line = np.zeros((2, 28, 28), np.float32)
    line[:, 4:24, 13:16] = 1
    thick, thin = recipe.change_thickness(line, np.array([1.0, -1.0]))
    assert np.flatnonzero(thick[14]).tolist() == [12, 13, 14, 15, 16]
    assert np.flatnonzero(thin[14]).tolist() == [14]
    half = recipe.change_thickness(line[:1], np.array([0.5]))[0]
    assert half[14, 12] == pytest.approx(0.5)


def test_maps_turn_both_ways_and_keep_within_their_ranges(recipe, rng):
    matrices, shifts = recipe.random_maps(2000, rng=rng)
    area = 1 / np.linalg.det(matrices)                          # a shear and a rotation leave areas alone
    assert 0.8**2 <= area.min() < 0.7
    assert 1.2 < area.max() <= 1.15**2
    assert np.abs(shifts).max() <= 2
    angle = np.arctan2(-matrices[:, 0, 1], matrices[:, 1, 1])   # before the scales, a rotation's second column
    assert angle.min() < -0.2
    assert angle.max() > 0.2


def test_the_first_copy_is_the_original_and_seeds_decide(recipe, images):
    t = np.arange(3)
    x, labels = recipe.augment(images, t, 3, rng=np.random.default_rng(1))
    again, _ = recipe.augment(images, t, 3, rng=np.random.default_rng(1))
    other, _ = recipe.augment(images, t, 3, rng=np.random.default_rng(2))
    assert x.shape == (9, 784)
    assert x.dtype == np.float32
    assert labels.tolist() == [0, 1, 2] * 3
    assert np.array_equal(x[:3], images.reshape(3, 784))
    assert np.array_equal(x, again)
    assert not np.array_equal(x[3:], other[3:])
    assert not np.allclose(x[3:6], x[6:9])
    assert x.min() >= 0
    assert x.max() <= 1


def test_no_image_is_both_trained_on_and_held_out(recipe):
    train, t = recipe.load("train")
    test, labels = recipe.load("test")
    assert (len(train), len(test)) == (4000, 1000)
    assert np.bincount(t).tolist() == [400] * 10
    assert np.bincount(labels).tolist() == [100] * 10
    assert not {image.tobytes() for image in train} & {image.tobytes() for image in test}


# ---------------------------------------------------------------- training

@pytest.fixture
def few(recipe, monkeypatch):
    """300 images to train on, and as many to be scored on."""
    load, stride = recipe.load, {"train": 13, "test": 3}
    monkeypatch.setattr(recipe, "load", lambda part: tuple(array[::stride[part]] for array in load(part)))


def test_an_interrupted_run_ends_like_an_undisturbed_one(recipe, few, tmp_path, monkeypatch):
    whole, history = recipe.train(SETTINGS, tmp_path / "whole.npz", progress=False)
    save = recipe.fit.__globals__["TrainingState"].save

    def save_and_stop(self, checkpoint, progress):
        save(self, checkpoint, progress)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(recipe.fit.__globals__["TrainingState"], "save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            recipe.train(SETTINGS, tmp_path / "broken.npz", progress=False)
    assert len(load_checkpoint(tmp_path / "broken.npz")["progress"]["history"]["train_loss"]) == 1
    resumed, again = recipe.train(SETTINGS, tmp_path / "broken.npz", progress=False)
    assert again.train_loss == history.train_loss
    for name, array in whole.state_dict().items():
        assert np.array_equal(array, resumed.state_dict()[name]), name


def test_another_networks_checkpoint_is_refused(recipe, few, tmp_path):
    recipe.train({**SETTINGS, "epochs": 1}, tmp_path / "run.npz", progress=False)
    with pytest.raises(ValueError, match="checkpoint: expected a run with weights"):
        recipe.train({**SETTINGS, "hidden": 9}, tmp_path / "run.npz", progress=False)


def test_without_dropout_the_network_computes_the_same(recipe, rng):
    net = MLP([784, 12, 10], dropout=0.5, rng=rng)
    x = rng.random((5, 784))
    plain = recipe.without_dropout(net)
    assert np.allclose(plain(x), net.eval()(x))
    assert np.all(np.diff(plain[2].weight.data.argmax(axis=0)) >= 0)


def test_one_command_leaves_weights_and_a_result(recipe, few, tmp_path, capsys):
    weights, result, checkpoint = tmp_path / "new" / "weights.npz", tmp_path / "result.json", tmp_path / "old" / "c.npz"
    arguments = ["--copies", "2", "--hidden", "32", "--epochs", "8", "--quiet", "--checkpoint", checkpoint,
                 "--weights", weights, "--result", result]
    assert recipe.main(list(map(str, arguments))) == 0
    assert capsys.readouterr().out == ""
    entries = json.loads(result.read_text())
    with np.load(weights) as stored:
        assert stored["0.weight"].dtype == np.float16
        assert stored["examples"].shape == (10, 28, 28)
        hidden = np.maximum(0, recipe.load("test")[0].reshape(-1, 784) @ stored["0.weight"].T.astype(float)
                            + stored["0.bias"])
        answer = (hidden @ stored["2.weight"].T.astype(float) + stored["2.bias"]).argmax(axis=1)
    assert np.mean(answer == recipe.load("test")[1]) == pytest.approx(entries["held_out_accuracy"], abs=1e-4)
    assert entries["held_out_accuracy"] > 0.6
    assert entries["weights_bytes"] == weights.stat().st_size
    assert entries["parameters"] == 784 * 32 + 32 + 32 * 10 + 10
    assert len(entries["training_loss"]) == entries["settings"]["epochs"] == 8
    assert {"hardware", "dlcourse"} <= entries.keys()


def test_the_stored_result_belongs_to_the_stored_weights():
    entries = json.loads((ROOT / "recipes" / "digits.json").read_text())
    weights = ROOT / "dlcourse" / "widgets" / "weights" / "digits.npz"
    network, _ = load_network()
    assert entries["weights_bytes"] == weights.stat().st_size <= 400_000
    assert entries["parameters"] == sum(p.data.size for p in network.parameters())
    assert (entries["training_images"], entries["held_out_images"]) == (4000, 1000)


def test_every_example_is_a_held_out_image(recipe):
    held_out = {np.rint(255 * image).astype(np.uint8).tobytes(): label
                for image, label in zip(*recipe.load("test"), strict=True)}
    assert [held_out[image.tobytes()] for image in load_network()[1]] == list(range(10))
