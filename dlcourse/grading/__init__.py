"""The instructor's side: from a folder of untrusted notebooks to a gradebook that can be trusted.

Two processes share the work. The trusted one (`grade`) holds the tests, the expected values and the
inputs, which it draws anew for every submission. The other one (`worker`) runs the student's code
in a sandbox (`sandbox`), knows no test, and answers calls (`proxies`) in plain data (`wire`). Whatever arrives
from it is a value to be judged, never an instruction, so forging it gains nothing. A third process
(`guard`) ends the sandbox with the grader.

Nothing is imported here: the worker is started for every submission.
"""

__all__ = []
