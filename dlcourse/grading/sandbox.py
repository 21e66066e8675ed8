"""A process that a student's code cannot get out of, and the pipe to it.

Bubblewrap gives it namespaces of its own: no network, no other process in sight, no file but the
interpreter and the packages, all read-only, and one small folder in memory. `worker` then lowers
its own rights and limits before any student's code is read. Where bubblewrap is missing or does
not start, that is the grader's trouble and is said so; no code runs unprotected instead.
"""

import contextlib
import functools
import importlib.util
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from . import wire
from .seccomp import filter_program

__all__ = ["INSTALL", "Limits", "Sandbox", "SandboxError", "WorkerLost"]

INSTALL = (
    "The grader runs students' code in bubblewrap (0.7 or later, Linux). Install it:\n"
    "  sudo apt install bubblewrap      (Debian, Ubuntu)\n"
    "  sudo dnf install bubblewrap      (Fedora)\n"
    "On Ubuntu 24.04 and later an ordinary user also needs: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
)
NOBODY = 65534
USER_NUMBERS = range(60_600, 61_184)              # given to no user on Linux: root lends every sandbox one of its own
PACKAGE = Path(__file__).resolve().parents[1]
PACKAGES = ("numpy", "torch", "matplotlib", "IPython")      # whose folders a student's code may read
START = "import sys; sys.path[:0] = {paths!r}; from dlcourse.grading.worker import main; main({settings!r})"
LOOK_EVERY = 0.05                                           # seconds between two looks at memory


class SandboxError(RuntimeError):
    """The sandbox did not start: not the student's fault."""


class WorkerLost(Exception):
    """The process with the student's code has ended or was ended. The message says why, to the student."""


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Parameters
    ----------
    cell_seconds, call_seconds, total_seconds : float
        Of one cell, one call by a test, the whole submission.
    start_seconds : float
        Until the sandbox answers; after that it counts as failed to start.
    memory : int
        Bytes that all processes of a submission may hold together.
    address_space : int
        Bytes of addresses of one process: what makes a single huge array a MemoryError.
    processes : int
        Processes and threads.
    open_files : int
    file_size, scratch_size : int
        Bytes of one file and of all files in the sandbox's folder.
    scratch_files : int
    restarts : int
        How often the code is started anew after it ended its process.
    """

    cell_seconds: float = 20
    call_seconds: float = 10
    total_seconds: float = 90
    start_seconds: float = 60
    memory: int = 2 << 30
    address_space: int = 6 << 30
    processes: int = 64
    open_files: int = 128
    file_size: int = 16 << 20
    scratch_size: int = 64 << 20
    scratch_files: int = 5_000
    restarts: int = 8

    def of_process(self):
        """Return the limits that the worker sets on itself, by their names in `resource`."""
        return {"AS": self.address_space, "NPROC": self.processes, "NOFILE": self.open_files, "CORE": 0,
                "FSIZE": self.file_size, "CPU": int(self.total_seconds) + 1}


@functools.cache
def package_folders():
    """List the folders from which the installed packages are imported, without importing any."""
    found = (importlib.util.find_spec(name) for name in PACKAGES)
    return list(dict.fromkeys(str(Path(spec.origin).parents[1]) for spec in found if spec and spec.origin))


def visible_folders():
    """List the folders of this machine that a student's code may read."""
    folders = [Path("/usr"), PACKAGE, *map(Path, (interpreter()[1], *package_folders()))]
    return list(dict.fromkeys(folders))


def interpreter():
    """Return the interpreter's own file and the folder it is installed in, behind any virtual environment."""
    return os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix)


