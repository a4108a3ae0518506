"""What only the in-memory link does: many ends, a clock of the caller's choice."""

from __future__ import annotations

import errno

import pytest

from rawkit.errors import KernelError, TimedOut
from rawkit.link import Link, MemoryLink, RawLink
from rawkit.wire.link_type import LinkType


def test_every_other_end_receives() -> None:
    with MemoryLink() as link:
        a, b, c = link.ends("a", "b", "c")
        b.send(bytes(14))
        assert [end.receive(0).interface for end in (a, c)] == ["a", "c"]
        with pytest.raises(TimedOut):
            b.receive(0)


def test_many_frames_up_to_the_one_that_is_refused() -> None:
    with MemoryLink() as link:
        a, b = link.ends("a", "b")
        frames = [bytes([number]) * 14 for number in range(3)]
        with pytest.raises(KernelError) as caught:
            a.send_many([*frames, bytes(1515), bytes(14)])
        assert caught.value.errno == errno.EMSGSIZE
        assert [b.receive(0).data for _ in frames] == frames
        with pytest.raises(TimedOut):
            b.receive(0)


def test_the_clock_is_the_callers() -> None:
    with MemoryLink(LinkType.RAW, clock=iter([5, 8]).__next__) as link:
        a, b = link.ends("a", "b")
        a.send(b"")
        a.send(b"x")
        assert [b.receive(0).time_ns, b.receive(0).time_ns] == [5, 8]


def test_a_closed_end_loses_what_is_sent_to_it() -> None:
    with MemoryLink() as link:
        a, b, c = link.ends("a", "b", "c")
        b.close()
        a.send(bytes(14))
        assert c.receive(0).data == bytes(14)


def test_an_end_stands_in_for_both_kinds_of_socket() -> None:
    with MemoryLink() as link:
        (end,) = link.ends("a")
        as_link: Link = end
        as_raw: RawLink = end
        assert as_link.fileno() == as_raw.fileno()
