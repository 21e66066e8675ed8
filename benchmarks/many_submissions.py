"""Time `dlcourse grade` on many submissions, and watch the memory of the process that holds the expected values.

    python benchmarks/many_submissions.py            500 notebooks with NumPy alone, then 100 with PyTorch

The notebooks are solutions of the second exercise. Those with NumPy alone leave out its third question,
and so do their tests.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grader  # beside this file

EXERCISE = grader.EXERCISE


def resident(process):
    """Return the memory that a process holds, in MB (Linux)."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def measure(notebook, count, tests, place):
    """Grade copies of a notebook; return the seconds, the memory over time, and the points."""
    for number in range(count):
        grader.write(notebook, place / "submissions" / f"student-{number:03}.ipynb")
    command = [sys.executable, "-m", "dlcourse", "grade", str(place / "submissions"), "--exercise", EXERCISE,
               "--tests", str(tests), "--out", str(place / "out"), "--jobs", str(os.cpu_count())]
    started, memory = time.perf_counter(), []
    with open(place / "log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        while process.poll() is None:
            memory.append(resident(process))
            time.sleep(0.2)  # between two looks at the memory
    seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit((place / "log").read_text())
    with open(place / "out" / "grades.csv", newline="") as file:
        scores = {row["score"] for row in csv.DictReader(file)}
    return seconds, [size for size in memory if size], scores


def main():
    """Run the command line: measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numpy", type=int, default=500, metavar="N")
    parser.add_argument("--torch", type=int, default=100, metavar="N")
    options = parser.parse_args()
    full = grader.build.build(grader.build.EXERCISES / EXERCISE, instructor=True)
    solved = grader.nbformat.reads(full[f"{EXERCISE}.ipynb"], as_version=4)
    plain = grader.with_answers(solved, {})
    plain.cells = [cell for cell in plain.cells if cell.source != "import torch"
                   and cell.metadata.get("dlcourse", {}).get("answer") != "q3"]
    with tempfile.TemporaryDirectory() as place:
        for what, notebook, count in [("NumPy", plain, options.numpy), ("PyTorch", solved, options.torch)]:
            tests = Path(place) / what / "tests"
            tests.mkdir(parents=True)
            for path, text in full.items():
                if path.startswith("tests/") and (what == "PyTorch" or path != "tests/q3.py"):
                    (tests / Path(path).name).write_text(text)
            seconds, memory, scores = measure(notebook, count, tests, Path(place) / what)
            early = memory[len(memory) // 5]
            print(f"{what}: {count} submissions in {seconds:.1f} s, {os.cpu_count()} jobs, points {sorted(scores)}; "
                  f"memory {early:.0f} MB after a fifth of the time, {memory[-1]:.0f} MB at the end, "
                  f"{max(memory):.0f} MB at most")


if __name__ == "__main__":
    main()
