"""The pages of exercises: student notebooks whose answers are checked in the page."""

import re
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from . import node as nodejs
from .live import script
from .outputs import inline

logger = logging.getLogger(__name__)

DOCNAME = re.compile(r"exercises/(?P<folder>(?P<number>\d+)_(?P<topic>\w+))/student/(?P=folder)")


def label(topic):
    """Name the target by which other pages refer to an exercise."""
    return f"ex-{topic.replace('_', '-')}"


def code_cells(document):
    """List the containers of a page's code cells."""
    return [cell for cell in document.findall(nodes.container) if cell.get("nb_element") == "cell_code"]


def tags(cell):
    """List the tags of a code cell."""
    return cell["cell_metadata"].get("tags", [])


class ExercisePage(SphinxTransform):
    """Make a page of a student notebook: checks become buttons, and the checks' files travel along."""

    default_priority = 205          # while the cell of its imports is still there

    def apply(self, **kwargs):
        """Change the page of an exercise, and no other."""
        match = DOCNAME.fullmatch(self.env.docname)
        if not match:
            return
        folder = Path(self.env.doc2path(self.env.docname)).parent
        name = f"{match['folder']}.ipynb"
        section = next(self.document.findall(nodes.section))
        section["names"].append(label(match["topic"]))
        self.document.note_explicit_target(section, section)
        self.link_to_chapter(section, f"/chapters/{match['folder']}")
        self.explain(section, folder, name)
        for cell in code_cells(self.document):
            answer = cell["cell_metadata"].get("dlcourse", {}).get("answer")
            if answer:
                cell["classes"].append(f"dl-answer-{answer}")
        self.replace_checks(name)

    def link_to_chapter(self, section, docname):
        """Let the chapter's title, which the first sentence names, lead there."""
        title = next(section.findall(nodes.emphasis), None)
        if title is None:
            logger.warning("an exercise begins with its chapter's title in emphasis", location=section, type="dlbook")
            return
        link = addnodes.pending_xref(
            "", refdomain="std", reftype="doc", reftarget=docname, refexplicit=True, refwarn=True,
            refdoc=self.env.docname,
        )
        title.replace_self(link)
        link += title

    def explain(self, section, folder, name):
        """Say, before the first cell, how to answer: here, or without JavaScript in JupyterLab."""
        notebook = nbformat.read(folder / name, as_version=4)
        files = {}
        for check in notebook.cells:
            if "live-check" in check.metadata.get("tags", []):
                path = folder / "tests" / f"{check.id.removeprefix('check-')}.py"
                files[f"tests/{path.name}"] = path.read_text(encoding="utf-8")
                self.env.note_dependency(str(path))
        live = [index for index, cell in enumerate(notebook.cells) if "live" in cell.metadata.get("tags", [])]
        here = paragraph(
            "Here on the page, click the code of an answer to change it, then press *Check* below it. What you type "
            f"stays in this browser. *Save as notebook* writes it into `{name}`, the file to hand in.",
            css="dl-exercise-here",
        )
        lab = paragraph(
            f"To answer, open `{name}` in JupyterLab. It lies in `exercises/{folder.parent.name}/student`, beside the "
            f"checks.{missing()}",
            css="dl-exercise-lab",
        )
        data = script("dl-live-files", files)
        data += script("dl-exercise-notebook", {"name": name, "notebook": notebook, "live": live})
        box = nodes.container("", here, lab, nodes.raw("", data, format="html"), classes=["dl-exercise"])
        first = next(i for i, child in enumerate(section) if isinstance(child, nodes.container | nodes.section))
        section.insert(first, box)

    def replace_checks(self, name):
        """Put a button in the place of each check, or say that its question is answered elsewhere."""
        cells = code_cells(self.document)
        for cell in cells:
            if not {"live-check", "lab-check"} & set(tags(cell)):
                continue
            code = next(cell.findall(nodes.literal_block)).astext()
            question = re.search(r'"(\w+)"', code)[1]
            if "live-check" in tags(cell):
                words = f"To check this answer, run `{code}` in JupyterLab, in the notebook `{name}`."
                place = nodes.container("", paragraph(words, css="dl-check-missing"), classes=["dl-check"])
                place += nodes.raw("", script("dl-check-data", {"question": question, "code": code}), format="html")
                cell.parent.replace(cell, place)      # replace_self would pass the classes on
            else:
                words = ("This question needs PyTorch, which does not run in this page. Answer it in "
                         f"JupyterLab, in the notebook `{name}`, and check it there with `{code}`.")
                first = next(other for other in cells if f"dl-answer-{question}" in other["classes"])
                note = nodes.note("", paragraph(words), classes=["dl-check-elsewhere"])
                section = first
                while not isinstance(section, nodes.section):
                    section = section.parent
                section.insert(section.first_child_matching_class(nodes.title) + 1, note)
                cell.parent.remove(cell)


def missing():
    """Say why a page cannot check answers though JavaScript is on."""
    return " This build of the book cannot check answers on the page." if nodejs.missing() else ""


def paragraph(text, css=None):
    """Build a paragraph from text with emphasis and code."""
    return nodes.paragraph("", "", *inline(text), classes=[css] if css else [])


def setup(app):
    """Register the transform."""
    app.add_transform(ExercisePage)
