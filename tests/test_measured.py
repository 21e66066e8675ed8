"""The steps before the book is built: executing notebooks and measuring them."""

import json

import nbformat
import pytest
from dlbook import execute, measured
from nbclient.exceptions import CellExecutionError


def write_notebook(path, *cells):
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository with one small chapter."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "dlcourse").mkdir()
    (tmp_path / "dlcourse" / "code.py").write_text("answer = 42\n")
    write_notebook(tmp_path / "chapters" / "01_first.ipynb", "x = 2", "x + 1")
    for module in (measured, execute):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(measured, "FOLDER", tmp_path / "_build" / "measured")
    monkeypatch.setattr(execute, "CACHE", tmp_path / "_build" / ".jupyter_cache")
    return tmp_path


def test_fingerprint_follows_names_and_contents(project):
    first = measured.fingerprint("dlcourse/**/*.py")
    assert measured.fingerprint("dlcourse/**/*.py") == first
    (project / "dlcourse" / "code.py").write_text("answer = 43\n")
    second = measured.fingerprint("dlcourse/**/*.py")
    (project / "dlcourse" / "code.py").rename(project / "dlcourse" / "other.py")
    assert len({first, second, measured.fingerprint("dlcourse/**/*.py")}) == 3


def test_a_notebook_is_executed_once_per_change(project, capsys):
    assert execute.main([]) == 0
    entry = measured.read("times")["notebooks"]["01_first.ipynb"]
    assert entry["cells"] == 2
    assert entry["seconds"] > 0
    assert entry["megabytes"] > 10
    assert "[1/1] 01_first.ipynb" in capsys.readouterr().out
    assert execute.main([]) == 0
    assert "[1/1]" not in capsys.readouterr().out           # nothing has changed
    (project / "dlcourse" / "code.py").write_text("answer = 43\n")
    assert execute.main([]) == 0
    assert "[1/1]" in capsys.readouterr().out               # the package has


def test_the_build_finds_the_executed_notebook_in_the_cache(project):
    """What is looked up is the notebook as it lies on the disk, so executing must not change its identity."""
    from jupyter_cache import get_cache

    assert execute.main([]) == 0
    source = nbformat.read(project / "chapters" / "01_first.ipynb", as_version=4)
    cache = get_cache(str(execute.CACHE))
    _, merged = cache.merge_match_into_notebook(source)
    assert merged.cells[1].outputs[0]["data"]["text/plain"] == "3"


def test_a_failing_cell_fails_the_step_and_the_rest_is_kept(project, capfd):
    write_notebook(project / "chapters" / "02_second.ipynb", "assert 1 == 2, 'the claim is wrong'")
    assert execute.main([]) == 1
    assert "02_second.ipynb failed" in capfd.readouterr().err
    assert set(measured.read("times")["notebooks"]) == {"01_first.ipynb"}


@pytest.mark.parametrize("folder", ["chapters", "chapters/play", "exercises/01_first/student"])
def test_what_an_editor_leaves_beside_the_chapters_is_not_executed(project, folder):
    checkpoints = project / folder / ".ipynb_checkpoints"
    checkpoints.mkdir(parents=True)
    write_notebook(checkpoints / "01_first-checkpoint.ipynb", "raise RuntimeError('an older copy')")
    assert execute.main([]) == 0
    times = measured.read("times")
    assert {*times["notebooks"], *times["exercises"]} == {"01_first.ipynb"}


def test_execute_raises_what_the_cell_raised(project):
    write_notebook(project / "chapters" / "02_second.ipynb", "raise KeyError('gone')")
    with pytest.raises(CellExecutionError, match="gone"):
        execute.execute(project / "chapters" / "02_second.ipynb")


def test_measurements_are_written_whole(project):
    measured.write("times", {"a": 1})
    assert json.loads((measured.FOLDER / "times.json").read_text()) == {"a": 1}
    assert list(measured.FOLDER.glob("*.tmp")) == []
    assert measured.read("nothing") is None
