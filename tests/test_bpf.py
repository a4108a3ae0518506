"""The machine for classic BPF against libpcap's and the kernel's, and hostile programs."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import cypcap
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawkit.errors import ProgramError
from rawkit.link._kernel import attach_filter
from rawkit.pcap.bpf import Program

Fields = tuple[int, int, int, int]

WORDS = st.integers(0, 2**32 - 1) | st.integers(0, 70) | st.sampled_from([2**31, 2**31 - 1, 2**32 - 1])
RETURN_A = (0x16, 0, 0, 0)
KEEP, REFUSE = (0x06, 0, 0, 1), (0x06, 0, 0, 0)

ABSOLUTE, INDIRECT = (0x20, 0x28, 0x30), (0x40, 0x48, 0x50)
JUMPS = (0x15, 0x25, 0x35, 0x45, 0x1D, 0x2D, 0x3D, 0x4D)
NEAR = st.integers(0, 40)
INSTRUCTIONS = st.one_of(
    *(
        st.tuples(st.sampled_from(codes), st.integers(0, 255), st.integers(0, 255), constants)
        for codes, constants in (
            (ABSOLUTE, NEAR | WORDS),
            (INDIRECT, NEAR),
            ((0xB1,), NEAR),  # ldxb 4*([k]&0xf)
            ((0x00, 0x01), WORDS),  # ld, ldx #k
            ((0x60, 0x61, 0x02, 0x03), st.integers(0, 15)),  # ld, ldx, st, stx M[k]
            ((0x80, 0x81, 0x84, 0x07, 0x87), st.just(0)),  # len, neg, tax, txa
            ((0x04, 0x14, 0x24, 0x44, 0x54, 0xA4), WORDS),  # add, sub, mul, or, and, xor #k
            ((0x34, 0x94), WORDS.map(lambda k: k or 1)),  # div, mod #k
            ((0x64, 0x74), st.integers(0, 31)),  # lsh, rsh #k
            ((0x0C, 0x1C, 0x2C, 0x3C, 0x4C, 0x5C, 0x6C, 0x7C, 0x9C, 0xAC), st.just(0)),  # the same, with X
            (JUMPS, WORDS | st.integers(0, 300)),
            ((0x05, 0x16), WORDS),  # ja, ret a
        )
    )
)


def valid(body: list[Fields]) -> list[Fields]:
    """The program with jumps that stay inside, and memory set first, as the kernel wants it."""
    program = [(0x02, 0, 0, cell) for cell in range(16)]
    for left, (code, jt, jf, k) in zip(range(len(body), 0, -1), body, strict=True):
        if code in JUMPS:
            program.append((code, jt % left, jf % left, k))
        else:
            program.append((code, 0, 0, {0x05: k % left, 0x16: 0}.get(code, k)))
    return [*program, RETURN_A]


PROGRAMS = st.lists(INSTRUCTIONS, max_size=25).map(valid)


def libpcap(program: list[Fields], data: bytes, wire_length: int) -> int:
    """What libpcap's `bpf_filter` returns, of which cypcap tells only whether it is 0: so it is asked per bit."""
    header = cypcap.Pkthdr(caplen=len(data), len=wire_length)
    answer = 0
    for bit in range(32):
        # Where A would be returned, go to the end instead, and look at one bit there.
        end = len(program) - 1
        asked = [
            (0x05, 0, 0, end - index - 1) if one == RETURN_A else one for index, one in enumerate(program[:-1])
        ]
        asked += [(0x45, 0, 1, 2**bit), KEEP, REFUSE]
        answer += cypcap.BpfProgram(asked).offline_filter(header, data) << bit
    return answer


@settings(max_examples=800)
@given(PROGRAMS, st.binary(max_size=64), st.integers(0, 100))
def test_any_program_returns_what_it_does_in_libpcap(program: list[Fields], data: bytes, more: int) -> None:
    assert Program(program).run(data, len(data) + more) == libpcap(program, data, len(data) + more)


