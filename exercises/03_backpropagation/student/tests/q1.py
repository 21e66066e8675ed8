from otter.test_files import test_case

OK_FORMAT = False

name = "q1"
points = 3


@test_case(
    points=0,
    hidden=False,
    failure_message="Compare with the figure of the chapter, node by node. At w two messages meet, 6 and 2.",
)
def test_the_graph_of_the_chapter(blame):
    from dlcourse.checks import expect_close

    arrows = [(0, 2, 3.0), (1, 2, 2.0), (2, 3, 1.0), (3, 4, 2.0), (0, 5, 4.0), (5, 6, 0.5), (4, 7, 1.0), (6, 7, 1.0)]
    only_one = "Two messages come to w, and one has replaced the other. They have to be added."
    mistakes = {
        only_one: [6, 4, 2, 2, 1, 0.5, 1, 1],
        "They have to be added: two messages come to w.": [2, 4, 2, 2, 1, 0.5, 1, 1],
        "Hardly any message has come through. Which way does the walk go?": [0, 0, 0, 0, 1, 0, 1, 1],
        "No message has left L. Its own derivative is 1.": [0] * 8,
    }
    expect_close(blame(8, arrows), [8, 4, 2, 2, 1, 0.5, 1, 1], "blame(8, plain)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Here L = h + 12 h with h = 2 x. Follow the messages by hand, and note when each node sends.",
)
def test_a_graph_with_a_skip(blame):
    from dlcourse.checks import expect_close

    arrows = [(0, 1, 2.0), (1, 2, 3.0), (2, 3, 4.0), (1, 4, 1.0), (3, 4, 1.0)]
    too_early = "Node 1 sent its message when it had heard of the short way only. Who must report before it sends?"
    mistakes = {
        too_early: [2, 13, 4, 1, 1],
        "At node 1 one message has replaced the other. They have to be added.": [24, 12, 4, 1, 1],
        "A message was sent twice. Each node sends once, with all of its blame.": [28, 13, 4, 1, 1],
        "One pass along the list does not do: the arrows may stand in any order.": [0, 1, 0, 1, 1],
    }
    expect_close(blame(5, arrows), [26, 13, 4, 1, 1], "blame(5, skip)", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Check the graph with a skip first. The order of the list says nothing, the numbers of the nodes do.",
)
def test_any_order_of_the_arrows(blame):
    from dlcourse.checks import expect_close

    arrows = [(0, 1, 2.0), (1, 2, 3.0), (2, 3, 4.0), (1, 4, 1.0), (3, 4, 1.0)]
    early = "Node 1 sends too early. Let the numbers of the nodes lead the walk, not their place in a queue."
    one_pass = "One pass along the list is right only if the arrows happen to be sorted."
    for order, one in [([2, 0, 4, 1, 3], [2, 1, 4, 1, 1]), ([3, 1, 4, 0, 2], [0, 1, 0, 1, 1])]:
        mistakes = {early: [2, 13, 4, 1, 1], one_pass: one}
        answer = blame(5, [arrows[place] for place in order])
        expect_close(answer, [26, 13, 4, 1, 1], f"blame(5, skip in the order {order})", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Two equal arrows are two messages. A node from which nothing leads to L gets none.",
)
def test_a_square_and_a_dead_end(blame):
    from dlcourse.checks import expect_close

    arrows = [(0, 1, 6.0), (0, 2, 3.0), (0, 2, 3.0)]
    mistakes = {
        "L uses x twice, so two messages of 3 come back.": [3, 0, 1],
        "A node without a way to L took part.": [12, 1, 1],
    }
    expect_close(blame(3, arrows), [6, 0, 1], "blame of a square", mistakes=mistakes)
    expect_close(blame(1, []), [1], "blame(1, [])")


@test_case(points=0, hidden=False, failure_message="Draw skip and count the ways from each node with a finger.")
def test_paths_by_hand(paths):
    from dlcourse.checks import expect_close

    arrows = [(0, 1, 2.0), (1, 2, 3.0), (2, 3, 4.0), (1, 4, 1.0), (3, 4, 1.0)]
    mistakes = {
        "These are the derivatives. To count paths, each has to contribute one.": [26, 13, 4, 1, 1],
        "These are the arrows that leave each node. A path may be several arrows long.": [1, 2, 1, 1, 0],
        "The last node has one path: the empty one.": [2, 2, 1, 1, 0],
        "One path for each node: where ways meet again, add them.": [1, 1, 1, 1, 1],
        "x goes through h, and there the path divides. Are you counting arrows or paths?": [1, 2, 1, 1, 1],
    }
    expect_close(paths(5, arrows), [2, 2, 1, 1, 1], "paths(5, skip)", mistakes=mistakes)
    hint = "Equal arrows are different paths: a node that is added to itself is reached in two ways."
    twenty = [(n, n + 1, 1.0) for n in range(20)] * 2
    expected = [2 ** (20 - n) for n in range(21)]
    expect_close(paths(21, twenty), expected, "paths(21, doublings)", mistakes={hint: [1] * 21})


@test_case(points=0, hidden=False, failure_message="Make a new list of arrows, and leave the given one as it is.")
def test_paths_leave_the_arrows_alone(paths):
    from dlcourse.checks import expect_shape, expect_unchanged

    arrows = [(0, 1, 2.0), (1, 2, 3.0), (2, 3, 4.0), (1, 4, 1.0), (3, 4, 1.0)]
    before = list(arrows)
    expect_shape(paths(5, arrows), (5,), "paths(5, skip)")
    expect_unchanged(before, arrows, "arrows")
