"""Every exercise: made from its master, giving nothing away, solvable, and telling about typical mistakes."""

import contextlib
import copy
import functools
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from dlcourse import checks

ROOT = Path(__file__).parents[1]


def tool(name):
    """Import a tool of the exercises, which are no package."""
    specification = importlib.util.spec_from_file_location(name, ROOT / "exercises" / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


build, wrong = tool("build"), tool("wrong")

EXERCISES = [folder.name for folder in build.exercises()]
QUESTIONS = [(name, path.stem) for name in EXERCISES
             for path in sorted((build.EXERCISES / name / "student" / "tests").glob("*.py"))]
BANKS = {name: tomllib.loads((build.EXERCISES / name / "wrong.toml").read_text()) for name in EXERCISES}
WRONG = [(name, question, entry["mistake"]) for name, bank in BANKS.items()
         for question, entries in bank.items() for entry in entries]
SEED = 20240607
DATA = np.ndarray | torch.Tensor | list | tuple | dict  # what an answer might change for the next one
LONGEST_CELL = {"master": 25, "student": 20}  # lines; a check's cell begins with four lines for Otter


@functools.cache
def versions(name):
    """The files of the instructor's version and of the student's."""
    return build.versions(build.EXERCISES / name)


def instructor(name):
    return versions(name)[0]


def student(name):
    return versions(name)[1]


def answers(notebook_text):
    """Run a notebook's cells, but for the checks; return its names."""
    namespace = {"__name__": "__main__"}
    for cell in nbformat.reads(notebook_text, as_version=4).cells:
        if cell.cell_type == "code" and not cell.id.startswith("check-"):
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(cell.source, f"cell {cell.id}", "exec"), namespace)
    return namespace


@functools.cache
def solved(name):
    """The names that the solution defines."""
    return answers(instructor(name)[f"{name}.ipynb"])


@functools.cache
def untouched(name):
    """The names that the student's version defines, bugs to be found among them."""
    return answers(student(name)[f"{name}.ipynb"])


def lookup(namespace):
    """Find names as the grader does."""
    def get(name):
        if name not in namespace:
            raise NameError(f"{name} is not defined")
        return namespace[name]

    return get


def graded(name, namespace, seed, question="q"):
    """Run all checks of an exercise or one question, the hidden ones too."""
    sources = {path: text for path, text in instructor(name).items() if path.startswith(f"tests/{question}")}
    return [result for path, text in sources.items()
            for result in checks.run(text, lookup(namespace), path, hidden=True, seed=seed)]


def score(results):
    return sum(result.points for result in results if result.passed)


def test_there_are_exercises():
    assert EXERCISES
    assert QUESTIONS


@pytest.mark.parametrize("name", EXERCISES)
def test_student_version_is_what_the_master_gives(name):
    assert build.differences(student(name), build.EXERCISES / name / "student") == []


@pytest.mark.parametrize("name", EXERCISES)
def test_three_levels_and_hints(name):
    questions = [question for exercise, question in QUESTIONS if exercise == name]
    assert len(questions) >= 3
    text = student(name)[f"{name}.ipynb"]
    for level in ("(easy)", "(core)", "(stretch)"):
        assert level in text
    assert text.count("Show a hint</u></summary>") >= len(questions)
    assert text.count("Show a bigger hint</u></summary>") >= len(questions)
    assert "Show the solution</u></summary>" in instructor(name)[f"{name}.ipynb"]


@pytest.mark.parametrize("name", EXERCISES)
def test_student_version_gives_nothing_away(name):
    """By content, and independently of the tool: no line of a solution's own definitions, no hidden check."""
    files = [path for path in (build.EXERCISES / name / "student").rglob("*") if path.suffix in (".ipynb", ".py")]
    committed = "\n".join(path.read_text() for path in files)
    for word in ("SOLUTION", "hidden=True", "Show the solution"):
        assert word not in committed
    for path, source in instructor(name).items():
        if path.startswith("tests/"):
            for case in checks.load(source, path).cases:
                found = case.function.__name__ in committed
                assert found != case.hidden, f"{case.function.__name__} of {path}"
    master = nbformat.read(build.EXERCISES / name / "master.ipynb", as_version=4)
    secrets = build.solution_lines(master)
    assert len(secrets) >= 3
    packed = build.squeezed("\n".join(
        [cell.source for cell in nbformat.reads(student(name)[f"{name}.ipynb"], as_version=4).cells]
        + [text for path, text in student(name).items() if path.startswith("tests/")]
    ))
    assert [line for line in secrets if build.squeezed(line) in packed] == []


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("seed", [SEED, 1, 2, 3, 4])
def test_solution_has_all_points(name, seed):
    results = graded(name, solved(name), seed)
    assert [result.message for result in results if not result.passed] == []
    assert score(results) == sum(result.points for result in results) > 0


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("seed", [SEED, 1, 2, 3, 4])
def test_untouched_version_has_no_points(name, seed):
    results = graded(name, untouched(name), seed)
    assert [result.test for result in results if result.passed and result.points] == []


