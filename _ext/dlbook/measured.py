"""Where the measurements that the book prints are kept, and what they depend on."""

import hashlib
import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "_build" / "measured"


def fingerprint(*patterns):
    """Hash the files that match, so that a measurement can be known to be out of date.

    Parameters
    ----------
    *patterns : str
        Glob patterns relative to the repository.

    Returns
    -------
    str
    """
    digest = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def machine():
    """Describe this machine in one line.

    Returns
    -------
    str
    """
    from dlcourse.devices import hardware  # brings PyTorch, which few users of this module need

    here = hardware()
    return f"{here['cpu']}, {here['cores']} cores, Python {here['python']}"


def read(name):
    """Read a measurement, or return None where it has not been made.

    Parameters
    ----------
    name : str

    Returns
    -------
    dict or None
    """
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def write(name, data):
    """Write a measurement.

    Parameters
    ----------
    name : str
    data : dict
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.with_suffix(".tmp").write_text(json.dumps(data, indent=1))
    path.with_suffix(".tmp").replace(path)