def environment(home):
    """Return the variables that the student's code sees: nothing of the instructor's."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {"HOME": home, "TMPDIR": home, "USER": "student", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin",
            "MPLBACKEND": "Agg", "DLCOURSE_PROGRESS": "0", **threads}


def bubblewrap(limits, user, info, seccomp):
    """Build the command line of the sandbox.

    Parameters
    ----------
    limits : Limits
    user : int or None
        Number of the user that the worker becomes; None where the grader is an ordinary user itself.
    info, seccomp : int
        File descriptors: bubblewrap reports the process to the one, reads the filter from the other (None: no filter).

    Returns
    -------
    list of str

    Raises
    ------
    SandboxError
        If bubblewrap is not installed.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError(f"bubblewrap (bwrap) is not installed.\n{INSTALL}")
    command = [program, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
               "--die-with-parent", "--new-session", "--hostname", "sandbox", "--info-fd", str(info), "--clearenv"]
    if user is not None:
        # Root needs no user namespace: the worker becomes another user, whom the kernel limits, as it never does root.
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        command += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY), "--cap-drop", "ALL"]
    if seccomp is not None:
        command += ["--seccomp", str(seccomp)]
    for name, value in environment("/tmp/work").items():
        command += ["--setenv", name, value]
    command += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib64"):
        if os.path.islink(f"/{name}"):
            command += ["--symlink", f"usr/{name}", f"/{name}"]
        else:
            command += ["--ro-bind-try", f"/{name}", f"/{name}"]
    shown = [folder for folder in visible_folders() if not folder.is_relative_to("/usr") and folder != PACKAGE]
    course = Path("/opt/course/dlcourse")
    # Bubblewrap would make the folders on the way for root alone.
    parents = {Path("/etc"), *(parent for folder in (*shown, course, Path("/tmp/work")) for parent in folder.parents)}
    for parent in sorted(parents - {Path("/")}):
        command += ["--perms", "0755", "--dir", str(parent)]
    command += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache",
                "--ro-bind-try", "/etc/alternatives", "/etc/alternatives"]
    for folder in shown:
        command += ["--ro-bind", str(folder), str(folder)]
    # The package alone, never the folder around it: there the masters with their hidden tests may lie.
    command += ["--ro-bind", str(PACKAGE), str(course)]
    command += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev",
                "--perms", "0777", "--size", str(limits.scratch_size), "--tmpfs", "/tmp/work",
                "--remount-ro", "/", "--chdir", "/tmp/work"]
    return [*command, interpreter()[0], "-I", "-S", "-B", "-c", start_code(limits, user, str(course.parent))]


def unprotected(limits):
    """Build the command line of a worker without a sandbox."""
    return [interpreter()[0], "-I", "-S", "-B", "-c", start_code(limits, None, str(PACKAGE.parent), skip="NPROC")]


def start_code(limits, user, course, skip=None):
    """Write the line of Python that starts the worker.

    Without a sandbox the limit `skip` is left out, which would count all processes of the grader's user.
    """
    chosen = {name: limit for name, limit in limits.of_process().items() if name != skip}
    settings = json.dumps({"limits": chosen, "user": user})
    return START.format(paths=[course, *package_folders()], settings=settings)


class Users:
    """Numbers of users that no running sandbox has, so that one's processes do not count for another."""

    def __init__(self):
        self.taken, self.lock = set(), threading.Lock()

    def take(self):
        """Return a free number, or None where the grader is not root and cannot choose."""
        if os.geteuid() != 0:
            return None
        with self.lock:
            # Drawn, because another grader on this machine draws too.
            user = random.choice([number for number in USER_NUMBERS if number not in self.taken])
            self.taken.add(user)
            return user

    def give_back(self, user):
        with self.lock:
            self.taken.discard(user)


USERS = Users()


