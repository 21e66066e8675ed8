from otter.test_files import test_case

OK_FORMAT = False

name = "q3"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="With one number and open ReLUs the branches multiply by 2 and 3. Write down the four paths.",
)
def test_four_paths_by_hand(by_length):
    import torch
    from dlcourse.checks import expect_close

    x, dy = (torch.ones(1, 1, dtype=torch.float64), torch.full((1, 1), 10.0, dtype=torch.float64))
    weights = torch.tensor([[[2.0]], [[3.0]]], dtype=torch.float64)
    right = torch.tensor([10.0, 50.0, 60.0]).reshape(3, 1, 1).numpy()
    mistakes = {
        "The parts are in the opposite order. Part 0 went past all branches.": right[::-1],
        "Two paths go through one branch. What came along them adds up, this is the mean.": [[[10]], [[25]], [[60]]],
        "Of the paths through one branch only one is here, that through the first block.": [[[10]], [[20]], [[60]]],
        "Of the paths through one branch only one is here, that through the last block.": [[[10]], [[30]], [[60]]],
        "A part was changed before it was sent on: a message went twice through one branch.": [[[10]], [[50]], [[100]]],
        "Parts were changed before they were sent on: messages went twice through branches.": [[[10]], [[50]], [[190]]],
        "This is the whole gradient. Which part of it came through 0, 1 and 2 branches?": [[[120]]],
        "dy is missing: these are the parts for dy = 1.": right / 10,
        "These are sums: part k holds all that went through at most k branches.": right.cumsum(axis=0),
    }
    expect_close(by_length(x, dy, weights, False), right, "parts of two blocks", rtol=0.0001, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The first block makes -1 of 1, and the ReLU of the second block is closed. Which paths are left?",
)
def test_a_closed_branch_by_hand(by_length):
    import torch
    from dlcourse.checks import expect_close

    x, dy = (torch.tensor([[1.0], [-1.0]], dtype=torch.float64), torch.ones(2, 1, dtype=torch.float64))
    weights = torch.tensor([[[-2.0]], [[3.0]]], dtype=torch.float64)
    mistakes = {
        "Does each branch have its derivative at the x that it saw?": [[[1], [1]], [[1], [0]], [[-6], [0]]],
        "Were the derivatives taken at the x behind each branch?": [[[1], [1]], [[0], [0]], [[0], [0]]],
        "The ReLU is not there on the way back.": [[[1], [1]], [[1], [1]], [[-6], [-6]]],
    }
    expected = [[[1], [1]], [[-2], [0]], [[0], [0]]]
    answer = by_length(x, dy, weights, False)
    expect_close(answer, expected, "the parts for two rows", rtol=0.0001, atol=1e-06, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="With one unit the norm leaves the sign alone. If x moves a little, what does the branch do?",
)
def test_a_norm_of_one_unit_by_hand(by_length):
    import torch
    from dlcourse.checks import expect_close

    x, dy = (torch.full((1, 1), 2.0, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64))
    weights = torch.tensor([[[2.0]], [[3.0]]], dtype=torch.float64)
    mistakes = {
        "The norm depends on x too. Here it is a constant factor.": [[[1]], [[5 / 6]], [[1 / 6]]],
        "This is without the norm.": [[[1]], [[5]], [[6]]],
    }
    expected = [[[1]], [[0]], [[0]]]
    answer = by_length(x, dy, weights, True)
    expect_close(answer, expected, "the parts for one unit, normed", rtol=0.0001, atol=1e-06, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Add up your parts, and compare with the gradient that autograd finds for the whole network.",
)
def test_the_parts_add_up(by_length):
    import numpy as np
    import torch
    from dlcourse.checks import expect_close, expect_shape, plain

    rng = np.random.default_rng(4)
    first, dy = (torch.from_numpy(rng.standard_normal((3, 4))) for _ in range(2))
    first[:, 0] += 12
    weights = torch.from_numpy(rng.standard_normal((5, 4, 4)))
    x = first.clone().requires_grad_()
    y = x
    for w in weights:
        z = torch.relu(y) @ w.T
        y = y + z / z.square().mean(dim=1, keepdim=True).sqrt()
    whole = torch.autograd.grad(y, x, dy)[0]
    parts = by_length(first.clone(), dy.clone(), weights.clone(), True)
    expect_shape(parts, (6, 3, 4), "by_length of 5 blocks")
    parts = plain(parts, "by_length of 5 blocks")
    expect_close(parts[0], dy, "part 0, what went past all branches", rtol=0.0001, atol=1e-06)
    expect_close(parts.sum(axis=0), whole, "the sum of all parts", rtol=0.0001, atol=1e-06)


