"""The packet socket: whole frames on one interface, exactly as given and as they come (packet(7))."""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from rawkit.errors import FieldError, InterfaceError, kernel_error
from rawkit.link import _kernel
from rawkit.link._socket import Ancillary, KernelSocket, kernel_time, wait
from rawkit.link.filters import compile_live_filter
from rawkit.link.frame import Direction, Frame, Sendable
from rawkit.pcap.bpf import Program
from rawkit.wire import VLAN, Ethernet, LinkType

__all__ = ["PacketSocket", "Statistics"]

QUEUE_FULL_SECONDS: Final = 0.0005
"""How long an interface whose queue is full is left alone."""

_VLAN_BYTES = 4
_LARGEST_SNAPLEN = 262_144  # libpcap's limit, and tcpdump's default

_LINK_TYPES = {
    _kernel.ARPHRD_ETHER: LinkType.ETHERNET,
    _kernel.ARPHRD_LOOPBACK: LinkType.ETHERNET,  # loopback frames have an Ethernet header of zeros
    _kernel.ARPHRD_NONE: LinkType.RAW,  # tun, WireGuard: IP without a header before it
}


class Statistics(NamedTuple):
    """How a socket kept up: frames that passed its filter, and how many of them it had no room for."""

    packets: int
    drops: int


