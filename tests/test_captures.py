"""The fixtures in captures/: real traffic, read as tshark and scapy read it, and built again as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from agree.accepted import reason_for
from agree.comparison import Difference

from rawkit import LinkType, dissect, open_capture
from rawkit.layout import Problem, Record
from rawkit.pcap import Record as Captured
from rawkit.verify import compare_with_scapy, difference_table, unexplained
from rawkit.views.fields import wireshark_fields, wireshark_values
from rawkit.wire import (
    ARP,
    SACK,
    UDP,
    VLAN,
    Fragment,
    HopByHop,
    ICMPv4Echo,
    ICMPv4Redirect,
    ICMPv4TimeExceeded,
    ICMPv4Unreachable,
    ICMPv6Echo,
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    ICMPv6Unreachable,
    IPv4,
    IPv4Timestamp,
    IPv4TimestampWithAddresses,
    IPv6RouterAlert,
    LooseSourceRoute,
    MaximumSegmentSize,
    NeighborAdvertisement,
    NeighborSolicitation,
    RecordRoute,
    SACKPermitted,
    TCPEndOfOptions,
    Timestamps,
    WindowScale,
)

CAPTURES = Path(__file__).resolve().parents[1] / "captures"
FIXTURES = sorted(CAPTURES.glob("*.pcapng"))
FIELDS = (CAPTURES / "fields.txt").read_text().split()

UNFINISHED = "the kernel left the checksum to the network card"
CHECKSUM_STATUS = re.compile(r"(ip|icmp|icmpv6|tcp|udp)\.checksum\.status")

SHOWN: dict[str, tuple[type[Record], ...]] = {
    "curl": (ARP, MaximumSegmentSize, SACKPermitted, Timestamps, WindowScale),
    "curl-loss": (SACK,),
    "ip-options": (RecordRoute, IPv4Timestamp, IPv4TimestampWithAddresses, LooseSourceRoute, ICMPv4TimeExceeded),
    "ipv6-host-up": (HopByHop, IPv6RouterAlert, NeighborSolicitation),
    "mausezahn-vlan": (VLAN,),
    "nmap-os-detection": (TCPEndOfOptions,),
    "path-mtu": (ICMPv4Unreachable,),
    "path-mtu6": (ICMPv6PacketTooBig, Fragment),
    "ping": (ARP, ICMPv4Echo),
    "ping6": (NeighborSolicitation, NeighborAdvertisement, ICMPv6Echo),
    "ping6-fragmented": (Fragment,),
    "redirect": (ICMPv4Redirect,),
    "traceroute": (ICMPv4TimeExceeded, ICMPv4Unreachable, UDP),
    "traceroute6": (ICMPv6TimeExceeded, ICMPv6Unreachable, UDP),
}
"""What a fixture is there for: a recording without it is no use."""

BAD = "0"  # as tshark writes the status of a checksum
LAYERS = {"ip": ("IPv4",), "icmp": ("ICMPv4",), "icmpv6": ("ICMPv6", "Neighbor"), "tcp": ("TCP",), "udp": ("UDP",)}

every_fixture = pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)


def records_of(path: Path) -> list[Captured]:
    with open_capture(path) as capture:
        return list(capture)


def golden(path: Path) -> list[dict[str, str]]:
    """What tshark read: for each packet the fields that it has."""
    header, *rows = [
        line.split("\t") for line in path.with_suffix(".tshark.tsv").read_text(encoding="utf-8").splitlines()
    ]
    return [dict(zip(header, row, strict=True)) for row in rows]


def bad_checksums(problems: tuple[Problem, ...], protocol: str) -> int:
    return sum(problem.field == "checksum" and problem.layer.startswith(LAYERS[protocol]) for problem in problems)


# ---------------------------------------------------------------------- rawkit by itself


@every_fixture
def test_no_problem_but_in_checksums_that_the_kernel_left_unfinished(path: Path) -> None:
    for record in records_of(path):
        expected = [("TCP", "checksum")] if UNFINISHED in record.comments else []
        assert [(problem.layer, problem.field) for problem in record.packet().problems] == expected


def test_only_the_fixture_about_offload_has_unfinished_checksums() -> None:
    unfinished = {path.stem for path in FIXTURES for record in records_of(path) if UNFINISHED in record.comments}
    assert unfinished == {"curl-offload"}


@every_fixture
def test_built_again_to_the_same_bytes(path: Path) -> None:
    for record in records_of(path):
        packet = record.packet()
        assert bytes(packet) == record.data
        assert dissect(bytes(packet), LinkType.ETHERNET) == packet


def records_in(header: Record) -> Iterator[type[Record]]:
    """The classes of a header and of its options."""
    yield type(header)
    for value in header.values().values():
        for item in value if isinstance(value, tuple) else ():
            if isinstance(item, Record):
                yield type(item)


@pytest.mark.parametrize("name", SHOWN)
def test_shows_what_it_is_there_for(name: str) -> None:
    layers = [layer for captured in records_of(CAPTURES / f"{name}.pcapng") for layer in captured.packet().layers]
    shown = {kind for layer in layers if isinstance(layer, Record) for kind in records_in(layer)}
    assert shown.issuperset(SHOWN[name])


# ---------------------------------------------------------------------- beside others


@every_fixture
def test_times_and_lengths_are_those_of_the_golden_decoding(path: Path) -> None:
    ours = [
        (
            record.number,
            f"{record.time_ns // 10**9}.{record.time_ns % 10**9:09}",
            record.wire_length,
            len(record.data),
        )
        for record in records_of(path)
    ]
    theirs = [
        (int(row["frame.number"]), row["frame.time_epoch"], int(row["frame.len"]), int(row["frame.cap_len"]))
        for row in golden(path)
    ]
    assert ours == theirs


def differences_in(path: Path) -> Iterator[tuple[int, str, str, str]]:
    """Packet, field, what rawkit reads and what tshark read, for each field in which they are not the same."""
    for record, row in zip(records_of(path), golden(path), strict=True):
        packet = record.packet()
        for field in sorted(set(FIELDS).intersection(wireshark_fields())):
            ours, theirs = ",".join(wireshark_values(packet, field)), row.get(field, "")
            if ours != theirs:
                yield record.number, field, ours, theirs


@every_fixture
def test_every_field_is_that_of_the_golden_decoding(path: Path) -> None:
    file = f"{path.parent.name}/{path.name}"
    found = [Difference(file, *difference, protocols="") for difference in differences_in(path)]
    assert [difference for difference in found if reason_for(difference) is None] == []


def test_rawkit_knows_every_field_of_the_golden_decodings() -> None:
    unknown = {field for field in FIELDS if not CHECKSUM_STATUS.fullmatch(field)} - set(wireshark_fields())
    assert unknown == {"frame.number", "frame.time_epoch", "frame.len", "frame.cap_len"}


@every_fixture
@pytest.mark.parametrize("protocol", LAYERS)
def test_checksums_are_bad_where_the_golden_decoding_says_so(path: Path, protocol: str) -> None:
    for record, row in zip(records_of(path), golden(path), strict=True):
        theirs = row.get(f"{protocol}.checksum.status", "").split(",").count(BAD)
        assert bad_checksums(record.packet().problems, protocol) == theirs, f"packet {record.number}"


@every_fixture
def test_scapy_agrees(path: Path) -> None:
    pytest.importorskip("scapy")
    for record in records_of(path):
        differences = unexplained(compare_with_scapy(record.data, record.link_type))
        assert not differences, f"packet {record.number}\n{difference_table(differences)}"


# ---------------------------------------------------------------------- the folder


def test_the_readme_lists_the_fixtures_and_what_they_say_of_themselves() -> None:
    rows = re.findall(
        r"^\| (\S+\.pcapng) \| (\d+) \| (.*) \| (.*) \| (.*) \|$", (CAPTURES / "README.md").read_text(), re.M
    )
    assert sorted(row[0] for row in rows) == [path.name for path in FIXTURES]
    for name, packets, shows, programs, test in rows:
        records = records_of(CAPTURES / name)
        assert (int(packets), shows, f"programs: {programs}") == (len(records), *records[0].comments[:2])
        assert (CAPTURES.parent / test).is_file()


def test_every_fixture_has_its_golden_decoding() -> None:
    decoded = {path.name.removesuffix(".tshark.tsv") for path in CAPTURES.glob("*.tsv")}
    assert decoded == {path.stem for path in FIXTURES}


def test_recomputing_a_fragment_leaves_the_checksum_of_the_whole_alone():
    with open_capture(CAPTURES / "ping-fragmented.pcapng") as capture:
        first = next(record.packet() for record in capture if ICMPv4Echo in record.packet())
    assert first[IPv4].more_fragments
    assert first.recomputed().built() == first
