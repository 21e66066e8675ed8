"""Reading checks: a multiple-choice question with an explanation for every option.

The questions of a chapter stand in one file beside its notebook, ``quiz/NN_topic.toml``::

    [name]
    question = "..."

    [[name.options]]
    text = "..."
    right = true
    why = "..."

Nothing is computed here. A page holds the whole question, so that its script answers alone, and where
no script runs the answer is folded away below the options.
"""

import html
import tomllib
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from pathlib import Path

import anywidget
import traitlets

from ..notebook import marked
from ..validation import check_choice, describe
from .host import FOLDER, script

__all__ = ["Option", "Question", "ShownQuiz", "find", "load", "show_quiz"]

TITLE = "Check yourself"

# Formulas are set when the book is built, and a quiz is drawn later: it has plain characters and these.
MARKUP = ("code", "i", "sub", "sup")
LETTERS = "ABCDEFGH"


@dataclass(frozen=True)
class Option:
    """One of the answers to choose from.

    Parameters
    ----------
    text : str
        HTML, of the elements in `MARKUP` only.
    right : bool
    why : str
        What a reader learns who has chosen it. HTML, too.
    """

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question with its options.

    Parameters
    ----------
    chapter : str
        Name of the file without its ending, such as ``"02_perceptron"``.
    name : str
    question : str
        HTML, of the elements in `MARKUP` only.
    options : tuple of Option
        At least three; at least one of them right, and at least one not.
    """

    chapter: str
    name: str
    question: str
    options: tuple

    @property
    def several(self):
        """Whether more than one option is right, so that any number may be chosen."""
        return sum(option.right for option in self.options) > 1

    def about(self):
        """Return what the script of a page needs, of JSON types only.

        Returns
        -------
        dict
        """
        return {"name": "quiz", "title": TITLE, "key": f"{self.chapter}:{self.name}", "question": self.question,
                "several": self.several, "options": [asdict(option) for option in self.options]}

    def fold(self):
        """Return the question as HTML that needs no script: a list, and the answer in a fold.

        Returns
        -------
        str
        """
        hint = "Several may be right." if self.several else "One is right."
        options = "".join(f"<li><p>{option.text}</p></li>" for option in self.options)
        answers = "".join(
            f"<li><p><strong>{letter}: {'right' if option.right else 'not right'}.</strong> {option.why}</p></li>"
            for letter, option in zip(LETTERS, self.options, strict=False))
        return (f'<p><strong>{TITLE}.</strong> {self.question} <em>{hint}</em></p><ol type="A">{options}</ol>'
                f"<details><summary>Answer</summary><ul>{answers}</ul></details>")


class Clean(HTMLParser):
    """Write HTML anew, with the allowed elements and nothing else.

    Parameters
    ----------
    where : str
        What the text is, for messages.
    """

    def __init__(self, where):
        super().__init__(convert_charrefs=True)
        self.where, self.pieces, self.open = where, [], []

    def refuse(self, found):
        """Raise the error that says what may stand in a text."""
        allowed = ", ".join(f"<{tag}>" for tag in MARKUP)
        raise ValueError(f"{self.where}: expected text with {allowed} only (and &lt; for <), got {found}")

    def handle_starttag(self, tag, attributes):
        """Keep the start of an allowed element."""
        if tag not in MARKUP or attributes:
            self.refuse(self.get_starttag_text())
        self.open.append(tag)
        self.pieces.append(f"<{tag}>")

    def handle_startendtag(self, tag, attributes):
        """Refuse an empty element."""
        self.refuse(self.get_starttag_text())

    def handle_endtag(self, tag):
        """Keep the end of the element that was opened last."""
        if not self.open or self.open.pop() != tag:
            self.refuse(f"</{tag}> without its <{tag}>")
        self.pieces.append(f"</{tag}>")

    def handle_data(self, data):
        """Keep characters, escaped."""
        self.pieces.append(html.escape(data, quote=False))

    def handle_comment(self, data):
        """Refuse a comment."""
        self.refuse("a comment")

    handle_decl = handle_pi = unknown_decl = handle_comment

    def result(self):
        """Return the HTML; every element must have ended."""
        self.close()
        if self.open:
            self.refuse(f"<{self.open[-1]}> without its end")
        return "".join(self.pieces)


def clean(value, where, least=1):
    """Check a text and write it as HTML of the allowed elements.

    Parameters
    ----------
    value : object
    where : str
        File, question and field, for messages.
    least : int
        Fewest characters.

    Returns
    -------
    str

    Raises
    ------
    TypeError
        If it is not a text.
    ValueError
        If it is too short, or has other elements than those in `MARKUP`.
    """
    if not isinstance(value, str):
        raise TypeError(f"{where}: expected a text, got {describe(value)}")
    value = " ".join(value.split())
    if len(value) < least:
        raise ValueError(f"{where}: expected at least {least} characters, got {describe(value)}")
    parser = Clean(where)
    parser.feed(value)
    return parser.result()


def fields(table, names, where):
    """Check that a table of the file has exactly the given fields.

    Parameters
    ----------
    table : object
    names : tuple of str
    where : str
        File and question, for messages.

    Returns
    -------
    list
        The values, in the order of the names.

    Raises
    ------
    TypeError
        If it is not a table.
    ValueError
        If a field is missing or unknown.
    """
    if not isinstance(table, dict):
        raise TypeError(f"{where}: expected a table with {', '.join(names)}, got {describe(table)}")
    for name in names:
        if name not in table:
            raise ValueError(f"{where}.{name}: missing")
    for name in table:
        if name not in names:
            raise ValueError(f"{where}.{name}: expected no other field than {', '.join(names)}")
    return [table[name] for name in names]


def parse_option(table, where):
    """Build an option from its table in the file; raises what `fields` and `clean` raise."""
    text, right, why = fields(table, ("text", "right", "why"), where)
    if not isinstance(right, bool):
        raise TypeError(f"{where}.right: expected true or false, got {describe(right)}")
    return Option(clean(text, f"{where}.text"), right, clean(why, f"{where}.why", least=40))


def parse_question(chapter, name, table):
    """Build a question from its table in the file.

    Parameters
    ----------
    chapter, name : str
    table : object
        What TOML gives: a dict, if the file is right.

    Returns
    -------
    Question

    Raises
    ------
    TypeError, ValueError
        If a field is missing, unknown or of the wrong kind; the message names file, question and field.
    """
    where = f"{chapter}.toml, {name}"
    question, options = fields(table, ("question", "options"), where)
    question, where = clean(question, f"{where}.question", least=20), f"{where}.options"
    if not isinstance(options, list):
        raise TypeError(f"{where}: expected a list of tables, got {describe(options)}")
    if not 3 <= len(options) <= len(LETTERS):
        raise ValueError(f"{where}: expected 3 to {len(LETTERS)} of them, got {len(options)}")
    options = tuple(parse_option(option, f"{where}[{i}]") for i, option in enumerate(options))
    if len({option.text for option in options}) < len(options):
        raise ValueError(f"{where}: expected different texts, got the same twice")
    if len({option.right for option in options}) < 2:
        raise ValueError(f"{where}: expected at least one that is right and one that is not")
    return Question(chapter, name, question, options)


def load(chapter, folder="quiz"):
    """Read and check the questions of a chapter.

    Parameters
    ----------
    chapter : str
        Name of the file without its ending, such as ``"02_perceptron"``.
    folder : str or pathlib.Path
        Where the file lies. By default beside the notebook, which is where its kernel runs.

    Returns
    -------
    dict of str to Question

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError, ValueError
        If the file is not TOML, or a question in it is malformed.
    """
    path = Path(folder) / f"{chapter}.toml"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"chapter: expected the file {path}, which does not exist") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name}: not TOML: {error}") from None
    return {name: parse_question(chapter, name, table) for name, table in tables.items()}


def find(chapter, name, folder="quiz"):
    """Read a chapter's questions and return one of them.

    Parameters
    ----------
    chapter, name : str
    folder : str or pathlib.Path

    Returns
    -------
    Question

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        As `load` does, and if the file has no question of that name.
    """
    questions = load(chapter, folder)
    check_choice(name, "name", tuple(questions))
    return questions[name]


class QuizWidget(anywidget.AnyWidget):
    """A question in JupyterLab: the same script as in the page, and nothing for the kernel to do.

    Parameters
    ----------
    about : dict
        As `Question.about` returns it.
    """

    _css = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("kit.css", "quiz.css"))
    about = traitlets.Dict().tag(sync=True)

    def __init__(self, about):
        super().__init__(_esm=script("quiz"), about=about)


class ShownQuiz:
    """A question as the output of a cell: interactive in Jupyter, a place for it in the built book.

    Parameters
    ----------
    question : Question
    """

    def __init__(self, question):
        self.question = question

    def __repr__(self):
        """Name the question as plain text does."""
        return f"<quiz {self.question.chapter}:{self.question.name}>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        """Give the widget to Jupyter, and to the book the name under which it finds the question."""
        data = {"chapter": self.question.chapter, "name": self.question.name}
        bundle = {"text/plain": repr(self), "text/html": marked("quiz", data, self.question.fold())}
        view = QuizWidget(self.question.about())._repr_mimebundle_()
        view = view[0] if isinstance(view, tuple) else view
        return {**bundle, **{key: value for key, value in (view or {}).items() if "widget-view" in key}}


def show_quiz(chapter, name):
    """Display a question.

    Parameters
    ----------
    chapter : str
        Name of the file in the folder ``quiz`` beside the notebook, without its ending.
    name : str
        One of its questions.

    Returns
    -------
    ShownQuiz
        What a notebook displays as the question and the book as its place in the page.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError, ValueError
        If the file is malformed, or has no question of that name.
    """
    return ShownQuiz(find(chapter, name))
