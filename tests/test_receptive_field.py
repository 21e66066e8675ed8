"""Receptive fields: worked examples, what is computed against what is measured, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcourse import activations, conv, conv_torch, module, pooling, pooling_torch
from dlcourse import receptive_field as reference
from dlcourse import receptive_field_torch as counterpart
from dlcourse.interop import copy_weights

HALVES = pytest.mark.parametrize("half", [reference, counterpart], ids=["reference", "counterpart"])


@HALVES
def test_two_kernels_of_three_see_as_much_as_one_of_five(half):
    """And three as much as one of seven: VGG's argument (Simonyan and Zisserman 2015, section 2.3)."""
    assert [field.size for field in half.receptive_field([(3,), (3,), (3,)])] == [3, 5, 7]
    assert half.receptive_field([]) == []


@HALVES
def test_alexnet_by_hand(half):
    layers = [(11, 4), (3, 2), (5, 1, 2), (3, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2)]
    fields = half.receptive_field(layers)
    # 11, + 2*4, + 4*8, + 2*8, and four times + 2*16; strides 4, 2, 2, 2; margins 2*8 and three times 1*16
    assert [field.size for field in fields] == [11, 19, 51, 67, 99, 131, 163, 195]
    assert [field.jump for field in fields] == [4, 8, 8, 16, 16, 16, 16, 32]
    assert [field.start for field in fields] == [0, 0, -16, -16, -32, -48, -64, -64]


@HALVES
def test_dilation_doubles_what_is_seen(half):
    """Kernels of three with gaps 1, 2, 4, 8: each layer doubles, where without gaps each adds two."""
    assert [field.size for field in half.receptive_field([(3, 1, 0, 2**i) for i in range(4)])] == [3, 7, 15, 31]


def test_what_a_unit_sees():
    field = reference.Field(size=5, jump=2, start=-1)
    assert [field.seen_by(unit) for unit in (0, 1, 3)] == [(-1, 3), (1, 5), (5, 9)]


def test_weights_of_two_equal_kernels_by_hand():
    """Ones everywhere: the number of paths from a pixel to the unit, 1 2 3 2 1 along each direction."""
    network = module.Sequential(*(conv.Conv2d(1, 1, 3, bias=False, rng=np.random.default_rng(0)) for _ in range(2)))
    for parameter in network.parameters():
        parameter.data[...] = 1
    paths = np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1])
    assert np.array_equal(reference.effective_field(network, np.ones((2, 1, 5, 5))), paths)
    assert np.array_equal(reference.effective_field(network, np.ones((1, 1, 7, 8)), (1, 3))[1:6, 3:8], paths)


def test_the_weight_of_a_deep_stack_is_near_the_middle():
    """Luo et al. 2016: ten kernels of three see 21 pixels, of which the middle 11 carry 97% of the weight.

    With equal weights, that of a column is the probability that ten independent steps of -1, 0 or 1 end
    there. Their sum has variance 20/3, about that of a Gaussian.
    """
    line = np.ones(1)
    for _ in range(10):
        line = np.convolve(line, [1 / 3] * 3)
    inside = line[5:16].sum()
    network = torch.nn.Sequential(*(torch.nn.Conv2d(1, 1, 3, bias=False, dtype=torch.float64) for _ in range(10)))
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 1 / 9)
    weights = counterpart.effective_field(network, torch.zeros(1, 1, 21, 21, dtype=torch.float64))
    assert counterpart.extent(weights) == ((0, 20), (0, 20))
    assert weights.sum().item() == pytest.approx(1)
    assert weights.sum(0)[5:16].sum().item() == pytest.approx(inside)
    assert 0.96 < inside < 0.98


def drawn_layers():
    """Draw at most four layers, two of them maximum pooling: (kind, kernel, stride, padding, dilation)."""
    sizes = st.tuples(st.integers(1, 3), st.integers(1, 3))
    layer = st.tuples(st.sampled_from(["conv", "conv", "max", "average"]), sizes, st.integers(1, 2),
                      st.integers(0, 1), st.integers(1, 2))
    stacks = st.lists(layer, min_size=1, max_size=4)
    return stacks.filter(lambda layers: sum(kind == "max" for kind, *_ in layers) <= 2)


