"""Write a gradebook: a table, JSON, Gradescope's form, and a page of feedback for each student.

File names and messages come from students. Everything is escaped for the form it goes into.
"""

import csv
import html
import io
import json
from dataclasses import asdict
from pathlib import Path

from ..checks.errors import shortened
from .journal import write_atomically
from .text import file_name, harmless

__all__ = ["UNFILTERED", "UNPROTECTED", "warnings", "write_results"]

MAX_NOTE = 1_000               # characters in the table: a longer cell is too much for some readers of CSV
UNPROTECTED = "GRADED WITHOUT A SANDBOX: students' code ran unprotected and may have changed these results"
UNFILTERED = ("GRADED WITHOUT A FILTER OF SYSTEM CALLS: the grader has none for this kind of processor, "
              "so the sandbox had one wall less")
STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c1c1c; background: #fff; }
table { border-collapse: collapse; } th, td { padding: .2rem 1rem .2rem 0; text-align: left; }
td.number, th.number { text-align: right; }
li { margin: .5rem 0; } pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0 0 1.4rem; }
.passed strong { color: #17663a; } .failed strong { color: #a02018; }
.warning { border: 2px solid #a02018; padding: .5rem 1rem; }
@media (prefers-color-scheme: dark) {
  body { color: #e8e8e8; background: #16181c; } .passed strong { color: #7fd3a2; } .failed strong { color: #ff9d94; }
}
"""


def write_results(folder, grades, tests, run):
    """Write all results of a run.

    Parameters
    ----------
    folder : path-like
    grades : list of Grade
    tests : Tests
    run : dict
        Description of the run, as in the journal.
    """
    folder = Path(folder)
    write_atomically(folder / "grades.csv", table(grades, tests, run))
    write_atomically(folder / "grades.json", json.dumps(as_json(grades, tests, run), indent=1))
    for name in ("feedback", "gradescope"):
        (folder / name).mkdir(exist_ok=True)
    taken = set()
    for grade in grades:
        if grade.status == "superseded":
            continue
        name = file_name(grade.student)
        while name in taken:                      # whoever finds a name with another's digest replaces no page
            name += "-again"
        taken.add(name)
        write_atomically(folder / "feedback" / f"{name}.html", feedback(grade, tests, run))
        if grade.status != "grader error":        # Gradescope has no word for it; it would show a zero
            text = json.dumps(gradescope(grade, tests, run), indent=1)
            write_atomically(folder / "gradescope" / f"{name}.json", text)


def warnings(run):
    """List what every output of a run must say.

    Parameters
    ----------
    run : dict
        As in the journal: ``"protected"`` and ``"system calls filtered"``.

    Returns
    -------
    list of str
    """
    if not run["protected"]:
        return [UNPROTECTED]
    return [] if run["system calls filtered"] else [UNFILTERED]


def number(value):
    """Write points without the noise of binary fractions; nothing where there is no score."""
    return "" if value is None else f"{value:.6g}"


def table(grades, tests, run):
    """Make the text of ``grades.csv``."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["student", "file", *tests.names, "score", "max", "seconds", "note"])
    for grade in grades:
        scores = [number(grade.score_of(name)) for name in tests.names]
        note = harmless("; ".join(warnings(run) + grade.notes))
        rows.writerow([harmless(grade.student), harmless(grade.file), *scores, number(grade.score),
                       number(tests.total), f"{grade.seconds:.2f}", shortened(note, MAX_NOTE)])
    return text.getvalue()


def as_json(grades, tests, run):
    """Make the content of ``grades.json``: everything, hidden tests included."""
    students = [{**asdict(grade), "score": grade.score, "max": tests.total} for grade in grades]
    return {"warnings": warnings(run), "run": run, "submissions": students}


def gradescope(grade, tests, run):
    """Make the content of Gradescope's ``results.json`` for one student."""
    listed = []
    for result in grade.results:
        earned = result["points"] if result["passed"] else 0
        listed.append({"name": f"{result['question']}: {result['test']}", "score": earned,
                       "max_score": result["points"], "status": "passed" if result["passed"] else "failed",
                       "output": result["message"], "output_format": "text",
                       "visibility": "hidden" if result["hidden"] else "visible"})
    output = warnings(run) + grade.notes
    return {"score": grade.score, "execution_time": grade.seconds, "output": "\n".join(output),
            "output_format": "text", "visibility": "visible", "stdout_visibility": "hidden", "tests": listed}


def feedback(grade, tests, run):
    """Make one student's page. Of hidden tests it shows only what they add to a question's points."""
    text = html.escape
    title = text(f"{run['exercise']}: {grade.student}")
    body = [f"<h1>{title}</h1>", *(f'<p class="warning" role="alert">{text(said)}</p>' for said in warnings(run))]
    if grade.status == "grader error":
        # The reason may name the instructor's files; it is in the gradebook.
        body.append("<p>This submission has not been graded yet: the grader had a problem that is not yours.</p>")
        notes = grade.notes[1:]
    else:
        notes = grade.notes
        body.append(f"<p>{number(grade.score)} of {number(tests.total)} points</p>")
    if notes:
        body.append("<ul>" + "".join(f"<li>{text(note)}</li>" for note in notes) + "</ul>")
    if grade.cell_errors:
        lines = "".join(f"<li>code cell {number_}<pre>{text(said)}</pre></li>" for number_, said in grade.cell_errors)
        body.append(f"<h2>Cells that ended in an error</h2><ul>{lines}</ul>")
    if grade.status == "graded":
        body.append(score_table(grade, tests))
        if any(result["hidden"] for result in grade.results):
            body.append("<p>A question may have more tests than are shown below; they count towards its points.</p>")
        body += [public_tests(grade, name, tests) for name in tests.names]
    elif grade.status != "grader error":
        body.append("<p>Nothing was graded. Save this exercise's notebook in JupyterLab and hand that file in.</p>")
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">'
            f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n")


def score_table(grade, tests):
    """List points by question."""
    rows = "".join(f'<tr><th scope="row">{html.escape(name)}</th><td class="number">{number(grade.score_of(name))}</td>'
                   f'<td class="number">{number(tests.points(name))}</td></tr>' for name in tests.names)
    return ('<table><thead><tr><th scope="col">Question</th><th scope="col" class="number">Points</th>'
            f'<th scope="col" class="number">Of</th></tr></thead><tbody>{rows}</tbody></table>')


def public_tests(grade, question, tests):
    """List a question's public tests with their messages, each message once."""
    items, said = [], set()
    for result in grade.results:
        if result["question"] == question and not result["hidden"]:
            word, mark = ("passed", "✓") if result["passed"] else ("failed", "✗")
            text = result["message"]
            if text in said:
                text = "The same message as above."
            elif text:
                said.add(text)
            message = f"<pre>{html.escape(text)}</pre>" if text else ""
            name = html.escape(result["test"])
            items.append(f'<li class="{word}"><strong>{mark} {word}</strong> {name}{message}</li>')
    points = f"{number(grade.score_of(question))} of {number(tests.points(question))}"
    return f"<h2>{html.escape(question)}: {points} points</h2><ul>{''.join(items)}</ul>"