@pytest.mark.parametrize(("name", "question"), QUESTIONS)
def test_every_question_has_a_bank_of_wrong_answers(name, question):
    hints = [entry["hint"] for entry in BANKS[name].get(question, [])]
    assert len(hints) >= 4
    assert len(set(hints)) == len(hints), "two wrong answers expect the same hint"


@functools.cache
def bank(name):
    """The wrong answers of an exercise, by question and mistake."""
    notebook = nbformat.reads(instructor(name)[f"{name}.ipynb"], as_version=4)
    return {(answer.question, answer.mistake): answer
            for answer in wrong.wrong_answers(build.EXERCISES / name, notebook)}


@pytest.mark.parametrize(("name", "question", "mistake"), WRONG)
def test_wrong_answer_gets_its_own_hint(name, question, mistake):
    """A wrong answer takes the place of the right one; the other questions stay solved."""
    answer = bank(name)[question, mistake]
    namespace = {key: copy.deepcopy(value) if isinstance(value, DATA) else value for key, value in solved(name).items()}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(answer.code, mistake, "exec"), namespace)
    public = checks.run(student(name)[f"tests/{question}.py"], lookup(namespace))
    messages = [result.message for result in public if not result.passed]
    assert any(answer.hint in message for message in messages), messages
    for seed in (SEED, 1, 2):
        results = graded(name, namespace, seed, question)
        assert score(results) < sum(result.points for result in results), f"full marks with seed {seed}"


@pytest.mark.parametrize(("text", "complaint"), {
    '[[q9]]\nmistake = "a"\nhint = "b"\nchange = []': "no question 'q9'",
    '[[q1]]\nmistake = "a"\nchange = []': "expected mistake, hint, and either",
    '[[q1]]\nmistake = "a"\nhint = "b"': "expected mistake, hint, and either",
    '[[q1]]\nmistake = "a"\nhint = "b"\nchange = [["nowhere", ""]]': "'nowhere' is 0 times in the solution",
    "[[q1": "wrong.toml",
}.items())
def test_a_bank_that_does_not_fit_is_refused(text, complaint, tmp_path):
    (tmp_path / "wrong.toml").write_text(text)
    notebook = nbformat.reads(instructor(EXERCISES[0])[f"{EXERCISES[0]}.ipynb"], as_version=4)
    with pytest.raises(wrong.Unusable, match=re.escape(complaint)):
        wrong.wrong_answers(tmp_path, notebook)


# Numbers in questions and solutions that no check asserts: most are about a bug, which only the student's version has.

def test_numbers_of_01_introduction():
    given, mended = untouched("01_introduction"), solved("01_introduction")
    for place, share in [(np.asarray, 0.03), (given["corner"], 0.11), (mended["corner"], 0.8)]:
        found = []
        for seed in range(10):
            train, test = map(place, mended["two_copies"](False, seed=seed))
            found.append((test[:, None] == train).all(axis=(2, 3)).any(axis=1).mean())
        assert abs(np.mean(found) - share) < 0.01


def test_numbers_of_04_activations_losses():
    given, price = untouched("04_activations_losses"), solved("04_activations_losses")["price"]
    assert np.exp(-744.0) == 2 * np.nextafter(0, 1)
    with np.errstate(divide="ignore"):
        assert np.allclose(given["losses"](given["twins"], np.array([0, 0])), [-np.inf, 0.349], atol=5e-4)
        for score, kind, loss in [(744, np.float64, 0.946), (100, np.float32, 0.710)]:
            s = np.array([[0, 0], [score, 0]], dtype=kind)
            assert np.allclose(given["losses"](s, np.array([0, 0])), [loss, 0], atol=5e-4)
    prices = [price(np.random.default_rng(seed).normal(size=(1000, 51)), 1.345) for seed in range(10)]
    assert max(abs(np.array(prices) - 1.05)) < 0.03


def test_numbers_of_06_regularization():
    given, mended = untouched("06_regularization"), solved("06_regularization")
    shares = [given["cross_validate"](*given["coin_tosses"](seed), 10) for seed in range(10)]
    assert np.isclose(np.mean(shares), 0.1275)
    data = [given[name] for name in ("pictures", "labels", "new_pictures", "new_labels")]
    (low, _, count), (accuracies, *_) = (version["best_of"](*data, 0, 20) for version in (given, mended))
    assert count == 120
    assert max(low) < max(accuracies) - 0.05


