"""What a run showed, in words: chosen by the calls, frames and data that were seen, never by the kind alone."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable

from rawkit.echo.contrast.play import Heard, Run, parts
from rawkit.echo.contrast.recorded import Call
from rawkit.echo.contrast.stage import Crossed
from rawkit.echo.contrast.strangers import STRANGE
from rawkit.views import label, time_text
from rawkit.wire import TCP, ICMPv4Unreachable, IPv4, TCPFlags

__all__ = [
    "closed",
    "crash",
    "echo",
    "half_close",
    "keeper_of_boundaries",
    "keeper_of_order",
    "large",
    "lost",
    "resender",
    "short_read",
    "stranger",
    "swapped",
    "two_writes",
]


def echo(run: Run) -> str:
    """The plain echo."""
    if _back(run) != run.data:
        return _told(run) or "The bytes did not come back."
    who = "" if run.calls_of("server") else " No program answered: the other kernel did."
    if not run.frames:
        return (
            "All bytes came back, and no frame crossed an interface: the kernel took them from socket to socket."
        )
    return f"All bytes came back, in {_count(len(run.frames), 'frame')}.{who}"


# ---------------------------------------------------------------------- lost


def resender(run: Run) -> str:
    """Who sent again what was dropped: `kernel`, `you`, or `nobody`; empty where nothing was dropped."""
    if (dropped := _dropped(run)) is None:
        return ""
    if (again := _next(run, dropped)) is None:
        return "nobody"
    since, until = dropped.frame.time_ns, again.frame.time_ns
    asked = [call for call in run.calls_of("client") if since < call.start_ns <= until]
    return "you" if any(call.sends or call.name == "connect" for call in asked) else "kernel"


def lost(run: Run) -> str:
    """The first frame was dropped, or not."""
    dropped = _dropped(run)
    if dropped is None:
        return "Nothing was dropped: no frame crossed the link."
    what = f"Dropped: {label(dropped.packet)}."
    again = _next(run, dropped)
    if again is None:
        return f"{what} Nobody sent it again, and the bytes are lost."
    waited = f"after {time_text(again.frame.time_ns, dropped.frame.time_ns).strip()} s"
    done = "all bytes came back" if _back(run) == run.data else "the bytes did not come back"
    if resender(run) == "kernel":
        return f"{what} The kernel sent it again {waited}; the program saw nothing of it, and {done}."
    return f"{what} No kernel missed it: the program waited in vain, sent again {waited}, and {done}."


def _dropped(run: Run) -> Crossed | None:
    return next((each for each in run.frames if each.fate == "dropped"), None)


def _next(run: Run, before: Crossed) -> Crossed | None:
    """The next frame of the same end."""
    later = run.frames[run.frames.index(before) + 1 :]
    return next((each for each in later if each.source == before.source), None)


# ---------------------------------------------------------------------- closed and crash


def closed(run: Run) -> str:
    """Nobody listened."""
    failed = [call for call in run.calls_of("client") if call.failed]
    where = f" from {failed[-1].name}()" if failed else ""
    return f"{_answer_of_the_kernel(run.frames)}. The program gets{where}: {_told(run) or 'no error'}."


def crash(run: Run) -> str:
    """The server's process was killed."""
    first, *later = [each for each in run.heard if each.end == "client"] or [Heard("client", b"")]
    words = [f"{_answer_of_the_kernel(run.frames)}. The client, waiting for its answer: {_outcome(first)}."]
    if later:
        words.append(f"Sending once more: {_outcome(later[-1])}.")
    return " ".join(words)


def _outcome(heard: Heard) -> str:
    if heard.error:
        return _error(heard)
    return f"got {_count(len(heard.data), 'byte')}" if heard.data else "the stream has ended, as if all were well"


def _answer_of_the_kernel(frames: Iterable[Crossed]) -> str:
    """What the server's kernel did for a program that is not there."""
    packets = [each.packet for each in frames]
    answers = [each.packet for each in frames if each.source == "server"]
    unreachable = [packet[ICMPv4Unreachable] for packet in answers if ICMPv4Unreachable in packet]
    if not packets:
        return "No frame was needed: the kernel is the same for both"
    if unreachable:
        return f"The other kernel says so by ICMP ({unreachable[0].describe()})"
    segments = [packet[TCP] for packet in answers if TCP in packet]
    if any(segment.flags & TCPFlags.RST for segment in segments):
        return "The other kernel resets the connection (RST)"
    if any(segment.flags & TCPFlags.FIN for segment in segments):
        return "The other kernel ends the connection (FIN)"
    return "The other kernel says nothing"


# ---------------------------------------------------------------------- boundaries and order


def short_read(run: Run) -> str:
    """The buffer was too small."""
    pieces = run.of("server")
    if not pieces:
        return _told(run) or "Nothing was received."
    first, *rest = pieces
    size = len(run.data) - 2
    if first.data == run.data:
        calls = [call for call in _received(run, "server") if call.arguments.startswith(f"{size}")]
        return (
            f"{_count(len(calls), 'call')} of recv({size}) brought bytes of one message, which was put together "
            "above the socket."
        )
    if rest:
        joined = b"".join(each.data for each in pieces)
        order = "nothing is lost" if joined == run.data else f"{joined!r}"
        return f"recv({size}) took {first.data!r}; the socket kept the rest for the next call: {order}."
    what = repr(first.data)
    if not run.data.startswith(first.data):
        what += ", the beginning of a header: to a raw socket the whole packet is the message"
    told = "MSG_TRUNC says so" if first.truncated else "and nothing says so"
    return f"recv({size}) got {what}; the rest of the message is lost, {told}."


