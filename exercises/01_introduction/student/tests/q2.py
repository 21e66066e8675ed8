from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = 3


@test_case(
    points=0,
    hidden=False,
    failure_message="With two pieces it is the fold of the chapter, with kinks 0 and 1/2 and weights 2 and -4.",
)
def test_the_kinks(zigzag):
    from dlcourse.checks import expect_close, expect_tuple

    for m, expected in [(2, [0, 1 / 2]), (3, [0, 1 / 3, 2 / 3]), (1, [0])]:
        c, _ = expect_tuple(zigzag(m), ["c", "v"], f"zigzag({m})")
        mistakes = {
            "The interval has m pieces, so each is 1/m long, not 1/(m - 1).": [n / max(m - 1, 1) for n in range(m)],
            "These are the ends of the pieces. A unit begins where its piece begins.": [(n + 1) / m for n in range(m)],
            "A zigzag with m pieces has m + 1 corners, but nothing begins at the last.": [n / m for n in range(m + 1)],
            "The first unit, which makes the first rise, is missing.": [n / m for n in range(1, m)],
        }
        expect_close(c, expected, f"the kinks of zigzag({m})", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The slopes of the three pieces are 3, -3, 3. Each unit adds its weight to all slopes right of its kink.",
)
def test_the_weights(zigzag):
    from dlcourse.checks import expect_close, expect_tuple

    _, v = expect_tuple(zigzag(3), ["c", "v"], "zigzag(3)")
    mistakes = {
        "These are the slopes of the pieces. A weight is by how much the slope changes.": [3, -3, 3],
        "From +3 to -3 the slope changes by -6, and from -3 to +3 by +6: the signs alternate.": [3, -6, -6],
        "The first piece starts from slope 0, not from -3. It needs half the change of the others.": [6, -6, 6],
        "These would be right for pieces of length 1. Each climbs from 0 to 1 within a third.": [1, -2, 2],
        "These are the weights of two pieces, with one added. With m pieces the slopes are m and -m.": [2, -4, 4],
    }
    expect_close(v, [3, -6, 6], "the weights of zigzag(3)", mistakes=mistakes)
    _, v = expect_tuple(zigzag(1), ["c", "v"], "zigzag(1)")
    one = {"With one piece the slope is 1.": [2]}
    expect_close(v, [1], "the weight of zigzag(1), which changes nothing", mistakes=one)


@test_case(
    points=0,
    hidden=False,
    failure_message="By hand, 0.1 goes to 0.3 and then to 0.9, and 0.4 goes to 0.8 and then to 0.4.",
)
def test_two_zigzags_in_a_row(chain):
    import numpy as np
    from dlcourse.checks import expect_close, expect_unchanged

    x = np.array([0.1, 0.4, 0.5, 1.0])
    mistakes = {
        "This is the zigzag once. Apply it to what comes out, depth times in all.": [0.3, 0.8, 0.5, 1],
        "This is the zigzag three times, one too many.": [0.7, 0.8, 0.5, 1],
        "This is the zigzag of x, multiplied by itself. Apply it to its own output instead.": [0.09, 0.64, 0.25, 1],
        "Nothing happened to x. Does the loop hand on what comes out?": x,
        "An array of shape (N, 1) came. N numbers in a row are asked for.": [[0.9], [0.4], [0.5], [1]],
    }
    before = x.copy()
    expect_close(chain(x, 3, 2), [0.9, 0.4, 0.5, 1], "chain([0.1, 0.4, 0.5, 1], 3, 2)", atol=1e-05, mistakes=mistakes)
    expect_unchanged(before, x, "x")
    hint = "Applied 0 times, it changes nothing. Where does your loop begin?"
    expect_close(chain(x, 3, 0), x, "chain([0.1, 0.4, 0.5, 1], 3, 0)", mistakes={hint: [0.3, 0.8, 0.5, 1]})


@test_case(
    points=0,
    hidden=False,
    failure_message="Print the five numbers after 1, 10, 50, 53 and 54 folds. Is each value of your fold exact?",
)
def test_sixty_folds(chain):
    import numpy as np
    from dlcourse.checks import expect_close

    x = np.random.default_rng(0).random(5)
    expect_close(chain(x, 2, 60), np.zeros(5), "five random numbers after 60 folds")


@test_case(
    points=0,
    hidden=False,
    failure_message="With 5 units, 5 in one layer give 5 pieces, and 2 and then 3 give 6. With 7 units try three layers.",
)
def test_the_most_pieces_of_small_budgets(most_pieces):
    from dlcourse.checks import expect_equal

    budgets = [1, 2, 3, 4, 5, 6, 7, 8, 10]
    series = {
        "This is one layer, or layers of equal width. Layers may differ: 2 and 3 units beat 5.": budgets,
        "These are folds in two alone. A layer may have more than two units.": [2 ** (n // 2) for n in budgets],
        "A unit that remains alone multiplies by 1. Is there a better use of it?": [
            3 ** (n // 3) * max(n % 3, 1) for n in budgets
        ],
        "This leaves units unused: with what remains after the threes, another layer is possible.": [
            3 ** (n // 3) for n in budgets
        ],
    }
    for index, (units, expected) in enumerate(zip(budgets, [1, 2, 3, 4, 6, 9, 12, 18, 36], strict=True)):
        mistakes = {hint: values[index] for hint, values in series.items()}
        expect_equal(most_pieces(units), expected, f"most_pieces({units})", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Twenty zigzags of three pieces each, one after the other, cost 60 units. How many pieces is that?",
)
def test_the_most_pieces_of_sixty_units(most_pieces):
    from dlcourse.checks import expect_equal

    mistakes = {
        "Thirty folds are not the best. Look at the budget of 6: what beats 2 · 2 · 2?": 2**30,
        "It overflowed: NumPy's integers of 32 bits end at 2,147,483,647. Python's own have no end.": 3**20 - 2**32,
        "This is one layer of 60.": 60,
    }
    expect_equal(most_pieces(60), 3**20, "most_pieces(60)", mistakes=mistakes)
