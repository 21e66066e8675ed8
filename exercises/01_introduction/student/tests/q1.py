from otter.test_files import test_case

OK_FORMAT = False

name = "q1"
points = 2


@test_case(
    points=0,
    hidden=False,
    failure_message="The two pixels lie in row 2, from column 1 on. How far must they go up, and how far to the left?",
)
def test_two_pixels_in_the_corner(corner):
    import numpy as np
    from dlcourse.checks import expect_close, expect_unchanged

    canvas = np.array([[[0.0, 0, 0, 0], [0, 0, 0, 0], [0, 3, 1, 0]]])
    before = canvas.copy()
    hints = {
        "It went up by its distance from the left, and left by that from the top.": [[0] * 4, [1, 0, 0, 3], [0] * 4],
        "Now the ink moves down and to the right: the signs of the shifts changed.": [[0] * 4, [0, 0, 3, 1], [0] * 4],
        "The ink went up, and not to the left.": [[0, 3, 1, 0], [0] * 4, [0] * 4],
        "The ink went to the left, and not up.": [[0] * 4, [0] * 4, [3, 1, 0, 0]],
    }
    mistakes = {hint: [rows] for hint, rows in hints.items()}
    moved = corner(canvas)
    expect_close(moved, [[[3, 1, 0, 0], [0] * 4, [0] * 4]], "corner of two pixels", mistakes=mistakes)
    expect_unchanged(before, canvas, "canvases")


@test_case(
    points=0,
    hidden=False,
    failure_message="The first two test canvases hold the stroke of training canvas 2. The third is new.",
)
def test_a_stroke_that_moved(relatives):
    import numpy as np
    from dlcourse.checks import expect_equal

    train, test = (np.zeros((3, 4, 5)), np.zeros((3, 4, 5)))
    train[0, 0, 1:4], train[1, 1:4, 2], train[2, 1:3, 1] = (1, 0.5, [1, 0.5])
    test[0, 1:3, 3], test[1, 2:4, 2], test[2, 1:3, 1] = ([1, 0.5], [1, 0.5], [0.5, 1])
    mistakes = {
        "Only the stroke that moved as far down as right was found. Is corner mended?": [-1, 2, -1],
        "No relative has the number -1. argmax says 0 of an array in which nothing is true.": [2, 2, 0],
        "These are yes and no. The number of the training canvas is asked for.": [1, 1, 0],
        "The canvases were compared as they lie there. Compare what corner makes of them.": [-1, -1, -1],
        "The third test canvas has the same pixels in another order. That is another picture.": [2, 2, 2],
        "This says for each training canvas where its relative is. Ask for each test canvas.": [-1, -1, 0],
    }
    expect_equal(relatives(train, test), [2, 2, -1], "relatives of three test canvases", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Each training canvas but the first holds a single pixel of the same darkness.",
)
def test_the_first_of_several(relatives):
    import numpy as np
    from dlcourse.checks import expect_equal, expect_unchanged

    train, test = (np.zeros((5, 3, 3)), np.zeros((1, 3, 3)))
    train[0, 1, 1:], test[0, 2, 2] = (0.5, 1)
    train[1, 0, 2] = train[2, 1, 0] = train[3, 2, 2] = train[4, 0, 0] = 1
    before, tested = (train.copy(), test.copy())
    mistakes = {
        "This is the last relative. The first is asked for.": [4],
        "This is the relative that lies at the same place. The first of all four is asked for.": [3],
        "The numbers count from 0, as everywhere in Python.": [2],
        "The first training canvas has the same sum of ink, but spread over two pixels.": [0],
        "One number came. Put the numbers of all test canvases into an array, here of length 1.": 1,
        "All relatives came. The first for each test canvas is asked for.": [1, 2, 3, 4],
    }
    expect_equal(relatives(train, test), [1], "relatives of one pixel", mistakes=mistakes)
    expect_unchanged(before, train, "train")
    expect_unchanged(tested, test, "test")


@test_case(
    points=0,
    hidden=False,
    failure_message="Draw the four small pictures. Only the blank canvas has a relative, the blank one.",
)
def test_pictures_that_only_resemble(relatives):
    import numpy as np
    from dlcourse.checks import expect_equal

    train, test = (np.zeros((2, 3, 3)), np.zeros((3, 3, 3)))
    train[1, 0, :2] = (1, 0.5)
    test[0, 1, :2], test[1, :2, 1] = ([0.5, 1], [1, 0.5])
    mistakes = {
        "The same ink in another order is another picture: sums and sorted values do not tell them apart.": [1, 1, 0],
        "A lying stroke was taken for a standing one. The shape of what you compare counts too.": [-1, 1, 0],
        "A blank canvas has a relative if there is a blank one in training.": [-1, -1, -1],
    }
    expect_equal(relatives(train, test), [-1, -1, 0], "relatives of small pictures", mistakes=mistakes)
