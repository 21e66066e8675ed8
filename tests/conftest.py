"""Settings shared by all tests."""

import os

# Two test workers on two cores: more threads than one each only get in each other's way. Set
# before NumPy and torch are imported, which is when their thread pools are sized.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# Derandomized: the same examples in every run, so that a red test is a change in the code and
# never luck. No deadline: the first call of a torch function may compile or load something.
settings.register_profile(
    "course", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("course")


@pytest.fixture
def rng():
    """A fresh generator with a fixed seed."""
    return np.random.default_rng(0)
