"""Work on one stream in several processes, with the output in order: decoding takes more than one core can give.

Each process goes over the whole stream and does its share of the batches; what it writes for one goes through a
pipe to the parent, which takes a piece from each in turn. Only one piece a process waits, so memory is bounded.
"""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import FileIO
from struct import Struct
from typing import BinaryIO

from rawkit.errors import RawkitError

__all__ = ["cores", "spread"]

Work = Callable[[int], Iterator[bytes]]
"""Given its number, gives what a process writes for each of its batches."""

PIECE, ERROR, END = range(3)
HEAD = Struct("=BQ")  # what follows, and how many bytes


def cores() -> int:
    """How many processes can run at once here; 1 where processes cannot be forked."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "fork") and hasattr(os, "sched_getaffinity") else 1


def spread(work: Work, count: int) -> Iterator[bytes]:
    """The pieces of `count` processes, one of each in turn, until the one whose turn it is has no more.

    Raises the RawkitError that ended that one's work. No process is left when the iteration ends, however it does;
    if this process is killed, the others end with the next piece.
    """
    children: list[tuple[int, FileIO]] = []
    try:
        for number in range(count):
            children.append(_start(work, number, [pipe for _, pipe in children]))
        while True:
            for _, pipe in children:
                piece = _receive(pipe)
                if piece is None:
                    return
                yield piece
    finally:
        for _, pipe in children:
            pipe.close()
        for child, _ in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _start(work: Work, number: int, others: list[FileIO]) -> tuple[int, FileIO]:
    """A process that does the work, and the pipe on which it writes."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, FileIO(reading, "rb")
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told too, and ends this process
        for pipe in others:
            pipe.close()
        os.close(reading)
        with os.fdopen(writing, "wb") as out:
            _send(work(number), out)
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it must not go on in what the parent was doing
        traceback.print_exc()
    finally:
        os._exit(status)


def _send(pieces: Iterator[bytes], out: BinaryIO) -> None:
    with suppress(BrokenPipeError):
        try:
            for piece in pieces:
                out.write(HEAD.pack(PIECE, len(piece)) + piece)
                out.flush()
            out.write(HEAD.pack(END, 0))
        except RawkitError as error:
            told = pickle.dumps(error)
            out.write(HEAD.pack(ERROR, len(told)) + told)
        out.flush()


def _receive(pipe: FileIO) -> bytes | None:
    """One piece; None at the end. Raises the error that the process ended with."""
    head = _read(pipe, HEAD.size)
    kind, length = HEAD.unpack(head) if len(head) == HEAD.size else (PIECE, 1)
    body = _read(pipe, length)
    if len(body) < length:
        raise RawkitError("a process that shared the work was killed (memory?): run the command again")
    if kind == ERROR:
        raise pickle.loads(body)
    return body if kind == PIECE else None


def _read(pipe: FileIO, count: int) -> bytes:
    """So many bytes; fewer at the end."""
    parts = []
    while count > 0 and (part := pipe.read(min(count, 1 << 20))):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
