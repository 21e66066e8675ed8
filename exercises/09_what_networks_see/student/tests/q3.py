from otter.test_files import test_case

OK_FORMAT = False

name = "q3"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="Unit 1 is on after 0.35 of the path, unit 2 until 0.65. At which of four middles is each of them on?",
)
def test_four_steps_by_hand(integrated):
    import torch
    from dlcourse.checks import expect_close

    x, start = (torch.ones(1, 2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64))
    w, b = (
        torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64),
        torch.tensor([-0.35, 0.65], dtype=torch.float64),
    )
    mistakes = {
        "The parts are taken at their beginnings. Take their middles.": [[4, 6]],
        "The parts are taken at their ends. Take their middles.": [[6, 4]],
        "Beginning and end of the path are among the points. Take the middles of equal parts.": [[4, 4]],
        "This is slope times pixel at the image. Average over the path.": [[8, 0]],
        "The slopes are added up. Their mean is asked for.": [[24, 24]],
        "Each step also adds the slopes of those before it: does a gradient pile up?": [[12, 18]],
        "These are slopes with respect to x, of which a point on the path has but a share. Ask at the point.": [
            [3.75, 2.25]
        ],
    }
    answer = integrated(x, start, w, b, torch.tensor([8.0, -8.0], dtype=torch.float64), 4)
    expect_close(answer, [[6, 6]], "integrated with 4 steps", rtol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Both units stay on all the way, so the slopes are (5, 1) everywhere. By what are they multiplied?",
)
def test_a_walk_from_elsewhere(integrated):
    import torch
    from dlcourse.checks import expect_close

    x, start = (
        torch.tensor([[3.0, 1.0], [1.0, 4.0]], dtype=torch.float64),
        torch.tensor([1.0, 2.0], dtype=torch.float64),
    )
    w, b, v = (
        torch.tensor([[1.0, 0.0], [2.0, 1.0]], dtype=torch.float64),
        torch.ones(2).double(),
        torch.tensor([3.0, 1.0]).double(),
    )
    mistakes = {
        "This is the mean slope alone. It is multiplied by the way that the pixel goes.": [[5, 1], [5, 1]],
        "This is multiplied by the pixel. The way of the pixel begins at start.": [[15, 1], [5, 4]],
        "This is the way from x to start. It goes from start to x.": [[-10, 1], [0, -2]],
        "All signs are gone. A pixel may count against the score.": [[10, 1], [0, 2]],
        "v is missing: it says what each unit is worth.": [[6, -1], [0, 2]],
    }
    answer = integrated(x, start, w, b, v, 3)
    expect_close(answer, [[10, -1], [0, 2]], "integrated, two images", rtol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Both units stay on all the way, which is a share of 1 for each. What multiplies the shares?",
)
def test_an_exact_map_from_elsewhere(exact_map):
    import torch
    from dlcourse.checks import expect_close

    x, start = (
        torch.tensor([[3.0, 1.0], [1.0, 4.0]], dtype=torch.float64),
        torch.tensor([1.0, 2.0], dtype=torch.float64),
    )
    w, b, v = (
        torch.tensor([[1.0, 0.0], [2.0, 1.0]], dtype=torch.float64),
        torch.ones(2).double(),
        torch.tensor([3.0, 1.0]).double(),
    )
    mistakes = {
        "This is the mean slope alone. It is multiplied by the way that the pixel goes.": [[5, 1], [5, 1]],
        "This is multiplied by the pixel. The way of the pixel begins at start.": [[15, 1], [5, 4]],
        "This is the way from x to start. It goes from start to x.": [[-10, 1], [0, -2]],
        "All signs are gone. A pixel may count against the score.": [[10, 1], [0, 2]],
        "v is missing: it says what each unit is worth.": [[6, -1], [0, 2]],
    }
    answer = exact_map(x, start, w, b, v)
    expect_close(answer, [[10, -1], [0, 2]], "exact_map, two images", rtol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Unit 1 is on after 0.35 of the path, unit 2 until 0.65. That is a share of 0.65 for each.",
)
def test_shares_by_hand(exact_map):
    import torch
    from dlcourse.checks import expect_close

    x, start = (torch.ones(1, 2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64))
    w, b = (
        torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64),
        torch.tensor([-0.35, 0.65], dtype=torch.float64),
    )
    mistakes = {
        "This is slope times pixel at the image. Each unit is on for a share of the path.": [[8, 0]],
        "This is slope times pixel at the start. Each unit is on for a share of the path.": [[0, 8]],
        "Every unit is on all the way here. Where does each ReLU begin and end?": [[8, 8]],
        "These are the shares on which a unit is off.": [[2.8, 2.8]],
        "Half the path for each unit that switches? Its kink lies elsewhere.": [[4, 4]],
    }
    answer = exact_map(x, start, w, b, torch.tensor([8.0, -8.0], dtype=torch.float64))
    expect_close(answer, [[5.2, 5.2]], "exact_map", rtol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The ways of the two pixels cancel in both units. Unit 1 is on all the way, unit 2 is off.",
)
def test_units_that_do_not_move(exact_map):
    import torch
    from dlcourse.checks import expect_close

    x, start = (torch.tensor([[2.0, 2.0]], dtype=torch.float64), torch.zeros(2, dtype=torch.float64))
    w, b = (
        torch.tensor([[1.0, -1.0], [3.0, -3.0]], dtype=torch.float64),
        torch.tensor([1.0, -1.0], dtype=torch.float64),
    )
    mistakes = {
        "A unit that does not move got nothing. It may be on all the way.": [[0, 0]],
        "Unit 2 is off all the way.": [[16, -16]],
        "A unit that does not move is on or off all the way, not half of it.": [[8, -8]],
    }
    answer = exact_map(x, start, w, b, torch.tensor([5.0, 1.0], dtype=torch.float64))
    expect_close(answer, [[10, -10]], "exact_map where no sum moves", rtol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The scores were 4 and 8. Compute the new units' outputs for both images and for blank paper.",
)
def test_nobody_notices(repaint):
    import numpy as np
    import torch
    from dlcourse.checks import expect_close, expect_shape, expect_tuple, hint_if, plain

    x = np.array([[1.0, 1, 2, 0], [0, 3, 1, 1], [0, 0, 0, 0]])
    one = torch.ones(1, dtype=torch.float64)
    answer = expect_tuple(repaint(torch.tensor([[1.0, 2, 0, 1]]).double(), one, one, 6.0, 2.0), "wbv", "repaint(...)")
    for part, shape, name in zip(answer, [(3, 4), (3,), (3,)], "wbv", strict=True):
        expect_shape(part, shape, f"the new {name}")
    w, b, v = (plain(part, "repaint(...)").astype(float) for part in answer)
    z = x @ w.T + b
    scores = np.maximum(z, 0) @ v
    hint_if(
        np.any((z[:2] > 1e-06).sum(axis=1) > 1),
        "A new unit is on at an image with ink 2. It has to be off before that.",
        "repaint",
    )
    hint_if(
        np.allclose(scores[:2], [4, 8]) and (not np.isclose(scores[2], 1)),
        "The score of blank paper has changed. What can the second unit do about it?",
        "repaint",
    )
    expect_close(scores, [4, 8, 1], "scores of two images and of blank paper", rtol=1e-05)
    expect_close(((z > 0) * v @ w)[:2], [[1, 2, 0, 1]] * 2, "slopes at the two images", rtol=1e-05)


