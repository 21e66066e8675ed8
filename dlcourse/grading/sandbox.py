"""A process that a student's code cannot get out of, and the pipe to it.

Bubblewrap gives it namespaces of its own: no network, no other process in sight, no file but the
interpreter and the packages, all read-only, and one small folder in memory. Its first process is the
`guard`, which ends it together with the grader. `worker` then lowers its own rights and limits before
any student's code is read. Where bubblewrap is missing or does not start, that is the grader's trouble
and is said so; no code runs unprotected instead.
"""

import contextlib
import functools
import importlib.util
import json
import os
import random
import re
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

__all__ = ["INSTALL", "Limits", "Sandbox", "SandboxError", "TooSlow", "WorkerLost"]

INSTALL = (
    "The grader runs students' code in bubblewrap (0.7 or later, Linux). Install it:\n"
    "  sudo apt install bubblewrap      (Debian, Ubuntu)\n"
    "  sudo dnf install bubblewrap      (Fedora)\n"
    "Where it is installed and an ordinary user may not start it (Ubuntu 24.04 and later), let programs make user\n"
    "namespaces, until the machine starts again:\n"
    "  sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0\n"
    "or let bubblewrap alone do so, by an AppArmor profile in /etc/apparmor.d/bwrap,\n"
    "  abi <abi/4.0>,\n"
    "  profile bwrap /usr/bin/bwrap flags=(unconfined) {\n"
    "    userns,\n"
    "  }\n"
    "which is loaded with: sudo apparmor_parser -r /etc/apparmor.d/bwrap"
)
NOBODY = 65534
USER_NUMBERS = range(60_600, 61_184)              # given to no user on Linux: root lends every sandbox one of its own
PACKAGE = Path(__file__).resolve().parents[1]
PACKAGES = ("numpy", "torch", "matplotlib", "IPython")      # whose folders a student's code may read
START = ("import sys; sys.path[:0] = {paths!r}; from dlcourse.grading.guard import guard; guard({lifeline}); "
         "from dlcourse.grading.worker import main; main({settings!r})")
SCRATCH = "/dev/shm"                                        # the one folder in which code may write
LOOK_EVERY = 0.05                                           # seconds between two looks at memory
CLOSE_SECONDS = 5                                           # until what the guard has not ended is ended from outside


class SandboxError(RuntimeError):
    """The sandbox did not start: not the student's fault."""


class WorkerLost(Exception):
    """The process with the student's code has ended or was ended. The message says why, to the student."""


class TooSlow(WorkerLost):
    """It was ended after a limit of time by the clock, which it may have met because the machine is busy."""


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Parameters
    ----------
    cell_seconds, call_seconds, total_seconds : float
        Of one cell, one call by a test, the whole submission. The last is also what all processes of a
        submission may compute together.
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
        Bytes of one file and of all files in the sandbox's folder, memory shared by processes included.
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
    processes: int = 32
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


