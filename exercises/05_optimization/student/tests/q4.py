from otter.test_files import test_case

OK_FORMAT = False

name = "q4"
points = 4


@test_case(points=0, hidden=False, failure_message="Together, the numbers 2, 3, and 6 make a vector of length 7.")
def test_a_length_of_seven(shortened):
    import torch
    from dlcourse.checks import expect_close, expect_tuple, expect_unchanged, plain

    dw, db = (torch.tensor([2.0, 3.0], dtype=torch.float64), torch.tensor([6.0], dtype=torch.float64))
    before = plain(dw, "dw")
    apart = "Each tensor was clipped for itself. That changes the direction: one norm for all of them is asked for."
    votes = "Each number was clipped for itself. That changes the direction: shorten all by one factor."
    at_limit = {
        apart: [1.9414506, 2.9121759, 3.5],
        votes: [2, 3, 3.5],
        "This is the norm of absolute values. Square, add, and take the root.": [7 / 11, 10.5 / 11, 21 / 11],
        "You divide by the squared length, 49. Take the root of the sum.": [1 / 7, 1.5 / 7, 3 / 7],
    }
    short = {"A gradient that is short enough was stretched. Leave it as it is.": [4, 6, 12]}
    for limit, expected, mistakes in [(3.5, [1, 1.5, 3], at_limit), (14.0, [2, 3, 6], short)]:
        parts = expect_tuple(shortened([dw, db], limit), ["dw", "db"], f"shortened([(2, 3), (6,)], {limit})")
        values = [*plain(parts[0], "dw").ravel(), *plain(parts[1], "db").ravel()]
        expect_close(values, expected, f"2, 3, and 6 clipped to {limit}", rtol=1e-05, mistakes=mistakes)
        expect_unchanged(before, dw, "gradients[0]")


@test_case(
    points=0,
    hidden=False,
    failure_message="A gradient of zeros is short enough. Neither divide by its length nor change its shape.",
)
def test_zeros_stay_zeros(shortened):
    import torch
    from dlcourse.checks import expect_close, expect_tensor, expect_tuple

    parts = expect_tuple(shortened([torch.zeros(2, 3), torch.zeros(())], 1.0), ["dw", "db"], "shortened of zeros")
    for name, part, shape in zip(("dw", "db"), parts, ((2, 3), ()), strict=True):
        expect_tensor(part, name)
        expect_close(part, torch.zeros(shape).numpy(), f"{name}, clipped zeros")


@test_case(
    points=0,
    hidden=False,
    failure_message="The gradients of the three examples are (3, 4), (0, 3), and (0, -6). What is their mean?",
)
def test_a_batch_in_two_unequal_parts(batch_gradient):
    import torch
    from dlcourse.checks import expect_close, expect_tensor, expect_tuple, plain

    kind = {"dtype": torch.float64}
    x, y = (torch.tensor([[0.75], [0.0], [0.0]], **kind), torch.tensor([-4.0, -3.0, 6.0], **kind))
    start = (torch.zeros(1, **kind), torch.zeros((), **kind))
    mistakes = {
        "This is the mean of the two means. Two examples are in the first part, one in the second.": [0.75, -1.25],
        "The means of the parts are added up. Weigh each by its share of the batch.": [1.5, -2.5],
        "Only the last part is left. Add the parts up.": [0, -2],
        "This is the sum over the examples. The loss is a mean.": [3, 1],
    }
    for each in (False, True):
        what = f"batch_gradient(w, b, x, y, [2, 1], 1000, {each})"
        dw, db = expect_tuple(batch_gradient(*start, x, y, [2, 1], 1000.0, each), ["dw", "db"], what)
        expect_tensor(dw, "dw", requires_grad=False)
        expect_tensor(db, "db", requires_grad=False)
        expect_close([*plain(dw, "dw"), plain(db, "db")], [1, 1 / 3], what, rtol=1e-05, mistakes=mistakes)


@test_case(
    points=0, hidden=False, failure_message="Clip (3, 4), (0, 3), and (0, -6) to length 1 on paper, then take the mean."
)
def test_each_example_is_clipped(batch_gradient):
    import torch
    from dlcourse.checks import expect_close, expect_tuple, plain

    kind = {"dtype": torch.float64}
    x, y = (torch.tensor([[0.75], [0.0], [0.0]], **kind), torch.tensor([-4.0, -3.0, 6.0], **kind))
    running = "You clip the sum so far after every example. Clip the example's own gradient, then add."
    late = "This is three times too long. (3, 4) becomes (0.6, 0.8), and then a third of this is added."
    mistakes = {
        "Only the whole gradient was clipped. Does the function look at each?": [0.9486833, 0.3162278],
        running: [0.2880437, -0.9576173],
        late: [0.6, 0.8],
        "Nothing was clipped.": [1, 1 / 3],
    }
    what = "batch_gradient(w, b, x, y, [1, 1, 1], 1, True)"
    answer = batch_gradient(torch.zeros(1, **kind), torch.zeros((), **kind), x, y, [1, 1, 1], 1.0, True)
    dw, db = expect_tuple(answer, ["dw", "db"], what)
    expect_close([*plain(dw, "dw"), plain(db, "db")], [0.2, 0.8 / 3], what, rtol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The whole gradient is (1, 1/3), a little longer than 1. It keeps its direction.",
)
def test_the_whole_batch_is_clipped(batch_gradient):
    import torch
    from dlcourse.checks import expect_close, expect_tuple, expect_unchanged, plain

    kind = {"dtype": torch.float64}
    x, y = (torch.tensor([[0.75], [0.0], [0.0]], **kind), torch.tensor([-4.0, -3.0, 6.0], **kind))
    w, b = (torch.zeros(1, **kind), torch.zeros((), **kind))
    before = plain(w, "w")
    mistakes = {
        "Each example was clipped. With each=False only the whole gradient is.": [0.2, 0.8 / 3],
        "Nothing was clipped at the end.": [1, 1 / 3],
    }
    what = "batch_gradient(w, b, x, y, [1, 1, 1], 1, False)"
    dw, db = expect_tuple(batch_gradient(w, b, x, y, [1, 1, 1], 1.0, False), ["dw", "db"], what)
    expected = [0.9486833, 0.3162278]
    expect_close([*plain(dw, "dw"), plain(db, "db")], expected, what, rtol=1e-05, mistakes=mistakes)
    expect_unchanged(before, w, "w")


@test_case(
    points=0,
    hidden=False,
    failure_message="Go through both steps on paper. At b = 0 the five gradients of the bias are 0, -1, -2, -3, and -100.",
)
def test_two_steps_with_a_typing_error(descend):
    import torch
    from dlcourse.checks import expect_close, expect_tuple

    x, y = (torch.zeros((5, 1), dtype=torch.float64), torch.tensor([0, 1, 2, 3, 100], dtype=torch.float64))
    for each, expected, first, uphill in [(True, 0.72, 0.4, -0.84), (False, 1.0, 0.5, -1.0)]:
        mistakes = {
            "This is uphill. Step against the gradient.": uphill,
            "This is the bias after one step. Two are asked for.": first,
        }
        if each:
            mistakes["Both steps have the gradient at zero. Take it where the unit is now."] = 0.8
        what = f"descend(x, y, [1, 1, 1, 1, 1], 1, {each}, 0.5, 2)"
        w, b = expect_tuple(descend(x, y, [1] * 5, 1.0, each, 0.5, 2), ["w", "b"], what)
        expect_close(w, [0.0], "w, whose inputs are all zero")
        expect_close(b, expected, f"b of {what}", rtol=1e-05, mistakes=mistakes)
