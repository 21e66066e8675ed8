"""What a live page asks of Python: cells, what they need, and errors a reader can read."""

import io
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from dlcourse.page import Names, Page


def test_cells_share_a_namespace_and_echo_the_last_value():
    page = Page()
    assert page.run("x = 2") == {"ok": True, "text": ""}
    assert page.run("x += 1\nx * 2") == {"ok": True, "text": "6"}
    assert page.run("x;") == {"ok": True, "text": ""}
    assert page.run("None")["text"] == ""


def test_printed_text_goes_to_standard_output(capsys):
    assert Page().run("print('a', end='')\nprint('b')")["text"] == ""
    assert capsys.readouterr().out == "ab\n"


def test_a_traceback_shows_the_readers_lines_and_no_others():
    page = Page()
    page.run("import numpy as np\ndef halve(x):\n    return np.linalg.inv(x) / 2", 3)
    result = page.run("a = np.zeros((2, 2))\nhalve(a)", 4)
    assert not result["ok"]
    text = result["error"]
    assert 'File "<cell 4>", line 2' in text
    assert 'File "<cell 3>", line 3' in text
    assert "return np.linalg.inv(x) / 2" in text            # with the source line of the cell
    assert "linalg/" not in text
    assert "page.py" not in text
    assert text.rstrip().endswith("LinAlgError: Singular matrix")


def test_chained_errors_are_trimmed_too():
    code = "try:\n    {}['k']\nexcept KeyError as error:\n    raise ValueError('no k') from error"
    text = Page().run(code)["error"]
    assert text.index("KeyError: 'k'") < text.index("direct cause") < text.index("ValueError: no k")
    assert "page.py" not in text


def test_a_syntax_error_points_at_its_line():
    text = Page().run("x = 1\ny = (", 2)["error"]
    assert 'File "<cell 2>", line 2' in text
    assert "SyntaxError: '(' was never closed" in text


@pytest.mark.parametrize("code", ["raise SystemExit(1)", "exit()", "raise KeyboardInterrupt"])
def test_nothing_a_reader_runs_ends_the_page(code):
    page = Page()
    assert not page.run(code)["ok"]
    assert page.run("1 + 1")["text"] == "2"


def test_exit_leaves_standard_input_open(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    page = Page()
    assert "SystemExit" in page.run("exit()")["error"]
    assert page.run("import sys\nsys.stdin.closed")["text"] == "False"


def test_a_cell_cannot_ask_for_input():
    result = Page().run("raise OSError(29, 'I/O error')")          # what input() does in the worker
    assert result["advice"] == "A cell of a page cannot ask for input. Write the value into the code."


def test_a_package_that_the_browser_lacks_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    result = Page().run("import torch")
    assert result["advice"].startswith("The Python in this page has NumPy and the references of dlcourse, not torch.")
    assert Page().run("1 / 0")["advice"] == ""


NAMES = [
    ("y = x + 1", {"x"}, {"y"}),
    ("x = 1\ny = x", set(), {"x", "y"}),
    ("x = x + 1", {"x"}, {"x"}),
    ("x += 1", {"x"}, {"x"}),
    ("import numpy as np\nfrom a.b import c as d, e\nimport os.path", set(), {"np", "d", "e", "os"}),
    ("def f(a, *b, c=k, **d):\n    t = a + g\n    return t", {"k", "g"}, {"f"}),
    ("f = lambda x: x + w", {"w"}, {"f"}),
    ("s = [i * c for i in r if i]", {"c", "r"}, {"s"}),
    ("d = {k: v for k, v in p}", {"p"}, {"d"}),
    ("for i, (a, b) in enumerate(z):\n    t = a", {"enumerate", "z"}, {"i", "a", "b", "t"}),
    ("class A(B):\n    n = m\n    def f(self):\n        return self.x + h", {"B", "m", "h"}, {"A"}),
    ("with open(p) as f:\n    f.read()", {"open", "p"}, {"f"}),
    ("a.b = 1\nc[0] = d", {"a", "c", "d"}, set()),
    ("if (n := h()) > 1:\n    n", {"h"}, {"n"}),
    ("try:\n    q\nexcept E as e:\n    e", {"q", "E"}, {"e"}),
    ("@dec\ndef f():\n    global_name", {"dec", "global_name"}, {"f"}),
]


@pytest.mark.parametrize(("code", "needs", "makes"), NAMES, ids=[code for code, *_ in NAMES])
def test_names_that_a_cell_needs_and_makes(code, needs, makes):
    names = Names(code)
    assert names.needs == needs
    assert names.makes == makes


def test_cells_above_run_first_where_they_are_needed():
    page = Page()
    page.run("import numpy as np")                        # the hidden set-up cell
    codes = ["a = np.ones(2)", "unrelated = 3", "b = a * 2", "syntax (", "def f(x):\n    return x @ b", "f(a)"]
    assert page.needed(codes, 5) == [0, 2, 4]
    assert page.needed(codes, 1) == []
    page.run(codes[0])
    assert page.needed(codes, 5) == [2, 4]                # what exists already is kept as the reader left it
    assert page.needed(codes, 3) == []
    with pytest.raises(ValueError, match="index: expected an integer from 0 to 5, got 6"):
        page.needed(codes, 6)


def test_a_widget_answers_with_numbers_or_with_a_reason():
    page = Page()
    inputs = {"activation": "tanh", "z": 0.5, "layers": 2, "threshold": 0.05}
    outputs = page.widget("activation_explorer", "w0", inputs)["outputs"]
    assert outputs["value"] == pytest.approx(np.tanh(0.5), rel=1e-12)
    assert outputs["passed"] == pytest.approx((1 - np.tanh(0.5) ** 2) ** 2, rel=1e-12)
    refused = page.widget("activation_explorer", "w0", {**inputs, "z": 9})
    assert refused == {"error": "z: expected a number in [-6, 6], got 9.0"}
    assert "expected one of" in page.widget("nothing", "w0", inputs)["error"]


def test_the_browsers_part_imports_neither_torch_nor_matplotlib():
    """Import all that is packed for the browser while what the browser lacks cannot be imported."""
    from dlbook.live import browser_files

    modules = [path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
               for path in browser_files() if path.endswith(".py")]
    assert {"dlcourse.page", "dlcourse.widgets.host", "dlcourse.optim", "dlcourse.data"} <= set(modules)
    assert not [name for name in modules if name.endswith("_torch")]
    assert "dlcourse.plotting" not in modules
    code = f"""
        import importlib, sys
        for name in ("torch", "matplotlib", "IPython", "sklearn", "mlxtend", "tqdm", "pooch", "scipy", "anywidget"):
            sys.modules[name] = None
        for name in {modules!r}:
            importlib.import_module(name)
        from dlcourse.widgets import NAMES, defaults, evaluate
        for name in NAMES:
            evaluate(name, defaults(name))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
