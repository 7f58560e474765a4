"""Go into a sandbox that bubblewrap has made, and give up every right on the way.

Runs in a child of the warm parent (see `warm`), before a line of a stranger's code does.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Collection

__all__ = [
    "die_with_parent", "forbidden", "give_up_rights", "join", "keep_to",
    "new_session", "shut",
]  # fmt: skip

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x00020000, 0x02000000, 0x04000000
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x08000000, 0x10000000, 0x20000000
CLONE_NEWNET = 0x40000000
NAMESPACES = (
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
KEYCTL_JOIN_SESSION_KEYRING = 1
CAPABILITY_VERSION_3 = 0x20080522
# a kernel binds one of its pipes to 127.0.0.1, for which ZeroMQ asks what networks there are
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16

# Ways to memory that no limit counts, to namespaces of one's own, into other processes, and to
# rarely used corners of the kernel. Each call fails with EPERM.
FORBIDDEN = (
    "memfd_create", "memfd_secret", "shmget", "shmat", "semget", "msgget", "mq_open",
    "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsmount",
    "move_mount", "open_tree", "mount_setattr",
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    "keyctl", "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "fanotify_init", "name_to_handle_at",
    "open_by_handle_at", "personality", "quotactl", "swapon", "acct", "syslog", "reboot",
    "kexec_load", "init_module", "finit_module", "delete_module", "vmsplice",
)  # fmt: skip

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def join(sandbox: int, user_namespace: bool) -> None:
    """Enter all namespaces of a process. New children are in its pid namespace.

    Args:
        sandbox: A pidfd of a process in the sandbox.
        user_namespace: Whether the sandbox has a user namespace too.
    """
    _check(libc.setns(sandbox, NAMESPACES | (CLONE_NEWUSER if user_namespace else 0)), "setns")


def new_session() -> None:
    """A session of its own, with an empty keyring."""
    os.setsid()
    import platform

    keyctl = {"x86_64": 250, "aarch64": 219}.get(platform.machine())
    if keyctl is not None:
        libc.syscall(keyctl, KEYCTL_JOIN_SESSION_KEYRING, None)  # fails where there are no keys


def die_with_parent() -> None:
    """Be killed when the parent ends. Any change of rights undoes this."""
    _check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def shut(keep: Collection[int]) -> None:
    """Close every file but those; standard streams that are not among them lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in {0, 1, 2} - set(keep):
        os.dup2(nowhere, stream)
    last = 2
    for number in sorted(n for n in keep if n > 2):
        os.closerange(last + 1, number)
        last = number
    os.closerange(last + 1, 65536)


def keep_to(limits: dict[str, int], process: int = 0) -> None:
    """Set the limits that the kernel itself keeps (see `limits.Limits`); 0 is this process."""
    for name, limit in (
        (resource.RLIMIT_AS, limits["address_space"]),
        (resource.RLIMIT_CPU, limits["cpu"]),
        (resource.RLIMIT_FSIZE, limits["file_size"]),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_NOFILE, limits["files"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.prlimit(process, name, (limit, limit))


def give_up_rights(user: int | None) -> None:
    """Become nobody, without capabilities, for good.

    Args:
        user: The id to take; None in a user namespace, which has only one.

    Raises:
        OSError, RuntimeError: If any right is left. Then nothing of a stranger's may run.
    """
    _check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "prctl")
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # the kernel knows no more
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    _check(libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    _check(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl")
    forbidden().load()
    _check_that_nothing_is_left()


def forbidden():  # type: ignore[no-untyped-def]
    """The filter of system calls, not yet loaded."""
    import errno

    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    refuse = seccomp.ERRNO(errno.EPERM)
    for name in FORBIDDEN:
        try:
            rules.add_rule(refuse, name)
        except (OSError, ValueError):  # not a call of this machine, or newer than libseccomp
            continue
    # glibc falls back to clone, whose flags a filter can see
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for flag in (CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC):
        rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    # a network namespace does not hold vsock, by which a virtual machine reaches its host
    for family in {*range(64)} - {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}:
        rules.add_rule(refuse, "socket", seccomp.Arg(0, seccomp.EQ, family))
    return rules


def _check_that_nothing_is_left() -> None:
    with open("/proc/self/status", encoding="ascii") as file:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    held = {name: fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    if any(int(value, 16) for value in held.values()):
        raise RuntimeError(f"capabilities are left: {held}")
    if fields["NoNewPrivs"].strip() != "1" or fields["Seccomp"].strip() != "2":
        raise RuntimeError("the filter of system calls is not in place")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
