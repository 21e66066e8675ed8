"""What chapters show: figures with a text for those who cannot see them, source code, tables, claims.

Each function displays something useful in JupyterLab. The same output carries its parts as data,
from which the book makes numbered figures and tables and the ledger of claims.
"""

import ast
import html
import inspect
import json
import re
import textwrap
from pathlib import Path

from IPython.display import display

from . import plotting

__all__ = ["claim", "show", "show_source", "show_table"]

NAME = re.compile(r"[a-z][a-z0-9-]*")
WIDEST_ON_A_PHONE = 560  # pixels: text of 14 shrinks to 9 on a screen of 390
VERDICTS = ("holds", "holds in part", "does not hold")


def marked(kind, data, body, tag="div"):
    """Wrap HTML so that the book's extension finds the parts again."""
    payload = html.escape(json.dumps(data, ensure_ascii=False), quote=True)
    return f'<{tag} class="dl-{kind}" data-dl-kind="{kind}" data-dl="{payload}">{body}</{tag}>'


def emit(page, plain):
    """Display HTML, with plain text for where there is none."""
    display({"text/html": page, "text/plain": plain}, raw=True)


def check_text(value, name, least=1):
    """Check that ``value`` is a text of at least ``least`` characters, and strip it."""
    if not isinstance(value, str) or len(value.strip()) < least:
        raise ValueError(f"{name}: expected a text of at least {least} characters, got {value!r}")
    return " ".join(value.split())


def check_name(value, kind):
    """Check that ``value`` can serve as a label: ``fig-...`` for a figure, and so on."""
    if not isinstance(value, str) or not NAME.fullmatch(value) or not value.startswith(f"{kind}-"):
        raise ValueError(f"name: expected '{kind}-' and lower-case letters, digits and hyphens, got {value!r}")
    return value


def show(figure, *, alt, caption, name):
    """Display a figure with its caption and its text alternative.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Closed afterwards.
    alt : str
        What a reader who cannot see the figure must be told: at least 40 characters. Say what the
        picture shows, with its numbers, not that it is a picture.
    caption : str
        What to see in it. May hold ``$math$``, ``*emphasis*`` and code in backticks.
    name : str
        Label for references, such as ``"fig-ravine"``; in text: ``{numref}`fig-ravine```.

    Raises
    ------
    ValueError
        If the text alternative or the caption is missing, or the name is malformed.
    """
    alt, caption = check_text(alt, "alt", least=40), check_text(caption, "caption", least=10)
    check_name(name, "fig")
    drawing = plotting.svg(figure, name)
    width = round(figure.get_size_inches()[0] * 96)
    plotting.close(figure)
    drawing = re.sub(r'<svg ', f'<svg role="img" aria-label="{html.escape(alt, quote=True)}" ', drawing, count=1)
    # On a phone a wide drawing scrolls sideways rather than shrink its text, and so must take the focus.
    scrolls = ' data-wide tabindex="0" role="group" aria-label="wide figure"' if width > WIDEST_ON_A_PHONE else ""
    style = f"max-width: {width}px; background: var(--dl-drawing, {plotting.COLORS['paper']})"
    body = (
        f'<div class="dl-drawing"{scrolls} style="{style}">{drawing}</div>'
        f"<figcaption>{html.escape(caption)}</figcaption>"
    )
    emit(marked("figure", {"name": name, "caption": caption, "alt": alt}, body, tag="figure"), alt)


