"""Make the student's folder of each exercise from its master.

``exercises/NN_topic/master.ipynb`` is written in the format of Otter Assign. Otter splits it, in a
temporary folder, into an instructor's and a student's version. What Otter adds for its own use is
taken out again, and a student's version that would give a solution or hidden check away is refused.

    build.py                        write exercises/*/student/
    build.py 02_perceptron --check  compare with what is committed, write nothing
    build.py --instructor FOLDER    write the solutions and all checks, hidden ones too

Needs the extra ``instructor``: ``pip install -e '.[instructor]'``.
"""

import argparse
import ast
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from dlcourse.checks import load
from dlcourse.page import ELSEWHERE

EXERCISES = Path(__file__).parents[1]
MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "# SOLUTION", "hidden=True", "# HIDDEN", "BEGIN TEST")
LEAST = 12        # a shorter line, such as "return w, b", gives nothing away
OTTER_CHECK = re.compile(r'^grader\.check\("(\w+)"\)$')
ANSWERS = {"otter_answer_cell", "otter_assign_solution_cell"}      # Otter's tags of the cells of an answer
LAB = {"interop", "notebook", "parity", "plotting"}                # parts of dlcourse that need PyTorch or Matplotlib


class Refused(Exception):
    """A master from which no student's version may be made; the message says why."""


def exercises():
    """List the folders of all exercises.

    Returns
    -------
    list of Path
    """
    return sorted(master.parent for master in EXERCISES.glob("*/master.ipynb"))


def versions(folder):
    """Make the files of both versions of an exercise, which takes seconds.

    Parameters
    ----------
    folder : Path
        Holds the master.

    Returns
    -------
    full, public : dict of str to str
        The instructor's version and the student's: the text of each file, by its path in the folder.

    Raises
    ------
    Refused
        If the student's version would give something away, or the master breaks a rule.
    """
    name, master = folder.name, nbformat.read(folder / "master.ipynb", as_version=4)
    with tempfile.TemporaryDirectory() as place:
        assigned = assign(folder / "master.ipynb", Path(place))
    lab = lab_questions(*assigned[0])
    full, public = [
        {f"{name}.ipynb": notebook_text(tidied(notebook, name, lab)),
         **{f"tests/{q}.py": text for q, text in tests.items()}}
        for notebook, tests in assigned
    ]
    problems = broken_rules(full) + leaks(master, full, public)
    if problems:
        raise Refused(f"{folder / 'master.ipynb'}: " + "; ".join(problems))
    return full, public


def build(folder, *, instructor=False):
    """Make the files of one version of an exercise, the instructor's or the student's; see `versions`."""
    full, public = versions(folder)
    return full if instructor else public


def assign(master, place):
    """Run Otter Assign on a copy of a master.

    Parameters
    ----------
    master : Path
    place : Path
        An empty folder.

    Returns
    -------
    list of (NotebookNode, dict of str to str)
        The instructor's version and the student's: the notebook, and the checks of each question.
    """
    from otter.assign import main as otter_assign  # takes seconds, so not for --help

    shutil.copy(master, place / "master.ipynb")
    try:
        otter_assign(str(place / "master.ipynb"), str(place / "out"), no_run_tests=True)
    except Exception as error:
        raise Refused(f"{master}: Otter Assign failed: {type(error).__name__}: {error}") from error
    made = []
    for version in ("autograder", "student"):
        out = place / "out" / version
        tests = {path.stem: formatted(path.read_text()) for path in sorted((out / "tests").glob("*.py"))}
        made.append((nbformat.read(out / "master.ipynb", as_version=4), tests))
    return made


