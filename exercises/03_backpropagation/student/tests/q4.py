from otter.test_files import test_case

OK_FORMAT = False

name = "q4"
points = 4


@test_case(points=0, hidden=False, failure_message="Put your z into tanh(z W^T + x). Does the same z come out?")
def test_settle_by_hand(settle):
    import numpy as np
    from dlcourse.checks import expect_close

    half = np.arctanh(0.5)
    w, x = (np.array([[0.8]]), np.array([[half - 0.4]]))
    mistakes = {
        "This is a single layer. Repeat it until nothing moves.": np.tanh(x),
        "The loop stopped while z still moved.": np.tanh(0.8 * np.tanh(x) + x),
    }
    expect_close(settle(w, x), [[0.5]], "settle([[0.8]], x)", mistakes=mistakes)
    W, x = (np.array([[0.0, 2.0], [0.0, 0.0]]), np.array([[-1.0, half]]))
    first = np.tanh(-1.0)
    mistakes = {
        "W[i, j] leads from unit j to unit i. In a row of z that is a product with the transpose.": [
            [first, np.tanh(half + 2 * first)]
        ]
    }
    expect_close(settle(W, x), [[0, 0.5]], "settle of two units", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Go on until no element of any example moves by more than 1e-12. That takes hundreds of layers here.",
)
def test_settle_is_patient(settle):
    import numpy as np
    from dlcourse.checks import expect_close

    x = np.array([[0.0], [np.arctanh(0.1) - 0.098]])
    answer = settle(np.array([[0.98]]), x)
    early = "An example was not done yet when the loop stopped. All of them have to settle."
    expect_close(answer, [[0.0], [0.1]], "settle([[0.98]], x)", mistakes={early: np.tanh(x)})


@test_case(points=0, hidden=False, failure_message="Solve the equation of one unit on paper; u stands on both sides.")
def test_backward_of_one_unit(settle_backward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    mistakes = {
        "This is one layer alone. What the unit says comes back to it, again and again.": 1.5,
        "The slope of tanh is missing: 1 - z**2, with the settled z.": 2 / 0.2,
        "The slope stands before the bracket: it takes what comes round the loop too.": 1.5 / 0.2,
        "Wrong sign: the blame that comes round the loop is added.": 1.5 / 1.6,
        "The loop was walked a second time, but not to its end.": 1.5 * 1.6,
        "The loss speaks about z. From z to the weighted sum its message takes the slope too.": 2 / 0.4,
    }
    parts = settle_backward(np.array([[0.8]]), np.array([[0.5]]), np.array([[2.0]]))
    dW, dx = expect_tuple(parts, ["dW", "dx"], "settle_backward(W, z, dz)")
    expect_close(dx, [[3.75]], "dx", mistakes={hint: [[u]] for hint, u in mistakes.items()})
    missing = "This is u. A weight is multiplied by the activity that it carries, z."
    expect_close(dW, [[1.875]], "dW", mistakes={missing: [[3.75]]})


@test_case(
    points=0, hidden=False, failure_message="Draw both units and the one weight between them. Who sends blame to whom?"
)
def test_backward_of_two_units(settle_backward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    W, z = (np.array([[0.0, 2.0], [0.0, 0.0]]), np.array([[0.0, 0.5], [0.0, 0.5]]))
    turned = "Blame goes against the arrows. W[0, 1] leads from the second unit to the first: who gets it?"
    parts = settle_backward(W, z, np.array([[1.0, 0.0], [0.0, 4.0]]))
    dW, dx = expect_tuple(parts, ["dW", "dx"], "settle_backward(W, z, dz)")
    expect_close(dx, [[1, 1.5], [0, 3]], "dx", mistakes={turned: [[1, 0], [6, 3]]})
    mistakes = {
        "This is the mean over the examples. Their contributions to dW add up.": [[0, 0.25], [0, 1.125]],
        "dW is turned round: its rows belong to the units that hear.": [[0, 0], [0.5, 2.25]],
    }
    expect_close(dW, [[0, 0.5], [0, 2.25]], "dW", mistakes=mistakes)


@test_case(points=0, hidden=False, failure_message="Make new arrays, and leave W, z and dz as they are.")
def test_the_settled_values_stay(settle_backward):
    import numpy as np
    from dlcourse.checks import expect_shape, expect_tuple, expect_unchanged

    given = {"W": np.array([[0.1, 0.3], [0.2, 0.0]]), "z": np.array([[0.5, -0.2]]), "dz": np.array([[1.0, 2.0]])}
    before = {name: array.copy() for name, array in given.items()}
    dW, dx = expect_tuple(settle_backward(*given.values()), ["dW", "dx"], "settle_backward(W, z, dz)")
    expect_shape(dW, (2, 2), "dW")
    expect_shape(dx, (1, 2), "dx")
    for name, array in given.items():
        expect_unchanged(before[name], array, name)
