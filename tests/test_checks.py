"""Checks: the file format, every message a learner can get, and that no code of an answer runs."""

import collections
import subprocess
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from dlcourse import checks
from dlcourse.checks import CheckFailed
from dlcourse.checks.answers import describe, is_tensor
from dlcourse.checks.errors import LONGEST
from dlcourse.checks.questions import share_points
from dlcourse.checks.running import SEED_VARIABLE

FILE = '''
from otter.test_files import test_case
import numpy as np
from dlcourse.checks import expect_close, generator

OK_FORMAT = False
name = "q1"
points = 3

@test_case(points=1, success_message="Right.", failure_message="Square it.")
def test_the_square(square):
    expect_close(square(3.0), 9.0, "square(3)", mistakes={"This is the double.": 6.0})

@test_case(points=None, name="drawn", hidden=True)
def test_drawn(square):
    x = generator("drawn").standard_normal(3)
    expect_close(square(x), x * x, f"square({x})")
'''


def run(source=FILE, hidden=True, seed=None, **names):
    def get(name):
        if name not in names:
            raise NameError(f"{name} is not defined")
        return names[name]

    return checks.run(source, get, "q1.py", hidden=hidden, seed=seed)


def message(check, *arguments, **named):
    """The message and hint with which a comparison fails."""
    with pytest.raises(CheckFailed) as failed:
        check(*arguments, **named)
    return failed.value.message + (f" Hint: {failed.value.hint}" if failed.value.hint else "")


# The format


def test_load_reads_names_points_and_messages():
    question = checks.load(FILE)
    assert question.name == "q1"
    assert [(c.name, c.points, c.hidden) for c in question.cases] == [("the square", 1, False), ("drawn", 2, True)]
    assert question.cases[0].success_message == "Right."


def test_load_leaves_no_module_behind():
    before = {name for name in sys.modules if name.startswith("otter")}
    checks.load(FILE)
    assert {name for name in sys.modules if name.startswith("otter")} == before


@pytest.mark.parametrize("source", ["x = 1", "name = 'q1'", FILE.replace('name = "q1"', "")])
def test_load_refuses_a_file_without_name_or_checks(source):
    with pytest.raises(ValueError, match=r"q9\.py: expected a name and at least one function"):
        checks.load(source, "q9.py")


@pytest.mark.parametrize(
    ("total", "given", "expected"),
    [(3, [1, None, None], [1, 1, 1]), (None, [None, None], [0.5, 0.5]), (None, [2, None], [2, 0]),
     ([1, 2], [None, None], [1, 2]), (2, [0, 0], [0, 0])],
)
def test_points_are_shared_as_otter_shares_them(total, given, expected):
    from otter.test_files.abstract_test import TestCase, TestFile

    assert share_points(total, given) == expected
    cases = [TestCase("", lambda: None, False, points, None, None) for points in given]
    assert [case.points for case in TestFile.resolve_test_file_points(total, cases)] == expected


def test_more_points_than_the_question_has():
    with pytest.raises(ValueError, match="points: the checks have 4 in all, the question only 3"):
        share_points(3, [4, None])


# Running


def test_run_passes_and_fails():
    assert [result.passed for result in run(square=lambda x: x * x)] == [True, True]
    assert [result.message for result in run(square=lambda x: x * x)] == ["Right.", ""]
    wrong = run(square=lambda x: 2 * x)
    assert [result.passed for result in wrong] == [False, False]
    assert wrong[0].message == "square(3): expected 9, got 6\nHint: This is the double."
    assert run(square=lambda x: 0.0)[0].message == "square(3): expected 9, got 0\nHint: Square it."


def test_hidden_checks_run_on_request_only():
    assert [result.test for result in run(hidden=False, square=abs)] == ["the square"]


def test_missing_name():
    assert run()[0].message == "square is not defined. Is it spelled like this, and has its cell been run?"


def test_error_in_the_answer_names_its_line():
    namespace = {}
    exec(compile("def square(x):\n    y = x\n    return y / 0", "cell 7", "exec"), namespace)
    told = run(**{"square": namespace["square"]})[0].message
    assert told.startswith("your code raised ZeroDivisionError: ")
    assert "line 3 of square" in told


def test_undefined_name_in_the_answer_is_not_a_missing_answer():
    namespace = {}
    exec("def square(x):\n    return x * y", namespace)
    assert "your code raised NameError: name 'y' is not defined" in run(square=namespace["square"])[0].message


