from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="Write down the four kernels first. np.rot90 turns against the clock, so the second is (2, 4), (1, 3).",
)
def test_four_maps_by_hand(turned):
    import numpy as np
    from dlcourse.checks import expect_close

    x, w = (np.array([[[1.0, 0.0, 2.0], [0.0, 10.0, 0.0]]]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    maps = np.array([[[[41.0, 34.0]], [[32.0, 18.0]], [[14.0, 26.0]], [[23.0, 42.0]]]])
    mistakes = {
        "The kernels turn with the clock here. np.rot90(w, k) turns against it.": maps[:, [0, 3, 2, 1]],
        "The maps stand in the last axis. They belong into the second.": maps.transpose(0, 2, 3, 1),
        "All four maps are the same: is the kernel turned by k?": maps[:, [0, 0, 0, 0]],
        "The kernel is upside down: this is the convolution of mathematics.": maps[:, [2, 3, 0, 1]],
        "One map came. Four are wanted, one for each turn.": maps[:, 0],
        "The maps are summed. Keep the four apart.": maps.sum(axis=1),
    }
    expect_close(turned(x, w), maps, "turned(x, w)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Only the first place of the second map has a gradient. Which weight of w met which pixel there?",
)
def test_one_message_by_hand(turned_backward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    x, w = (np.array([[[1.0, 0.0, 2.0], [0.0, 10.0, 0.0]]]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    dmaps = np.zeros((1, 4, 1, 2))
    dmaps[0, 1, 0, 0] = 1
    dw, dx = expect_tuple(turned_backward(x, w, dmaps), ["dw", "dx"], "turned_backward(x, w, dmaps)")
    mistakes = {
        "This is the gradient of the turned kernel. Which weight of w was in its first corner?": [[1, 0], [0, 10]],
        "The gradient was turned on instead of back. In the first corner was w[0, 1].": [[0, 10], [1, 0]],
        "This is a quarter of dw. The four uses of a weight are summed.": [[0, 0.25], [2.5, 0]],
    }
    expect_close(dw, [[0, 1], [10, 0]], "dw", mistakes=mistakes)
    mistakes = {
        "The pixels met the turned kernel, not w: on the way back it is the turned one too.": [[[1, 2, 0], [3, 4, 0]]],
        "The kernel lies the wrong way round in dx. A pixel gets what it was multiplied by.": [[[3, 1, 0], [4, 2, 0]]],
    }
    expect_close(dx, [[[2, 4, 0], [1, 3, 0]]], "dx", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Every gradient is 1. A weight meets each pixel of each place four times, a pixel is met by all turns.",
)
def test_all_messages_by_hand(turned_backward):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    x, w = (np.array([[[1.0, 0, 2], [0, 10, 0]], [[0, 0, 3], [0, 0, 0]]]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    dw, dx = expect_tuple(turned_backward(x, w, np.ones((2, 4, 1, 2))), ["dw", "dx"], "turned_backward(x, w, 1)")
    mistakes = {
        "This is the mean over the pictures. Gradients of a batch are sums.": np.full((2, 2), 13.0),
        "This is the mean over the turns. A weight is used four times, and its gradients add up.": np.full((2, 2), 6.5),
        "This is the gradient of the first map alone.": [[1, 5], [10, 10]],
    }
    expect_close(dw, np.full((2, 2), 26.0), "dw", mistakes=mistakes)
    mistakes = {
        "A pixel holds what was written last. All that reaches it adds up.": [[[3, 1, 1], [4, 2, 2]]] * 2,
        "A pixel under two patches holds what the last one sent. Add it up.": [[[3, 3, 1], [4, 4, 2]]] * 2,
        "Each pixel has the gradient from one map. The four add up.": [[[1, 3, 2], [3, 7, 4]]] * 2,
    }
    expect_close(dx, np.tile([10.0, 20, 10], (2, 2, 1)), "dx", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Turn all four maps by hand, then ask which of them belongs to the upright kernel.",
)
def test_a_turn_by_hand(maps_after_turn):
    import numpy as np
    from dlcourse.checks import expect_close

    maps = np.arange(1.0, 9).reshape(1, 4, 1, 2)
    columns = np.array([[2.0, 1], [4, 3], [6, 5], [8, 7]]).reshape(1, 4, 2, 1)
    mistakes = {
        "Each map is turned rightly, but they stand in the old order. Which kernel met the turned picture so?": columns,
        "The maps moved on in the wrong direction.": columns[:, [1, 2, 3, 0]],
        "The maps turn with the clock here, the pictures against it.": columns[:, [3, 0, 1, 2], ::-1],
        "The order is right, but each map has to turn as well.": maps[:, [3, 0, 1, 2]],
    }
    expect_close(maps_after_turn(maps), columns[:, [3, 0, 1, 2]], "maps_after_turn(maps)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Turn the pictures, call turned, and compare with maps_after_turn on the maps of the upright pictures.",
)
def test_your_functions_agree(turned, maps_after_turn):
    import numpy as np
    from dlcourse.checks import expect_close, plain

    rng = np.random.default_rng(7)
    x, w = (rng.integers(0, 9, (2, 5, 4)) * 1.0, rng.integers(-4, 5, (3, 3)) * 1.0)
    directly = plain(turned(np.rot90(x, axes=(1, 2)).copy(), w), "turned(np.rot90(x, axes=(1, 2)), w)")
    maps = plain(turned(x, w), "turned(x, w)")
    expect_close(maps_after_turn(maps), directly, "maps_after_turn(turned(x, w)) beside turned of the turned pictures")


@test_case(
    points=0,
    hidden=False,
    failure_message="Add the four turned kernels with pencil and paper. What stands in all four corners?",
)
def test_the_mean_kernel_by_hand(mean_kernel):
    import numpy as np
    from dlcourse.checks import expect_close

    w = np.array([[4.0, 0, 0], [0, 8, 0], [0, 2, 0]])
    mean = np.array([[1.0, 0.5, 1], [0.5, 8, 0.5], [1, 0.5, 1]])
    mistakes = {
        "This is the sum of the four kernels. The mean is asked for.": 4 * mean,
        "Two of the four turns are missing.": [[2, 1, 0], [0, 8, 0], [0, 1, 2]],
        "This is the mean of the kernel and its transpose. A transpose is no turn.": (w + w.T) / 2,
        "This is the largest of the four. The mean is asked for.": [[4, 2, 4], [2, 8, 2], [4, 2, 4]],
        "This is one number. A kernel is asked for.": 14 / 9,
    }
    expect_close(mean_kernel(w), mean, "mean_kernel(w)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Here shapes have to be right as the docstrings say, and no argument is changed.",
)
def test_the_arguments_stay_as_they_are(turned, turned_backward, maps_after_turn, mean_kernel):
    import numpy as np
    from dlcourse.checks import expect_shape, expect_tuple, expect_unchanged

    rng = np.random.default_rng(8)
    arguments = {"x": rng.random((2, 4, 5)), "w": rng.random((2, 2)), "dmaps": rng.random((2, 4, 3, 4))}
    before = {name: array.copy() for name, array in arguments.items()}
    expect_shape(turned(arguments["x"], arguments["w"]), (2, 4, 3, 4), "turned(x, w)")
    expect_tuple(turned_backward(*arguments.values()), ["dw", "dx"], "turned_backward(x, w, dmaps)")
    expect_shape(maps_after_turn(arguments["dmaps"]), (2, 4, 4, 3), "maps_after_turn(maps)")
    expect_shape(mean_kernel(arguments["w"]), (2, 2), "mean_kernel(w)")
    for name, array in arguments.items():
        expect_unchanged(before[name], array, name)
