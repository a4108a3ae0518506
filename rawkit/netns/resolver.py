"""Names for a lab's programs: they find their name server in a file, which is the machine's (resolv.conf(5))."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

from rawkit.errors import FieldError
from rawkit.netns import _kernel

__all__ = ["with_nameserver"]

RESOLV_CONF = "/etc/resolv.conf"
FOLDER = "/tmp"
"""What a file system in memory covers, while the new file is written there; the machine's may be below /run."""


def with_nameserver(address: str) -> Callable[[], None]:
    """Have a program of a lab ask that name server, by another /etc/resolv.conf for it and what it starts.

        host.run(["curl", "http://www.example/"], preexec_fn=with_nameserver("10.0.1.2"))

    In a process of its own, `Host.spawn`, call what this returns. It is of no use where the machine's own
    /etc/nsswitch.conf has another service asked first, such as `resolve`. Raises FieldError.
    """
    try:
        text = f"nameserver {ip_address(address)}\n"
    except ValueError as error:
        raise FieldError("with_nameserver", "address", address, "an IPv4 or IPv6 address") from error

    def change() -> None:
        _kernel.unshare(_kernel.CLONE_NEWNS)
        _kernel.mount("none", "/", "", _kernel.MS_REC | _kernel.MS_PRIVATE)
        _kernel.mount("tmpfs", FOLDER, "tmpfs", 0)
        file = Path(FOLDER, "resolv.conf")
        file.write_text(text)
        file.chmod(0o644)
        _kernel.mount(str(file), RESOLV_CONF, "", _kernel.MS_BIND)
        _kernel.unmount(FOLDER)  # the file stays where it is mounted, and nobody else ever saw it

    return change
