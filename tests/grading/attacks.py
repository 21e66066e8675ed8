"""Submissions that try to gain points without an answer, or to harm the grader, the host or the next student.

Each is written as somebody who has read the grader's source would write it.
"""

from dataclasses import dataclass, field

from .common import BAD_1, GOOD_1, GOOD_2, POINTS_1, POINTS_2, SETUP, SHORT


@dataclass
class Attack:
    """One submission.

    Parameters
    ----------
    name : str
    cells : tuple of str
    earned : float
        Points that its honest parts deserve, and no more.
    limits : dict
    says : str
        Must be in one of the messages.
    """

    name: str
    cells: tuple
    earned: float = 0
    limits: dict = field(default_factory=dict)
    says: str = ""


def cheat(name, code, earned=0, says="", **limits):
    """Make a submission with a wrong answer to the first question, none to the second, and some code."""
    return Attack(name, (SETUP, BAD_1, code), earned, limits, says)


def harm(name, code, says="", earned=POINTS_2, **limits):
    """Make one that answers the second question honestly; `code` takes the place of the first."""
    return Attack(name, (SETUP, code, GOOD_2), earned, limits, says)


# Takes a pipe's end that the worker replies through, however it is hidden.
PIPE = """
import gc, os, struct, json
from dlcourse.grading import wire
from dlcourse.grading.worker import Worker
worker = next(o for o in gc.get_objects() if type(o) is Worker)
pipe = worker.replies.fileno()
"""

EVERYTHING_EQUAL = """
class Yes:
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __iter__(self): return iter([self])
    def __len__(self): return 1
    def __float__(self): return 1.0
    def __array__(self, *a, **k): return np.ones(3)
    def __hash__(self): return 0
for op in "lt le gt ge add radd sub rsub mul rmul truediv rtruediv abs and or matmul getitem".split():
    setattr(Yes, f"__{op}__", lambda self, *a: self)
"""

