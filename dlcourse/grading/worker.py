"""The sandbox's side: runs a student's cells, then answers calls. It knows no tests.

Started as ``python -I -S -B -c "…; main(json)"`` by `sandbox`. Whatever a cell does to this process
(replacing functions, writing to the pipe, leaving threads behind) changes only the values that the
other side receives and judges.
"""

import ast
import inspect
import json
import linecache
import os
import re
import resource
import signal
import sys
import types

import numpy as np

from .. import checks
from ..checks.answers import TensorData, entries, tensor_array
from ..checks.errors import frames, raised, shortened
from . import wire

# Lines that IPython understands: a magic, a command, help; and one whose result gets a name.
MAGIC_LINE = re.compile(r"(\s*)(%[A-Za-z%].*|[!?].*|[\w.]+\?\??\s*)")
MAGIC_VALUE = re.compile(r"(\s*[\w, ]+=\s*)([%!]\s*[\w./].*)")


class Overtime(BaseException):
    """A cell has taken too long. What it has defined so far stays."""


class Shell:
    """Stands for IPython's shell, for code that asks it for something: does nothing."""

    def __getattr__(self, name):
        return do_nothing


def do_nothing(*values, **options):
    """Stand for what shows something or ends the notebook."""


# What a notebook has without an import.
NOTEBOOK = {"display": do_nothing, "help": do_nothing, "exit": do_nothing, "quit": do_nothing,
            "input": lambda prompt="": "", "get_ipython": Shell}


class Worker:
    """Executes cells in one namespace and holds the objects that stay here.

    Parameters
    ----------
    requests, replies : file
        Unbuffered binary files, from and to the grader.
    """

    def __init__(self, requests, replies):
        self.requests, self.replies = requests, replies
        notebook = types.ModuleType("__main__")   # in which pickle too looks for what the cells define
        sys.modules["__main__"] = notebook
        self.namespace = vars(notebook)
        self.namespace.update(NOTEBOOK)
        self.held = []

    def hold(self, value):
        """Keep an object and make the handle that travels in its place; with it, what a namedtuple holds."""
        self.held.append(value)
        parts = entries(value)
        return wire.Handle(len(self.held) - 1, type(value).__name__, None if parts is None else tuple(parts))

    def send(self, message):
        """Write a frame. What cannot travel is told as an error."""
        data = wire.pack(message, self.hold)
        while data:
            data = data[self.replies.write(data):]

    def receive(self):
        """Read a frame; end when the grader has gone."""
        sizes = wire.body_sizes(self.read(wire.HEADER.size))
        return wire.unpack(*(self.read(size) for size in sizes))

    def read(self, size):
        """Read so many bytes; end when the grader has gone."""
        data = bytearray()
        while len(data) < size:
            part = self.requests.read(size - len(data))
            if not part:
                os._exit(0)
            data += part
        return bytes(data)

    def serve(self):
        """Answer requests until the grader closes the pipe."""
        while True:
            request = self.receive()
            try:
                reply = getattr(self, f"do_{request['do']}")(request)
                self.send(reply)
            except wire.WireError as error:
                message = f"your code returned something that cannot be checked: {error}"
                self.send({"error": message, "kinds": (), "text": message})
            except Overtime as error:
                self.send({"error": str(error), "kinds": (), "text": str(error), "slow": True})
            except BaseException as error:        # SystemExit and KeyboardInterrupt are a student's errors too
                self.send(told(error))

    def do_cell(self, request):
        """Execute one cell, and interrupt it when its time is over."""
        name, source = f"<cell {request['number']}>", without_magics(request["source"])
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        code = compile(source, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)

        def interrupt(*arguments):
            raise Overtime(f"your code took more than {request['seconds']:g} seconds")

        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, request["seconds"])
        try:
            waiting = eval(code, self.namespace)
            if code.co_flags & inspect.CO_COROUTINE:
                import asyncio

                asyncio.run(waiting)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return {"value": None}

    def do_get(self, request):
        """Look a name up."""
        if request["name"] not in self.namespace:
            return {"missing": True}
        return {"value": self.namespace[request["name"]]}

    def do_call(self, request):
        """Call an object; tell its value, and which array arguments it changed in place."""
        arguments, named = [self.local(value) for value in (request["arguments"], request["named"])]
        arrays = wire.arrays_in([arguments, named])
        before = [content(array) for array in arrays]
        value = self.local(request["object"])(*arguments, **named)
        changed = {i: array for i, array in enumerate(arrays) if content(array) != before[i]}
        return {"value": value, "changed": changed}

    def do_attribute(self, request):
        """Read an attribute."""
        return {"value": getattr(self.local(request["object"]), request["name"])}

    def do_assign(self, request):
        """Set an attribute."""
        setattr(self.local(request["object"]), request["name"], self.local(request["value"]))
        return {"value": None}

    def local(self, value):
        """Put this process's objects in the place of handles and tensors, also inside containers."""
        return wire.replaced(value, self.own)

    def own(self, value):
        """Return the object that a handle stands for, the tensor of its data, or the value itself."""
        if type(value) is wire.Handle:
            return self.held[value.number]
        if type(value) is TensorData:
            import torch

            return torch.from_numpy(value.array).requires_grad_(value.requires_grad)
        return value


def content(array):
    """Return the bytes of an array or tensor."""
    return (array if type(array) is np.ndarray else tensor_array(array)).tobytes()


def without_magics(source):
    """Comment out IPython's commands, which are not Python; leave a cell that is Python as it is."""
    try:
        compile(source, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        return source
    except (SyntaxError, ValueError):
        return "\n".join(map(without_magic, source.split("\n")))


def without_magic(line):
    """Comment out an IPython command; a name that would get its result gets an empty list."""
    if found := MAGIC_LINE.fullmatch(line):
        return "{}pass  # {}".format(*found.groups())
    found = MAGIC_VALUE.fullmatch(line)
    return "{}[]  # {}".format(*found.groups()) if found else line


def told(error):
    """Describe an error as `dlcourse.checks` does: its class, its text, the line of the student's code."""
    own = [where for where in frames(error) if where[0].f_code.co_filename.startswith("<cell ")]
    kinds = tuple(kind.__name__ for kind in type(error).__mro__ if kind is not object)
    return {"error": raised(error, *(own[-1] if own else ())), "kinds": kinds, "text": shortened(str(error))}


def give_up_rights(settings):
    """Become an ordinary user with limits, before any line of a student's code has been read."""
    if settings.get("user") is not None:
        os.setgroups([])
        os.setresgid(*3 * [settings["user"]])
        os.setresuid(*3 * [settings["user"]])
    for name, limit in settings["limits"].items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (limit, limit))


def main(text):
    """Start the worker.

    Parameters
    ----------
    text : str
        JSON with ``limits`` (names of ``resource.RLIMIT_…``) and ``user``, the number to become or None.
    """
    give_up_rights(json.loads(text))
    requests, replies = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDWR)
    worker = Worker(requests, replies)
    checks.check = lambda *values, **options: checks.Report("", [])     # students call it; its tests are not here
    worker.send({"ready": np.__version__})
    for descriptor in (0, 1, 2):                  # what students print goes nowhere, input() finds an end
        os.dup2(nothing, descriptor)
    sys.stdout = sys.stderr = os.fdopen(1, "w", encoding="utf-8", errors="replace", closefd=False)
    worker.serve()
