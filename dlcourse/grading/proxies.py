"""What the tests get in place of a student's objects.

A proxy sends plain data to the worker and returns the plain data that comes back. A test that tries
to do anything else with an object that is not plain data gets an error told to the student, so
that no method of it is ever looked up in this process.

A function that changes its array arguments in place changes its own copies only: a test's expected
values cannot be spoilt by the answer. What it did is remembered, and shown where a test looks at
the argument through `dlcourse.checks`.
"""

import time
from collections import Counter

from ..checks import StudentError, TensorData
from ..checks.answers import describe, is_tensor, tensor_array
from ..checks.errors import shortened
from . import wire
from .sandbox import Sandbox, SandboxError, TooSlow, WorkerLost
from .text import visible

__all__ = ["Proxy", "Session"]

MAX_LOSSES = 2                                    # of the worker in one question; then the rest of it is not run
MAX_MESSAGE = 3_000                               # characters of an error; the worker's own are shorter


class Session:
    """A submission's code, running, and started anew when it has ended its process.

    Parameters
    ----------
    cells : list of str
        Sources of the code cells, in the order of the notebook; empty where one is left out.
    limits : Limits
    protected : bool
    """

    def __init__(self, cells, limits, protected=True):
        self.cells, self.limits, self.protected = cells, limits, protected
        self.end = time.monotonic() + limits.total_seconds
        self.sandbox, self.life, self.starts = None, 0, 0
        self.lost_cells, self.cell_errors = {}, {}
        self.losses, self.question = Counter(), None
        self.slow = False                         # whether a limit of time was met
        self.trouble = None                       # an error of the grader's own, kept because a test may swallow it
        self.changed = {}                         # id of an argument: itself, and what a call made of it

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        if self.sandbox is not None:
            self.sandbox.close()

    def start(self):
        """Start a worker and execute the cells, without those that ended an earlier one."""
        while self.starts <= self.limits.restarts:
            self.starts += 1
            self.life += 1
            self.sandbox = Sandbox(self.limits, self.protected)
            if self.execute_cells():
                return
        self.sandbox = None

    def execute_cells(self):
        """Execute all cells; tell whether the worker outlived them."""
        for number, source in enumerate(self.cells, 1):
            if number in self.lost_cells or not source:
                continue
            try:
                seconds = self.seconds(self.limits.cell_seconds)
                # The worker's own clock is a little faster: what it interrupts need not be started anew.
                request = {"do": "cell", "number": number, "source": source, "seconds": 0.95 * seconds}
                reply = self.sandbox.ask(request, seconds)
            except WorkerLost as error:
                self.slow |= isinstance(error, TooSlow)
                self.lost_cells[number] = self.cell_errors[number] = str(error)
                return False
            if "error" in reply:
                self.slow |= reply.get("slow") is True
                self.cell_errors[number] = text_in(reply, "error")
        return True

    def seconds(self, limit):
        """Shorten a limit to what is left for the submission."""
        return max(0.01, min(limit, self.end - time.monotonic()))

    def ask(self, request, life=None):
        """Ask the worker; start a new one where the last is dead.

        Parameters
        ----------
        request : dict
        life : int, optional
            The life of the worker that holds the object in question. Default: any.

        Returns
        -------
        dict

        Raises
        ------
        StudentError
            If the student's code raised an error, took too long, or ended its process.
        """
        self.revive()
        if life is not None and life != self.life:
            raise StudentError("your code ended the Python process that held this object")
        try:
            reply = self.sandbox.ask(request, self.seconds(self.limits.call_seconds))
        except wire.WireError as error:
            self.trouble = f"a test tried to send {error}"
            raise StudentError("not graded") from None
        except WorkerLost as error:
            self.losses[self.question] += 1
            self.slow |= isinstance(error, TooSlow)
            raise StudentError(str(error)) from None
        if "error" in reply:
            kinds = reply.get("kinds")
            kinds = tuple(kind for kind in kinds if type(kind) is str) if type(kinds) is tuple else ()
            raise StudentError(text_in(reply, "error"), kinds, text_in(reply, "text"))
        return reply

    def begin_question(self, name):
        """Count from now on how often this question ends the worker; forget what the one before has left.

        Parameters
        ----------
        name : str
        """
        self.question = name
        self.changed.clear()

    def revive(self):
        """Start a new worker where the last is dead, within reason."""
        if self.trouble is None:
            if self.sandbox is not None and not self.sandbox.closing.is_set():
                return
            if self.losses[self.question] >= MAX_LOSSES:
                raise StudentError("not run: your code took too long or ended the process in earlier tests")
            if time.monotonic() >= self.end:
                self.slow = True
                raise StudentError(f"your notebook took more than {self.limits.total_seconds:g} seconds in all")
            try:
                self.start()
            except SandboxError as error:
                self.trouble = str(error)
        if self.trouble is not None:
            raise StudentError("not graded")
        if self.sandbox is None:
            raise StudentError("your code ended the Python process too often")

    def get(self, name):
        """Return what a test gets for a name: plain data, or a proxy.

        Parameters
        ----------
        name : str

        Raises
        ------
        NameError
            If no cell has defined it.
        """
        try:
            return self.look_up(name)
        except StudentError:
            # There is no process to ask any more. The test is told so as soon as it uses the answer.
            return proxy_of(self, wire.Handle(0), name, life=0)

    def look_up(self, name):
        """Ask the worker for a name; raise what is wrong with it."""
        reply = self.ask({"do": "get", "name": name})
        if "value" not in reply:
            raise NameError(f"{name} is not defined")
        value = reply["value"]
        # Named, not numbered: the name is found again in a worker that had to be started anew.
        return proxy_of(self, value, name, self.life) if type(value) is wire.Handle else self.local(value)

    def call(self, proxy, arguments, named):
        """Call a student's object and return its value."""
        sent = self.remote(list(arguments)), self.remote(named)
        reply = self.ask({"do": "call", "object": self.reference(proxy), "arguments": sent[0], "named": sent[1]},
                         self.life_of(proxy))
        changed = reply.get("changed")
        for number, array in enumerate(wire.arrays_in([list(arguments), named])):
            after = changed.get(number) if type(changed) is dict else None
            if after is not None and alike(after, array):
                self.changed[id(array)] = array, after
        return self.local(reply.get("value"))

    def left(self, argument):
        """Return an argument of a call as the student's code left it.

        Parameters
        ----------
        argument : object
            The very array that the test passed; anything else is returned as it is.

        Returns
        -------
        object
        """
        return self.changed.get(id(argument), (None, argument))[1]

    def reference(self, proxy):
        """Return the handle of a proxy's object in the present worker."""
        self.revive()
        name = object.__getattribute__(proxy, "_name")
        if name is not None and self.life_of(proxy) != self.life:
            try:
                fresh = self.look_up(name)
            except NameError as error:
                raise StudentError(str(error)) from None
            if not isinstance(fresh, Proxy):
                raise StudentError(f"{name} is not the same in every run of the notebook")
            for part in ("_handle", "_life"):
                object.__setattr__(proxy, part, object.__getattribute__(fresh, part))
        return object.__getattribute__(proxy, "_handle")

    def life_of(self, proxy):
        """Tell which worker a proxy's object lives in."""
        return object.__getattribute__(proxy, "_life")

    def remote(self, value):
        """Put handles in the place of proxies, also inside containers."""

        def handle(item):
            item = item._proxy if type(item) is TupleProxy else item
            return self.reference(item) if isinstance(item, Proxy) else item

        return wire.replaced(value, handle)

    def local(self, value):
        """Put proxies in the place of handles, also inside containers."""
        return wire.replaced(
            value, lambda item: proxy_of(self, item, None, self.life) if type(item) is wire.Handle else item)


