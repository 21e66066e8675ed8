from otter.test_files import test_case

OK_FORMAT = False

name = "q1"
points = 2


@test_case(
    points=0,
    hidden=False,
    failure_message="A number added to all scores of an image changes no loss. What is subtracted from each image here?",
)
def test_twins_have_the_same_loss(losses):
    import numpy as np
    from dlcourse.checks import expect_close

    s = np.array([[2.0, 1.0, -1.0], [1002.0, 1001.0, 999.0]])
    right = np.log(1 + np.exp(-1) + np.exp(-3))
    mistakes = {
        "Nothing is left of the first image's exponentials. Print `shifted`.": [-np.inf, right],
        "Now the scores of the second image overflow. A shift is needed, but which?": [right, np.inf],
        "This is the maximum of each class over the images. It changes the scores within an image.": [
            -np.inf,
            np.log(3),
        ],
        "Cutting the scores off makes different scores equal. Shift them instead.": [right, np.log(3)],
        "One number came. Leave out the mean: a loss for each image is wanted.": right,
    }
    for small in (1e-12, 1e-10, 1e-08, 1e-07, 1e-06):
        hint = f"A small number such as {small:g} before the logarithm hides the infinity and keeps the mistake."
        mistakes[hint] = [np.log(small) + 1000, right]
    with np.errstate(all="ignore"):
        answer = losses(s, np.array([0, 0]))
    expect_close(answer, [right, right], "losses(twins, [0, 0])", mistakes=mistakes)


@test_case(
    points=0, hidden=False, failure_message="Work out the first loss by hand, with the maximum 2 of the first image."
)
def test_three_images_and_three_classes(losses):
    import numpy as np
    from dlcourse.checks import expect_close

    def log_of_sum(*exponents):
        return np.log(np.exp(exponents).sum())

    s, y = (np.array([[2.0, 1.0, -1.0], [1.0, 0.0, 2.0], [0.0, 4.0, 0.0]]), np.array([0, 2, 1]))
    expected = [log_of_sum(0, -1, -3), log_of_sum(-1, -2, 0), log_of_sum(-4, 0, -4)]
    columns = [log_of_sum(0, -1, -5), log_of_sum(-1, -2, -2) + 2, log_of_sum(-2, 2, -4) - 2]
    hint = "The maxima of the rows were subtracted from the columns: (N,) against (N, K) with N = K. Keep the axis."
    what = "the losses of three images with three classes"
    expect_close(losses(s, y), expected, what, rtol=1e-05, mistakes={hint: columns})


@test_case(
    points=0,
    hidden=False,
    failure_message="The scores of the first image are equal, so its loss is ln 2, in any company.",
)
def test_no_image_changes_the_loss_of_another(losses):
    import numpy as np
    from dlcourse.checks import expect_close

    hint = "A plausible number, and wrong: the second image takes nearly all digits from the first."
    quiet = [744 + np.log(2 * np.exp(-744.0)), 0]
    for score in (900, 744):
        with np.errstate(all="ignore"):
            answer = losses(np.array([[0.0, 0.0], [score, 0.0]]), np.array([0, 0]))
        what = f"losses([[0, 0], [{score}, 0]], [0, 0])"
        expect_close(answer, [np.log(2), 0], what, mistakes={hint: quiet})


@test_case(
    points=0,
    hidden=False,
    failure_message="The true class is far ahead in both images, so both losses are 0. Print the exponents.",
)
def test_scores_that_are_far_apart(losses):
    import numpy as np
    from dlcourse.checks import expect_close

    hint = "The mean leaves exp of half the gap. Which shift makes the largest exponent 0?"
    with np.errstate(all="ignore"):
        answer = losses(np.array([[0.0, -2000.0], [0.0, -1000.0]]), np.array([0, 0]))
    expect_close(answer, [0, 0], "losses([[0, -2000], [0, -1000]], [0, 0])", mistakes={hint: [np.inf, 0]})


@test_case(points=0, hidden=False, failure_message="Make a new array of shifted scores and leave the caller's alone.")
def test_the_scores_stay_as_they_are(losses):
    import numpy as np
    from dlcourse.checks import expect_shape, expect_unchanged

    s = np.array([[2.0, 1.0, -1.0], [0.0, 3.0, 0.0]])
    before = s.copy()
    answer = losses(s, np.array([0, 1]))
    expect_shape(answer, (2,), "losses of two images")
    expect_unchanged(before, s, "s")
