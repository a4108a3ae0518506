"""The receive ring: frames that the kernel puts into memory which it shares with the program (TPACKET_V3).

See Documentation/networking/packet_mmap.rst of the kernel. Memory is divided into blocks. The kernel fills one
with frames, and hands it over when it is full or when `retire_ms` have passed; the reader copies the frames and
gives the block back. So one wait is for many frames, and no frame costs a system call.
"""

from __future__ import annotations

import errno
import mmap
import select
import socket
import time
from contextlib import suppress
from typing import Final

from rawkit.errors import FieldError, TimedOut, kernel_error
from rawkit.link import _kernel
from rawkit.link._frames import LARGEST_SNAPLEN, VLAN_BYTES, FrameSocket, Statistics, put_vlan_tag_back
from rawkit.link._socket import deadline_of, is_over, wait
from rawkit.link.frame import Direction, Frame
from rawkit.pcap.bpf import Program
from rawkit.pcap.record import CapturedPacket, CapturedPackets
from rawkit.wire import LinkType

__all__ = ["PacketRing"]

DEFAULT_SIZE: Final = 64 * 1024 * 1024
LARGEST_SIZE: Final = 1024 * 1024 * 1024
SMALLEST_BLOCK: Final = 128 * 1024
"""Bytes of a ring, and of one of its blocks at least."""

LONGEST_RETIREMENT: Final = 10_000
"""Milliseconds."""

MANY: Final = 4096
"""Frames after which no further block is begun in one call."""

SHORTEST_RUN: Final = 64
"""Frames of one size in a row that are worth to be taken as columns."""

RETIREMENTS: Final = 20
"""How often the time to retire a block is waited for, for what a busy machine hands over late."""

NANOSECONDS: Final = 1_000_000_000


