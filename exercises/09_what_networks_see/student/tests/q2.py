from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="This is the chapter's score with the weights 2, -1, 1/2, -3. The attack leaves -0.25 of 0.4.",
)
def test_the_loss_of_the_chapters_score(worst_loss):
    import numpy as np
    from dlcourse.checks import expect_close

    def loss(margin):
        return np.log(1 + np.exp(-margin))

    x, w = (np.array([[0.5, 0.8, 0.2, 0.3]]), np.array([2, -1, 0.5, -3]))
    mistakes = {
        "The attack helps here: it should make ys smaller.": loss(1.05),
        "This is the loss without an attack.": loss(0.4),
        "The weights are added up with their signs. Each pixel can be changed to either side.": loss(0.55),
        "The weights are added up with their signs, and the attack helps here.": loss(0.25),
        "This is the attack of Euclidean length. Here each pixel may change by epsilon.": loss(0.4 - 0.1 * 14.25**0.5),
        "Only the pixel with the largest weight has changed. All may.": loss(0.1),
        "This is a margin. The loss of this margin is asked for.": -0.25,
        "The bias is attacked as well. It is no pixel.": loss(-0.35),
    }
    answer = worst_loss(x, np.array([1.0]), w, 1.0, 0.1)
    expect_close(answer, loss(-0.25), "worst_loss of one image", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="After the attack the margins y s are 1 and -2. Take the loss of each, then the mean.",
)
def test_the_loss_of_two_images_by_hand(worst_loss):
    import numpy as np
    from dlcourse.checks import expect_close

    x, y = (np.array([[1.0, 0.0], [0.5, -0.5]]), np.array([1.0, -1.0]))
    expected = np.log((1 + np.exp(-1)) * (1 + np.exp(2))) / 2
    mistakes = {
        "Does y stand in the margin?": np.log(1 + np.exp(-1)),
        "The attacker takes from both margins, whichever the class. Here he gives to the second.": np.log(
            (1 + np.exp(-1)) * (1 + np.exp(1))
        )
        / 2,
        "The mean over the images is taken before the loss.": np.log(1 + np.exp(0.5)),
        "This is the sum over the images. The mean is asked for.": 2 * expected,
    }
    answer = worst_loss(x, y, np.array([1.0, -1.0]), 0.5, 0.25)
    expect_close(answer, expected, "worst_loss of two images", mistakes=mistakes)
    huge = worst_loss(1000 * x[:1], -y[:1], np.array([1.0, -1.0]), 0.0, 0.25)
    expect_close(huge, 1000.5, "worst_loss at a margin of -1000.5")


@test_case(
    points=0,
    hidden=False,
    failure_message="The attack takes 0.3 from a margin of 0.3, so p = 1/2. Multiply it by all that moves the margin.",
)
def test_the_gradient_of_one_image_by_hand(worst_gradient):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    x, w, p = (np.array([[0.25, 0.2]]), np.array([2.0, -1.0]), 1 / (1 + np.exp(0.3)))
    dw, db = expect_tuple(worst_gradient(x, np.array([1.0]), w, 0.0, 0.1), ["dw", "db"], "worst_gradient of one image")
    mistakes = {
        "The attack depends on w too, and so does what it takes. Its part is missing.": [-0.125, -0.1],
        "The attacker's part has the wrong sign.": [-0.175, -0.05],
        "The attacker's part is inside the loss: it is multiplied by p as the rest is.": [-0.025, -0.2],
        "The slope of |w| is the sign of w, not w.": [-0.025, -0.15],
        "The slope of |w| is 1 or -1. The sign is missing.": [-0.075, -0.05],
        "p belongs to the margin that the attack has left.": [-0.15 * p, -0.3 * p],
        "This is the attack of Euclidean length.": [(-0.25 + 0.2 / 5**0.5) / 2, (-0.2 - 0.1 / 5**0.5) / 2],
    }
    expect_close(dw, [-0.075, -0.15], "dw", mistakes=mistakes)
    expect_close(db, -0.5, "db", mistakes={"p belongs to the margin that the attack has left.": -p})


@test_case(
    points=0,
    hidden=False,
    failure_message="Both margins are 0 after the attack, so p = 1/2 twice. The third weight is 0, where |w| has the slope 0.",
)
def test_the_gradient_of_two_images_by_hand(worst_gradient):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    x, y = (np.array([[0.25, 0.2, 0.5], [0.3, 0.9, 0.1]]), np.array([1.0, -1.0]))
    w = np.array([2.0, -1.0, 0.0])
    dw, db = expect_tuple(worst_gradient(x, y, w, 0.0, 0.1), ["dw", "db"], "worst_gradient of two images")
    mistakes = {
        "This is the sum over the images. The mean is asked for.": [0.125, 0.25, -0.2],
        "At w = 0 this takes the slope to the right. Take the middle between the two.": [0.0625, 0.125, -0.05],
        "At w = 0 this takes the slope to the left. Take the middle between the two.": [0.0625, 0.125, -0.15],
        "Does y stand in the gradient? The classes pull in opposite directions.": [-0.0875, -0.325, -0.15],
    }
    expect_close(dw, [0.0625, 0.125, -0.1], "dw", mistakes=mistakes)
    mistakes = {"Does y stand in db? The two classes pull in opposite directions.": -0.5}
    expect_close(db, 0, "db", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The class means are (0.5, 0.2, 0.9) and (0.3, 0.8, 0.4). Compare them pixel by pixel.",
)
def test_blindness_by_hand(blind_from):
    import numpy as np
    from dlcourse.checks import expect_close

    x = np.array([[0.5, 0.2, 0.9], [0.2, 0.9, 0.3], [0.4, 0.7, 0.5]])
    mistakes = {
        "This is the largest difference of the means. The attacker moves both classes.": 0.6,
        "From here on one weight stays at zero. Blind means that all of them do.": 0.1,
        "A weight may leave zero to either side: the sign of a difference does not matter.": 0.25,
        "These are added up over the pixels. Each weight decides for itself.": 0.65,
        "This is a mean over the pixels. The last one that is worth its price counts.": 0.65 / 3,
        "This is the Euclidean length of the difference, halved. Each weight decides for itself.": 0.65**0.5 / 2,
        "The best b is not 0 if the classes differ in size. Which p do their images have?": 1.4 / 3,
    }
    expect_close(blind_from(x, np.array([1.0, -1.0, -1.0])), 0.3, "blind_from of three images", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Here shapes have to be right as the docstrings say, and no argument is changed.",
)
def test_these_arguments_stay_as_they_are(worst_loss, worst_gradient, blind_from):
    import numpy as np
    from dlcourse.checks import expect_shape, expect_tuple, expect_unchanged

    arguments = {
        "x": np.array([[0.1, 0.5], [0.4, 0.2], [0.9, 0.9]]),
        "y": np.array([1.0, -1.0, 1.0]),
        "w": np.array([1.0, -2.0]),
    }
    before = {name: array.copy() for name, array in arguments.items()}
    expect_shape(worst_loss(*arguments.values(), 0.5, 0.1), (), "worst_loss(x, y, w, b, epsilon)")
    dw, db = expect_tuple(worst_gradient(*arguments.values(), 0.5, 0.1), ["dw", "db"], "worst_gradient(...)")
    expect_shape(dw, (2,), "dw")
    expect_shape(db, (), "db")
    expect_shape(blind_from(arguments["x"], arguments["y"]), (), "blind_from(x, y)")
    for name, array in arguments.items():
        expect_unchanged(before[name], array, name)