def formatted(code):
    """Break the long lines in which Otter writes checks."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=120", "-"]
    return subprocess.run(command, input=code, capture_output=True, text=True, check=True).stdout


def tidied(notebook, name, lab):
    """Rebuild a notebook without what only Otter needs.

    Parameters
    ----------
    notebook : NotebookNode
    name : str
        Of the exercise.
    lab : set of str
        Questions that cannot be answered in a page.

    Returns
    -------
    NotebookNode
        Its metadata say which exercise it is and, in each answer's cell, which question. Its tags
        say what becomes of a cell in the page: ``live-setup``, ``live``, ``live-check``, ``lab-check``.
    """
    cells, since, answers, names = [], [], [], set()      # since the last check, and of these the answers
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        check = OTTER_CHECK.match(cell.source)
        if check:
            question = check[1]
            for number, answer in enumerate(answers):
                answer.id = f"answer-{question}" + (f"-{number + 1}" if number else "")
                answer.metadata["dlcourse"] = {"answer": question}
            for other in since:
                if question not in lab and not needs_lab(other.source, names):
                    other.metadata["tags"] = ["live"]
            since, answers = [], []
            cells.append(nbformat.v4.new_code_cell(f'check("{question}")', id=f"check-{question}"))
            cells[-1].metadata["tags"] = ["lab-check" if question in lab else "live-check"]
            continue
        make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}[cell.cell_type]
        cells.append(make(cell.source, id=cell.id))
        if cell.cell_type == "code" and only_imports(cell.source):
            names |= lab_names(cell.source)
            if not lab_names(cell.source):
                cells[-1].metadata["tags"] = ["live-setup"]
        elif cell.cell_type == "code":
            since.append(cells[-1])
            if ANSWERS & set(tags):
                answers.append(cells[-1])
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}, "dlcourse": {"exercise": name}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def only_imports(code):
    """Whether a cell holds imports and nothing else."""
    body = ast.parse(code).body
    return bool(body) and all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in body)


def lab_names(code):
    """Collect the names that code imports and that the Python of a page has not."""
    found = set()
    for statement in ast.walk(ast.parse(code)):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            start = [statement.module] if isinstance(statement, ast.ImportFrom) else []
            for alias in statement.names:
                parts = ".".join([*start, alias.name]).split(".")
                if parts[0] in ELSEWHERE or any(part in LAB or part.endswith("_torch") for part in parts):
                    found.add(alias.asname or alias.name.split(".")[0])
    return found


def needs_lab(code, names):
    """Whether code uses what a page has not: imports of its own, or some of the names."""
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    return bool(lab_names(code) or used & names)


def lab_questions(notebook, tests):
    """List the questions whose solution or checks need what a page has not, PyTorch above all.

    Parameters
    ----------
    notebook : NotebookNode
        The instructor's version, as Otter made it.
    tests : dict of str to str
        The checks of each question.

    Returns
    -------
    set of str
    """
    found, answers, names = set(), [], set()
    for cell in notebook.cells:
        check = OTTER_CHECK.match(cell.source)
        if check:
            if any(needs_lab(code, names) for code in [*answers, tests[check[1]]]):
                found.add(check[1])
            answers = []
        elif cell.cell_type == "code" and only_imports(cell.source):
            names |= lab_names(cell.source)
        elif cell.cell_type == "code" and ANSWERS & set(cell.metadata.get("tags", [])):
            answers.append(cell.source)
    return found


def notebook_text(notebook):
    """Write a notebook as the text of its file."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def broken_rules(full):
    """List what is wrong with an exercise's checks.

    Points are on hidden checks alone, whose inputs are drawn when grading. So an answer that knows
    the public checks by heart earns nothing.

    Parameters
    ----------
    full : dict of str to str
        The files of the instructor's version.

    Returns
    -------
    list of str
    """
    problems = []
    for path, source in full.items():
        if not path.startswith("tests/"):
            continue
        question = load(source, path)
        functions = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
        twice = {name for name in functions if functions.count(name) > 1}
        if twice:
            problems.append(f"{path}: two checks are called {', '.join(sorted(twice))}")
        if question.name != Path(path).stem:
            problems.append(f"{path}: names its question {question.name}")
        for case in question.cases:
            if not case.hidden and case.points:
                problems.append(f"{path}: the public check {case.name!r} is worth points; only hidden ones may be")
            if not case.hidden and not case.failure_message:
                problems.append(f"{path}: the public check {case.name!r} has no hint (failure_message)")
        if not any(case.hidden and case.points for case in question.cases):
            problems.append(f"{path}: no hidden check is worth points")
    return problems


