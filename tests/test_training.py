"""The training loop and its checkpoints: what parity cannot say."""

import json
import math
import os
import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dlcourse import (
    activations,
    activations_torch,
    checkpoint,
    checkpoint_torch,
    linear,
    linear_torch,
    losses,
    losses_torch,
    module,
    module_torch,
    optim,
    optim_torch,
    training,
    training_torch,
)
from dlcourse.interop import copy_weights, to_numpy, to_torch


class Noise(module.Module):
    """Multiply by random numbers in training, as dropout does, from a generator of its own."""

    def __init__(self, seed=0):
        super().__init__()
        self.rng = np.random.default_rng(seed)

    def forward(self, x):
        self.scale = self.rng.uniform(0.5, 1.5, x.shape).astype(x.dtype) if self.training else np.ones_like(x)
        return x * self.scale

    def backward(self, dy):
        return dy * self.scale


class NoiseTorch(torch.nn.Module):
    """The same with two generators: PyTorch's global one and one that the layer holds."""

    def __init__(self, seed=0):
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def forward(self, x):
        if not self.training:
            return x
        return x * (0.5 + torch.rand(x.shape, generator=self.generator)) * (0.5 + torch.rand(x.shape))


REFERENCE = SimpleNamespace(
    name="reference", training=training, checkpoint=checkpoint, linear=linear, activations=activations, losses=losses,
    module=module, optim=optim, noise=Noise, array=lambda x: x, numpy=np.asarray, float32=np.float32,
    layer=lambda *sizes: linear.Linear(*sizes, rng=np.random.default_rng(0)),
)
COUNTERPART = SimpleNamespace(
    name="counterpart", training=training_torch, checkpoint=checkpoint_torch, linear=linear_torch,
    activations=activations_torch, losses=losses_torch, module=module_torch, optim=optim_torch, noise=NoiseTorch,
    array=to_torch, numpy=to_numpy, float32=torch.float32,
    layer=lambda *sizes: linear_torch.Linear(
        *sizes, rng=torch.Generator().manual_seed(0), dtype=torch.float64
    ),
)
halves = pytest.mark.parametrize("half", [REFERENCE, COUNTERPART], ids=lambda half: half.name)


def examples(num=30, seed=0):
    """Three features, two classes told apart by the first."""
    x = np.random.default_rng(seed).standard_normal((num, 3))
    return x, (x[:, 0] > 0).astype(np.int64)


def network(half, noise=True):
    """A small network with random numbers in its forward pass."""
    layers = [half.layer(3, 8), half.activations.ReLU(), half.layer(8, 2)]
    return half.module.Sequential(*layers[:2], *([half.noise()] if noise else []), layers[2])


def run(half, model, *, optimizer="Adam", lr=0.05, num=30, **options):
    """Train with cross-entropy; validation unless told otherwise."""
    x, y = map(half.array, examples(num))
    options = {"epochs": 5, "batch_size": 8, "rng": np.random.default_rng(3), **options}
    options.setdefault("validation", tuple(map(half.array, examples(20, seed=1))))
    return half.training.fit(
        model, half.losses.CrossEntropyLoss(), getattr(half.optim, optimizer)(model.parameters(), lr), x, y, **options
    )


def weights(half, model):
    return {name: half.numpy(value) for name, value in model.state_dict().items()}


def assert_bit_equal(first, second):
    assert first.keys() == second.keys()
    for name in first:
        assert np.array_equal(first[name], second[name]), name


class Interruption(Exception):
    """What stands in for a power failure."""


def interrupt_after(last):
    def callback(epoch, history, model):
        if epoch == last:
            raise Interruption

    return callback


# ---------------------------------------------------------------- batches and measures


@halves
def test_minibatches_hold_every_example_once(half, rng):
    batches = [half.numpy(index) for index in half.training.minibatches(23, 5, rng=rng)]
    assert [len(index) for index in batches] == [5, 5, 5, 5, 3]
    assert sorted(np.concatenate(batches)) == list(range(23))


@halves
def test_minibatches_change_from_epoch_to_epoch(half, rng):
    first, second = (half.numpy(next(half.training.minibatches(1000, 1000, rng=rng))) for _ in range(2))
    assert not np.array_equal(first, second)               # equal by chance once in 1000! epochs
    assert not np.array_equal(first, np.arange(1000))


