from otter.test_files import test_case

OK_FORMAT = False

name = "q3"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="Write the two outer products of the first example on paper, and add the squares of all their elements.",
)
def test_norms_by_hand(gradient_norms):
    import torch
    from dlcourse.checks import expect_close, expect_tensor

    rows = [[[1, 1]], [0], [[1], [-1]], [-2, 2], [[2, 0], [1, 1]]]
    squares = {
        "The biases are missing. Their input is always 1.": [6, 4],
        "The factor 1/N of the mean loss is in here. Each example counts by itself, so sum the losses.": [1.875, 1.375],
        "This is the output layer alone.": [2.5, 2.5],
        "This is the hidden layer alone.": [5, 3],
        "The norms of the layers are added. Add their squares, then take the root.": [14.57107, 10.97723],
        "These are the squared norms.": [56.25, 30.25],
    }
    mistakes = {hint: torch.tensor(values).sqrt() for hint, values in squares.items()}
    norms = gradient_norms(*(torch.tensor(row, dtype=torch.float64) for row in rows), torch.tensor([0, 1]))
    expect_tensor(norms, "gradient_norms(W1, b1, W2, b2, x, t)")
    expect_close(norms, [7.5**0.5, 5.5**0.5], "gradient_norms of two examples", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="If only this check fails, look at a sleeping unit. Its activity is 0, and so is its delta.",
)
def test_norms_beside_a_sleeping_unit(gradient_norms):
    import torch
    from dlcourse.checks import expect_close

    rows = [[[1, 1], [-1, -1]], [0, 0], [[1, 3], [-1, -3]], [-2, 2], [[2, 0], [1, 1]]]
    squares = {
        "The inputs of the output layer are the activities, after the ReLU.": [9.5, 7.5],
        "These are derivatives by the hidden activities. A delta belongs to the weighted sum.": [52.5, 32.5],
    }
    mistakes = {hint: torch.tensor(values).sqrt() for hint, values in squares.items()}
    norms = gradient_norms(*(torch.tensor(row, dtype=torch.float64) for row in rows), torch.tensor([0, 1]))
    expect_close(norms, [7.5**0.5, 5.5**0.5], "gradient_norms with a sleeping unit", mistakes=mistakes)


@test_case(
    points=0, hidden=False, failure_message="The answer is a tensor of N numbers, detached (requires_grad is False)."
)
def test_norms_are_detached(gradient_norms):
    import torch
    from dlcourse.checks import expect_shape, expect_tensor

    W1, b1, W2, b2 = (torch.eye(2), torch.ones(2), torch.ones(3, 2), torch.zeros(3))
    norms = gradient_norms(W1, b1, W2, b2, torch.ones(5, 2), torch.tensor([0, 1, 2, 1, 0]))
    expect_shape(norms, (5,), "gradient_norms of five examples")
    expect_tensor(norms, "gradient_norms of five examples", requires_grad=False)


@test_case(
    points=0,
    hidden=False,
    failure_message="Check gradient_norms first. The factor of an example is limit divided by its norm, but at most one.",
)
def test_clipped_gradient_by_hand(clipped_gradient):
    import torch
    from dlcourse.checks import expect_close, expect_tuple

    rows = [[[1, 1]], [0], [[1], [-1]], [-2, 2], [[2, 0], [1, 1]]]
    given = [torch.tensor(row, dtype=torch.float64) for row in rows] + [torch.tensor([0, 1])]
    first, second = (2.5 / 7.5**0.5, 2.5 / 5.5**0.5)
    cases = {
        "Nothing was shortened. The sum is short enough, but the first gradient alone is not.": (1, 1),
        "The short gradient was made longer. A factor is at most one.": (first, second),
        "This is the mean over the examples. The sum is asked for.": (first / 2, 0.5),
    }
    mistakes = {hint: [[two - 2 * one, two]] for hint, (one, two) in cases.items()}
    answer = clipped_gradient(*given, 2.5)
    dW1, db1, dW2, db2 = expect_tuple(answer, ["dW1", "db1", "dW2", "db2"], "clipped_gradient(...)")
    expect_close(dW1, [[1 - 2 * first, 1]], "dW1", mistakes=mistakes)
    expect_close(db1, [1 - first], "db1")
    expect_close(dW2, [[1 - first], [first - 1]], "dW2")
    expect_close(db2, [(1 - first) / 2, (first - 1) / 2], "db2")


@test_case(
    points=0,
    hidden=False,
    failure_message="Check gradient_norms first. Both gradients are longer than 1. They get the length 1, and are then added.",
)
def test_two_long_gradients(clipped_gradient):
    import torch
    from dlcourse.checks import expect_close, expect_tuple

    rows = [[[1, 1]], [0], [[1], [-1]], [-2, 2], [[2, 0], [1, 1]]]
    given = [torch.tensor(row, dtype=torch.float64) for row in rows] + [torch.tensor([0, 1])]
    first, second, both = (7.5 ** (-0.5), 5.5 ** (-0.5), 2 ** (-0.5))
    mistakes = {
        "This is the plain gradient of the batch. What is `limit` for?": [[-1, 1]],
        "Here the sum was shortened. Each example is to be shortened by itself, before the sum.": [[-both, both]],
        "Each array was shortened by itself. The norm is that of all four together.": [[both - 1, both]],
    }
    answer = clipped_gradient(*given, 1.0)
    parts = expect_tuple(answer, ["dW1", "db1", "dW2", "db2"], "clipped_gradient(..., limit=1)")
    expect_close(parts[0], [[second - 2 * first, second]], "dW1", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The one example has no gradient at all, so the sum is zero. Its norm is zero too; do you divide by it?",
)
def test_an_example_that_is_perfectly_right(clipped_gradient):
    import torch
    from dlcourse.checks import expect_close, expect_tuple

    W1, b1, W2, b2 = (torch.ones(1, 1), torch.zeros(1), torch.tensor([[1000.0], [0.0]]), torch.zeros(2))
    answer = clipped_gradient(W1, b1, W2, b2, torch.ones(1, 1), torch.tensor([0]), 1.0)
    parts = expect_tuple(answer, ["dW1", "db1", "dW2", "db2"], "clipped_gradient of one example")
    for part, shape, name in zip(parts, [(1, 1), (1,), (2, 1), (2,)], ["dW1", "db1", "dW2", "db2"], strict=True):
        expect_close(part, torch.zeros(shape), f"{name} of an example without a gradient")


@test_case(
    points=0,
    hidden=False,
    failure_message="Check gradient_norms first. Then add the norms where spoiled is true, and divide by the sum of all.",
)
def test_shares_of_seed_0(share_of_the_spoiled):
    from dlcourse.checks import expect_close

    cases = [(1, 0.0530983, 0.0566747, 1.06197), (10, 0.154906, 0.304387, 3.09811), (40, 0.290492, 0.550275, 5.80984)]
    for epochs, expected, squares, mean in cases:
        mistakes = {
            "This is the share of the examples, not of their norms.": 0.05,
            "This is the share of the squared norms.": squares,
            "This compares the mean norms. Compare the sums.": mean,
            "This is the share of the others.": 1 - expected,
            "This divides by the others alone. Divide by the sum of all.": expected / (1 - expected),
        }
        answer = share_of_the_spoiled(epochs, 0)
        expect_close(answer, expected, f"share_of_the_spoiled({epochs}, 0)", rtol=0.0002, mistakes=mistakes)
