"""Find Node.js: the machine's own, or the one that pip has put beside Python."""

import shutil
import sys
from pathlib import Path

from sphinx.util import logging

logger = logging.getLogger(__name__)

MODULES = Path(__file__).parents[1] / "node_modules"


def node():
    """Return the path of the ``node`` program, or None."""
    return shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))


def missing():
    """Say why no JavaScript can be built; empty if it can.

    Returns
    -------
    str
    """
    if not (MODULES / ".installed").exists():
        return "the packages of _ext/package.json are not installed (`make javascript` needs the npm registry)"
    return "" if node() else "Node.js was not found (`make javascript` gets it from pip)"


def usable(otherwise):
    """Tell whether JavaScript can be built; if not, log what becomes of the book, and why."""
    reason = missing()
    if reason:
        logger.info("%s: %s", otherwise, reason)
    return not reason
