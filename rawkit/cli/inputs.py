"""Capture files as commands read them: shown to people while they wait, salvaged, followed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

import click

from rawkit.cli.output import WatchedInput
from rawkit.errors import CaptureError
from rawkit.pcap import Capture, FollowedCapture, open_capture
from rawkit.pcap.files import open_input
from rawkit.wire import LinkType

__all__ = ["opened", "suggesting_salvage"]

PAUSE: Final = 0.25
"""Seconds after which a file that is followed is looked at again."""


@contextmanager
def suggesting_salvage(salvage: bool) -> Iterator[None]:
    """Whatever is read inside: damage that ends it, while nobody asked to go on, is told with the way on."""
    try:
        yield
    except CaptureError as error:
        if salvage:
            raise
        remedy = "--salvage goes on behind damage, if there are packets"
        raise CaptureError(error.name, error.offset, error.expected, error.found, remedy) from error


@contextmanager
def opened(
    name: str,
    before_waiting: Callable[[], None],
    *,
    salvage: bool = False,
    follow: bool = False,
    link_type: LinkType | None = None,
) -> Iterator[Capture | FollowedCapture]:
    """The capture file of that name, or `-`; `before_waiting` is called when there is nothing to read yet."""

    def tell(what: object) -> None:
        before_waiting()
        click.echo(f"rawkit: {what}", err=True)

    def wait() -> None:
        before_waiting()
        time.sleep(PAUSE)  # which Ctrl-C ends

    on_damage = tell if salvage else None
    if follow and Path(name).is_file():
        with FollowedCapture(name, wait, on_cut=tell, on_damage=on_damage, link_type=link_type) as followed:
            yield followed
        return
    file, name, owned = open_input(name)
    try:
        watched = cast("BinaryIO", WatchedInput(file, name, before_waiting))
        with open_capture(watched, on_damage=on_damage, link_type=link_type) as capture:
            yield capture
    finally:
        if owned:
            file.close()
