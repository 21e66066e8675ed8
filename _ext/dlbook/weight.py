"""Make the pages light: one copy of each glyph and icon in a page, small fonts, no script without use.

All of it happens after the pages are written. In JupyterLab each drawing stays complete on its own.
"""

import hashlib
import logging
import re
from functools import cache
from pathlib import Path

import pydata_sphinx_theme
from fontTools import subset
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
THEME_CSS = "styles/pydata-sphinx-theme.css"
WEBFONTS = "vendor/fontawesome/webfonts"


def subset_font(source, codes, target):
    """Write the part of a font that holds some characters, as WOFF.

    Parameters
    ----------
    source : pathlib.Path
    codes : collection of int
        Unicode code points; those that the font lacks are passed over.
    target : pathlib.Path

    Returns
    -------
    str
        Eight digits that change with the font, for its address: a reader's browser may keep an older one.
    """
    logging.getLogger("fontTools").setLevel(logging.ERROR)      # it would tell of every table
    options = subset.Options(flavor="woff", hinting=False, layout_features=[], notdef_outline=True)
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    target.parent.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(target), options)
    return digest(target.read_bytes())


def digest(content):
    """Return eight digits that change with the content (bytes)."""
    return hashlib.sha256(content).hexdigest()[:8]


def add_stylesheet(page, sheet, address):
    """Link a style sheet at the end of a page's head."""
    link = f'<link href="{address}?v={digest(sheet.read_bytes())}" rel="stylesheet" type="text/css"/>\n'
    return page.replace("</head>", link + "</head>", 1)


# --- Drawings -------------------------------------------------------------------------------------

DRAWING = re.compile(
    r'(?P<place><div\b[^>]*\bclass="dl-drawing"[^>]*>\s*)(?P<drawing><svg\b.*?</svg>)', re.DOTALL
)
DEFINITIONS = re.compile(r"<defs>(.*?)</defs>", re.DOTALL)
DEFINED_PATH = re.compile(r'<path\b(?P<before>[^>]*?) id="(?P<id>[^"]*)"(?P<after>[^>]*?)(?:/>|>\s*</path>)')


class Sprite:
    """The shapes that drawings and icons of one page refer to, each of them once."""

    def __init__(self):
        self.names = {}

    def name(self, attributes):
        """Return the id of the path with these attributes, kept from now on."""
        return self.names.setdefault(attributes, f"dl-shape-{len(self.names)}")

    def svg(self):
        """Return the invisible element that holds all shapes, empty if there are none."""
        if not self.names:
            return ""
        paths = "\n".join(f'<path id="{name}" {attributes}/>' for attributes, name in self.names.items())
        # Not display: none, which some browsers extend to what refers to the shapes.
        hidden = 'aria-hidden="true" height="0" width="0" style="position: absolute"'
        return f'<svg class="dl-sprite" {hidden}><defs>\n{paths}\n</defs></svg>\n'


def short_number(text):
    """Write a number without needless zeros: ``-0.50`` as ``-.5``."""
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = re.sub(r"^(-?)0\.", r"\1.", text)
    return "0" if text in ("-0", "-", "") else text


def short_path(data):
    """Write the ``d`` of a path without repeated commands, spaces and zeros; the shape is exactly the same.

    After ``M`` a further pair is the end of a line, after any other command the next use of it.
    """
    written, command = [], None
    for token in re.findall(r"[A-Za-z]|-?[\d.]+(?:e-?\d+)?", data):
        if token.isalpha():
            if token in "Mz" or token != command:
                written.append(token)
            command = "L" if token == "M" else token
        else:
            number = short_number(token)
            needs_space = written and not written[-1].isalpha() and not number.startswith("-")
            written.append(f" {number}" if needs_space else number)
    return "".join(written)


def unwrap_groups(drawing):
    """Remove the groups that have no attribute."""
    bare = []                             # of each open group, whether it is one

    def tag(match):
        if match[0] == "</g>":
            return "" if bare.pop() else match[0]
        bare.append(match[0] == "<g>")
        return "" if bare[-1] else match[0]

    return re.sub(r"<g\b[^>]*>|</g>", tag, re.sub(r"<g\b[^>]*/>", "", drawing))