def leaks(master, full, public):
    """List what a student's version gives away.

    Parameters
    ----------
    master : NotebookNode
    full, public : dict of str to str
        The files of the instructor's version and of the student's.

    Returns
    -------
    list of str
    """
    notebook = nbformat.reads(next(text for path, text in public.items() if path.endswith(".ipynb")), as_version=4)
    places = {f"cell {cell.id}": cell.source for cell in notebook.cells}
    places |= {path: text for path, text in public.items() if not path.endswith(".ipynb")}
    secrets = [("solution", line) for line in solution_lines(master)]
    secrets += [("hidden check", line) for line in hidden_lines(full, public)]
    found = []
    for place, text in places.items():
        found += [f"{place}: holds the marker {marker!r}" for marker in MARKERS if marker in text]
        packed = squeezed(text)
        found += [f"{place}: gives a {kind} away: {line!r}" for kind, line in secrets if squeezed(line) in packed]
    found += [f"cell {cell.id}: holds outputs" for cell in notebook.cells if cell.get("outputs")]
    return found


def squeezed(text):
    """Remove all white space: a line may be indented or broken differently elsewhere."""
    return "".join(text.split())


def solution_lines(master):
    """Collect the lines that only a solution has.

    Parameters
    ----------
    master : NotebookNode

    Returns
    -------
    list of str
        Lines of code of solution blocks, but for those that stand outside of the markers in one of
        them, and the paragraphs of their text.
    """
    secret, shown, block = [], set(), None
    for cell in master.cells:
        if cell.cell_type == "raw":
            marker = re.match(r"#\s+(BEGIN|END)\s+(\w+)", cell.source)
            block = marker[2] if marker and marker[1] == "BEGIN" else None
        elif block == "SOLUTION" and cell.cell_type == "markdown":
            secret += cell.source.splitlines()
        elif block == "SOLUTION":
            inner, outer = marked_lines(cell.source)
            secret += inner
            shown |= {squeezed(line) for line in outer}
    return [line.strip() for line in secret if telling(line) and squeezed(line) not in shown]


def marked_lines(code):
    """Divide the lines of a solution's cell into those that a student does not get, and the rest.

    Without a marker inside, Otter would keep the cell as it is; then all of it counts as secret.
    """
    if "SOLUTION" not in code:
        return code.splitlines(), []
    inner, outer, inside = [], [], False
    for line in code.splitlines():
        if line.strip().startswith(("# BEGIN SOLUTION", "# END SOLUTION")):
            inside = line.strip().startswith("# BEGIN")
        else:
            (inner if inside or "# SOLUTION" in line else outer).append(line.partition("# SOLUTION")[0])
    return inner, outer


def telling(line):
    """Whether a line, seen elsewhere, would give something away: short ones and imports do not."""
    return len(squeezed(line)) >= LEAST and not line.strip().startswith(("import ", "from ", "@test_case"))


def hidden_lines(full, public):
    """Collect the lines that only hidden checks have."""
    lines = []
    for path, source in full.items():
        if path.startswith("tests/"):
            known = {squeezed(line) for line in public[path].splitlines()}
            lines += [line.strip() for line in source.splitlines() if squeezed(line) not in known]
    return [line for line in lines if telling(line)]


def write(files, folder):
    """Write a version into a folder, in place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def differences(files, folder):
    """List the files that differ from those in a folder, are missing there, or are too many.

    Parameters
    ----------
    files : dict of str to str
    folder : Path

    Returns
    -------
    list of str
    """
    made_by_use = {"__pycache__", ".ipynb_checkpoints"}
    there = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
             for path in folder.rglob("*") if path.is_file() and not made_by_use & set(path.parts)}
    return sorted(path for path in files.keys() | there.keys() if files.get(path) != there.get(path))


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional

    Returns
    -------
    int
        Zero if all went well.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NN_topic", help="default: all")
    parser.add_argument("--check", action="store_true", help="compare with what is committed")
    parser.add_argument("--instructor", metavar="FOLDER", type=Path, help="write solutions and hidden checks there")
    options = parser.parse_args(arguments)
    folders = [EXERCISES / name for name in options.names] or exercises()
    failed = False
    for folder in folders:
        try:
            files = build(folder, instructor=options.instructor is not None)
        except (Refused, FileNotFoundError) as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        if options.instructor is not None:
            write(files, options.instructor / folder.name)
        elif not options.check:
            write(files, folder / "student")
        elif wrong := differences(files, folder / "student"):
            print(f"{folder.name}: not what the master gives: {', '.join(wrong)}; run build.py", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
