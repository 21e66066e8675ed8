from otter.test_files import test_case

OK_FORMAT = False

name = "q4"
points = 5


@test_case(
    points=0,
    hidden=False,
    failure_message="Do the first row by hand. Its r is 5, its normalised values are 0.2 and 1.4, and dx_hat is (2, 2).",
)
def test_dx_of_two_rows_by_hand(rms_norm_backward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    x, dy, gamma = (np.array([[1.0, 7.0], [-4.0, 4.0]]), np.array([[1.0, 4.0], [3.0, 2.0]]), np.array([2.0, 0.5]))
    mistakes = {
        "This is the direct path alone. The other one goes through r.": [[0.4, 0.4], [1.5, 0.25]],
        "The mean of dx_hat is subtracted, as in batch norm. RMSNorm has no mean in it.": [[-0.064, -0.448], [0, 0]],
        "gamma is missing: it stands between dy and dx_hat.": [[0.084, -0.012], [0.625, 0.625]],
        "gamma belongs into dx_hat, before the mean.": [[0.168, -0.006], [1.25, 0.3125]],
        "A sum over the row stands where its mean belongs.": [[0.272, -0.496], [0.25, 1.5]],
        "The mean goes over the examples. Each row has its own: which axis?": [[0.512, -0.132], [0.8, -0.225]],
        "One mean came for all rows. Each has its own. What does keepdims do?": [[0.418, 0.526], [1.3875, 0.3625]],
        "The division by r is missing.": [[1.68, -0.24], [3.5, 3.5]],
        "The sign of the path through r is wrong: a larger r makes less of x.": [[0.464, 0.848], [2.125, -0.375]],
    }
    dx, _ = expect_tuple(rms_norm_backward(dy, x, gamma, 0.0), ["dx", "dgamma"], "rms_norm_backward(dy, x, gamma, 0)")
    expect_close(dx, [[0.336, -0.048], [0.875, 0.875]], "dx", mistakes=mistakes)


@test_case(
    points=0, hidden=False, failure_message="gamma is shared by all rows, so the contributions of the rows add up."
)
def test_dgamma_of_two_rows_by_hand(rms_norm_backward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    x, dy, gamma = (np.array([[1.0, 7.0], [-4.0, 4.0]]), np.array([[1.0, 4.0], [3.0, 2.0]]), np.array([2.0, 0.5]))
    mistakes = {
        "gamma itself does not belong here: y is gamma times x_hat, and its derivative is x_hat.": [-5.6, 3.8],
        "The input was taken before it was normalised.": [-11.0, 36.0],
        "The mean over the rows was taken. gamma acts on each row, and the effects add up.": [-1.4, 3.8],
        "This has one number for each row. gamma has one for each column.": [5.8, -1.0],
        "This is not yet summed over the rows.": [[0.2, 5.6], [-3.0, 2.0]],
        "This is the derivative of a shift, which RMSNorm has not. gamma multiplies x_hat.": [4.0, 6.0],
    }
    answer = rms_norm_backward(dy, x, gamma, 0.0)
    _, dgamma = expect_tuple(answer, ["dx", "dgamma"], "rms_norm_backward(dy, x, gamma, 0)")
    expect_close(dgamma, [-2.8, 7.6], "dgamma", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="At x = 0 the normalised values are 0 and r is the root of eps. Two terms vanish.",
)
def test_a_row_of_zeros(rms_norm_backward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple, hint_if, plain

    answer = rms_norm_backward(np.array([[3.0, 1.0]]), np.zeros((1, 2)), np.ones(2), 0.25)
    dx, dgamma = expect_tuple(answer, ["dx", "dgamma"], "rms_norm_backward of zeros, eps = 0.25")
    hint_if(not np.isfinite(plain(dx, "dx")).all(), "Something was divided by 0: where does eps belong?", "dx of zeros")
    mistakes = {
        "eps stands under the root, beside the mean square.": [[12.0, 4.0]],
        "eps = 0.25 makes r = 0.5.": [[3.0, 1.0]],
    }
    expect_close(dx, [[6.0, 2.0]], "dx of a row of zeros, eps = 0.25", mistakes=mistakes)
    expect_close(dgamma, [0.0, 0.0], "dgamma of a row of zeros, eps = 0.25")


@test_case(
    points=0,
    hidden=False,
    failure_message="Here r is 5 and the pull at right angles to w. How long is the gradient, and what is w after the step?",
)
def test_one_step_with_decay_by_hand(walk):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    mistakes = {
        "The decay is missing, or it was not multiplied by the learning rate.": np.sqrt([50.0, 68.0]),
        "The decay was taken twice: its gradient is decay * w, without a 2.": np.sqrt([50.0, 20.0]),
        "The pull was taken for the gradient. It is the derivative by the normalised w.": np.sqrt([50.0, 468.0]),
        "The gradient came out as zero: rms_norm_backward takes rows, of shape (1, D).": np.sqrt([50.0, 18.0]),
        "The length at the start comes first, so one step has two lengths.": [6.0],
    }
    answer = walk(np.array([5.0, 5.0]), np.array([[75.0, -75.0]]), 0.2, 2.0)
    lengths, turns = expect_tuple(answer, ["lengths", "turns"], "walk((5, 5), [(75, -75)], 0.2, 2)")
    expect_close(lengths, [np.sqrt(50), 6], "the lengths", mistakes=mistakes)
    mistakes = {"These are degrees. Radians are asked for.": [45.0], "This is the cosine of the turn.": [np.sqrt(0.5)]}
    expect_close(turns, [np.pi / 4], "the turns", atol=1e-07, mistakes=mistakes)


@test_case(
    points=0, hidden=False, failure_message="From (5, 5) the first step leads to (0, 10), the second to (10, 10)."
)
def test_two_steps_without_decay_by_hand(walk):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple, expect_unchanged

    w, pulls, stuck = (np.array([5.0, 5.0]), np.array([[25.0, -25.0], [-10 * np.sqrt(50), 3.0]]), np.sqrt(50) + 0.3)
    mistakes = {
        "The steps go uphill. Subtract the gradient.": np.sqrt([50, 100, 100 + 9 / 50]),
        "The second step started where the first did, at (5, 5).": np.sqrt([50, 100, 50 + 2 * stuck**2]),
    }
    from_start = "These are the angles to the first w. The turn of a step is between w before and after it."
    lengths, turns = expect_tuple(walk(w, pulls, 1.0, 0.0), ["lengths", "turns"], "walk without decay")
    expect_unchanged(np.array([5.0, 5.0]), w, "w")
    expect_close(lengths, np.sqrt([50, 100, 200]), "the lengths", mistakes=mistakes)
    expect_close(turns, [np.pi / 4, np.pi / 4], "the turns", atol=1e-07, mistakes={from_start: [np.pi / 4, 0]})


@test_case(points=0, hidden=False, failure_message="Without a pull w keeps its direction, and the decay shortens it.")
def test_a_step_without_a_pull(walk):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple, hint_if, plain

    answer = walk(np.array([2.0, 3.0, 4.0]), np.zeros((12, 3)), 0.3, 0.5)
    lengths, turns = expect_tuple(answer, ["lengths", "turns"], "walk without a pull")
    expect_close(lengths, np.sqrt(29) * 0.85 ** np.arange(13), "the lengths")
    rounded = "A turn is nan: by rounding its cosine is a hair above 1. Bring it back with np.clip."
    hint_if(np.isnan(plain(turns, "the turns")).any(), rounded, "the turns without a pull")
    expect_close(turns, np.zeros(12), "the turns without a pull", atol=1e-07)


@test_case(
    points=0,
    hidden=False,
    failure_message="Of the triangle you know the long side and the side that the decay leaves. What is their ratio?",
)
def test_the_settled_turn_by_hand(settled):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    mistakes = {
        "This is right in the limit of a small lr * decay. The triangle gives the angle exactly.": 1.0,
        "This is the sine of the turn, not the turn.": np.sqrt(0.75),
        "These are degrees.": 60.0,
        "This is the other angle of the triangle.": np.pi / 6,
        "Which two sides does the tangent compare? The decay has shortened one of them.": np.arctan(np.sqrt(0.75)),
    }
    _, turn = expect_tuple(settled(0.5, 1.0, 2.0, 3), ["length", "turn"], "settled(0.5, 1, 2, 3)")
    expect_close(turn, np.pi / 3, "the turn", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Write Pythagoras for the step. How long is the gradient where w has this length?",
)
def test_the_settled_length_by_hand(settled):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    mistakes = {
        "The square of the length came, or the learning rate is missing in the step.": 2.0,
        "The fourth power of the length came.": 4.0,
        "D is missing: r is the length divided by the root of D.": (4 / 3) ** 0.25,
        "This neglects the square of lr * decay, which is not small here.": 3**0.25,
    }
    length, _ = expect_tuple(settled(0.5, 1.0, 2.0, 3), ["length", "turn"], "settled(0.5, 1, 2, 3)")
    expect_close(length, np.sqrt(2), "the length", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Six hundred random pulls should bring the turns to what settled says, however strong the pulls are.",
)
def test_random_pulls_settle(walk, settled):
    import numpy as np
    from dlcourse.checks import expect_tuple, hint_if, plain

    hint = "Mend what the other checks name. If they all pass, is the balance that of a step with both parts?"
    rng = np.random.default_rng(0)
    w, pulls = (rng.standard_normal(50), rng.standard_normal((600, 50)))
    for strength in (1, 100):
        answer = expect_tuple(walk(w, strength * pulls, 0.1, 0.1), ["lengths", "turns"], "walk")
        wanted = expect_tuple(settled(0.1, 0.1, strength * 7.0, 50), ["length", "turn"], "settled")
        for number, what in enumerate(["length", "turn"]):
            mean, said = (plain(answer[number], what)[-300:].mean(), plain(wanted[number], what))
            both = f"the walk ends with a mean {what} of {mean:.4g}, and settled says {said:.4g}"
            hint_if(not abs(mean - said) < 0.02 * abs(said), hint, both)