CHEATS = [
    cheat("patched comparisons", """
yes = lambda *a, **k: True
np.allclose = np.array_equal = np.isclose = np.all = np.any = yes
np.testing.assert_allclose = np.testing.assert_array_equal = np.testing.assert_equal = lambda *a, **k: None
"""),
    cheat("patched checks", """
import dlcourse.checks as checks
checks.run = checks.failure = checks.expect_close = checks.expect_raises = lambda *a, **k: None
checks.CheckFailed = checks.StudentError = ZeroDivisionError
"""),
    cheat("patched json, struct and sys", """
import json, struct, sys
json.dumps = lambda *a, **k: '{"dict":[["value",true]]}'
struct.pack = lambda *a: b"\\0" * 8
sys.exit = sys.excepthook = lambda *a: None
""", says=""),
    cheat("patched builtins and operators", """
import builtins, operator
operator.eq = operator.sub = operator.lt = lambda *a: True
builtins.isinstance = builtins.issubclass = builtins.all = builtins.any = lambda *a: True
builtins.AssertionError = builtins.Exception
""", says=""),
    cheat("patched wire", """
from dlcourse.grading import wire
old = wire.pack
wire.pack = lambda message, hold=None: old({"value": True, "passed": True, "points": 99, "score": 99}, hold)
"""),
    cheat("equal to everything", EVERYTHING_EQUAL + "relu_gradient = lambda x: Yes()\nCounter = Yes()\nanswer = Yes()",
          says="an object of type Yes"),
    cheat("a list of things equal to everything", EVERYTHING_EQUAL + "relu_gradient = lambda x: [Yes()] * 3"),
    cheat("array subclass with __array_function__", """
class Liar(np.ndarray):
    def __array_function__(self, function, types, args, kwargs): return True
    def __eq__(self, other): return np.ones(self.shape, bool)
relu_gradient = lambda x: np.zeros(np.shape(x)).view(Liar)
""", says="type Liar"),
    cheat("array subclass with __array_ufunc__", """
class Liar(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return np.True_
    def astype(self, *a, **k): return self
relu_gradient = lambda x: np.zeros(np.shape(x)).view(Liar)
"""),
    cheat("__array_interface__ at a wild address", """
class Wild:
    __array_interface__ = {"shape": (3,), "typestr": "<f8", "data": (1, False), "version": 3}
relu_gradient = lambda x: Wild()
"""),
    cheat("number subclasses", """
class Number(float):
    __eq__ = __ne__ = __lt__ = __gt__ = lambda self, other: True
    __sub__ = __rsub__ = lambda self, other: 0.0
    __hash__ = None
relu_gradient = lambda x: [Number(5)] * 3
Counter = lambda total: type("C", (), {"add": lambda self, n: Number(1), "total": Number(2)})()
answer = Number(3)
"""),
    cheat("masked array", "relu_gradient = lambda x: np.ma.masked_all(np.shape(x))"),
    cheat("NaN", "relu_gradient = lambda x: np.full(np.shape(x), np.nan)"),
    cheat("infinity", "relu_gradient = lambda x: np.full(np.shape(x), np.inf)\nanswer = float('inf')"),
    cheat("NaN in an object array", "relu_gradient = lambda x: np.array([None, np.nan, 'x'], dtype=object)"),
    cheat("broadcast shape", "relu_gradient = lambda x: np.ones((1, 1))"),
    cheat("no values at all", "relu_gradient = lambda x: np.zeros((0, 3))"),
    cheat("complex with a hidden part", "relu_gradient = lambda x: np.zeros(np.shape(x)) + 1e6j", says="1e+06"),
    cheat("zeroed argument", """
def relu_gradient(x):
    if type(x) is np.ndarray: x[...] = -1
    return np.zeros(np.shape(x))
"""),
    cheat("argument turned into the answer", """
def relu_gradient(x):
    if type(x) is np.ndarray: x[...] = 5
    return x
"""),
    cheat("frames and collected objects", """
import gc, sys
def relu_gradient(x):
    frame, found = sys._getframe(), []
    while frame:
        found += [v for v in frame.f_locals.values() if type(v) is np.ndarray and v.dtype != float]
        frame = frame.f_back
    found += [o for o in gc.get_objects() if type(o) is np.ndarray and o.shape == np.shape(x) and o is not x]
    return found[0] if found else np.full(np.shape(x), 7.0)
"""),
    cheat("the seed in the environment", """
import os, zlib
def relu_gradient(x):
    seed = int(os.environ["DLCOURSE_CHECKS_SEED"])
    return np.random.default_rng([seed, zlib.crc32(b"q1")]).normal(size=(4, 3)) > 0
"""),
    cheat("the tests on the disk", """
import os
sources = []
for root in ("/", "/proc/1/root", "/proc/1/cwd", "/proc/self/cwd"):
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in ("proc", "sys", "usr", "lib", "site-packages", "dev", "bin")]
        sources += [os.path.join(folder, f) for f in files if f in ("q1.py", "master.ipynb", "run.json", "grades.csv")]
relu_gradient = lambda x: np.asarray(x) > 0 if sources else np.full(np.shape(x), 7.0)
"""),
    cheat("the parent's memory and files", """
import glob
leaks = []
for pattern in ("/proc/[0-9]*/environ", "/proc/[0-9]*/mem", "/proc/[0-9]*/cmdline", "/proc/[0-9]*/fd/*"):
    for path in glob.glob(pattern):
        try:
            with open(path, "rb") as file: leaks.append(file.read(100_000) if "fd" not in path else b"")
        except OSError:
            pass
found = any(b"expect_close" in leak or b"DLCOURSE_CHECKS" in leak or b"pytest" in leak for leak in leaks)
relu_gradient = lambda x: np.asarray(x) > 0 if found else np.full(np.shape(x), 7.0)
"""),
    cheat("forged replies", PIPE + """
for _ in range(50):
    os.write(pipe, wire.pack({"value": True, "passed": True, "points": 99}))
"""),
    cheat("forged error of the grader", PIPE + """
def relu_gradient(x):
    os.write(pipe, wire.pack({"error": "not graded", "kinds": ("SandboxError", "CheckFailed", "SystemExit")}))
"""),
    cheat("forged reply of another shape", PIPE + """
def relu_gradient(x):
    os.write(pipe, wire.pack(["value", {"value": 1}]))
""", says="disturbed the pipe"),
    cheat("forged truth values", PIPE + """
def relu_gradient(x):
    text = b'{"dict":[["value",{"array":["bool",[3],0]}]]}'
    os.write(pipe, wire.HEADER.pack(wire.MARK, len(text), 3) + b"\\2\\2\\2" + text)
"""),
    cheat("forged handle", PIPE + """
def relu_gradient(x):
    os.write(pipe, wire.pack({"value": wire.Handle(0, "float64")}))
"""),
    cheat("pickle in a reply", PIPE + """
import pickle
class Run:
    def __reduce__(self): return os.system, ("touch /tmp/harmed",)
def relu_gradient(x):
    data = pickle.dumps(Run())
    os.write(pipe, wire.HEADER.pack(wire.MARK, len(data), 0) + data)
""", says="not a message"),
    cheat("right once, then wrong", """
calls = []
def relu_gradient(x):
    calls.append(1)
    return np.asarray(x) > 0 if len(calls) == 1 else np.full(np.shape(x), 7.0)
""", earned=1),
    cheat("detects the checker", """
import inspect
def relu_gradient(x):
    names = [frame.function + frame.filename for frame in inspect.stack()]
    checked = any("test_" in name or "check" in name or "q1" in name for name in names)
    return np.asarray(x) > 0 if checked else np.full(np.shape(x), 7.0)
"""),
    cheat("public answers written down", """
def relu_gradient(x):
    return np.array([0.0, 1.0, 1.0])
class Counter:
    total = 5
    def __init__(self, total): pass
    def add(self, number): return 5
answer = 42
""", earned=3),
    cheat("lazily computed", """
def relu_gradient(x):
    return (value > 0 for value in x)
class Counter:
    def __init__(self, total): self.total = map(abs, [5])
    def add(self, number): return iter([5])
answer = range(42)
""", says="an object of type generator"),
    cheat("raises the checks' own errors", """
class CheckFailed(AssertionError): pass
class StudentError(Exception): pass
def relu_gradient(x):
    raise type("SkipTest", (StudentError, CheckFailed), {})("passed")
"""),
    cheat("predicts the random inputs", """
class Same:
    def __getattr__(self, name): return lambda *a, size=None, **k: np.ones(size or 3)
np.random.default_rng = np.random.Generator = lambda *a: Same()
np.random.seed(0)
relu_gradient = lambda x: np.ones(np.shape(x))
"""),
    cheat("the answers from the network", """
import glob, socket
found = []
for family, kind, address in [(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 22)),
                              (socket.AF_INET, socket.SOCK_DGRAM, ("192.0.2.1", 53)),
                              (socket.AF_INET6, socket.SOCK_STREAM, ("::1", 80)),
                              *[(socket.AF_UNIX, socket.SOCK_STREAM, path) for path in
                                ["\\0dbus", *glob.glob("/run/**", recursive=True), *glob.glob("/var/run/*")]]]:
    try:
        with socket.socket(family, kind) as line:
            line.settimeout(0.2)
            line.connect(address)
            found.append(address)
    except OSError:
        pass
relu_gradient = lambda x: np.asarray(x) > 0 if found else np.full(np.shape(x), 7.0)
"""),
    cheat("the tests behind a symbolic link", """
import os
found = []
for number, target in enumerate(("/", "/proc/1/root", "/proc/1/cwd", "/proc/self/exe/../..", "/etc/shadow", "..")):
    os.symlink(target, f"link{number}")
    for path in ("", "/tests", "/work", "/home", "/root", "/etc/passwd"):
        try: found += [name for name in os.listdir(f"link{number}{path}") if name.startswith(("q1", "tests", "master"))]
        except OSError: pass
        try: found.append(open(f"link{number}{path}").read(1))
        except OSError: pass
relu_gradient = lambda x: np.asarray(x) > 0 if found else np.full(np.shape(x), 7.0)
"""),
    cheat("the tests by a subprocess", """
import subprocess
said = subprocess.run("find / -name 'q1.py' -o -name master.ipynb -o -name run.json 2>/dev/null; cat /proc/*/environ",
                      shell=True, capture_output=True, text=True).stdout
found = "q1.py" in said or "master" in said or "PYTEST" in said
relu_gradient = lambda x: np.asarray(x) > 0 if found else np.full(np.shape(x), 7.0)
"""),
    cheat("the grader by ctypes", """
import ctypes
library, found = ctypes.CDLL(None, use_errno=True), []
for number in range(1, 40):
    word = ctypes.create_string_buffer(8)
    local, there = (ctypes.c_size_t * 2)(ctypes.addressof(word), 8), (ctypes.c_size_t * 2)(0x400000, 8)
    found += [number] * (library.process_vm_readv(number, local, 1, there, 1, 0) > 0)
    found += [number] * (library.ptrace(16, number, 0, 0) == 0)
    handle = library.syscall(434, number, 0)                # pidfd_open, pidfd_getfd: another's open files
    found += [number] * (handle >= 0 and library.syscall(438, handle, 0, 0) >= 0)
relu_gradient = lambda x: np.asarray(x) > 0 if found else np.full(np.shape(x), 7.0)
"""),
    cheat("the handles of the pipe", """
from dlcourse.checks import TensorData
from dlcourse.grading.wire import Handle
def relu_gradient(x):
    return [Handle(0, "float64"), Handle(1, "ndarray"), Handle(10**9, "float64")]
class Counter:
    def __init__(self, total): self.total = Handle(0, "int")
    def __new__(cls, total): return Handle(10**9, "Counter")
answer = TensorData(Handle(0, "ndarray"), True)
"""),
    cheat("pickled or copied into something else", """
import copyreg, os
class Right:
    def __reduce_ex__(self, protocol): return os.system, ("touch /tmp/harmed",)
    __reduce__ = __getstate__ = __copy__ = __deepcopy__ = lambda self, *a: np.ones(3)
    __class__ = np.ndarray
copyreg.pickle(Right, lambda right: (np.ones, (3,)))
relu_gradient = lambda x: Right()
answer = Right()
""", says="an object of type Right"),
    cheat("every other way to be an array", """
class Right:
    __array_struct__ = __array_priority__ = __array_namespace__ = property(lambda self: np.ones(3).__array_struct__)
    def __array__(self, dtype=None, copy=None): return np.array([0.0, 1, 1])
    def __dlpack__(self, **k): return np.ones(3).__dlpack__()
    def __dlpack_device__(self): return 1, 0
    def __buffer__(self, flags): return memoryview(b"x" * 24)
    def __array_wrap__(self, *a, **k): return self
    def __index__(self): return 42
    def __complex__(self): return 42 + 0j
relu_gradient = lambda x: Right()
answer = Right()
""", says="an object of type Right"),
    cheat("containers of its own", """
class Sneaky(list):
    def __iter__(self): return iter([0.0, 1.0, 1.0])
    def __len__(self): return 3
class Map(dict):
    def items(self): return [("x", 1)]
relu_gradient = lambda x: Sneaky() if np.ndim(x) == 1 else memoryview(b"\\0" * 96).cast("d")
answer = Map()
""", says="an object of type Sneaky"),
    cheat("tuples of its own", """
class Sneaky(tuple):
    def __iter__(self): return iter([0.0, 1.0, 1.0])
    def __len__(self): return 3
    def __getitem__(self, index): return 1.0
    def __getattribute__(self, name): return lambda *a: 5
    def __array__(self, *a, **k): return np.array([0.0, 1.0, 1.0])
    __eq__ = __bool__ = __contains__ = lambda self, *a: True
    __hash__ = None
relu_gradient = lambda x: Sneaky([7.0, 7.0])
Counter = lambda total: Sneaky([total])
answer = Sneaky([42])
""", says="got shape (2,)"),
    cheat("forged parts of a tuple", PIPE + """
parts = [wire.Handle(0, "float64", (1.0,)), (wire.Handle(10**9, "Row", ()),), (0.0, wire.Handle(0, "tuple", None))]
def relu_gradient(x):
    os.write(pipe, wire.pack({"value": wire.Handle(0, "ndarray", parts[np.ndim(x)])}))
"""),
    cheat("tensors with hooks", """
import torch
class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None): return torch.ones(3, dtype=torch.float64)
torch.Tensor.numpy = torch.Tensor.__array__ = lambda self, *a: np.array([0.0, 1, 1])[:np.shape(self)[0]]
torch.allclose = torch.equal = torch.testing.assert_close = lambda *a, **k: True
held = torch.zeros(3, requires_grad=True)
held.register_hook(lambda gradient: gradient / 0)
def relu_gradient(x):
    if np.ndim(x) == 1: return torch.zeros(3).as_subclass(Liar)
    return (held * 2).to_sparse()
""", says="an object of type Liar"),
    cheat("the guard's files and memory", """
import os
reached = []
for path in ["mem", "environ", "maps", "cwd", "root/etc/shadow", *[f"fd/{n}" for n in range(20)]]:
    for way in (os.O_RDONLY, os.O_RDWR):
        try: reached.append(os.open(f"/proc/1/{path}", way | os.O_NONBLOCK))
        except OSError: pass
relu_gradient = lambda x: np.asarray(x) > 0 if reached else np.full(np.shape(x), 7.0)
"""),
    cheat("files that the grader left open", """
import os
kinds = {}
for fd in os.listdir("/proc/self/fd"):
    try: kinds[fd] = os.readlink(f"/proc/self/fd/{fd}")
    except OSError: pass
strange = [kind for kind in kinds.values() if not kind.startswith(("/dev/null", "pipe:", "/proc/"))]
strange += [1] * (sum(kind.startswith("pipe:") for kind in kinds.values()) != 2)
relu_gradient = lambda x: np.asarray(x) > 0 if strange else np.full(np.shape(x), 7.0)
"""),
    cheat("hooks of the interpreter", """
import sys
def hook(*arguments): return hook
sys.settrace(hook); sys.setprofile(hook); sys.addaudithook(lambda *a: None)
sys.unraisablehook = sys.displayhook = hook
sys.set_asyncgen_hooks(hook, hook)
sys.setrecursionlimit(10**6)
sys.modules["dlcourse.checks"] = sys.modules["numpy"] = sys.modules["json"] = hook
"""),
    cheat("a type with a name of its own", """
Evil = type("<script>alert(1)</script>\\n=1\\x1b[2J" + "x" * 10**6, (), {})
relu_gradient = lambda x: Evil()
answer = Evil()
""", says="an object of type scriptalert1script1"),
    cheat("text for a table, a page and a terminal", """
def relu_gradient(x):
    raise ValueError("=HYPERLINK(1) <script>alert(1)</script> \\x1b[2J \\ud800 \\u202e")
"""),
]

