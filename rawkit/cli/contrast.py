"""`rawkit contrast`: the same echo through every kind of socket, side by side."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

from rawkit.cli.arguments import OUTPUT_FILE, STANDARD_OUTPUT
from rawkit.cli.contrast_report import chapter, table
from rawkit.cli.kinds import KIND, TABLE, USABLE
from rawkit.cli.main import OK
from rawkit.cli.output import Lines, Progress, colour_wanted
from rawkit.cli.probing import FORMAT, ended_by, terminable
from rawkit.echo import KINDS, Kind
from rawkit.echo.contrast import SCENES, Contrast, found_out
from rawkit.echo.contrast.page import page_of
from rawkit.echo.contrast.records import as_object, records
from rawkit.netns import reexec_in_user_namespace
from rawkit.pcap import write_capture
from rawkit.pcap.files import output, write_all

__all__ = ["command"]

EXAMPLES = (
    """\b
Examples:
  rawkit contrast tcp udp
  rawkit contrast --scene lost --scene crash udp
  rawkit contrast --scene all -w /tmp/contrast.pcapng --html /tmp/contrast.html

"""
    + TABLE
    + "\n\n\b\nScenes:\n"
    + "\n".join(f"  {scene.name:<15} {scene.title}" for scene in SCENES.values())
)

LEAST_DATA, MOST_DATA = 4, 1000
"""Bytes to echo: what can be sent in two parts, and what every kind takes at once."""


@click.command("contrast", epilog=EXAMPLES)
@click.argument("kinds", nargs=-1, type=KIND)
@click.option(
    "--scene",
    "scenes",
    multiple=True,
    type=click.Choice([*SCENES, "all"], case_sensitive=False),
    help="Play this, too; may be repeated.",
)
@click.option(
    "-d",
    "--data",
    metavar="TEXT",
    default="hello",
    help="What is echoed (default 'hello'), save in the scenes large and swapped.",
)
@click.option(
    "-c", "--count", type=click.IntRange(10, 100_000), default=200, help="Round trips to measure (default 200)."
)
@click.option("-w", "--write", "file", metavar="FILE|-", type=OUTPUT_FILE, help="Write every frame as pcapng.")
@click.option("--html", "page", metavar="FILE|-", type=OUTPUT_FILE, help="Write it all as one page.")
@FORMAT
def command(
    kinds: tuple[Kind, ...],
    scenes: tuple[str, ...],
    data: str,
    count: int,
    file: str | None,
    page: str | None,
    format_: str,
) -> int:
    """Have the same bytes echoed by every KIND of socket between two hosts, and show what each really did.

    Both hosts are network namespaces of this machine, and gone when the command is.
    """
    wanted = data.encode(errors="surrogateescape")
    if not LEAST_DATA <= len(wanted) <= MOST_DATA:
        raise click.UsageError(f"--data takes {LEAST_DATA} to {MOST_DATA} bytes, got {len(wanted)}")
    if file is not None and page is not None and _place(file) == _place(page):
        raise click.UsageError("-w and --html cannot both go to the same place")
    reexec_in_user_namespace()
    try:
        return _shown(kinds, scenes, wanted, count, file, page, format_)
    except KeyboardInterrupt as stop:  # before there was anything to keep
        return ended_by(stop)


def _place(file: str) -> Path:
    """Where a file is, whatever its folder is called; a link in its own place is refused when it is opened."""
    if file in STANDARD_OUTPUT:
        return Path(STANDARD_OUTPUT[0])
    return Path(os.path.realpath(Path(file).parent)) / Path(file).name


def _shown(
    kinds: Sequence[Kind],
    scenes: Sequence[str],
    data: bytes,
    count: int,
    file: str | None,
    page: str | None,
    format_: str,
) -> int:
    with ExitStack() as stack:
        stack.enter_context(terminable())
        lines = stack.enter_context(Lines(sys.stderr if {file, page} & {*STANDARD_OUTPUT} else sys.stdout))
        # The files are opened before anything is played: one that cannot be written is no surprise at the end.
        html = stack.enter_context(output(page)) if page is not None else None
        chosen = [*dict.fromkeys(kinds or map(KINDS.__getitem__, USABLE))]
        names = SCENES if "all" in scenes else scenes
        show = _Show(chosen, partial(found_out, data=data, scenes=names, count=count), lines, format_)
        if file is not None:
            write_capture(file, records(show.played()), format="pcapng")
        else:
            show.play()
        show.sum_up()
        if html is not None:
            write_all(html, bytearray(page_of(show.found)), str(page))
    return OK if show.stop is None else ended_by(show.stop)


class _Show:
    """The kinds, one after the other, each told once it is known; Ctrl-C ends that, and keeps what was seen."""

    def __init__(
        self, kinds: Sequence[Kind], find_out: Callable[..., Iterator[Contrast]], lines: Lines, format_: str
    ) -> None:
        self._kinds, self._find_out, self._lines, self._format = kinds, find_out, lines, format_
        self.found: list[Contrast] = []
        self.stop: KeyboardInterrupt | None = None

    def play(self) -> None:
        """Play and tell them all."""
        try:
            for kind in self._kinds:
                told = len(self.found)
                try:
                    self._follow(kind)
                finally:
                    for one in self.found[told:]:
                        self._tell(one)
        except KeyboardInterrupt as stop:
            if not self.found:
                raise
            self.stop = stop

    def _follow(self, kind: Kind) -> None:
        """Play one kind, and keep what is found out of it at any time; a terminal sees how far that is."""
        told = len(self.found)
        with (
            Progress("step", f"of {kind.name} done") as steps,
            Progress("round trip", f"of {kind.name} measured") as trips,
        ):
            for done, one in enumerate(self._find_out(kind, on_echo=trips.show), 1):
                self.found[told:] = [one]
                steps.show(done)

    def played(self) -> Iterator[Contrast]:
        """Play and tell them all; then they come."""
        self.play()
        yield from self.found

    def sum_up(self) -> None:
        """Show the table."""
        for line in table(self.found) if self.found and self._format == "text" else ():
            self._lines.write(line)

    def _tell(self, one: Contrast) -> None:
        as_json = self._format == "json"
        for line in [json.dumps(as_object(one))] if as_json else chapter(one, colour=colour_wanted()):
            self._lines.write(line)
        self._lines.flush()