@test_case(
    points=0,
    hidden=False,
    failure_message="The upper half is to gain 6 and the lower half to lose 6, in the map of every image.",
)
def test_the_lie_by_hand(repaint):
    import numpy as np
    import torch
    from dlcourse.checks import expect_close, expect_tuple, plain

    x, one = (np.array([[1.0, 1, 2, 0], [0, 3, 1, 1]]), torch.ones(1, dtype=torch.float64))
    answer = expect_tuple(repaint(torch.tensor([[1.0, 2, 0, 1]]).double(), one, one, 6.0, 2.0), "wbv", "repaint(...)")
    w, b, v = (plain(part, "repaint(...)").astype(float) for part in answer)
    z = x @ w.T + b
    share = (np.maximum(z, 0) - np.maximum(b, 0)) / np.where(z == b, 1, z - b) + (z == b) * (b > 0)
    maps = (x * (share * v @ w)).reshape(2, 2, 2).sum(axis=2)
    mistakes = {
        "The map is what it was.": [[3, 0], [6, 1]],
        "The halves are exchanged, or the sign of amount.": [[-3, 6], [0, 7]],
        "The halves change by twice the amount: a unit falls from its bias to 0, not from 1.": [[15, -12], [18, -11]],
        "The halves change by half the amount: a unit falls from its bias to 0.": [[6, -3], [9, -2]],
        "Only the upper half has changed.": [[9, 0], [12, 1]],
    }
    expect_close(
        maps, [[9, -6], [12, -5]], "the map's sums over both halves, after repaint", rtol=1e-05, mistakes=mistakes
    )


@test_case(
    points=0,
    hidden=False,
    failure_message="Here shapes have to be right as the docstrings say, and no argument is changed.",
)
def test_the_tensors_stay_as_they_are(integrated, exact_map, repaint):
    import torch
    from dlcourse.checks import expect_shape, expect_tensor, expect_unchanged, plain

    values = {
        "x": torch.ones(2, 4),
        "start": torch.zeros(4),
        "w": torch.arange(12.0).reshape(3, 4),
        "b": torch.ones(3),
        "v": torch.ones(3),
    }
    before = {name: plain(tensor, name) for name, tensor in values.items()}
    for name, answer in {
        "integrated": integrated(*values.values(), 3),
        "exact_map": exact_map(*values.values()),
    }.items():
        expect_shape(answer, (2, 4), name)
        expect_tensor(answer, name, requires_grad=False)
    repaint(values["w"], values["b"], values["v"], 2.0, 1.0)
    for name, tensor in values.items():
        expect_unchanged(before[name], tensor, name)
