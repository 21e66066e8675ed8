"""Kill a grader again and again, and wait until nothing of it is left: python -m tests.grading.kill IN OUT TIMES.

Processes that lose their parent become children of this one, so none can be overlooked.
"""

import ctypes
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from dlcourse.grading.sandbox import children

from .common import FOLDER, soon

PR_SET_CHILD_SUBREAPER = 36


def nothing_left():
    """Take leave of children that have ended; tell whether there are no others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def kill_one(submissions, out, moment):
    """Kill a grader so many seconds after it has begun to start sandboxes."""
    command = [sys.executable, "-m", "dlcourse", "grade", submissions, "--exercise", str(FOLDER), "--jobs", "2",
               "--out", out]
    grader = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert soon(lambda: children(grader.pid) or grader.poll() is not None)
    time.sleep(moment)
    assert grader.poll() is None, "the grader was done before it was killed"
    grader.kill()
    grader.wait()
    assert soon(nothing_left), [Path(f"/proc/{one}/cmdline").read_bytes() for one in children(os.getpid())]


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    moments = random.Random(0)
    for number in range(int(sys.argv[3])):
        kill_one(sys.argv[1], f"{sys.argv[2]}/{number}", moments.random() * 0.5)
    print("nothing left")
