"""Execute the chapters cold, measure them, and keep their outputs for the book.

Every notebook runs in a fresh kernel. What it took is printed in the book, and what it showed goes
into the cache from which the book is built, so a chapter is executed once per change.
"""

import argparse
import shutil
import sys
import threading
import time

import nbformat
import psutil
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from .measured import ROOT, fingerprint, machine, read, write

CACHE = ROOT / "_build" / ".jupyter_cache"
CELL_TIMEOUT = 300  # seconds


class PeakMemory(threading.Thread):
    """Watch the resident memory of a process and its children until told to stop."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.peak = 0
        self.stopped = threading.Event()

    def run(self):
        """Sample every 50 ms."""
        while not self.stopped.wait(0.05):
            try:
                family = [self.process, *self.process.children(recursive=True)]
                self.peak = max(self.peak, sum(process.memory_info().rss for process in family))
            except psutil.NoSuchProcess:
                return


def execute(path):
    """Execute one notebook in a fresh kernel.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    notebook : nbformat.NotebookNode
        With outputs.
    seconds : float
        From before the kernel starts until the last cell has ended.
    megabytes : float
        Peak resident memory of the kernel.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    # Sockets in a private folder instead of open ports: nobody else on the machine can listen in.
    manager = AsyncKernelManager(kernel_name="python3", transport="ipc")
    client = NotebookClient(
        notebook, km=manager, timeout=CELL_TIMEOUT, resources={"metadata": {"path": str(path.parent)}}
    )
    start = time.perf_counter()
    with client.setup_kernel():
        memory = PeakMemory(client.km.provisioner.pid)
        memory.start()
        try:
            for index, cell in enumerate(tqdm(notebook.cells, desc=path.stem, unit="cell", leave=False)):
                client.execute_cell(cell, index)
        finally:
            memory.stopped.set()
        seconds = time.perf_counter() - start
    return notebook, seconds, memory.peak / 2**20


def main(arguments=None):
    """Execute what has changed; with --force, everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="execute every chapter, changed or not")
    options = parser.parse_args(arguments)

    code = fingerprint("dlcourse/**/*.py", "dlcourse/**/*.npz", "constraints.txt")
    measured = read("times") or {}
    if options.force or measured.get("code") != code:
        shutil.rmtree(CACHE, ignore_errors=True)       # outputs of other code are of no use
        measured = {}
    measured = {"code": code, "machine": machine(), "notebooks": measured.get("notebooks", {})}
    cache = get_cache(str(CACHE))

    paths = sorted((ROOT / "chapters").glob("*.ipynb"))
    kept = {}
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        key = fingerprint(name)
        known = measured["notebooks"].get(name)
        if known and known["key"] == key:
            kept[name] = known
            continue
        try:
            notebook, seconds, megabytes = execute(path)
        except CellExecutionError as error:
            print(f"{name} failed:\n{error}", file=sys.stderr)
            return 1
        cache.cache_notebook_bundle(
            CacheBundleIn(notebook, str(path), data={"execution_seconds": seconds}), check_validity=False, overwrite=True
        )
        cells = sum(cell.cell_type == "code" for cell in notebook.cells)
        kept[name] = {"key": key, "seconds": seconds, "megabytes": megabytes, "cells": cells}
        print(f"{name}: {seconds:.1f} s, {megabytes:.0f} MB, {cells} code cells")
        write("times", {**measured, "notebooks": {**measured["notebooks"], **kept}})
    write("times", {**measured, "notebooks": kept})
    print(f"{len(paths)} chapters executed: {sum(entry['seconds'] for entry in kept.values()):.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
