from otter.test_files import test_case

OK_FORMAT = False

name = "q3"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="Which share of the mean square of z does the leaky ReLU leave? Ten times the variance times it is 1.",
)
def test_the_start_for_ten_inputs_by_hand(leaky_std):
    from dlcourse.checks import expect_close

    mistakes = {
        "This is He's start for the ReLU. The left side passes something on as well.": 0.2**0.5,
        "This is the variance. The standard deviation is asked for.": 0.16,
        "The slope comes in as (1 + alpha)^2. The two halves of the signal are separate: add their squares.": 0.2981424,
        "The slope comes in without its square: a mean square is scaled by alpha^2.": (2 / 15) ** 0.5,
        "The sign before alpha^2 is wrong: what passes on the left adds to the mean square.": (2 / 7.5) ** 0.5,
        "This is the start of a linear layer. The left side is scaled down.": 0.1**0.5,
    }
    expect_close(leaky_std(10, 0.5), 0.4, "leaky_std(10, 0.5)", mistakes=mistakes)
    expect_close(leaky_std(4, -1.0), 0.5, "leaky_std(4, -1.0)")


@test_case(
    points=0,
    hidden=False,
    failure_message="Write down the four terms for c = 0 and c = -1. The angles are pi/2 and pi, those of -c pi/2 and 0.",
)
def test_one_layer_of_slope_one_half_by_hand(cosine_after):
    import numpy as np
    from dlcourse.checks import expect_close

    pi = np.pi
    unscaled = "This is the mean product, not yet a cosine: divide by the mean square of the output."
    scaled = "The mean square of a leaky ReLU is larger than 1/2 of that of z. Divide by all of it."
    mistakes = {
        "This is the ReLU: the terms in which u and v have different signs are missing.": [0, 1 / pi, 1],
        unscaled: [-0.5, 0.125 / pi, 0.625],
        scaled: [-1, 0.25 / pi, 1.25],
        "The mixed terms have the wrong sign: to the left of zero, phi is negative.": [0.8, 1.8 / pi, 1],
        "There are two mixed terms, (u, -v) and (-u, v). Only one is here.": [-0.4, 0.6 / pi, 1],
        "In the mixed terms the angle is pi - theta: it changes with the sign of c.": [0, 0.2 / pi, 1.8],
    }
    answer = cosine_after(np.array([-1.0, 0.0, 1.0]), 0.5, 1)
    expect_close(answer, [-0.8, 0.2 / pi, 1], "cosine_after([-1, 0, 1], 0.5, 1)", atol=1e-06, mistakes=mistakes)


@test_case(points=0, hidden=False, failure_message="Each layer starts from the cosine that the last one left.")
def test_the_layers_are_counted(cosine_after):
    import numpy as np
    from dlcourse.checks import expect_close

    mistakes = {"One layer too many.": [0.1731074], "One layer too few.": [0.063662], "No layer has acted.": [0.0]}
    answer = cosine_after(np.array([0.0]), 0.5, 2)
    expect_close(answer, [0.1210868], "cosine_after([0], 0.5, 2)", rtol=1e-05, mistakes=mistakes)
    expect_close(cosine_after(np.array([0.0]), 0.5, 0), [0.0], "cosine_after([0], 0.5, 0), without a layer")


@test_case(
    points=0,
    hidden=False,
    failure_message="With alpha = 1 the layer is linear, and a wide linear layer keeps every angle. What is K(c) - K(-c)?",
)
def test_linear_layers_keep_every_angle(cosine_after):
    import numpy as np
    from dlcourse.checks import expect_close, expect_unchanged

    c = np.array([-0.9, 0.1, 0.7])
    before = c.copy()
    answer = cosine_after(c, 1.0, 5)
    expect_unchanged(before, c, "c")
    expect_close(answer, before, "cosine_after([-0.9, 0.1, 0.7], 1.0, 5)", atol=1e-06)


@test_case(points=0, hidden=False, failure_message="Equal inputs have c = 1, and then K(1) = 1/2 and K(-1) = 0.")
def test_equal_inputs_stay_equal(cosine_after):
    import numpy as np
    from dlcourse.checks import expect_close

    for alpha in (0.0, 0.1, 0.3, -0.7):
        expect_close(cosine_after(np.array([1.0]), alpha, 60), [1.0], f"cosine_after([1], {alpha}, 60)", atol=1e-05)
