"""The sandbox's side: runs a student's cells, then answers calls. It knows no tests.

Started as ``python -I -S -B -c "…; main(json)"`` by `sandbox`. Whatever a cell does to this process
(replacing functions, writing to the pipe, leaving threads behind) changes only the values that the
other side receives and judges.
"""

import json
import linecache
import os
import resource
import sys

import numpy as np

from . import wire

MAX_MESSAGE = 500                             # characters of a student's error that are passed on


class Worker:
    """Executes cells in one namespace and holds the objects that stay here.

    Parameters
    ----------
    requests, replies : file
        Unbuffered binary files, from and to the grader.
    """

    def __init__(self, requests, replies):
        self.requests, self.replies = requests, replies
        self.namespace = {"__name__": "__main__", "display": lambda *values, **options: None}
        self.held = []

    def hold(self, value):
        """Keep an object and make the handle that travels in its place."""
        self.held.append(value)
        return wire.Handle(len(self.held) - 1, type(value).__name__)

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
                self.send({"error": f"your code returned something that cannot be checked: {error}", "kinds": ()})
            except BaseException as error:        # SystemExit and KeyboardInterrupt are a student's errors too
                self.send(told(error))

    def do_cell(self, request):
        """Execute one cell."""
        name, source = f"<cell {request['number']}>", without_magics(request["source"])
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec"), self.namespace)
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
        if type(value) is wire.Handle:
            return self.held[value.number]
        if type(value) is wire.Tensor:
            import torch

            return torch.from_numpy(value.array.copy()).requires_grad_(value.requires_grad)
        if type(value) in (list, tuple):
            return type(value)(self.local(item) for item in value)
        if type(value) is dict:
            return {key: self.local(item) for key, item in value.items()}
        return value


def content(array):
    """Return the bytes of an array or tensor."""
    return (array if type(array) is np.ndarray else array.detach().cpu().numpy()).tobytes()


def without_magics(source):
    """Comment out IPython's commands, which are not Python; leave a cell that is Python as it is."""
    try:
        compile(source, "<cell>", "exec", dont_inherit=True)
        return source
    except (SyntaxError, ValueError):
        if source.lstrip().startswith("%%"):
            return ""
        lines = source.split("\n")
        return "\n".join("pass  # " + line if line.startswith(("%", "!", "?")) else line for line in lines)


def told(error):
    """Describe an error as `dlcourse.checks` does: its class, its text, the line of the student's code."""
    kinds = tuple(kind.__name__ for kind in type(error).__mro__ if kind is not object)
    text = str(error)[:MAX_MESSAGE]
    message = "your code raised " + (f"{kinds[0]}: {text}" if text else kinds[0])
    step, last = error.__traceback__, None
    while step is not None:
        if step.tb_frame.f_code.co_filename.startswith("<cell "):
            last = step
        step = step.tb_next
    if last is not None:
        code = last.tb_frame.f_code
        line = linecache.getline(code.co_filename, last.tb_lineno).strip()[:MAX_MESSAGE]
        name = code.co_filename[1:-1] if code.co_name == "<module>" else code.co_name
        message += f"\n  in line {last.tb_lineno} of {name}" + (f", `{line}`" if line else "")
    return {"error": message, "kinds": kinds}


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
    worker.send({"ready": np.__version__})
    for descriptor in (0, 1, 2):                  # what students print goes nowhere, input() finds an end
        os.dup2(nothing, descriptor)
    sys.stdout = sys.stderr = os.fdopen(1, "w", encoding="utf-8", errors="replace", closefd=False)
    worker.serve()
