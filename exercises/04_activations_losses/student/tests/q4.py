from otter.test_files import test_case

OK_FORMAT = False

name = "q4"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="The probabilities of the true class are 3/4 and 1/2. Each of the six numbers follows from these on paper.",
)
def test_the_six_losses_by_hand(plugged):
    import numpy as np
    import torch
    from dlcourse.checks import expect_close, expect_tuple

    s, y = (torch.tensor([[np.log(3), 0], [0, 0]], dtype=torch.float64), torch.tensor([0, 0]))
    right, columns = (np.log(8 / 3) / 2, {("probabilities", "nll_loss"): -0.5})
    columns["probabilities", "cross_entropy"] = np.log((1 + np.exp(-0.25)) * (1 + np.exp(0.25))) / 2
    columns["log-probabilities", "nll_loss"] = np.log(16 / 3) / 2
    doubled = np.log(1 + np.exp(-0.5)) / 2 + np.log(2) / 2
    table = [("scores", right, -np.log(3) / 2), ("probabilities", doubled, -0.625), ("log-probabilities", right, right)]
    for given, *values in table:
        for loss, expected in zip(["cross_entropy", "nll_loss"], values, strict=True):
            mistakes = {"This is the sum over the images. Both functions take the mean.": 2 * expected}
            over = "The softmax runs over the images. The probabilities of one image sum to 1."
            mistakes |= {over: columns[given, loss]} if (given, loss) in columns else {}
            answer = expect_tuple(plugged(s.clone(), y, given, loss), ["loss", "ds"], "plugged(s, y, given, loss)")
            expect_close(answer[0], expected, f"the loss of {given} in {loss}", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The gradient belongs to the scores. Let s require gradients first, then compute everything from it.",
)
def test_the_pull_on_a_badly_wrong_image(plugged):
    import torch
    from dlcourse.checks import expect_close, expect_tensor, expect_tuple, hint_if

    s, y = (torch.tensor([[-5.0, 0.0]], dtype=torch.float64), torch.tensor([0]))
    right, doubled, slope = (0.9933071490757152, 0.009685137121826, 0.006648056670790155)
    other = 0.7284186643880661
    wanted = {"scores": ([-right, right], [-1, 0]), "probabilities": ([-doubled, doubled], [-slope, slope])}
    wanted["log-probabilities"] = ([-right, right], [-right, right])
    at_input = {("probabilities", "cross_entropy"): [[-other, other]], ("probabilities", "nll_loss"): [[-1, 0]]}
    short = "This is the gradient of what the loss was given. Follow it back through the softmax, to the scores."
    for given, pair in wanted.items():
        for loss, expected in zip(["cross_entropy", "nll_loss"], pair, strict=True):
            mistakes = {short: at_input[given, loss]} if (given, loss) in at_input else {}
            ds = expect_tuple(plugged(s.clone(), y, given, loss), ["loss", "ds"], "plugged(s, y, given, loss)")[1]
            what = f"ds of {given} in {loss}, at (-5, 0)"
            hint_if(type(ds) is tuple, "autograd.grad returns a tuple; take its first element.", what)
            expect_tensor(ds, what)
            expect_close(ds, [expected], what, rtol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Each image has its share in the mean. Call the function twice, and the same must come twice.",
)
def test_the_gradient_of_two_images(plugged):
    import numpy as np
    import torch
    from dlcourse.checks import expect_close, expect_tuple, expect_unchanged

    s, y = (torch.tensor([[np.log(3), 0], [0, 0]], dtype=torch.float64), torch.tensor([0, 1]))
    before, expected = (s.numpy().copy(), np.array([[-0.25, 0.25], [0.5, -0.5]]) / 2)
    hints = {
        "first": "The factor 1/N is missing: this is the gradient of the sum over the images.",
        "second": "The gradient of the first call was added to it: .grad adds up. Work on a copy of s.",
    }
    over = "The softmax runs over the images. The probabilities of one image sum to 1."
    for call, hint in hints.items():
        answer = plugged(s, y, "log-probabilities", "nll_loss")
        ds = expect_tuple(answer, ["loss", "ds"], "plugged(s, y, ...)")[1]
        expect_close(ds, expected, f"ds of two images, {call} call", mistakes={hint: 2 * expected, over: expected.T})
        expect_unchanged(before, s, "s")


@test_case(
    points=0, hidden=False, failure_message="Let the true score grow and grow. Where does each of the six losses go?"
)
def test_the_floors_of_two_and_ten_classes(floors):
    import numpy as np
    from dlcourse.checks import expect_close

    for classes, doubled in [(2, 0.313262), (10, 1.46115)]:
        table = np.array([[0, -np.inf], [doubled, -1], [0, 0]])

        def but(row, column, value, table=table):
            changed = table.copy()
            changed[row, column] = value
            return changed

        wrong = {
            "C: no input to the second softmax exceeds 1, so it never gives the true class all.": but(1, 0, 0),
            "C: this is the loss where all classes are equal. It can fall below.": but(1, 0, np.log(classes)),
            "C: here the logarithm of the sum is right, but the true class's own input is missing.": but(
                1, 0, doubled + 1
            ),
            "D: nll_loss takes no logarithm. What is minus the largest probability?": but(1, 1, 0),
            "B: nll_loss takes no logarithm. What is minus the largest score?": but(0, 1, 0),
        }
        expect_close(floors(classes), table, f"floors({classes})", rtol=0, atol=1e-05, mistakes=wrong)


@test_case(
    points=0,
    hidden=False,
    failure_message="Check plugged first. Then print the scores of each update, and the softmax beside them.",
)
def test_the_updates_of_two_classes(updates):
    from dlcourse.checks import expect_equal

    table = {"scores": (5, 7), "probabilities": (61, 85), "log-probabilities": (5, 5)}
    for given, counts in table.items():
        for loss, count in zip(["cross_entropy", "nll_loss"], counts, strict=True):
            mistakes = {
                "All scores move, not the first alone.": {5: 10, 61: 121, 85: 167}.get(count, -1),
                "One too many: look at the probability before each update, and count the updates alone.": count + 1,
                "One too few: the update that brings it above 0.8 counts too.": count - 1,
                "The probability never came above 0.8. Does descent go against the gradient?": 1000,
            }
            answer = updates(given, loss, -5.0, 2)
            expect_equal(answer, count, f"updates({given!r}, {loss!r}, -5.0, 2)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The loop needs an end of its own, and nothing to do where class 0 is ahead from the start.",
)
def test_updates_that_never_arrive_or_never_begin(updates):
    from dlcourse.checks import expect_equal

    mistakes = {
        "The loop ends at another number than 1000.": 999,
        "Where 1000 updates do not suffice, 1000 is to be returned.": 1001,
    }
    answer = updates("probabilities", "cross_entropy", -12.0, 2)
    expect_equal(answer, 1000, "updates('probabilities', 'cross_entropy', -12.0, 2)", mistakes=mistakes)
    answer = updates("scores", "cross_entropy", 3.0, 2)
    first = "No update is needed: at a lead of 3 the probability is 0.95 from the start."
    expect_equal(answer, 0, "updates('scores', 'cross_entropy', 3.0, 2)", mistakes={first: 1})
