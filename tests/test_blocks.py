"""Building blocks: what makes each of them what it is, and what they refuse."""

import numpy as np
import pytest
import torch

from dlcourse import blocks, blocks_torch


def rng():
    return np.random.default_rng(9)


def parameters(block):
    return sum(parameter.data.size for parameter in block.parameters())


def test_a_residual_block_whose_branch_is_silent_passes_its_input_on():
    """With the last norm at zero, F(x) = 0: for positive x the block is the identity, and so is its gradient."""
    block, x = blocks.BasicBlock(4, 4, rng=rng()), rng().uniform(0.1, 1, (2, 4, 5, 5))
    block.branch[-1].weight.data[...] = 0
    assert np.array_equal(block(x), x)
    dy = rng().standard_normal(x.shape)
    assert np.array_equal(block.backward(dy), dy)


def test_a_plain_block_whose_branch_is_silent_passes_nothing_on():
    block, x = blocks.BasicBlock(4, 4, skip=False, rng=rng()), rng().uniform(0.1, 1, (2, 4, 5, 5))
    block.branch[-1].weight.data[...] = 0
    assert not block(x).any()
    assert not block.backward(np.ones_like(x)).any()


def test_parameters_of_the_published_blocks():
    """ResNet: 3x3 convolutions of 64 channels and their norms; and 256-64-64-256, which costs about as much."""
    assert parameters(blocks.BasicBlock(64, 64, rng=rng())) == 2 * (64 * 64 * 9 + 2 * 64)
    assert parameters(blocks.Bottleneck(256, 64, rng=rng())) == (
        256 * 64 + 64 * 64 * 9 + 64 * 256 + 2 * (64 + 64 + 256))


def test_a_shortcut_is_learned_only_where_the_shape_changes():
    assert blocks.BasicBlock(8, 8, rng=rng()).shortcut is None
    assert blocks.BasicBlock(8, 16, rng=rng()).shortcut is not None
    assert blocks.BasicBlock(8, 8, stride=2, rng=rng()).shortcut is not None
    assert blocks.BasicBlock(8, 16, skip=False, rng=rng()).shortcut is None
    assert blocks.Bottleneck(8, 4, rng=rng()).shortcut is not None


def test_inception_3a_of_googlenet():
    """Table 1 of the paper: from 192 channels to 256; 163,696 parameters."""
    block = blocks.Inception(192, 64, 96, 128, 16, 32, 32, rng=rng(), dtype=np.float32)
    assert block(np.zeros((1, 192, 28, 28), np.float32)).shape == (1, 256, 28, 28)
    weights = 192 * 64 + 192 * 96 + 9 * 96 * 128 + 192 * 16 + 25 * 16 * 32 + 192 * 32
    assert parameters(block) == weights + 64 + 96 + 128 + 16 + 32 + 32 == 163_696


def test_squeeze_and_excite_turns_channels_off():
    block, x = blocks.SqueezeExcite(4, 2, rng=rng()), rng().standard_normal((3, 4, 5, 5))
    last = block.excite[3]
    last.weight.data[...] = 0
    last.bias.data[...] = [-50, 0, 50, 50]
    assert np.allclose(block(x), x * np.array([0, 0.5, 1, 1])[:, None, None], atol=1e-15)


@pytest.mark.parametrize("half", [blocks, blocks_torch], ids=["reference", "counterpart"])
def test_bad_input(half):
    options = {"rng": rng()} if half is blocks else {"dtype": torch.float64}
    numbers = (lambda x: x) if half is blocks else torch.from_numpy
    with pytest.raises(ValueError, match="reduction: expected at most channels = 4, got 16"):
        half.SqueezeExcite(4, **options)
    with pytest.raises((ValueError, TypeError), match="channels"):
        half.SqueezeExcite(0, 1, **options)
    with pytest.raises(ValueError, match=r"x: expected shape \(N, 3, H, W\)"):
        half.BasicBlock(3, 3, **options)(numbers(np.zeros((1, 2, 4, 4))))
    with pytest.raises(ValueError, match=r"x: expected shape \(N, 3, H, W\)"):
        half.Inception(3, 1, 1, 1, 1, 1, 1, **options)(numbers(np.zeros((1, 2, 4, 4))))