def keeper_of_boundaries(run: Run) -> str:
    """Who kept apart what was sent in two calls: `kernel`, `library` (above the socket), or `nobody`."""
    wanted = [*parts(run.data)]
    if [each.data for each in run.of("server")] != wanted:
        return "nobody"
    calls = _received(run, "server")
    by_calls = all(any(part in call.data for call in calls) for part in wanted)
    joined = any(all(part in call.data for part in wanted) for call in calls)
    return "kernel" if by_calls and not joined else "library"


def two_writes(run: Run) -> str:
    """Two sends, then as many recvs as it took."""
    pieces = [each.data for each in run.of("server")]
    keeper = keeper_of_boundaries(run)
    if keeper == "kernel":
        return f"Each recv() returned what one send() had sent: {_list(pieces)}."
    if keeper == "library":
        return f"The messages came apart again, {_list(pieces)}, by headers of their own that the stream carries."
    if len(pieces) == 1:
        return f"One recv() returned both: {_list(pieces)}. Where one ended and the next began is forgotten."
    return f"The pieces are not those that were sent: {_list(pieces)}."


def keeper_of_order(run: Run) -> str:
    """Who put in order what was swapped on the way, or kept it: `kernel` or `nobody`."""
    return "kernel" if b"".join(each.data for each in run.of("server")) == run.data else "nobody"


def swapped(run: Run) -> str:
    """The second was to overtake the first."""
    if not any(each.fate == "held back" for each in run.frames):
        return "Nothing was swapped."
    pieces = _list([each.data for each in run.of("server")])
    if keeper_of_order(run) == "kernel":
        return f"The wire swapped them; the kernel put them in order before the program got them: {pieces}."
    return f"The wire swapped them, and so the program got them: {pieces}."


# ---------------------------------------------------------------------- the others


def large(run: Run) -> str:
    """More than a datagram can have."""
    refused = [each for each in run.errors("client") if each.errno == errno.EMSGSIZE]
    tried = [call for call in run.calls_of("client") if call.sends]
    back = len(_back(run))
    words = []
    if refused:
        sizes = sorted({len(call.data) for call in tried if call.failed}, reverse=True)
        words.append(f"EMSGSIZE for {' and '.join(f'{size:,}' for size in sizes[:1])} bytes")
        words[-1] += f" and {_count(len(sizes) - 1, 'smaller size')};" if len(sizes) > 1 else ";"
    unfit = [each for each in run.errors("client") if not each.errno]
    if unfit:
        words.insert(0, f"{len(run.data):,} bytes fit no header ({unfit[0].error});")
    words.append(f"{back:,} bytes came back" if back else f"nothing came back ({_told(run)})")
    packets = [each.packet for each in run.frames]
    fragments = [
        each for each in packets if IPv4 in each and (each[IPv4].more_fragments or each[IPv4].fragment_offset)
    ]
    segments = [each for each in packets if TCP in each and each.payload]
    if fragments:
        words.append(f"in {len(fragments)} fragments, which the kernels cut and put together")
    elif segments:
        largest = max(len(each.payload) for each in segments)
        words.append(f"in {len(segments)} segments of up to {largest:,} bytes, which TCP cut")
    elif packets:
        words.append(f"in {_count(len(packets), 'frame')}")
    else:
        words.append("without a frame")
    return f"{' '.join(words)}."


def half_close(run: Run) -> str:
    """The client said that it was done, and then waited."""
    back = b"".join(each.data for each in run.of("client"))
    if back == run.data:
        return (
            f"After shutdown() nothing more can be sent, but {_count(len(back), 'byte')} still came the other way."
        )
    reasons = [each.error for each in (*run.errors("server"), *run.errors("client"))]
    why = f": {reasons[0]}" if reasons else ""
    return f"What says that the client is done closes both ways here; no answer came after it{why}."


def stranger(run: Run) -> str:
    """A packet for somebody else arrived at the client's host."""
    arrived = [each for each in run.frames if STRANGE in each.frame.data and each.source == "server"]
    heard = [call for call in _received(run, "client") if STRANGE in call.data]
    done = "and found its answer" if _back(run) == run.data else "and did not find its answer"
    if not arrived:
        return "No stranger came by."
    what = label(arrived[0].packet)
    if heard:
        return f"The client's {heard[0].name}() also returned {what}; it skipped that, {done}."
    return f"{what} reached the host; the kernel kept it from the client's socket."


def _back(run: Run) -> bytes:
    return b"".join(each.data for each in run.of("client"))


def _told(run: Run) -> str:
    """What the client was told last."""
    errors = run.errors("client")
    return _error(errors[-1]) if errors else ""


def _error(heard: Heard) -> str:
    """An error by the kernel's name, where it is the kernel's."""
    return f"{errno.errorcode[heard.errno]} ({os.strerror(heard.errno)})" if heard.errno else heard.error


def _received(run: Run, end: str) -> list[Call]:
    """The calls of an end that brought data."""
    return [call for call in run.calls_of(end) if call.receives and call.data]


def _list(pieces: Iterable[bytes]) -> str:
    return ", then ".join(map(repr, pieces)) or "nothing"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
