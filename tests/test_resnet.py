"""The small residual network: the numbers of the paper, its shapes, and that it learns."""

import numpy as np
import pytest
import torch

from dlcourse import resnet, resnet_torch
from dlcourse.conv import Conv2d
from dlcourse.data import digits
from dlcourse.linear import Linear
from dlcourse.losses import CrossEntropyLoss
from dlcourse.module import Sequential
from dlcourse.optim import Momentum


def rng():
    return np.random.default_rng(11)


def parameters(module):
    return sum(parameter.data.size for parameter in module.parameters())


def shortcuts(net):
    return [block.shortcut for block in net.layers if getattr(block, "shortcut", None) is not None]


@pytest.mark.parametrize(("blocks", "layers", "millions"), [(3, 20, 0.27), (5, 32, 0.46), (7, 44, 0.66), (9, 56, 0.85)])
def test_layers_and_parameters_are_those_of_the_paper(blocks, layers, millions):
    """Table 6 of the paper, for coloured images; its shortcuts have no parameters."""
    net = resnet.SmallResNet(blocks, in_channels=3, rng=rng(), dtype=np.float32)

    def count(module):
        if isinstance(module, (Conv2d, Linear)):
            return 1
        return sum(count(child) for name, child in module.named_children() if name != "shortcut")

    assert count(net) == layers == 6 * blocks + 2
    assert round((parameters(net) - sum(map(parameters, shortcuts(net)))) / 1e6, 2) == millions


def test_a_shortcut_has_parameters_only_where_channels_change():
    assert [parameters(shortcut) for shortcut in shortcuts(resnet.SmallResNet(rng=rng()))] == [
        16 * 32 + 2 * 32, 32 * 64 + 2 * 64]


def test_each_stage_halves_the_size_and_doubles_the_channels():
    net, x, shapes = resnet.SmallResNet(1, rng=rng(), dtype=np.float32), np.zeros((2, 1, 28, 28), np.float32), []
    for layer in net.layers:
        x = layer(x)
        shapes.append(x.shape[1:])
    assert shapes[2:] == [(16, 28, 28), (16, 28, 28), (32, 14, 14), (64, 7, 7), (64,), (10,)]


def test_there_is_a_way_past_every_branch():
    """With silent branches and all signals positive, the ReLUs pass everything: the shortcuts alone compute it."""
    net = resnet.SmallResNet(3, channels=2, rng=rng()).eval()
    for block in net.layers:
        if hasattr(block, "branch"):
            block.branch[-1].weight.data[...] = 0
    for convolution in [net[0], *(shortcut[0] for shortcut in shortcuts(net))]:
        convolution.weight.data[...] = np.abs(convolution.weight.data)
    x = rng().uniform(0.5, 1, (2, 1, 8, 8))
    assert np.allclose(net(x), Sequential(net[0], net[1], *shortcuts(net), net[-2], net[-1])(x), rtol=1e-12)


def test_it_learns_real_digits():
    """Forty steps on a hundred 8 by 8 digits: the loss falls to less than a twentieth. Deterministic."""
    data = digits()
    x = data.x[:100].reshape(100, 1, 8, 8)
    net, loss = resnet.SmallResNet(1, channels=8, rng=rng(), dtype=np.float32), CrossEntropyLoss()
    optimizer, losses = Momentum(net.parameters(), lr=0.05), []
    for _ in range(40):
        optimizer.zero_grad()
        losses.append(loss(net(x), data.y[:100]))
        net.backward(loss.backward())
        optimizer.step()
    assert losses[-1] < 0.05 * losses[0]


@pytest.mark.parametrize("half", [resnet, resnet_torch], ids=["reference", "counterpart"])
def test_bad_input(half):
    options = {"rng": rng()} if half is resnet else {}
    numbers = (lambda x: x) if half is resnet else torch.from_numpy
    for bad in (0, -1):
        with pytest.raises(ValueError, match="blocks: expected"):
            half.SmallResNet(bad, **options)
    with pytest.raises(TypeError, match="blocks: expected"):
        half.SmallResNet(1.5, **options)
    for name in ("in_channels", "channels", "num_classes"):
        with pytest.raises(ValueError, match=f"^{name}: expected"):
            half.SmallResNet(**{name: 0}, **options)
    net = half.SmallResNet(1, in_channels=3, **options)
    with pytest.raises(ValueError, match=r"x: expected shape \(N, 3, H, W\)"):
        net(numbers(np.zeros((2, 1, 8, 8))))
