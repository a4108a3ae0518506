"""Classic BPF: the programs that libpcap makes of filters, and a machine in Python that runs them.

The instructions are those of McCanne and Jacobson, "The BSD Packet Filter" (1993), and of the kernel's
Documentation/networking/filter.rst; their numbers stand in <linux/bpf_common.h>. What is done here at each
packet is what `bpf_filter` in libpcap does; the kernel does the same with every program that it loads, except
that it reads what belongs to no packet (VLAN tag, direction) at offsets from 0xfffff000 on, where every packet
has ended here, and takes a shift by X modulo 32. libpcap asks for the former only where a filter is live.

A program is not interpreted instruction by instruction. Each becomes a step: a function that does its work and
calls the step to go on with; the last one gives a number: how many bytes of the packet to keep, none when it is
refused. A load and the comparisons of one value that follow it become a single step, a switch; that alone is
most of what a filter does. The machine's arithmetic, modulo 2**32, is here by nature, and no header's.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeAlias

from rawkit.errors import ProgramError

__all__ = ["MAXIMUM_INSTRUCTIONS", "Instruction", "Program"]

MAXIMUM_INSTRUCTIONS: Final = 4096
"""What the kernel takes at the most (BPF_MAXINSNS in <linux/bpf_common.h>); files have no limit."""

# Classes, sizes and modes of loads, operations, sources, as <linux/bpf_common.h> has them.
LD, LDX, ST, STX, ALU, JMP, RET, MISC = range(8)
W, H, B = 0x00, 0x08, 0x10
IMM, ABS, IND, MEM, LEN, MSH = 0x00, 0x20, 0x40, 0x60, 0x80, 0xA0
K, X, A = 0x00, 0x08, 0x10
NEG, JA, JEQ = 0x80, 0x00, 0x10
TAX, TXA = 0x00, 0x80

WORD_BITS: Final = 32
WORD: Final = 2**WORD_BITS
CELLS: Final = 16  # of scratch memory: the first registers
_A, _X, _LENGTH, _TURNS, _REGISTERS = range(CELLS, CELLS + 5)

DEEPEST: Final = 100
"""Steps that call one another before one returns the next instead: Python's stack has an end."""

SHORTEST_TURN: Final = 8
"""Bytes by which a loop gets ahead at the least: libpcap's one loop walks IPv6 extension headers (protochain)."""

Registers: TypeAlias = list[int]
Step: TypeAlias = "Callable[[bytes, Registers], Step | int]"
Compare: TypeAlias = Callable[[int, int], object]

_READ: Final = {size: struct.Struct(code).unpack_from for size, code in ((W, "!I"), (H, "!H"), (B, "!B"))}

_COMPARE: Final[dict[int, Compare]] = {
    0x10: operator.eq,
    0x20: operator.gt,
    0x30: operator.ge,
    0x40: operator.and_,
}

_ARITHMETIC: Final[dict[int, Callable[[int, int], int]]] = {
    0x00: lambda a, b: (a + b) % WORD,
    0x10: lambda a, b: (a - b) % WORD,
    0x20: lambda a, b: a * b % WORD,
    0x30: operator.floordiv,
    0x40: operator.or_,
    0x50: operator.and_,
    0x60: lambda a, b: (a << b) % WORD if b < WORD_BITS else 0,
    0x70: lambda a, b: a >> b if b < WORD_BITS else 0,
    0x90: operator.mod,
    0xA0: operator.xor,
}
_DIVISIONS: Final = (0x30, 0x90)
_SHIFTS: Final = (0x60, 0x70)

_KNOWN: Final = frozenset(
    [LD | size | mode for size in _READ for mode in (ABS, IND)]
    + [class_ | W | mode for class_ in (LD, LDX) for mode in (IMM, MEM, LEN)]
    + [LDX | B | MSH, ST, STX, ALU | NEG, JMP | JA, RET | K, RET | A, MISC | TAX, MISC | TXA]
    + [ALU | operation | source for operation in _ARITHMETIC for source in (K, X)]
    + [JMP | test | source for test in _COMPARE for source in (K, X)]
)


