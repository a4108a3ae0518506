"""What the kernel's headers define and Python's socket module does not, each with its header."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any, NamedTuple

__all__ = [
    "ARPHRD_ETHER",
    "ARPHRD_LOOPBACK",
    "ARPHRD_NONE",
    "AUXDATA",
    "BLOCK",
    "BLOCK_STATUS",
    "CAP_SETPCAP",
    "ETH_P_8021Q",
    "ETH_P_ALL",
    "IFF_RUNNING",
    "IFF_UP",
    "IPV6_HDRINCL",
    "IP_PKTINFO",
    "MOST_MESSAGES",
    "PACKET_ADD_MEMBERSHIP",
    "PACKET_AUXDATA",
    "PACKET_IGNORE_OUTGOING",
    "PACKET_MR_PROMISC",
    "PACKET_RX_RING",
    "PACKET_STATISTICS",
    "PACKET_VERSION",
    "PR_CAPBSET_DROP",
    "PR_CAP_AMBIENT",
    "PR_CAP_AMBIENT_CLEAR_ALL",
    "PR_SET_NO_NEW_PRIVS",
    "RING_COLUMNS",
    "RING_FRAME",
    "RING_FRAME_OVERHEAD",
    "RING_FRAME_START",
    "RING_REQUEST",
    "RING_STATISTICS",
    "SOL_PACKET",
    "SO_TIMESTAMPNS_NEW",
    "STATISTICS",
    "TIMESPEC",
    "TPACKET_V3",
    "TP_STATUS_CSUMNOTREADY",
    "TP_STATUS_KERNEL",
    "TP_STATUS_USER",
    "TP_STATUS_VLAN_TPID_VALID",
    "TP_STATUS_VLAN_VALID",
    "AuxData",
    "RingRequest",
    "attach_filter",
    "clear_capabilities",
    "detach_filter",
    "interface_flags",
    "interface_index",
    "interface_mtu",
    "interface_name",
    "keeping",
    "membership",
    "prctl",
    "send_many",
    "set_receive_buffer",
]

# <asm-generic/socket.h>
SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS_NEW = 64
# <linux/socket.h>
SOL_PACKET = 263
# <linux/if_packet.h>
PACKET_ADD_MEMBERSHIP = 1
PACKET_RX_RING = 5
PACKET_STATISTICS = 6
PACKET_AUXDATA = 8
PACKET_VERSION = 10
PACKET_IGNORE_OUTGOING = 23
PACKET_MR_PROMISC = 1
TPACKET_V3 = 2
TP_STATUS_KERNEL = 0
TP_STATUS_USER = 1 << 0
TP_STATUS_CSUMNOTREADY = 1 << 3
TP_STATUS_VLAN_VALID = 1 << 4
TP_STATUS_VLAN_TPID_VALID = 1 << 6
# <linux/bpf_common.h>
BPF_RET_K = 0x06
# <linux/if_ether.h>
ETH_P_ALL = 0x0003
ETH_P_8021Q = 0x8100
# <linux/if_arp.h>
ARPHRD_ETHER = 1
ARPHRD_LOOPBACK = 772
ARPHRD_NONE = 0xFFFE
# <linux/in.h>
IP_PKTINFO = 8
# <linux/in6.h>
IPV6_HDRINCL = 36
# <linux/if.h>
IFF_UP = 1 << 0
IFF_RUNNING = 1 << 6
IFNAMSIZ = 16
# <linux/sockios.h>
SIOCGIFNAME = 0x8910
SIOCGIFFLAGS = 0x8913
SIOCGIFMTU = 0x8921
SIOCGIFINDEX = 0x8933
# <linux/prctl.h>
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
# <linux/capability.h>
CAP_SETPCAP = 8
LINUX_CAPABILITY_VERSION_3 = 0x20080522

TIMESPEC = struct.Struct("=qq")
"""struct __kernel_timespec (<linux/time_types.h>): seconds, nanoseconds."""

STATISTICS = struct.Struct("=II")
"""struct tpacket_stats (<linux/if_packet.h>): packets, among them the dropped ones; dropped."""

RING_STATISTICS = struct.Struct("=III")
"""struct tpacket_stats_v3 (<linux/if_packet.h>): the same, and how often the ring was full."""

RING_REQUEST = struct.Struct("=7I")
"""struct tpacket_req3 (<linux/if_packet.h>): the fields of `RingRequest`."""

BLOCK_STATUS = struct.Struct("=8xI")
"""The block_status of a struct tpacket_block_desc (<linux/if_packet.h>): the reader's, with TP_STATUS_USER."""

