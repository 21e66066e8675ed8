from otter.test_files import test_case

OK_FORMAT = False

name = "q3"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="Lay the first template on the four places of the canvas. Its weighted sums are 3, 6, 2 and 14.",
)
def test_scores_by_hand(scores):
    import torch
    from dlcourse.checks import expect_close

    x = torch.tensor([[[0.0, 0, 0], [0, 1, 2], [0, 0, 3]]], dtype=torch.float64)
    w = torch.tensor([[[1.0, 2], [0, 3]], [[-1, 0], [0, 0]]], dtype=torch.float64)
    mistakes = {
        "This is the sum over the places. Only the best one counts.": [[25.5, -3.0]],
        "This is the mean over the places. Only the best one counts.": [[6.75, -2.25]],
        "The biases are missing.": [[14.0, 0.0]],
        "This is the maximum of absolute values. The second template is best where it gives 0.": [[14.5, -1.0]],
        "The template was turned round: W_kij meets x_(p+i, q+j).": [[6.5, -2.0]],
        "The template lay sideways: W_kij meets x_(p+i, q+j).": [[10.5, -2.0]],
        "The best place of all templates together came. Each template looks for its own.": [[14.5, 12.0]],
        "The best of each row of places came. The best of all is asked for.": [[[6.5, 14.5], [-2.0, -2.0]]],
        "The best of each column of places came. The best of all is asked for.": [[[3.5, 14.5], [-2.0, -2.0]]],
    }
    s = scores(w, torch.tensor([0.5, -2.0], dtype=torch.float64), x)
    expect_close(s, [[14.5, -2.0]], "scores(w, b, x)", atol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Here canvas and templates are equally large, so each score is one weighted sum of all pixels.",
)
def test_one_place_is_weights_on_pixels(scores):
    import torch
    from dlcourse.checks import expect_close, expect_tensor

    x = torch.tensor([[[1.0, 2], [3, 4]], [[1, 0], [0, 1]], [[0, 0], [0, 0]]], dtype=torch.float64)
    w = torch.tensor([[[1.0, 0], [-1, 0]], [[0, 1], [0, 1]]], dtype=torch.float64)
    b = torch.tensor([0.0, 10], dtype=torch.float64)
    turned = "One row for each class came. One for each canvas is asked for."
    mistakes = {turned: [[-2.0, 1, 0], [16, 11, 10]], "The biases are missing.": [[-2.0, 6], [1, 1], [0, 0]]}
    s, expected = (scores(w, b, x), [[-2.0, 16], [1, 11], [0, 10]])
    expect_tensor(s, "scores of three canvases")
    expect_close(s, expected, "scores of three canvases", atol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The scores are ln 3 and 0, so the slopes along them are 3/4 and -3/4. Which pixel did each template use?",
)
def test_one_update_by_hand(epoch):
    import numpy as np
    import torch
    from dlcourse.checks import expect_close, expect_tensor, expect_tuple

    x, y, start = (torch.tensor([[[0.0, 2], [0, 0]]], dtype=torch.float64), torch.tensor([1]), np.log(3) / 2)
    w, b = (torch.tensor([[[start]], [[-1.0]]], dtype=torch.float64), torch.zeros(2, dtype=torch.float64))
    signs = "Wrong sign: each weight moves against its slope."
    no_lr = "The learning rate is missing in the update of w."
    mistakes = {signs: [[[start + 0.75]], [[-1]]], no_lr: [[[start - 1.5]], [[-1]]], "w did not move.": w.numpy()}
    moved, biases = expect_tuple(epoch(w, b, x, y, 0.5, 1), ["w", "b"], "epoch(w, b, x, y, 0.5, 1)")
    expect_tensor(moved, "w", requires_grad=False)
    expect_tensor(biases, "b", requires_grad=False)
    expect_close(moved, [[[start - 0.75]], [[-1]]], "w after one update", atol=1e-05, mistakes=mistakes)
    no_lr, still = ("The learning rate is missing in the update of b.", "b did not move. It has a slope too.")
    mistakes = {signs: [0.375, -0.375], no_lr: [-0.75, 0.75], still: [0, 0]}
    expect_close(biases, [-0.375, 0.375], "b after one update", atol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Three canvases of one pixel with the value 1. Follow the biases by hand, batch by batch.",
)
def test_batches(epoch):
    import numpy as np
    import torch
    from dlcourse.checks import expect_close, expect_tuple

    def after(*batches, d=0.0):
        for ones, zeros, count in batches:
            d -= ((ones + zeros) / (1 + np.exp(-4 * d)) - ones) / count
        return [-d, d]

    x, w, y = (torch.ones(3, 1, 1), torch.zeros(2, 1, 1), torch.tensor([1, 1, 0]))
    mistakes = {
        "The last batch is missing. It is shorter, but it counts.": after((2, 0, 2)),
        "All examples were one batch: does it look at batch_size?": after((2, 1, 3)),
        "This is the sum over the batch. Take the mean of its losses.": after((2, 0, 1), (0, 1, 1)),
        "Each batch began with the old weights again. Go on from the moved ones.": after((0, 1, 1)),
        "The slopes of the first batch were added to those of the second: .grad adds up.": [-0.119203, 0.119203],
    }
    b = expect_tuple(epoch(w, torch.zeros(2), x, y, 1.0, 2), ["w", "b"], "epoch(w, b, x, y, 1.0, 2)")[1]
    expect_close(b, after((2, 0, 2), (0, 1, 1)), "b after batches of two and one", atol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Work on copies of w and b. The caller's must stay, and must not be watched afterwards.",
)
def test_the_tensors_given_stay_as_they_are(epoch):
    import torch
    from dlcourse.checks import expect_tuple, expect_unchanged

    x, y = (torch.tensor([[[0.0, 2], [0, 0]]], dtype=torch.float64), torch.tensor([1]))
    w, b = (torch.tensor([[[0.5]], [[-1.0]]], dtype=torch.float64), torch.zeros(2, dtype=torch.float64))
    before = [tensor.numpy().copy() for tensor in (w, b, x)]
    expect_tuple(epoch(w, b, x, y, 0.5, 1), ["w", "b"], "epoch(w, b, x, y, 0.5, 1)")
    for array, tensor, name in zip(before, (w, b, x), "wbx", strict=True):
        expect_unchanged(array, tensor, name)


@test_case(
    points=0,
    hidden=False,
    failure_message="Lay a template of 2 by 2 on a single pixel. In how many ways can they overlap, and how far does it stick out?",
)
def test_borders(smallest_border):
    from dlcourse.checks import expect_equal

    for size, expected in [(2, 1), (8, 7), (1, 0)]:
        mistakes = {
            "That is enough, but one pixel less is enough too: they share at least one pixel.": size,
            "Half of the template is not enough: it can stick out until one pixel is shared.": size // 2,
        }
        expect_equal(smallest_border(size), expected, f"smallest_border({size})", mistakes=mistakes)
