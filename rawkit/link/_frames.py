"""What the packet socket and the receive ring share: how they are opened, filtered and counted (packet(7))."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Final, NamedTuple

from rawkit.errors import FieldError, InterfaceError, kernel_error
from rawkit.link import _kernel
from rawkit.link._socket import KernelSocket
from rawkit.link.filters import compile_live_filter
from rawkit.pcap.bpf import Program
from rawkit.wire import VLAN, Ethernet, LinkType

__all__ = ["LARGEST_SNAPLEN", "VLAN_BYTES", "FrameSocket", "Statistics", "put_vlan_tag_back"]

LARGEST_SNAPLEN: Final = 262_144
"""libpcap's limit, and tcpdump's default."""

VLAN_BYTES: Final = 4
"""What a tag that is put back adds to a frame."""

_LINK_TYPES = {
    _kernel.ARPHRD_ETHER: LinkType.ETHERNET,
    _kernel.ARPHRD_LOOPBACK: LinkType.ETHERNET,  # loopback frames have an Ethernet header of zeros
    _kernel.ARPHRD_NONE: LinkType.RAW,  # tun, WireGuard: IP without a header before it
}


class Statistics(NamedTuple):
    """How a socket kept up: frames that passed its filter, and how many of them it had no room for."""

    packets: int
    drops: int


class FrameSocket(KernelSocket):
    """A packet socket on one interface, whatever way its frames come to the program."""

    def _open_on(
        self,
        interface: str,
        protocol: int,
        promiscuous: bool,
        filter: str | None,
        program: Program | None,
        snaplen: int,
    ) -> None:
        """Raises FieldError, NotPermittedError, InterfaceError, FilterError; nothing is left open then."""
        name = type(self).__name__
        if not 0 <= protocol <= 0xFFFF:
            raise FieldError(name, "protocol", protocol, "an EtherType: 0 to 65535")
        if not 1 <= snaplen <= LARGEST_SNAPLEN:
            raise FieldError(name, "snaplen", snaplen, f"1 to {LARGEST_SNAPLEN} bytes")
        self.interface = interface
        self.snaplen = snaplen
        self._seen = Statistics(0, 0)
        # Protocol 0 receives nothing: no frame slips in before the filter and the interface are set.
        self._open(socket.AF_PACKET, 0, interface)
        try:
            self._set_up(protocol, promiscuous, filter, program)
            self.link_type = self._link_type()
        except OSError as error:
            self.close()
            raise kernel_error(error, f"open {interface}") from error
        except BaseException:
            self.close()
            raise

    def statistics(self) -> Statistics:
        """What the socket received and dropped since it was opened (PACKET_STATISTICS).

        Frames that are still waiting to be received count as packets. Raises KernelError when it is closed.
        """
        packets, drops, *_ = self._ask_statistics(_kernel.STATISTICS)
        # The kernel forgets what it has told.
        self._seen = Statistics(self._seen.packets + packets, self._seen.drops + drops)
        return self._seen

    def _ask_statistics(self, layout: struct.Struct) -> tuple[int, ...]:
        try:
            value = self._socket.getsockopt(_kernel.SOL_PACKET, _kernel.PACKET_STATISTICS, layout.size)
        except OSError as error:
            raise kernel_error(error, f"read the statistics of {self._name}") from error
        return layout.unpack(value)

    def _prepare(self) -> None:
        """Ask the kernel for what this kind of socket needs, before the first frame can come. Raises OSError."""
        raise NotImplementedError

    def _set_up(self, protocol: int, promiscuous: bool, filter: str | None, program: Program | None) -> None:
        index = _kernel.interface_index(self.fileno(), self.interface)
        if filter is not None:
            program = compile_live_filter(filter, self.interface, self.snaplen)
        instructions = _kernel.keeping(self.snaplen) if program is None else program.instructions
        _kernel.attach_filter(self._socket, instructions)
        self._socket.setsockopt(socket.SOL_SOCKET, _kernel.SO_TIMESTAMPNS_NEW, 1)
        self._prepare()
        if promiscuous:
            member = _kernel.membership(index, _kernel.PACKET_MR_PROMISC)
            self._socket.setsockopt(_kernel.SOL_PACKET, _kernel.PACKET_ADD_MEMBERSHIP, member)
        self._socket.bind((self.interface, protocol))
        if down := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(down, "")  # bind succeeds on an interface that is down, and leaves the error here

    def _link_type(self) -> LinkType:
        hardware = self._socket.getsockname()[3]
        if hardware not in _LINK_TYPES:
            remedy = f"its link layer (ARPHRD {hardware}) is none that rawkit knows; use a raw IP socket"
            raise InterfaceError(errno.EPROTONOSUPPORT, f"open {self.interface}", remedy)
        return _LINK_TYPES[hardware]


def put_vlan_tag_back(frame: bytes, status: int, tpid: int, tci: int) -> bytes:
    """The frame with its 802.1Q tag after the two addresses, where it was on the wire.

    `status` are the frame's TP_STATUS_ bits: an older kernel tells no TPID.
    """
    known = status & _kernel.TP_STATUS_VLAN_TPID_VALID
    ethernet, body = Ethernet.parse(frame)
    tag, _ = VLAN.parse(struct.pack("!HH", tci, ethernet.type))
    return bytes(ethernet.replace(type=tpid if known else _kernel.ETH_P_8021Q) / tag / body)
