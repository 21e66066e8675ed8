from otter.test_files import test_case

OK_FORMAT = False

name = "q3"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="Guess which targets of the first row are farther than 10 from c, solve for c, and see if the guess was right.",
)
def test_three_samples_by_hand(huber_constants):
    import numpy as np
    from dlcourse.checks import expect_close

    t = np.array([[1.0, 2, 3, 4, 90], [-90, 1, 2, 3, 4], [-50, 0, 1, 5, 50]])
    mistakes = {
        "These are the means: nothing is clipped.": t.mean(axis=1),
        "These are the medians. Within delta of c, a target pulls with its distance.": np.median(t, axis=1),
        "The far targets were dropped. They still pull, each with the force delta.": [2.5, 2.5, 2],
        "One pass from the medians is not enough: with c, the targets to be clipped move too.": [4.6, 0.4, 1.6],
        "One pass from the means is not enough: with c, the targets to be clipped move too.": [14, -10, 1.68],
        "The targets were clipped. Clip their distances from c.": [4, 0, 1.2],
        "One constant for each sample: the targets of a sample stand in a row.": t.mean(axis=0),
    }
    answer = huber_constants(t, 10.0)
    expect_close(answer, [5, 0, 2], "the constants of three samples", rtol=0, atol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="On the way to c no target helps by more than delta. How far do your passes get, and from where do they start?",
)
def test_a_small_delta(huber_constants):
    import numpy as np
    from dlcourse.checks import expect_close

    t = np.array([[0.0, 1, 2, 3, 1000], [-1000, 0, 5, 5.01, 6]])
    mistakes = {"These are the medians. In the second sample two targets pull with their distance.": [2, 5]}
    answer = huber_constants(t, 0.02)
    expect_close(answer, [2, 4.995], "the constants with delta 0.02", rtol=0, atol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="A constant beside yours has a smaller loss. Is the loop long enough for six decimals?",
)
def test_no_better_constant_nearby(huber_constants):
    import numpy as np
    from dlcourse.checks import expect_shape, expect_unchanged, hint_if, plain
    from dlcourse.losses import HuberLoss

    t = np.random.default_rng(1).normal(size=(2, 51))
    t[:, :12] += 40
    given, loss = (t.copy(), HuberLoss(0.1))
    answer = huber_constants(given, 0.1)
    expect_shape(answer, (2,), "huber_constants(t, 0.1)")
    expect_unchanged(t, given, "t")
    for row, c in zip(t, plain(answer, "huber_constants(t, 0.1)").tolist(), strict=True):
        here, left, right = (loss(np.full(51, c + step), row) for step in (0, -1e-05, 1e-05))
        side = "left" if left < right else "right"
        better = f"A constant 1e-5 to the {side} of yours has a smaller loss. Did the loop end too early?"
        hint_if(min(left, right) < here, better, "huber_constants of 51 targets, delta 0.1")


@test_case(points=0, hidden=False, failure_message="The best constant of a single target is that target.")
def test_one_target_and_a_flat_minimum(huber_constants):
    import numpy as np
    from dlcourse.checks import expect_close, expect_shape, hint_if, plain

    expect_close(huber_constants(np.array([[7.0]]), 1.0), [7], "huber_constants([[7]], 1)", rtol=0, atol=1e-05)
    answer = huber_constants(np.array([[0.0, 10.0]]), 1.0)
    expect_shape(answer, (1,), "huber_constants([[0, 10]], 1)")
    c = plain(answer, "huber_constants([[0, 10]], 1)")[0]
    hint = "From 1 to 9 the two targets pull equally hard, and every c there is right. Yours is outside."
    hint_if(not 1 - 1e-05 <= c <= 9 + 1e-05, hint, f"huber_constants([[0, 10]], 1) = [{c:.6g}]")


@test_case(
    points=0,
    hidden=False,
    failure_message="The Huber constants of the two samples are 5 and 2, their means 20 and 2. Work out both variances.",
)
def test_the_price_of_two_samples_by_hand(price):
    import numpy as np
    from dlcourse.checks import expect_close

    t = np.array([[1.0, 2, 3, 4, 90], [0, 1, 2, 3, 4]])
    mistakes = {
        "Turned upside down: the variance of the means belongs below.": 36.0,
        "This is the ratio of the standard deviations. The price compares variances.": 1 / 6,
        "This divides by the scatter within the samples. Take the variance of the R means.": 2.25 / 614,
        "A price of 1 says that the Huber constants are the means. Check huber_constants first.": 1.0,
    }
    expect_close(price(t, 10.0), 1 / 36, "price(t, 10)", rtol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Check the two samples by hand first. Then compare your constants of clean with np.median for a tiny delta.",
)
def test_the_price_on_clean_and_dirty_targets(price):
    import numpy as np
    from dlcourse.checks import expect_close

    rng = np.random.default_rng(0)
    clean = rng.normal(size=(1000, 51))
    dirty = np.where(rng.random(clean.shape) < 0.05, 10 * clean, clean)
    for name, t, delta, expected in [
        ("clean", clean, 1.345, 1.03),
        ("clean", clean, 0.001, 1.55),
        ("dirty", dirty, 1.345, 0.21),
        ("dirty", dirty, 0.001, 0.29),
    ]:
        same = {"A price of 1: these constants are the means. Check huber_constants first.": 1.0}
        expect_close(price(t, delta), expected, f"price({name}, {delta})", rtol=0, atol=0.0051, mistakes=same)
