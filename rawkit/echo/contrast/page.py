"""What was seen, as one page that needs nothing else: a table, and of each kind the calls, ladders and frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, tostring

from rawkit.echo.contrast.filled import Filled, filled, first_with_data
from rawkit.echo.contrast.ladder import rungs, tally
from rawkit.echo.contrast.play import Run, Scene
from rawkit.echo.contrast.records import expression_of
from rawkit.echo.contrast.scenes import ECHO
from rawkit.echo.contrast.stage import Crossed
from rawkit.echo.contrast.summary import Contrast, notes, side_by_side
from rawkit.views import label, time_text
from rawkit.views.outline import fields_of, sections

__all__ = ["page_of"]

NUMBERS = ("frames", "bytes", "ratio", "cold ms", "warm ms")

MOST_FRAMES = 20
"""Frames of a scene whose bytes are shown."""

MOST_BYTES = 256
"""Bytes of a frame that are shown."""

LIT = """
addEventListener("pointerover", ({target}) => {
  for (const lit of document.querySelectorAll(".lit")) lit.classList.remove("lit");
  const frame = target.closest?.(".frame");
  if (!frame || target.tagName != "SPAN") return;
  const fields = [...frame.querySelectorAll(".fields span")];
  const named = bytes => bytes.dataset.fields.split(" ").map(number => fields[number]);
  const mine = target.dataset.fields ? named(target) : [target];
  const pieces = [...frame.querySelectorAll("[data-fields]")];
  const bytes = pieces.filter(piece => named(piece).some(field => mine.includes(field)));
  for (const each of [...mine, ...bytes]) each.classList.add("lit");
  if (target.dataset.fields) target.title = mine.map(field => field.textContent).join("; ");
});
"""
"""The bytes of a field that is pointed at, and the fields of bytes that are pointed at, are lit."""


def page_of(contrasts: Sequence[Contrast]) -> bytes:
    """The page, as HTML in UTF-8."""
    html = Element("html", lang="en")
    head = SubElement(html, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _text(head, "title", "rawkit contrast")
    SubElement(head, "link", rel="icon", href="data:,")
    _text(head, "style", files("rawkit.echo.contrast").joinpath("page.css").read_text("utf-8"))
    body = SubElement(html, "body")
    _text(body, "h1", "The same echo through every kind of socket")
    _table(body, "summary", [contrast.row() for contrast in contrasts])
    for note in notes(contrasts) if contrasts else ():
        _text(body, "p", note, "note")
    for scene, runs in side_by_side(contrasts):
        _text(body, "h3", f"{scene.name}: {scene.title}")
        _table(body, "observed", [_observed(kind.name, scene, run) for kind, run in runs])
    for contrast in contrasts:
        _kind(body, contrast)
    _text(body, "script", LIT)
    return f"<!DOCTYPE html>\n{tostring(html, encoding='unicode', method='html')}\n".encode()


def _text(parent: Element, tag: str, text: str, class_: str = "", **attributes: str) -> Element:
    element = SubElement(parent, tag, {"class": class_} if class_ else {}, **attributes)
    element.text = text
    return element


def _observed(kind: str, scene: Scene, run: Run) -> dict[str, str]:
    return {
        "kind": kind,
        "frames": str(len(run.frames)),
        "bytes": str(run.wire_bytes),
        "observed": scene.explain(run),
    }


def _table(body: Element, class_: str, rows: Sequence[dict[str, str]]) -> None:
    """A line for each kind. Its cells know their columns: where there is little room, each line is a card."""
    table = SubElement(body, "table", {"class": class_})
    heading = SubElement(SubElement(table, "thead"), "tr")
    for name in rows[0] if rows else ():
        _text(heading, "th", name, "number" if name in NUMBERS else "")
    lines = SubElement(table, "tbody")
    for row in rows:
        line = SubElement(lines, "tr")
        for name, cell in row.items():
            if name == "kind":
                _text(SubElement(line, "td"), "a", cell, href=f"#{cell}")
            else:
                _text(line, "td", cell, "number" if name in NUMBERS else "").set("data-column", name)


def _kind(body: Element, contrast: Contrast) -> None:
    kind = contrast.kind
    section = SubElement(body, "section", id=kind.name)
    _text(section, "h2", kind.name)
    _text(section, "p", f"{kind.summary[:1].upper()}{kind.summary[1:]}.")
    _scene(section, ECHO, contrast.echo)
    for scene, run in contrast.scenes:
        folded = SubElement(section, "details", {"class": "scene"})
        _text(_text(folded, "summary", ""), "strong", f"{scene.name}: {scene.title}")
        _scene(folded, scene, run)


def _scene(section: Element, scene: Scene, run: Run) -> None:
    _text(section, "p", scene.explain(run), "explanation")
    for who, packets in (("Made", run.packets), ("Answer made", run.answers)):
        for packet in packets:
            _text(_text(section, "p", f"{who} by hand: "), "code", expression_of(packet))
    _calls(section, run)
    _ladder(section, run)
    if run.frames:
        _frames(section, run)


def _calls(section: Element, run: Run) -> None:
    grid = SubElement(section, "div", {"class": "calls"})
    for end in ("client", "server"):
        _text(grid, "div", end, f"{end} head")
    for call in run.calls:
        _text(grid, "div", str(call), f"{call.end} failed" if call.failed else call.end)


def _ladder(section: Element, run: Run) -> None:
    if not run.frames:
        _text(section, "p", "No frame on any interface.")
        return
    ladder = SubElement(section, "div", {"class": "ladder"})
    head = SubElement(ladder, "div", {"class": "head"})
    for end in ("client", "server"):
        _text(head, "span", end)
    origin = run.frames[0].frame.time_ns
    for each, packet in rungs(run):
        fate = each.fate.partition(" ")[0]
        way = "right" if each.source == "client" else "left"
        rung = SubElement(ladder, "div", {"class": f"rung {way} {fate}".strip()})
        _text(rung, "time", f"{time_text(each.frame.time_ns, origin).strip()} s")
        _text(rung, "span", f"{label(packet)}{f' ({each.fate})' if each.fate else ''}")
    _text(section, "p", f"{tally(run)}.")


def _frames(section: Element, run: Run) -> None:
    found = first_with_data(run)
    if found is not None:
        key = SubElement(section, "p", {"class": "key"})
        key.text = f"Who filled the fields of frame {found[0]}, which carries the data: "
        for who in dict.fromkeys(field.who for field in filled(run, found[1])):
            _text(key, "span", who, who)
    for number, (each, packet) in enumerate(rungs(run)[:MOST_FRAMES], 1):
        details = SubElement(section, "details", {"class": "frame"})
        is_first = found is not None and number == found[0]
        if is_first:
            details.set("open", "open")
        _text(
            details,
            "summary",
            f"Frame {number}, {each.source}, {each.frame.wire_length} bytes: {label(packet)}",
        )
        _bytes(details, each, filled(run, each) if is_first else _unattributed(each))
    _left_out(section, len(run.frames) - MOST_FRAMES, "more frame")


def _left_out(parent: Element, number: int, noun: str) -> None:
    if number > 0:
        _text(parent, "p", f"{_count(number, noun)} not shown here; -w FILE keeps all.", "note")


def _unattributed(each: Crossed) -> list[Filled]:
    """The fields of a frame, whoever filled them."""
    found = []
    for section in sections(each.packet):
        for field in fields_of(section):
            place = (field.first_byte, field.last_byte, "")
            found.append(Filled(section.name, field.info.name, field.info.show(field.value), *place))
        if not fields_of(section):
            found.append(Filled(section.name, "", "", section.start, section.stop, ""))
    return found


def _bytes(details: Element, each: Crossed, fields: Sequence[Filled]) -> None:
    """The frame in hex, what belongs to the same fields in one piece; and the fields."""

    def fields_at(offset: int) -> list[int]:
        return [number for number, field in enumerate(fields) if field.start <= offset < field.stop]

    dump = SubElement(details, "p", {"class": "hex"})
    for numbers, offsets in groupby(range(len(each.frame.data[:MOST_BYTES])), fields_at):
        text = " ".join(f"{each.frame.data[offset]:02x}" for offset in offsets)
        piece = _text(dump, "span", text, fields[numbers[0]].who if numbers else "")
        piece.tail = " "
        if numbers:
            piece.set("data-fields", " ".join(map(str, numbers)))
    _left_out(details, len(each.frame.data) - MOST_BYTES, "more byte")
    _field_list(details, fields)


def _field_list(details: Element, fields: Iterable[Filled]) -> None:
    listed = SubElement(details, "p", {"class": "fields mono"})
    for header, group in groupby(fields, key=lambda field: field.header):
        _text(listed, "b", header)
        for field in group:
            by = f" by {field.by}()" if field.by else ""
            told = f"{field.field}={field.value}" if field.field else _count(field.stop - field.start, "byte")
            _text(listed, "span", f"{told}{by}", field.who)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
