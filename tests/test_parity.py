"""Every parity case, over sizes drawn by Hypothesis, in both precisions, on every device."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.parity  # noqa: F401  (registers the cases)
from dlcourse.parity import CASES, TOLERANCE, ModulePair, case_rng, draw_sizes, run_case

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA parity needs a CUDA device"),
    ),
]


def size_strategy(case):
    """Turn a case's size specification into a Hypothesis strategy."""
    return st.fixed_dictionaries(
        {
            key: st.integers(*spec) if isinstance(spec, tuple) else st.sampled_from(spec)
            for key, spec in case.sizes.items()
        }
    )


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
@pytest.mark.parametrize("name", sorted(CASES))
def test_twins_agree(name, dtype, device):
    case = CASES[name]

    @settings(max_examples=25)
    @given(sizes=size_strategy(case), seed=st.integers(0, 2**16))
    def check(sizes, seed):
        comparisons = run_case(case, dtype, device, seed, sizes)
        assert comparisons, "the case compares nothing"
        for comparison in comparisons:
            assert comparison.error() <= TOLERANCE[dtype], f"{name} {sizes}: {comparison}"

    check()


def builds_modules(case):
    """Whether a case compares two modules, so that its backward pass can be checked numerically."""
    rng = case_rng(case.name, 0)
    return isinstance(case.build(rng, np.dtype("float64"), "cpu", **draw_sizes(case, rng)), ModulePair)


@pytest.mark.parametrize("name", sorted(name for name, case in CASES.items() if builds_modules(case)))
def test_backward_matches_difference_quotients(name):
    case = CASES[name]

    @settings(max_examples=10)
    @given(sizes=size_strategy(case), seed=st.integers(0, 2**16))
    def check(sizes, seed):
        rng = case_rng(name, seed)
        case.build(rng, np.dtype("float64"), "cpu", **sizes).gradcheck(rng)

    check()
