"""What holds for every packet: built and read, read and built, and for any bytes at all."""

from __future__ import annotations

import copy
import pickle
import sys

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import HEADERS, RECORDS, any_bytes, any_packets, link_types, records, stacks

import rawkit.wire
from rawkit.errors import BuildError, FieldError, PacketError
from rawkit.layout import AUTO, Severity
from rawkit.wire import (
    TCP,
    UDP,
    CutHeader,
    Ethernet,
    HopByHop,
    IPv4,
    IPv6,
    JumboPayload,
    MaximumSegmentSize,
    Packet,
    SACKPermitted,
    TCPNoOperation,
    Timestamps,
    WindowScale,
    dissect,
)


def built(packet: Packet) -> bytes:
    """The bytes; a drawn packet that is too large for its length fields is not used."""
    try:
        return bytes(packet)
    except FieldError:
        assume(False)
        raise


@settings(max_examples=1500)
@given(stacks())
def test_what_is_built_dissects_to_itself(packet):
    data = built(packet)
    read = dissect(data, packet.link_type)
    assert read == packet.built()
    assert bytes(read) == data


@given(stacks())
def test_what_is_built_has_no_problem_but_what_is_unknown_or_missing(packet):
    options = [option for header in packet.all(HopByHop) for option in header.options]
    assume(not any(isinstance(option, JumboPayload) for option in options))  # whose length is drawn at random
    read = dissect(built(packet), packet.link_type)
    told = [problem for problem in read.problems if problem.severity > Severity.NOTE]
    assert [problem for problem in told if "nothing follows" not in problem.message] == []


@given(stacks())
def test_recomputing_what_was_built_changes_nothing(packet):
    data = built(packet)
    assert bytes(dissect(data, packet.link_type).recomputed()) == data


@settings(max_examples=1500)
@given(any_bytes(), link_types)
def test_what_is_dissected_builds_to_the_same_bytes(data, link_type):
    packet = dissect(data, link_type)
    assert bytes(packet) == data
    assert packet.built() == packet
    assert bytes(packet.built()) == data


@settings(max_examples=1500)
@given(any_bytes(), link_types, st.integers(0, 100))
def test_problems_stand_in_the_packet_and_looking_never_fails(data, link_type, more):
    packet = dissect(data, link_type, wire_length=len(data) + more)
    for problem in packet.problems:
        assert 0 <= problem.start <= problem.stop
        assert problem.start <= len(data)
        assert problem.message
    assert packet.summary() == packet.summary()
    assert hash(packet) == hash(dissect(data, link_type))
    assert packet.bounds() == tuple(sorted(packet.bounds()))


@given(any_bytes(), link_types)
def test_recomputing_builds_or_says_which_field_must_be_given(data, link_type):
    packet = dissect(data, link_type)
    try:
        again = bytes(packet.recomputed())
    except (BuildError, FieldError) as refusal:
        said = refusal
    else:
        assert len(again) >= len(data)
        return
    assert said.field in packet[getattr(rawkit.wire, said.header)].values()


@given(any_packets())
def test_any_stack_in_any_order_builds_or_says_which_field_must_be_given(packet):
    try:
        data = bytes(packet)
    except (BuildError, FieldError) as refusal:
        said = refusal
    else:
        said = None
    if said is not None:
        assert said.field in packet[getattr(rawkit.wire, said.header)].values()
        return
    filled = packet.built()
    assert bytes(filled) == data
    assert filled.built() == filled
    assert not any(value is AUTO for layer in filled.layers for value in layer.values().values())


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_any_bytes_are_read_or_raise_packet_error(record):
    @settings(max_examples=100)
    @given(st.binary(max_size=48))
    def check(data):
        try:
            read, rest = record.parse(data)
        except PacketError as refusal:
            said = refusal
        else:
            assert bytes(read) + rest == data
            assert isinstance(read, record)
            return
        assert said.header
        assert 0 <= said.offset <= len(data)

    check()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_a_record_is_a_value(record):
    @settings(max_examples=25)
    @given(records(record))
    def check(made):
        for twin in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made)), made.replace()):
            assert twin == made
            assert hash(twin) == hash(made)
            assert type(twin) is type(made)
        with pytest.raises(AttributeError):
            made.nothing = 1
        with pytest.raises(AttributeError):
            setattr(made, record.fields()[0].name, 1)
        with pytest.raises(FieldError):
            made.replace(nothing=1)

    check()


@given(any_packets())
def test_a_packet_is_a_value(packet):
    for twin in (copy.copy(packet), copy.deepcopy(packet), pickle.loads(pickle.dumps(packet))):
        assert twin == packet
        assert hash(twin) == hash(packet)
        assert twin.layers == packet.layers


@given(st.sampled_from(HEADERS), st.binary(max_size=30))
def test_a_cut_header_keeps_its_bytes_and_tells_its_whole_fields(header, data):
    cut = header.cut(data)
    assert bytes(Packet((cut,))) == data
    assert pickle.loads(pickle.dumps(cut)) == cut
    whole = [field.name for field in header.fields() if field.bits and field.offset + field.bits <= 8 * len(data)]
    assert list(cut.values()) == whole
    assert isinstance(cut, CutHeader)


FREQUENT = [
    bytes(Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / network / transport / b"payload")
    for network in (IPv4(src="10.0.0.1", dst="10.0.0.2"), IPv6(src="fd00::1", dst="fd00::2"))
    for transport in (
        UDP(src_port=1, dst_port=2),
        TCP(dst_port=80),
        TCP(dst_port=80, options=(TCPNoOperation(), TCPNoOperation(), Timestamps(value=7, echo_reply=9))),
        TCP(
            dst_port=80,
            options=(
                MaximumSegmentSize(mss=1460),
                SACKPermitted(),
                Timestamps(value=7),
                TCPNoOperation(),
                WindowScale(shift=7),
            ),
        ),
    )
]


@settings(max_examples=1500)
@given(
    st.sampled_from(FREQUENT),
    st.dictionaries(st.integers(0, 80), st.integers(0, 255), max_size=2),
    st.integers(0, 120),
    st.binary(max_size=8),
)
def test_headers_that_are_only_located_decode_to_what_reading_one_after_the_other_gives(frame, changes, cut, more):
    changed = bytearray(frame)
    for at, value in changes.items():
        changed[at % len(changed)] = value
    data = bytes(changed)[:cut] + more
    located = dissect(data)
    reading = sys.modules["rawkit.wire.dissect"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "locator_of", {}.get)
        read = dissect(data)
    assert located == read
    assert (located.problems, located.bounds()) == (read.problems, read.bounds())
    for header in {type(layer) for layer in read.layers} - {CutHeader}:
        assert dissect(data)[header] == read[header]