def test_error_told_by_a_proxy():
    def square(x):
        raise checks.StudentError("your code took too long")

    assert run(square=square)[0].message == "your code took too long\nHint: Square it."


@pytest.mark.parametrize("error", [SystemExit, RecursionError])
def test_no_error_of_an_answer_ends_the_run(error):
    def square(x):
        raise error

    assert [result.passed for result in run(square=square)] == [False, False]


def test_a_check_that_needs_a_missing_module():
    source = FILE.replace("    x = generator", "    import not_there\n    x = generator")
    assert "needs not_there, which is not installed here" in run(source, square=np.square)[1].message


def test_an_answer_that_is_no_function():
    told = run(square=9.0)[0].message
    assert told.startswith("this answer cannot be called (TypeError: 'float' object is not callable): is it a function")


def test_a_check_that_trips_over_an_answer():
    source = FILE.replace("    x = generator", "    a, b = square(1.0)\n    x = generator")
    told = run(source, square=lambda x: x * x)[1].message
    assert told.startswith("this answer cannot be checked (TypeError")


# Random inputs


def drawn_inputs(seed):
    seen = []
    run(square=lambda x: seen.append(x) or x, seed=seed)
    return seen[-1]


def test_generator_depends_on_seed_and_name(monkeypatch):
    assert np.array_equal(drawn_inputs(None), drawn_inputs(0))
    assert not np.array_equal(drawn_inputs(None), drawn_inputs(1))
    assert checks.generator("a").random() != checks.generator("b").random()
    monkeypatch.setenv(SEED_VARIABLE, "1")
    assert np.array_equal(drawn_inputs(None), drawn_inputs(1))
    big = 2**127 + 1
    assert np.array_equal(drawn_inputs(big), drawn_inputs(big))


def test_seeds_of_two_threads_do_not_mix():
    expected, found = {seed: drawn_inputs(seed) for seed in range(8)}, {}
    threads = [threading.Thread(target=lambda seed=seed: found.update({seed: drawn_inputs(seed)})) for seed in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(found[seed], expected[seed]) for seed in expected)


# What a learner reads


A = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("actual", "words"),
    [
        (np.array([[1, 2.5], [3, 5]]), "f(x): expected 2, got 2.5 at index (0, 1)\n  2 of 4 values differ, by up to 1"),
        (A[0], "f(x): expected shape (2, 2), got shape (2,)"),
        (-A, "Hint: Every value has the wrong sign."),
        (A.T, "Hint: This is the transpose of what is expected."),
        (A.ravel(), "Hint: The values are right, only their arrangement is not."),
        (A * 2, "Hint: Every value is 2 times the expected one"),
        (A - 1, "Hint: Off by one."),
        (np.full((2, 2), np.nan), "f(x): expected 1, got nan at index (0, 0)"),
        (A * [[1, 1], [1, np.inf]], "expected 4, got inf at index (1, 1)"),
        (None, "f(x): expected numbers, got None (does the function end with `return`?)"),
        (..., "got ... (not solved yet)"),
        ("3", "expected numbers, got the text '3'"),
        ({"a": 1}, "expected numbers, got a dict of length 1"),
        (max, "got a function (are the brackets of a call missing?)"),
        (int, "got a class (are the brackets of a call missing?)"),
        ((x for x in A), "got an object of type generator (make a list or an array of its values)"),
        (lambda: 0, "got a function (are the brackets of a call missing?)"),
        ([[1, 2], [3]], "expected entries of one shape, got entry 0 of shape (2,) and entry 1 of shape (1,)"),
        (np.array([None, 1]), "got an array of dtype object (are its rows of different lengths, or is there a None?)"),
        (np.array(["1"]), "expected numbers, got an array of dtype <U1"),
        (2.0, "f(x): expected shape (2, 2), got a single number"),
        (np.array([[1, 2], [np.nan, 4]]), "Hint: There is a nan: look for 0/0"),
        (np.array([[1, 2], [np.inf, 4]]), "Hint: There is an infinite value: look for a division by 0"),
    ],
)
def test_message_of_expect_close(actual, words):
    assert words in message(checks.expect_close, actual, A, "f(x)", mistakes={"Off by one.": A - 1})


