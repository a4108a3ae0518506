"""What this machine allows, found out by doing it, for `rawkit doctor`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rawkit.errors import KernelError, NotPermittedError, RawkitError, kernel_error
from rawkit.netns.lab import Lab

__all__ = ["Check", "check_machine"]

_PROGRAMS = {
    "ip": "iproute2",
    "nft": "nftables",
    "ping": "iputils-ping",
    "tcpdump": "tcpdump",
    "tshark": "tshark",
}
"""Programs that exercises use and rawkit itself does not, with Debian's package for each."""

_LIBRARIES = {"scapy": 'pip install "rawkit[verify]"'}
"""Libraries that only `rawkit verify` needs, with the command that installs each."""

_ROOT_OR_OWN = "run as root (sudo rawkit doctor), or in a network of your own (unshare -rn rawkit doctor)"

_IN_USER_NAMESPACE = """
import sys
from rawkit.errors import RawkitError
from rawkit.netns.checks import make_lab
from rawkit.netns.user import enter_user_namespace
try:
    enter_user_namespace()
    make_lab()
except RawkitError as error:
    sys.exit(str(error))
"""


class Check(NamedTuple):
    """One thing that was tried: what came of it, and what to do when it did not work."""

    name: str
    ok: bool
    """Whether rawkit can work with it: also when something is missing that only some uses need."""
    detail: str
    remedy: str
    """Empty when it is ok."""


def check_machine() -> Iterator[Check]:
    """Try everything that rawkit needs, one check after the other. Sends nothing, leaves nothing."""
    yield _try("raw IPv4 sockets", lambda: _open_socket(socket.AF_INET, socket.IPPROTO_RAW))
    yield _try("raw IPv6 sockets", lambda: _open_socket(socket.AF_INET6, socket.IPPROTO_RAW))
    yield _try("packet sockets", lambda: _open_socket(socket.AF_PACKET, 0))
    yield _try("namespaces as this user", make_lab)
    yield _user_namespaces()
    for program, package in _PROGRAMS.items():
        missing = f"missing; rawkit works without it (sudo apt install {package})"
        yield Check(f"program {program}", True, shutil.which(program) or missing, "")
    for library, install in _LIBRARIES.items():
        found = importlib.util.find_spec(library) is not None
        detail = "works" if found else f"missing; only rawkit verify needs it ({install})"
        yield Check(f"library {library}", True, detail, "")


def make_lab() -> None:
    """Make two hosts, one of them untrusted, a link between them and a program. Raises RawkitError."""
    with Lab() as lab:
        a, b = lab.host("a"), lab.host("b", untrusted=True)
        lab.link(a, b)
        a.run([sys.executable, "-I", "-S", "-c", ""], check=True)


def _open_socket(family: int, protocol: int) -> None:
    try:
        socket.socket(family, socket.SOCK_RAW, protocol).close()
    except OSError as error:
        raise kernel_error(error, "open a socket") from error


def _user_namespaces() -> Check:
    # In a process of its own: there is no way back out of a user namespace.
    done = subprocess.run(
        [sys.executable, "-c", _IN_USER_NAMESPACE],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return Check("user namespaces", True, "works", "")
    doing, _, remedy = done.stderr.strip().rpartition("\n")[2].partition(": ")
    return Check("user namespaces", False, f"cannot {doing}", remedy)


def _try(name: str, action: Callable[[], None]) -> Check:
    try:
        action()
    except NotPermittedError as error:
        return Check(name, False, f"not permitted to {error.doing}", _ROOT_OR_OWN)
    except KernelError as error:
        return Check(name, False, f"cannot {error.doing}", error.remedy)
    except RawkitError as error:
        return Check(name, False, str(error), "")
    return Check(name, True, "works", "")
