"""Who filled each field of a frame: found by laying what was handed to the kernel beside what left the host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from rawkit.echo.contrast.play import Run
from rawkit.echo.contrast.probed import overwritten
from rawkit.echo.contrast.recorded import Call
from rawkit.echo.contrast.stage import Crossed
from rawkit.views.outline import Placed, Section, fields_of, sections

__all__ = ["HARDWARE", "KERNEL", "LIBRARY", "YOU", "Filled", "filled", "first_with_data"]

YOU: Final = "you"
KERNEL: Final = "kernel"
HARDWARE: Final = "hardware"
LIBRARY: Final = "library"

TRANSPORTS: Final = ("TCP", "UDP")
"""The headers whose checksums a network card can finish."""


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
    """The first frame in which the client's data is to be seen, else the first with any; and its number from 1."""
    sent = [(n, each) for n, each in enumerate(run.frames, 1) if each.source == "client" and each.packet.payload]
    mine = [found for found in sent if run.data in found[1].frame.data]
    return next(iter(mine or sent[1:] or sent), None)  # of a library's, the first is a handshake


def filled(run: Run, crossed: Crossed) -> list[Filled]:
    """The fields of a frame of the client's, from its first byte to its last."""
    payload = YOU if crossed.packet.payload in run.data else LIBRARY
    handed = _handed(run, crossed)
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


def _handed(run: Run, crossed: Crossed) -> Call | None:
    """The call whose data left in this frame."""
    before = [call for call in run.calls_of("client") if call.sends and call.start_ns <= crossed.frame.time_ns]
    return before[-1] if before else None


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