def lighten_drawing(drawing, sprite):
    """Write a drawing of matplotlib in fewer characters, with its glyphs and markers in the page's sprite.

    Parameters
    ----------
    drawing : str
        An ``<svg>`` element of `dlcourse.plotting.svg`.
    sprite : Sprite

    Returns
    -------
    str
        An element that shows the same.
    """
    drawing = re.sub(r"<!--.*?-->", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r' (?:xmlns(?::xlink)?|version)="[^"]*"', "", drawing)
    drawing = re.sub(r'\bd="([^"]*)"', lambda match: f'd="{short_path(match[1])}"', drawing)
    # Ten-thousandths of a point are not seen. The book's style sheet defines all house colours.
    drawing = re.sub(r"(translate\([^)]*\))", lambda match: re.sub(r"(\.\d{3})\d+", r"\1", match[1]), drawing)
    drawing = re.sub(r"var\((--dl-\w+), #\w+\)", r"var(\1)", drawing)
    drawing = re.sub(r'style="[^"]*"', lambda match: re.sub(r"([:;]) ", r"\1", match[0]), drawing)

    moved = {}

    def move(match):
        attributes = " ".join(f"{match['before']} {match['after']}".split())
        moved[match["id"]] = sprite.name(attributes)
        return ""

    drawing = DEFINITIONS.sub(lambda match: DEFINED_PATH.sub(move, match[0]), drawing)
    drawing = re.sub(r"<defs>\s*</defs>", "", drawing)
    drawing = re.sub(r'(?:xlink:)?href="#([^"]*)"', lambda match: f'href="#{moved.get(match[1], match[1])}"', drawing)
    wanted = set(re.findall(r"url\(#([^)]*)\)", drawing))
    drawing = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in wanted else "", drawing)
    drawing = re.sub(r">\s*</(?:path|use|rect)>", "/>", unwrap_groups(drawing))
    return re.sub(r">\s+<", "><", drawing)


# --- Icons ----------------------------------------------------------------------------------------

ICON = re.compile(r"<(?P<tag>i|span)\b(?P<attributes>[^>]*\bfa[srb]?[ -][^>]*)>\s*</(?P=tag)>")
# The content is a hexadecimal code, as of fa-sun, or a character, as of fa-plus.
ICON_RULE = re.compile(
    r'(?P<names>(?:\.fa-[\w-]+:before,?)+)\{content:(?P<content>"(?:\\(?P<code>[0-9a-f]+) ?|\\?(?P<character>[^"]))")\}'
)
ICON_FONTS = {
    "fa-solid": "fa-solid-900", "fa-regular": "fa-regular-400", "fa-brands": "fa-brands-400",
    "fas": "fa-solid-900", "far": "fa-regular-400", "fab": "fa-brands-400",
}
FONT_FACE = re.compile(r"@font-face\{(?P<rules>[^}]*)src:url\([^)]*/(?P<name>fa-[\w-]+)\.woff2\)[^}]*\}")
# In a style sheet an icon is a character of the private use area, or its code.
PRIVATE_USE = re.compile(r"\\(?P<code>[ef][0-9a-f]{3})\b|(?P<character>[\ue000-\uf8ff])")

# The theme's icons measure 512 units to the em and stand 64 of them below the line.
ICON_RULES = """
.dl-icon{display:inline-block;height:1em;overflow:visible;vertical-align:-.125em;fill:currentColor}
.dl-icon.fa-lg{vertical-align:-.2em}
"""


@cache
def icon_codes():
    """Return the code point of each icon name of the theme, such as ``fa-sun``."""
    css = (THEME / THEME_CSS).read_text(encoding="utf-8")
    return {
        name: int(rule["code"], 16) if rule["code"] else ord(rule["character"])
        for rule in ICON_RULE.finditer(css)
        for name in re.findall(r"\.(fa-[\w-]+)", rule["names"])
    }


@cache
def icon_shape(font, code):
    """Return the outline of an icon as the ``d`` of a path, and its width; the em is 512 high."""
    with TTFont(THEME / WEBFONTS / f"{font}.ttf") as opened:
        glyphs = opened.getGlyphSet()
        name = opened.getBestCmap()[code]
        pen = SVGPathPen(glyphs)
        # A font's y axis points up, that of a drawing down; the top of the em is at 448.
        glyphs[name].draw(TransformPen(pen, (1, 0, 0, -1, 0, 448)))
        return pen.getCommands(), glyphs[name].width


def lighten_icon(match, sprite):
    """Draw an icon that the theme would take from a font, or replace by a script of 1.5 MB."""
    attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', match["attributes"]))
    classes = attributes.pop("class", "").split()
    name = next((name for name in classes if name in icon_codes()), None)
    font = next((ICON_FONTS[name] for name in classes if name in ICON_FONTS), None)
    if name is None or font is None:
        return match[0]
    shape, width = icon_shape(font, icon_codes()[name])
    title = attributes.pop("title", "")
    # The theme has rules for svg elements with these classes, but not with the one that names the font.
    classes = ["dl-icon", *(name for name in classes if name not in ICON_FONTS)]
    kept = "".join(f' {key}="{value}"' for key, value in attributes.items() if key != "aria-hidden")
    speaks = ' role="img"' if title else ' aria-hidden="true"'
    label = f"<title>{title}</title>" if title else ""
    outline = sprite.name(f'd="{shape}"')
    return (
        f'<svg class="{" ".join(classes)}"{kept}{speaks} viewBox="0 0 {width} 512">'
        f'{label}<use href="#{outline}"/></svg>'
    )


