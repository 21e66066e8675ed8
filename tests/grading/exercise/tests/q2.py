import numpy as np
from otter.test_files import test_case

from dlcourse.checks import expect_close, generator

OK_FORMAT = False
name = "q2"
points = 2


@test_case(name="one step")
def test_step(Counter):
    counter = Counter(2)
    expect_close(counter.add(3), 5, "Counter(2).add(3)")
    expect_close(counter.total, 5, "total")


@test_case(hidden=True, name="many steps")
def test_steps(Counter, answer):
    rng = generator("q2")
    values = rng.integers(0, 1000, size=5)
    counter = Counter(0)
    totals = [counter.add(int(value)) for value in values]
    expect_close(totals, np.cumsum(values), "the totals")
    expect_close(answer, 42, "answer")
