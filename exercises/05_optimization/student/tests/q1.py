from otter.test_files import test_case

OK_FORMAT = False

name = "q1"
points = 2


@test_case(
    points=0,
    hidden=False,
    failure_message="Each running mean holds one gradient here. What is the sum of its weights, and what do you divide by?",
)
def test_three_weights_set_out_alike(adam):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    unmended = "The first weight is right, the others lag behind, though all got the same gradient. What differs from one pass of the inner loop to the next?"
    mistakes = {
        unmended: [[-1], [-0.7441368], [-0.6388136]],
        "This is Adam without any correction: m and v both start at zero.": [[-3.162277]] * 3,
        "Only m is corrected. The divisor starts at zero too.": [[-31.62276]] * 3,
        "Only v is corrected. m starts at zero too.": [[-0.1]] * 3,
    }
    answer = adam([np.zeros(1) for _ in range(3)], [[np.ones(1)] * 3], lr=1.0)
    weights = expect_tuple(answer, ["first", "second", "third"], "adam(three_weights, one_step, lr=1.0)")
    expect_close(weights, [[-1], [-1], [-1]], "the three weights", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Follow m, v, and the counter through both steps, with the numbers of the chapter.",
)
def test_the_two_steps_of_the_chapter(adam):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple

    expected = -1 - 0.16 / 0.19 / (0.019984 / 0.001999) ** 0.5
    stuck = -1 - 0.16 / 0.1 / (0.019984 / 0.001) ** 0.5
    mistakes = {"The first step is right. In the second, the counter still says 1.": [stuck]}
    answer = adam([np.zeros(1)], [[np.array([4.0])], [np.array([-2.0])]], lr=1.0)
    (weight,) = expect_tuple(answer, ["weight"], "adam with one parameter")
    expect_close(weight, [expected], "the weight after the gradients 4 and -2", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Two parameters were trained together, then each alone, with the same gradients. Nothing may change.",
)
def test_nobody_depends_on_the_company(adam):
    import numpy as np
    from dlcourse.checks import expect_close, expect_tuple, expect_unchanged, plain

    a, b = (np.array([1.0, 2.0]), np.array([[0.5], [-1.0], [3.0]]))
    of_a = [np.array([1.0, -3.0]), np.array([2.0, 0.5]), np.array([-1.0, 0.0])]
    of_b = [np.array([[2.0], [1.0], [-1.0]]), np.array([[0.0], [4.0], [0.5]]), np.array([[1.0], [1.0], [2.0]])]
    before = a.copy()
    together = adam([a, b], [[of_a[0], of_b[0]], [of_a[1], of_b[1]], [of_a[2], of_b[2]]], lr=0.1)
    expect_unchanged(before, a, "weights[0]")
    pair = expect_tuple(together, ["a", "b"], "adam([a, b], gradients)")
    for name, w, gradients, end in (("a", a, of_a, pair[0]), ("b", b, of_b, pair[1])):
        (alone,) = expect_tuple(adam([w], [[g] for g in gradients], lr=0.1), [name], f"adam([{name}], gradients)")
        expect_close(end, plain(alone, name), f"{name} in company, beside {name} alone")


@test_case(
    points=0,
    hidden=False,
    failure_message="Put p = 1 and p = 2 into your formula by hand, with beta1 = 0.5 and beta2 = 0.75.",
)
def test_two_first_steps_by_hand(first_steps):
    from dlcourse.checks import expect_close, expect_shape, hint_if, plain

    expected = [1.0, 0.5 / 0.75 * (0.4375 / 0.25) ** 0.5]
    mistakes = {
        "These are the steps after the repair. How long were they with the bug?": [1.0, 1.0],
        "This divides by v_hat. Adam divides by its root.": [1.0, 0.5 / 0.75 * 0.4375 / 0.25],
        "This is the length of m_hat alone. The divisor is wrong by a factor too.": [1.0, 0.5 / 0.75],
        "This is one over the divisor alone. m_hat is wrong by a factor too.": [1.0, (0.4375 / 0.25) ** 0.5],
        "This is upside down: m_hat stands above, the root of v_hat below.": [1.0, 1 / expected[1]],
        "The betas are swapped: beta1 belongs to m, beta2 to v.": [1.0, 0.25 / 0.4375 * (0.75 / 0.5) ** 0.5],
    }
    zero = "The first parameter of the list is number 1: her counter was at 1 when it had its turn."
    answer = first_steps(2, 0.5, 0.75)
    expect_shape(answer, (2,), "first_steps(2, 0.5, 0.75)")
    hint_if(not plain(answer, "the lengths")[0] < 1000000000.0, zero, "first_steps(2, 0.5, 0.75)")
    expect_close(answer, expected, "first_steps(2, 0.5, 0.75)", mistakes=mistakes)