def test_single_numbers_and_close_ones_are_told_apart():
    assert message(checks.expect_close, 1.5, 1, "f") == "f: expected 1, got 1.5"
    assert message(checks.expect_close, 1 + 1e-5, 1.0, "f") == "f: expected 1, got 1.00001"
    told = message(checks.expect_close, 1 + 1e-8, 1.0, "f", rtol=1e-10)
    assert told == "f: expected 1, got 1.0000000099999999"


def test_dtype_is_checked_on_request():
    checks.expect_close(A.astype(np.float32), A, "f")
    told = message(checks.expect_close, A.astype(np.float32), A, "f", dtype=np.float64)
    assert told == "f: expected dtype float64, got float32"


@pytest.mark.parametrize("answer", [A, A.tolist(), tuple(map(tuple, A)), torch.tensor(A), torch.nn.Parameter(
    torch.tensor(A)), checks.TensorData(A), [A[0], A[1]], A.astype(np.float16), A.astype(int)])
def test_plain_answers_are_accepted(answer):
    checks.expect_close(answer, A, "f")
    checks.expect_shape(answer, ("N", 2), "f")


def test_empty_answer():
    checks.expect_close([], np.zeros(0), "f")
    assert "expected shape (0,), got shape (1,)" in message(checks.expect_close, [1], [], "f")


