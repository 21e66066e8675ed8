from otter.test_files import test_case

from dlcourse.checks import expect_close

OK_FORMAT = False
name = "q2"
points = 2


@test_case(name="one step")
def test_step(Counter):
    counter = Counter(2)
    expect_close(counter.add(3), 5, "Counter(2).add(3)")
    expect_close(counter.total, 5, "total")
