from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = 3


@test_case(
    points=0, hidden=False, failure_message="Of the four examples only the first is right. The last is on the line."
)
def test_the_loss_of_four_examples_by_hand(criterion):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    w, b = (np.array([1.0, -1.0]), 0.0)
    x, y = (np.array([[2.0, 1.0], [1.0, 3.0], [4.0, 1.0], [2.0, 2.0]]), np.array([1, 1, -1, 1]))
    mistakes = {
        "This is the sum over the examples: the factor 1/N is missing.": 5.0,
        "This is the mean over the mistakes alone. N counts all examples.": 5 / 3,
        "This is the hinge loss, which also wants a margin of 1.": 2.0,
        "This is the share of mistakes. The criterion weighs each by how far off it is.": 0.75,
    }
    loss, _, _ = expect_tuple(criterion(w, b, x, y), ["loss", "dw", "db"], "criterion(w, b, x, y)")
    expect_close(loss, 1.25, "the loss", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Write down the derivative of each of the four terms. Only the first of them is zero.",
)
def test_dw_of_four_examples_by_hand(criterion):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    w, b = (np.array([1.0, -1.0]), 0.0)
    x, y = (np.array([[2.0, 1.0], [1.0, 3.0], [4.0, 1.0], [2.0, 2.0]]), np.array([1, 1, -1, 1]))
    sums = "This is summed over the inputs. One number for each weight is wanted: sum over the examples."
    mistakes = {
        "Wrong sign: this points downhill. A gradient points uphill, and the rule steps against it.": [-0.25, 1.0],
        "This is the sum over the examples: the factor 1/N is missing in dw.": [1.0, -4.0],
        "The example on the line is missing. Count y s = 0 as a mistake.": [0.75, -0.5],
        "All examples take part. Where the maximum is 0, its derivative is 0 too.": [-0.25, -1.25],
        "The labels are missing in dw: a mistake contributes its label times its example.": [-1.75, -1.5],
        sums: [0.0, -1.0, 1.25, -1.0],
    }
    _, dw, _ = expect_tuple(criterion(w, b, x, y), ["loss", "dw", "db"], "criterion(w, b, x, y)")
    expect_close(dw, [0.25, -1.0], "dw", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The bias is the weight of an input that is always 1. Its gradient is that of dw with all inputs 1.",
)
def test_db_of_five_examples_by_hand(criterion):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    w, b, y = (np.array([1.0, -1.0]), 0.0, np.array([1, 1, -1, 1, 1]))
    x = np.array([[2.0, 1.0], [1.0, 3.0], [4.0, 1.0], [2.0, 2.0], [0.0, 1.0]])
    mistakes = {
        "The bias has a gradient too: its input is always 1.": 0.0,
        "The example on the line is missing in db. Count y s = 0 as a mistake.": -0.2,
        "The factor 1/N is missing in db.": -2.0,
        "This is a mean over the mistakes alone. N counts all examples.": -0.5,
        "All examples take part in db. Where the maximum is 0, its derivative is 0 too.": -0.6,
        "Wrong sign in db.": 0.4,
    }
    _, _, db = expect_tuple(criterion(w, b, x, y), ["loss", "dw", "db"], "criterion(w, b, x, y)")
    expect_close(db, -0.4, "db", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Move one weight by h, look how much your loss changes, and divide by h. That is what dw must hold.",
)
def test_the_slope_of_your_own_loss(criterion):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple, plain

    x = np.array([[1.0, 2.0, -1.0], [0.0, 1.0, 3.0], [-2.0, 1.5, 1.0], [3.0, 0.5, 2.0], [1.0, -1.0, 0.0]])
    y, w, b, h = (np.array([1, -1, 1, -1, 1]), np.array([0.5, -2.0, 1.0]), 0.25, 1e-06)

    def loss(w, b):
        answer = criterion(w, b, x.copy(), y.copy())
        return plain(expect_tuple(answer, ["loss", "dw", "db"], "criterion(w, b, x, y)")[0], "the loss")

    slopes = [(loss(w + step, b) - loss(w - step, b)) / (2 * h) for step in h * np.eye(3)]
    slope = (loss(w, b + h) - loss(w, b - h)) / (2 * h)
    _, dw, db = expect_tuple(criterion(w, b, x.copy(), y.copy()), ["loss", "dw", "db"], "criterion(w, b, x, y)")
    expect_close(dw, slopes, "dw beside the slope of your loss", rtol=1e-05, atol=1e-07)
    expect_close(db, slope, "db beside the slope of your loss", rtol=1e-05, atol=1e-07)


@test_case(points=0, hidden=False, failure_message="The function may not change its arguments.")
def test_the_arguments_stay_as_they_are(criterion):
    import numpy as np
    from dlcourse.checks import expect_tuple, expect_unchanged

    arguments = {"w": np.array([1.0, -1.0]), "x": np.array([[2.0, 1.0], [1.0, 3.0]]), "y": np.array([1, -1])}
    before = {name: array.copy() for name, array in arguments.items()}
    answer = criterion(arguments["w"], 0.5, arguments["x"], arguments["y"])
    expect_tuple(answer, ["loss", "dw", "db"], "criterion(w, b, x, y)")
    for name, array in arguments.items():
        expect_unchanged(before[name], array, name)
