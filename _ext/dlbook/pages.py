"""Pages that are made, not typed: the ledger of claims, the parity table, the times table."""

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from . import measured
from .outputs import table_node

logger = logging.getLogger(__name__)


class MeasuredDirective(SphinxDirective):
    """A table made from a measurement; a missing measurement is a warning, so it fails the build."""

    name_of_data = ""

    def run(self):
        """Build the nodes from the measurement."""
        data = measured.read(self.name_of_data)
        self.env.note_dependency(str(measured.FOLDER / f"{self.name_of_data}.json"))
        if data is None:
            logger.warning(
                "no measurement %r: run `make book`, which makes it", self.name_of_data, location=self.get_location(),
                type="dlbook", subtype="measured",
            )
            return []
        return self.build(data)


def scientific(error):
    """Write an error as it is read in a table."""
    return "–" if error is None else ("0" if error == 0 else f"{error:.0e}".replace("e-0", "e-"))


class ParityTable(MeasuredDirective):
    """The table of all twins with their largest errors."""

    name_of_data = "parity"

    def build(self, data):
        """Group the rows by topic."""
        header = ["System", "float64 forward", "float64 gradient", "float32 forward", "float32 gradient", "Device"]
        rows = []
        for row in data["rows"]:
            columns = [(dtype, what) for dtype in ("float64", "float32") for what in ("forward", "gradient")]
            errors = [scientific(row[dtype][what]) for dtype, what in columns]
            rows.append([f"`{row['name']}`", *errors, row["device"]])
        note = (
            f"{len(rows)} cases, each over {data['draws']} random sizes; {data['versions']}; {data['machine']}. "
            "An en dash: nothing of this kind to compare."
        )
        table = table_node(header, rows, numbers={1, 2, 3, 4}, css=["dl-wide"])
        return [table, nodes.paragraph("", note)]


class TimesTable(MeasuredDirective):
    """The table of what each notebook takes."""

    name_of_data = "times"

    def build(self, data):
        """One row for each notebook, in reading order."""
        rows = [
            [f"`{name}`", f"{entry['seconds']:.1f}", f"{entry['megabytes']:.0f}",
             str(entry["cells"])]
            for name, entry in sorted(data["notebooks"].items())
        ]
        total = sum(entry["seconds"] for entry in data["notebooks"].values())
        note = f"{total:.0f} s in all, one thread each, on: {data['machine']}."
        table = table_node(["Notebook", "Seconds", "Peak memory (MB)", "Code cells"], rows, numbers={1, 2, 3})
        return [table, nodes.paragraph("", note)]


class claims_ledger(nodes.General, nodes.Element):
    """Stands where the ledger will be put once all chapters are read."""


class ClaimsLedger(SphinxDirective):
    """The table of all claims that the chapters settle."""

    def run(self):
        """Leave a placeholder: claims of later pages are not known yet."""
        self.env.dl_ledger_docname = self.env.docname
        return [claims_ledger("")]


def fill_ledger(app, doctree, docname):
    """Replace the placeholder by the table."""
    found = getattr(app.env, "dl_claims", {})
    for placeholder in list(doctree.findall(claims_ledger)):
        rows = []
        for source in sorted(found):
            for data in found[source]:
                link = nodes.reference(
                    "", app.env.titles[source].astext(), internal=True,
                    refuri=app.builder.get_relative_uri(docname, source) + f"#{data['name']}",
                )
                where = nodes.paragraph("", "", link)
                rows.append([data["says"], data["deck"], data["measured"], data["verdict"], where])
        header = ["Claim", "Deck", "Measured here", "Verdict", "Where"]
        if not rows:
            logger.warning("the ledger of claims is empty", location=docname, type="dlbook", subtype="claims")
        placeholder.replace_self(table_node(header, rows, css=["dl-wide", "dl-ledger"]) if rows else [])


def refresh_ledger(app, env):
    """Write the ledger again whenever any page was read again."""
    docname = getattr(env, "dl_ledger_docname", None)
    return [docname] if docname in env.found_docs else []


def setup(app):
    """Register directives and hooks."""
    app.add_directive("parity-table", ParityTable)
    app.add_directive("times-table", TimesTable)
    app.add_directive("claims-ledger", ClaimsLedger)
    app.add_node(claims_ledger)
    app.connect("doctree-resolved", fill_ledger)
    app.connect("env-updated", refresh_ledger)