class PacketRing(FrameSocket):
    """Receives whole frames on one interface through a ring of `size` bytes, as `PacketSocket` receives them.

    What it says of frames, filters and errors holds here too; but a ring sends nothing, and it sees what the
    same process sends through other sockets. With `outgoing=False` it sees no frame that this host sends.
    `program` is a filter that is compiled already, such as by `rawkit.pcap.filter.compile_filter`, which unlike
    `filter` costs no 30 ms but looks for VLAN tags where the kernel has taken them out.

    A ring takes many frames at little cost and hands each over late, when the block that it is in is retired: at
    the latest `retire_ms` after it came. Measured on kernel 6.18 over veth, a lone frame came after 0.6 ms at the
    median with `retire_ms=1` (1.1 ms at most), and after 19 ms with 20. So a ring is for many frames, and
    `PacketSocket`, which hands a frame over in 0.01 ms, for few whose answer somebody waits for. Kernels before
    6.18 retire blocks by the tick of their clock, every 1, 4 or 10 ms. A block is used up when it is retired,
    however little it holds: a reader that pauses for as many times `retire_ms` as there are `blocks` may lose
    frames, also where these are few.

    When the interface goes down or away, what came before is delivered first.

    Raises FieldError for an argument out of its range, NotPermittedError without CAP_NET_RAW, InterfaceError,
    FilterError, and KernelError (ENOMEM) where the kernel has no memory for a ring of that size.
    """

    _memory: mmap.mmap | None = None

    def __init__(
        self,
        interface: str,
        *,
        protocol: int = _kernel.ETH_P_ALL,
        promiscuous: bool = False,
        filter: str | None = None,
        program: Program | None = None,
        snaplen: int = LARGEST_SNAPLEN,
        size: int = DEFAULT_SIZE,
        retire_ms: int = 20,
        outgoing: bool = True,
    ) -> None:
        self._block_size = _block_size(snaplen)
        if not 2 * self._block_size <= size <= LARGEST_SIZE:
            raise FieldError("PacketRing", "size", size, f"{2 * self._block_size} to {LARGEST_SIZE} bytes")
        if not 1 <= retire_ms <= LONGEST_RETIREMENT:
            raise FieldError("PacketRing", "retire_ms", retire_ms, f"1 to {LONGEST_RETIREMENT} milliseconds")
        self.blocks = size // self._block_size
        self.freezes = 0
        """How often the ring was full, as of the last `statistics`."""
        self._retire_ms, self._outgoing = retire_ms, outgoing
        self._block = 0  # where the block begins that is next to be read
        self._frame = 0  # where its next frame is; 0 if it was not begun
        self._left = 0  # how many frames of it are still to be read
        self._held = False  # whether it was begun, and not given back
        self._delivered = 0
        self._error = 0  # of the socket, told once all frames are read
        self._open_on(interface, protocol, promiscuous, filter, program, snaplen)

    # ------------------------------------------------------------------ receiving

    def receive(self, timeout: float | None = None) -> Frame:
        """The next frame, after at most `timeout` seconds (None: for ever, 0: only if it is there already).

        Raises TimedOut, and InterfaceError when the interface goes down or away.
        """
        self._await_block(timeout)
        (frame,) = self._as_frames(1)
        return frame

    def receive_many(self, timeout: float | None = None) -> list[Frame]:
        """All frames of a block, and of those that follow it and are there already; at least one.

        Once there are a few thousand, the rest is for the next call. Raises what `receive` raises.
        """
        self._await_block(timeout)
        found = self._as_frames(self._left)
        while len(found) < MANY and self._begin_block():
            found += self._as_frames(self._left)
        return found

    def capture(self, timeout: float | None = None) -> CapturedPackets:
        """What a capture file keeps of frames that came, at most those of one block; at least one.

        Takes a fraction of the time that `receive_many` takes, and least where many frames of one size follow
        each other, which are given as a run (`rawkit.columnar`). A run is still in the memory of the ring: it
        holds until the ring is asked again. Raises what `receive` raises.
        """
        self._await_block(timeout)
        if self._left >= SHORTEST_RUN:
            from rawkit.columnar import read_run  # which needs NumPy

            stop = self._block + self._block_size
            tagged = _kernel.TP_STATUS_VLAN_VALID
            run, end = read_run(self._shared, self._frame, stop, self._left, _kernel.RING_COLUMNS, tagged)
            if len(run) >= SHORTEST_RUN and run.size <= self.snaplen:
                self._skip(len(run), end)
                return run
        return self._as_captured(self._left)

    def stop(self) -> None:
        """Let nothing more in. What came before can then be received without waiting.

        Raises KernelError when it is closed.
        """
        try:
            _kernel.attach_filter(self._socket, _kernel.keeping(0))
        except OSError as error:
            raise kernel_error(error, f"stop {self._name}") from error
        self._await_last_block()

    def statistics(self) -> Statistics:
        """What the ring received and dropped since it was opened, also when it is closed (PACKET_STATISTICS).

        Frames that are still waiting to be received count as packets. `freezes` is brought up to date.
        """
        if self._memory is not None:
            packets, drops, freezes = self._ask_statistics(_kernel.RING_STATISTICS)
            # The kernel forgets what it has told.
            self._seen = Statistics(self._seen.packets + packets, self._seen.drops + drops)
            self.freezes += freezes
        return self._seen

    def close(self) -> None:
        """Read the statistics a last time, and give the memory back. Closing twice is no error."""
        if self._memory is not None:
            self.statistics()
            with suppress(BufferError):  # somebody still has a run: then it is given back with that
                self._memory.close()
            self._memory = None
        super().close()

    # ------------------------------------------------------------------ frames

    def _as_captured(self, count: int) -> list[CapturedPacket]:
        memory, snaplen, start = self._shared, self.snaplen, self._frame
        unpack, tagged = _kernel.RING_FRAME_START.unpack_from, _kernel.TP_STATUS_VLAN_VALID
        found: list[CapturedPacket] = []
        append = found.append  # looked up once: half a million frames a second go through here
        for _ in range(count):
            size, seconds, fraction, kept, length, status, offset = unpack(memory, start)
            if status & tagged or kept > snaplen:
                frame = self._frame_at(start)
                append((frame.time_ns, frame.data, frame.wire_length))
            else:
                at = start + offset
                append((seconds * NANOSECONDS + fraction, memory[at : at + kept], length))
            start += size
        self._advance(count, start)
        return found

    def _as_frames(self, count: int) -> list[Frame]:
        start, frames = self._frame, []
        for _ in range(count):
            frames.append(self._frame_at(start))
            start += _kernel.RING_FRAME_START.unpack_from(self._shared, start)[0]
        self._advance(count, start)
        return frames

    def _frame_at(self, start: int) -> Frame:
        header = _kernel.RING_FRAME.unpack_from(self._shared, start)
        _, seconds, fraction, kept, length, status, offset, tci, tpid, kind = header
        data = self._shared[start + offset : start + offset + kept]
        if status & _kernel.TP_STATUS_VLAN_VALID and self.link_type is LinkType.ETHERNET:
            data = put_vlan_tag_back(data, status, tpid, tci)
            length += VLAN_BYTES
        return Frame(
            data[: self.snaplen],
            seconds * NANOSECONDS + fraction,
            length,
            self.link_type,
            self.interface,
            Direction(kind),
            bool(status & _kernel.TP_STATUS_CSUMNOTREADY),
        )

    def _advance(self, count: int, start: int) -> None:
        """So many frames of the block were read, and the next begins at `start`; a block read up is given back."""
        self._skip(count, start)
        self._give_back()

    def _skip(self, count: int, start: int) -> None:
        self._frame = start
        self._left -= count
        self._delivered += count

    # ------------------------------------------------------------------ blocks

    def _prepare(self) -> None:
        set_option = self._socket.setsockopt
        set_option(_kernel.SOL_PACKET, _kernel.PACKET_VERSION, _kernel.TPACKET_V3)
        if not self._outgoing:
            set_option(_kernel.SOL_PACKET, _kernel.PACKET_IGNORE_OUTGOING, 1)
        size, count = self._block_size, self.blocks
        request = _kernel.RingRequest(size, count, size, count, self._retire_ms)
        set_option(_kernel.SOL_PACKET, _kernel.PACKET_RX_RING, _kernel.RING_REQUEST.pack(*request))
        self._memory = mmap.mmap(self.fileno(), size * count, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)

    @property
    def _shared(self) -> mmap.mmap:
        """The memory of the ring. Raises KernelError when it is closed."""
        if self._memory is None:
            raise kernel_error(OSError(errno.EBADF, ""), f"receive on {self._name}")
        return self._memory

    def _await_block(self, timeout: float | None) -> None:
        """Have a frame to read. Raises TimedOut, InterfaceError."""
        doing = f"receive on {self._name}"
        deadline = deadline_of(timeout)
        while not self._begin_block():
            if self._error:
                error, self._error = OSError(self._error, ""), 0
                raise kernel_error(error, doing)
            if wait(self.fileno(), select.POLLIN, deadline):
                self._error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if self._error:
                    self._await_last_block()
            elif is_over(deadline):
                raise TimedOut(doing, timeout or 0)

    def _await_last_block(self) -> None:
        """Wait until the kernel has handed over all that came, when nothing more comes."""
        self._give_back()
        for _ in range(RETIREMENTS):
            packets, drops = self.statistics()
            if self._delivered + self._ready() >= packets - drops:
                return
            time.sleep(self._retire_ms / 1000)  # poll(2) would not tell which of the blocks has come

    def _begin_block(self) -> bool:
        """Whether there is a frame to read: in a block that was begun, or in the next one that is handed over."""
        self._give_back()
        while not self._left:
            memory = self._shared
            (status,) = _kernel.BLOCK_STATUS.unpack_from(memory, self._block)
            if not status & _kernel.TP_STATUS_USER:
                return False
            self._left, first = _kernel.BLOCK.unpack_from(memory, self._block)
            self._frame = self._block + first
            self._held = True
            self._give_back()
        return True

    def _give_back(self) -> None:
        """Let the kernel fill a block again of which all was read, and turn to the next."""
        if self._left or not self._held:
            return
        self._held = False
        _kernel.BLOCK_STATUS.pack_into(self._shared, self._block, _kernel.TP_STATUS_KERNEL)
        self._block = (self._block + self._block_size) % (self._block_size * self.blocks)

    def _ready(self) -> int:
        """How many frames are in the blocks that are handed over."""
        memory, count, total = self._shared, self._left, self._block_size * self.blocks
        for index in range(1 if count else 0, self.blocks):
            start = (self._block + index * self._block_size) % total
            (status,) = _kernel.BLOCK_STATUS.unpack_from(memory, start)
            if not status & _kernel.TP_STATUS_USER:
                break
            packets, _ = _kernel.BLOCK.unpack_from(memory, start)
            count += packets
        return count


def _block_size(snaplen: int) -> int:
    """Bytes of a block that takes a frame of that length: a power of two, as the kernel finds memory."""
    size = SMALLEST_BLOCK
    while size < min(snaplen, LARGEST_SNAPLEN) + _kernel.RING_FRAME_OVERHEAD:
        size *= 2
    return size