class PacketSocket(KernelSocket):
    """Sends and receives whole frames on one interface (AF_PACKET, SOCK_RAW; packet(7)).

    Sending: **the kernel changes nothing.** What is given goes out, link-layer header included, wrong lengths
    and checksums and all; it does not pad to Ethernet's 60 bytes either. Frames shorter than the link-layer
    header are refused (EINVAL), and so are those longer than the MTU and that header (EMSGSIZE), where a
    frame of EtherType 0x8100 may be 4 bytes longer.

    Receiving: incoming and outgoing frames, but not those that this very socket sent. A VLAN tag that the
    kernel or the card took out is put back, so `data` is what was on the wire. Frames from this host's own
    stack often carry an unfinished checksum: `checksum_unfinished` says so.

    `protocol` narrows what is received to one EtherType. A socket for one EtherType sees incoming frames
    only, those for all (the default) outgoing ones too. `filter` is in tcpdump's language; it is in force
    before the first frame can arrive. `promiscuous` asks the card for frames to other hosts as well, for as
    long as the socket is open. Of each frame at most `snaplen` bytes are kept. `program` is a filter that is
    compiled already, and `buffer_size` how many bytes of frames may wait (SO_RCVBUFFORCE in socket(7), or as much
    of it as the machine grants without CAP_NET_ADMIN).

    Raises FieldError for an argument out of its range, NotPermittedError without CAP_NET_RAW, InterfaceError
    when the interface does not exist, is down or goes away, and FilterError. An interface that goes down says
    so once; receiving after that waits for its return.
    """

    def __init__(
        self,
        interface: str,
        *,
        protocol: int = _kernel.ETH_P_ALL,
        promiscuous: bool = False,
        filter: str | None = None,
        program: Program | None = None,
        snaplen: int = _LARGEST_SNAPLEN,
        buffer_size: int | None = None,
    ) -> None:
        if not 0 <= protocol <= 0xFFFF:
            raise FieldError("PacketSocket", "protocol", protocol, "an EtherType: 0 to 65535")
        if not 1 <= snaplen <= _LARGEST_SNAPLEN:
            raise FieldError("PacketSocket", "snaplen", snaplen, f"1 to {_LARGEST_SNAPLEN} bytes")
        self.interface = interface
        self.snaplen = snaplen
        self._seen = Statistics(0, 0)
        # Protocol 0 receives nothing: no frame slips in before the filter and the interface are set.
        self._open(socket.AF_PACKET, 0, interface)
        try:
            self._set_up(protocol, promiscuous, filter, program)
            if buffer_size is not None:
                _kernel.set_receive_buffer(self._socket, buffer_size)
            self.link_type = self._link_type()
        except OSError as error:
            self.close()
            raise kernel_error(error, f"open {interface}") from error
        except BaseException:
            self.close()
            raise

    def send(self, data: Sendable) -> None:
        """Put one frame on the wire, unchanged. Raises KernelError (EMSGSIZE, EINVAL), InterfaceError."""
        self._send(data, None)

    def send_many(self, frames: Sequence[Sendable]) -> None:
        """Put frames on the wire in order, many in one system call (sendmmsg(2)).

        Raises what `send` raises, for the first frame that the kernel refuses; those before it are sent.
        """
        buffers = [bytes(frame) for frame in frames]
        sent = 0
        while sent < len(buffers):
            try:
                sent += _kernel.send_many(self.fileno(), buffers[sent : sent + _kernel.MOST_MESSAGES])
            except BlockingIOError:
                wait(self.fileno(), select.POLLOUT, None)
            except OSError as error:
                if (
                    error.errno == errno.ENOBUFS
                ):  # the queue of the interface; poll(2) does not tell when it is not
                    time.sleep(QUEUE_FULL_SECONDS)
                    continue
                doing = f"send frame {sent + 1} of {len(buffers)} ({len(buffers[sent])} bytes) on {self._name}"
                raise kernel_error(error, doing) from error

    def receive(self, timeout: float | None = None) -> Frame:
        """The next frame, after at most `timeout` seconds (None: for ever, 0: only if it is there already).

        Raises TimedOut, and InterfaceError when the interface goes down or away.
        """
        data, ancillary, address = self._receive(self.snaplen, timeout)
        aux = _auxdata(ancillary)
        length = aux.length
        if aux.status & _kernel.TP_STATUS_VLAN_VALID and self.link_type is LinkType.ETHERNET:
            known = aux.status & _kernel.TP_STATUS_VLAN_TPID_VALID
            data = _put_vlan_tag_back(data, aux.vlan_tpid if known else _kernel.ETH_P_8021Q, aux.vlan_tci)
            data, length = data[: self.snaplen], length + _VLAN_BYTES
        return Frame(
            data,
            kernel_time(ancillary),
            length,
            self.link_type,
            self.interface,
            Direction(address[2]),
            bool(aux.status & _kernel.TP_STATUS_CSUMNOTREADY),
        )

    def statistics(self) -> Statistics:
        """What the socket received and dropped since it was opened (PACKET_STATISTICS).

        Frames that are still waiting to be received count as packets. Raises KernelError when it is closed.
        """
        size = _kernel.STATISTICS.size
        try:
            value = self._socket.getsockopt(_kernel.SOL_PACKET, _kernel.PACKET_STATISTICS, size)
        except OSError as error:
            raise kernel_error(error, f"read the statistics of {self._name}") from error
        packets, drops = _kernel.STATISTICS.unpack(value)
        # The kernel forgets what it has told.
        self._seen = Statistics(self._seen.packets + packets, self._seen.drops + drops)
        return self._seen

    def _set_up(self, protocol: int, promiscuous: bool, filter: str | None, program: Program | None) -> None:
        index = _kernel.interface_index(self.fileno(), self.interface)
        if filter is not None:
            program = compile_live_filter(filter, self.interface, self.snaplen)
        if program is not None:
            _kernel.attach_filter(self._socket, program.instructions)
        self._socket.setsockopt(_kernel.SOL_PACKET, _kernel.PACKET_AUXDATA, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, _kernel.SO_TIMESTAMPNS_NEW, 1)
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


def _auxdata(ancillary: Ancillary) -> _kernel.AuxData:
    for level, kind, value in ancillary:
        if level == _kernel.SOL_PACKET and kind == _kernel.PACKET_AUXDATA:
            return _kernel.AuxData(*_kernel.AUXDATA.unpack(value))
    raise AssertionError("the kernel sends PACKET_AUXDATA with every frame once it is asked for")


def _put_vlan_tag_back(frame: bytes, tpid: int, tci: int) -> bytes:
    """The frame with its 802.1Q tag after the two addresses, where it was on the wire."""
    ethernet, body = Ethernet.parse(frame)
    tag, _ = VLAN.parse(struct.pack("!HH", tci, ethernet.type))
    return bytes(ethernet.replace(type=tpid) / tag / body)