def kept_by_kernel(program: list[Fields], data: bytes) -> int:
    """How many bytes of a packet the kernel lets through a socket of this process alone; 0 if it refuses."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far:
        attach_filter(far, program)
        near.send(data)
        try:
            return len(far.recv(len(data), socket.MSG_DONTWAIT))
        except BlockingIOError:
            return 0


def kernel_differs(program: list[Fields]) -> bool:
    """Whether it may read from 2**31 on, where the kernel sees else than the packet, or shift by more than 31."""
    return any(code in (*INDIRECT, 0x6C, 0x7C) or (code in ABSOLUTE and k >= 2**31) for code, _, _, k in program)


@settings(max_examples=800)
@given(PROGRAMS.filter(lambda program: not kernel_differs(program)), st.binary(min_size=1, max_size=64))
def test_any_program_keeps_what_it_does_in_the_kernel(program: list[Fields], data: bytes) -> None:
    assert kept_by_kernel(program, data) == min(Program(program).run(data, len(data)), len(data))


DAMAGED = {
    "empty": ([], "no instructions"),
    "no end": ([(0x00, 0, 0, 1)], "returns nothing"),
    "jump out": ([(0x15, 1, 0, 0), RETURN_A], "a jump out"),
    "jump out, always": ([(0x05, 0, 0, 1), RETURN_A], "a jump out"),
    "jump to before the start": ([(0x05, 0, 0, 2**32 - 2), RETURN_A], "a jump out"),
    "division by zero": ([(0x34, 0, 0, 0), RETURN_A], "division by zero"),
    "remainder of zero": ([(0x94, 0, 0, 0), RETURN_A], "division by zero"),
    "shift": ([(0x64, 0, 0, 32), RETURN_A], "shift by 32"),
    "memory": ([(0x60, 0, 0, 16), RETURN_A], "memory cell 16"),
    "store": ([(0x03, 0, 0, 16), RETURN_A], "memory cell 16"),
    "unknown": ([(0x16 + 0x20, 0, 0, 0), RETURN_A], "unknown instruction 0x0036"),
    "too large": ([(0x00, 0, 0, 2**32), RETURN_A], "does not fit"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_cannot_run_is_refused_as_the_kernel_refuses_it(name: str) -> None:
    program, reason = DAMAGED[name]
    with pytest.raises(ProgramError, match=reason):
        Program(program)
    with pytest.raises((OSError, struct.error)):
        kept_by_kernel(program, b"x")


def hostile() -> Iterator[tuple[str, list[Fields], int]]:
    """Programs, and what they return: each ends, whatever its length and its jumps."""
    yield "a long way", [(0x04, 0, 0, 1)] * 100_000 + [RETURN_A], 100_000
    yield "a chain of values", [(0x20, 0, 0, 0), *[(0x15, 0, 0, k) for k in range(50_000)], KEEP], 1
    yield "a loop without end", [(0x05, 0, 0, 2**32 - 1), RETURN_A], 0
    yield "loops in loops", [(0x45, 1, 0, 1), (0x05, 0, 0, 2**32 - 2), (0x05, 0, 0, 2**32 - 3), RETURN_A], 0


@pytest.mark.parametrize(("program", "answer"), [pytest.param(*rest, id=name) for name, *rest in hostile()])
def test_every_program_ends(program: list[Fields], answer: int) -> None:
    assert Program(program).run(bytes(65535), 65535) == answer


def test_what_can_be_asked_of_a_program() -> None:
    program = Program([(0x28, 0, 0, 12), (0x15, 0, 1, 0x800), KEEP, REFUSE])
    assert (len(program), program.loops) == (4, 0)
    assert program == Program(program.instructions)
    assert hash(program) == hash(Program(program.instructions))
    assert repr(program) == "Program([(40, 0, 0, 12), (21, 0, 1, 2048), (6, 0, 0, 1), (6, 0, 0, 0)])"
    assert program.run(bytes.fromhex("00" * 12 + "0800"), 14) == 1
    assert program.run(bytes.fromhex("00" * 12 + "08"), 14) == 0
