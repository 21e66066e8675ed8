from otter.test_files import test_case

OK_FORMAT = False

name = "q1"
points = 2


@test_case(
    points=0,
    hidden=False,
    failure_message="Write the winner under each of the four windows, then add up what each winner receives.",
)
def test_one_line_by_hand(pool_backward):
    import numpy as np
    from dlcourse.checks import expect_close

    x, dy = (np.array([[1.0, 5.0, 2.0, 4.0, 3.0, 0.0]]), np.array([[1.0, 10.0, 100.0, 1000.0]]))
    mistakes = {
        "Each winner holds the last message that was sent to it. What became of those before?": [
            [0, 10, 0, 1000, 0, 0]
        ],
        "Each winner holds the first message that was sent to it. What became of the rest?": [[0, 1, 0, 100, 0, 0]],
        "These are the numbers of windows won. A message is the window's gradient.": [[0, 2, 0, 2, 0, 0]],
        "These are the means of the messages. A number that wins twice gets the sum.": [[0, 5.5, 0, 550, 0, 0]],
        "All numbers under a window got its gradient. Only the winner does.": [[1, 11, 111, 1110, 1100, 1000]],
    }
    expect_close(pool_backward(x, dy, 3, 1), [[0, 11, 0, 1100, 0, 0]], "dx of (1, 5, 2, 4, 3, 0)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Place 2 wins both windows of the first line, places 0 and 2 win those of the second.",
)
def test_two_lines_by_hand(pool_backward):
    import numpy as np
    from dlcourse.checks import expect_close

    x, dy = (np.array([[3.0, 1.0, 7.0, 1.0, 5.0], [9.0, 2.0, 6.0, 5.0, 3.0]]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    last_alone = "In the first line the last message alone is left. What became of the one before?"
    mistakes = {
        last_alone: [[0, 0, 2, 0, 0], [3, 0, 4, 0, 0]],
        "Messages of the second line arrived in the first. Each line keeps to itself.": [[3, 0, 7, 0, 0], [0] * 5],
        "Each line got the messages of both.": [[3, 0, 7, 0, 0]] * 2,
    }
    expected = [[0, 0, 3, 0, 0], [3, 0, 4, 0, 0]]
    expect_close(pool_backward(x, dy, 3, 2), expected, "dx of two lines, stride 2", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Of equal numbers the first wins, and it gets the whole gradient of the window.",
)
def test_ties_by_hand(pool_backward):
    import numpy as np
    from dlcourse.checks import expect_close

    x, dy = (np.array([[2.0, 2.0, 2.0, 1.0]]), np.array([[1.0, 10.0, 100.0]]))
    mistakes = {
        "On a tie all equal numbers got the gradient. The first of them takes it.": [[1, 11, 110, 0]],
        "On a tie the last number won. It should be the first.": [[0, 1, 110, 0]],
        "On a tie the gradient was divided. The first of them takes it.": [[0.5, 5.5, 105, 0]],
    }
    expect_close(pool_backward(x, dy, 2, 1), [[1, 10, 100, 0]], "dx of (2, 2, 2, 1)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Two windows of 3 with stride 1 lie on four numbers. Where among them must the largest be?",
)
def test_repeats_by_hand(repeats):
    from dlcourse.checks import expect_close

    mistakes = {
        "The first window has none before it and cannot repeat.": 1.0,
        "This is the share of a window that overlaps. Who wins depends on all the numbers under both windows.": 2 / 3,
        "Which numbers lie under both windows? The largest of all has to be one of them.": 0.25,
        "This is how many windows do not repeat, the first counted.": 1.5,
    }
    expect_close(repeats(2, 3, 1), 0.5, "repeats(2, 3, 1)", mistakes=mistakes)
    mistakes = {
        "This is the chance that one window repeats. How many of count do, on average?": 0.2,
        "The first window has none before it and cannot repeat.": 1.2,
        "Look at the stride: two windows of 3 with stride 2 share one number of five.": 2.5,
    }
    expect_close(repeats(6, 3, 2), 1, "repeats(6, 3, 2)", mistakes=mistakes)


@test_case(points=0, hidden=False, failure_message="Windows that share no number have different winners.")
def test_no_repeats_without_overlap(repeats):
    from dlcourse.checks import expect_close

    expect_close(repeats(5, 2, 2), 0, "repeats(5, 2, 2)")
    mistakes = {"A number of windows cannot be negative. What if the stride is larger than the window?": -9 / 7}
    expect_close(repeats(4, 2, 5), 0, "repeats(4, 2, 5)", mistakes=mistakes)


@test_case(points=0, hidden=False, failure_message="The gradient has the shape of x, and no argument is changed.")
def test_the_lines_stay_as_they_are(pool_backward):
    import numpy as np
    from dlcourse.checks import expect_shape, expect_unchanged

    x, dy = (np.array([[1.0, 5.0, 2.0, 4.0]]), np.array([[1.0, 10.0]]))
    before, sent = (x.copy(), dy.copy())
    expect_shape(pool_backward(x, dy, 3, 1), (1, 4), "pool_backward(x, dy, 3, 1)")
    expect_unchanged(before, x, "x")
    expect_unchanged(sent, dy, "dy")
