"""Execute the chapters and exercises cold, measure them, and keep their outputs for the book.

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
NOTEBOOKS = ("chapters/*.ipynb", "chapters/play/*.ipynb", "exercises/*/student/*.ipynb")
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
        With outputs, but for what only an unsolved exercise shows.
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
    for cell in notebook.cells:
        unsolved(cell)
    return notebook, seconds, memory.peak / 2**20


def unsolved(cell):
    """Leave out what checks say of an unsolved exercise, and the warnings of an answer that is still wrong."""
    if {"live-check", "lab-check"} & set(cell.metadata.get("tags", [])):
        cell.outputs = []
    elif "answer" in cell.metadata.get("dlcourse", {}):
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]


def name_of(path):
    """Name a notebook: an exercise by its folder, since its file is called as its chapter's is."""
    folders = path.relative_to(ROOT).parts
    return "/".join(folders[:2]) if folders[0] == "exercises" else path.name


def divided(kept):
    """Divide what was measured: the book prints what chapters take; exercises are not solved yet."""
    exercises = {name: entry for name, entry in kept.items() if name.startswith("exercises/")}
    return {"notebooks": {name: kept[name] for name in kept if name not in exercises}, "exercises": exercises}


def main(arguments=None):
    """Execute what has changed; with --force, everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="execute every notebook, changed or not")
    options = parser.parse_args(arguments)

    os.environ.setdefault("DLCOURSE_PROGRESS", "0")     # bars belong in a terminal, not in a page
    code = fingerprint("dlcourse/**/*.py", "dlcourse/**/*.npz", "constraints.txt")
    measured = read("times") or {}
    if options.force or measured.get("code") != code or not CACHE.exists():
        shutil.rmtree(CACHE, ignore_errors=True)       # outputs of other code are of no use
        measured = {}
    known = {**measured.get("notebooks", {}), **measured.get("exercises", {})}
    measured = {"code": code, "machine": machine()}
    cache = get_cache(str(CACHE))

    paths = {name_of(path): path for pattern in NOTEBOOKS for path in sorted(ROOT.glob(pattern))}
    # Beside an exercise lie its checks.
    keys = {name: fingerprint(*(f"{path.parent.relative_to(ROOT)}/{beside}" for beside in (path.name, "tests/*.py")))
            for name, path in paths.items()}
    kept = {name: known[name] for name in paths if known.get(name, {}).get("key") == keys[name]}
    failed = False
    with ProcessPoolExecutor(WORKERS) as pool:
        jobs = {pool.submit(execute, path): name for name, path in paths.items() if name not in kept}
        for done, job in enumerate(as_completed(jobs), start=1):
            name = jobs[job]
            try:
                notebook, seconds, megabytes = job.result()
            except (CellExecutionError, CellTimeoutError) as error:
                print(f"{name} failed:\n{error}", file=sys.stderr)
                failed = True
                continue
            data = {"execution_seconds": seconds}
            bundle = CacheBundleIn(notebook, str(paths[name]), data=data)
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            cells = sum(cell.cell_type == "code" for cell in notebook.cells)
            kept[name] = {"key": keys[name], "seconds": seconds, "megabytes": megabytes, "cells": cells}
            write("times", {**measured, **divided(kept)})      # at once: an interrupted run goes on from here
            line = f"[{done}/{len(jobs)}] {name}: {seconds:.1f} s, {megabytes:.0f} MB, {cells} code cells"
            print(line, flush=True)
    if failed:
        return 1
    write("times", {**measured, **divided(kept)})
    for name, entry in sorted(kept.items()):
        if entry["seconds"] > BUDGET["seconds"] or entry["megabytes"] > BUDGET["megabytes"]:
            print(f"over budget ({BUDGET}): {name}, {entry['seconds']:.0f} s, {entry['megabytes']:.0f} MB")
    print(f"{len(paths)} notebooks executed: {sum(entry['seconds'] for entry in kept.values()):.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
