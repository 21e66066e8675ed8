from otter.test_files import test_case

OK_FORMAT = False

name = "q1"
points = 2


@test_case(points=0, hidden=False, failure_message="Compare your rows with the table of the chapter, update by update.")
def test_the_table_of_the_chapter(train):
    import numpy as np
    from dlcourse.checks import expect_close

    x, y = (np.array([[1.0, 2.0], [2.0, 0.0], [1.0, 1.0]]), np.array([-1, 1, 1]))
    table = np.array([[-1, -2, -1], [1, -2, 0], [2, -1, 1], [1, -3, 0], [2, -2, 1]])
    one_array = "All five rows equal the last line. Are they five arrays, or one?"
    too_early = "These are the lines before each update. Keep the line after it has moved."
    every_row = "A row for each example came, also where the line did not move. Keep it only after an update."
    no_update = "There was no update at all. With zero weights every score is 0, and a point on the line is a mistake."
    mistakes = {
        one_array: table[[4, 4, 4, 4, 4]],
        too_early: np.concatenate([np.zeros((1, 3)), table[:-1]]),
        every_row: table[[0, 1, 2, 3, 3] + 25 * [4]],
        no_update: np.zeros(0),
        "The bias grew by 1 at every mistake. It has to move by the label.": [[-1, -2, 1], [1, -2, 2]],
    }
    expect_close(train(x, y, 10), table, "train(abc, abc_y, 10)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="If no epoch is clean, the loop ends after max_epochs, with all updates until then.",
)
def test_a_point_with_both_labels_is_never_settled(train):
    import numpy as np
    from dlcourse.checks import expect_close

    x, y = (np.array([[1.0], [1.0]]), np.array([1, -1]))
    mistakes = {
        "All six rows equal the last line. Are they six arrays, or one?": np.zeros((6, 2)),
        "These are the lines before each update.": [[0, 0], [1, 1]] * 3,
    }
    expect_close(train(x, y, 3), [[1, 1], [0, 0]] * 3, "train([[1], [1]], [1, -1], 3)", mistakes=mistakes)


@test_case(
    points=0, hidden=False, failure_message="Extend a copy of the examples, or build new rows, and leave x and y alone."
)
def test_the_examples_stay_as_they_are(train):
    import numpy as np
    from dlcourse.checks import expect_shape, expect_unchanged

    x, y = (np.array([[1.0, 2.0], [2.0, 0.0], [1.0, 1.0]]), np.array([-1, 1, 1]))
    before, labels = (x.copy(), y.copy())
    path = train(x, y, 10)
    expect_shape(path, ("K", 3), "train(abc, abc_y, 10)")
    expect_unchanged(before, x, "x")
    expect_unchanged(labels, y, "y")
