"""What a run showed, in words: chosen by the calls, frames and data that were seen, never by the kind alone."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence

from rawkit.echo.contrast.ladder import rungs
from rawkit.echo.contrast.play import Heard, Run, parts
from rawkit.echo.contrast.recorded import Call, shortened
from rawkit.echo.contrast.stage import Crossed
from rawkit.echo.contrast.strangers import strange_to
from rawkit.views import label, time_text
from rawkit.wire import TCP, ICMPv4Unreachable, IPv4, Packet, TCPFlags

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
    what = f"Dropped: {_label(run, dropped)}."
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
    errors = run.errors("client")
    if not errors:
        return f"{_answer_of_the_kernel(run.frames)}. The program got no error."
    told = _error(errors[-1])
    said_by = [call for call in run.calls_of("client") if call.result in (told, f"0, {told}")]
    where = f" from {said_by[-1].name}()" if said_by else ""
    return f"{_answer_of_the_kernel(run.frames)}. The program gets{where}: {told}."


def crash(run: Run) -> str:
    """The server's process was killed."""
    killed = "The server was killed with SIGKILL." if run.killed else "The server lived on."
    answer = _answer_of_the_kernel(run.frames)
    if not run.sends:
        return f"{killed} The client had sent nothing. {answer}."
    first = run.sends[0]
    after = [call for call in run.calls_of("client") if call.start_ns > first.start_ns]
    told = "; ".join(f"{call.name}() = {call.result}" for call in after if call.name not in ("close", "shutdown"))
    library = ""
    if any(each.by_library for each in run.errors("client")):
        library = " The library above it takes the connection for broken"
        library += " and sends nothing more." if len(run.sends) == 1 else "."
    return f"{killed} After its first {first.name}() the client saw: {told or 'nothing'}.{library} {answer}."


def _answer_of_the_kernel(frames: Iterable[Crossed]) -> str:
    """What the server's kernel did for a program that is not there."""
    packets = [each.packet for each in frames]
    answers = [each.packet for each in frames if each.source == "server"]
    unreachable = [packet[ICMPv4Unreachable] for packet in answers if ICMPv4Unreachable in packet]
    if not packets:
        return "No frame was needed, since the kernel is the same for both"
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
    size = str(len(run.data) - 2)
    calls = [call for call in _received(run, "server") if call.arguments.split(", ")[0] == size]
    if not pieces or not calls:
        return _told(run) or "Nothing was received."
    first, *rest = pieces
    asked = f"{calls[0].name}({size})"
    if first.data == run.data:
        return (
            f"{_count(len(calls), 'call')} of {asked} brought bytes of one message, which was put together "
            "above the socket."
        )
    if rest:
        joined = b"".join(each.data for each in pieces)
        order = "nothing is lost" if joined == run.data else shortened(joined)
        return f"{asked} took {shortened(first.data)}; the socket kept the rest for the next call: {order}."
    what = shortened(first.data)
    if not run.data.startswith(first.data):
        what += ", the beginning of a header: to a raw socket the whole packet is the message"
    told = "MSG_TRUNC says so" if first.truncated else "and nothing says so"
    return f"{asked} got {what}; the rest of the message is lost, {told}."


def keeper_of_boundaries(run: Run) -> str:
    """Who kept apart what was sent in two calls: `kernel`, `library` (above the socket), or `nobody`."""
    pieces = [each.data for each in run.of("server")]
    if pieces != [*parts(run.data)]:
        return "nobody"
    calls = _received(run, "server")[-len(pieces) :]
    each_by_its_call = len(calls) == len(pieces) and all(
        call.data.endswith(piece) for call, piece in zip(calls, pieces, strict=True)
    )
    return "kernel" if each_by_its_call else "library"


def two_writes(run: Run) -> str:
    """Two sends, then as many recvs as it took."""
    pieces = [each.data for each in run.of("server")]
    received = next((call.name for call in reversed(_received(run, "server"))), "")
    keeper = keeper_of_boundaries(run)
    if keeper == "kernel":
        return f"Each {received}() returned what one {run.sends[0].name}() had sent: {_list(pieces)}."
    if keeper == "library":
        return f"The messages came apart again, {_list(pieces)}, by headers of their own that the stream carries."
    if len(pieces) == 1:
        return f"One {received}() returned both: {_list(pieces)}. Where one ended and the next began is forgotten."
    return f"The pieces are not those that were sent: {_list(pieces)}."


