from otter.test_files import test_case

OK_FORMAT = False

name = "q3"
points = 3


@test_case(
    points=0,
    hidden=False,
    failure_message="After one epoch there is one network only, and it was measured twice. Were both in evaluation mode?",
)
def test_one_epoch_measures_what_it_hands_over(best_of):
    import numpy as np
    import torch
    from dlcourse.checks import expect_close, expect_shape, expect_tuple, plain

    rng = np.random.default_rng(0)
    x, t, x_val, t_val = (
        torch.from_numpy(a)
        for a in (
            rng.standard_normal((60, 4)),
            rng.integers(10, size=60),
            rng.standard_normal((80, 4)),
            rng.integers(10, size=80),
        )
    )
    answer = best_of(x, t, x_val, t_val, 0, 1)
    accuracies, scores, _ = expect_tuple(answer, ["accuracies", "scores", "count"], "best_of(..., epochs=1)")
    expect_shape(accuracies, (1,), "accuracies")
    expect_shape(scores, (80, 10), "scores")
    handed_over = np.mean(plain(scores, "scores").argmax(axis=1) == t_val.numpy())
    expect_close(accuracies, [handed_over], "the accuracy reported, beside that of the network handed over")


@test_case(
    points=0,
    hidden=False,
    failure_message="The scores are a tensor without a history, as the last line of the function made them.",
)
def test_the_scores_are_a_tensor(best_of):
    import torch
    from dlcourse.checks import expect_tensor, expect_tuple

    x, t = (torch.eye(20, dtype=torch.float64), torch.arange(20) % 10)
    answer = best_of(x, t, x, t, 0, 2)
    expect_tensor(expect_tuple(answer, ["accuracies", "scores", "count"], "best_of")[1], "scores", requires_grad=False)


@test_case(
    points=0,
    hidden=False,
    failure_message="60 examples make three batches an epoch, and the network kept has seen those up to its own epoch.",
)
def test_the_count_is_that_of_the_best_epoch(best_of):
    import numpy as np
    import torch
    from dlcourse.checks import expect_close, expect_tuple, plain

    rng, epochs = (np.random.default_rng(49), 9)
    x, t, x_val, t_val = (
        torch.from_numpy(a)
        for a in (
            rng.standard_normal((60, 4)),
            rng.integers(10, size=60),
            rng.standard_normal((25, 4)),
            rng.integers(10, size=25),
        )
    )
    answer = best_of(x, t, x_val, t_val, 0, epochs)
    accuracies, _, count = expect_tuple(answer, ["accuracies", "scores", "count"], "best_of(..., epochs=9)")
    reported = plain(accuracies, "accuracies")
    best, last = (np.argmax(reported) + 1, epochs - np.argmax(reported[::-1]))
    mistakes = {
        "This counts all passes of all epochs. In which mode was each made, and what has kept become?": 4 * epochs,
        "Validation passes were counted: the network was in training mode then.": 4 * best,
        "The count stands still after the first epoch: training mode never came back.": 3,
        "This is the last epoch's count. Was each tensor copied, also those that are no parameters?": 3 * epochs,
        "Of equally good epochs the first is to be kept.": 3 * last,
    }
    expect_close(count, 3 * best, f"the count, with epoch {best} the best", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The best accuracy was reported for one network, and another was handed over.",
)
def test_the_network_handed_over_is_the_best(best_of):
    import numpy as np
    import torch
    from dlcourse.checks import expect_close, expect_tuple, plain

    rng = np.random.default_rng(2)
    x, t, x_val, t_val = (
        torch.from_numpy(a)
        for a in (
            rng.standard_normal((60, 4)),
            rng.integers(10, size=60),
            rng.standard_normal((40, 4)),
            rng.integers(10, size=40),
        )
    )
    answer = best_of(x, t, x_val, t_val, 1, 9)
    accuracies, scores, _ = expect_tuple(answer, ["accuracies", "scores", "count"], "best_of(..., epochs=9)")
    reported = plain(accuracies, "accuracies")
    handed_over = np.mean(plain(scores, "scores").argmax(axis=1) == t_val.numpy())
    mistakes = {"This is the accuracy of the last epoch: kept has changed since it was kept.": reported[-1]}
    expect_close(handed_over, reported.max(), "the accuracy of the network handed over", mistakes=mistakes)
