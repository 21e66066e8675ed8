from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = 3


@test_case(
    points=0, hidden=False, failure_message="Of the four examples only the first is right. The last is on the line."
)
def test_four_examples_by_hand(criterion):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    w, b = (np.array([1.0, -1.0]), 0.0)
    x, y = (np.array([[2.0, 1.0], [1.0, 3.0], [4.0, 1.0], [2.0, 2.0]]), np.array([1, 1, -1, 1]))
    loss, dw, db = expect_tuple(criterion(w, b, x, y), ["loss", "dw", "db"], "criterion(w, b, x, y)")
    expect_close(
        loss,
        1.25,
        "the loss",
        mistakes={
            "This is the sum over the examples: the factor 1/N is missing.": 5.0,
            "This is the mean over the mistakes alone. N counts all examples.": 5 / 3,
            "This is the hinge loss, which also wants a margin of 1.": 2.0,
            "This is the share of mistakes. The criterion weighs each by how far off it is.": 0.75,
        },
    )
    expect_close(
        dw,
        [0.25, -1.0],
        "dw",
        mistakes={
            "Wrong sign: this points downhill. A gradient points uphill, and the rule steps against it.": [-0.25, 1.0],
            "This is the sum over the examples: the factor 1/N is missing in dw.": [1.0, -4.0],
            "The example on the line is missing. Count y s = 0 as a mistake.": [0.75, -0.5],
            "All examples take part. Where the maximum is 0, its derivative is 0 too.": [-0.25, -1.25],
            "The labels are missing in dw: a mistake contributes its label times its example.": [-1.75, -1.5],
            "This is summed over the inputs. One number for each weight is wanted: sum over the examples.": [
                0.0,
                -1.0,
                1.25,
                -1.0,
            ],
        },
    )
    expect_close(
        db,
        -0.25,
        "db",
        mistakes={
            "The bias has a gradient too: its input is always 1.": 0.0,
            "The factor 1/N is missing in db.": -1.0,
            "Wrong sign in db.": 0.25,
        },
    )


@test_case(
    points=0,
    hidden=False,
    failure_message="Move one weight by h, look how much your loss changes, and divide by h. That is what dw must hold.",
)
def test_the_slope_of_your_own_loss(criterion):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple, plain

    def parts(w, b):
        return expect_tuple(criterion(w, b, x.copy(), y.copy()), ["loss", "dw", "db"], "criterion(w, b, x, y)")

    w, b, h = (np.array([0.5, -2.0, 1.0]), 0.25, 1e-06)
    x = np.array([[1.0, 2.0, -1.0], [0.0, 1.0, 3.0], [-2.0, 1.5, 1.0], [3.0, 0.5, 2.0], [1.0, -1.0, 0.0]])
    y = np.array([1, -1, 1, -1, 1])
    _, dw, db = parts(w, b)
    slopes = [
        (plain(parts(w + step, b)[0], "the loss") - plain(parts(w - step, b)[0], "the loss")) / (2 * h)
        for step in h * np.eye(3)
    ]
    slope = (plain(parts(w, b + h)[0], "the loss") - plain(parts(w, b - h)[0], "the loss")) / (2 * h)
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