def lighten_theme(static):
    """Reduce the theme's style sheet and icon fonts to the icons in use.

    Pages draw their icons themselves. What remains are those that style sheets name by code, and
    those that scripts name: the theme makes a button with a cross, for instance.

    Parameters
    ----------
    static : pathlib.Path
        The book's folder ``_static``.
    """
    for path in [*static.glob("scripts/fontawesome.js*"), *static.glob(f"{WEBFONTS}/*")]:
        path.unlink()
    scripts = "".join(path.read_text(encoding="utf-8") for path in static.rglob("*.js"))
    named = set(re.findall(r"\bfa-[a-z0-9-]+", scripts)) & icon_codes().keys()

    def rule(match):
        kept = [name for name in re.findall(r"\.(fa-[\w-]+)", match["names"]) if name in named]
        return "".join(f".{name}:before{{content:{match['content']}}}" for name in kept)

    css = ICON_RULE.sub(rule, (THEME / THEME_CSS).read_text(encoding="utf-8"))
    others = [path.read_text(encoding="utf-8") for path in static.rglob("*.css") if path != static / THEME_CSS]
    found = [match for text in (css, *others) for match in PRIVATE_USE.finditer(text)]
    codes = {int(match["code"], 16) if match["code"] else ord(match["character"]) for match in found}

    def face(match):
        file = f"{WEBFONTS}/{match['name']}.woff"
        version = subset_font(THEME / WEBFONTS / f"{match['name']}.ttf", codes, static / file)
        return f'@font-face{{{match["rules"]}src:url(../{file}?v={version}) format("woff")}}'

    (static / THEME_CSS).write_text(FONT_FACE.sub(face, css) + ICON_RULES, encoding="utf-8")


# --- Scripts and style sheets ---------------------------------------------------------------------

# What a page loads, and what it must hold to need it. None: no page needs it.
ASSETS = {
    ("fontawesome.js",): None,
    # The theme loads the index of the whole book, for a search while typing that is switched off.
    ("searchtools.js", "language_data.js", "searchindex.js"): r'id="search-results"|search_as_you_type = true',
    ("sphinx-design.min.css", "design-tabs.js"): r'class="(?:[^"]* )?sd-',
    ("togglebutton.css", "togglebutton.js"): r'class="(?:[^"]* )?(?:toggle|admonition(?: [^"]*)? dropdown)[ "]',
    ("copybutton.css", "copybutton.js", "clipboard.min.js"): r'class="highlight[ "]',
    ("sphinx-codeautolink.css",): r"sphinx-codeautolink-a",
}
TOGGLE_SETTINGS = re.compile(r"<script>(?:let toggle\w+|var togglebuttonSelector) = [^<]*</script>\n?")


def asset(name):
    """Return the pattern of the element that loads a file."""
    file = rf'(?:[^"]*/)?{re.escape(name)}(?:\?[^"]*)?'
    return re.compile(rf'<script\b[^>]*\bsrc="{file}"[^>]*>\s*</script>\n?|<link\b[^>]*\bhref="{file}"[^>]*>\n?')


def drop_unused(page):
    """Remove the scripts and style sheets that have nothing to do on this page."""
    for names, need in ASSETS.items():
        if need is None or not re.search(need, page):
            for name in names:
                page = asset(name).sub("", page)
    return page if asset("togglebutton.js").search(page) else TOGGLE_SETTINGS.sub("", page)


# The style sheet hides the theme's bar at the top. Its buttons must go, not only because nobody sees them:
# the theme's scripts find them first, and those that are seen would do nothing.
TOP_BAR = re.compile(r'(<header\b[^>]*\bid="pst-header"[^>]*>).*?(?=</header>)', re.DOTALL)


# --- All together ---------------------------------------------------------------------------------


def lighten_page(page, theme):
    """Return the page as it is served.

    Parameters
    ----------
    page : str
    theme : str
        The version of the theme's style sheet, for its address.
    """
    sprite = Sprite()
    page = TOP_BAR.sub(r"\1", page)
    page = DRAWING.sub(lambda match: match["place"] + lighten_drawing(match["drawing"], sprite), page)
    page = ICON.sub(lambda match: lighten_icon(match, sprite), page)
    page = re.sub(r"(<body\b[^>]*>\s*)", lambda match: match[1] + sprite.svg(), page, count=1)
    page = re.sub(r"(pydata-sphinx-theme\.css\?)[^\"]*", rf"\1v={theme}", page)
    return drop_unused(page)


def lighten(pages, outdir):
    """Lighten all pages (dict from path to text), and what they load from the book's folder."""
    lighten_theme(outdir / "_static")
    theme = digest((outdir / "_static" / THEME_CSS).read_bytes())
    for path, page in pages.items():
        # A listing of source that did not change is not written anew, and is light already.
        if "</head>" in page and 'class="dl-sprite"' not in page:
            pages[path] = lighten_page(page, theme)
