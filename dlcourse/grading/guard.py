"""The first process of a sandbox: it ends the sandbox as soon as the grader has gone, however that went.

A killed grader can tell nobody, and a signal that the kernel sends at a parent's death is missed by
whoever asks for it too late. The end of a pipe is never missed: the grader alone holds the writing
end of the lifeline, the kernel closes it when the grader ends, and the guard sees that whenever it looks.
"""

import ctypes
import os
import select
import signal

__all__ = ["guard"]

PR_SET_DUMPABLE = 4


def guard(lifeline):
    """Split in two: the guard, which stays in here, and the process that returns to become the worker.

    In a process namespace of its own the guard is the first process: at its end the kernel ends all others.

    Parameters
    ----------
    lifeline : int
        File descriptor of the reading end.
    """
    # A student's code may run as the same user: it must not write into the guard's memory or use its files.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    worker = os.fork()
    if worker == 0:
        os.close(lifeline)
        return
    os.closerange(0, 2)                           # the worker's own pipes, whose end must be seen when it ends
    ended = select.poll()
    ended.register(lifeline, 0)                   # that its other end is closed is told without being asked for
    ended.register(os.pidfd_open(worker), select.POLLIN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what loses its parent in here leaves nothing behind
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # without a handler the first process is deaf to signals from inside
    ended.poll()
    os.killpg(0, signal.SIGKILL)                  # without a sandbox there is no namespace, but a group
    os._exit(0)
