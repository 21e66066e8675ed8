"""Bad files are refused with a reason, changed notebooks are described, one submission of a student counts."""

import copy
import io
import json
import os
import zipfile

import pytest

from dlcourse.grading import submission as module
from dlcourse.grading.submission import (
    Unreadable,
    find_submissions,
    only_checks,
    read_notebook,
    read_submission,
    supersede,
)
from dlcourse.grading.text import printable

from .common import EXERCISE, notebook, write_notebook


def read_all(folder):
    found = [read_submission(student, path, folder, EXERCISE) for student, path in find_submissions(folder)]
    return {one.file: one for one in supersede(found)}


def zipped():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("anna.ipynb", json.dumps(notebook()))
    return data.getvalue()


def without_cells():
    return json.dumps({"nbformat": 4, "cells": 5}).encode()


GOOD = json.dumps(notebook()).encode()


@pytest.mark.parametrize(("content", "reason"), [
    (b"", "empty file"),
    (b"\0" * 100, "empty file"),
    (GOOD[:200], "truncated"),
    (GOOD[:-1], "truncated"),
    (GOOD[:-2], "truncated"),
    (b"hello", "not JSON"),
    (b"\xff\xfe" + GOOD.decode().encode("utf-16-le"), "UTF-8"),
    (zipped(), "zip archive"),
    (b"\x1f\x8b\x08" + b"\0" * 50, "an archive"),
    (b"[" * 100_000, "nested too deep"),
    (b'{"cells": ' + b"9" * 10_000 + b"}", "number too long"),
    (b"[1, 2]", "no list of cells"),
    (b"null", "no list of cells"),
    (without_cells(), "no list of cells"),
    (json.dumps({**notebook(), "nbformat": 3}).encode(), "notebook format 3"),
    (json.dumps({**notebook(), "cells": ["x"]}).encode(), "cell 1 is no cell"),
    (json.dumps({**notebook(), "cells": [{"cell_type": "code", "source": [1]}]}).encode(), "cell 1 has no source"),
    (json.dumps({**notebook(), "cells": [{"cell_type": "code"}]}).encode(), "cell 1 has no source"),
    (json.dumps({**notebook(), "cells": [{"cell_type": "markdown"}] * 3000}).encode(), "3000 cells"),
    (json.dumps({**notebook(), "cells": [{"cell_type": "code", "source": "x" * 2_000_000}]}).encode(), "characters"),
    (json.dumps({**notebook(), "metadata": {"dlcourse": {"exercise": "other"}}}).encode(), "wrong exercise"),
    (json.dumps({"nbformat": 4, "metadata": {}, "cells": []}).encode(), "wrong exercise"),
])
def test_a_bad_file_is_refused_with_its_reason(tmp_path, content, reason):
    (tmp_path / "anna.ipynb").write_bytes(content)
    write_notebook(tmp_path / "ben.ipynb")
    found = read_all(tmp_path)
    assert reason in found["anna.ipynb"].refused
    assert found["ben.ipynb"].refused == ""       # the rest is read


def test_a_huge_file_is_refused_unread(tmp_path):
    with open(tmp_path / "anna.ipynb", "wb") as file:
        file.truncate(1 << 40)
    assert "1048576 MiB" in read_all(tmp_path)["anna.ipynb"].refused


def test_links_folders_pipes_and_other_files_are_refused(tmp_path):
    folder, outside = tmp_path / "in", tmp_path / "outside"
    write_notebook(outside / "secret.ipynb")
    folder.mkdir()
    (folder / "file-link.ipynb").symlink_to(outside / "secret.ipynb")
    (folder / "folder-link").symlink_to(outside)
    (folder / "broken.ipynb").symlink_to("nowhere")
    (folder / "folder.ipynb").mkdir()
    (folder / "empty").mkdir()
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "linked").mkdir()
    (folder / "linked" / "a.ipynb").symlink_to(outside / "secret.ipynb")
    os.mkfifo(folder / "pipe.ipynb")
    (folder / "essay.docx").write_text("x")
    (folder / "bare").write_text("x")
    (folder / ".hidden").write_text("x")
    reasons = {file: one.refused for file, one in read_all(folder).items()}
    assert reasons == {
        "bare": "expected a file that ends in .ipynb, got no ending",
        "broken.ipynb": "a link, not a file",
        "deep/deeper": "an empty or nested folder",
        "empty": "an empty or nested folder",
        "essay.docx": "expected a file that ends in .ipynb, got .docx",
        "file-link.ipynb": "a link, not a file",
        "folder-link": "a link, not a file",
        "folder.ipynb": "a folder, not a notebook",
        "linked/a.ipynb": "a link, not a file",
        "pipe.ipynb": "not a plain file",
    }


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    write_notebook(tmp_path / "anna.ipynb")

    def denied(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.os, "open", denied)
    assert read_all(tmp_path)["anna.ipynb"].refused == "cannot be read: Permission denied"


def changed(change):
    content = copy.deepcopy(notebook())
    change(content["cells"])
    return content


def rename(cells):
    cells[2]["id"] = "mine"


def rename_answer(cells):
    cells[1]["id"] = "mine"