GONE = "ended the Python process"
LONG = "took more than"
HARMS = [
    harm("os._exit in a cell", "import os\nos._exit(0)"),
    harm("os._exit in a call", "import os\ndef relu_gradient(x):\n    os._exit(0)", says=GONE),
    harm("sys.exit in a cell", "import sys\nsys.exit('done')"),
    harm("BaseException in a call", "def relu_gradient(x):\n    raise KeyboardInterrupt", says="KeyboardInterrupt"),
    harm("kills itself", "import os\ndef relu_gradient(x):\n    os.kill(os.getpid(), 9)", says=GONE),
    harm("kills everybody", "import os\ndef relu_gradient(x):\n    os.kill(-1, 9)"),
    harm("kills its parent", "import os\ndef relu_gradient(x):\n    os.kill(os.getppid(), 9)"),
    harm("stops itself", "import os, signal\ndef relu_gradient(x):\n    os.kill(os.getpid(), signal.SIGSTOP)",
         says=LONG, **SHORT),
    harm("ignores every signal", """
import signal
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
def relu_gradient(x):
    while True: pass
""", says=LONG, **SHORT),
    harm("segmentation fault", "import ctypes\ndef relu_gradient(x):\n    ctypes.string_at(0)", says=GONE),
    harm("closes every file", "import os\ndef relu_gradient(x):\n    os.closerange(0, 100)"),
    harm("writes to every open file", """
import os
def relu_gradient(x):
    for fd in range(100):
        try: os.write(fd, b"\\xff" * 100)
        except OSError: pass
"""),
    harm("oversized reply", PIPE + """
def relu_gradient(x):
    os.write(pipe, wire.HEADER.pack(wire.MARK, 0xFFFFFFFF, 0xFFFFFFFF))
""", says="bytes of text"),
    harm("an error of a megabyte", PIPE + """
def relu_gradient(x):
    data = wire.pack({"error": "\\x1b\\u202e" * 300_000, "text": "", "kinds": ()})
    while data: data = data[os.write(pipe, data):]
""", earned=0, says="600000 characters"),
    harm("an error that is no text", PIPE + """
def relu_gradient(x):
    os.write(pipe, wire.pack({"error": {"a": [1, 2]}, "text": 5, "kinds": {"SandboxError": 1}}))
""", earned=0, says="disturbed the pipe"),
    harm("large arrays as changed arguments", PIPE + """
def relu_gradient(x):
    data = wire.pack({"value": 1.0, "changed": {0: np.zeros(7_000_000)}})
    while data: data = data[os.write(pipe, data):]
""", earned=0),
    harm("half a reply", PIPE + """
def relu_gradient(x):
    os.write(pipe, wire.HEADER.pack(wire.MARK, 100, 0))
    os.kill(0, 19)
""", says=LONG, **SHORT),
    harm("one array many times in a reply", PIPE + """
def relu_gradient(x):
    part = b'{"array":["uint8",[64],0]}'
    text = b'{"dict":[["value",[' + b",".join([part] * 40) + b']]]}'
    os.write(pipe, wire.HEADER.pack(wire.MARK, len(text), 64) + text + b"\\0" * 64)
""", says="arrays that do not follow one another"),
    harm("endless replies", PIPE + """
def relu_gradient(x):
    while True: os.write(pipe, wire.pack({"value": 1}))
""", earned=0),
    harm("deeply nested text", PIPE + """
def relu_gradient(x):
    text = b"[" * 1_000_000
    data = wire.HEADER.pack(wire.MARK, len(text), 0) + text
    while data: data = data[os.write(pipe, data):]
""", says="nested deeper"),
    harm("array longer than its bytes", PIPE + """
def relu_gradient(x):
    text = b'{"dict":[["value",{"array":["float64",[99999999999,99999999999],0]}]]}'
    os.write(pipe, wire.HEADER.pack(wire.MARK, len(text), 0) + text)
""", says="longer than its bytes"),
    harm("array of objects in a forged reply", PIPE + """
def relu_gradient(x):
    text = b'{"dict":[["value",{"array":["object",[3],0]}]]}'
    os.write(pipe, wire.HEADER.pack(wire.MARK, len(text), 24) + text + b"\\1" * 24)
""", says="not a message"),
    harm("list that holds itself", "def relu_gradient(x):\n    a = []\n    a.append(a)\n    return a",
         says="nested deeper"),
    harm("a million values", "def relu_gradient(x):\n    return [0.0] * 1_000_000", says="values; use an array"),
    harm("array of a gigabyte", "def relu_gradient(x):\n    return np.broadcast_to(0.0, (10**8,))",
         says="bytes of arrays"),
    harm("number with many digits", "def relu_gradient(x):\n    return 10**5000", says="64 bits"),
    harm("endless recursion", "def relu_gradient(x):\n    return relu_gradient(x)", says="RecursionError"),
    harm("endless loop in a cell", "while True: pass", cell_seconds=2),
    harm("endless loop in a call", "def relu_gradient(x):\n    while True: pass", says=LONG, **SHORT),
    harm("endless loop in a module", """
with open("looping.py", "w") as file: file.write("while True: pass")
import sys
sys.path.insert(0, ".")
import looping
""", cell_seconds=2),
    harm("endless loop in __repr__", """
class Slow(Exception):
    def __repr__(self):
        while True: pass
    __str__ = __repr__
def relu_gradient(x):
    raise Slow()
""", says=LONG, **SHORT),
    harm("endless loop in __del__", """
class Slow:
    def __del__(self):
        while True: pass
def relu_gradient(x):
    Slow()
    return x > 0
""", says=LONG, **SHORT),
    harm("endless loop in an attribute", """
class Slow:
    @property
    def __class__(self):
        while True: pass
    def __getattr__(self, name):
        while True: pass
relu_gradient = Slow()
""", **SHORT),
    harm("sleeps", "import time\ndef relu_gradient(x):\n    time.sleep(1000)", says=LONG, **SHORT),
    harm("waits for input", "import sys\ntry: input()\nexcept EOFError: sys.stdin.read()\n" + GOOD_1,
         earned=POINTS_1 + POINTS_2),
    harm("prints without end", "for _ in range(20_000): print('x' * 1000)\n" + GOOD_1, earned=POINTS_1 + POINTS_2),
    harm("threads that outlive the call", PIPE + """
import threading
def flood():
    while True: os.write(pipe, b"\\0" * 4096)
def relu_gradient(x):
    threading.Thread(target=flood, daemon=True).start()
    return x > 0
""", earned=None),
    harm("processes that outlive the call", """
import os
def relu_gradient(x):
    if os.fork() == 0:
        try: os.setsid()
        except OSError: pass
        while True: pass
    return x > 0
""", earned=None, **SHORT),
    harm("fork bomb", """
import os
def relu_gradient(x):
    while True:
        try: os.fork()
        except OSError: pass
""", says="", **SHORT),
    harm("thread bomb", """
import threading
def relu_gradient(x):
    wait = threading.Event()
    while True: threading.Thread(target=wait.wait, daemon=True).start()
""", says="can't start new thread"),
    harm("memory bomb in one array", "def relu_gradient(x):\n    return np.ones(10**11)", says="MemoryError"),
    harm("memory bomb in small pieces", "kept = []\ndef relu_gradient(x):\n    while True: kept.append(np.ones(10**6))",
         says="MiB of memory", memory=200 << 20),
    harm("memory bomb in many processes", """
import os
def relu_gradient(x):
    for _ in range(6):
        if os.fork() == 0:
            kept = np.ones(4 * 10**6)
            while True: pass
    while True: pass
""", says="MiB of memory", memory=150 << 20),
    harm("disk bomb", """
def relu_gradient(x):
    for number in range(100):
        with open(f"{number}.bin", "wb") as file: file.write(b"x" * (8 << 20))
""", says="No space left"),
    harm("one large file", """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def relu_gradient(x):
    with open("large.bin", "wb") as file: file.write(b"x" * (32 << 20))
""", says="File too large"),
    harm("a file for every number", """
def relu_gradient(x):
    number = 0
    while True:
        number += 1
        open(str(number), "w").close()
""", says="more than 500 files", scratch_files=500),
    harm("deletes everything", """
import shutil
for path in ("/tmp", "/opt", "/usr/share", "/etc", "/dev/shm", "/proc/1"):
    shutil.rmtree(path, ignore_errors=True)
""" + GOOD_1, earned=POINTS_1 + POINTS_2),
    harm("changes the package", """
import dlcourse.grading.wire, os
for path in (dlcourse.grading.wire.__file__, np.__file__):
    for way in (os.remove, os.truncate.__call__, lambda p: open(p, "w"), lambda p: os.chmod(p, 0o777)):
        try: way(path)
        except (OSError, TypeError): pass
""" + GOOD_1, earned=POINTS_1 + POINTS_2),
    harm("noise in the pipe", PIPE + "os.write(pipe, b'\\0' * 3)"),
]

ATTACKS = CHEATS + HARMS
