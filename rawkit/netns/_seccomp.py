"""Which kinds of sockets a program may open: a filter of its system calls (seccomp(2)).

Network namespaces confine only those families that know of them. AF_VSOCK, for one, leads out of a virtual machine
from wherever a program is.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from typing import Final, NamedTuple

from rawkit.pcap.bpf import ABS, JEQ, JMP, LD, RET, K, W

__all__ = ["forbid_other_sockets"]

FAMILIES: Final = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, 44)
"""Those that belong to a network namespace; the last is AF_XDP (<linux/socket.h>)."""

PR_SET_SECCOMP: Final = 22  # <linux/prctl.h>
SECCOMP_MODE_FILTER: Final = 2  # <linux/seccomp.h>, as what follows
ALLOW: Final = 0x7FFF_0000
ERRNO: Final = 0x0005_0000
NUMBER_AT, ARCHITECTURE_AT, ARGUMENT_AT = 0, 4, 16
"""Where struct seccomp_data has the call's number, the architecture, and the first argument's lower half."""

JGE: Final = 0x30  # <linux/bpf_common.h>
X32: Final = 0x4000_0000  # __X32_SYSCALL_BIT (<asm/unistd.h>): the same calls under other numbers
IO_URING_SETUP: Final = 425  # <asm-generic/unistd.h>: opens sockets without the call of that name

_INSTRUCTION: Final = struct.Struct("=HBBI")  # struct sock_filter (<linux/filter.h>)
_PROGRAM: Final = struct.Struct("@HP")  # struct sock_fprog (<linux/filter.h>)


class _Machine(NamedTuple):
    """An architecture by its number in <linux/audit.h>, and its numbers of calls (<asm/unistd.h>)."""

    architecture: int
    socket: int
    socketpair: int


_MACHINES: Final = {
    "x86_64": _Machine(0xC000_003E, 41, 53),
    "aarch64": _Machine(0xC000_00B7, 198, 199),
    "riscv64": _Machine(0xC000_00F3, 198, 199),
}

_libc = ctypes.CDLL(None, use_errno=True)


def forbid_other_sockets() -> None:
    """Have this process, and all that it starts, open sockets of `FAMILIES` only; others fail with EAFNOSUPPORT.

    Calls of other architectures, such as of 32 bits, and io_uring fail with ENOSYS, as if there were none. On a
    machine that is not known here, nothing changes. Takes CAP_SYS_ADMIN. Raises OSError.
    """
    machine = _MACHINES.get(os.uname().machine)
    if machine is None or struct.calcsize("P") != 8:
        return
    program = _program(machine)
    instructions = ctypes.create_string_buffer(b"".join(_INSTRUCTION.pack(*each) for each in program))
    filter = ctypes.create_string_buffer(_PROGRAM.pack(len(program), ctypes.addressof(instructions)))
    arguments = (ctypes.c_ulong(SECCOMP_MODE_FILTER), filter, ctypes.c_ulong(0), ctypes.c_ulong(0))
    if _libc.prctl(ctypes.c_int(PR_SET_SECCOMP), *arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl: {os.strerror(number)}")


def _program(machine: _Machine) -> list[tuple[int, int, int, int]]:
    """Instructions as code, jumps where it holds and where not, and constant; the last three are the outcomes."""
    allow, missing, unsupported = (len(FAMILIES) + 8 + at for at in range(3))
    steps: list[tuple[int, int, int, int]] = []

    def load(offset: int) -> None:
        steps.append((LD | W | ABS, 0, 0, offset))

    def jump(test: int, value: int, yes: int | None, no: int | None = None) -> None:
        """To that step, or on to the next."""
        here = len(steps) + 1
        steps.append((JMP | test | K, (yes or here) - here, (no or here) - here, value))

    load(ARCHITECTURE_AT)
    jump(JEQ, machine.architecture, None, missing)
    load(NUMBER_AT)
    jump(JGE, X32, missing)
    jump(JEQ, IO_URING_SETUP, missing)
    jump(JEQ, machine.socketpair, len(steps) + 2)
    jump(JEQ, machine.socket, None, allow)
    load(ARGUMENT_AT)
    for family in FAMILIES[:-1]:
        jump(JEQ, family, allow)
    jump(JEQ, FAMILIES[-1], allow, unsupported)
    for outcome in (ALLOW, ERRNO | errno.ENOSYS, ERRNO | errno.EAFNOSUPPORT):
        steps.append((RET | K, 0, 0, outcome))
    return steps