BLOCK = struct.Struct("=12xII")
"""The same struct's num_pkts and offset_to_first_pkt (from the start of the block)."""

RING_FRAME = struct.Struct("=6IH6xIH20xB")
"""struct tpacket3_hdr and the sll_pkttype of the struct sockaddr_ll behind it (<linux/if_packet.h>).

Offset of the next one, seconds, nanoseconds, bytes kept, bytes on the wire, status, offset of the bytes,
VLAN tag, its EtherType, packet type. Offsets are from the start of the header.
"""

RING_FRAME_START = struct.Struct("=6IH")
"""Of the same what nearly every frame needs: up to the offset of the bytes."""

RING_COLUMNS = {
    "next": ("u4", 0),
    "seconds": ("u4", 4),
    "nanoseconds": ("u4", 8),
    "kept": ("u4", 12),
    "length": ("u4", 16),
    "status": ("u4", 20),
    "offset": ("u2", 24),
}
"""The same fields as `RING_FRAME_START`: for each its kind, as NumPy calls it, and where it is."""

RING_FRAME_OVERHEAD = 256
"""More bytes than TPACKET3_HDRLEN and struct tpacket_block_desc, which a frame has before its own in a block."""

AUXDATA = struct.Struct("=IIIHHHH")
"""struct tpacket_auxdata (<linux/if_packet.h>), the fields of `AuxData`."""

_FPROG = struct.Struct("@HP")  # struct sock_fprog (<linux/filter.h>): instructions, where they are
_FILTER = struct.Struct("=HBBI")  # struct sock_filter (<linux/filter.h>): code, jt, jf, k
_MREQ = struct.Struct("=iHH8s")  # struct packet_mreq (<linux/if_packet.h>): index, type, length, address
_IFREQ_NUMBER = struct.Struct("=16si20x")  # struct ifreq (<linux/if.h>): name, int of the union
_IFREQ_FLAGS = struct.Struct("=16sH22x")  # the same, with ifr_flags

_libc = ctypes.CDLL(None, use_errno=True)


class AuxData(NamedTuple):
    """What PACKET_AUXDATA tells of a frame: lengths in bytes, `status` in TP_STATUS_ bits."""

    status: int
    length: int
    captured: int
    link_header: int
    network_header: int
    vlan_tci: int
    vlan_tpid: int


class RingRequest(NamedTuple):
    """What PACKET_RX_RING asks for: blocks and the frames that they would hold, were they all of one size."""

    block_size: int
    block_count: int
    frame_size: int
    frame_count: int
    retire_ms: int
    private_size: int = 0
    features: int = 0


def attach_filter(sock: socket.socket, instructions: Sequence[tuple[int, int, int, int]]) -> None:
    """Let only those packets into the socket's queue that a classic BPF program accepts (socket(7))."""
    program = b"".join(_FILTER.pack(*instruction) for instruction in instructions)
    held = ctypes.create_string_buffer(program, len(program))
    fprog = _FPROG.pack(len(instructions), ctypes.addressof(held))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, fprog)


def keeping(snaplen: int) -> tuple[tuple[int, int, int, int], ...]:
    """The classic BPF program that keeps so many bytes of every packet; of 0 bytes, it lets none pass."""
    return ((BPF_RET_K, 0, 0, snaplen),)


def detach_filter(sock: socket.socket) -> None:
    """Let every packet into the socket's queue again."""
    sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def membership(index: int, kind: int) -> bytes:
    """A struct packet_mreq without an address, for PACKET_ADD_MEMBERSHIP."""
    return _MREQ.pack(index, kind, 0, b"")


MOST_MESSAGES = 256
"""How many messages `send_many` takes; more in one call are no faster (128 neither)."""


