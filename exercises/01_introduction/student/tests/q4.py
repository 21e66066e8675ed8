from otter.test_files import test_case

OK_FORMAT = False

name = "q4"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="With a single layer, unit j switches where w_j x + b_j = 0. Work out the three places.",
)
def test_one_layer_by_hand(kinks):
    import numpy as np
    from dlcourse.checks import expect_close, expect_unchanged, hint_if, plain

    weights, biases = ([np.array([[-2.0], [1.0], [0.5]])], [np.array([1.0, 1.0, -3.0])])
    before = weights[0].copy()
    near = "Nearly: these look like points of a grid. Between two values of z on a line the zero is known exactly."
    mistakes = {
        "Sort the places, from left to right.": [0.5, -1, 6],
        "The ends of the stretch are no kinks.": [-10, -1, 0.5, 6, 10],
        "This is the number of kinks. Their places are asked for.": 3,
        "The signs are wrong: w x + b = 0 where x = -b/w.": [-6, -0.5, 1],
        "A unit switches in both directions: the one with w = -2 rises to the left of its kink.": [-1, 6],
    }
    found = kinks(weights, biases, -10, 10)
    off = np.abs(plain(found, "kinks") - [-1, 0.5, 6]).max() if plain(found, "kinks").shape == (3,) else 0
    hint_if(0.0001 < off < 0.1, near, "kinks of three units")
    expect_close(found, [-1, 0.5, 6], "kinks of three units", mistakes=mistakes)
    expect_unchanged(before, weights[0], "weights")


@test_case(
    points=0, hidden=False, failure_message="The units switch at -1, 0.5 and 6. Of these, take those between the ends."
)
def test_shorter_stretches(kinks):
    import numpy as np
    from dlcourse.checks import expect_close

    weights, biases = ([np.array([[-2.0], [1.0], [0.5]])], [np.array([1.0, 1.0, -3.0])])
    outside = {"There are kinks outside of the stretch from 0 to 1.": [-1, 0.5, 6]}
    expect_close(kinks(weights, biases, 0, 1), [0.5], "kinks of three units between 0 and 1", mistakes=outside)
    none = "No unit switches there. An empty array is asked for."
    expect_close(kinks(weights, biases, 7, 9), [], "kinks of three units between 7 and 9", mistakes={none: [7, 9]})


@test_case(
    points=0,
    hidden=False,
    failure_message="The first layer makes the distance of x from 0. The unit behind it takes 2 away. Draw its z.",
)
def test_a_second_layer_by_hand(kinks):
    import numpy as np
    from dlcourse.checks import expect_close

    weights, biases = ([np.array([[1.0], [-1.0]]), np.array([[1.0, 1.0]])], [np.zeros(2), np.array([-2.0])])
    mistakes = {
        "These are the kinks of the first layer alone.": [0],
        "These are the kinks of the second layer alone. The first bends the output too.": [-2, 2],
        "Two units switch at 0, but it is one place.": [-2, 0, 0, 2],
        "The unit of the second layer has two kinks, one on each side of 0.": [0, 2],
    }
    expect_close(kinks(weights, biases, -10, 10), [-2, 0, 2], "kinks of |x| - 2", mistakes=mistakes)
    weights.append(np.array([[1.0]]))
    biases.append(np.array([-3.0]))
    mistakes = {"Is max(0, z) taken of each layer before the next?": [-2, 0, 2]}
    expect_close(kinks(weights, biases, -10, 10), [-5, -2, 0, 2, 5], "kinks of three layers", mistakes=mistakes)


@test_case(points=0, hidden=False, failure_message="Three folds of the chapter have eight pieces, all of length 1/8.")
def test_three_folds(kinks):
    import numpy as np
    from dlcourse.checks import expect_close, expect_shape

    weights = [np.ones((2, 1)), np.array([[2.0, -4], [2, -4]]), np.array([[2.0, -4], [2, -4]])]
    biases = [np.array([0, -0.5])] * 3
    found = kinks(weights, biases, 0, 1)
    mistakes = {
        "Without max(0, z) between the layers all is one straight line.": [0.5, 0.625, 0.75],
        "A place at which several units are zero was counted several times.": np.sort([0.5, *np.arange(1, 8) / 8]),
        "These are the kinks of the first two layers.": [0.25, 0.5, 0.75],
        "These are the kinks of the last layer. Those of the others count too.": [0.125, 0.375, 0.625, 0.875],
        "The ends of the stretch are no kinks.": np.arange(9) / 8,
    }
    expect_close(found, np.arange(1, 8) / 8, "kinks of three folds", mistakes=mistakes)
    expect_shape(kinks(weights, biases, 0.3, 0.31), (0,), "kinks between 0.3 and 0.31, where there are none,")


@test_case(
    points=0,
    hidden=False,
    failure_message="With one layer, count by hand the units whose -b/w lies between -10 and 10, and add one.",
)
def test_the_average_of_one_layer(average_pieces):
    import numpy as np
    from dlcourse.checks import expect_close

    counts = []
    for seed in (20, 4):
        rng = np.random.default_rng(seed)
        w, b = (rng.normal(0, np.sqrt(2), (60, 1))[:, 0], rng.normal(0, 0.1, 60))
        counts.append(int(np.sum(np.abs(b / w) < 10)))
    mistakes = {
        "This is the mean number of kinks. There is one piece more.": np.mean(counts),
        "This is the sum over the seeds. Take the mean.": sum(counts) + 2,
        "These are the numbers of each network. Take the mean.": np.array(counts) + 1,
        "This is the number of pieces of the last network alone.": counts[-1] + 1,
    }
    expect_close(average_pieces([60], [20, 4]), np.mean(counts) + 1, "average_pieces([60], [20, 4])", mistakes=mistakes)


@test_case(
    points=0, hidden=False, failure_message="Check kinks first. The five networks have 55, 61, 91, 42 and 64 pieces."
)
def test_the_average_of_five_layers(average_pieces):
    import numpy as np
    from dlcourse.checks import expect_close

    counts = np.array([55, 61, 91, 42, 64])
    mistakes = {
        "This is the mean number of kinks. There is one piece more.": counts.mean() - 1,
        "This is the median. The mean is asked for.": np.median(counts),
        "These are the numbers of each network. Take the mean.": counts,
    }
    answer = average_pieces([12] * 5, list(range(5)))
    expect_close(answer, counts.mean(), "average_pieces([12] * 5, range(5))", mistakes=mistakes)
