from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="Derive the dot of each line from the dots before it. How does the output move if only W2 moves?",
)
def test_slope_by_hand(slope):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    z = np.log(3.0)
    given = [np.array([[number]]) for number in (z, 2.0, 1.0, 2.5, 16.0, 4.0)]
    mistakes = {
        "This is the part that comes through A. W2 moves too: what does the product rule say?": -6,
        "This is the part that comes through W2. A moves too.": -3,
        "The slope of the sigmoid is a (1 - a) with its value a. You have put the weighted sum there.": -3
        - 32 * z * (1 - z),
        "The slope of the sigmoid is missing.": -35,
        "1 - a² is the slope of tanh.": -17,
        "Wrong sign: E falls in this direction, since y rises towards the target.": 9,
        "A factor of 2: the half in E cancels the two of the square.": -18,
    }
    error, along = expect_tuple(slope(*given), ["E", "slope"], "slope(W1, W2, x, t, V1, V2)")
    expect_close(
        error, 0.5, "E", mistakes={"This is the slope. E comes first.": -9, "The factor one half is missing in E.": 1}
    )
    expect_close(along, -9, "the slope", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Work out Y, its dot and T - Y for both examples by hand. E and its dot are sums over all their elements.",
)
def test_slope_of_two_examples(slope):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    W1, V1, x = (np.ones((2, 3)), np.full((2, 3), 5.0), np.zeros((2, 3)))
    W2, V2 = (np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[2.0, 0.0], [1.0, 3.0]]))
    t = np.array([[2.5, 1.5], [3.5, 0.5]])
    mistakes = {
        "This is a mean over the examples. E is their sum.": [1.5, -2.5],
        "This is a mean over all outputs. E is their sum.": [0.75, -1.25],
        "V2 is multiplied from the wrong side: rows of W2 and V2 belong to the outputs.": [3, -6],
    }
    answer = expect_tuple(slope(W1, W2, x, t, V1, V2), ["E", "slope"], "slope of two examples")
    expect_close(answer, [3, -5], "E and the slope", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="As in the first check, but E is 4.5e18. If only this check fails, a difference quotient has lost its digits.",
)
def test_slope_of_a_huge_error(slope):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    given = [np.array([[number]]) for number in (np.log(3.0), 2.0, 1.0, 1.5 + 3000000000.0, 16.0, 4.0)]
    error, along = expect_tuple(slope(*given), ["E", "slope"], "slope with a far target")
    expect_close(error, 4.5e18, "E")
    expect_close(along, -27000000000.0, "the slope", rtol=1e-09)


@test_case(
    points=0,
    hidden=False,
    failure_message="Check slope first. Each draw gives the slope along a direction, times this direction. Then the mean.",
)
def test_forward_gradient_by_hand(forward_gradient):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    W1, W2, x, t = (np.array([[number]]) for number in (np.log(3.0), 2.0, 1.0, 2.5))
    g = np.array([-0.375, -0.75])
    for draws, seed in [(1, 0), (1, 3), (7, 1)]:
        rng = np.random.default_rng(seed)
        signs = np.array([[rng.choice([-1.0, 1.0], (1, 1))[0, 0] for _ in "12"] for _ in range(draws)])
        expected = g + g[::-1] * signs.prod(axis=1).mean()
        mistakes = {
            "This is the slope. It still has to be multiplied by the direction.": np.full(2, (signs @ g).mean()),
            "This is the sum over the draws. The mean is asked for.": expected * draws,
            "All draws are the same direction. Make the generator once.": g + g[::-1] * signs[0].prod(),
        }
        parts = expect_tuple(forward_gradient(W1, W2, x, t, draws, seed), ["dW1", "dW2"], "forward_gradient(...)")
        for part, value, place in zip(parts, expected, (0, 1), strict=True):
            wrong = {hint: [[values[place]]] for hint, values in mistakes.items()}
            expect_close(part, [[value]], f"dW{place + 1} of {draws} draws, seed {seed}", mistakes=wrong)


@test_case(
    points=0,
    hidden=False,
    failure_message="Try D = 1 and D = 2 on paper, with all signs written out. There are only two and four cases.",
)
def test_sweeps_by_hand(sweeps):
    from dlcourse.checks import expect_close

    for weights, error, expected in [(2, 1, 1), (3, 0.5, 8), (1, 0.5, 0), (101770, 1, 101769), (101770, 0.1, 10176900)]:
        mistakes = {
            "The term j = i is no noise: v times v is 1 there. How many terms are left?": weights / error**2,
            "This c belongs to directions from a normal distribution. A sign squared is always 1.": (weights + 1)
            / error**2,
            "This goes with one over the error. What is added up are squared errors.": (weights - 1) / error,
            "This is the squared error after so many sweeps; solve for the sweeps.": (weights - 1) * error**2,
            "This counts one sweep for each weight. How noisy is a mean of random ones?": weights,
        }
        expect_close(sweeps(weights, error), expected, f"sweeps({weights}, {error})", mistakes=mistakes)
