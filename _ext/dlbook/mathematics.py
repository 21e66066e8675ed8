r"""Set the formulas of every page when the book is built, so that a page needs no script to show them.

Sphinx writes the TeX source of a formula into the page, between ``\(`` and ``\)`` or ``\[`` and ``\]``.
After all pages are written, one process of Node.js sets all distinct formulas with MathJax, and their
markup, which holds MathML for screen readers, takes the place of the source. The style sheet and the
fonts hold the glyphs that the book uses, and no others.
"""

import hashlib
import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from sphinx.ext.mathjax import html_visit_displaymath, html_visit_math
from sphinx.util import logging

from . import node as nodejs
from .weight import add_stylesheet, digest, subset_font

logger = logging.getLogger(__name__)

SCRIPT = Path(__file__).parents[1] / "live" / "formulas.mjs"
MATHJAX = nodejs.MODULES / "mathjax"
FONTS = MATHJAX / "es5" / "output" / "chtml" / "fonts" / "woff-v2"

# Sphinx' element of a formula: its tag, the number of an equation, and the source, which is plain text.
FORMULA = re.compile(
    r'(?P<before>[(\[“‘]?)(?P<open><(?P<tag>span|div)\b[^>]*\bclass="(?:[^"]* )?math notranslate nohighlight"[^>]*>)'
    r'(?P<number>\s*<span class="eqno">.*?</span>)?'
    r"(?P<source>[^<]*)</(?P=tag)>(?P<after>[,.;:!?)\]’”]*)",
    re.DOTALL,
)
ANY_FORMULA = re.compile(r'class="(?:[^"]* )?math notranslate')

# In em of the formula: what a phone's column of 350 pixels holds, less the padding of a box in it,
# and less the number of an equation.
WIDEST_ON_A_PHONE = 15
NUMBER = 3

# What the style sheet of MathJax says about a glyph: where it stands, in which font, and its character.
GLYPH = re.compile(r'(?P<selector>[^{}]*::(?:before|after)) \{[^}]*content: "(?P<content>(?:\\.|[^"\\])*)"')
FONT_CLASS = re.compile(r"\.TEX(-\w+)")
FONT_FACE = re.compile(
    r'@font-face[^{]*\{\s*font-family: MJX(?P<family>[\w-]+);\s*src: url\("[^"]*/(?P<file>[\w-]+\.woff)"\)[^}]*\}\s*'
)
# Parts of stretched brackets, bars and braces are looked up in these fonts.
STRETCHY = ("TEX-S1", "TEX-S4", "TEX", "TEX-A")

# A lower-case letter of MathJax' fonts is 0.442 em high. The formula is as large as makes its letters
# as high as those around it, in whatever font the reader's machine has.
HOUSE_RULES = """
mjx-container { position: relative; font-size: calc(1ex / .442); }
mjx-container[tabindex] { max-width: 100%; overflow-x: auto; overflow-y: hidden; }
mjx-container[tabindex]:focus-visible { outline-offset: -3px; }
"""


def tex_source(match):
    r"""Return the TeX source of a formula on a page, without ``\(`` and ``\[``, and whether it is displayed."""
    source = html.unescape(match["source"]).strip()
    if source.startswith((r"\(", r"\[")):
        source = source[2:-2]
    return source.strip(), match["tag"] == "div"


def set_formulas(formulas, options, folder):
    """Set formulas with MathJax, or take them from the folder in which the last answer is kept.

    Parameters
    ----------
    formulas : list of (str, bool)
        TeX source, and whether it is displayed.
    options : dict
        Of MathJax's TeX input, such as macros.
    folder : pathlib.Path

    Returns
    -------
    list of dict
        For each formula ``html`` and ``width`` in em, or ``error``.
    str
        The style sheet.

    Raises
    ------
    subprocess.CalledProcessError
        If Node.js or MathJax fails as a whole.
    """
    request = json.dumps(
        {"tex": options, "formulas": [{"tex": tex, "display": display} for tex, display in formulas]}, sort_keys=True
    )
    versions = SCRIPT.read_text(encoding="utf-8") + (MATHJAX / "package.json").read_text(encoding="utf-8")
    kept = folder / f"{hashlib.sha256((request + versions).encode()).hexdigest()[:16]}.json"
    if not kept.exists():
        done = subprocess.run(
            [nodejs.node(), str(SCRIPT)], input=request, capture_output=True, check=True, encoding="utf-8"
        )
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        kept.write_text(done.stdout, encoding="utf-8")
    answer = json.loads(kept.read_text(encoding="utf-8"))
    return answer["formulas"], answer["css"]


def markup(formula, numbered):
    """Return the markup of one formula; where it may be too wide for a phone it scrolls, and takes the focus."""
    if formula["width"] <= WIDEST_ON_A_PHONE - (NUMBER if numbered else 0):
        return formula["html"]
    focus = '<mjx-container tabindex="0" role="group" aria-label="wide formula"'
    return formula["html"].replace("<mjx-container", focus, 1)


