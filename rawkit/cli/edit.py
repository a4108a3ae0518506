"""`rawkit edit`: an edited copy of a capture file."""

from __future__ import annotations

import click

from rawkit.cli.arguments import INPUT_FILE, OUTPUT_FILE, link_type_option
from rawkit.cli.inputs import suggesting_salvage
from rawkit.cli.moments import COMMENT, COUNT_OR_SPAN, PERIOD, RANGES, SPAN
from rawkit.cli.output import Progress, count_of
from rawkit.errors import FieldError
from rawkit.pcap import (
    MAXIMUM_BLOCK,
    CaptureFilter,
    Damage,
    Edit,
    Moment,
    Outcome,
    Repeats,
    Splitting,
    edit_capture,
)
from rawkit.wire import LinkType

__all__ = ["command"]

DEFAULT_WINDOW = (4, None)
"""How far back --dedupe looks: as editcap -d."""

OPTIONS = {
    ("Edit", "shift_ns"): "--shift",
    ("Edit", "comments"): "--comment",
    ("edit_capture", "target"): "OUT",
}
"""What users call the arguments of `edit_capture` and `Edit`."""

EXAMPLES = """\b
Examples:
  rawkit edit in.pcapng out.pcapng --range 5-10,20-
  rawkit edit in.pcapng out.pcapng --time +10s..+1m -f "tcp port 80"
  rawkit edit in.pcap out.pcap --time 2026-01-31T12:00:00..2026-01-31T12:05:00
  rawkit edit in.pcapng in.pcapng --shift -3600.5 --comment "7:the loss"
  rawkit edit a.pcapng all.pcapng --merge b.pcap c.pcapng --dedupe
  rawkit edit in.pcapng.zst part.pcapng --split 10m
  rawkit edit in.pcapng - --snaplen 96 | rawkit decode -

\b
Whatever the order of the options, this is the order of the work: files are
merged; --range, --time and -f choose packets; --dedupe leaves out repeats; the
format is converted; --shift; --snaplen; --comment; --split. Numbers and times
are those of the packets as read (after merging).
\b
Blocks and options that are not changed are copied byte for byte. OUT is written
in the format of its name (.pcap, .cap or .dmp; .pcapng or .ntar), else in that
of IN; .gz, .zst, .lz4, .xz or .bz2 behind it compresses. What a format has no
place for is told. OUT appears when it is complete, and may be IN itself. With
--split, files that were completed before an error stay.
\b
A span of time is a number, with a fraction if need be, and ns, us, ms, s, m, h
or d. Times are never rounded: what the file's clock cannot tell is an error."""


