"""What has been graded so far, on disk: one file for each submission, there completely or not at all.

A grader that is killed loses at most the submissions it was working on. `--resume` reads the rest
back and grades only what is missing.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path

from .grade import Grade

__all__ = ["Journal", "JournalError", "write_atomically"]


class JournalError(RuntimeError):
    """The folder of results cannot be used for this run."""


def write_atomically(path, text):
    """Write a text file, all of it or nothing.

    Parameters
    ----------
    path : path-like
        An existing file is replaced.
    text : str
    """
    temporary = Path(f"{path}.tmp")
    with open(temporary, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())                   # on the disk before it takes its place
    os.replace(temporary, path)


class Journal:
    """The record of a run.

    Parameters
    ----------
    folder : path-like
        Is made if it is not there.
    run : dict
        What must be the same when the run is resumed: the exercise, the tests' digest, the limits,
        whether protected. Its ``"seed"`` is taken from the first run.
    resume : bool

    Raises
    ------
    JournalError
        If there are results already and `resume` is False, or they are of another run.
    """

    def __init__(self, folder, run, resume):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.head = self.folder / "run.json"
        if self.head.exists():
            self.run = self.reopened(run, resume)
        else:
            self.run = run
            write_atomically(self.head, json.dumps(run, indent=1))

    def reopened(self, run, resume):
        """Return the description of the run that began here, if this one continues it."""
        if not resume:
            raise JournalError(f"{self.folder.parent} holds results already: add --resume, or choose another folder")
        before = json.loads(self.head.read_text(encoding="utf-8"))
        other = [key for key in run if key != "seed" and before.get(key) != run[key]]
        if other:
            raise JournalError(f"the run in {self.folder.parent} had another {' and '.join(other)}: "
                               "grade into a new folder, so that all students are graded alike")
        return before

    def read(self, submission):
        """Return a submission's grade, or None if it has none yet, as when the grader failed at it.

        Parameters
        ----------
        submission : Submission

        Returns
        -------
        Grade or None
        """
        try:
            found = Grade(**json.loads(self.path(submission).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        return found if found.status == "graded" else None

    def write(self, submission, result):
        """Keep a grade.

        Parameters
        ----------
        submission : Submission
        result : Grade
        """
        write_atomically(self.path(submission), json.dumps(asdict(result)))

    def path(self, submission):
        """Name the file of a submission's grade."""
        return self.folder / f"{submission.key}.json"
