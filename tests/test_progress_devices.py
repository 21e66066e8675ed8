"""Progress bars, and the description of the machine."""

import io
import json
import subprocess
import sys

import pytest
import torch

from dlcourse import devices, progress


class Terminal(io.StringIO):
    """Something that looks like a terminal and can be read afterwards."""

    def isatty(self):
        return True


@pytest.fixture
def watch(monkeypatch):
    """A function that puts a terminal in place; to be called in the test, since pytest sets stderr before it."""

    def put(setting=None):
        monkeypatch.delenv("DLCOURSE_PROGRESS", raising=False)
        if setting is not None:
            monkeypatch.setenv("DLCOURSE_PROGRESS", setting)
        monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    return put


def test_a_bar_is_drawn_where_someone_watches(watch):
    terminal = watch()
    assert list(progress.track([3, 1, 2], "sorting")) == [3, 1, 2]
    assert "sorting" in terminal.getvalue()


def test_an_iterator_gets_its_length_from_total(watch):
    terminal = watch()
    assert list(progress.track(iter("abc"), "letters", total=3)) == ["a", "b", "c"]
    assert "/3" in terminal.getvalue()


def test_a_disabled_bar_is_the_iterable_itself(watch):
    terminal, things = watch(), [1, 2]
    assert progress.track(things, "counting", enabled=False) is things
    assert terminal.getvalue() == ""


def test_the_environment_turns_bars_off(watch):
    terminal, things = watch("0"), [1, 2]
    assert progress.track(things, "counting") is things
    assert terminal.getvalue() == ""


def test_the_environment_turns_bars_on(monkeypatch, capsys):
    things = [1, 2]
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.delenv("DLCOURSE_PROGRESS", raising=False)
    assert progress.track(things, "counting") is things    # captured output is no terminal
    monkeypatch.setenv("DLCOURSE_PROGRESS", "1")
    assert list(progress.track(things, "counting")) == things
    assert "counting" in capsys.readouterr().err


def test_a_notebook_is_someone_who_watches(monkeypatch):
    monkeypatch.delenv("DLCOURSE_PROGRESS", raising=False)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert not progress.bars_wanted()
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    assert progress.bars_wanted()


def test_without_tqdm_the_loop_runs_all_the_same(monkeypatch):
    monkeypatch.setenv("DLCOURSE_PROGRESS", "1")
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    things = [1, 2]
    assert progress.track(things, "counting") is things


def test_the_training_loop_runs_where_there_is_only_numpy():
    """As in the browser: no torch and no tqdm."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'tqdm', 'scipy', 'matplotlib']))\n"
        "import numpy as np\n"
        "from dlcourse import linear, losses, optim, training\n"
        "rng = np.random.default_rng(0)\n"
        "model = linear.Linear(2, 2, rng=rng)\n"
        "x, y, optimizer = np.ones((4, 2)), np.array([0, 1, 1, 0]), optim.SGD(model.parameters(), 0.1)\n"
        "history = training.fit(model, losses.CrossEntropyLoss(), optimizer, x, y,\n"
        "                       epochs=2, batch_size=2, rng=rng, progress=True)\n"
        "print(len(history.train_loss))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "2", result.stderr


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((7, "counting"), TypeError, "iterable: expected an iterable, got int 7"),
        (([], 3), TypeError, "description: expected a string, got int 3"),
        (([], "counting", -1), ValueError, "total: expected an integer at least 0, got -1"),
        (([], "counting", 1.5), TypeError, r"total: expected an integer, got float 1\.5"),
    ],
)
def test_track_refuses_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        progress.track(*arguments)


def test_a_misspelt_setting_is_refused(monkeypatch):
    monkeypatch.setenv("DLCOURSE_PROGRESS", "off")
    with pytest.raises(ValueError, match="DLCOURSE_PROGRESS: expected 0 or 1, got 'off'"):
        progress.track([], "counting")


# ---------------------------------------------------------------- devices


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_fastest_device_is_chosen(cuda, mps, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert devices.default_device() == torch.device(expected)


def test_the_default_device_computes():
    assert torch.ones(3, device=devices.default_device()).sum().item() == 3


def test_names_are_those_of_the_makers(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU number {device.index or 0}")
    assert devices.device_name("cuda") == "GPU number 0"
    assert devices.device_name(torch.device("cuda", 1)) == "GPU number 1"
    assert devices.device_name("cpu") == devices.cpu_model() != ""
    with pytest.raises(ValueError, match="device: expected a device of this machine, got 'cuda:2'"):
        devices.device_name("cuda:2")


@pytest.mark.parametrize(
    ("device", "error", "message"),
    [
        ("gpu", ValueError, "device: expected a device such as 'cpu' or 'cuda:0', got 'gpu'"),
        ("meta", ValueError, "device: expected a device of this machine, got 'meta'"),
        (0, TypeError, r"device: expected a torch\.device or a string, got int 0"),
    ],
)
def test_what_is_no_device_is_refused(device, error, message):
    with pytest.raises(error, match=message):
        devices.device_name(device)


def test_the_hardware_fits_into_a_file_of_results():
    found = devices.hardware()
    assert json.loads(json.dumps(found)) == found
    assert set(found) == {"cpu", "cores", "gpu", "python", "numpy", "torch", "blas", "system"}
    assert found["cores"] >= 1
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["torch"] == torch.__version__
    assert (found["gpu"] is None) == (devices.default_device().type == "cpu")
    assert all(found[name] for name in found if name != "gpu")
