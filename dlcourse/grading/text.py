"""Text that students wrote, made safe for where it goes: a terminal, a table, a file name."""

import hashlib
import re

__all__ = ["file_name", "harmless", "printable", "visible"]

DIGEST = re.compile(r".*[-…][0-9a-f]{8}", re.DOTALL)     # a name like this could be meant to be that of another


def visible(text, keep=""):
    """Replace letters that cannot be seen and could fool a terminal or a reader, such as control characters.

    Parameters
    ----------
    text, keep : str
        Letters of `keep` stay.

    Returns
    -------
    str
        That can be written in UTF-8.
    """
    return "".join(letter if letter.isprintable() or letter in keep else "�" for letter in text)


def printable(text):
    """Make a name safe to print and of bounded length; two names stay two names."""
    safe = visible(text[:120])
    return safe if safe == text and not DIGEST.fullmatch(text) else f"{safe[:100]}…{digest(text)}"


def harmless(text):
    """Keep a spreadsheet from taking text for a formula, and a row from being broken.

    Also behind what separates cells where the spreadsheet's language has another sign for it than a comma. Some read
    full-width signs as the usual ones.
    """
    return re.sub(r"(^|[;,|])( ?)(?=[=+\-@＝＋－＠])", r"\1\2'", " ".join(text.split()))


def file_name(student):
    """Make a safe file name of a student's; where letters had to go, or it looks so, a digest keeps it unique."""
    safe = re.sub(r"[^\w.-]", "_", student, flags=re.ASCII).lstrip(".")[:80] or "_"
    return safe if safe == student and not DIGEST.fullmatch(student) else f"{safe}-{digest(student)}"


def digest(text):
    """Return eight letters that stand for a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