@halves
def test_minibatches_complain_when_called_not_when_drawn_from(half, rng):
    with pytest.raises(ValueError, match="batch_size: expected an integer at least 1, got 0"):
        half.training.minibatches(10, 0, rng=rng)


@halves
def test_accuracy_by_hand(half):
    logits = half.array(np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 5.0], [0.0, 3.0, 1.0], [1.0, 0.0, 0.0]]))
    assert half.training.accuracy(logits, half.array(np.array([0, 2, 0, 1]))) == 0.5


def recorder(half, record):
    """A layer that notes the mode it is called in and whether a graph is being built."""

    class Recorder(half.module.Module):
        def forward(self, x):
            record.append((self.training, getattr(x, "requires_grad", False)))
            return x

        def backward(self, dy):
            return dy

    return Recorder()


@halves
def test_evaluate_runs_in_evaluation_mode_and_gives_each_layer_its_own_back(half):
    record = []
    frozen, layer = recorder(half, record), half.layer(3, 2)
    model = half.module.Sequential(layer, frozen)
    frozen.eval()                                          # one layer of a model in training, as in fine-tuning
    x, y = map(half.array, examples(5))
    half.training.evaluate(model, half.losses.CrossEntropyLoss(), x, y)
    assert record == [(False, False)]
    assert (model.training, layer.training, frozen.training) == (True, True, False)


@halves
def test_evaluate_restores_the_mode_after_an_error(half):
    model = half.module.Sequential(half.layer(3, 2))
    with pytest.raises(ValueError, match="x: expected shape"):
        half.training.evaluate(model, half.losses.CrossEntropyLoss(), half.array(np.zeros((4, 2))),
                               half.array(np.zeros(4, int)))
    assert model.training
    assert model[0].training


@halves
def test_evaluate_weights_the_last_batch_by_its_size(half):
    model, (x, y) = network(half), examples(11)
    loss, x, y = half.losses.CrossEntropyLoss(), half.array(x), half.array(y)
    whole = half.training.evaluate(model, loss, x, y, metric=half.training.accuracy)
    in_parts = half.training.evaluate(model, loss, x, y, batch_size=4, metric=half.training.accuracy)
    assert in_parts == pytest.approx(whole)
    assert half.training.evaluate(model, loss, x, y)[1] is None


# ---------------------------------------------------------------- early stopping and history


@halves
def test_early_stopping_by_hand(half):
    model, stopper = half.layer(1, 1), half.training.EarlyStopping(patience=2)
    values = [3.0, 2.0, 2.0, 1.0, 1.5, 1.2]
    decisions = []
    for value in values:
        half.training.EarlyStopping(1).update(value, model)
        model.load_state_dict({"weight": half.array(np.array([[value]])), "bias": half.array(np.array([0.0]))})
        decisions.append(stopper.update(value, model))
    assert decisions == [False, False, False, False, False, True]
    assert (stopper.best_value, stopper.bad_epochs) == (1.0, 2)
    stopper.restore(model)
    assert half.numpy(model.weight.data).tolist() == [[1.0]]


@halves
def test_early_stopping_keeps_copies(half):
    model, stopper = half.layer(3, 2), half.training.EarlyStopping(1)
    before = weights(half, model)
    stopper.update(1.0, model)
    model.weight.data += 1
    stopper.restore(model)
    assert_bit_equal(weights(half, model), before)


@halves
def test_an_improvement_must_exceed_min_delta(half):
    model, stopper = half.layer(1, 1), half.training.EarlyStopping(1, min_delta=0.5)
    assert not stopper.update(2.0, model)
    assert stopper.update(1.5, model)
    assert not stopper.update(1.25, model)
    assert stopper.best_value == 1.25


@halves
def test_nothing_to_restore_before_the_first_update(half):
    with pytest.raises(ValueError, match="model: expected an update before"):
        half.training.EarlyStopping(1).restore(half.layer(1, 1))


def test_history_survives_json():
    history = training.History([1.0, 0.5], [0.9, 0.7], [0.5, 0.75], [0.1, 0.2], best_epoch=1, stopped_early=True)
    assert training.History.from_dict(json.loads(json.dumps(history.to_dict()))) == history


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([1], TypeError, "values: expected a dict"),
        ({"train_loss": []}, ValueError, "values: expected the keys .*best_epoch"),
        ({**training.History().to_dict(), "lr": 1}, ValueError, "values: expected the keys .*got .*'lr'"),
    ],
)
def test_history_refuses_other_dicts(values, error, message):
    with pytest.raises(error, match=message):
        training.History.from_dict(values)


