"""What was seen, for other programs: JSON objects, and records for a capture file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rawkit.echo.contrast.filled import filled, first_with_data, is_made_of
from rawkit.echo.contrast.ladder import rungs
from rawkit.echo.contrast.play import Run, Scene
from rawkit.echo.contrast.recorded import Call
from rawkit.echo.contrast.scenes import ECHO
from rawkit.echo.contrast.stage import Crossed
from rawkit.echo.contrast.summary import Contrast
from rawkit.pcap import Interface, Record
from rawkit.views import label, to_expression
from rawkit.wire import LinkType, Packet

__all__ = ["as_object", "expression_of", "records"]

MOST_DATA = 64
"""Bytes of data that an expression shows."""


def as_object(contrast: Contrast) -> dict[str, Any]:
    """A kind as one JSON object; its scenes are in `scenes`. `rtt_ns` is the warm median; None if not measured."""
    trips = contrast.trips
    return {
        "kind": contrast.kind.name,
        "socket": contrast.kind.socket,
        **_run(ECHO, contrast.echo),
        "overhead": contrast.overhead,
        "rtt_ns": trips.warm_ns if trips is not None else None,
        "rtt_cold_ns": trips.cold_ns if trips is not None else None,
        "echoes": trips.echoes if trips is not None else 0,
        **{name: value or None for name, value in contrast.facts._asdict().items()},
        "scenes": [_run(scene, run) for scene, run in contrast.scenes],
    }


def _run(scene: Scene, run: Run) -> dict[str, Any]:
    found = first_with_data(run)
    number, frame = found if found is not None else (None, None)
    return {
        "scene": scene.name,
        "explanation": scene.explain(run),
        "frames": len(run.frames),
        "wire_bytes": run.wire_bytes,
        "application_bytes": run.application_bytes,
        "calls": [_call(call) for call in run.calls],
        "server_killed": run.killed,
        "ladder": [_crossed(each, packet) for each, packet in rungs(run)],
        "heard": [each._asdict() | {"data": each.data.hex()} for each in run.heard],
        "expressions": [expression_of(packet) for packet in run.packets],
        "answers": [expression_of(packet) for packet in run.answers],
        "filled": {
            "frame": number,
            "fields": [each._asdict() for each in filled(run, frame)] if frame is not None else [],
        },
    }


def _call(call: Call) -> dict[str, Any]:
    told = ("end", "socket", "descriptor", "name", "arguments", "result", "failed", "start_ns", "stop_ns")
    return {name: getattr(call, name) for name in told}


def _crossed(each: Crossed, packet: Packet) -> dict[str, Any]:
    return {
        "time_ns": each.frame.time_ns,
        "source": each.source,
        "fate": each.fate,
        "summary": label(packet),
        "wire_length": each.frame.wire_length,
        "checksum_unfinished": each.frame.checksum_unfinished,
        "data": each.frame.data.hex(),
    }


def records(contrasts: Iterable[Contrast]) -> Iterator[Record]:
    """The frames of all kinds and scenes, each of these with an interface of its own.

    What was made by hand says how in a comment, and so does what was dropped or held back.
    """
    number = index = 0
    for contrast in contrasts:
        for scene, run in ((ECHO, contrast.echo), *contrast.scenes):
            name = contrast.kind.name if scene is ECHO else f"{contrast.kind.name} {scene.name}"
            interface = Interface(index, LinkType.ETHERNET, name=name, description=scene.title)
            index += bool(run.frames)
            for each in run.frames:
                number += 1
                left = "checksum left to the network card: a partial sum" if each.frame.checksum_unfinished else ""
                comments = tuple(filter(None, [each.fate, left, _by_hand(run, each)]))
                frame = each.frame
                yield Record(
                    number, frame.time_ns, frame.data, frame.wire_length, interface.link_type, interface, comments
                )


def _by_hand(run: Run, each: Crossed) -> str:
    """The expression of the packet that the frame was made of."""
    return next((expression_of(packet) for packet in run.packets if is_made_of(each, packet)), "")


def expression_of(packet: Packet) -> str:
    """What a packet was made by; of long data, the beginning."""
    if len(packet.payload) <= MOST_DATA:
        return to_expression(packet)
    begun = to_expression(Packet(packet.layers, packet.payload[:MOST_DATA]))
    return f"{begun} and so on, {len(packet.payload)} bytes"
