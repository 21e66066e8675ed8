"""LeNet-5: the numbers of the paper, its table, and that it learns."""

import numpy as np
import pytest
import torch

from dlcourse import lenet, lenet_torch
from dlcourse.data import digits
from dlcourse.losses import CrossEntropyLoss
from dlcourse.optim import Momentum

# Weights and biases of each layer, LeCun et al. 1998, section II B.
PUBLISHED = {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48_120, "F6": 10_164}


def rng():
    return np.random.default_rng(8)


def count(layer):
    """Count trainable numbers; those without a connection are none."""
    if isinstance(layer, lenet.TableConv2d):
        return int(layer.mask.sum()) * 25 + layer.conv.bias.data.size
    return sum(parameter.data.size for parameter in layer.parameters())


def test_every_layer_has_the_published_number_of_parameters():
    counts = [n for n in map(count, lenet.LeNet5(rng=rng())) if n]
    assert counts[:-1] == list(PUBLISHED.values())
    assert sum(counts[:-1]) == 60_000
    assert counts[-1] == 84 * 10 + 10


def test_the_table_has_the_published_shape():
    """Six maps of three neighbours, six of four, three of two pairs, one of all; each map of S2 is used ten times."""
    assert [len(row) for row in lenet.C3_TABLE] == 6 * [3] + 9 * [4] + [6]
    assert len(set(lenet.C3_TABLE)) == 16
    assert [sum(channel in row for row in lenet.C3_TABLE) for channel in range(6)] == 6 * [10]


def test_an_output_map_does_not_see_what_the_table_leaves_out():
    layer, x = lenet.TableConv2d(6, lenet.C3_TABLE, 5, rng=rng()), rng().standard_normal((1, 6, 5, 5))
    before = layer(x)[0, :, 0, 0].copy()
    x[:, 3] += 1
    changed = layer(x)[0, :, 0, 0] != before
    assert changed.tolist() == [3 in row for row in lenet.C3_TABLE]


def test_connections_that_are_not_there_are_not_learned():
    layer = lenet.TableConv2d(6, lenet.C3_TABLE, 5, rng=rng())
    layer(rng().standard_normal((2, 6, 7, 7)))
    layer.backward(np.ones((2, 16, 3, 3)))
    live = np.broadcast_to(layer.mask, layer.conv.weight.shape) == 1
    assert not layer.conv.weight.grad[~live].any()
    assert layer.conv.weight.grad[live].all()
    assert not layer.conv.weight.data[~live].any()


def test_squashing_keeps_plus_and_minus_one():
    f = lenet.ScaledTanh()
    assert np.allclose(f(np.array([-1.0, 0.0, 1.0])), [-1, 0, 1], atol=1e-4)


def test_it_learns_real_digits():
    """Sixty steps on a hundred 8 by 8 digits, enlarged: the loss falls to less than a tenth. Deterministic."""
    data = digits()
    x = np.kron(data.x[:100].reshape(100, 1, 8, 8), np.ones((3, 3)))
    x = np.pad(x / x.max(), ((0, 0), (0, 0), (4, 4), (4, 4))).astype(np.float32)
    net, loss = lenet.LeNet5(rng=rng(), dtype=np.float32), CrossEntropyLoss()
    optimizer, losses = Momentum(net.parameters(), lr=0.05), []
    for _ in range(60):
        optimizer.zero_grad()
        losses.append(loss(net(x), data.y[:100]))
        net.backward(loss.backward())
        optimizer.step()
    assert np.isclose(losses[0], np.log(10), rtol=0.1)
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize("half", [lenet, lenet_torch], ids=["reference", "counterpart"])
def test_bad_input(half):
    options = {"rng": rng()} if half is lenet else {}
    numbers = (lambda x: x) if half is lenet else torch.from_numpy
    net = half.LeNet5(**options)
    with pytest.raises(ValueError, match=r"x: expected shape \(N, 1, 32, 32\)"):
        net(numbers(np.zeros((2, 1, 28, 28))))
    with pytest.raises(ValueError, match="table: expected channels from 0 to 2"):
        half.TableConv2d(3, [(0, 3)], 3, **options)
    with pytest.raises(ValueError, match="table: expected channels"):
        half.TableConv2d(3, [()], 3, **options)
    with pytest.raises(ValueError, match="x: expected shape"):
        half.Subsample(2)(numbers(np.zeros((1, 3, 4, 4), np.float64 if half is lenet else np.float32)))