def text_in(reply, key):
    """Return a text of a reply, which may hold anything there."""
    text = reply.get(key)
    text = text if type(text) is str else "your code disturbed the pipe to the grader"
    return visible(shortened(text, MAX_MESSAGE), keep="\n\t")


def alike(after, before):
    """Tell whether an array or tensor can be what a call has made of another by changing it in place."""
    if is_tensor(before):
        before = TensorData(tensor_array(before))
    if type(after) is not type(before):
        return False
    if type(after) is TensorData:
        after, before = after.array, before.array
    return after.shape == before.shape and after.dtype == before.dtype


def refuse(operation):
    """Make a method that tells the student what kind of object came where numbers were needed."""

    def method(self, *arguments, **named):
        raise StudentError(f"expected numbers, an array or a tensor, got {describe(self)}")

    method.__name__ = operation
    return method


class Proxy:
    """Stands for a student's object that is no plain data: can be called, and has attributes."""

    __slots__ = ("_handle", "_life", "_name", "_session")
    __hash__ = object.__hash__
    __array_ufunc__ = None

    def __init__(self, session, handle, name, life):
        for slot, value in (("_session", session), ("_handle", handle), ("_name", name), ("_life", life)):
            object.__setattr__(self, slot, value)

    def __call__(self, *arguments, **named):
        """Call the student's object."""
        return object.__getattribute__(self, "_session").call(self, arguments, named)

    def __getattr__(self, name):
        # NumPy and copy look for such names; the answer is ours, not the student's.
        if name.startswith("_"):
            raise AttributeError(name)
        session = object.__getattribute__(self, "_session")
        request = {"do": "attribute", "object": session.reference(self), "name": name}
        return session.local(session.ask(request, session.life_of(self)).get("value"))

    def __setattr__(self, name, value):
        session = object.__getattribute__(self, "_session")
        request = {"do": "assign", "object": session.reference(self), "name": name, "value": session.remote(value)}
        session.ask(request, session.life_of(self))

    def __repr__(self):
        return f"<object of type {type(self).__name__}>"


REFUSED = """array bool len iter next getitem setitem contains float int index complex eq ne lt le gt ge
add radd sub rsub mul rmul truediv rtruediv floordiv mod pow rpow neg pos abs invert and or xor
matmul rmatmul reversed round enter exit format str"""
for _name in REFUSED.split():
    setattr(Proxy, f"__{_name}__", refuse(f"__{_name}__"))


class TupleProxy(tuple):
    """Stands for a student's namedtuple: a tuple of what it holds, with the attributes of the object itself."""

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._proxy, name)


def proxy_of(session, handle, name, life):
    """Make a proxy whose type has the name of the student's type, for messages.

    Parameters
    ----------
    session : Session
    handle : Handle
    name : str or None
        In the notebook, where it was looked up by one.
    life : int
        Which worker holds the object.
    """
    if handle.parts is not None:
        found = TupleProxy(session.local(handle.parts))
        found._proxy = proxy_of(session, wire.Handle(handle.number, handle.kind), None, life)
        return found
    kind = "".join(letter for letter in handle.kind if letter.isalnum() or letter in "_.") or "object"
    return type(kind, (Proxy,), {"__slots__": ()})(session, handle, name, life)
