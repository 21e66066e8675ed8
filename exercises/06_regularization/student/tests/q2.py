from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="List the four masks of each example with their probabilities, and average by hand. It is 16 and 13.",
)
def test_the_loss_of_two_examples_by_hand(dropout_loss):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    w, x, t = (np.array([1.0, 2.0]), np.array([[1.0, 1.0], [2.0, 0.0]]), np.array([2.0, 1.0]))
    mistakes = {
        "This is the loss without dropout. The variance of the score is missing.": 1.0,
        "q is the probability of keeping here. Have q and 1 - q changed places?": 2.5,
        "This is the variance without the division by q: it has to be (1 - q)/q.": 1 + 4.5 * 3 / 16,
        "One coin was tossed for a whole example. Each input has its own.": 20.5,
        "The second term is a sum over the examples. It needs 1/N like the first.": 28.0,
        "This is the sum over the examples: the factor 1/N is missing.": 29.0,
        "The square of the mean input was taken. The mean of its square is wanted.": 10.75,
        "The variance of the inputs was taken. They are given numbers: only the mask is random.": 4.75,
        "The weights are not squared in the second term.": 11.5,
    }
    loss, _ = expect_tuple(dropout_loss(w, x, t, 0.25), ["loss", "dw"], "dropout_loss(w, x, t, 0.25)")
    expect_close(loss, 14.5, "the loss", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The errors of the mean scores are 1 and 1, the means of the squared inputs 2.5 and 0.5.",
)
def test_the_gradient_of_two_examples_by_hand(dropout_loss):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    w, x, t = (np.array([1.0, 2.0]), np.array([[1.0, 1.0], [2.0, 0.0]]), np.array([2.0, 1.0]))
    mistakes = {
        "The penalty has a gradient too: this is that of the error alone.": [3.0, 1.0],
        "This is the gradient of the penalty alone.": [15.0, 6.0],
        "The factor 2 of the square is missing in the penalty's gradient.": [10.5, 4.0],
        "The factor 2 of the square is missing everywhere.": [9.0, 3.5],
        "In the penalty the weights are missing: the derivative of a square is twice what was squared.": [18.0, 4.0],
        "The sign is wrong in the error: prediction minus target.": [12.0, 5.0],
        "One mean was taken over all inputs. Each input has its own mean square.": [12.0, 19.0],
        "The error's part is the sum over the examples: 1/N is missing there.": [21.0, 8.0],
    }
    _, dw = expect_tuple(dropout_loss(w, x, t, 0.25), ["loss", "dw"], "dropout_loss(w, x, t, 0.25)")
    expect_close(dw, [18.0, 7.0], "dw", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Set the derivative by the single weight to zero. What does (1 - q)/q + 1 make?",
)
def test_one_input_by_hand(dropout_fit):
    import numpy as np
    from dlcourse.checks import expect_close

    mistakes = {
        "This is the solution without dropout.": [1.6],
        "This is ridge with the strength (1 - q)/q. Dropout weighs it with the mean square of the input.": [4 / 5.5],
        "Next to sums over examples the penalty needs a factor N.": [8 / 12.5],
        "Have q and 1 - q changed places?": [1.2],
    }
    x, t = (np.array([[1.0], [2.0]]), np.array([2.0, 3.0]))
    expect_close(dropout_fit(x, t, 0.25), [0.4], "dropout_fit([[1], [2]], [2, 3], 0.25)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The diagonal of X.T @ X / N gets the penalty. What stands beside the diagonal stays.",
)
def test_twins_by_hand(dropout_fit):
    import numpy as np
    from dlcourse.checks import expect_close

    mistakes = {
        "Each twin is treated as if it were alone. What does the other do to its error?": [0.4, 0.4],
        "The penalty went to all entries of the matrix. A weight is penalised by its own square alone.": [0.2, 0.2],
        "This is least squares. Where is the penalty?": [0.8, 0.8],
        "This is w/q. Here w itself is asked for.": [1.28, 1.28],
    }
    x, t = (np.array([[1.0, 1.0], [2.0, 2.0]]), np.array([2.0, 3.0]))
    expect_close(dropout_fit(x, t, 0.25), [0.32, 0.32], "dropout_fit of an input given twice", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Solve the example of the twins with a q of your own, divide by q, and let q go to zero.",
)
def test_the_limit_by_hand(alone):
    import numpy as np
    from dlcourse.checks import expect_close

    mistakes = {
        "This is least squares with both inputs. In the limit no input knows of the other.": [1.4, 0.2],
        "Measured in other units an input needs another weight: divide by something.": [4.0, 4.5],
        "These are the products with t alone. In other units an input needs another weight.": [8, 9],
        "Divide by the sum of squares itself, not by its root.": np.array([8, 9]) / np.sqrt([5, 10]),
        "These are slopes beside a bias. This model has none, so no mean is subtracted.": [1.0, -0.5],
        "One number divides all weights. Each input has its own mean square.": np.array([8, 9]) / 15,
    }
    x, t = (np.array([[1.0, 3.0], [2.0, 1.0]]), np.array([2.0, 3.0]))
    expect_close(alone(x, t), [1.6, 0.9], "alone(x, t)", mistakes=mistakes)


@test_case(points=0, hidden=False, failure_message="The functions may not change their arguments.")
def test_the_arguments_stay_as_they_are(dropout_loss, dropout_fit, alone):
    import numpy as np
    from dlcourse.checks import expect_shape, expect_tuple, expect_unchanged

    arguments = {"w": np.array([1.0, 2.0]), "x": np.array([[1.0, 1.0], [2.0, 0.0]]), "t": np.array([2.0, 1.0])}
    before = {name: array.copy() for name, array in arguments.items()}
    expect_tuple(dropout_loss(*arguments.values(), 0.5), ["loss", "dw"], "dropout_loss(w, x, t, 0.5)")
    expect_shape(dropout_fit(arguments["x"], arguments["t"], 0.5), (2,), "dropout_fit(x, t, 0.5)")
    expect_shape(alone(arguments["x"], arguments["t"]), (2,), "alone(x, t)")
    for name, array in arguments.items():
        expect_unchanged(before[name], array, name)