# ---------------------------------------------------------------- the loop


@halves
def test_fit_learns_what_can_be_learned(half):
    model = network(half)
    history = run(half, model, epochs=40, metric=half.training.accuracy)
    assert history.train_loss[-1] < 0.3 * history.train_loss[0]
    assert history.val_metric[-1] >= 0.9                   # 0.5 is chance
    assert len(history.val_loss) == len(history.val_metric) == len(history.seconds) == 40
    assert history.best_epoch == int(np.argmin(history.val_loss))
    assert min(history.seconds) > 0
    assert not history.stopped_early
    assert model.training


@halves
def test_one_step_of_gradient_descent_by_hand(half):
    """One weight, loss (w x - t)^2, so dw = 2 x (w x - t)."""
    model = half.module.Sequential(half.layer(1, 1))
    model.load_state_dict({"0.weight": half.array(np.array([[3.0]])), "0.bias": half.array(np.array([0.0]))})
    x, y = half.array(np.array([[2.0]])), half.array(np.array([[5.0]]))
    history = half.training.fit(
        model, half.losses.MSELoss(), half.optim.SGD(model.parameters(), 0.1), x, y,
        epochs=1, batch_size=1, rng=np.random.default_rng(0),
    )
    assert history.train_loss == [1.0]                     # (3 * 2 - 5)^2, before the step
    assert half.numpy(model[0].weight.data)[0, 0] == pytest.approx(3 - 0.1 * 2 * 2 * 1)
    assert half.numpy(model[0].bias.data)[0] == pytest.approx(-0.1 * 2 * 1)
    assert (history.val_loss, history.val_metric, history.best_epoch) == ([], [], None)


@halves
def test_gradients_of_a_batch_do_not_leak_into_the_next(half):
    """Two passes over one example are two steps, each with the gradient of its own."""
    once, twice = network(half, noise=False), network(half, noise=False)
    run(half, once, optimizer="SGD", epochs=1, num=1, batch_size=1)
    run(half, once, optimizer="SGD", epochs=1, num=1, batch_size=1)
    run(half, twice, optimizer="SGD", epochs=2, num=1, batch_size=1)
    assert_bit_equal(weights(half, once), weights(half, twice))


@halves
def test_clipping_bounds_the_step(half):
    model = network(half, noise=False)
    before = weights(half, model)
    run(half, model, optimizer="SGD", lr=1.0, epochs=1, batch_size=30, clip_norm=1e-3)
    after = weights(half, model)
    step = math.sqrt(sum(np.sum((after[name] - before[name]) ** 2) for name in before))
    assert step == pytest.approx(1e-3, rel=1e-3)           # unclipped it is about 0.3


@halves
def test_penalty_shrinks_weights_and_leaves_biases_alone(half):
    class Shrink(half.module.Module):
        """Half the sum of squares, so that the gradient is the weight itself."""

        def forward(self, params):
            self.params = list(params)
            shapes.append([tuple(p.shape) for p in self.params])
            return sum((p.data if half is REFERENCE else p).__pow__(2).sum() for p in self.params) / 2

        def backward(self, dy=1.0):
            for p in self.params:
                p.accumulate(p.data)

    shapes = []
    with_penalty, without = network(half, noise=False), network(half, noise=False)
    start = weights(half, without)
    run(half, without, optimizer="SGD", lr=0.1, epochs=1, batch_size=30)
    history = run(half, with_penalty, optimizer="SGD", lr=0.1, epochs=1, batch_size=30, penalty=Shrink())
    plain, shrunk = weights(half, without), weights(half, with_penalty)
    for name in start:
        pull = 0.1 * start[name] if name.endswith("weight") else 0.0
        assert np.allclose(shrunk[name], plain[name] - pull, atol=1e-12), name
    assert shapes == [[(8, 3), (2, 8)]]
    assert history.train_loss[0] < 1                       # reported without the penalty, which is about 2


@halves
def test_callback_sees_each_epoch(half):
    seen = []

    def callback(epoch, history, model):
        seen.append((epoch, len(history.train_loss), model))

    model = network(half)
    run(half, model, epochs=3, callback=callback)
    assert seen == [(0, 1, model), (1, 2, model), (2, 3, model)]


