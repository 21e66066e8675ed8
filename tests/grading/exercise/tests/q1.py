import numpy as np
from otter.test_files import test_case

from dlcourse.checks import expect_close, expect_raises, expect_shape, expect_unchanged, generator

OK_FORMAT = False
name = "q1"
points = 4


@test_case(points=1, name="an example", failure_message="The slope is 0 below zero.")
def test_example(relu_gradient):
    x = np.array([-1.5, 2.0, 3.0])
    expect_close(relu_gradient(x), np.array([0.0, 1.0, 1.0]), "relu_gradient(x)")


@test_case(points=1, name="leaves its argument alone")
def test_unchanged(relu_gradient):
    x = np.array([-1.5, 2.0, 3.0])
    before = x.copy()
    expect_close(relu_gradient(x), before > 0, "relu_gradient(x)")
    expect_unchanged(before, x, "x")


@test_case(points=1, hidden=True, name="random inputs")
def test_random(relu_gradient):
    x = generator("q1").normal(size=(4, 3))
    expect_close(relu_gradient(x), x > 0, "relu_gradient(x)", mistakes={"The sign.": -1.0 * (x > 0)})


@test_case(points=1, hidden=True, name="refuses text")
def test_raises(relu_gradient):
    with expect_raises("TypeError", "relu_gradient('text')"):
        relu_gradient("text")
    expect_shape(relu_gradient(np.zeros(0)), (0,), "relu_gradient of no values")