def keeper_of_order(run: Run) -> str:
    """Who kept the order, or restored it: `kernel` or `nobody`; `?` if the wire was to change it and did not."""
    if run.frames and run.scene == "swapped" and not _was_swapped(run):
        return "?"
    return "kernel" if b"".join(each.data for each in run.of("server")) == run.data else "nobody"


def swapped(run: Run) -> str:
    """The second was to overtake the first."""
    if not _was_swapped(run):
        return "Nothing was swapped: the second came too late to overtake the first."
    pieces = _list([each.data for each in run.of("server")])
    if keeper_of_order(run) == "kernel":
        return f"The wire swapped them; the kernel put them in order before the program got them: {pieces}."
    return f"The wire swapped them, and so the program got them: {pieces}."


def _was_swapped(run: Run) -> bool:
    """Whether one frame with data overtook another with other data."""
    held = [each.packet.payload for each in run.frames if each.fate == "held back"]
    overtaking = [each.packet.payload for each in run.frames if each.fate == "overtakes"]
    return bool(held and overtaking and held[0] != overtaking[0])


# ---------------------------------------------------------------------- the others


def large(run: Run) -> str:
    """More than a datagram can have."""
    words = [
        f"{len(run.data):,} bytes fit no header ({each.error});" for each in run.errors("client") if not each.errno
    ]
    back = len(_back(run))
    if any(each.errno == errno.EMSGSIZE for each in run.errors("client")):
        words.append(f"the kernel takes {back:,} at once and refuses more (EMSGSIZE);")
    words.append(f"{back:,} bytes came back" if back else "nothing came back")
    text = f"{' '.join(words)} {_in_frames([each.packet for each in run.frames])}."
    return text[:1].upper() + text[1:]


def _in_frames(packets: Sequence[Packet]) -> str:
    fragments = [
        each for each in packets if IPv4 in each and (each[IPv4].more_fragments or each[IPv4].fragment_offset)
    ]
    segments = [each for each in packets if TCP in each and each.payload]
    if fragments:
        return f"in {len(fragments)} fragments of IPv4, which the kernels cut and put together"
    if segments:
        largest = max(len(each.payload) for each in segments)
        cut = "which the kernels cut and put together without the network card's help"
        return f"in {len(segments)} segments of up to {largest:,} bytes, {cut}"
    if packets:
        return f"in {_count(len(packets), 'frame')}, which nobody cuts"
    return "without a frame"


def half_close(run: Run) -> str:
    """The client said that it was done, tried to send all the same, and then waited."""
    refused = [call for call in run.calls_of("client") if call.sends and call.failed]
    libraries = [end for end in ("client", "server") if any(each.by_library for each in run.errors(end))]
    if refused:
        what = f"After the shutdown() the client's {refused[0].name}() = {refused[0].result}"
    elif "client" in libraries:
        what = "After its close frame the client's library sends no message"
    else:
        what = "The client could send on"
    back = _back(run)
    if back == run.data:
        return f"{what}, but {_count(len(back), 'byte')} still came the other way."
    nor = ", nor does the server's" if "server" in libraries else ""
    return f"{what}{nor}: no answer came."


def stranger(run: Run) -> str:
    """A packet for somebody else arrived at the client's host."""
    strange = strange_to(run.data)
    arrived = [each for each in run.frames if strange in each.frame.data and each.source == "server"]
    heard = [call for call in _received(run, "client") if strange in call.data]
    done = "and found its answer" if _back(run) == run.data else "and did not find its answer"
    if not arrived:
        return "No stranger came by."
    what = _label(run, arrived[0])
    if heard:
        return f"The client's {heard[0].name}() also returned {what}; it skipped that, {done}."
    return f"{what} reached the host; the kernel kept it from the client's socket."


def _label(run: Run, crossed: Crossed) -> str:
    """A frame by the words that the ladder has for it."""
    return next(label(packet) for each, packet in rungs(run) if each is crossed)


def _back(run: Run) -> bytes:
    return b"".join(each.data for each in run.of("client"))


def _told(run: Run) -> str:
    """What the client was told last."""
    errors = run.errors("client")
    return _error(errors[-1]) if errors else ""


def _error(heard: Heard) -> str:
    """An error by the kernel's name, where it is the kernel's."""
    return errno.errorcode[heard.errno] if heard.errno else heard.error.partition(": ")[2] or heard.error


def _received(run: Run, end: str) -> list[Call]:
    """The calls of an end that brought data."""
    return [call for call in run.calls_of(end) if call.receives and call.data]


def _list(pieces: Iterable[bytes]) -> str:
    return ", then ".join(map(shortened, pieces)) or "nothing"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
