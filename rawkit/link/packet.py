"""The packet socket: whole frames on one interface, exactly as given and as they come (packet(7))."""

from __future__ import annotations

import errno
import select
import time
from collections.abc import Sequence
from typing import Final

from rawkit.errors import kernel_error
from rawkit.link import _kernel
from rawkit.link._frames import LARGEST_SNAPLEN, VLAN_BYTES, FrameSocket, Statistics, put_vlan_tag_back
from rawkit.link._socket import Ancillary, kernel_time, wait
from rawkit.link.frame import Direction, Frame, Sendable
from rawkit.pcap.bpf import Program
from rawkit.wire import LinkType

__all__ = ["PacketSocket", "Statistics"]

QUEUE_FULL_SECONDS: Final = 0.0005
"""How long an interface whose queue is full is left alone."""


class PacketSocket(FrameSocket):
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
        snaplen: int = LARGEST_SNAPLEN,
        buffer_size: int | None = None,
    ) -> None:
        self._buffer_size = buffer_size
        self._open_on(interface, protocol, promiscuous, filter, program, snaplen)

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
            data = put_vlan_tag_back(data, aux.status, aux.vlan_tpid, aux.vlan_tci)[: self.snaplen]
            length += VLAN_BYTES
        return Frame(
            data,
            kernel_time(ancillary),
            length,
            self.link_type,
            self.interface,
            Direction(address[2]),
            bool(aux.status & _kernel.TP_STATUS_CSUMNOTREADY),
        )

    def _prepare(self) -> None:
        self._socket.setsockopt(_kernel.SOL_PACKET, _kernel.PACKET_AUXDATA, 1)
        if self._buffer_size is not None:
            _kernel.set_receive_buffer(self._socket, self._buffer_size)


def _auxdata(ancillary: Ancillary) -> _kernel.AuxData:
    for level, kind, value in ancillary:
        if level == _kernel.SOL_PACKET and kind == _kernel.PACKET_AUXDATA:
            return _kernel.AuxData(*_kernel.AUXDATA.unpack(value))
    raise AssertionError("the kernel sends PACKET_AUXDATA with every frame once it is asked for")
