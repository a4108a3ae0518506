"""Every vector both ways, at every truncation length, and past scapy and tshark."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from programs import require
from vector import Vector
from vectors import VECTORS

import rawkit.wire
from rawkit.errors import PacketError, TruncatedError
from rawkit.layout import AUTO, HeaderLength, Record, Severity
from rawkit.pcap import write_capture
from rawkit.verify import compare_with_scapy, difference_table, unexplained
from rawkit.views.fields import wireshark_fields, wireshark_values
from rawkit.wire import UDP, CutHeader, IPv6, LinkType, Packet, dissect

each = pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])


def records_of(vector: Vector) -> Iterator[tuple[Record, bytes]]:
    """Each header of a vector with the bytes from its start on."""
    packet = dissect(vector.data, vector.link_type)
    for layer, (start, _) in zip(packet.layers, packet.bounds(), strict=True):
        if not isinstance(layer, CutHeader):
            yield layer, vector.data[start:]


@each
def test_builds_to_the_bytes_of_the_source(vector):
    assert bytes(vector.packet).hex() == vector.hex
    assert bytes(vector.packet.built()).hex() == vector.hex


@each
def test_bytes_dissect_to_the_same_packet(vector):
    packet = dissect(vector.data, vector.link_type)
    assert packet == vector.packet.built()
    assert bytes(packet) == vector.data
    assert [problem for problem in packet.problems if problem.severity > Severity.NOTE] == []


@each
def test_evaluating_its_repr_gives_the_packet_again(vector):
    for packet in (vector.packet, vector.packet.built()):
        again = eval(repr(packet), vars(rawkit.wire) | {"AUTO": AUTO})  # noqa: S307 - a vector is no hostile input
        assert (again if isinstance(again, Packet) else Packet((again,))) == packet


@each
def test_every_truncation_is_read_and_builds_to_itself(vector):
    for length in range(len(vector.data)):
        data = vector.data[:length]
        packet = dissect(data, vector.link_type)
        assert bytes(packet) == data
        cut = dissect(data, vector.link_type, wire_length=len(vector.data))
        assert cut == packet
        assert any("cut by the snaplen" in problem.message for problem in cut.problems)


def test_every_truncation_is_a_problem():
    silent = [
        (vector.name, length)
        for vector in VECTORS
        for length in range(1, len(vector.data))
        if not dissect(vector.data[:length], vector.link_type).problems
        and (vector.name, length) not in {("ethernet", 14), ("ppp_control", 2)}  # an unknown one may have no bytes
    ]
    assert silent == []


@each
def test_every_truncation_of_every_header_raises_with_all_of_the_facts(vector):
    for record, data in records_of(vector):
        header = type(record)
        fixed = [field for field in header.fields() if field.tail is None]
        size = sum(field.bits for field in fixed) // 8
        for length in range(size):
            with pytest.raises(TruncatedError) as caught:
                header.parse(data[:length])
            error = caught.value
            first_cut = next(field for field in fixed if field.offset + field.bits > 8 * length)
            assert (error.header, error.field, error.offset, error.needed, error.got) == (
                header.__name__,
                first_cut.name,
                0,
                size,
                length,
            )


@each
def test_a_header_that_ends_before_its_own_length_raises(vector):
    for record, data in records_of(vector):
        header = type(record)
        length_field = next((field for field in header.fields() if isinstance(field.rule, HeaderLength)), None)
        size = sum(field.bits for field in header.fields()) // 8
        for length in range(size, len(bytes(record)) if length_field else 0):
            with pytest.raises(PacketError) as caught:
                header.parse(data[:length])
            error = caught.value
            assert (error.header, error.field, error.offset) == (header.__name__, length_field.name, 0)
            assert (error.needed, error.got) == (len(bytes(record)), length)


@each
def test_a_header_is_read_from_a_dirty_buffer_as_from_a_clean_one(vector):
    for record, data in records_of(vector):
        if any(isinstance(field.rule, HeaderLength) for field in type(record).fields()):
            size = len(bytes(record))
            again, rest = type(record).parse(data[:size] + b"\xa5" * 7)
            assert (again, rest) == (record, b"\xa5" * 7)


@each
def test_scapy_agrees(vector):
    for differences in (compare_with_scapy(vector.packet), compare_with_scapy(vector.data, vector.link_type)):
        assert unexplained(differences) == (), difference_table(differences)


@pytest.mark.parametrize("link_type", sorted({vector.link_type for vector in VECTORS}))
def test_tshark_prints_the_same_fields(link_type, tmp_path):
    require("tshark")
    expected = UNKNOWN_MESSAGES.get(link_type, {})
    vectors = [vector for vector in VECTORS if vector.link_type == link_type]
    path = tmp_path / "vectors.pcap"
    write_capture(path, [dissect(vector.data, link_type) for vector in vectors])
    names = wireshark_fields()
    fields = [argument for name in names for argument in ("-e", name)]
    rows = subprocess.run(
        ["tshark", "-r", path, *AS_THEY_CAME, "-T", "fields", "-E", "aggregator=|", *fields],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout.splitlines()
    assert len(rows) == len(vectors)
    found = {}
    for vector, row in zip(vectors, rows, strict=True):
        packet = dissect(vector.data, link_type)
        ours = {name: "|".join(wireshark_values(packet, name)) for name in names}
        theirs = dict(zip(names, row.replace("True", "1").replace("False", "0").split("\t"), strict=True))
        differ = {name: (ours[name], theirs[name]) for name in names if ours[name] != theirs[name]}
        found.update({(vector.name, name): values for name, values in differ.items()})
    assert found == expected


def within_redirect(name: str) -> tuple[str, str] | None:
    """What tshark adds for the packet in the option of a redirect, which is bytes to rawkit."""
    redirect = next(vector for vector in VECTORS if vector.name == "icmpv6_redirect")
    ours = wireshark_values(dissect(redirect.data, LinkType.RAW), name)
    theirs = wireshark_values(REDIRECTED, name)
    return ("|".join(ours), "|".join(ours + theirs)) if theirs else None


AS_THEY_CAME = ("-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE")
"""Fragments are read one by one, and not when the last has come."""

REDIRECTED = dissect(bytes(IPv6(src="fd00::2", dst="fd00:9::1") / UDP(src_port=1000, dst_port=2000)), LinkType.RAW)

UNKNOWN_MESSAGES = {
    LinkType.ETHERNET: {},
    LinkType.RAW: {
        ("icmpv6_redirect", name): within for name in wireshark_fields() if (within := within_redirect(name))
    },
}
"""Fields of messages that tshark reads and rawkit does not: ours, tshark's."""
