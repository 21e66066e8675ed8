"""Execute the chapters cold, measure them, and keep their outputs for the book.

Every notebook runs in a fresh kernel, with one thread for its matrix products, and as many of them at
a time as there are cores, up to two. What it took is printed in the book, and what it showed goes
into the cache from which the book is built, so a chapter is executed once per change.
"""

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

import nbformat
import psutil
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from traitlets.config import Config

from .measured import ROOT, fingerprint, machine, read, write

CACHE = ROOT / "_build" / ".jupyter_cache"
CELL_TIMEOUT = 300  # seconds
BUDGET = {"seconds": 45, "megabytes": 2000}
WORKERS = min(2, os.cpu_count() or 1)

# One thread each: the order of summation, and with it every last digit, is then the same on any
# number of cores, and two notebooks that run at once do not fight over them.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"


class PeakMemory(threading.Thread):
    """Watch the resident memory of a process and its children until told to stop."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.peak = 0
        self.stopped = threading.Event()

    def run(self):
        """Sample at the start, every 50 ms, and at the end."""
        ended = False
        while True:
            try:
                family = [self.process, *self.process.children(recursive=True)]
                self.peak = max(self.peak, sum(process.memory_info().rss for process in family))
            except psutil.NoSuchProcess:
                return
            if ended:
                return
            ended = self.stopped.wait(0.05)


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
    nbclient.exceptions.CellExecutionError, nbclient.exceptions.CellTimeoutError
        If a cell fails, or takes longer than five minutes.
    """
    notebook = nbformat.read(path, as_version=4)
    # Sockets in a private folder instead of open ports: nobody else on the machine can listen in.
    sockets = tempfile.TemporaryDirectory(prefix="dlbook-")
    settings = Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets.name}/kernel"}})
    # The cache knows a notebook by its cells and their metadata, so nbclient must not write times there.
    client = NotebookClient(
        notebook, config=settings, kernel_name="python3", timeout=CELL_TIMEOUT, record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    start = time.perf_counter()
    with sockets, client.setup_kernel():
        memory = PeakMemory(client.km.provisioner.pid)
        memory.start()
        try:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
        finally:
            memory.stopped.set()
            memory.join()
        seconds = time.perf_counter() - start
    return notebook, seconds, memory.peak / 2**20


def main(arguments=None):
    """Execute what has changed; with --force, everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="execute every chapter, changed or not")
    options = parser.parse_args(arguments)

    os.environ.setdefault("DLCOURSE_PROGRESS", "0")     # bars belong in a terminal, not in a page
    code = fingerprint("dlcourse/**/*.py", "dlcourse/**/*.npz", "constraints.txt")
    measured = read("times") or {}
    if options.force or measured.get("code") != code or not CACHE.exists():
        shutil.rmtree(CACHE, ignore_errors=True)       # outputs of other code are of no use
        measured = {}
    measured = {"code": code, "machine": machine(), "notebooks": measured.get("notebooks", {})}
    cache = get_cache(str(CACHE))

    paths = [*sorted((ROOT / "chapters").glob("*.ipynb")), *sorted((ROOT / "chapters").glob("play/*.ipynb"))]
    keys = {path: fingerprint(path.relative_to(ROOT).as_posix()) for path in paths}
    known = measured["notebooks"]
    kept = {path.name: known[path.name] for path in paths if known.get(path.name, {}).get("key") == keys[path]}
    failed = False
    with ProcessPoolExecutor(WORKERS) as pool:
        jobs = {pool.submit(execute, path): path for path in paths if path.name not in kept}
        for done, job in enumerate(as_completed(jobs), start=1):
            path = jobs[job]
            try:
                notebook, seconds, megabytes = job.result()
            except (CellExecutionError, CellTimeoutError) as error:
                print(f"{path.name} failed:\n{error}", file=sys.stderr)
                failed = True
                continue
            data = {"execution_seconds": seconds}
            bundle = CacheBundleIn(notebook, str(path), data=data)
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            cells = sum(cell.cell_type == "code" for cell in notebook.cells)
            kept[path.name] = {"key": keys[path], "seconds": seconds, "megabytes": megabytes, "cells": cells}
            write("times", {**measured, "notebooks": kept})      # at once: an interrupted run goes on from here
            line = f"[{done}/{len(jobs)}] {path.name}: {seconds:.1f} s, {megabytes:.0f} MB, {cells} code cells"
            print(line, flush=True)
    if failed:
        return 1
    write("times", {**measured, "notebooks": kept})
    for name, entry in sorted(kept.items()):
        if entry["seconds"] > BUDGET["seconds"] or entry["megabytes"] > BUDGET["megabytes"]:
            print(f"over budget ({BUDGET}): {name}, {entry['seconds']:.0f} s, {entry['megabytes']:.0f} MB")
    print(f"{len(paths)} chapters executed: {sum(entry['seconds'] for entry in kept.values()):.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
