from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="With scores (ln 3, 0) the probabilities are 3/4 and 1/4. Write down the three rows of the loss.",
)
def test_the_loss_of_three_images_by_hand(soft_cross_entropy):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    s, t = (np.array([[np.log(3), 0.0], [0.0, 0.0], [1.0, 2.0]]), np.array([[0.5, 0.5], [0.0, 3.0], [0.0, 0.0]]))
    total = np.log(16 / 3) / 2 + 3 * np.log(2)
    mistakes = {
        "This is the sum over the images: the factor 1/N is missing.": total,
        "This is the mean over all elements. The sum over the classes stays a sum.": total / 6,
        "This is divided by the sum of the targets. N counts the rows, whatever they weigh.": total / 4,
        "This is divided by the rows with a label. N counts all rows.": total / 2,
        "Each row was scaled to the sum 1. A weight of 3 is to count three times.": (total - 2 * np.log(2)) / 3,
    }
    loss, _ = expect_tuple(soft_cross_entropy(s, t), ["loss", "ds"], "soft_cross_entropy(s, t)")
    expect_close(loss, total / 3, "the loss", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Take one row at a time. The first has p = (3/4, 1/4), the second p = (1/2, 1/2) and weight 3.",
)
def test_ds_of_three_images_by_hand(soft_cross_entropy):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    s, t = (np.array([[np.log(3), 0.0], [0.0, 0.0], [1.0, 2.0]]), np.array([[0.5, 0.5], [0.0, 3.0], [0.0, 0.0]]))
    p = np.array([[0.75, 0.25], [0.5, 0.5], [1 / (1 + np.e), np.e / (1 + np.e)]])
    down = np.exp(s) / np.exp(s).sum(axis=0)
    expected = np.array([[0.25, -0.25], [1.5, -1.5], [0, 0]]) / 3
    mistakes = {
        "The factor 1/N is missing in ds.": 3 * expected,
        "This is divided by all elements. Divide by the number of rows alone.": expected / 2,
        "This is p - t. It is right for the first row; but the image without a label is pulled too.": (p - t) / 3,
        "This is p - t, without 1/N. And the image without a label is pulled too.": p - t,
        "Wrong sign: this points downhill.": -expected,
        "The softmax runs over the images. The probabilities of one image sum to 1.": (down * [[1], [3], [0]] - t) / 3,
    }
    _, ds = expect_tuple(soft_cross_entropy(s, t), ["loss", "ds"], "soft_cross_entropy(s, t)")
    expect_close(ds, expected, "ds", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The loss is 0 for the first image and 500 for the second. Which of the two imported functions survives?",
)
def test_scores_far_apart(soft_cross_entropy):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple, hint_if, plain

    s, t = (np.array([[0.0, -800.0], [1000.0, 0.0]]), np.array([[1.0, 0.0], [0.5, 0.5]]))
    mistakes = {}
    for small in (1e-12, 1e-10, 1e-09, 1e-08):
        hint = f"A small number such as {small:g} inside the logarithm caps the loss, and with it the truth."
        mistakes[hint] = -0.25 * np.log(small) - 0.75 * np.log1p(small)
    loss, ds = expect_tuple(soft_cross_entropy(s, t), ["loss", "ds"], "soft_cross_entropy(s, t)")
    hint = "A probability has rounded to 0, and its logarithm is no number to count with. Do not form it at all."
    hint_if(not np.isfinite(plain(loss, "the loss")).all(), hint, "the loss of scores far apart")
    expect_close(loss, 250, "the loss of scores far apart", mistakes=mistakes)
    expect_close(ds, [[0, 0], [0.25, -0.25]], "ds of scores far apart")


@test_case(
    points=0,
    hidden=False,
    failure_message="Move one score by h, look how much your loss changes, and divide by h. That is what ds must hold.",
)
def test_the_slope_of_your_own_loss(soft_cross_entropy):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple, expect_unchanged, plain

    s = np.array([[1.0, 2.0, -1.0], [0.0, 0.5, 3.0], [-2.0, 1.5, 1.0], [3.0, 0.5, 2.0]])
    t = np.array([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5], [0.0, 4.0, 1.0], [0.0, 0.0, 0.0]])

    def loss(s):
        answer = expect_tuple(soft_cross_entropy(s, t.copy()), ["loss", "ds"], "soft_cross_entropy(s, t)")
        return plain(answer[0], "the loss")

    steps = 0.001 * np.eye(12).reshape(12, 4, 3)
    slopes = np.reshape([(loss(s + step) - loss(s - step)) / 0.002 for step in steps], (4, 3))
    given, targets = (s.copy(), t.copy())
    ds = expect_tuple(soft_cross_entropy(given, targets), ["loss", "ds"], "soft_cross_entropy(s, t)")[1]
    expect_close(ds, slopes, "ds beside the slope of your loss", rtol=0.001, atol=0.001)
    expect_unchanged(s, given, "s")
    expect_unchanged(t, targets, "t")


@test_case(
    points=0,
    hidden=False,
    failure_message="With two classes and smoothing 1/2 the target is (3/4, 1/4). Which scores give these probabilities?",
)
def test_where_two_classes_rest(resting_point):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    lead, loss = expect_tuple(resting_point(2, 0.5), ["lead", "loss"], "resting_point(2, 0.5)")
    mistakes = {
        "Here epsilon was shared among the other classes only. The true class gets its share too.": 0.0,
        "The true class gets a share of epsilon too: its target is 3/4, not 1/2.": np.log(2),
        "This is the ratio of the probabilities. The lead is a difference of scores.": 3.0,
        "This is the logarithm of 3 to another base than e.": np.log2(3),
    }
    expect_close(lead, np.log(3), "the lead of two classes", mistakes=mistakes)
    mistakes = {
        "At rest the gradient is zero, the loss is not: the smaller target has a cost too.": 0.0,
        "This is the loss of the true class alone. The sum runs over all classes.": -0.75 * np.log(0.75),
        "This is the loss with the one-hot target. The smoothed target belongs in the sum.": -np.log(0.75),
    }
    expect_close(loss, np.log(4) - 0.75 * np.log(3), "the loss of two classes", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Here the target is 0.91 for the true class and 0.01 for each of the nine others.",
)
def test_where_ten_classes_rest(resting_point):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    lead, loss = expect_tuple(resting_point(10, 0.1), ["lead", "loss"], "resting_point(10, 0.1)")
    mistakes = {
        "This compares the true class with all others together. The lead is over each one of them.": np.log(
            0.91 / 0.09
        ),
        "Here epsilon was shared among the other nine. The true class gets its share too.": np.log(81),
        "The true class keeps its own share of epsilon: its target is 0.91, not 0.9.": np.log(90),
    }
    expect_close(lead, 4.51, "the lead of ten classes", rtol=0, atol=0.005, mistakes=mistakes)
    one = -0.91 * np.log(0.91) - 0.01 * np.log(0.01)
    mistakes = {"Only one of the nine other classes is counted.": one}
    expect_close(loss, 0.5, "the loss of ten classes", rtol=0, atol=0.0005, mistakes=mistakes)