@halves
def test_every_epoch_trains_in_training_mode(half):
    """Whatever mode the model came in, or a callback left it in."""
    record = []
    model = half.module.Sequential(half.layer(3, 2), recorder(half, record))
    model.eval()
    run(half, model, epochs=2, batch_size=30, validation=None, callback=lambda epoch, history, model: model.eval())
    assert [training_mode for training_mode, _ in record] == [True, True]


@halves
def test_patience_stops_and_the_best_weights_return(half):
    """With a rate this high the validation loss soon jumps about."""
    model = network(half)
    history = run(half, model, lr=0.5, epochs=60, patience=3)
    assert history.stopped_early
    assert len(history.train_loss) == history.best_epoch + 1 + 3 < 60
    assert history.best_epoch == int(np.argmin(history.val_loss))
    x, y = map(half.array, examples(20, seed=1))
    value, _ = half.training.evaluate(model, half.losses.CrossEntropyLoss(), x, y)
    assert value == history.val_loss[history.best_epoch]


@halves
def test_best_weights_return_even_if_patience_does_not_run_out(half):
    model = network(half)
    history = run(half, model, lr=0.5, epochs=12, patience=12)
    x, y = map(half.array, examples(20, seed=1))
    assert not history.stopped_early
    assert history.best_epoch < 11
    assert half.training.evaluate(model, half.losses.CrossEntropyLoss(), x, y)[0] == min(history.val_loss)


@halves
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_a_loss_that_explodes_stops_training_and_names_the_remedies(half):
    model = network(half, noise=False)
    with pytest.raises(FloatingPointError, match=r"epoch \d+: the training loss is (nan|inf).*learning rate.*clip"):
        run(half, model, optimizer="SGD", lr=1e200, epochs=10, batch_size=30, validation=None)


@halves
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_a_validation_loss_that_explodes_stops_training_too(half):
    model = network(half, noise=False)
    with pytest.raises(FloatingPointError, match=r"epoch 0: the validation loss is (nan|inf)"):
        run(half, model, optimizer="SGD", lr=1e300, epochs=10, batch_size=30)


@halves
def test_float32_stays_float32(half):
    x, y = examples()
    rng = {"rng": np.random.default_rng(0)} if half is REFERENCE else {}
    model = half.module.Sequential(half.linear.Linear(3, 2, dtype=half.float32, **rng))
    half.training.fit(
        model, half.losses.CrossEntropyLoss(), half.optim.Adam(model.parameters()), half.array(x.astype(np.float32)),
        half.array(y), epochs=2, batch_size=7, rng=np.random.default_rng(0), clip_norm=1.0,
    )
    assert {value.dtype for value in weights(half, model).values()} == {np.dtype("float32")}


def test_both_halves_train_alike_with_adam_dropout_aside():
    """A longer run than the parity cases', in float64: 20 epochs, 80 steps."""
    ours, theirs = network(REFERENCE, noise=False), network(COUNTERPART, noise=False)
    copy_weights(ours, theirs)
    history, twin = run(REFERENCE, ours, epochs=20), run(COUNTERPART, theirs, epochs=20)
    assert np.allclose(history.train_loss, twin.train_loss, rtol=0, atol=1e-10)
    assert np.allclose(history.val_loss, twin.val_loss, rtol=0, atol=1e-10)
    for name, value in weights(REFERENCE, ours).items():
        assert np.allclose(value, weights(COUNTERPART, theirs)[name], rtol=0, atol=1e-10), name


# ---------------------------------------------------------------- interruptions


@halves
@pytest.mark.parametrize("optimizer", ["SGD", "Momentum", "Adam"])
@pytest.mark.parametrize("last", [0, 2, 5])
def test_an_interrupted_run_ends_as_an_undisturbed_one(half, optimizer, last, tmp_path):
    """Dropout-like noise, the optimizer's memory, the shuffling and early stopping all go on where they were."""
    options = {"optimizer": optimizer, "epochs": 8, "patience": 8, "metric": half.training.accuracy}
    torch.manual_seed(5)
    undisturbed = network(half)
    expected = run(half, undisturbed, **options)

    path = tmp_path / "run.ckpt"
    torch.manual_seed(5)
    with pytest.raises(Interruption):
        run(half, network(half), checkpoint=path, callback=interrupt_after(last), **options)
    assert path.exists() == (last > 0)                     # an interruption in epoch 0 leaves nothing to go on from

    torch.manual_seed(5 if last == 0 else 99)              # what the new process happens to be seeded with
    seed = 3 if last == 0 else 77
    resumed, seen = network(half), []
    history = run(half, resumed, checkpoint=path, rng=np.random.default_rng(seed),
                  callback=lambda epoch, history, model: seen.append(epoch), **options)
    assert seen == list(range(last, 8))
    assert_bit_equal(weights(half, resumed), weights(half, undisturbed))
    for name in ("train_loss", "val_loss", "val_metric", "best_epoch", "stopped_early"):
        assert getattr(history, name) == getattr(expected, name), name
    assert len(history.seconds) == 8


@pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA training needs a CUDA device")
@pytest.mark.parametrize("data_on", ["cpu", "cuda"])
def test_an_interrupted_run_on_a_gpu_ends_as_an_undisturbed_one(data_on, tmp_path):
    def train(seed, **options):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(3, 64), torch.nn.Dropout(), torch.nn.Linear(64, 2)).double().cuda()
        torch.manual_seed(seed)
        x, y = (to_torch(array, data_on) for array in examples(200))
        training_torch.fit(model, losses_torch.CrossEntropyLoss(), optim_torch.Adam(model.parameters()), x, y,
                           epochs=5, batch_size=32, validation=(x, y), patience=5, **options)
        return weights(COUNTERPART, model)

    expected = train(1, rng=np.random.default_rng(0))
    with pytest.raises(Interruption):
        train(1, rng=np.random.default_rng(0), checkpoint=tmp_path / "run", callback=interrupt_after(3))
    assert_bit_equal(train(2, rng=np.random.default_rng(9), checkpoint=tmp_path / "run"), expected)


@halves
def test_a_learning_rate_that_a_callback_changes_is_resumed_too(half, tmp_path):
    def schedule(last=None):
        def callback(epoch, history, model):
            optimizer = holder[0]
            if half is REFERENCE:
                optimizer.lr *= 0.5
            else:
                optimizer.param_groups[0]["lr"] *= 0.5
            if epoch == last:
                raise Interruption

        return callback

    holder = [None]

    def train(model, callback, path=None):
        x, y = map(half.array, examples())
        holder[0] = half.optim.SGD(model.parameters(), 0.5)
        half.training.fit(model, half.losses.CrossEntropyLoss(), holder[0], x, y, epochs=5, batch_size=8,
                          rng=np.random.default_rng(0), checkpoint=path, callback=callback)

    undisturbed, resumed = network(half, noise=False), network(half, noise=False)
    train(undisturbed, schedule())
    with pytest.raises(Interruption):
        train(network(half, noise=False), schedule(last=3), tmp_path / "run.ckpt")
    train(resumed, schedule(), tmp_path / "run.ckpt")
    assert_bit_equal(weights(half, resumed), weights(half, undisturbed))


@halves
def test_a_finished_run_is_not_repeated(half, tmp_path):
    path, first, second = tmp_path / "run.ckpt", network(half), network(half)
    expected = run(half, first, lr=0.5, epochs=60, patience=3, checkpoint=path)
    history = run(half, second, lr=0.5, epochs=60, patience=3, checkpoint=path, callback=interrupt_after(0))
    assert history == expected
    assert_bit_equal(weights(half, first), weights(half, second))


@halves
def test_a_finished_run_can_be_prolonged(half, tmp_path):
    torch.manual_seed(0)
    long = network(half)
    run(half, long, epochs=6)
    torch.manual_seed(0)
    prolonged = network(half)
    run(half, prolonged, epochs=4, checkpoint=tmp_path / "run.ckpt")
    history = run(half, prolonged, epochs=6, checkpoint=tmp_path / "run.ckpt")
    assert len(history.train_loss) == 6
    assert_bit_equal(weights(half, long), weights(half, prolonged))


