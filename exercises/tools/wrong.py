"""The bank of wrong answers: each a small change of the solution, with the hint that it must get.

``exercises/NN_topic/wrong.toml`` has a table for each typical mistake, under the name of its question::

    [[q1]]
    mistake = "the factor is missing"
    hint = "The factor 1/N is missing"
    change = [["/ len(y)", ""]]

``change`` holds pairs of texts, old and new, each old text once in the question's solution. ``answer``
holds code instead, for a mistake that is no small change; it runs after the solution and replaces names of it.
"""

import tomllib
from dataclasses import dataclass

FIELDS = {"mistake", "hint", "change", "answer"}
MARKERS = {"# BEGIN SOLUTION", "# BEGIN SOLUTION NO PROMPT", "# END SOLUTION"}


class Unusable(ValueError):
    """A bank of wrong answers that cannot be read; the message says where and why."""


@dataclass(frozen=True)
class WrongAnswer:
    """An answer with a typical mistake.

    Attributes
    ----------
    question : str
    mistake : str
        What is wrong, in a few words.
    hint : str
        Words of the message that it must get.
    code : str
        The answer to the question, as a whole.
    """

    question: str
    mistake: str
    hint: str
    code: str


def solutions(notebook):
    """Collect the code that answers each question.

    Parameters
    ----------
    notebook : NotebookNode
        The instructor's version of an exercise.

    Returns
    -------
    dict of str to str
    """
    found = {}
    for cell in notebook.cells:
        question = cell.metadata.get("dlcourse", {}).get("answer")
        if question:
            lines = [line for line in cell.source.splitlines() if line.strip() not in MARKERS]
            found[question] = "\n".join([*found.get(question, "").splitlines(), *lines, ""])
    return found


def wrong_answers(folder, notebook):
    """Read the bank of wrong answers of an exercise.

    Parameters
    ----------
    folder : Path
        Of the exercise; holds ``wrong.toml``.
    notebook : NotebookNode
        The instructor's version of the exercise.

    Returns
    -------
    list of WrongAnswer

    Raises
    ------
    Unusable
        If a field is missing or unknown, a question does not exist, or an old text does not stand in
        its solution exactly once.
    """
    path, right = folder / "wrong.toml", solutions(notebook)
    try:
        bank = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise Unusable(f"{path}: {error}") from error
    answers = []
    for question, entries in bank.items():
        if question not in right:
            raise Unusable(f"{path}: there is no question {question!r}, only {', '.join(right)}")
        answers += [wrong_answer(question, entry, right[question], path) for entry in entries]
    return answers


def wrong_answer(question, entry, solution, path):
    """Make one wrong answer from its table in the bank."""
    where = f"{path}: [[{question}]] {entry.get('mistake', '')!r}"
    if not {"mistake", "hint"} <= entry.keys() <= FIELDS or ("change" in entry) == ("answer" in entry):
        raise Unusable(f"{where}: expected mistake, hint, and either change or answer, got {', '.join(entry)}")
    code = solution + entry.get("answer", "")
    for old, new in entry.get("change", []):
        if code.count(old) != 1:
            raise Unusable(f"{where}: {old!r} is {code.count(old)} times in the solution, expected once")
        code = code.replace(old, new)
    return WrongAnswer(question, entry["mistake"], entry["hint"], code)
