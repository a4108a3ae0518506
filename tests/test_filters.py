"""Every filter of `filters.py` on the packets of others: what passes there passes here."""

from __future__ import annotations

import io
import socket
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import cypcap
import pytest
from filters import FILTERS
from other_readers import corpus
from programs import require

from rawkit.errors import CaptureError, FilterError
from rawkit.link._kernel import attach_filter
from rawkit.pcap import Record, open_capture, write_capture
from rawkit.pcap.bpf import MAXIMUM_INSTRUCTIONS
from rawkit.pcap.filter import SNAPLEN, compile_filter
from rawkit.wire import LinkType

EACH = 60
"""Packets of one file, at the most."""

THROUGH_TCPDUMP = {
    *(LinkType.ETHERNET, LinkType.NULL, LinkType.LOOP, LinkType.RAW, LinkType.PPP, LinkType.LINUX_SLL),
    *(LinkType.LINUX_SLL2, LinkType.IEEE802_11, LinkType.IEEE802_11_RADIOTAP, LinkType.PFLOG, LinkType.SUNATM),
    *(LinkType.FRELAY, LinkType.PPP_ETHER, LinkType.MTP2),
}
"""Link types for which the language has words; the others are asked of libpcap without a process each."""

CORRECTED = {"ip multicast"}
"""What other packets pass since libpcap 1.10.5, which tcpdump need not have: 240.0.0.0/4 is no multicast."""

KERNEL_DIFFERS = {"1 << ip[8] > 1"}
"""The kernel shifts by the last five bits of the number only, libpcap by all of it."""

TEXTS = [text for texts in FILTERS.values() for text in texts]


@pytest.fixture(scope="module")
def packets() -> dict[LinkType, list[Record]]:
    """Of every file of the corpus the first packets, by link type."""
    found: dict[LinkType, list[Record]] = defaultdict(list)
    for path in corpus("tcpdump") + corpus("pcapng"):
        with suppress(CaptureError), open_capture(path) as capture:
            for _, record in zip(range(EACH), capture, strict=False):
                kept = found[record.link_type]
                plain = record._replace(
                    time_ns=1000 * len(kept), interface=None, comments=(), data=record.data[:SNAPLEN]
                )
                kept.append(plain)
    return found


def ours(text: str, records: list[Record]) -> list[int] | None:
    """The times, which tell them apart, of those that pass; None if the filter means nothing for them."""
    try:
        program = compile_filter(text, records[0].link_type)
    except FilterError:
        return None
    return [record.time_ns for record in records if program.run(record.data, record.wire_length)]


def tcpdump(text: str, path: Path) -> list[int] | None:
    """The same by tcpdump, which reads the file and writes what passes."""
    done = subprocess.run(["tcpdump", "-nr", path, "-w", "-", "--", text], capture_output=True, timeout=120)
    if done.returncode:
        return None
    with open_capture(io.BytesIO(done.stdout)) as capture:
        return [record.time_ns for record in capture]


def libpcap(text: str, path: Path) -> list[int] | None:
    """The same by the libpcap that rawkit has, and its own machine."""
    with closing(cypcap.open_offline(str(path))) as file:
        try:
            file.setfilter(file.compile(text, True, 0))
        except cypcap.Error:
            return None
        return [round(header.ts * 1_000_000) * 1000 for header, _ in file]


@pytest.fixture(scope="module")
def files(packets: dict[LinkType, list[Record]], tmp_path_factory: pytest.TempPathFactory) -> dict[LinkType, Path]:
    """The packets of each link type as a file."""
    folder = tmp_path_factory.mktemp("filters")
    for link_type, records in packets.items():
        write_capture(folder / f"{link_type.name}.pcap", records)
    return {link_type: folder / f"{link_type.name}.pcap" for link_type in packets}


def test_there_are_filters_for_the_whole_language() -> None:
    assert len(set(TEXTS)) == len(TEXTS) >= 150


def test_what_passes_is_what_passes_tcpdump(
    packets: dict[LinkType, list[Record]], files: dict[LinkType, Path]
) -> None:
    require("tcpdump")
    cases = [
        (text, link_type)
        for text in TEXTS
        if text not in CORRECTED
        for link_type in THROUGH_TCPDUMP & files.keys()
    ]
    with ThreadPoolExecutor(2) as pool:
        theirs = pool.map(lambda case: tcpdump(case[0], files[case[1]]), cases)
        for (text, link_type), expected in zip(cases, theirs, strict=True):
            assert ours(text, packets[link_type]) == expected, (text, link_type)


def test_what_passes_is_what_passes_libpcap_for_every_link_type(
    packets: dict[LinkType, list[Record]], files: dict[LinkType, Path]
) -> None:
    assert len(packets) > 30
    chosen = set()
    for link_type, records in packets.items():
        for text in TEXTS:
            expected = libpcap(text, files[link_type])
            assert ours(text, records) == expected, (text, link_type)
            if expected is not None and 0 < len(expected) < len(records):
                chosen.add(text)
    assert len(chosen) >= 150, "most filters tell packets apart"


def test_the_kernel_lets_pass_the_same_bytes_with_the_same_program(packets: dict[LinkType, list[Record]]) -> None:
    records = [record for record in packets[LinkType.ETHERNET] if record.wire_length == len(record.data) <= 9000]
    for text in set(TEXTS) - KERNEL_DIFFERS:
        with suppress(FilterError):
            program = compile_filter(text, LinkType.ETHERNET)
            if program.loops == 0 and len(program) <= MAXIMUM_INSTRUCTIONS:
                near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
                with near, far:
                    attach_filter(far, program.instructions)
                    assert list(passed_by(near, far, records)) == ours(text, records), text


def passed_by(near: socket.socket, far: socket.socket, records: list[Record]) -> Iterator[int]:
    """The times of the packets that get from one socket to the other; the kernel filters while it sends."""
    for record in records:
        near.send(record.data)
        with suppress(BlockingIOError):
            assert far.recv(SNAPLEN, socket.MSG_DONTWAIT) == record.data
            yield record.time_ns
