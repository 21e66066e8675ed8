"""No submission gains a point it did not earn, and none harms the grader, the host or the next student."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from dlcourse.grading import sandbox
from dlcourse.grading.proxies import Session
from dlcourse.grading.sandbox import children

from .attacks import ATTACKS, PIPE
from .common import HONEST, PATIENT, POINTS_1, POINTS_2, TESTS, grade_cells, limits, processes_with, soon

ROOT = Path(__file__).parents[2]


MARK = f"test-{os.getpid()}"                     # another grader may be at work on this machine


@pytest.fixture(autouse=True)
def mark_processes(monkeypatch):
    """Give the processes of our sandboxes a mark by which to know them."""
    environment = sandbox.environment
    monkeypatch.setattr(sandbox, "START", f"{sandbox.START}  # {MARK}")
    monkeypatch.setattr(sandbox, "environment", lambda home: {"MARK": MARK, **environment(home)})


def processes_left():
    """List the processes that this one has started and not waited for, or that came from our sandboxes."""
    return [*children(os.getpid()), *processes_with(MARK)]


def peek(code, *names):
    """Run code in the sandbox and return some of its names."""
    with Session([code], limits()) as session:
        values = [session.get(name) for name in names]
        assert session.cell_errors == {}
    return values


def test_an_honest_submission_gets_all_points():
    result = grade_cells(HONEST)
    assert (result.status, result.score, result.cell_errors) == ("graded", TESTS.total, [])


def test_there_are_enough_attacks():
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 40


@pytest.fixture
def for_the_first_question(monkeypatch):
    """Hold only the first question to an attack's limit of a call: the answer to the second is an honest one."""
    seconds = Session.seconds

    def of_question(self, limit):
        return seconds(self, PATIENT["call_seconds"] if self.question == "q2" else limit)

    monkeypatch.setattr(Session, "seconds", of_question)


@pytest.mark.usefixtures("for_the_first_question")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(attack, tmp_path):
    canary = tmp_path / "canary"
    canary.write_text("unharmed")
    before = processes_left()
    result = grade_cells(attack.cells, **attack.limits)
    assert result.status == "graded", result.notes
    check_score(attack, result.score)
    told = [r["message"] for r in result.results] + [message for _, message in result.cell_errors]
    assert any(attack.says in message for message in told), told
    assert all(len(message) < 5_000 for message in told)
    assert re.sub(r"[\n\t]", "", "".join(told)).isprintable()      # fools no terminal, can be written to any file
    assert processes_left() == before
    assert canary.read_text() == "unharmed"
    assert grade_cells(HONEST).score == TESTS.total


def check_score(attack, score):
    if attack.earned is None:                     # whose answer is right until its own noise destroys it
        assert score <= POINTS_1 + POINTS_2
    else:
        assert score == attack.earned


def test_only_what_can_have_become_of_an_argument_is_kept():
    """A forged reply cannot fill the grader's memory with arrays that no call has changed."""
    for changed in ("np.zeros(7)", "np.zeros(3, 'f4')", "5", "[np.zeros(3)]", "TensorData(np.zeros(3))"):
        code = PIPE + f"""
import numpy as np
from dlcourse.checks import TensorData
def forge(x):
    os.write(pipe, wire.pack({{"value": 1, "changed": {{0: {changed}}}}}))
    return 2
"""
        with Session([code], limits()) as session:
            assert session.get("forge")(np.zeros(3)) == 1
            assert session.changed == {}


def test_no_network():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        code = f"""
import socket
errors = []
for address in (("127.0.0.1", {port}), ("192.0.2.1", 80), ("localhost", {port})):
    try:
        socket.create_connection(address, timeout=0.2)
        errors.append("")
    except OSError as error:
        errors.append(type(error).__name__)
abstract = socket.socket(socket.AF_UNIX)
"""
        errors, = peek(code, "errors")
        assert all(errors)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_nothing_of_the_host_is_in_sight(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "the-token")
    (tmp_path / "secret").write_text("the-secret")
    code = f"""
import glob, os
environment = list(os.environ)
seen = [path for path in ({str(ROOT / "tests")!r}, {str(ROOT / "exercises")!r}, {str(tmp_path)!r}, "/etc/shadow",
                          "/etc/passwd", "/root/.ssh", "/home", "/var", "/run", "/boot", "/sys")
        if os.path.exists(path)]
processes = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
first = b""
for path in glob.glob("/proc/1/*"):
    try:
        if os.path.basename(path) in ("environ", "cmdline", "maps"): first += open(path, "rb").read()
    except OSError: pass
leak = b"the-token" in first or b"SECRET" in first
os.symlink("/etc/shadow", "link")
try: shadow = open("link").read()
except OSError as error: shadow = type(error).__name__
writable = []
for folder, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if folder != "/" or f not in ("proc", "usr", "lib", "lib64", "bin", "root")]
    try: open(folder + "/new", "w").close()
    except OSError: continue
    writable.append(folder)
user = os.getuid()
"""
    names = ("environment", "seen", "processes", "leak", "shadow", "writable", "user")
    environment, seen, processes, leak, shadow, writable, user = peek(code, *names)
    assert "SECRET_TOKEN" not in environment
    assert (seen, leak, shadow) == ([], False, "FileNotFoundError")
    assert len(processes) == 2                    # the guard and the worker
    assert writable == ["/dev/shm"]               # to which /tmp/work is a link
    assert user not in (0, os.getuid())