class _IOVec(ctypes.Structure):
    """struct iovec (<bits/types/struct_iovec.h>)."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _MessageHeader(ctypes.Structure):
    """struct msghdr (<bits/socket.h>)."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("parts", ctypes.POINTER(_IOVec)),
        ("part_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class _Message(ctypes.Structure):
    """struct mmsghdr (<bits/socket.h>): the header, and how many bytes were sent."""

    _fields_ = [("header", _MessageHeader), ("sent", ctypes.c_uint)]


class _Batch(threading.local):
    """Messages of one part each; only where that lies and how long it is changes. One batch a thread."""

    def __init__(self) -> None:
        self.parts = (_IOVec * MOST_MESSAGES)()
        self.messages = (_Message * MOST_MESSAGES)()
        for message, part in zip(self.messages, self.parts, strict=True):
            message.header.parts = ctypes.pointer(part)
            message.header.part_count = 1


_batch = _Batch()


def send_many(descriptor: int, buffers: Sequence[bytes]) -> int:
    """sendmmsg(2): how many of at most `MOST_MESSAGES` buffers were sent, at least one. Raises OSError."""
    joined = b"".join(buffers)
    address = ctypes.cast(ctypes.c_char_p(joined), ctypes.c_void_p).value or 0
    lengths = [len(buffer) for buffer in buffers]
    starts = accumulate(lengths[:-1], initial=address)
    struct.pack_into(
        f"@{'PN' * len(lengths)}", _batch.parts, 0, *chain.from_iterable(zip(starts, lengths, strict=True))
    )
    sent: int = _libc.sendmmsg(descriptor, _batch.messages, len(lengths), 0)
    if sent < 0:
        _raise_errno("sendmmsg")
    return sent


def set_receive_buffer(sock: socket.socket, size: int) -> None:
    """Let so many bytes wait in a socket, beyond the machine's limit where CAP_NET_ADMIN allows it."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def interface_name(descriptor: int, index: int) -> str:
    """The name of an interface in the socket's namespace, which need not be the thread's."""
    answer = fcntl.ioctl(descriptor, SIOCGIFNAME, _IFREQ_NUMBER.pack(b"", index))
    return os.fsdecode(_IFREQ_NUMBER.unpack(answer)[0].rstrip(b"\0"))


def interface_index(descriptor: int, name: str) -> int:
    """The index of an interface in the namespace that the socket belongs to."""
    return _ifreq(descriptor, SIOCGIFINDEX, name, _IFREQ_NUMBER)


def interface_mtu(descriptor: int, name: str) -> int:
    """The bytes that fit into one packet of that interface, its link-layer header not counted."""
    return _ifreq(descriptor, SIOCGIFMTU, name, _IFREQ_NUMBER)


def interface_flags(descriptor: int, name: str) -> int:
    """The IFF_ bits of an interface."""
    return _ifreq(descriptor, SIOCGIFFLAGS, name, _IFREQ_FLAGS)


def _ifreq(descriptor: int, request: int, name: str, layout: struct.Struct) -> int:
    encoded = os.fsencode(name)
    if len(encoded) >= IFNAMSIZ or b"\0" in encoded:  # which the kernel would cut, and find another interface
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    answer = fcntl.ioctl(descriptor, request, layout.pack(encoded, 0))
    number: int = layout.unpack(answer)[1]
    return number


def prctl(option: int, *arguments: int) -> None:
    """prctl(2), for the calling thread. Raises OSError."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    if _libc.prctl(option, *(ctypes.c_ulong(argument) for argument in padded)) < 0:
        _raise_errno("prctl")


def clear_capabilities() -> None:
    """Empty the calling thread's effective, permitted and inheritable sets (capset(2)). Raises OSError."""
    header = struct.pack("=Ii", LINUX_CAPABILITY_VERSION_3, 0)  # struct __user_cap_header_struct
    nothing = bytes(2 * 3 * 4)  # two struct __user_cap_data_struct
    if _libc.capset(header, nothing) < 0:
        _raise_errno("capset")


def _raise_errno(call: str) -> Any:
    number = ctypes.get_errno()
    raise OSError(number, f"{call}: {os.strerror(number)}")
