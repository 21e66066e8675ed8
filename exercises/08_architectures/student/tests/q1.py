from otter.test_files import test_case

OK_FORMAT = False

name = "q1"
points = 2


@test_case(
    points=0,
    hidden=False,
    failure_message="A block with zero weights adds nothing. What was (1, -2) must come out as (1, -2).",
)
def test_blocks_that_do_nothing(stream):
    import numpy as np
    from dlcourse.checks import expect_close

    mistakes = {
        "The negative number is lost. Was it lost on the way past the branch, or at the end?": [[1, 0]],
        "Only the branch came out, and it is zero. What goes past it has to be added.": [[0, 0]],
    }
    answer = stream(np.array([[1.0, -2.0]]), np.zeros((2, 2, 2)), 1.0)
    expect_close(answer, [[1, -2]], "two blocks with zero weights, of (1, -2)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The branch sees (1, 0) after its ReLU. Multiply by the matrix, then by the scale, then add (1, -2).",
)
def test_one_block_by_hand(stream):
    import numpy as np
    from dlcourse.checks import expect_close

    mistakes = {
        "The sum starts from (1, 0), what is left after the ReLU. What goes past the branch is x itself.": [[2.5, 2.5]],
        "The branch saw (1, -2). It begins with a ReLU.": [[-1.5, -5.5]],
        "The ReLU stands behind the matrix. It comes before.": [[1, -2]],
        "This multiplies a row by W. A row of the batch is multiplied by the transpose of W.": [[2.5, 0]],
        "Without the scale. Half of the branch is wanted here.": [[4, 3]],
        "The sum is scaled. Only the branch should be.": [[2, 1.5]],
        "This is the branch alone.": [[1.5, 2.5]],
    }
    answer = stream(np.array([[1.0, -2.0]]), np.array([[[3.0, 4.0], [5.0, 6.0]]]), 0.5)
    expect_close(answer, [[2.5, 0.5]], "one block with scale 0.5, of (1, -2)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The first block makes (2, -3) out of (1, -3). What does the second one see?",
)
def test_two_blocks_by_hand(stream):
    import numpy as np
    from dlcourse.checks import expect_close

    weights = np.array([[[1.0, 7.0], [0.0, 7.0]], [[0.0, 7.0], [1.0, 7.0]]])
    mistakes = {
        "The sum starts from what is left after a ReLU. What goes past the branch is x itself.": [[2, 2]],
        "The second branch saw the input of the first, or the blocks were taken in the wrong order.": [[2, -2]],
    }
    answer = stream(np.array([[1.0, -3.0]]), weights, 1.0)
    expect_close(answer, [[2, -1]], "two blocks, of (1, -3)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Draw the sum of two independent numbers of mean 0. What is the mean of its square?",
)
def test_the_mean_square_by_hand(mean_square):
    from dlcourse.checks import expect_close

    mistakes = {
        "The branch is as large as its x, not as the input of the first block. How large is x then?": 3.0,
        "This is the size of a plain network after He. Here what the branch finds is added.": 1.0,
        "Sizes were added, and then squared. If the parts are independent, their mean squares add.": 16.0,
        "This is a root. The mean square is asked for.": 2.0,
        "The ReLU halves a mean square, but He's factor 2 has made up for it.": 2.25,
    }
    expect_close(mean_square(2, 1.0, False), 4, "mean_square(2, 1, False)", mistakes=mistakes)
    mistakes = {
        "What is multiplied by the scale has a mean square that is multiplied by what?": 1.5,
        "Sizes were added, and then squared. If the parts are independent, their mean squares add.": 2.25,
    }
    expect_close(mean_square(1, 0.5, False), 1.25, "mean_square(1, 0.5, False)", mistakes=mistakes)


@test_case(
    points=0, hidden=False, failure_message="With the norm, each branch has the mean square 1 before it is scaled."
)
def test_the_mean_square_with_a_norm_by_hand(mean_square):
    from dlcourse.checks import expect_close

    mistakes = {
        "This is the mean square without the norm. With it a branch does not grow with the stream.": 125.0,
        "If all numbers of a branch are doubled, its mean square is four times as large.": 7.0,
        "The input is missing: with no block at all the mean square is 1.": 12.0,
        "The branches alone are normed, not the sum. All blocks add to it.": 5.0,
        "The scale of the norm is lost: it comes after the norm.": 4.0,
    }
    expect_close(mean_square(3, 2.0, True), 13, "mean_square(3, 2, True)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="No argument is changed. A copy of her input, made before the call, must be equal to it afterwards.",
)
def test_the_input_stays_as_it_is(stream):
    import numpy as np
    from dlcourse.checks import expect_shape, expect_unchanged

    x, weights = (np.array([[1.0, -2.0], [-3.0, 4.0], [0.0, -5.0]]), np.ones((2, 2, 2)))
    before, matrices = (x.copy(), weights.copy())
    expect_shape(stream(x, weights, 1.0), (3, 2), "stream(x, weights)")
    expect_unchanged(before, x, "x")
    expect_unchanged(matrices, weights, "weights")
