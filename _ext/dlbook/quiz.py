"""Reading checks in the book: the question as text that needs no script, and its data for the script."""

from pathlib import Path

from docutils import nodes

from dlcourse.widgets.host import FOLDER
from dlcourse.widgets.quiz import find

from .live import script


def question_file(data, notebook):
    """Return where the questions of a notebook lie.

    Parameters
    ----------
    data : dict
        ``chapter`` and ``name`` of a question, from the output of a cell.
    notebook : str or pathlib.Path

    Returns
    -------
    pathlib.Path
    """
    return Path(notebook).parent / "quiz" / f"{data['chapter']}.toml"


def quiz_node(data, notebook):
    """Build the place of a question.

    The output names the question only. Its text is read anew, since outputs are kept from earlier runs.

    Parameters
    ----------
    data : dict
    notebook : str or pathlib.Path

    Returns
    -------
    nodes.container
    """
    question = find(**data, folder=question_file(data, notebook).parent)
    place = nodes.container("", classes=["dl-quiz-place"])
    place += nodes.raw("", question.fold(), format="html")
    place += nodes.raw("", script("dl-quiz-data", {"about": question.about()}), format="html")
    return place


def add_style(app, config):
    """Serve the style sheet from where Jupyter finds it, too."""
    config.html_static_path.append(str(FOLDER / "quiz.css"))


def add_stylesheet(app, pagename, templatename, context, doctree):
    """Load it on pages with a question, and on no other."""
    places = () if doctree is None else doctree.findall(nodes.container)
    if any("dl-quiz-place" in place.get("classes", ()) for place in places):
        app.add_css_file("quiz.css")


def setup(app):
    """Register the style sheet."""
    app.connect("config-inited", add_style)
    app.connect("html-page-context", add_stylesheet)
