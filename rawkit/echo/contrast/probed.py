"""What takes several tries to find out: how much a socket takes at once, and which fields are the kernel's."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from functools import cache, partial
from typing import Any, Final

from rawkit.echo.contrast.play import client_address, server_address
from rawkit.echo.contrast.stage import PATIENCE, Stage
from rawkit.echo.kinds import Kind
from rawkit.errors import FieldError, KernelError, NotPermittedError, RawkitError
from rawkit.link import drop_privileges
from rawkit.netns import Worker
from rawkit.wire import IPv4

__all__ = ["largest", "overwritten", "privilege"]

KEPT: Final = ("version", "ihl", "src", "dst")
"""Fields that are not bent: with others the kernel refuses the packet, or sends it elsewhere."""

EXPERIMENTAL: Final = 254
"""An IP protocol (RFC 3692) that no kind of socket here has."""


@cache
def largest(kind: Kind, limit: int) -> int:
    """The most bytes, up to a limit, that one call of a client takes: found by halving, with nobody there."""
    with Stage(one_host=kind.within_machine) as stage, stage.client:
        fits, too_many = 0, limit + 1
        while too_many - fits > 1:
            size = (fits + too_many) // 2
            if _is_taken(kind, client_address(kind, stage), size):
                fits = size
            else:
                too_many = size
    return fits


def _is_taken(kind: Kind, address: Any, size: int) -> bool:
    try:
        with kind.load().Client(address, timeout=PATIENCE) as client:
            client.send(bytes(size))
    except (KernelError, FieldError) as error:
        return getattr(error, "errno", errno.EMSGSIZE) != errno.EMSGSIZE
    return True


@cache
def overwritten() -> frozenset[str]:
    """The fields of an IPv4 header into which the kernel writes what it likes, whatever was handed over (raw(7)).

    Of each packet that is sent, one field is other than it should be; it is looked at as it leaves the host.
    """
    with Stage() as stage:
        src, dst = str(stage.client.address()), str(stage.server.address())
        built = (IPv4(src=src, dst=dst, identification=0x1234, protocol=EXPERIMENTAL) / b"probe").built()[IPv4]
        bent = {}
        for field in IPv4.fields():
            value = getattr(built, field.name)
            if field.name not in KEPT and isinstance(value, int):
                bent[field.name] = built.replace(**{field.name: type(value)(value ^ 1)})
        with stage.client.open(socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            stage.listen()
            for name, header in bent.items():
                with suppress(OSError):  # what the kernel refuses it does not overwrite
                    raw.sendto(bytes(header / name.encode()), (dst, 0))
        left = {each.packet.payload: each.packet for each in stage.frames() if each.source == "client"}
    return frozenset(
        name
        for name, header in bent.items()
        if (packet := left.get(name.encode())) is not None and getattr(packet[IPv4], name) != getattr(header, name)
    )


def privilege(kind: Kind) -> str:
    """The capability that the kernel asks for: found out by opening both ends without any."""
    with Stage(one_host=kind.within_machine) as stage:
        ends = [
            (stage.server, partial(kind.load().Server, server_address(kind, stage))),
            (stage.client, partial(kind.load().Client, client_address(kind, stage))),
        ]
        for host, open_ in ends:
            with host.spawn(partial(_open_without, open_)) as worker:
                worker.join(PATIENCE)
                if worker.told:
                    return str(worker.told[0])
    return ""


def _open_without(open_: Any, worker: Worker) -> None:
    drop_privileges()
    try:
        open_(timeout=PATIENCE).close()
    except NotPermittedError as error:
        worker.tell(error.capability)
    except RawkitError:
        pass  # refused for another reason: nobody listens yet