def test_fractions_cut_off():
    told = message(checks.expect_close, A.astype(int) // 2, A / 2, "f")
    assert told.endswith("Hint: The fractions are cut off: look for // or for an array of integers.")
    assert "Hint" not in message(checks.expect_close, np.zeros(3), np.full(3, 0.5), "f")     # zeros are no such sign
    decayed = np.array([5e-324, 0.0])                                                        # nor is what decays to 0
    assert "cut off" not in message(checks.expect_close, decayed, np.full(2, 0.5), "f")
    assert "cut off" not in message(checks.expect_close, [1 + 1e-12, 2.0], [1.5, 2.5], "f")


def test_an_answer_that_is_compared_with_itself_and_is_nan():
    """A slope measured on the learner's own loss: his nan is not what was expected of him."""
    for answer in (np.nan, -0.185):
        told = message(checks.expect_close, answer, np.nan, "the slope", mistakes={"The sign.": -0.185})
        assert told.startswith("the slope: there is nothing to compare it with Hint: Your own function returned nan")
        assert "expected" not in told
    assert "nothing to compare" in message(checks.expect_close, [1.0, 2.0], [1.0, np.nan], "f")


def test_a_proxy_is_described_as_the_object_it_stands_for():
    """In the grader only the name of an answer's type is known; the words are the same."""
    for value in (None, ..., max, lambda: 0, int, (x for x in A), map(abs, A), range(3), object(), {1}):
        proxy = type(type(value).__name__, (), {})()
        assert describe(proxy) == describe(value)


def test_a_long_text_of_an_answer_is_shortened():
    def square(x):
        raise ValueError("x" * 10**6)

    assert len(run(square=square)[0].message) < 2 * LONGEST


def test_expect_shape():
    assert message(checks.expect_shape, A, (), "f") == "f: expected a single number, got shape (2, 2)"
    assert message(checks.expect_shape, 3, ("N",), "f") == "f: expected shape (N,), got a single number"
    assert message(checks.expect_shape, A, ("N", 3), "f") == "f: expected shape (N, 3), got shape (2, 2)"


@pytest.mark.parametrize(
    ("actual", "expected", "words"),
    [("min", "max", "f: expected 'max', got 'min' Hint: The other one."),
     (1, True, "f: expected True, got the number 1"), (3, 4, "f: expected 4, got 3"),
     (None, "max", "f: expected 'max', got None (does the function end with `return`?)"),
     ([1, 2], [1, 3], "f: expected 3, got 2 at index 1"),
     (0, None, "f: expected None, got the number 0"),
     (2, "max", "f: expected 'max', got the number 2"), (" Max", "max", "Hint: Only spaces or capital letters differ."),
     ("x" * 10**6, "max", f"… ({10**6} characters)")],
)
def test_message_of_expect_equal(actual, expected, words):
    mistakes = {"The other one.": "min"} if isinstance(expected, str) else None
    assert words in message(checks.expect_equal, actual, expected, "f", mistakes=mistakes)


def test_expect_equal_accepts():
    for value in ("a", True, None, 3, [1, 2]):
        checks.expect_equal(value, value, "f")
    checks.expect_equal(np.bool_(True), True, "f")
    checks.expect_equal(torch.tensor(3), 3, "f")


def test_expect_tuple():
    assert checks.expect_tuple((1, None), ["a", "b"], "f") == (1, None)
    told = message(checks.expect_tuple, A, ["a", "b"], "f")
    assert told == "f: expected 2 values (a, b), got an array of shape (2, 2)"
    assert message(checks.expect_tuple, (1,), ["a", "b"], "f") == "f: expected 2 values (a, b), got 1 value"
    assert "got None (does" in message(checks.expect_tuple, None, ["a", "b"], "f")


def test_expect_tensor():
    checks.expect_tensor(torch.zeros(2), "f", requires_grad=False)
    checks.expect_tensor(checks.TensorData(A, True), "f", requires_grad=True)
    assert message(checks.expect_tensor, A, "f") == "f: expected a PyTorch tensor, got a NumPy array"
    told = message(checks.expect_tensor, torch.zeros(2), "f", requires_grad=True)
    assert told.startswith("f: expected requires_grad=True, got False Hint: No gradient can flow back from it")
    told = message(checks.expect_tensor, torch.zeros(2, requires_grad=True), "f", requires_grad=False)
    assert told.startswith("f: expected requires_grad=False, got True Hint: Gradients are recorded")


def test_expect_unchanged():
    before, after = A.copy(), A.copy()
    checks.expect_unchanged(before, after, "x")
    after[1, 0] = 9
    told = message(checks.expect_unchanged, before, after, "x")
    assert told.startswith("the function changed its argument x\n  x, after the call: expected 3, got 9 at index (1, 0)"
                           "\n  1 of 4 values differ")
    assert told.endswith("Hint: Your function changed x in place. Operations such as `+=` do that. "
                         "Compute a new array under a new name.")
    told = message(checks.expect_unchanged, [(0, 1, 2.0)], [(0, 1, 1.0)], "arrows")
    assert "Your function changed arrows in place" in told


def test_expect_raises():
    with checks.expect_raises("ArithmeticError", "f(0)"):
        _ = 1 / 0
    with checks.expect_raises("ValueError", "f(0)", mentions="rate"):
        raise checks.StudentError("your code raised ValueError: rate", ("ValueError", "Exception"), "rate: positive")
    for body, words in [
        (lambda: None, "f(0): expected a ValueError, but there was no error"),
        (lambda: {}["a"], "f(0): expected a ValueError, but your code raised KeyError: 'a'"),
        (lambda: int("x"), "f(0): expected the message of the error to contain 'rate', got "),
    ]:
        with pytest.raises(CheckFailed) as failed, checks.expect_raises("ValueError", "f(0)", mentions="rate"):
            body()
        assert failed.value.message.startswith(words)


def test_hint_if():
    checks.hint_if(False, "never")
    assert message(checks.hint_if, True, "Divide by N.", "the loss") == "the loss: not right yet Hint: Divide by N."


# Hostile answers


class Hostile(np.ndarray):
    """Agrees with everything, and notes what is done to it."""

    touched = []

    def note(self, *arguments, **named):
        Hostile.touched.append(1)
        return True

    __eq__ = __array_ufunc__ = __array_function__ = __array__ = __iter__ = __len__ = __getitem__ = note
    __bool__ = __float__ = __index__ = __repr__ = __str__ = __sub__ = __format__ = note
    __hash__ = None


class Pretender:
    """Says that it is an array, a number and a tuple."""

    touched = []
    __class__ = np.ndarray

    def __getattr__(self, name):
        Pretender.touched.append(name)
        raise AttributeError(name)


HOSTILE = [np.zeros(2).view(Hostile), Pretender(), type("Text", (str,), {})("max"), type("Row", (list,), {})([1, 2]),
           type("Number", (float,), {})(9.0), type("Tensor", (torch.Tensor,), {})([1.0]), [[np.zeros(2).view(Hostile)]]]


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: type(answer).__name__)
def test_code_of_an_answer_is_never_run(answer):
    Hostile.touched.clear()
    Pretender.touched.clear()
    compare = [
        lambda: checks.expect_close(answer, [0.0, 0.0], "f"),
        lambda: checks.expect_equal(answer, "max", "f"),
        lambda: checks.expect_equal(answer, 3, "f"),
        lambda: checks.expect_shape(answer, (2,), "f"),
        lambda: checks.expect_tensor(answer, "f"),
        lambda: checks.expect_unchanged(np.zeros(2), answer, "x"),
    ]
    for check in compare:
        with pytest.raises(CheckFailed):
            check()
    if type(answer) is not list:
        with pytest.raises(CheckFailed):
            checks.expect_tuple(answer, ["a", "b"], "f")
    assert Hostile.touched == Pretender.touched == []


