from otter.test_files import test_case

OK_FORMAT = False

name = "q1"
points = 2


@test_case(
    points=0,
    hidden=False,
    failure_message="Five images on a line, moved by 2.2. Write down for each which two others are nearest.",
)
def test_five_images_by_hand(precision):
    import numpy as np
    from dlcourse.checks import expect_close

    stored = np.array([[0.0], [1.0], [3.0], [7.0], [12.0]])
    labels = np.array([0, 1, 1, 2, 2])
    mistakes = {
        "The first of each row is dropped. Is it the image itself? Image 0, moved to 2.2, is nearest to image 2.": 0.6,
        "The image itself still counts where it is near.": 0.7,
        "The image itself counts in every row.": 0.8,
        "The image itself is out, but the nearest other went with it.": 0.1,
        "These are the two farthest.": 0.0,
        "Each stored image looks for the nearest asked ones here. It is the asked ones that look.": 0.3,
    }
    expect_close(precision(stored, stored + 2.2, labels, 2), 0.4, "precision of five images", mistakes=mistakes)


@test_case(
    points=0, hidden=False, failure_message="Every image has a label of its own here. Can any other image be right?"
)
def test_labels_that_are_all_different(precision):
    import numpy as np
    from dlcourse.checks import expect_close

    stored, labels = (np.array([[0.0], [1.0], [3.0], [7.0], [12.0]]), np.arange(5))
    for shift in (0.0, 2.2, -9.0):
        what = f"precision of five images with five labels, moved by {shift}"
        expect_close(precision(stored, stored + shift, labels, 2), 0, what)


@test_case(points=0, hidden=False, failure_message="Images 0 and 1 are twins, and twins are two images.")
def test_twins(precision):
    import numpy as np
    from dlcourse.checks import expect_close

    stored = np.array([[0.0], [0.0], [5.0], [9.0]])
    mistakes = {"Every image at distance 0 is taken out. The twin of an image is another image.": 0.5}
    answer = precision(stored, stored.copy(), np.array([0, 0, 1, 1]), 1)
    expect_close(answer, 1, "precision with twins, k = 1", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Three images are of one class, two of another, one is alone. Stand at each of the six in turn.",
)
def test_chance_by_hand(chance):
    import numpy as np
    from dlcourse.checks import expect_close

    mistakes = {
        "The image itself is drawn here too. Only the others are.": 14 / 36,
        "This is one over the number of classes. They are of different sizes.": 1 / 3,
        "How many others are there?": 8 / 36,
        "This is the share of the largest class.": 1 / 2,
        "This is the mean over the classes. A large class is asked for more often.": 0.2,
    }
    expect_close(chance(np.array([4, 9, 4, 7, 9, 4])), 8 / 30, "chance of (4, 9, 4, 7, 9, 4)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Three images are of one class, two of another, one is alone. How many right others can each find?",
)
def test_best_by_hand(best):
    import numpy as np
    from dlcourse.checks import expect_close

    labels = np.array([4, 9, 4, 7, 9, 4])
    mistakes = {
        "No features can find two others for an image that has one.": 1.0,
        "An image is not one of its own neighbours.": 11 / 12,
        "This is the mean over the classes. A large class is asked for more often.": 1 / 2,
        "This is the number of right neighbours. A share is asked for.": 4 / 3,
    }
    expect_close(best(labels, 2), 2 / 3, "best of (4, 9, 4, 7, 9, 4), k = 2", mistakes=mistakes)
    mistakes = {"More right neighbours than neighbours: there are only k.": 4 / 3}
    expect_close(best(labels, 1), 5 / 6, "best of (4, 9, 4, 7, 9, 4), k = 1", mistakes=mistakes)


@test_case(points=0, hidden=False, failure_message="No argument is changed.")
def test_the_images_stay_as_they_are(precision, chance):
    import numpy as np
    from dlcourse.checks import expect_shape, expect_unchanged

    arguments = {
        "stored": np.array([[0.0, 1], [2, 0], [5, 5]]),
        "asked": np.ones((3, 2)),
        "labels": np.array([1, 0, 1]),
    }
    before = {name: array.copy() for name, array in arguments.items()}
    expect_shape(precision(*arguments.values(), 1), (), "precision(stored, asked, labels, 1)")
    expect_shape(chance(arguments["labels"]), (), "chance(labels)")
    for name, array in arguments.items():
        expect_unchanged(before[name], array, name)