@click.command("edit", epilog=EXAMPLES)
@click.argument("source", metavar="IN|-", type=INPUT_FILE)
@click.argument("target", metavar="OUT|-", type=OUTPUT_FILE)
@click.argument("further", metavar="", type=INPUT_FILE, nargs=-1)
@click.option(
    "--range", "ranges", metavar="RANGES", type=RANGES, help="Keep packets by number: 7, 5-10 or 20-, with commas."
)
@click.option(
    "--time",
    "period",
    metavar="FROM..TO",
    type=PERIOD,
    help="Keep packets from FROM on, before TO: dates (UTC), seconds since 1970, or +SPAN from the first packet.",
)
@click.option("-f", "--filter", "filter_text", metavar="FILTER", help="Keep what this tcpdump filter lets pass.")
@click.option("--dedupe", is_flag=True, help="Leave out packets that repeat one shortly before, byte for byte.")
@click.option(
    "--window",
    metavar="N|SPAN",
    type=COUNT_OR_SPAN,
    help="How far back --dedupe looks: so many packets (default 4), or a span such as 10ms.",
)
@click.option(
    "--shift", metavar="SECONDS", type=SPAN, default=0, help="Add this to all times; may be negative, or a span."
)
@click.option(
    "--snaplen", type=click.IntRange(0, MAXIMUM_BLOCK), help="Keep so many bytes of each packet at the most."
)
@click.option(
    "--comment",
    "comments",
    metavar="[N:]TEXT",
    type=COMMENT,
    multiple=True,
    help="Add a comment to packet N, or to the file (:TEXT where it begins with digits and a colon); repeat.",
)
@click.option(
    "--merge",
    metavar="FILE...",
    type=INPUT_FILE,
    multiple=True,
    help="Merge these files too, in order of time.",
)
@click.option(
    "--split",
    metavar="N|SPAN",
    type=COUNT_OR_SPAN,
    help="Write OUT-00001 and so on, each of N packets, or of a span such as 10s or 1.5h.",
)
@click.option("--salvage", is_flag=True, help="Go on behind damage, which is told; else it is an error.")
@link_type_option
def command(
    source: str,
    target: str,
    further: tuple[str, ...],
    ranges: tuple[tuple[int, int | None], ...] | None,
    period: tuple[Moment | None, Moment | None] | None,
    filter_text: str | None,
    dedupe: bool,
    window: tuple[int | None, int | None] | None,
    shift: int,
    snaplen: int | None,
    comments: tuple[tuple[int | None, str], ...],
    merge: tuple[str, ...],
    split: tuple[int | None, int | None] | None,
    salvage: bool,
    link_type: LinkType | None,
) -> None:
    """Write an edited copy of the capture IN to OUT; `-` is standard input or output."""
    files = (source, *merge, *further)
    _refuse_misfits(target, files, further and not merge, split is not None)
    if window is not None and not dedupe:
        raise click.UsageError("--window is for --dedupe; add that")
    since, before = period or (None, None)
    edit = Edit(
        numbers=ranges or (),
        since=since,
        before=before,
        filter=CaptureFilter(filter_text) if filter_text is not None else None,
        repeats=Repeats(*(window or DEFAULT_WINDOW)) if dedupe else None,
        comments=_by_packet(comments),
        file_comments=tuple(text for number, text in comments if number is None),
        shift_ns=shift,
        snaplen=snaplen,
    )
    _tell(_edited(files, target, edit, split, salvage, link_type), split is not None)


def _refuse_misfits(target: str, files: tuple[str, ...], unexpected: object, split: bool) -> None:
    """Refuse what each argument allows and all together do not."""
    if unexpected:
        raise click.UsageError(f"unexpected argument {files[1]!r}; files to merge follow --merge")
    if files.count("-") > 1:
        raise click.UsageError("standard input holds one capture only; give the others by name")
    if split and target == "-":
        raise click.UsageError("--split makes files, which need a name; give OUT one")


def _edited(
    files: tuple[str, ...],
    target: str,
    edit: Edit,
    split: tuple[int | None, int | None] | None,
    salvage: bool,
    link_type: LinkType | None,
) -> Outcome:
    """Do it, and show how far it is."""
    with Progress("packet", "read") as progress:

        def tell(damage: Damage) -> None:
            progress.clear()
            click.echo(f"rawkit: {damage}", err=True)

        try:
            with suggesting_salvage(salvage):
                return edit_capture(
                    files[0],
                    target,
                    edit,
                    merge=files[1:],
                    split=Splitting(*split) if split is not None else None,
                    on_damage=tell if salvage else None,
                    link_type=link_type,
                    on_progress=progress.show,
                )
        except FieldError as error:
            if (name := OPTIONS.get((error.header, error.field))) is None:
                raise
            raise click.BadParameter(f"expected {error.expected}, got {error.value}", param_hint=name) from None


def _tell(outcome: Outcome, split: bool) -> None:
    """What came of it, on standard error: standard output may be the capture."""
    files = f" to {count_of(outcome.files, 'file')}" if split else ""
    click.echo(f"{outcome.written} of {count_of(outcome.read, 'packet')} written{files}", err=True)
    if outcome.lost:
        lost = ", ".join(count_of(count, what) for what, count in sorted(outcome.lost.items()))
        click.echo(f"lost, having no place in this format: {lost}", err=True)


def _by_packet(comments: tuple[tuple[int | None, str], ...]) -> dict[int, list[str]]:
    """The comments on each packet."""
    found: dict[int, list[str]] = {}
    for number, text in comments:
        if number is not None:
            found.setdefault(number, []).append(text)
    return found