class Instruction(NamedTuple):
    """One instruction (struct sock_filter in <linux/filter.h>)."""

    code: int
    """What it does: class, and size and mode, or operation and source."""
    jt: int
    """Instructions to skip when a comparison holds."""
    jf: int
    """Instructions to skip when it does not."""
    k: int
    """The constant: an offset, an operand, a memory cell, a result."""

    @property
    def class_(self) -> int:
        """LD, LDX, ST, STX, ALU, JMP, RET or MISC."""
        return self.code & 0x07

    @property
    def size(self) -> int:
        """What a load reads: W, H or B."""
        return self.code & 0x18

    @property
    def mode(self) -> int:
        """Where a load reads: IMM, ABS, IND, MEM, LEN or MSH."""
        return self.code & 0xE0

    @property
    def operation(self) -> int:
        """Which arithmetic or comparison."""
        return self.code & 0xF0

    @property
    def source(self) -> int:
        """The second operand of arithmetic and comparisons: K, or X."""
        return self.code & 0x08

    @property
    def jump(self) -> int:
        """How far a JA goes; backwards in libpcap's loops, which the kernel does not load."""
        return self.k - WORD if self.k >= WORD // 2 else self.k


class Program:
    """A checked classic BPF program: run on bytes here, and loaded unchanged into the kernel's sockets.

    Every program ends on every packet: jumps lead forward, except in loops (see `loops`), which may turn once
    for every `SHORTEST_TURN` bytes of the packet. Raises ProgramError for instructions that could not run.
    """

    __slots__ = ("_first", "instructions", "loops")

    def __init__(self, instructions: Iterable[tuple[int, int, int, int]]) -> None:
        self.instructions = tuple(Instruction(*fields) for fields in instructions)
        _check(self.instructions)
        self.loops = sum(1 for one in self.instructions if one.code == JMP | JA and one.jump < 0)
        """How many of its jumps lead backwards: some of those that `protochain` compiles to."""
        self._first = _Steps(self.instructions).first

    def run(self, data: bytes, wire_length: int) -> int:
        """How many bytes of the packet to keep; 0 refuses it. `wire_length` is what the filter's `len` says.

        A packet that ends before what the program reads is refused, and so is a division by zero.
        """
        registers = [0] * _REGISTERS
        registers[_LENGTH] = wire_length
        if self.loops:
            registers[_TURNS] = self.loops * (len(data) // SHORTEST_TURN + 1)
        try:
            answer = self._first(data, registers)
            while not isinstance(answer, int):
                answer = answer(data, registers)
        except (struct.error, IndexError, ZeroDivisionError):
            return 0
        return answer

    def __len__(self) -> int:
        return len(self.instructions)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.instructions == other.instructions

    def __hash__(self) -> int:
        return hash(self.instructions)

    def __repr__(self) -> str:
        return f"Program({[tuple(one) for one in self.instructions]})"


def _check(program: tuple[Instruction, ...]) -> None:
    """What `bpf_validate` in libpcap and `bpf_check_classic` in the kernel ask of a program."""
    if not program:
        raise ProgramError(0, "no instructions")
    for number, one in enumerate(program):
        if not (0 <= one.jt <= 0xFF and 0 <= one.jf <= 0xFF and 0 <= one.k < WORD):
            raise ProgramError(number, f"{tuple(one)} does not fit the fields of an instruction")
        if one.code not in _KNOWN:
            raise ProgramError(number, f"unknown instruction {one.code:#06x}")
        if one.class_ in (ST, STX) or (one.class_ in (LD, LDX) and one.mode == MEM):
            if one.k >= CELLS:
                raise ProgramError(number, f"memory cell {one.k}, of {CELLS}")
        elif one.class_ == ALU and one.source == K and one.operation in _DIVISIONS and one.k == 0:
            raise ProgramError(number, "division by zero")
        elif one.class_ == ALU and one.source == K and one.operation in _SHIFTS and one.k >= WORD_BITS:
            raise ProgramError(number, f"shift by {one.k} of 32 bits")
        elif one.class_ == JMP and not all(0 <= target < len(program) for target in _targets(number, one)):
            raise ProgramError(number, "a jump out of the program")
    if program[-1].class_ != RET:
        raise ProgramError(len(program) - 1, "the last instruction returns nothing")


def _targets(number: int, one: Instruction) -> tuple[int, ...]:
    """The instructions that may come after this one."""
    if one.class_ == RET:
        return ()
    if one.code == JMP | JA:
        return (number + 1 + one.jump,)
    if one.class_ == JMP:
        return number + 1 + one.jt, number + 1 + one.jf
    return (number + 1,)


class _Steps:
    """For each instruction, what to do when a packet comes to it; made from the last to the first."""

    def __init__(self, program: tuple[Instruction, ...]) -> None:
        self._program = program
        self._steps: list[Step] = [_refuse] * len(program)
        self._depths = [1] * len(program)  # how many steps call one another from there on
        self._needs_a = [True] * len(program)  # whether what is in A is read from there on
        for number in reversed(range(len(program))):
            self._make(number)
        self.first = self._steps[0]

    def _make(self, number: int) -> None:
        one = self._program[number]
        following = _targets(number, one)
        forward = [target for target in following if target > number]
        self._needs_a[number] = self._reads_a(one) or (
            one.class_ != LD and any(self._needs_a[target] for target in following)
        )
        step = self._step(number, one)
        depth = 1 + max((self._depths[target] for target in forward), default=0)
        self._steps[number] = step if depth < DEEPEST else lambda data, registers: step
        self._depths[number] = depth if depth < DEEPEST else 1

    @staticmethod
    def _reads_a(one: Instruction) -> bool:
        if one.class_ == JMP:
            return one.operation != JA
        return one.class_ in (ST, ALU) or one.code in (RET | A, MISC | TAX)

    def _step(self, number: int, one: Instruction) -> Step:
        if one.class_ == RET:
            return _return(one)
        if one.class_ == JMP:
            return self._jump(number, one)
        following = self._steps[number + 1]
        if one.class_ == LD and one.mode in (ABS, IND):
            return self._load_and_decide(number, one) or _load(one, following)
        if one.class_ == ALU:
            return _arithmetic(one, following)
        if one.code == LDX | B | MSH:
            return _load_header_length(one.k, following)
        return _move(one, following)

    def _jump(self, number: int, one: Instruction) -> Step:
        """A jump that stands alone: its value is not one that was just loaded."""
        targets = _targets(number, one)
        if one.operation == JA:
            return self._steps[targets[0]] if one.jump >= 0 else _turn(self._steps, targets[0])
        holds, fails = (self._steps[target] for target in targets)
        compare, k = _COMPARE[one.operation], one.k
        if one.source == X:
            return lambda data, registers: (holds if compare(registers[_A], registers[_X]) else fails)(
                data, registers
            )
        return lambda data, registers: (holds if compare(registers[_A], k) else fails)(data, registers)

    def _load_and_decide(self, number: int, one: Instruction) -> Step | None:
        """A load and the decision on what it read, which nothing needs after that; None if it is no such."""
        then = self._program[number + 1]
        if then.class_ != JMP or then.source != K or then.operation == JA:
            return None
        if then.operation == JEQ:
            cases, other = self._cases(number + 1)
            if not any(self._needs_a[target] for target in (*cases.values(), other)):
                steps = {value: self._steps[target] for value, target in cases.items()}
                return _load_and_switch(one, steps, self._steps[other])
            return None
        targets = _targets(number + 1, then)
        if any(self._needs_a[target] for target in targets):
            return None
        return _load_and_compare(one, then, *(self._steps[target] for target in targets))

    def _cases(self, number: int) -> tuple[dict[int, int], int]:
        """The comparisons for equality from there on: to which instruction each value leads, and all others."""
        cases: dict[int, int] = {}
        while self._program[number].code == JMP | JEQ | K:
            holds, fails = _targets(number, self._program[number])
            cases.setdefault(self._program[number].k, holds)
            number = fails
        return cases, number


def _refuse(_data: bytes, _registers: Registers) -> int:
    return 0


def _return(one: Instruction) -> Step:
    k = one.k
    return (lambda data, registers: registers[_A]) if one.code == RET | A else (lambda data, registers: k)


def _turn(steps: list[Step], target: int) -> Step:
    """A jump backwards, to a step that is not made yet. Ends a loop that no packet can need."""

    def step(_data: bytes, registers: Registers) -> Step | int:
        registers[_TURNS] -= 1
        return steps[target] if registers[_TURNS] >= 0 else 0

    return step


def _load(one: Instruction, following: Step) -> Step:
    read, k = _READ[one.size], one.k

    def absolute(data: bytes, registers: Registers) -> Step | int:
        registers[_A] = read(data, k)[0]
        return following(data, registers)

    def indirect(data: bytes, registers: Registers) -> Step | int:
        registers[_A] = read(data, registers[_X] + k)[0]
        return following(data, registers)

    return absolute if one.mode == ABS else indirect


def _load_and_compare(one: Instruction, then: Instruction, holds: Step, fails: Step) -> Step:
    read, offset, compare, k = _READ[one.size], one.k, _COMPARE[then.operation], then.k

    def absolute(data: bytes, registers: Registers) -> Step | int:
        return (holds if compare(read(data, offset)[0], k) else fails)(data, registers)

    def indirect(data: bytes, registers: Registers) -> Step | int:
        return (holds if compare(read(data, registers[_X] + offset)[0], k) else fails)(data, registers)

    return absolute if one.mode == ABS else indirect


def _load_and_switch(one: Instruction, cases: dict[int, Step], other: Step) -> Step:
    read, k, case = _READ[one.size], one.k, cases.get

    def byte(data: bytes, registers: Registers) -> Step | int:
        return case(data[k], other)(data, registers)

    def absolute(data: bytes, registers: Registers) -> Step | int:
        return case(read(data, k)[0], other)(data, registers)

    def indirect(data: bytes, registers: Registers) -> Step | int:
        return case(read(data, registers[_X] + k)[0], other)(data, registers)

    if one.mode == IND:
        return indirect
    return byte if one.size == B else absolute


def _load_header_length(k: int, following: Step) -> Step:
    """Four times the low half of a byte: the length of an IPv4 header, of which `k` is the offset."""

    def step(data: bytes, registers: Registers) -> Step | int:
        registers[_X] = data[k] % 16 * 4
        return following(data, registers)

    return step


def _arithmetic(one: Instruction, following: Step) -> Step:
    if one.code == ALU | NEG:
        return _arithmetic_with(lambda a, _: -a % WORD, 0, following)
    operate = _ARITHMETIC[one.operation]
    if one.source == K:
        return _arithmetic_with(operate, one.k, following)

    def step(data: bytes, registers: Registers) -> Step | int:
        registers[_A] = operate(registers[_A], registers[_X])
        return following(data, registers)

    return step


def _arithmetic_with(operate: Callable[[int, int], int], k: int, following: Step) -> Step:
    def step(data: bytes, registers: Registers) -> Step | int:
        registers[_A] = operate(registers[_A], k)
        return following(data, registers)

    return step


def _move(one: Instruction, following: Step) -> Step:
    """What only moves a number between registers and memory, or sets one."""
    k = one.k
    moves = {
        ST: (k, _A),
        STX: (k, _X),
        MISC | TAX: (_X, _A),
        MISC | TXA: (_A, _X),
        LD | MEM: (_A, k),
        LDX | MEM: (_X, k),
        LD | LEN: (_A, _LENGTH),
        LDX | LEN: (_X, _LENGTH),
    }
    if one.code not in moves:
        register = _A if one.class_ == LD else _X

        def set_(data: bytes, registers: Registers) -> Step | int:
            registers[register] = k
            return following(data, registers)

        return set_
    target, source = moves[one.code]

    def move(data: bytes, registers: Registers) -> Step | int:
        registers[target] = registers[source]
        return following(data, registers)

    return move
