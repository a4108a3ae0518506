"""Who filled each field of a frame: found by laying what was handed to the kernel beside what left the host.

Which call a frame came from is told by its bytes, since frames may leave late, or overtake each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from rawkit.echo.contrast.play import PORT, Run
from rawkit.echo.contrast.probed import overwritten
from rawkit.echo.contrast.recorded import Call
from rawkit.echo.contrast.stage import Crossed
from rawkit.views.outline import Placed, Section, fields_of, sections
from rawkit.wire import TCP, UDP, LinkType, Packet, dissect

__all__ = ["HARDWARE", "KERNEL", "LIBRARY", "YOU", "Filled", "filled", "first_with_data", "is_made_of"]

YOU: Final = "you"
KERNEL: Final = "kernel"
HARDWARE: Final = "hardware"
LIBRARY: Final = "library"

TRANSPORTS: Final = ("TCP", "UDP")
"""The headers whose checksums a network card can finish."""

LINK_TYPES: Final = {"Ethernet": LinkType.ETHERNET, "IPv4": LinkType.RAW}
"""What is handed over to sockets whose headers are made by hand, by the first of these."""


class Filled(NamedTuple):
    """A field, or the payload (with no field's name), of bytes `start` up to `stop`, and who filled it."""

    header: str
    field: str
    value: str
    start: int
    stop: int
    who: str
    """`you`, `kernel`, `library` for what is handed over but not what you had to send, or `hardware` for what was
    still to be done when the frame left the kernel.
    """
    by: str = ""
    """The call in which you said it, where it was not in the bytes themselves."""


def first_with_data(run: Run) -> tuple[int, Crossed] | None:
    """The first frame that carries what the client's first message was sent by, and its number from 1."""
    first = run.sends[:1]
    found = ((n, each) for n, each in enumerate(run.frames, 1) for call in first if _carries(each, call))
    return next(found, None)


def is_made_of(crossed: Crossed, packet: Packet) -> bool:
    """Whether a frame of the client's was made of this packet: what follows its first header is the same.

    Into the first one the kernel may have written.
    """
    built = packet.built()
    return crossed.source == "client" and crossed.frame.data.endswith(bytes(built)[built.bounds()[0][1] :])


def _carries(crossed: Crossed, call: Call) -> bool:
    """Whether a frame carries what this call handed over, or the beginning of it."""
    if (link_type := LINK_TYPES.get(call.begins_with)) is not None:
        return is_made_of(crossed, dissect(call.data, link_type))
    packet = crossed.packet
    payload = packet.payload
    to_the_server = any(isinstance(each, TCP | UDP) and each.dst_port == PORT for each in packet.layers)
    if crossed.source != "client" or not to_the_server or not payload:
        return False
    return call.data.startswith(payload) or payload.startswith(call.data)


def filled(run: Run, crossed: Crossed) -> list[Filled]:
    """The fields of a frame of the client's, from its first byte to its last.

    None of a frame that was made by hand, if no call is known to have handed it over.
    """
    payload = YOU if crossed.packet.payload in run.data else LIBRARY
    handed = next((call for call in run.sends if _carries(crossed, call)), None)
    if handed is None and run.kind.by_hand:
        return []
    taken = overwritten() if handed is not None and handed.begins_with == "IPv4" else frozenset()
    found = _filled(crossed, handed, _addresses(run), payload)
    return [each._replace(who=KERNEL) if each.header == "IPv4" and each.field in taken else each for each in found]


def _filled(
    crossed: Crossed, handed: Call | None, addresses: list[tuple[str, Any]], payload: str
) -> Iterator[Filled]:
    whole = sections(crossed.packet)
    begins_with = handed.begins_with if handed is not None else "payload"
    mine = next((section.start for section in whole if section.name == begins_with), len(crossed.frame.data))
    for section in whole:
        for field in fields_of(section):
            place = (
                section.name,
                field.info.name,
                field.info.show(field.value),
                field.first_byte,
                field.last_byte,
            )
            given = handed.data[field.first_byte - mine : field.last_byte - mine] if handed is not None else b""
            if section.start >= mine:
                same = given == crossed.frame.data[field.first_byte : field.last_byte]
                yield Filled(*place, YOU if same else KERNEL)
            elif _is_unfinished(crossed, section, field):
                yield Filled(*place, HARDWARE)
            elif by := _said_in(section, field, addresses):
                yield Filled(*place, YOU, by)
            else:
                yield Filled(*place, KERNEL)
        if not fields_of(section):
            yield Filled(section.name, "", "", section.start, section.stop, payload)


def _addresses(run: Run) -> list[tuple[str, Any]]:
    """The calls in which the client named an address with a port, and that address."""
    return [
        (call.name, call.address)
        for call in run.calls_of("client")
        if isinstance(call.address, tuple) and call.begins_with == "payload"
    ]


def _is_unfinished(crossed: Crossed, section: Section, field: Placed) -> bool:
    return crossed.frame.checksum_unfinished and section.name in TRANSPORTS and field.info.name == "checksum"


def _said_in(section: Section, field: Placed, addresses: list[tuple[str, Any]]) -> str:
    """The call in which the value was named, for where the frame goes to."""
    part = {"dst": 0, "dst_port": 1}.get(field.info.name)
    if part is None:
        return ""
    return next((name for name, address in addresses if str(address[part]) == str(field.value)), "")