def test_no_rights_can_be_had():
    code = """
import ctypes, os, resource, subprocess
library = ctypes.CDLL(None, use_errno=True)
def call(function, *arguments):
    return getattr(library, function)(*arguments)
results = {"user namespace": call("unshare", 0x10000000), "mount namespace": call("unshare", 0x20000),
           "anonymous file": call("memfd_create", b"x", 0), "trace": call("ptrace", 16, 1, 0, 0),
           "become root": call("setuid", 0), "segment": call("shmget", 0, 1 << 30, 0o1600),
           "host name": call("sethostname", b"x", 1), "change root": call("chroot", b"/tmp/work"),
           "mount": call("mount", b"none", b"/tmp/work", b"tmpfs", 0, None)}
try:
    resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6))
    results["limit"] = 0
except (ValueError, OSError):
    results["limit"] = -1
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/dev/mem", "/dev/sda", "/dev/vda", "/dev/x"):
    try:
        open(path, "w")
        results[path] = 0
    except OSError:
        results[path] = -1
shell = subprocess.run(["/bin/sh", "-c", "id -u; su root -c id; mount -t tmpfs x /mnt"], capture_output=True, text=True)
shell = shell.stdout.split()
"""
    results, shell = peek(code, "results", "shell")
    assert set(results.values()) == {-1}, results
    assert len(shell) == 1
    assert shell[0] != "0"


def test_two_submissions_share_nothing():
    left = "open('message', 'w').write('x')\nimport os\nfor path in ('/tmp', '/dev/shm', '/opt/course'):\n" \
           "    try: open(path + '/message', 'w').write('x')\n    except OSError: pass\nhere = os.listdir('.')"
    assert peek(left, "here") == [["message"]]
    found, = peek("import glob\nfound = glob.glob('**/message', root_dir='/tmp', recursive=True)", "found")
    assert found == []


def test_one_submission_cannot_use_up_the_processes_of_another():
    bomb = "import threading\nwait = threading.Event()\ntry:\n    while True:\n" \
           "        threading.Thread(target=wait.wait, daemon=True).start()\nexcept RuntimeError:\n    full = True"
    other = "import threading\nthread = threading.Thread(target=int)\nthread.start()\nthread.join()\nfine = True"
    with Session([bomb], limits()) as first, Session([other], limits()) as second:
        assert first.get("full") is True
        assert second.get("fine") is True


def test_memory_that_processes_share_counts_once(monkeypatch):
    code = """
import os, signal
import numpy as np
kept = np.ones(5 * 10**6)
def share():
    for _ in range(8):
        if os.fork() == 0: signal.pause()
    return kept[0]
"""
    looks, share_of = [], sandbox.share_of
    monkeypatch.setattr(sandbox, "share_of", lambda process: looks.append(process) or share_of(process))
    with Session([code], limits(memory=250 << 20)) as session:
        share = session.get("share")
        assert share() == 1
        # Added up, what each of them holds is over the limit: only then is it asked who shares it.
        assert soon(lambda: len(looks) > 50)
        assert session.sandbox.killed_for is None


def test_inputs_differ_between_runs_and_are_recorded():
    code = "seen = []\ndef relu_gradient(x):\n    seen.append(x)\n    raise ValueError(repr(np.asarray(x).ravel()[:1]))"
    grades = [grade_cells((HONEST[0], code), seed=seed) for seed in (1, 1, 2)]
    messages = [one.results[2]["message"] for one in grades]
    assert messages[0] == messages[1] != messages[2]
    assert grades[0].seed == grades[1].seed != grades[2].seed


def test_without_a_sandbox_grading_still_works():
    assert grade_cells(HONEST, protected=False).score == TESTS.total


if os.geteuid() == 0:                             # an ordinary user runs all the above as one

    def readable_interpreter():
        """Find this version of Python where an ordinary user may read it."""
        def readable(path):
            return all(folder.stat().st_mode & 0o005 == 0o005 for folder in path.parents)

        if not (readable(ROOT / "tests") and readable(Path(np.__file__))):
            return None                              # as in a checkout below /root
        own = Path(sys.executable).resolve()
        if readable(own):
            return str(own)
        return shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")

    def test_all_this_as_an_ordinary_user():
        python = readable_interpreter()
        if python is None:
            pytest.skip("no Python that an ordinary user may read")
        packages = Path(np.__file__).parents[1]
        tests = [str(path) for path in (Path(__file__), Path(__file__).with_name("test_guard.py"))]
        with tempfile.TemporaryDirectory() as place:              # unlike pytest's, not in a folder of root's own
            os.chown(place, 54321, 54321)
            done = subprocess.run(
                ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", python, "-m", "pytest", "-q",
                 "-p", "no:cacheprovider", "--basetemp", f"{place}/pytest", *tests],
                cwd=ROOT, capture_output=True, text=True, check=False, timeout=3600,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{packages}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1",
                     "HOME": place})
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr
        assert int(re.search(r"(\d+) passed", done.stdout)[1]) > len(ATTACKS)
        assert "skipped" not in done.stdout