@test_case(points=0, hidden=False, failure_message="Without the norm each block is the toss of a fair coin. Toss two.")
def test_the_expected_shares_by_hand(expected_shares):
    import numpy as np
    from dlcourse.checks import expect_close

    mistakes = {
        "These are the numbers of paths. Shares add up to 1.": [1, 2, 1],
        "All lengths have the same share here. How many paths of each length are there?": np.full(3, 1 / 3),
        "These are the shares of two blocks with the norm.": [1 / 3, 1 / 2, 1 / 6],
    }
    right = [0.25, 0.5, 0.25]
    expect_close(expected_shares(2, False), right, "expected_shares(2, False)", rtol=0.0001, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="With the norm the first block has a = 1. The stream before the second has the mean square 2.",
)
def test_the_expected_shares_with_a_norm_by_hand(expected_shares):
    from dlcourse.checks import expect_close

    root = 1 / (1 + 2**0.5)
    mistakes = {
        "These are the shares without the norm.": [0.25, 0.5, 0.25],
        "a was taken for the chance. Of 1 + a, the part a goes through the branch.": [0, 0.5, 0.5],
        "Lengths were taken in place of squared lengths.": [(1 - root) / 2, 0.5, root / 2],
        "The order is reversed. The first share went past all branches.": [1 / 6, 1 / 2, 1 / 3],
        "What does block 1 divide by? The stream before it is the input, of mean square 1.": [1 / 2, 5 / 12, 1 / 12],
        "Every block got the norm of the last.": [4 / 9, 4 / 9, 1 / 9],
    }
    expected = [1 / 3, 1 / 2, 1 / 6]
    expect_close(expected_shares(2, True), expected, "expected_shares(2, True)", rtol=0.0001, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Let a third block follow two. What does it divide by, and what becomes of each of the three shares?",
)
def test_three_expected_shares_by_hand(expected_shares):
    from dlcourse.checks import expect_close

    mistakes = {
        "The stream was taken to double in each block. With the norm it grows by 1.": [8 / 30, 14 / 30, 7 / 30, 1 / 30],
        "These are the shares without the norm.": [0.125, 0.375, 0.375, 0.125],
        "Every block got the norm of the last.": [27 / 64, 27 / 64, 9 / 64, 1 / 64],
    }
    expected = [6 / 24, 11 / 24, 6 / 24, 1 / 24]
    expect_close(expected_shares(3, True), expected, "expected_shares(3, True)", rtol=0.0001, mistakes=mistakes)
    expect_close(expected_shares(0, True), [1], "expected_shares(0, True)", rtol=0.0001)


@test_case(points=0, hidden=False, failure_message="No argument is changed.")
def test_the_tensors_stay_as_they_are(by_length):
    import torch
    from dlcourse.checks import expect_unchanged, plain

    tensors = {"x": torch.tensor([[1.0, -2.0]]), "dy": torch.ones(1, 2), "weights": torch.ones(2, 2, 2)}
    before = {name: plain(tensor, name) for name, tensor in tensors.items()}
    by_length(*tensors.values(), False)
    for name, tensor in tensors.items():
        expect_unchanged(before[name], tensor, name)
