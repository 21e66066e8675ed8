"""Live pages: cells that run in the reader's browser, widgets, and the files they are made of."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from docutils import nodes
from sklearn import datasets
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from dlcourse.widgets.host import MODULES

from . import node as nodejs

logger = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "dlcourse"
BUILD = Path(__file__).parents[1] / "live" / "build.mjs"
CACHE = ROOT / "_build" / "live"
IN_BROWSER = {"numpy", "dlcourse"}
AT_HOME = ("dlcourse.__main__", "dlcourse.grading")     # could run in a page, and have nothing to do there
STORED = ("widgets/**/*.npz", "data/weights/lenet5.npz")  # what widgets read; other weights and samples stay at home
REAL_DATA = ("digits", "iris")                          # what live cells load of scikit-learn's sets


def top_level_imports(path):
    """List what a module imports when it is imported itself.

    Parameters
    ----------
    path : pathlib.Path
        Of a module in ``dlcourse``.

    Returns
    -------
    set of str
        Absolute names; for ``from . import x`` both the package and ``x`` in it.
    """
    package = (ROOT / path).relative_to(ROOT).parent.parts
    found = set()
    for entry in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(entry, ast.Import):
            found |= {alias.name for alias in entry.names}
        elif isinstance(entry, ast.ImportFrom):
            base = ".".join([*package[: len(package) - entry.level + 1], entry.module or ""]).strip(".")
            base = base if entry.level else entry.module
            found |= {base} | {f"{base}.{alias.name}" for alias in entry.names}
    return found


def browser_files():
    """Choose the part of ``dlcourse`` that runs in a browser: whatever needs NumPy and itself only.

    Returns
    -------
    list of str
        Paths relative to the repository, sorted: modules, and the data files of widgets.
    """
    modules = {}
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(ROOT).with_suffix("").parts
        modules[".".join(name[:-1] if name[-1] == "__init__" else name)] = path
    modules = {name: path for name, path in modules.items() if not name.startswith(AT_HOME)}
    needs = {name: top_level_imports(path) for name, path in modules.items()}
    fit = set(modules)
    while True:
        unfit = {name for name in fit if any(not runs(needed, fit, modules) for needed in needs[name])}
        if not unfit:
            break
        fit -= unfit
    data = [path for pattern in STORED for path in PACKAGE.glob(pattern)]
    return sorted(path.relative_to(ROOT).as_posix() for path in [*(modules[name] for name in fit), *data])


def runs(needed, fit, modules):
    """Tell whether an import succeeds in the browser."""
    if needed in modules:
        return needed in fit
    top = needed.split(".")[0]
    return top in IN_BROWSER or top in sys.stdlib_module_names


def copy_data(folder):
    """Copy the real data that live cells use, since a page has no scikit-learn.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    dict of str to str
        Where `dlcourse.data` looks for each copy in the page, and where it lies now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copies = {}
    for name in REAL_DATA:
        bunch = getattr(datasets, f"load_{name}")()
        wanted = {key: bunch[key] for key in ("data", "target", "feature_names", "target_names")}
        np.savez_compressed(folder / f"{name}.npz", **wanted)
        copies[f"dlcourse/data/copies/{name}.npz"] = str(folder / f"{name}.npz")
    return copies


class LiveSetup(SphinxTransform):
    """Let the page run the cell tagged ``live-setup``, its imports, before its first live cell."""

    default_priority = 210

    def apply(self, **kwargs):
        """Put the source of the cell into a script element, which no browser shows or runs by itself."""
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") == "cell_code" and "tag_live-setup" in cell.get("classes", ()):
                source = next(cell.findall(nodes.literal_block)).astext()
                data = nodes.raw("", script("dl-live-setup", source), format="html")
                cell.parent.insert(cell.parent.index(cell), data)


def script(css, data):
    """Put data into a page as JSON in a script element."""
    text = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    return f'<script type="application/json" class="{css}">{text}</script>'


def widget_node(data):
    """Build the place of a widget: a description for everyone, the first picture's numbers for the script."""
    about = data["about"]
    place = nodes.container("", classes=["dl-widget-place"])
    place += nodes.paragraph("", "", nodes.strong("", about["title"] + "."), nodes.Text(" " + about["about"]))
    place += nodes.paragraph("", "", nodes.emphasis("", missing_text()), classes=["dl-widget-missing"])
    place += nodes.raw("", script("dl-widget-data", data), format="html")
    return place


def missing_text():
    """Say in the page why a widget does not move."""
    if nodejs.missing():
        return "This build of the book leaves out live cells and widgets: their JavaScript could not be installed."
    return "This picture moves where JavaScript is on."


def build_files(outdir):
    """Build the scripts and pack Python into the static files of the book in a folder."""
    if not nodejs.usable("Live cells and widgets are left out of this build"):
        return
    request = {
        "out": str(outdir / "_static" / "live"),
        "cache": str(CACHE),
        "files": {**{name: str(ROOT / name) for name in browser_files()}, **copy_data(CACHE / "data")},
        "widgets": sorted(str(path) for path in (PACKAGE / "widgets").glob("*.js") if path.stem not in MODULES),
    }
    done = subprocess.run([nodejs.node(), str(BUILD), json.dumps(request)], capture_output=True, text=True, check=False)
    if done.returncode or done.stderr.strip():
        # A crash of Node begins with the line of minified code where it happened; what went wrong comes last.
        lines = [line[:200] for line in done.stderr.strip().splitlines()]
        logger.warning("the live part of the pages could not be built:\n%s", "\n".join(lines[-15:]), type="dlbook")


def add_script(app, pagename, templatename, context, doctree):
    """Load the small script on pages that have something live, and on no other."""
    if doctree is None or nodejs.missing():
        return
    live = any("tag_live" in cell.get("classes", ()) for cell in doctree.findall(nodes.container))
    drawn = {"dl-widget-place", "dl-quiz-place"}
    if live or any(drawn & set(place.get("classes", ())) for place in doctree.findall(nodes.container)):
        app.add_js_file("live/live.js", loading_method="defer")


def add_style(app, config):
    """Serve the widgets' style sheet from where Jupyter finds it, too."""
    config.html_static_path.append(str(PACKAGE / "widgets" / "kit.css"))


def setup(app):
    """Register the parts."""
    app.add_transform(LiveSetup)
    app.add_css_file("kit.css")
    app.connect("config-inited", add_style)
    app.connect("html-page-context", add_script)
