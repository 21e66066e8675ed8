from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="The roots are (1.25 - x + d)/2 and (1.25 - x - d)/2. What is d for each of the four x?",
)
def test_the_roots_of_momentum_by_hand(larger_root):
    import numpy as np
    from dlcourse.checks import expect_close

    mistakes = {
        "This is the root with the plus sign. For large x the other one is larger.": [1, 0.5, 0.25, 0.125],
        "This is the smaller root. The larger one decides.": [0.25, 0.5, 0.25, 0.125],
        "This is the real part. A complex root has a modulus: abs of a complex number.": [1, 0, 1, 2],
        "The roots are complex here; take their modulus.": [1, 0, -0.25, -0.125],
        "This is Nesterov's ball. With nesterov=False the plain one is asked for.": [1, 0.4510619, 2.0572796, 3.156834],
        "This is the root of mu everywhere. That holds where the roots are complex.": [0.5, 0.5, 0.5, 0.5],
    }
    x, what = (np.array([0.0, 1.25, 2.5, 3.375]), "larger_root([0, 1.25, 2.5, 3.375], 0.25, False)")
    expect_close(larger_root(x, 0.25, False), [1, 0.5, 1, 2], what, rtol=1e-05, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="At x = 0 the ball rolls on a plain, and r = 1 is a root. At x = 1 it stops. Does your equation say so?",
)
def test_the_roots_of_nesterov_by_hand(larger_root):
    import numpy as np
    from dlcourse.checks import expect_close

    ahead = "The sum of the roots is right, their product is not: the point ahead is scaled by the slope too."
    half = "The product of the roots is right, their sum is still that of momentum."
    mistakes = {
        "This is plain momentum. Does the function look at nesterov?": [1, 0.5, 0.5, 1.5930703],
        ahead: [1, 0.5, 0.5, 2.3956439],
        half: [1, 0.25, 0.25, 2],
        "This is the root with the plus sign. For large x the other one is larger.": [1, 0.25, 0, 0.1861407],
    }
    answer = larger_root(np.array([0.0, 0.75, 1.0, 3.0]), 0.25, True)
    expected = [1, 0.25, 0, 2.6861407]
    expect_close(
        answer, expected, "larger_root([0, 0.75, 1, 3], 0.25, True)", rtol=1e-05, atol=1e-06, mistakes=mistakes
    )


@test_case(
    points=0,
    hidden=False,
    failure_message="The curvatures along the valley and across it are 1 and 3. Which one sets the limit, and at which x?",
)
def test_momentum_in_a_turned_valley_by_hand(largest_rate):
    import numpy as np
    from dlcourse.checks import expect_close

    mistakes = {
        "You took an entry of H as the curvature. The valley is turned; its curvatures are the eigenvalues.": 1.6,
        "This is the limit of the shallow direction. The steep one leaves first.": 3.2,
        "This is the limit without momentum. Find the x at which a root of momentum is -1.": 2 / 3,
        "You keep lr/(1 - mu), the step along the valley. The limit is set across it: put r = -1.": 0.8 / 3,
        "A factor of 2 is missing: in r = -1, both 1 and mu appear twice.": 1.6 / 3,
        "This is Nesterov's limit. With nesterov=False the plain ball is asked for.": 3.2 / 2.2 / 3,
        "This is the limit of x. The rate is x over the largest curvature.": 3.2 / 1,
    }
    answer = largest_rate(np.array([[2.0, 1.0], [1.0, 2.0]]), 0.6, False)
    expect_close(answer, 3.2 / 3, "largest_rate([[2, 1], [1, 2]], 0.6, False)", rtol=0.001, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Run a ball of your own along one direction, with a rate just below and just above your limit.",
)
def test_two_percent_on_both_sides_of_your_rate(largest_rate):
    import numpy as np
    from dlcourse.checks import expect_shape, hint_if, plain

    H = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 5.0]])
    for nesterov in (True, False):
        answer = largest_rate(H.copy(), 0.9, nesterov)
        expect_shape(answer, (), "largest_rate(H, 0.9, nesterov)")
        rate = plain(answer, "the rate")
        what = f"largest_rate(H, 0.9, {nesterov}), H = [[4, 1, 0], [1, 3, -1], [0, -1, 5]], gave {rate:.4g}"
        for share in (0.98, 1.02):
            w, v = (np.array([1.0, -2.0, 3.0]), np.zeros(3))
            with np.errstate(all="ignore"):
                for _ in range(400):
                    v = 0.9 * v - share * rate * H @ (w + 0.9 * v if nesterov else w)
                    w = w + v
                left = not np.linalg.norm(w) < 4
            hint_if(left and share < 1, "With 0.98 times your rate the ball leaves: your rate is too large.", what)
            hint_if(not left and share > 1, "With 1.02 times your rate it still arrives: your rate is too small.", what)
