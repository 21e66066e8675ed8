from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="With one number everything can be followed on paper. First the new velocity, then the step with it.",
)
def test_one_block_forward_by_hand(forward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    one, ten, weights = (np.array([[1.0]]), np.array([[10.0]]), np.array([[[3.0]]]))
    x, v = expect_tuple(forward(one, ten, weights, 0.5), ["x", "v"], "forward(x, v, weights, momentum)")
    mistakes = {
        "This is x. The order is x, v.": [[9]],
        "The old velocity came in full. It is multiplied by the momentum.": [[13]],
        "The branch was multiplied too. It counts in full, the momentum is for the old velocity.": [[6.5]],
        "The branch saw the new x. It is computed before x moves.": [[38]],
        "The old velocity is lost.": [[3]],
    }
    expect_close(v, [[8]], "v", mistakes=mistakes)
    mistakes = {
        "This is the velocity. The old x is missing in the sum.": [[8]],
        "x was moved by the old velocity. First v changes, then x moves by the new v.": [[11]],
    }
    expect_close(x, [[9]], "x", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Undo the steps in the opposite order. Behind the block are x = 5 and v = 4, before it x = 1 and v = 2.",
)
def test_one_block_rewound_by_hand(rewind):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    five, four, weights = (np.array([[5.0]]), np.array([[4.0]]), np.array([[[3.0]]]))
    x, v = expect_tuple(rewind(five, four, weights, 0.5), ["x", "v"], "rewind(x, v, weights, momentum)")
    mistakes = {
        "The old velocity was taken off x. It was the new one that x moved by; take it off first.": [[27]],
        "This is one more block forward.": [[22]],
        "v was added. On the way back it is taken off.": [[9]],
    }
    expect_close(x, [[1]], "x before the block", mistakes=mistakes)
    mistakes = {
        "The branch was computed from the x behind the block. It had seen the x before it.": [[-22]],
        "The momentum is not undone: divide by it.": [[1]],
        "Multiplied by the momentum. It has to be undone: divide by it.": [[0.5]],
        "Only v was divided, not what is left after the branch is taken off.": [[5]],
        "The branch was added. It has to be taken off.": [[14]],
    }
    expect_close(v, [[2]], "v before the block", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Send numbers forward and rewind them, block by block. From which block on do they differ?",
)
def test_there_and_back(forward, rewind):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple, plain

    rng = np.random.default_rng(3)
    x, v, weights = (rng.standard_normal((2, 3)), rng.standard_normal((2, 3)), rng.standard_normal((4, 3, 3)) / 2)
    last = expect_tuple(forward(x.copy(), v.copy(), weights, 0.8), ["x", "v"], "forward(x, v, weights, 0.8)")
    last = [plain(part, "forward(x, v, weights, 0.8)") for part in last]
    first = expect_tuple(rewind(*last, weights, 0.8), ["x", "v"], "rewind(x, v, weights, 0.8)")
    expect_close(first[0], x, "x, forward through four blocks and rewound")
    expect_close(first[1], v, "v, forward through four blocks and rewound")


@test_case(
    points=0,
    hidden=False,
    failure_message="In this block x = 1 and v = 2 became x = 5 and v = 4. Write each message beside its arrow.",
)
def test_weights_of_one_block_by_hand(backward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    x, v, dx, dv, weights = (np.array(a) for a in ([[5.0]], [[4.0]], [[1.0]], [[10.0]], [[[3.0]]]))
    answer = expect_tuple(backward(x, v, dx, dv, weights, 0.5), ["dx", "dv", "dweights"], "backward(...)")
    mistakes = {
        "This is dweights with the x behind the block. The branch had seen the x before it.": [[[55]]],
        "The velocity also moved x. What reaches it through x is missing.": [[[10]]],
        "Only what came through x has arrived. dv reaches the velocity too.": [[[1]]],
        "The message was multiplied by the momentum before it reached the weights.": [[[5.5]]],
    }
    expect_close(answer[2], [[[11]]], "dweights", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Two arrows leave the x that the branch saw. Which messages come back along them?",
)
def test_one_block_backward_by_hand(backward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    arguments = [np.array(a) for a in ([[5.0]], [[4.0]], [[1.0]], [[10.0]], [[[3.0]]])]
    dx, dv, _ = expect_tuple(backward(*arguments, 0.5), ["dx", "dv", "dweights"], "backward(...)")
    mistakes = {
        "What goes past the branch is missing.": [[33]],
        "The velocity also moved x. What reaches the branch through x is missing.": [[31]],
        "Only what came through x has arrived in the branch.": [[4]],
        "The message was multiplied by the momentum before it went through the branch.": [[17.5]],
    }
    expect_close(dx, [[34]], "dx", mistakes=mistakes)
    mistakes = {
        "The velocity also moved x. What reaches it through x is missing.": [[5]],
        "The old velocity was multiplied by the momentum, and its message is too.": [[11]],
        "Divided by the momentum. Rewinding divides, a derivative is multiplied.": [[22]],
    }
    expect_close(dv, [[5.5]], "dv", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Between the blocks x = -2 and v = -3. What does the ReLU of the second block let through, and what not?",
)
def test_a_closed_relu_by_hand(backward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    x, v, weights = (np.array([[-3.5]]), np.array([[-1.5]]), np.array([[[-3.0]], [[2.0]]]))
    answer = backward(x, v, np.ones((1, 1)), np.zeros((1, 1)), weights, 0.5)
    dx, dv, dweights = expect_tuple(answer, ["dx", "dv", "dweights"], "backward(...)")
    mistakes = {
        "The branch of the second block is closed. Its weights saw max(0, x), which is 0.": [[[1.5]], [[-2]]],
        "The ReLU has not stopped the message on its way back.": [[[3.5]], [[0]]],
        "The ReLU is missing on the way back, for x and for the weights.": [[[3.5]], [[-2]]],
        "The two blocks are mixed up: dweights has the order of weights.": [[[0]], [[1.5]]],
    }
    expect_close(dweights, [[[1.5]], [[0]]], "dweights", mistakes=mistakes)
    mistakes = {"The mask is that of the last x. Each branch has that of the x it saw.": [[1]]}
    expect_close(dx, [[-3.5]], "dx", mistakes=mistakes)
    expect_close(dv, [[0.75]], "dv")


@test_case(
    points=0,
    hidden=False,
    failure_message="Here g is dv, the identity. Which weight joins which number of x to which number of v?",
)
def test_two_rows_backward_by_hand(backward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    x, v = (np.array([[6.0, 0.0], [8.0, 0.0]]), np.array([[5.0, -2.0], [5.0, -1.0]]))
    weights = np.array([[[1.0, 2.0], [0.0, -1.0]]])
    answer = backward(x, v, np.zeros((2, 2)), np.eye(2), weights, 1.0)
    dx, dv, dweights = expect_tuple(answer, ["dx", "dv", "dweights"], "backward(...)")
    mistakes = {
        "This is the transpose: w[i, j] joins number j of x to number i of v.": [[[1, 3], [2, 1]]],
        "This is a mean over the rows. A mean of the loss is in dx and dv already.": [[[0.5, 1], [1.5, 0.5]]],
    }
    expect_close(dweights, [[[1, 2], [3, 1]]], "dweights", mistakes=mistakes)
    mistakes = {"The matrix is transposed. Forward it was x @ w.T; and backward?": [[1, 0], [2, -1]]}
    expect_close(dx, [[1, 2], [0, -1]], "dx", mistakes=mistakes)
    expect_close(dv, np.eye(2), "dv")


@test_case(
    points=0,
    hidden=False,
    failure_message="Undo two blocks with momentum 0.25. By which factor has an error of the last v grown?",
)
def test_lost_digits_by_hand(digits_lost):
    import numpy as np
    from dlcourse.checks import expect_close

    mistakes = {
        "This is the factor. How many binary digits is that?": 16.0,
        "This counts in e. A binary digit is a factor of 2.": 4 * np.log(2),
        "This counts decimal digits.": 4 * np.log10(2),
        "The sign: an error that grows loses digits, and their number is positive.": -4.0,
        "This is the loss in a single block.": 2.0,
    }
    expect_close(digits_lost(2, 0.25), 4, "digits_lost(2, 0.25)", mistakes=mistakes)
    expect_close(digits_lost(7, 1.0), 0, "digits_lost(7, 1)")


@test_case(
    points=0,
    hidden=False,
    failure_message="Here shapes have to be right as the docstrings say, and no argument is changed.",
)
def test_the_arguments_stay_as_they_are(forward, rewind, backward):
    import numpy as np
    from dlcourse.checks import expect_shape, expect_tuple, expect_unchanged

    rng = np.random.default_rng(8)
    rows = {name: rng.standard_normal((3, 2)) for name in ("x", "v", "dx", "dv")}
    weights = rng.standard_normal((4, 2, 2)) / 2
    before, matrices = ({name: array.copy() for name, array in rows.items()}, weights.copy())
    for function, name in [(forward, "forward"), (rewind, "rewind")]:
        parts = expect_tuple(function(rows["x"], rows["v"], weights, 0.9), ["x", "v"], f"{name}(...)")
        for part, letter in zip(parts, "xv", strict=True):
            expect_shape(part, (3, 2), f"{letter} of {name}(...)")
    parts = expect_tuple(backward(*rows.values(), weights, 0.9), ["dx", "dv", "dweights"], "backward(...)")
    for part, name, shape in zip(parts, ["dx", "dv", "dweights"], [(3, 2), (3, 2), (4, 2, 2)], strict=True):
        expect_shape(part, shape, f"{name} of backward(...)")
    for name, array in rows.items():
        expect_unchanged(before[name], array, name)
    expect_unchanged(matrices, weights, "weights")
