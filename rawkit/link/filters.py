"""Filters in the tcpdump language, compiled by libpcap (through cypcap) for the kernel."""

from __future__ import annotations

import errno
from importlib import import_module
from typing import Any

from rawkit.errors import FilterError

__all__ = ["compile_filter"]


def compile_filter(filter: str, interface: str, snaplen: int) -> list[tuple[int, int, int, int]]:
    """The classic BPF program (code, jt, jf, k) of a tcpdump filter, for frames live on that interface.

    It is compiled on the interface rather than for its link type alone, since the kernel takes VLAN tags out
    of frames before a socket sees them: only then does libpcap look for them where they are (pcap-filter(7)).
    That costs some 30 ms, which the kernel takes to close libpcap's own socket. Raises FilterError,
    and OSError (ENETDOWN) for an interface that is down.
    """
    cypcap: Any = import_module("cypcap")  # loads libpcap, which only filters need

    if "\0" in filter:
        raise FilterError(filter, "a null character, at which libpcap would stop reading")
    pcap = cypcap.create(interface)
    try:
        pcap.set_snaplen(snaplen)
        pcap.set_buffer_size(1 << 16)
        _activate(cypcap, pcap)
        return [tuple(instruction) for instruction in pcap.compile(filter, True, cypcap.NETMASK_UNKNOWN)]
    except cypcap.Error as error:
        raise FilterError(filter, str(error.args[-1])) from error
    finally:
        pcap.close()


def _activate(cypcap: Any, pcap: Any) -> None:
    try:
        pcap.activate()
    except cypcap.Error as error:  # the caller has a packet socket already, so the interface is what is wrong
        raise OSError(errno.ENETDOWN, str(error.args[-1])) from error
