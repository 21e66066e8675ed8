"""The results of a question as a learner sees them: in a notebook, in a page, on the command line."""

import builtins
import os
import sys
from dataclasses import dataclass

from .questions import load
from .running import run

__all__ = ["Report", "check", "report"]

# Mark, word and colour of a result: JupyterLab's own colour where there is one.
PASSED = ("✓", "passed", "var(--jp-success-color1, #1a7f37)")
FAILED = ("✗", "failed", "var(--jp-error-color1, #c9302c)")


@dataclass(frozen=True)
class Report:
    """The results of a question, as a learner sees them. True if all checks passed.

    Parameters
    ----------
    question : str
    results : list of Result
    """

    question: str
    results: list

    def __bool__(self):
        return all(result.passed for result in self.results)

    @property
    def summary(self):
        """One line: how many checks passed."""
        passed = sum(result.passed for result in self.results)
        if self and passed == 1:
            return f"{self.question}: the check passes. Grading repeats it with other inputs."
        if self:
            return f"{self.question}: all {passed} checks pass. Grading repeats them with other inputs."
        return f"{self.question}: {passed} of {len(self.results)} checks pass"

    def __repr__(self):
        lines = [self.summary]
        for result in self.results:
            lines.append(f"  {'✓' if result.passed else '✗'} {result.test}")
            lines += [f"      {line}" for line in result.message.splitlines()]
        return "\n".join(lines)

    def _repr_html_(self):
        import html  # only when displayed: without it a page and the sandbox start sooner

        parts = []
        for result in self.results:
            mark, word, color = PASSED if result.passed else FAILED
            message = html.escape(result.message).replace("\n", "<br>")
            parts.append(f'<li class="{word}" style="border-left: 3px solid {color}; padding-left: 0.7em; '
                         f'margin: 0.5em 0"><strong><span role="img" aria-label="{word}">{mark}</span> '
                         f'{html.escape(result.test)}</strong><div>{message}</div></li>')
        return (f'<div class="dlcourse-report" role="status"><p>{html.escape(self.summary)}</p>'
                f'<ul style="list-style: none; padding-left: 0">{"".join(parts)}</ul></div>')

    def as_dict(self):
        """Return plain data for a page.

        Returns
        -------
        dict
            ``question``, ``passed``, ``summary`` and ``results``, a list of dict with ``test``,
            ``passed`` and ``message``.
        """
        results = [{"test": r.test, "passed": r.passed, "message": r.message} for r in self.results]
        return {"question": self.question, "passed": bool(self), "summary": self.summary, "results": results}


def report(source, namespace, path="<checks>"):
    """Run a question's public checks on the names of a notebook or page.

    Parameters
    ----------
    source : str
        Text of the check file.
    namespace : dict
        The learner's names.
    path : str
        Name of the file, for messages.

    Returns
    -------
    Report
    """
    def get(name):
        if name not in namespace:
            raise NameError(f"{name} is not defined")
        return namespace[name]

    results = run(source, get, path)
    return Report(results[0].question if results else load(source, path).name, results)


def check(question, tests="tests", namespace=None):
    """Check the answer to a question, in a notebook.

    Parameters
    ----------
    question : str
        Such as ``"q1"``.
    tests : str or Path
        Folder of the check files, beside the notebook.
    namespace : dict, optional
        Names of the answers. Default: those of the caller.

    Returns
    -------
    Report
        True if all checks passed. A notebook displays it; a script gets it printed.

    Raises
    ------
    FileNotFoundError
        If there is no such question.
    """
    if namespace is None:
        namespace = sys._getframe(1).f_globals
    path = os.path.join(tests, f"{question}.py")
    if not os.path.isfile(path):
        files = os.listdir(tests) if os.path.isdir(tests) else []
        known = sorted(name.removesuffix(".py") for name in files if name.startswith("q") and name.endswith(".py"))
        raise FileNotFoundError(f"question: expected one of {known}, got {question!r} "
                                f"({os.path.abspath(path)} is missing)")
    with open(path, encoding="utf-8") as file:
        source = file.read()
    found = report(source, namespace, path)
    if "__IPYTHON__" not in vars(builtins) and not hasattr(sys, "ps1"):    # nothing displays what is returned
        print(found)
    return found