@halves
@pytest.mark.parametrize("kind", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_every_kind_of_generator_is_resumed(half, kind, tmp_path):
    """Some keep arrays in their state, and all may hold half of a number in reserve."""
    model, optimizer = half.layer(1, 1), None
    optimizer = half.optim.SGD(model.parameters(), 0.1)
    rng = np.random.Generator(getattr(np.random, kind)(1))
    rng.integers(0, 10, 3, dtype=np.uint32)
    half.checkpoint.TrainingState(model, optimizer, rng, {}).save(tmp_path / "run.ckpt", {})
    expected = rng.integers(0, 10**6, 5, dtype=np.uint32), rng.permutation(20)
    other = np.random.Generator(getattr(np.random, kind)(2))
    half.checkpoint.TrainingState(model, optimizer, other, {}).load(tmp_path / "run.ckpt")
    assert np.array_equal(other.integers(0, 10**6, 5, dtype=np.uint32), expected[0])
    assert np.array_equal(other.permutation(20), expected[1])


@halves
@pytest.mark.parametrize("change", ["batch_size", "num_examples", "patience", "clip_norm", "optimizer", "width", "rng"])
def test_a_checkpoint_of_another_run_is_refused(half, change, tmp_path):
    path = tmp_path / "run.ckpt"
    options = {"epochs": 2, "patience": 5, "clip_norm": 1.0, "checkpoint": path}
    run(half, network(half), **options)
    model = network(half)
    if change == "width":
        model = half.module.Sequential(half.layer(3, 9), half.activations.ReLU(), half.noise(), half.layer(9, 2))
    changes = {
        "batch_size": {"batch_size": 9}, "num_examples": {"num": 31}, "patience": {"patience": 6},
        "clip_norm": {"clip_norm": None}, "optimizer": {"optimizer": "SGD"}, "width": {},
        "rng": {"rng": np.random.Generator(np.random.SFC64(0))},
    }
    with pytest.raises(ValueError, match=r"checkpoint: expected .*run\.ckpt"):
        run(half, model, **{**options, **changes[change], "epochs": 3})


@halves
def test_weights_of_another_precision_are_refused(half, tmp_path):
    """Loading them would round or pad them, and the run would not be the same."""
    def train(dtype, numpy_dtype):
        rng = {"rng": np.random.default_rng(0)} if half is REFERENCE else {}
        model = half.module.Sequential(half.linear.Linear(3, 2, dtype=dtype, **rng))
        x, y = examples()
        half.training.fit(
            model, half.losses.CrossEntropyLoss(), half.optim.SGD(model.parameters(), 0.1),
            half.array(x.astype(numpy_dtype)), half.array(y), epochs=1, batch_size=7, rng=np.random.default_rng(0),
            checkpoint=tmp_path / "run.ckpt",
        )

    train(half.float32, np.float32)
    with pytest.raises(ValueError, match=r"checkpoint: expected a run with weights .*float64"):
        train({"reference": np.float64, "counterpart": torch.float64}[half.name], np.float64)


class Bomb:
    """A pickle that creates a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@halves
@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped", "array", "archive", "pickle", "tensor"])
def test_a_damaged_or_foreign_file_is_refused(half, damage, tmp_path):
    path, bomb, model = tmp_path / "run.ckpt", tmp_path / "exploded", network(half)
    run(half, model, epochs=1, checkpoint=path)
    content = path.read_bytes()
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("loss = 0.1")
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        # one bit of one weight: any weights would load, only a checksum can tell
        place = content.index(weights(half, model)["0.weight"].tobytes()) + 5
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1:])
    elif damage == "array":
        with open(path, "wb") as file:
            np.save(file, np.zeros(3))
    elif damage == "archive":
        with open(path, "wb") as file:
            np.savez(file, weight=np.zeros(3))
    elif damage == "pickle":
        path.write_bytes(pickle.dumps({"settings": {}, "model": Bomb(bomb)}, protocol=2))
    elif damage == "tensor":
        torch.save({"weight": torch.zeros(3), "bomb": Bomb(bomb)}, path)
    with pytest.raises(ValueError, match=r"checkpoint: expected .*run\.ckpt"):
        run(half, network(half), epochs=2, checkpoint=path)
    assert not bomb.exists()


@halves
def test_another_checkpoint_than_a_runs_is_refused(half, tmp_path):
    half.checkpoint.save_checkpoint(tmp_path / "run.ckpt", {"weight": half.array(np.zeros(3))})
    with pytest.raises(ValueError, match="checkpoint: expected a file written by TrainingState"):
        run(half, network(half), checkpoint=tmp_path / "run.ckpt")


@halves
def test_a_missing_file_is_said_to_be_missing(half, tmp_path):
    with pytest.raises(FileNotFoundError):
        half.checkpoint.load_checkpoint(tmp_path / "none")


@halves
@pytest.mark.parametrize("moment", ["writing", "replacing"])
def test_a_failure_while_saving_leaves_the_old_checkpoint(half, moment, tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    half.checkpoint.save_checkpoint(path, {"epoch": 1})

    def fail(*args, **options):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, {"writing": "fsync", "replacing": "replace"}[moment], fail)
    with pytest.raises(OSError, match="no space"):
        half.checkpoint.save_checkpoint(path, {"epoch": 2})
    assert half.checkpoint.load_checkpoint(path) == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_what_comes_back_is_what_went_in(tmp_path):
    """Kinds and types included, which the parity case sees only as text."""
    state = {
        "numbers": [1, 2.5, -0.0, math.inf, 10**40, True, None, "ü"],
        0: (np.float32(0.1), np.arange(3, dtype=np.uint8)),
        "empty": {"dict": {}, "list": [], "tuple": (), "array": np.zeros((0, 2))},
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    checkpoint.save_checkpoint(tmp_path / "state", state)
    back = checkpoint.load_checkpoint(tmp_path / "state")
    assert back["numbers"] == state["numbers"]
    assert math.copysign(1, back["numbers"][2]) == -1
    assert type(back[0]) is tuple
    assert type(back[0][0]) is np.float32
    assert back[0][0] == np.float32(0.1)
    assert back[0][1].dtype == np.uint8
    assert back[0][1].tolist() == [0, 1, 2]
    assert back["empty"]["array"].shape == (0, 2)
    assert {key: back["empty"][key] for key in ("dict", "list", "tuple")} == {"dict": {}, "list": [], "tuple": ()}
    assert np.array_equal(back["fortran"], state["fortran"])


# ---------------------------------------------------------------- bad input


NAN = examples()[0].copy()
NAN[4, 1] = np.nan
INF = examples()[0].copy()
INF[0, 2] = -np.inf
BAD_FIT = [
    ({"x": NAN}, ValueError, r"x: expected finite numbers, got nan at index \(4, 1\)"),
    ({"x": INF}, ValueError, r"x: expected finite numbers, got -inf at index \(0, 2\)"),
    ({"x": NAN[:0], "y": examples()[1][:0]}, ValueError, "x: expected at least one example"),
    ({"x": np.array(1.0)}, ValueError, "x: expected at least one example"),
    ({"x": [[1.0]]}, TypeError, "x: expected a (NumPy array|torch.Tensor), got list"),
    ({"y": examples()[1][:7]}, ValueError, r"y: expected as many rows as x \(30\), got 7"),
    ({"y": NAN}, ValueError, r"y: expected finite numbers, got nan"),
    ({"y": examples()[0][:, 0]}, TypeError, "target: expected dtype an integer type"),
    ({"epochs": 0}, ValueError, "epochs: expected an integer at least 1, got 0"),
    ({"epochs": 2.0}, TypeError, "epochs: expected an integer, got float 2.0"),
    ({"batch_size": -3}, ValueError, "batch_size: expected an integer at least 1, got -3"),
    ({"batch_size": True}, TypeError, "batch_size: expected an integer, got bool True"),
    ({"rng": 0}, TypeError, "rng: expected a numpy.random.Generator"),
    ({"validation": NAN}, TypeError, "validation: expected a pair"),
    ({"validation": (NAN, examples()[1])}, ValueError, r"validation\[0\]: expected finite numbers, got nan"),
    ({"validation": (examples()[0], examples()[1][:2])}, ValueError, r"validation\[1\]: expected as many rows"),
    ({"validation": None, "patience": 2}, ValueError, "patience: expected None where there is no validation"),
    ({"validation": None, "metric": len}, ValueError, "metric: expected None where there is no validation"),
    ({"metric": 0.5}, TypeError, "metric: expected a function, got float 0.5"),
    ({"callback": 3}, TypeError, "callback: expected a function, got int 3"),
    ({"patience": 0}, ValueError, "patience: expected an integer at least 1, got 0"),
    ({"clip_norm": 0}, ValueError, r"clip_norm: expected a number in \(0, inf\), got 0"),
    ({"clip_norm": "1"}, TypeError, "clip_norm: expected a number, got str '1'"),
    ({"checkpoint": 7}, TypeError, "checkpoint: expected a path, got int 7"),
    ({"model": len}, TypeError, "model: expected a (torch.nn.)?Module"),
]


@halves
@pytest.mark.parametrize(("change", "error", "message"), BAD_FIT)
def test_fit_refuses_bad_arguments(half, change, error, message):
    def convert(value):
        return half.array(value) if isinstance(value, np.ndarray) else value

    arguments = dict(zip(("x", "y"), examples(), strict=True), epochs=1, batch_size=8, rng=np.random.default_rng(0),
                     validation=examples(10), model=network(half)) | change
    arguments = {name: convert(value) for name, value in arguments.items()}
    if isinstance(arguments["validation"], tuple):
        arguments["validation"] = tuple(map(convert, arguments["validation"]))
    model = arguments.pop("model")
    before = weights(half, model) if model is not len else {}
    with pytest.raises(error, match=message):
        half.training.fit(model, half.losses.CrossEntropyLoss(),
                          half.optim.SGD(network(half).parameters(), 0.1), **arguments)
    if before:
        assert_bit_equal(weights(half, model), before)


ZEROS, INTS, RNG = np.zeros, lambda n: np.zeros(n, int), np.random.default_rng(0)
BAD_CALLS = [
    (lambda t, a: t.minibatches(0, 1, rng=RNG), ValueError, "num_examples: expected an integer at least 1, got 0"),
    (lambda t, a: t.minibatches(1.5, 1, rng=RNG), TypeError, "num_examples: expected an integer, got float 1.5"),
    (lambda t, a: t.minibatches(3, 1, rng=None), TypeError, "rng: expected a numpy.random.Generator"),
    (lambda t, a: t.accuracy(a(ZEROS((0, 3))), a(INTS(0))), ValueError, "logits: expected at least one element"),
    (lambda t, a: t.accuracy(a(ZEROS(3)), a(INTS(3))), ValueError, r"logits: expected shape \(N, C\), got \(3,\)"),
    (lambda t, a: t.accuracy(a(ZEROS((2, 3))), a(INTS(3))), ValueError, r"target: expected shape \(2,\), got \(3,\)"),
    (lambda t, a: t.accuracy(a(ZEROS((2, 3))), a(INTS(2) + 3)), ValueError, "target: expected labels from 0 to 2"),
    (lambda t, a: t.accuracy(a(ZEROS((2, 3))), a(ZEROS(2))), TypeError, "target: expected dtype an integer type"),
    (lambda t, a: t.EarlyStopping(0), ValueError, "patience: expected an integer at least 1"),
    (lambda t, a: t.EarlyStopping(1, -0.1), ValueError, r"min_delta: expected a number in \[0, inf\)"),
    (lambda t, a: t.EarlyStopping(1).update(math.nan, None), ValueError, "value: expected a number"),
    (lambda t, a: t.evaluate(None, None, a(NAN), a(NAN)), ValueError, "x: expected finite numbers"),
    (lambda t, a: t.evaluate(None, None, a(ZEROS(2)), a(ZEROS(3))), ValueError, "y: expected as many rows as x"),
    (lambda t, a: t.evaluate(None, None, a(ZEROS(2)), a(ZEROS(2)), batch_size=0), ValueError, "batch_size: expected"),
]


@halves
@pytest.mark.parametrize(("call", "error", "message"), BAD_CALLS)
def test_the_helpers_refuse_bad_arguments(half, call, error, message):
    with pytest.raises(error, match=message):
        call(half.training, half.array)


@halves
@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": [1, {"b": len}]}, r"state\['a'\]\[1\]\['b'\]: expected .*got builtin_function"),
        ({"a": 1 + 2j}, r"state\['a'\]: expected .*complex"),
    ],
)
def test_only_plain_things_are_saved(half, state, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        half.checkpoint.save_checkpoint(tmp_path / "state", state)
    assert list(tmp_path.iterdir()) == []


@halves
def test_a_training_state_needs_a_model_and_a_generator(half):
    model = half.layer(1, 1)
    with pytest.raises(TypeError, match=r"model: expected a (torch\.nn\.)?Module"):
        half.checkpoint.TrainingState("model", None, np.random.default_rng(0), {})
    with pytest.raises(TypeError, match=r"rng: expected a numpy\.random\.Generator"):
        half.checkpoint.TrainingState(model, half.optim.SGD(model.parameters(), 0.1), 5, {})