class Sly(tuple):
    """Holds some numbers, claims others, and notes who asks."""

    touched = []

    def note(self, *arguments, **named):
        Sly.touched.append(1)
        return iter((0.0, 0.0))

    __eq__ = __array__ = __iter__ = __len__ = __getitem__ = __getattribute__ = __bool__ = __repr__ = note
    __class__ = property(note)
    __hash__ = None


def test_a_tuple_of_any_class_is_the_tuple_it_is():
    pair = collections.namedtuple("Pair", ["w", "b"])
    assert checks.expect_tuple(pair(1, None), ["w", "b"], "f") == (1, None)
    checks.expect_close([pair(1, 2), (3, 4)], A, "f")
    checks.expect_equal(torch.zeros(2, 3).shape, [2, 3], "f")
    checks.expect_close(torch.tensor(A).max(0)[0], [3.0, 4.0], "f")
    checks.expect_tuple(torch.tensor(A).max(0), ["values", "indices"], "f")
    assert message(checks.expect_equal, pair(1, 2), "max", "f") == "f: expected 'max', got a tuple of length 2"


def test_a_tuple_that_lies_gains_nothing():
    Sly.touched.clear()
    answer = Sly([5.0, 6.0])
    assert "expected 0, got 5 at index 0" in message(checks.expect_close, answer, [0.0, 0.0], "f")
    assert "expected shape (3,), got shape (2,)" in message(checks.expect_shape, answer, (3,), "f")
    assert message(checks.expect_equal, answer, "max", "f") == "f: expected 'max', got a tuple of length 2"
    parts = checks.expect_tuple(answer, ["a", "b"], "f")
    assert type(parts) is tuple
    assert parts == (5.0, 6.0)
    assert "got 2 values" in message(checks.expect_tuple, answer, ["a"], "f")
    assert "got a tuple of length 2" in message(checks.expect_tensor, answer, "f")
    assert Sly.touched == []


def test_a_list_that_holds_itself():
    endless = []
    endless.append(endless)
    assert "expected numbers" in message(checks.plain, endless, "f")


# What is displayed


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "q1.py").write_text(FILE)
    return tmp_path


def test_check_looks_at_the_names_of_its_caller(folder, capsys):
    source = "def square(x):\n    return x * x\nfound = check('q1', tests=folder)"
    namespace = {"check": checks.check, "folder": folder}
    exec(source, namespace)
    assert namespace["found"]
    assert "q1: the check passes. Grading repeats it with other inputs." in capsys.readouterr().out


def test_report_as_text_html_and_data(folder):
    report = checks.check("q1", tests=folder, namespace={"square": lambda x: "<b>"})
    assert not report
    assert repr(report).splitlines()[:2] == ["q1: 0 of 1 checks pass", "  ✗ the square"]
    page = report._repr_html_()
    assert 'aria-label="failed">✗</span> the square' in page
    assert "<b>" not in page
    data = report.as_dict()
    assert (data["question"], data["passed"], data["results"][0]["test"]) == ("q1", False, "the square")


def test_summary_counts_checks():
    passed, failed = (checks.Result("q1", "a", 0, False, passed, "") for passed in (True, False))
    assert checks.Report("q1", [passed] * 2).summary == "q1: all 2 checks pass. Grading repeats them with other inputs."
    assert checks.Report("q1", [passed, failed]).summary == "q1: 1 of 2 checks pass"


def test_check_names_the_questions_there_are(folder):
    with pytest.raises(FileNotFoundError, match=r"question: expected one of \['q1'\], got 'q7'"):
        checks.check("q7", tests=folder)


def test_checks_load_without_torch_and_otter():
    code = ("import sys; sys.modules.update(torch=None, otter=None, IPython=None); from dlcourse import checks;"
            f"print(checks.report({FILE!r}, {{'square': lambda x: x * x}}))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert "the check passes" in done.stdout, done.stderr


def test_no_tensor_exists_while_torch_is_being_imported(monkeypatch):
    """The grader's threads check at once, and the first of them that needs torch imports it."""
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    assert not is_tensor(np.zeros(1))
    assert np.array_equal(checks.plain([1.0], "x"), [1.0])