@pytest.mark.parametrize(("change", "note"), [
    (lambda cells: cells.pop(1), "cell 'q1-answer' was deleted or renamed"),
    (rename, "cell 'q1-check' was renamed to 'mine'"),
    (rename_answer, "cell 'q1-answer' was deleted or renamed"),
    (lambda cells: cells.insert(0, cells.pop(3)), "cells were reordered, from 'q2-answer' on"),
    (lambda cells: cells.append(dict(cells[1])), "cell 'q1-answer' is there twice"),
])
def test_changed_cells_are_reported_by_name_and_graded(tmp_path, change, note):
    write_notebook(tmp_path / "anna.ipynb", changed(change))
    found = read_all(tmp_path)["anna.ipynb"]
    assert note in found.notes
    assert found.refused == ""


def test_an_added_cell_is_no_reason_for_a_note(tmp_path):
    extra = {"cell_type": "code", "id": "extra", "metadata": {}, "source": "1 + 1"}
    write_notebook(tmp_path / "anna.ipynb", changed(lambda cells: cells.insert(2, extra)))
    assert read_all(tmp_path)["anna.ipynb"].notes == []


def test_all_answers_in_one_cell_are_graded_where_the_notebook_says_of_which_exercise(tmp_path):
    content = notebook()
    content["cells"] = [{"cell_type": "code", "id": "all", "metadata": {}, "source": "import numpy as np\nanswer = 42"}]
    write_notebook(tmp_path / "anna.ipynb", content)
    content["metadata"].pop("dlcourse")
    write_notebook(tmp_path / "ben.ipynb", content)
    found = read_all(tmp_path)
    assert found["anna.ipynb"].refused == ""
    assert "graded because" in found["anna.ipynb"].notes[0]
    assert "no cell of" in found["ben.ipynb"].refused


def test_a_cell_in_another_language_is_named_and_left_out(tmp_path):
    for name, magic in (("anna", "%%bash"), ("ben", "%%time")):
        write_notebook(tmp_path / f"{name}.ipynb", notebook(f"{magic}\nx = 1"))
    found = read_all(tmp_path)
    assert found["anna.ipynb"].notes == ["code cell 2 was not run: %%bash is not Python"]
    assert [bool(source) for source in found["anna.ipynb"].cells] == [True, False, False, True, False]
    assert (found["ben.ipynb"].notes, bool(found["ben.ipynb"].cells[1])) == ([], True)


def test_check_cells_are_left_out(tmp_path):
    write_notebook(tmp_path / "anna.ipynb")
    cells = read_all(tmp_path)["anna.ipynb"].cells
    assert [bool(source) for source in cells] == [True, True, False, True, False]
    assert only_checks('# Check\ncheck("q1")\n')
    assert only_checks('grader.check("q1")')
    assert not only_checks('check("q1"); x = 1')
    assert not only_checks("")


def test_sources_may_be_lists_of_lines(tmp_path):
    content = notebook()
    for cell in content["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    assert read_notebook(write_notebook(tmp_path / "a.ipynb", content)) == read_notebook(
        write_notebook(tmp_path / "b.ipynb"))


def test_the_newest_readable_submission_of_a_student_counts(tmp_path):
    for number, name in enumerate(["anna.ipynb", "anna__2.ipynb", "anna/late.ipynb", "anna__4.ipynb"]):
        path = write_notebook(tmp_path / name)
        os.utime(path, (1000 + number, 1000 + number))
    (tmp_path / "anna__4.ipynb").write_text("broken")
    os.utime(tmp_path / "anna__4.ipynb", (2000, 2000))
    found = read_all(tmp_path)
    assert {one.student for one in found.values()} == {"anna"}
    assert [file for file, one in found.items() if not one.superseded] == ["anna/late.ipynb"]
    assert "superseded by anna/late.ipynb" in found["anna__2.ipynb"].refused
    assert "not JSON" in found["anna__4.ipynb"].refused
    assert "one of 4 submissions" in found["anna/late.ipynb"].notes[0]


def test_equal_times_are_decided_by_name(tmp_path):
    for name in ("anna__b.ipynb", "anna__a.ipynb"):
        os.utime(write_notebook(tmp_path / name), (1000, 1000))
    assert [f for f, one in read_all(tmp_path).items() if not one.superseded] == ["anna__b.ipynb"]


def test_names_are_made_safe_and_stay_different(tmp_path):
    names = ["a\x1b[2J", "a\n", "a‮", "x" * 200, "-" + "x" * 200]
    safe = [printable(name) for name in names]
    assert len(set(safe)) == len(names)
    assert all(name.isprintable() and len(name) <= 120 for name in safe)
    write_notebook(tmp_path / "a\x1b[2J.ipynb")
    write_notebook(tmp_path / os.fsdecode(b"b\xff.ipynb"))
    for one in read_all(tmp_path).values():
        (one.student + one.file + one.key).encode("utf-8")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(Unreadable, match="nowhere"):
        find_submissions(tmp_path / "nowhere")


def test_the_exercise_reads_what_was_given_out():
    assert EXERCISE.titles == ["setup", "q1-answer", "q1-check", "q2-answer", "q2-check"]
    assert EXERCISE.mark == "exercise"
