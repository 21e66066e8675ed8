"""A grader that is killed takes its sandboxes with it, at whatever moment."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlcourse.grading import sandbox
from dlcourse.grading.proxies import Session
from dlcourse.grading.sandbox import Sandbox, SandboxError, WorkerLost

from .common import GOOD_1, limits, notebook, processes_with, soon, write_notebook

ROOT = Path(__file__).parents[2]

# Does what it can to outlive the grader: ignores signals, leaves its group, holds every pipe open at both ends.
CLINGING = """
import os, signal
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
held = []
for process in ("self", "1"):
    for fd in range(20):
        for way in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
            try: held.append(os.open(f"/proc/{process}/fd/{fd}", way | os.O_NONBLOCK))
            except OSError: pass
if os.fork() == 0:
    try: os.setsid()
    except OSError: pass
while True: pass
"""


def test_a_grader_killed_at_any_moment_leaves_no_process(tmp_path):
    folder = tmp_path / "in"
    for number in range(60):
        write_notebook(folder / f"student{number:02}.ipynb", notebook(CLINGING if number % 2 else GOOD_1))
    done = subprocess.run([sys.executable, "-m", "tests.grading.kill", str(folder), str(tmp_path), "20"], cwd=ROOT,
                          env={**os.environ, "DLCOURSE_PROGRESS": "0"}, capture_output=True, text=True, timeout=3600)
    assert done.stdout == "nothing left\n", done.stderr


@pytest.mark.parametrize("protected", [True, False])
@pytest.mark.parametrize("seconds", [0, 0.005, 0.02, 0.05, 0.1])
def test_a_sandbox_whose_grader_dies_while_it_starts_ends_by_itself(monkeypatch, protected, seconds):
    mark = f"orphan-of-{os.getpid()}"
    monkeypatch.setattr(sandbox, "START", f"{sandbox.START}  # {mark}")

    def die(self, *arguments):                    # the kernel closes what a killed grader had open
        time.sleep(seconds)
        for pipe in (self.lifeline, self.process.stdin, self.process.stdout):
            pipe.close()
        self.process.wait(200)
        raise WorkerLost("the grader is dead")

    monkeypatch.setattr(Sandbox, "receive", die)
    with pytest.raises(SandboxError):
        Sandbox(limits(), protected)
    assert soon(lambda: not processes_with(mark)), processes_with(mark)


@pytest.mark.parametrize("protected", [True, False])
def test_the_end_of_the_lifeline_ends_code_that_reads_nothing(monkeypatch, protected):
    mark = f"clinging-to-{os.getpid()}"
    monkeypatch.setattr(sandbox, "START", f"{sandbox.START}  # {mark}")
    # Without a sandbox there is the process group, and who leaves it is lost: here nobody does.
    code = CLINGING if protected else CLINGING.replace("os.setsid()", "pass")
    with Session([], limits(), protected) as session:
        box = session.sandbox
        request = {"do": "cell", "number": 1, "source": code, "seconds": 1000}
        box.write(sandbox.wire.pack(request), time.monotonic() + 200, 200)
        guard = sandbox.children(box.process.pid)[0] if protected else box.process.pid
        worker, = sandbox.children(guard)
        assert soon(lambda: sandbox.children(worker))             # now it clings
        box.lifeline.close()
        box.process.wait(200)
    assert soon(lambda: not processes_with(mark)), processes_with(mark)


def test_a_student_cannot_reach_the_guard():
    code = """
import os
reached = []
for path in ["mem", "environ", "maps", "cwd", *[f"fd/{n}" for n in range(20)], "task/1/mem"]:
    for way in (os.O_RDONLY, os.O_RDWR):
        try: reached.append((path, way, os.open(f"/proc/1/{path}", way | os.O_NONBLOCK)))
        except OSError: pass
for number in range(1, 65):
    try: os.kill(1, number)
    except OSError: pass
import resource
idle = os.sched_param(0)
for change in (lambda: os.sched_setaffinity(1, {0}), lambda: os.sched_setscheduler(1, os.SCHED_IDLE, idle),
               lambda: os.sched_setparam(1, idle), lambda: os.setpriority(os.PRIO_PROCESS, 1, 19),
               lambda: resource.prlimit(1, resource.RLIMIT_CPU, (0, 0)), os.setsid):
    try: change()
    except PermissionError: pass
    else: reached.append(change.__code__.co_firstlineno if hasattr(change, "__code__") else "setsid")
resource.setrlimit(resource.RLIMIT_CPU, (50, 50))
alive = True
"""
    with Session([code], limits()) as session:
        assert session.get("reached") == []
        assert session.get("alive") is True


def test_a_guard_that_does_nothing_cannot_save_its_sandbox(monkeypatch):
    """What is left is ended from outside."""
    monkeypatch.setattr(sandbox, "CLOSE_SECONDS", 2)
    kept = []
    # As if the lifeline were cut and nobody saw it.
    monkeypatch.setattr(Sandbox, "kill", lambda self: kept.append(self))
    mark = f"starved-{os.getpid()}"
    monkeypatch.setattr(sandbox, "START", f"{sandbox.START}  # {mark}")
    with Session([CLINGING], limits(cell_seconds=2, restarts=0)):
        assert len(kept) == 1
    assert soon(lambda: not processes_with(mark)), processes_with(mark)
