"""What was seen, as one page that needs nothing else: a table, and of each kind the calls, ladders and frames."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from xml.etree.ElementTree import Element, SubElement, tostring

from rawkit.echo.contrast.filled import Filled, filled, first_with_data
from rawkit.echo.contrast.ladder import rungs
from rawkit.echo.contrast.play import Run, Scene
from rawkit.echo.contrast.records import expression_of
from rawkit.echo.contrast.scenes import ECHO
from rawkit.echo.contrast.stage import Crossed
from rawkit.echo.contrast.summary import Contrast, notes
from rawkit.views import label, time_text
from rawkit.views.outline import fields_of, sections

__all__ = ["page_of"]

NUMBERS = ("frames", "bytes", "ratio", "cold ms", "warm ms")

MOST_FRAMES = 40
"""Frames of a scene whose bytes are shown."""

MOST_BYTES = 256
"""Bytes of a frame that are shown."""

LIT = """
addEventListener("pointerover", event => {
  for (const lit of document.querySelectorAll(".lit")) lit.classList.remove("lit");
  const field = event.target.dataset?.field;
  if (field) for (const each of event.target.closest("details").querySelectorAll("span[data-field]"))
    each.classList.toggle("lit", each.dataset.field === field);
});
"""
"""The bytes of the field that is pointed at, in the hex or in the list of fields, are lit."""


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
    _summary(body, contrasts)
    for note in notes(contrasts) if contrasts else ():
        _text(body, "p", note, "note")
    for contrast in contrasts:
        _kind(body, contrast)
    _text(body, "script", LIT)
    return f"<!DOCTYPE html>\n{tostring(html, encoding='unicode', method='html')}\n".encode()


def _text(parent: Element, tag: str, text: str, class_: str = "", **attributes: str) -> Element:
    element = SubElement(parent, tag, {"class": class_} if class_ else {}, **attributes)
    element.text = text
    return element


def _summary(body: Element, contrasts: Sequence[Contrast]) -> None:
    table = SubElement(SubElement(body, "div", {"class": "scroll"}), "table", {"class": "summary"})
    rows = [contrast.row() for contrast in contrasts]
    heading = SubElement(SubElement(table, "thead"), "tr")
    for name in rows[0] if rows else ():
        _text(heading, "th", name, "number" if name in NUMBERS else name)
    body = SubElement(table, "tbody")
    for row in rows:
        line = SubElement(body, "tr")
        for name, cell in row.items():
            if name == "kind":
                _text(SubElement(line, "td"), "a", cell, href=f"#{cell}")
            else:
                _text(line, "td", cell, "number" if name in NUMBERS else name)


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
    for packet in run.packets:
        _text(_text(section, "p", "Made by hand: "), "code", expression_of(packet))
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
    if run.killed:
        _text(grid, "div", "killed by SIGKILL", "server failed")


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
        rung = SubElement(ladder, "div", {"class": f"rung {fate}".strip()})
        _text(rung, "time", f"{time_text(each.frame.time_ns, origin).strip()} s")
        way = SubElement(rung, "div", {"class": "way"})
        _text(way, "span", f"{label(packet)}{f' ({each.fate})' if each.fate else ''}", "what")
        _arrow(way, each.source == "client", arrives=each.fate != "dropped")
    data = f" for {run.application_bytes:,} of data" if run.application_bytes else ""
    _text(section, "p", f"{len(run.frames)} frames, {run.wire_bytes:,} bytes{data}.")


def _arrow(way: Element, right: bool, *, arrives: bool) -> None:
    """A line from one host to the other, with a point; one that does not arrive has a cross in the middle."""
    drawing = SubElement(way, "svg", {"aria-hidden": "true"})
    start, stop = ("0%", "100%") if right else ("100%", "0%")
    end = stop if arrives else "50%"
    SubElement(drawing, "line", x1=start, x2=end, y1="5", y2="5")
    tip = SubElement(drawing, "svg", x=end, overflow="visible")
    back = "-8" if right else "8"
    strokes = (
        [(back, "1", "0", "5"), (back, "9", "0", "5")]
        if arrives
        else [("-4", "1", "4", "9"), ("-4", "9", "4", "1")]
    )
    for x1, y1, x2, y2 in strokes:
        SubElement(tip, "line", x1=x1, y1=y1, x2=x2, y2=y2)


def _frames(section: Element, run: Run) -> None:
    found = first_with_data(run)
    if found is not None:
        key = SubElement(section, "p", {"class": "key"})
        key.text = f"Who filled the fields of frame {found[0]}, which carries the data: "
        for who in dict.fromkeys(field.who for field in filled(run, found[1])):
            _text(key, "span", who, who)
    for number, (each, packet) in enumerate(rungs(run)[:MOST_FRAMES], 1):
        details = SubElement(section, "details")
        is_first = found is not None and number == found[0]
        if is_first:
            details.set("open", "open")
        _text(
            details,
            "summary",
            f"Frame {number}, {each.source}, {each.frame.wire_length} bytes: {label(packet)}",
        )
        _bytes(details, each, filled(run, each) if is_first else _unattributed(each))
    if len(run.frames) > MOST_FRAMES:
        _text(section, "p", f"{len(run.frames) - MOST_FRAMES} more frames are in the capture.")


def _unattributed(each: Crossed) -> list[Filled]:
    """The fields of a frame, whoever filled them."""
    found = []
    for section in sections(each.packet):
        for field in fields_of(section):
            place = (field.first_byte, field.last_byte, "plain")
            found.append(Filled(section.name, field.info.name, field.info.show(field.value), *place))
        if not fields_of(section):
            found.append(Filled(section.name, "", "", section.start, section.stop, "plain"))
    return found


def _bytes(details: Element, each: Crossed, fields: Sequence[Filled]) -> None:
    """The frame in hex, byte by byte, and its fields; what belongs together is lit together."""
    grid = SubElement(details, "div", {"class": "hex"})
    for offset, byte in enumerate(each.frame.data[:MOST_BYTES]):
        mine = [field for field in fields if field.start <= offset < max(field.stop, field.start + 1)]
        field = mine[0] if mine else None
        parity = " odd" if field is not None and fields.index(field) % 2 else ""
        cell = _text(grid, "span", f"{byte:02x}", f"{field.who if field is not None else 'plain'}{parity}")
        if field is not None:
            cell.set("title", "; ".join(map(_described, mine)))
            cell.set("data-field", _name(field))
    if len(each.frame.data) > MOST_BYTES:
        _text(details, "p", f"{len(each.frame.data) - MOST_BYTES} more bytes are in the capture.")
    names = SubElement(details, "ul", {"class": "fields mono"})
    for field in fields:
        item = SubElement(names, "li", {"class": field.who})
        _text(item, "span", _described(field)).set("data-field", _name(field))


def _name(field: Filled) -> str:
    return f"{field.header}.{field.field} {field.start}"


def _described(field: Filled) -> str:
    name = f"{field.header}.{field.field} = {field.value}" if field.field else field.header
    by = f", by {field.by}()" if field.by else ""
    return f"{name} ({field.who}{by})" if field.who != "plain" else name