@pytest.mark.parametrize("name", EXERCISES)
def test_cells_are_short(name):
    notebooks = {"master": build.EXERCISES / name / "master.ipynb",
                 "student": build.EXERCISES / name / "student" / f"{name}.ipynb"}
    for version, path in notebooks.items():
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        long = {cell.id: len(cell.source.splitlines()) for cell in cells}
        assert {key: lines for key, lines in long.items() if lines > LONGEST_CELL[version]} == {}


@pytest.mark.parametrize("name", EXERCISES)
def test_student_notebook_runs_without_otter(name, tmp_path):
    """All cells run in a fresh kernel in which Otter cannot be imported, and each check shows its report."""
    from nbclient import NotebookClient

    shutil.copytree(build.EXERCISES / name / "student", tmp_path / "student")
    notebook = nbformat.read(tmp_path / "student" / f"{name}.ipynb", as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("import sys\nsys.modules['otter'] = None"))
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": tmp_path / "student"}}).execute()
    reports = [cell.outputs for cell in notebook.cells if cell.id.startswith("check-")]
    assert len(reports) == sum(exercise == name for exercise, _ in QUESTIONS)
    for outputs in reports:
        assert "dlcourse-report" in outputs[0]["data"]["text/html"]
        assert "checks pass" in outputs[0]["data"]["text/plain"]


def tampered(change):
    """The first exercise's master, changed by ``change(cells)``."""
    name = EXERCISES[0]
    master = copy.deepcopy(nbformat.read(build.EXERCISES / name / "master.ipynb", as_version=4))
    change(master.cells)
    return master


def in_solution(cells, kind):
    """The first cell of a kind in a solution block with a marked line."""
    inside = False
    for cell in cells:
        if cell.cell_type == "raw":
            inside = cell.source.startswith("# BEGIN SOLUTION")
        elif inside and cell.cell_type == kind and ("SOLUTION" in cell.source or kind == "markdown"):
            return cell
    raise AssertionError(f"no {kind} cell in a solution")


def unmark_the_solution(cells):
    cell = in_solution(cells, "code")
    cell.source = "\n".join(line for line in cell.source.splitlines() if "# BEGIN" not in line and "# END" not in line)


def quote_the_solution_in_the_text(cells):
    secret = build.marked_lines(in_solution(cells, "code").source)[0][-1].strip()
    next(cell for cell in cells if cell.cell_type == "markdown").source += f"\n\nTry `{secret}`."


def put_the_solution_text_outside(cells):
    cells.insert(2, nbformat.v4.new_markdown_cell(in_solution(cells, "markdown").source))


def hidden_check(cells):
    return next(cell for cell in cells if cell.cell_type == "code" and "hidden: true" in cell.source)


def copy_a_hidden_check_into_a_cell(cells):
    source = hidden_check(cells).source
    cells.insert(2, nbformat.v4.new_code_cell(source[source.index("def "):]))


def give_points_to_a_public_check(cells):
    cell = hidden_check(cells)
    cell.source = cell.source.replace("hidden: true", "failure_message: Look again.")


def leave_out_a_hint(cells):
    cell = next(cell for cell in cells if "failure_message" in cell.source)
    cell.source = re.sub(r"failure_message: .*\n", "", cell.source)


def call_two_checks_the_same(cells):
    names = [re.search(r"def (test_\w+)", cell.source)[1] for cell in cells if "BEGIN TEST CONFIG" in cell.source]
    for cell in cells:
        cell.source = cell.source.replace(f"def {names[1]}(", f"def {names[0]}(")


LEAKS = {
    unmark_the_solution: "gives a solution away",
    quote_the_solution_in_the_text: "gives a solution away",
    put_the_solution_text_outside: "gives a solution away",
    copy_a_hidden_check_into_a_cell: "gives a hidden check away",
    give_points_to_a_public_check: "is worth points",
    leave_out_a_hint: "has no hint",
    call_two_checks_the_same: "two checks are called",
}


@pytest.mark.parametrize("change", LEAKS, ids=lambda change: change.__name__)
def test_a_master_that_gives_something_away_is_refused(change, tmp_path):
    folder = tmp_path / EXERCISES[0]
    folder.mkdir()
    nbformat.write(tampered(change), folder / "master.ipynb")
    with pytest.raises(build.Refused, match=LEAKS[change]):
        build.build(folder)


def test_check_finds_files_that_differ_are_missing_or_too_many(tmp_path):
    build.write({"a.ipynb": "1", "tests/q1.py": "2"}, tmp_path)
    assert build.differences({"a.ipynb": "1", "tests/q1.py": "2"}, tmp_path) == []
    (tmp_path / "tests" / "q2.py").write_text("3")
    assert build.differences({"a.ipynb": "0", "tests/q1.py": "2", "b": ""}, tmp_path) == ["a.ipynb", "b", "tests/q2.py"]


def test_build_tool_reports_a_missing_exercise():
    command = [sys.executable, build.__file__, "99_nothing", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 1
    assert "99_nothing" in done.stderr
