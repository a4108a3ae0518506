"""What a program may ask of the kernel: a filter of its system calls (seccomp(2)).

Network namespaces confine only those families of sockets that know of them. AF_VSOCK, for one, leads out of a
virtual machine from wherever a program is, and AF_UNIX to every service that listens at a path. Keys
(keyrings(7)) belong to users, wherever they are.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from rawkit.pcap.bpf import ABS, ALU, JEQ, JMP, LD, RET, K, W

__all__ = ["forbid_ways_out"]

FAMILIES: Final = (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, 44)
"""Those that belong to a network namespace; the last is AF_XDP (<linux/socket.h>)."""

PAIRS: Final = (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)
"""Connected for good where they are made as pairs; a datagram can be sent elsewhere (unix(7))."""

TYPE: Final = 0xF  # SOCK_TYPE_MASK (<linux/net.h>): the rest are SOCK_CLOEXEC and SOCK_NONBLOCK

PR_SET_SECCOMP: Final = 22  # <linux/prctl.h>
SECCOMP_MODE_FILTER: Final = 2  # <linux/seccomp.h>, as what follows
ALLOW: Final = 0x7FFF_0000
ERRNO: Final = 0x0005_0000
NUMBER_AT, ARCHITECTURE_AT, FAMILY_AT, TYPE_AT = 0, 4, 16, 24
"""Where struct seccomp_data has the call's number, the architecture, and the lower halves of two arguments."""

JGE, AND = 0x30, 0x50  # <linux/bpf_common.h>
X32: Final = 0x4000_0000  # __X32_SYSCALL_BIT (<asm/unistd.h>): the same calls under other numbers
IO_URING_SETUP: Final = 425  # <asm-generic/unistd.h>: opens sockets without the call of that name

_INSTRUCTION: Final = struct.Struct("=HBBI")  # struct sock_filter (<linux/filter.h>)
_PROGRAM: Final = struct.Struct("@HP")  # struct sock_fprog (<linux/filter.h>)


class _Machine(NamedTuple):
    """An architecture by its number in <linux/audit.h>, and its numbers of calls (<asm/unistd.h>)."""

    architecture: int
    socket: int
    socketpair: int
    keys: tuple[int, int, int]
    """add_key(2), request_key(2) and keyctl(2)."""


_MACHINES: Final = {
    "x86_64": _Machine(0xC000_003E, 41, 53, (248, 249, 250)),
    "aarch64": _Machine(0xC000_00B7, 198, 199, (217, 218, 219)),
    "riscv64": _Machine(0xC000_00F3, 198, 199, (217, 218, 219)),
}

_libc = ctypes.CDLL(None, use_errno=True)


def forbid_ways_out() -> None:
    """Have this process, and all that it starts, open sockets of `FAMILIES` only; others fail with EAFNOSUPPORT.

    Pairs of UNIX sockets are permitted as far as they lead nowhere else. Calls about keys, those of other
    architectures, such as of 32 bits, and io_uring fail with ENOSYS, as if there were none. On a machine that is
    not known here, nothing changes. Takes CAP_SYS_ADMIN. Raises OSError.
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
    """Instructions as code, jumps where it holds and where not, and constant."""
    outcomes = {"allow": ALLOW, "missing": ERRNO | errno.ENOSYS, "unsupported": ERRNO | errno.EAFNOSUPPORT}
    steps: list[
        tuple[int, int, str, str]
    ] = []  # the jumps by the labels that they lead to, empty for the next step
    labels: dict[str, int] = {}

    def load(offset: int) -> None:
        steps.append((LD | W | ABS, offset, "", ""))

    def jump(test: int, value: int, yes: str, no: str = "") -> None:
        steps.append((JMP | test | K, value, yes, no))

    def one_of(values: Sequence[int]) -> None:
        for value in values:
            jump(JEQ, value, "allow")
        jump(JGE, 0, "unsupported")  # always

    load(ARCHITECTURE_AT)
    jump(JEQ, machine.architecture, "", "missing")
    load(NUMBER_AT)
    jump(JGE, X32, "missing")
    for number in (IO_URING_SETUP, *machine.keys):
        jump(JEQ, number, "missing")
    jump(JEQ, machine.socketpair, "pair")
    jump(JEQ, machine.socket, "", "allow")
    load(FAMILY_AT)
    one_of(FAMILIES)
    labels["pair"] = len(steps)
    load(FAMILY_AT)
    jump(JEQ, socket.AF_UNIX, "", "unsupported")
    load(TYPE_AT)
    steps.append((ALU | AND | K, TYPE, "", ""))
    one_of(PAIRS)
    for label, outcome in outcomes.items():
        labels[label] = len(steps)
        steps.append((RET | K, outcome, "", ""))
    return [
        (code, labels.get(yes, here) - here, labels.get(no, here) - here, value)
        for here, (code, value, yes, no) in enumerate(steps, 1)
    ]