class Sandbox:
    """A running worker.

    Parameters
    ----------
    limits : Limits
    protected : bool
        Whether to use bubblewrap. False runs the code as a plain process.

    Raises
    ------
    SandboxError
        If it does not start.
    """

    def __init__(self, limits, protected=True):
        self.limits, self.protected = limits, protected
        self.killed_for, self.process, self.first, self.handle = None, None, None, None
        self.closing, self.lock = threading.Event(), threading.Lock()
        self.user = USERS.take() if protected else None
        self.complaints = open(os.memfd_create("complaints"), "w+b")  # noqa: SIM115 (closed once the worker reports)
        try:
            self.launch()
            reply = self.receive(limits.start_seconds)
            if type(reply) is not dict or "ready" not in reply:
                raise WorkerLost("the worker did not report")
        except (WorkerLost, OSError) as error:
            self.close()
            raise SandboxError(self.why_not_started(error)) from None
        except BaseException:
            self.close()
            raise
        finally:
            self.complaints.close()
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()

    def launch(self):
        """Start the process."""
        info, info_end = os.pipe()
        seccomp = seccomp_pipe() if self.protected else None
        try:
            if self.protected:
                command = bubblewrap(self.limits, self.user, info_end, seccomp)
                # Bubblewrap's own process can be seen from inside, so it gets no variables either.
                folder, variables = "/", {"PATH": "/usr/bin:/bin"}
            else:
                folder = self.folder = tempfile.mkdtemp(prefix="dlcourse-grade-")
                command, variables = unprotected(self.limits), environment(folder)
            descriptors = [fd for fd in (info_end, seccomp) if fd is not None] if self.protected else []
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder,
                                            stderr=self.complaints, env=variables, pass_fds=descriptors, bufsize=0,
                                            start_new_session=True)
        finally:
            os.close(info_end)
            if seccomp is not None:
                os.close(seccomp)
            if self.process is None:
                os.close(info)
        for pipe in (self.process.stdin, self.process.stdout):
            os.set_blocking(pipe.fileno(), False)
        with open(info, "rb") as report:
            self.first = first_process(report.read()) if self.protected else self.process.pid
        if self.first is not None:
            self.handle = os.pidfd_open(self.first)        # unlike its number, never another process

    def why_not_started(self, error):
        """Put what bubblewrap or the interpreter complained about into words."""
        self.complaints.seek(0)
        said = self.complaints.read(2000).decode("utf-8", "replace").strip()
        return f"The sandbox did not start: {said or error}\n{INSTALL}"

    def ask(self, request, seconds):
        """Send a request and wait for the reply.

        Parameters
        ----------
        request : object
        seconds : float

        Returns
        -------
        dict

        Raises
        ------
        WorkerLost
            If none came in time, or none that could be read. The process is dead then.
        wire.WireError
            If the request itself cannot be sent.
        """
        frame = wire.pack(request)
        try:
            deadline = time.monotonic() + seconds
            self.write(frame, deadline, seconds)
            reply = self.receive(seconds, deadline)
            if type(reply) is not dict:
                raise WorkerLost("your code disturbed the pipe to the grader")
            return reply
        except WorkerLost as error:
            self.close()
            raise WorkerLost(self.killed_for or str(error)) from None

    def write(self, frame, deadline, seconds):
        """Write all bytes before the deadline."""
        pipe, rest = self.process.stdin.fileno(), memoryview(frame)
        while rest:
            self.wait(pipe, select.POLLOUT, deadline, seconds)
            with contextlib.suppress(BlockingIOError):
                try:
                    rest = rest[os.write(pipe, rest):]
                except BrokenPipeError:
                    raise WorkerLost("your code ended the Python process") from None

    def receive(self, seconds, deadline=None):
        """Read one message before the deadline."""
        deadline = time.monotonic() + seconds if deadline is None else deadline
        try:
            sizes = wire.body_sizes(self.read(wire.HEADER.size, deadline, seconds))
            return wire.unpack(*[self.read(size, deadline, seconds) for size in sizes])
        except wire.WireError as error:
            raise WorkerLost(f"your code sent {error}") from None

    def read(self, size, deadline, seconds):
        """Read so many bytes before the deadline."""
        pipe, data = self.process.stdout.fileno(), bytearray()
        while len(data) < size:
            self.wait(pipe, select.POLLIN, deadline, seconds)
            try:
                part = os.read(pipe, min(size - len(data), 1 << 20))
            except BlockingIOError:
                continue
            if not part:
                raise WorkerLost("your code ended the Python process")
            data += part
        return bytes(data)

    def wait(self, pipe, event, deadline, seconds):
        """Wait until the pipe can be used."""
        waiting = select.poll()
        waiting.register(pipe, event)
        if not waiting.poll(max(0, deadline - time.monotonic()) * 1000):
            raise WorkerLost(f"your code took more than {seconds:g} seconds")

    def watch(self):
        """End the worker when all its processes together hold too much memory, or too many files."""
        while not self.closing.wait(LOOK_EVERY):
            reason = None
            if memory_below(self.first) > self.limits.memory:
                reason = f"your code used more than {self.limits.memory >> 20} MiB of memory"
            elif self.protected and files_in(f"/proc/{self.first}/root/tmp/work") > self.limits.scratch_files:
                reason = f"your code made more than {self.limits.scratch_files} files"
            if reason:
                self.killed_for = reason
                self.kill()
                return

    def kill(self):
        """Kill every process of the worker.

        The first process of a namespace takes all others with it, and only when they are gone does
        bubblewrap outside, which waits for it, end too.
        """
        with self.lock, contextlib.suppress(ProcessLookupError):
            if self.handle is None:
                return
            if not self.protected:
                os.killpg(self.process.pid, signal.SIGKILL)
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def close(self):
        """End the worker and wait until nothing of it is left."""
        if self.closing.is_set():
            return
        self.closing.set()
        self.kill()
        if self.process is not None:
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
        with self.lock:
            if self.handle is not None:
                os.close(self.handle)
                self.handle = None
        if not self.protected and hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)
        USERS.give_back(self.user)


def seccomp_pipe():
    """Return a file descriptor from which the filter can be read once, or None without a filter."""
    program = filter_program()
    if program is None:
        return None
    reading, writing = os.pipe()
    os.write(writing, program)                    # fits into a pipe's buffer
    os.close(writing)
    return reading


def first_process(report):
    """Read which process bubblewrap started, from its report; None if it started none."""
    try:
        return int(json.loads(report)["child-pid"])
    except (ValueError, KeyError):
        return None


def memory_below(process):
    """Add up the resident memory of a process and everything it started, in bytes."""
    pages, waiting = 0, [process]
    while waiting:
        one = waiting.pop()
        try:
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
            for thread in os.listdir(f"/proc/{one}/task"):
                waiting += Path(f"/proc/{one}/task/{thread}/children").read_text().split()
        except (OSError, IndexError):             # it has just ended
            continue
    return pages * os.sysconf("SC_PAGE_SIZE")


def files_in(folder):
    """Count the files of a file system, 0 where it cannot be looked at."""
    try:
        system = os.statvfs(folder)
    except OSError:
        return 0
    return system.f_files - system.f_ffree