def show_table(header, rows, *, caption, name):
    """Display a table with a caption.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences
        Texts, or numbers already formatted; each as long as the header.
    caption : str
        May hold ``$math$``, ``*emphasis*`` and code in backticks.
    name : str
        Label for references, such as ``"tab-optimizers"``.

    Raises
    ------
    ValueError
        If a row's length differs from the header's, or the caption or name is malformed.
    """
    caption = check_text(caption, "caption", least=10)
    check_name(name, "tab")
    header, rows = [str(cell) for cell in header], [[str(cell) for cell in row] for row in rows]
    for i, row in enumerate(rows):
        if len(row) != len(header):
            raise ValueError(f"rows[{i}]: expected {len(header)} cells as in the header, got {len(row)}")

    def line(cells, tag):
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = f"<table><caption>{html.escape(caption)}</caption><thead>{line(header, 'th')}</thead><tbody>"
    body += "".join(line(row, "td") for row in rows) + "</tbody></table>"
    plain = "\n".join(" | ".join(row) for row in [header, *rows])
    emit(marked("table", {"name": name, "caption": caption, "header": header, "rows": rows}, body), plain)


def without_docstrings(source):
    """Remove the docstrings from source code, keeping everything else as it is written."""
    lines = source.splitlines()
    drop = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            first = node.body[0]
            if len(node.body) > 1:
                drop.update(range(first.lineno - 1, first.end_lineno))
                after = first.end_lineno
                if isinstance(node, ast.ClassDef) and after < len(lines) and not lines[after].strip():
                    drop.add(after)
    return "\n".join(line for i, line in enumerate(lines) if i not in drop)


def show_source(*objects, docstrings=False):
    """Display the source of functions, methods or classes, as it is tested.

    Parameters
    ----------
    *objects : function, method or class
        Of the package. Several are shown one under the other.
    docstrings : bool
        Whether to keep the docstrings. The book gives the formulas in the text just before, and
        the whole docstring in the reference pages.
    """
    for thing in objects:
        lines, first = inspect.getsourcelines(thing)
        source = textwrap.dedent("".join(lines)).rstrip()
        code = source if docstrings else without_docstrings(source)
        path = Path(inspect.getsourcefile(thing)).resolve()
        place = "/".join(path.parts[path.parts.index("dlcourse", -2 if len(path.parts) > 1 else 0):])
        where = f"{place}, lines {first} to {first + len(lines) - 1}"
        label = f"{thing.__module__}.{thing.__qualname__}"
        data = {"code": code, "where": where, "object": label}
        fenced = f"```python\n{code}\n```\n\n*{where}*"
        page = marked("source", data, f"<pre>{html.escape(code)}</pre><p>{where}</p>")
        display({"text/html": page, "text/markdown": fenced, "text/plain": code}, raw=True)


def claim(name, *, deck, says, measured, verdict, check):
    """Record what became of a claim of the lecture slides, and assert it.

    Parameters
    ----------
    name : str
        Label, such as ``"claim-relu-six-times"``.
    deck : {"L0", "L1", "L2", "L3", "L4"}
        Where it is claimed.
    says : str
        The claim in our own words. May hold ``$math$``.
    measured : str
        What this notebook measured or computed, with its numbers and how many runs.
    verdict : {"holds", "holds in part", "does not hold"}
    check : bool
        Whether the measurement supports the verdict: computed by the cell, never a literal.

    Raises
    ------
    AssertionError
        If `check` is false: then the verdict on the page would be wrong.
    ValueError
        If a text is missing or the deck or verdict is unknown.
    """
    check_name(name, "claim")
    if deck not in ("L0", "L1", "L2", "L3", "L4"):
        raise ValueError(f"deck: expected one of L0 to L4, got {deck!r}")
    if verdict not in VERDICTS:
        raise ValueError(f"verdict: expected one of {VERDICTS}, got {verdict!r}")
    says, measured = check_text(says, "says", least=10), check_text(measured, "measured", least=3)
    assert check, f"{name}: the measurement ({measured}) does not support the verdict {verdict!r}"
    data = {"name": name, "deck": deck, "says": says, "measured": measured, "verdict": verdict}
    body = (
        f"<p><strong>Claim ({deck}).</strong> {html.escape(says)}</p>"
        f"<p><strong>Measured.</strong> {html.escape(measured)}</p>"
        f"<p><strong>Verdict:</strong> {verdict}.</p>"
    )
    emit(marked("claim", data, body), f"{deck}: {says}\nmeasured: {measured}\nverdict: {verdict}")
