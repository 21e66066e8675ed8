"""A filter of system calls for the sandbox: what no exercise needs and attacks or memory bombs do.

Namespaces and file permissions already keep a submission from the host. The filter closes what they
leave open: new user namespaces (with them an ordinary process reaches parts of the kernel that only
root should), kernel interfaces with a history of holes, and memory that no limit counts, such as
anonymous files and System V segments. It also keeps a submission from taking processor time away from
the guard and from others: scheduling stays as it is, and so does the session, for which the kernel shares time.
"""

import errno
import platform
import struct

__all__ = ["filter_program"]

# Numbers of the calls on x86-64 and on 64-bit ARM.
DENIED = {
    "acct": (163, 89), "add_key": (248, 217), "bpf": (321, 280), "chroot": (161, 51), "fanotify_init": (300, 262),
    "finit_module": (313, 273), "fsopen": (430, 430), "fspick": (433, 433), "init_module": (175, 105),
    "ioprio_set": (251, 30),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "io_uring_setup": (425, 425),
    "kexec_load": (246, 104), "keyctl": (250, 219), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429), "mq_open": (240, 180),
    "msgget": (68, 186), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "perf_event_open": (298, 241), "pidfd_getfd": (438, 438), "pivot_root": (155, 41), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "ptrace": (101, 117), "quotactl": (179, 60), "request_key": (249, 218),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "semget": (64, 190), "setns": (308, 268), "setpriority": (141, 140),
    "setsid": (112, 157), "shmget": (29, 194), "swapon": (167, 224), "syslog": (103, 116),
    "umount2": (166, 39), "unshare": (272, 97), "userfaultfd": (323, 282),
}
# Column, AUDIT_ARCH, clone, prlimit64.
MACHINES = {"x86_64": (0, 0xC000003E, 56, 302), "aarch64": (1, 0xC00000B7, 220, 261)}
CLONE3 = 435
NEW_NAMESPACES = 0x7E020000                  # all CLONE_NEW... flags but that of time, which clone cannot set
X32 = 0x40000000                             # x86-64's second set of numbers

LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16          # offsets in what the kernel shows of a call
ALLOW, ERROR, KILL = 0x7FFF0000, 0x00050000, 0x80000000


def filter_program(machine=None):
    """Assemble the filter.

    Parameters
    ----------
    machine : str, optional
        ``"x86_64"`` or ``"aarch64"``. Default: this one.

    Returns
    -------
    bytes or None
        Instructions as ``bwrap --seccomp`` reads them; None for a machine whose numbers are not known here.
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        return None
    column, architecture, clone, prlimit = MACHINES[machine]
    deny, absent = ERROR | errno.EPERM, ERROR | errno.ENOSYS
    steps = [(LOAD, 0, 0, ARCHITECTURE), (JUMP_EQUAL, 1, 0, architecture), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)]

    def answer(test, operand, result):
        steps.extend([(test, 0, 1, operand), (RETURN, 0, 0, result)])

    answer(JUMP_GREATER_EQUAL, X32, deny)
    answer(JUMP_EQUAL, CLONE3, absent)       # its flags are out of a filter's sight; libraries then use clone
    for numbers in DENIED.values():
        answer(JUMP_EQUAL, numbers[column], deny)
    # A process sets its own limits as process 0, and nobody else's.
    steps.extend([(JUMP_EQUAL, 0, 4, prlimit), (LOAD, 0, 0, FIRST_ARGUMENT), (JUMP_EQUAL, 1, 0, 0),
                  (RETURN, 0, 0, deny), (RETURN, 0, 0, ALLOW)])
    steps.extend([(JUMP_EQUAL, 0, 3, clone), (LOAD, 0, 0, FIRST_ARGUMENT)])
    answer(JUMP_BITS, NEW_NAMESPACES, deny)
    steps.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("<HBBI", *step) for step in steps)