def bubblewrap(limits, user, lifeline, seccomp):
    """Build the command line of the sandbox.

    Parameters
    ----------
    limits : Limits
    user : int or None
        Number of the user that the worker becomes; None where the grader is an ordinary user itself.
    lifeline : int
        File descriptor for the guard.
    seccomp : int or None
        File descriptor from which bubblewrap reads the filter.

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
    # Not --die-with-parent: what it starts would wait for ever for a bubblewrap that died between two of its steps.
    command = [program, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
               "--as-pid-1", "--new-session", "--hostname", "sandbox", "--clearenv"]
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
                # Where Python's multiprocessing and PyTorch's DataLoader keep what their processes share, so that
                # one limit holds for that and for files.
                "--perms", "0777", "--size", str(limits.scratch_size), "--tmpfs", SCRATCH,
                "--symlink", SCRATCH, "/tmp/work", "--remount-ro", "/", "--chdir", "/tmp/work"]
    return [*command, interpreter()[0], "-I", "-S", "-B", "-c", start_code(limits, user, lifeline, str(course.parent))]


def unprotected(limits, lifeline):
    """Build the command line of a worker without a sandbox."""
    code = start_code(limits, None, lifeline, str(PACKAGE.parent), skip="NPROC")
    return [interpreter()[0], "-I", "-S", "-B", "-c", code]


def start_code(limits, user, lifeline, course, skip=None):
    """Write the line of Python that starts the guard and the worker.

    Without a sandbox the limit `skip` is left out, which would count all processes of the grader's user.
    """
    chosen = {name: limit for name, limit in limits.of_process().items() if name != skip}
    settings = json.dumps({"limits": chosen, "user": user})
    return START.format(paths=[course, *package_folders()], lifeline=lifeline, settings=settings)


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
        self.killed_for, self.process, self.lifeline, self.folder = None, None, None, None
        self.closing = threading.Event()
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
        lifeline, writing = os.pipe()
        self.lifeline = open(writing, "wb", buffering=0)  # noqa: SIM115 (kill closes it)
        seccomp = seccomp_pipe() if self.protected else None
        descriptors = [fd for fd in (lifeline, seccomp) if fd is not None]
        try:
            if self.protected:
                command = bubblewrap(self.limits, self.user, lifeline, seccomp)
                # Bubblewrap's own process can be seen from inside, so it gets no variables either.
                folder, variables = "/", {"PATH": "/usr/bin:/bin"}
            else:
                command = unprotected(self.limits, lifeline)
                folder = self.folder = tempfile.mkdtemp(prefix="dlcourse-grade-")
                variables = environment(folder)
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder,
                                            stderr=self.complaints, env=variables, pass_fds=descriptors, bufsize=0,
                                            start_new_session=True)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        for pipe in (self.process.stdin, self.process.stdout):
            os.set_blocking(pipe.fileno(), False)

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
            raise (WorkerLost(self.killed_for) if self.killed_for else error) from None

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
            raise TooSlow(f"your code took more than {seconds:g} seconds")

    def watch(self):
        """End the worker when its processes together hold too much memory or too many files, or compute too long."""
        used = {}                                 # kept for processes that have ended
        while not self.closing.wait(LOOK_EVERY):
            reason, processes = None, below(self.process.pid)
            used.update({one: max(used.get(one, 0), processor_seconds(one)) for one in processes})
            # What processes share is counted once only where it matters, for that takes the kernel long.
            if all(sum(map(count, processes)) > self.limits.memory for count in (memory_of, share_of)):
                reason = f"your code used more than {self.limits.memory >> 20} MiB of memory"
            elif sum(used.values()) > self.limits.total_seconds:
                reason = f"your code used more than {self.limits.total_seconds:g} seconds of processor time"
            elif self.protected and self.files() > self.limits.scratch_files:
                reason = f"your code made more than {self.limits.scratch_files} files"
            if reason:
                self.killed_for = reason
                self.kill()
                return

    def files(self):
        """Count the files of the sandbox's folder."""
        return sum(files_in(f"/proc/{guard}/root{SCRATCH}") for guard in children(self.process.pid))

    def kill(self):
        """Kill every process of the worker: the guard does as soon as the lifeline is cut.

        Only when they are gone does bubblewrap outside, which waits for the guard, end too.
        """
        if self.lifeline is not None:
            self.lifeline.close()

    def close(self):
        """End the worker and wait until nothing of it is left."""
        if self.closing.is_set():
            return
        self.closing.set()
        self.kill()
        if self.process is not None:
            try:
                self.process.wait(timeout=CLOSE_SECONDS)
            except subprocess.TimeoutExpired:     # something has kept the guard from its work
                for one in below(self.process.pid)[:0:-1]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(one, signal.SIGKILL)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(timeout=CLOSE_SECONDS)      # it ends by itself once all the others have
                self.process.kill()
                self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
        if self.folder is not None:
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


def children(process):
    """List the numbers of the processes that a process has started."""
    found = []
    with contextlib.suppress(OSError):            # it has just ended
        for thread in os.listdir(f"/proc/{process}/task"):
            found += Path(f"/proc/{process}/task/{thread}/children").read_text().split()
    return found


def below(process):
    """List the numbers of a process and of everything it started."""
    found = [process]
    for one in found:                             # grows on the way
        found += map(int, children(one))
    return found


def memory_of(process):
    """Return the resident memory of a process in bytes, 0 if it has ended."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def share_of(process):
    """Return a process's memory in bytes, where a page that several hold is divided among them."""
    with contextlib.suppress(OSError, AttributeError):
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)[1]) << 10
    return memory_of(process)                     # may not be read


def processor_seconds(process):
    """Return what a process has computed, 0 if it has ended."""
    with contextlib.suppress(OSError, IndexError):
        user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return 0


def files_in(folder):
    """Count the files of a file system, 0 where it cannot be looked at."""
    try:
        system = os.statvfs(folder)
    except OSError:
        return 0
    return system.f_files - system.f_ffree
