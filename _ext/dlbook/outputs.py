"""Turn what `dlcourse.notebook` displays into numbered figures, tables, listings and claims."""

import html
import json
import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from .live import widget_node
from .quiz import question_file, quiz_node

logger = logging.getLogger(__name__)

MARKED = re.compile(r'^<(?:figure|div) class="dl-\w+" data-dl-kind="(?P<kind>\w+)" data-dl="(?P<data>[^"]*)">')
INLINE = re.compile(r"\$(?P<math>[^$]+)\$|\*(?P<emphasis>[^*]+)\*|`(?P<code>[^`]+)`")


def inline(text):
    """Parse the little markup that captions may hold: math, emphasis and code."""
    found, last = [], 0
    for match in INLINE.finditer(text):
        if match.start() > last:
            found.append(nodes.Text(text[last : match.start()]))
        if match["math"]:
            found.append(nodes.math(match["math"], match["math"]))
        elif match["emphasis"]:
            found.append(nodes.emphasis(match["emphasis"], match["emphasis"]))
        else:
            found.append(nodes.literal(match["code"], match["code"]))
        last = match.end()
    if last < len(text):
        found.append(nodes.Text(text[last:]))
    return found


def paragraph(label, text, css=()):
    """Build a paragraph that begins with a label in bold."""
    return nodes.paragraph("", "", nodes.strong("", label), nodes.Text(" "), *inline(text), classes=list(css))


def build_figure(data, page):
    """Build a numbered figure around the drawing."""
    drawing = page[page.index('<div class="dl-drawing"') : page.index("<figcaption>")]
    figure = nodes.figure("", classes=["dl-figure"])
    # docutils counts only pictures as figures; the drawing itself is part of the page, not a file.
    figure += nodes.raw("", drawing, format="html")
    figure += nodes.caption("", "", *inline(data["caption"]))
    return [figure], figure


def table_node(header, rows, *, numbers=(), css=(), title=None):
    """Build a table from texts and nodes.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences of str or nodes.Node
    numbers : collection of int
        Columns set flush right.
    css : sequence of str
    title : str, optional
        The caption; a table that has one is numbered.

    Returns
    -------
    nodes.table
    """
    group = nodes.tgroup(cols=len(header))
    for _ in header:
        group += nodes.colspec(colwidth=1)

    def line(cells):
        row = nodes.row()
        for i, cell in enumerate(cells):
            content = cell if isinstance(cell, nodes.Node) else nodes.paragraph("", "", *inline(cell))
            row += nodes.entry("", content, classes=["dl-number"] if i in numbers else [])
        return row

    group += nodes.thead("", line(header))
    group += nodes.tbody("", *(line(row) for row in rows))
    caption = [] if title is None else [nodes.title("", "", *inline(title))]
    return nodes.table("", *caption, group, classes=["dl-table", *css])


def build_table(data, page):
    """Build a numbered table; columns of numbers are set flush right."""
    columns = list(zip(*data["rows"], strict=True))
    numbers = {i for i, column in enumerate(columns)
               if any(column) and all(not cell or re.match(r"^[-−+~]?[\d.,]", cell) for cell in column)}
    table = table_node(data["header"], data["rows"], numbers=numbers, title=data["caption"])
    return [table], table


def build_source(data, page):
    """Build a listing with a link to the reference page of what it shows."""
    listing = nodes.literal_block(data["code"], data["code"], language="python", classes=["dl-source"])
    name = data["object"]
    link = addnodes.pending_xref(
        "", nodes.literal(name, name), refdomain="py", reftype="obj", reftarget=name, refexplicit=True, dl_optional=True
    )
    where = nodes.paragraph("", "", link, nodes.Text(f" in {data['where']}"), classes=["dl-source-where"])
    box = nodes.container("", listing, where, classes=["dl-source-box"])
    return [box], None


def build_claim(data, page):
    """Build the box in which a chapter settles a claim."""
    verdict = data["verdict"].replace(" ", "-")
    box = nodes.container(
        "",
        paragraph(f"Claim ({data['deck']}).", data["says"]),
        paragraph("Measured.", data["measured"]),
        paragraph("Verdict:", data["verdict"] + ".", css=[f"dl-verdict-{verdict}"]),
        classes=["dl-claim", f"dl-claim-{verdict}"],
        ids=[data["name"]],
    )
    return [box], None


def build_widget(data, page):
    """Build the place in which the page's script draws a widget."""
    return [widget_node(data)], None


BUILDERS = {
    "figure": build_figure,
    "table": build_table,
    "source": build_source,
    "claim": build_claim,
    "widget": build_widget,
}


class CourseOutputs(SphinxTransform):
    """Replace the marked outputs of code cells, before figures and tables are numbered."""

    default_priority = 200

    def apply(self, **kwargs):
        """Walk the outputs of the page."""
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            for raw in bundle.findall(nodes.raw):
                match = MARKED.match(raw.astext()) if raw.get("format") == "html" else None
                if match:
                    self.replace(bundle, match["kind"], json.loads(html.unescape(match["data"])), raw.astext())
                    break

    def replace(self, bundle, kind, data, page):
        """Put the built nodes in the place of one output."""
        if kind == "quiz":
            notebook = self.env.doc2path(self.env.docname)
            self.env.note_dependency(str(question_file(data, notebook)))
            built, labelled = [quiz_node(data, notebook)], None
        else:
            built, labelled = BUILDERS[kind](data, page)
        for node in built:
            node.source, node.line = bundle.source or self.document["source"], bundle.line or 1
        bundle.replace_self(built)
        if labelled is not None:
            labelled["names"].append(data["name"])
            self.document.note_explicit_target(labelled, labelled)
        if kind == "claim":
            claims = self.env.__dict__.setdefault("dl_claims", {})
            claims.setdefault(self.env.docname, []).append(data)


def unlinked(app, env, node, contnode):
    """Show the name of a private method without a link: it has no entry in the reference."""
    return contnode if node.get("dl_optional") else None


def forget(app, env, docname):
    """Drop a page's claims before it is read again."""
    getattr(env, "dl_claims", {}).pop(docname, None)


def merge(app, env, docnames, other):
    """Collect the claims that a parallel reader found."""
    env.__dict__.setdefault("dl_claims", {}).update(
        {name: claims for name, claims in getattr(other, "dl_claims", {}).items() if name in docnames}
    )


def setup(app):
    """Register the transform."""
    app.add_transform(CourseOutputs)
    app.connect("missing-reference", unlinked)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