def build(layers):
    """Build both halves of a stack."""
    ours, theirs, rng = [], [], np.random.default_rng(0)
    for kind, kernel, stride, padding, dilation in layers:
        if kind == "conv":
            ours.append(conv.Conv2d(1, 1, kernel, stride, padding, dilation, rng=rng))
            theirs.append(conv_torch.Conv2d(1, 1, kernel, stride, padding, dilation, dtype=torch.float64))
        else:
            name, padding = {"max": "MaxPool2d", "average": "AvgPool2d"}[kind], padding * (min(kernel) // 2)
            ours.append(getattr(pooling, name)(kernel, stride, padding))
            theirs.append(getattr(pooling_torch, name)(kernel, stride, padding))
    ours, theirs = module.Sequential(*ours), torch.nn.Sequential(*theirs)
    copy_weights(ours, theirs)
    return ours, theirs


@settings(max_examples=60)
@given(layers=drawn_layers())
def test_what_is_computed_is_what_is_measured(layers):
    """The first unit whose field lies inside the image.

    A maximum passes the gradient to one pixel of at most three in a line, so that one image in nine shows an end of the
    field behind two of them: 200 images miss one of four ends with probability 4 * (8/9)^200 < 1e-9.
    """
    networks = build(layers)
    fields = [reference.receptive_field(reference.windows(networks[0], axis))[-1] for axis in (0, 1)]
    units = [-(field.start // field.jump) for field in fields]       # rounded up
    shape = [field.seen_by(unit)[1] + 3 for field, unit in zip(fields, units, strict=True)]
    expected = tuple(field.seen_by(unit) for field, unit in zip(fields, units, strict=True))
    x = np.random.default_rng(1).standard_normal((200, 1, *shape))
    assert reference.extent(reference.effective_field(networks[0], x, units)) == expected
    assert counterpart.extent(counterpart.effective_field(networks[1], torch.from_numpy(x), units)) == expected


def test_gradients_of_parameters_are_left_alone():
    network = module.Sequential(conv.Conv2d(1, 1, 3, rng=np.random.default_rng(0)), activations.ReLU())
    reference.effective_field(network, np.ones((1, 1, 5, 5)))
    assert all(parameter.grad is None for parameter in network.parameters())
    twin = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3), torch.nn.ReLU())
    with torch.no_grad():
        counterpart.effective_field(twin, torch.ones(1, 1, 5, 5))
    assert all(parameter.grad is None for parameter in twin.parameters())


@HALVES
def test_bad_input(half):
    with pytest.raises(TypeError, match="layers: expected a list of tuples, got int 3"):
        half.receptive_field(3)
    with pytest.raises(TypeError, match=r"layers\[1\]: expected a tuple"):
        half.receptive_field([(3,), 3])
    with pytest.raises(ValueError, match=r"layers\[0\]: expected one to four numbers, got 0"):
        half.receptive_field([()])
    with pytest.raises(ValueError, match=r"layers\[0\] stride: expected an integer at least 1, got 0"):
        half.receptive_field([(3, 0)])
    with pytest.raises(TypeError, match=r"layers\[0\] kernel_size: expected an integer, got float"):
        half.receptive_field([(3.0,)])
    with pytest.raises(ValueError, match="axis: expected one of 0, 1, got 2"):
        half.windows(module.Sequential() if half is reference else torch.nn.Sequential(), 2)
    flat = module.Flatten() if half is reference else torch.nn.Flatten()
    with pytest.raises(TypeError, match=r"network: expected convolutions, pooling and layers .*, got Flatten"):
        half.windows(flat)
    with pytest.raises(TypeError, match="network: expected a Module"):
        half.effective_field(len, np.ones((1, 1, 5, 5)))
    numbers = np.asarray if half is reference else torch.tensor
    x, pool = numbers(np.ones((1, 1, 5, 5))), build([("max", (2, 2), 1, 0, 1)])[half is counterpart]
    with pytest.raises(ValueError, match=r"x: expected shape \(N, C, H, W\)"):
        half.effective_field(pool, x[0])
    with pytest.raises(ValueError, match=r"position\[1\]: expected an integer from 0 to 3, got 4"):
        half.effective_field(pool, x, (0, 4))
    with pytest.raises(TypeError, match="position: expected two integers"):
        half.effective_field(pool, x, 3)
    with pytest.raises(ValueError, match=r"network: expected maps of shape \(N, K, H, W\) from it, got \(1, 25\)"):
        half.effective_field(flat, x)
    with pytest.raises(ValueError, match="weights: expected at least one that is not zero"):
        half.extent(numbers(np.zeros((2, 2))))