def characters(css):
    r"""Collect the characters that each font must have.

    Parameters
    ----------
    css : str
        MathJax' style sheet, in which a character is itself or ``\`` with its code.

    Returns
    -------
    dict of str to set of str
        Characters by font family, such as ``TEX-I``.
    """
    found = {}
    for match in GLYPH.finditer(css):
        text = re.sub(r"\\([0-9A-Fa-f]+) ?", lambda code: chr(int(code[1], 16)), match["content"])
        font = FONT_CLASS.search(match["selector"])
        stretched = "mjx-stretchy" in match["selector"]
        for family in STRETCHY if stretched else [f"TEX{font[1] if font else ''}"]:
            found.setdefault(family, set()).update(text.replace("\\", "") or "\\")
    return found


def write_stylesheet(css, static):
    """Write the style sheet of all formulas, and the fonts reduced to the glyphs in use.

    Parameters
    ----------
    css : str
    static : pathlib.Path
        The book's folder ``_static``.

    Returns
    -------
    pathlib.Path
        Of the style sheet.
    """
    needed = characters(css)
    fonts = static / "mathjax" / "fonts"
    shutil.rmtree(static / "mathjax", ignore_errors=True)
    fonts.mkdir(parents=True)

    def face(match):
        family, file = match["family"], match["file"]
        source, target = FONTS / file, fonts / file
        if family == "ZERO":                # without ink: it keeps the page's line height out of formulas
            shutil.copy2(source, target)
            version = digest(source.read_bytes())
        elif family in needed:
            version = subset_font(source, {ord(character) for character in needed[family]}, target)
        else:
            return ""
        return f'@font-face{{font-family:MJX{family};src:url("mathjax/fonts/{file}?v={version}") format("woff")}}'

    css = FONT_FACE.sub(face, css + HOUSE_RULES)
    css = re.sub(r"\s*([{};,])\s*", r"\1", css).replace(": ", ":").replace(";}", "}")
    sheet = static / "formulas.css"
    sheet.write_text(css, encoding="utf-8")
    return sheet


def render(pages, outdir, config):
    """Put the markup of every formula into the pages (dict from path to text)."""
    if not nodejs.usable("Formulas are left as TeX source"):
        return
    mathematical = {path: page for path, page in pages.items() if ANY_FORMULA.search(page)}
    formulas = sorted({tex_source(match) for page in mathematical.values() for match in FORMULA.finditer(page)})
    try:
        answers, css = set_formulas(
            formulas, (config.mathjax3_config or {}).get("tex", {}), outdir.parent / "formulas"
        )
    except subprocess.CalledProcessError as error:
        logger.warning("MathJax failed: %s", error.stderr.strip(), type="dlbook", subtype="formula")
        return
    answer_to = dict(zip(formulas, answers, strict=True))
    sheet = write_stylesheet(css, outdir / "_static")
    for path, page in mathematical.items():
        filled = fill(page, answer_to, path.relative_to(outdir).with_suffix("").as_posix())
        pages[path] = add_stylesheet(filled, sheet, os.path.relpath(sheet, path.parent))


def fill(page, answer_to, name):
    """Replace the formulas of a page, and warn, with the page's name, of each that MathJax cannot set."""
    found = 0

    def replace(match):
        nonlocal found
        found += 1
        formula = tex_source(match)
        answer = answer_to[formula]
        if "error" in answer:
            logger.warning("formula: %s: %s", answer["error"], formula[0], location=name,
                           type="dlbook", subtype="formula")
            return match[0]
        number = match["number"] or ""
        formula = f"{match['open']}{number}{markup(answer, number)}</{match['tag']}>"
        around = match["before"] + match["after"]
        # A browser would break the line between a formula and its comma; one as wide as a phone must scroll instead.
        together = match["tag"] == "span" and around and answer["width"] < WIDEST_ON_A_PHONE - 1
        whole = match["before"] + formula + match["after"]
        return f'<span class="dl-together">{whole}</span>' if together else whole

    page = FORMULA.sub(replace, page)
    if found < len(ANY_FORMULA.findall(page)):
        logger.warning("a formula holds markup", location=name, type="dlbook", subtype="formula")
    return page


def write_all(app, env):
    """Write every page anew: the style sheet is made from the formulas of all of them."""
    return sorted(env.found_docs)


def without_script(app, config):
    """Let Sphinx write the TeX source, and no script that would set it."""
    config.html_math_renderer = "formulas"


def setup(app):
    """Register the hooks."""
    app.add_html_math_renderer("formulas", (html_visit_math, None), (html_visit_displaymath, None))
    app.connect("config-inited", without_script)
    app.connect("env-updated", write_all)
