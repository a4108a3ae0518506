"""Filters in the tcpdump language, compiled by libpcap (through cypcap) for the kernel."""

from __future__ import annotations

import errno
from importlib import import_module
from typing import Any

from rawkit.errors import FilterError
from rawkit.pcap.bpf import MAXIMUM_INSTRUCTIONS, Program
from rawkit.pcap.filter import compile_with

__all__ = ["compile_live_filter"]


def compile_live_filter(filter: str, interface: str, snaplen: int) -> Program:
    """The program of a tcpdump filter for frames live on that interface, such as the kernel takes.

    It is compiled on the interface rather than for its link type alone, since the kernel takes VLAN tags out
    of frames before a socket sees them: only then does libpcap look for them where they are (pcap-filter(7)).
    That costs some 30 ms, which the kernel takes to close libpcap's own socket. Raises FilterError,
    and OSError (ENETDOWN) for an interface that is down.
    """
    cypcap: Any = import_module("cypcap")  # loads libpcap, which only filters need

    pcap = cypcap.create(interface)
    try:
        pcap.set_snaplen(snaplen)
        pcap.set_buffer_size(1 << 16)
        _activate(cypcap, pcap)
        netmask = _netmask(cypcap, interface)
        program = compile_with(lambda text, optimize: pcap.compile(text, optimize, netmask), filter)
    finally:
        pcap.close()
    if program.loops:
        reason = "its program has a loop (protochain), which the kernel takes from nobody; filter a capture file"
        raise FilterError(filter, reason)
    if len(program) > MAXIMUM_INSTRUCTIONS:
        reason = f"{len(program)} instructions, of which the kernel takes at most {MAXIMUM_INSTRUCTIONS}"
        raise FilterError(filter, reason)
    return program


def _netmask(cypcap: Any, interface: str) -> int:
    """What `ip broadcast` needs, in the byte order of the network; 0 where there is none, as tcpdump has it."""
    try:
        return int(cypcap.lookupnet(interface)[1])
    except cypcap.Error:
        return 0


def _activate(cypcap: Any, pcap: Any) -> None:
    try:
        pcap.activate()
    except cypcap.Error as error:  # the caller has a packet socket already, so the interface is what is wrong
        raise OSError(errno.ENETDOWN, str(error.args[-1])) from error
