from otter.test_files import test_case

OK_FORMAT = False

name = "q3"
points = 3


@test_case(
    points=0,
    hidden=False,
    failure_message="Run the first epoch of the table in the chapter by hand. Its line ends at (2, -1, 1).",
)
def test_the_first_epoch_of_the_chapter(one_epoch):
    import torch
    from dlcourse.checks import expect_close, expect_equal, expect_tensor, expect_tuple

    x = torch.tensor([[1.0, 2.0, 1.0], [2.0, 0.0, 1.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    y = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    no_update = "There was no update. A score of 0 counts as a mistake, whatever the label."
    mistakes = {no_update: [0, 0, 0], "The labels are missing in the update.": [1, 2, 1]}
    answer = one_epoch(torch.zeros(3, dtype=torch.float64), x, y, False)
    line, count = expect_tuple(answer, ["line", "mistakes"], "one_epoch(line, x, y, False)")
    expect_tensor(line, "the line")
    expect_close(line, [2, -1, 1], "the line", mistakes=mistakes)
    expect_equal(count, 3, "the mistakes")


@test_case(
    points=0,
    hidden=False,
    failure_message="Go on by hand from (2, -1, 1). Two of the three examples are mistakes when their turn comes.",
)
def test_the_second_epoch_of_the_chapter(one_epoch):
    import torch
    from dlcourse.checks import expect_close, expect_equal, expect_tuple

    x = torch.tensor([[1.0, 2.0, 1.0], [2.0, 0.0, 1.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    y = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    start = torch.tensor([2.0, -1.0, 1.0], dtype=torch.float64)
    line, count = expect_tuple(one_epoch(start, x, y, False), ["line", "mistakes"], "the second epoch")
    hint = "The mistakes of this epoch were found with the old line. Look at each example with the line of the moment."
    expect_close(line, [2, -2, 1], "the line after the second epoch", mistakes={hint: [1, -3, 0]})
    expect_equal(count, 2, "the mistakes of the second epoch")


@test_case(
    points=0,
    hidden=False,
    failure_message="Find all mistakes with the old line, then add y_n x_n for each. Their order does not matter.",
)
def test_summed_mistakes(one_epoch):
    import torch
    from dlcourse.checks import expect_close, expect_equal, expect_tensor, expect_tuple

    x = torch.tensor([[1.0, 2.0, 1.0], [2.0, 0.0, 1.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    y = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    mean = "This is the mean of the updates. The sum is asked for."
    still = "There was no update: (1, 1) is on the line."
    moved = "The line moved after each mistake here too. Does the function look at summed?"
    for start, order, count, expected, mistakes in [
        ([1, -1, 0], [0, 1, 2], 1, [2, 0, 1], {still: [1, -1, 0], mean: [4 / 3, -2 / 3, 1 / 3]}),
        ([0, 0, 0], [1, 2, 0], 3, [2, -1, 1], {moved: [1, -2, 0], mean: [2 / 3, -1 / 3, 1 / 3]}),
    ]:
        answer = one_epoch(torch.tensor(start, dtype=torch.float64), x[order], y[order], True)
        line, wrong = expect_tuple(answer, ["line", "mistakes"], f"one_epoch from {start}, summed")
        expect_tensor(line, "the line")
        expect_close(line, expected, f"the line from {start}", mistakes=mistakes)
        expect_equal(wrong, count, f"the mistakes from {start}")


@test_case(
    points=0,
    hidden=False,
    failure_message="line += ... changes the tensor that the caller holds; line = line + ... makes a new one.",
)
def test_the_old_line_stays_as_it_is(one_epoch):
    import torch
    from dlcourse.checks import expect_tuple, expect_unchanged, plain

    x = torch.tensor([[1.0, 2.0, 1.0], [2.0, 0.0, 1.0]], dtype=torch.float64)
    y = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    for summed in (False, True):
        line = torch.zeros(3, dtype=torch.float64)
        before = plain(line, "line")
        expect_tuple(one_epoch(line, x, y, summed), ["line", "mistakes"], f"one_epoch(line, x, y, {summed})")
        expect_unchanged(before, line, "line")


@test_case(
    points=0,
    hidden=False,
    failure_message="Check one_epoch first. Then count the epochs of seed 0 by hand, the clean one included.",
)
def test_both_medians_on_four_seeds(median_epochs):
    from dlcourse.checks import expect_close

    for summed, expected, other, mean, lower in [(False, 4.5, 20, 6.25, 3), (True, 20, 4.5, 20.5, 11)]:
        mistakes = {
            "torch.median takes the lower of the two middle numbers. The median of four is their mean.": lower,
            "The two habits are swapped: with summed=True the line moves once an epoch.": other,
            "The last epoch, the one without a mistake, counts too.": expected - 1,
            "This is the mean. One stubborn data set pulls it up; the median is asked for.": mean,
        }
        answer = median_epochs([0, 1, 4, 8], summed)
        expect_close(answer, expected, f"median_epochs([0, 1, 4, 8], {summed})", mistakes=mistakes)
