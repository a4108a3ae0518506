"""Read, filter and write again: nothing is lost that was not meant to be."""

from __future__ import annotations

import io
import struct

import pytest
from captures_by_hand import (
    FRAME,
    block,
    enhanced,
    interface,
    obsolete,
    option,
    pcap_header,
    pcap_record,
    section,
    simple,
)
from hypothesis import given
from hypothesis import strategies as st
from other_readers import corpus, output, tshark_fields

from rawkit.errors import CaptureError, FieldError
from rawkit.pcap import (
    CaptureCopy,
    Option,
    Part,
    describe,
    make_option,
    name_of,
    open_capture,
    value_of,
    write_capture,
)
from rawkit.pcap.block_types import ENHANCED, INTERFACE, NAMES, PACKETS, SECTION, STATISTICS
from rawkit.pcap.options import in_order

ORDERS = ("<", ">")
UNKNOWN = 0x77
COLLECTIONS = ("pcapng", "tcpdump")


def parts_of(data):
    with open_capture(io.BytesIO(data)) as capture:
        return list(capture.parts())


def copied(path, target, wanted=lambda record: True, change=lambda capture, part: part):
    with open_capture(path) as capture, CaptureCopy(target, capture) as copy:
        for part in capture.parts():
            if part.record is None or wanted(part.record):
                copy.write(change(capture, part))
    return copy.count


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_the_corpus_is_copied_byte_for_byte(collection, tmp_path):
    target = tmp_path / "copy"
    for path in corpus(collection):
        count = copied(path, target)
        assert target.read_bytes() == path.read_bytes(), path
        with open_capture(path) as capture:
            assert count == sum(1 for _ in capture)


def test_parts_of_the_corpus_have_the_blocks_of_the_listings():
    names = {
        SECTION: "SHB",
        1: "IDB",
        2: "PB",
        3: "SPB",
        4: "NRB",
        5: "ISB",
        6: "EPB",
        0xBAD: "CB",
        0x40000BAD: "DCB",
    }
    for path in corpus("pcapng"):
        (sequence,) = [line for line in path.with_suffix(".txt").read_text().splitlines() if "sequence:" in line]
        with open_capture(path) as capture:
            found = [names[part.block.type] for part in capture.parts()]
        assert found == sequence.removeprefix("Block sequence: ").split(", "), path


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_views_of_the_corpus_make_the_same_blocks(collection):
    different = []
    for path in corpus(collection):
        with open_capture(path) as capture:
            for part in capture.parts():
                if part.block is not None and describe(part.block).block.raw != part.raw:
                    different.append((path.name, part.block.type))
    # a packet block with more padding than there should be, which only a changed one loses
    assert different in ([], [("test102.pcapng", ENHANCED)] * 2)


FIELDS = (
    "frame.time_epoch",
    "frame.len",
    "frame.cap_len",
    "frame.interface_id",
    "frame.interface_name",
    "frame.encap_type",
    "frame.packet_flags",
    "frame.comment",
    "ip.src",
)


def turned(block):
    """The block in the other byte order."""
    return describe(block).replace(order=">" if block.order == "<" else "<").block


def test_in_the_other_byte_order_tshark_reads_the_same(tmp_path):
    other = tmp_path / "other.pcapng"
    for path in corpus("pcapng"):
        with open_capture(path) as capture, CaptureCopy(other) as copy:
            for part in capture.parts():
                copy.write(Part.of(turned(part.block)))
                assert turned(turned(part.block)).raw == describe(part.block).block.raw
        if path.stem in ("test009", "test102", "test202"):
            assert tshark_fields(other, *FIELDS) == tshark_fields(path, *FIELDS), path


def everything(order):
    """One of each block, with options, an unknown option, odd padding, and no end of options in one."""
    text = option(order, 1, b"note") + option(order, 999, b"?") + option(order, 0, b"")
    names = struct.pack(order + "HH", 1, 9) + b"\x0a\0\0\1host\0\0\0\0" + struct.pack(order + "HH", 0, 0)
    statistics = struct.pack(order + "III", 0, 1, 2) + option(order, 5, struct.pack(order + "Q", 7))
    secrets = struct.pack(order + "II", 0x544C534B, 5) + b"hello\1\2\3"
    return [
        section(order, text),
        interface(order, options=option(order, 9, b"\x06") + text),
        block(order, 4, names + option(order, 2, b"resolver")),
        enhanced(order, options=option(order, 2, struct.pack(order + "I", 1)) + text),
        block(order, 5, statistics),
        enhanced(order, data=FRAME[:7]),
        block(order, 9, b"__REALTIME_TIMESTAMP=1\n\n"),
        obsolete(order, options=text),
        block(order, 10, secrets),
        block(order, 0xBAD, struct.pack(order + "I", 32473) + b"copied."[:4]),
        simple(order),
        block(order, 0x40000BAD, struct.pack(order + "I", 32473)),
        block(order, UNKNOWN, b"whatever"),
    ]


@pytest.mark.parametrize("order", ORDERS)
def test_every_block_passes_when_packets_are_filtered_out(order, tmp_path):
    other = ">" if order == "<" else "<"
    blocks = everything(order) + everything(other)
    source, target = tmp_path / "x.pcapng", tmp_path / "y.pcapng"
    source.write_bytes(b"".join(blocks))
    assert copied(source, target) == 8
    assert target.read_bytes() == source.read_bytes()
    assert copied(source, target, lambda record: False) == 0
    packets = {parts.offset for parts in parts_of(source.read_bytes()) if parts.block.type in PACKETS}
    offset, kept = 0, b""
    for one in blocks:
        kept += b"" if offset in packets else one
        offset += len(one)
    assert target.read_bytes() == kept


def test_what_blocks_say():
    views = [describe(part.block) for part in parts_of(b"".join(everything(">")))]
    assert [view.name for view in views][:4] == [
        "Section Header",
        "Interface Description",
        "Name Resolution",
        "Enhanced Packet",
    ]
    assert views[2].records[0].names == ("host",)
    assert views[2].records[0].address == b"\x0a\0\0\1"
    assert views[2].option("ns_dnsname") == "resolver"
    assert views[1].named_options == (("if_tsresol", 6), ("opt_comment", "note"), ("option_999", b"?"))
    assert views[4].option("isb_ifdrop") == 7
    assert views[8].content == b"hello"
    assert (views[12].name, views[12].content) == ("type 0x77", b"whatever")


OPTIONS = [
    (INTERFACE, "if_speed", 10**9),
    (INTERFACE, "if_tzone", -3600),
    (INTERFACE, "if_filter", (0, "tcp port 23")),
    (INTERFACE, "if_filter", (1, b"\1\2")),
    (INTERFACE, "if_hardware", "a card"),
    (INTERFACE, "if_txspeed", 5),
    (ENHANCED, "epb_flags", 0x80000001),
    (ENHANCED, "epb_hash", (2, b"\1\2\3\4")),
    (ENHANCED, "epb_dropcount", 2**40),
    (ENHANCED, "epb_packetid", 3),
    (ENHANCED, "epb_queue", 4),
    (ENHANCED, "epb_verdict", (0, b"x")),
    (ENHANCED, "epb_processid_threadid", (1, 2)),
    (STATISTICS, "isb_starttime", 2**63),
    (ENHANCED, "opt_custom_utf8", (32473, "text")),
    (ENHANCED, "opt_custom_binary_not_copied", (32473, b"\0")),
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("kind", "name", "value"), OPTIONS)
def test_options_by_name(order, kind, name, value):
    made = make_option(kind, name, value, order)
    assert (name_of(kind, made.code), value_of(kind, made)) == (name, value)


@pytest.mark.parametrize(("kind", "name", "text"), [
    (INTERFACE, "if_IPv4addr", "10.0.0.1/8"),
    (INTERFACE, "if_IPv6addr", "fd00::1/64"),
    (INTERFACE, "if_MACaddr", "02:00:00:00:00:01"),
    (NAMES, "ns_dnsIP4addr", "10.0.0.1"),
    (NAMES, "ns_dnsIP6addr", "fd00::1"),
])  # fmt: skip
def test_addresses_in_options(kind, name, text):
    assert str(value_of(kind, make_option(kind, name, text))) == text


@pytest.mark.parametrize(("name", "value"), [("if_speed", -1), ("if_speed", "x"), ("if_IPv4addr", "x"), ("no", 1)])
def test_options_that_do_not_fit(name, value):
    with pytest.raises(FieldError):
        make_option(INTERFACE, name, value)


@given(
    st.sampled_from([1, 2, 4, 5, 6, SECTION]), st.integers(0, 20), st.binary(max_size=20), st.sampled_from(ORDERS)
)
def test_any_value_of_an_option_is_readable_and_turns_back(kind, code, value, order):
    one = Option(code, value, 0, order)
    value_of(kind, one)
    assert in_order(kind, in_order(kind, one, "<"), order) == one
    assert value_of(kind, in_order(kind, one, ">")) == value_of(kind, one)


@pytest.mark.parametrize("order", ORDERS)
def test_a_changed_packet_keeps_its_other_options(order, tmp_path):
    source, target = tmp_path / "x.pcapng", tmp_path / "y.pcapng"
    source.write_bytes(b"".join(everything(order)))

    def change(capture, part):
        if part.record is None:
            return part
        record = part.record
        return capture.changed(
            part, record._replace(time_ns=record.time_ns + 10**9, data=record.data[:30], comments=("new", "two"))
        )

    assert copied(source, target, change=change) == 4
    rows = [
        row.split("\t")
        for row in tshark_fields(target, "frame.time_epoch", "frame.cap_len", "frame.len", "frame.comment")
    ]
    packets = [row for row in rows if row[0] and row[1] != "24"]  # tshark shows the journal entry too
    assert packets == [
        ["1.000000000", "30", "60", "new,two"],
        ["1.000000000", "7", "7", "new,two"],
        ["1.000000000", "30", "60", "new,two"],
        ["1.000000000", "30", "60", "new,two"],
    ]
    blocks = [part.block for part in parts_of(target.read_bytes()) if part.record]
    assert describe(blocks[0]).option("epb_flags") == 1
    assert describe(blocks[0]).option("option_999") == b"?"
    assert {one.order for one in blocks} == {order}


def test_editcap_shifts_and_cuts_the_same(tmp_path):
    def change(capture, part):
        if part.record is None:
            return part
        record = part.record
        return capture.changed(part, record._replace(time_ns=record.time_ns + 3600 * 10**9, data=record.data[:40]))

    for path in corpus("pcapng"):
        if path.stem in ("test001", "test006", "test009"):  # without simple packet blocks
            ours, theirs = tmp_path / "ours.pcapng", tmp_path / "theirs.pcapng"
            assert copied(path, ours, change=change) > 0
            output("editcap", "-t", "3600", "-s", "40", path, theirs)
            fields = ("frame.time_epoch", "frame.len", "frame.cap_len", "frame.comment", "ip.src")
            assert tshark_fields(ours, *fields) == tshark_fields(theirs, *fields)


def told_length(data):
    return struct.unpack_from("<q", data, 16)[0]


def test_section_lengths_are_right_or_unknown(tmp_path):
    inner = interface() + enhanced() + enhanced(data=b"x")
    header = block("<", SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, len(inner)))
    source, target = tmp_path / "x.pcapng", tmp_path / "y.pcapng"
    for whole in (header + inner, (header + inner) * 2):
        source.write_bytes(whole)
        for wanted in (
            lambda record: len(record.data) > 1,
            lambda record: len(record.data) == 1,
            lambda record: True,
        ):
            copied(source, target, wanted)
            lengths = [
                describe(part.block).fields["section_length"]
                for part in parts_of(target.read_bytes())
                if part.block.type == SECTION
            ]
            sizes = [len(one) for one in target.read_bytes().split(header[:16])[1:]]
            assert lengths == [size - 12 for size in sizes]
    wrong = block("<", SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, 4)) + inner
    source.write_bytes(wrong)
    copied(source, target)
    assert target.read_bytes() == wrong  # not ours to put right
    pipe = io.BytesIO()
    copied(io.BytesIO(header + inner), pipe, lambda record: False)
    assert told_length(pipe.getvalue()) == -1
    pipe = io.BytesIO()
    with open_capture(io.BytesIO(header + inner)) as capture, CaptureCopy(pipe, capture, whole=True) as copy:
        for part in capture.parts():
            copy.write(part)
    assert pipe.getvalue() == header + inner


def test_a_copy_may_replace_what_it_is_made_of_and_leaves_nothing_after_an_error(tmp_path):
    path = tmp_path / "x.pcap"
    whole = pcap_header() + pcap_record() + pcap_record(data=b"x")
    path.write_bytes(whole + b"damage")
    with pytest.raises(CaptureError):
        copied(path, path)
    assert [one.name for one in tmp_path.iterdir()] == ["x.pcap"]
    assert path.read_bytes() == whole + b"damage"
    path.write_bytes(whole)
    assert copied(path, path, lambda record: record.data == b"x") == 1
    assert path.read_bytes() == pcap_header() + pcap_record(data=b"x")


def test_values_that_the_file_cannot_hold():
    for data in (pcap_header() + pcap_record(), section() + interface() + enhanced()):
        with open_capture(io.BytesIO(data)) as capture:
            first, *_, part = capture.parts()
            with pytest.raises(FieldError):
                capture.changed(part, part.record._replace(time_ns=-5 * 10**9))
            with pytest.raises(FieldError):
                capture.changed(first, part.record)


@pytest.mark.parametrize("order", ORDERS)
def test_records_tell_their_options(order, tmp_path):
    options = option(order, 2, struct.pack(order + "I", 0x82)) + option(order, 4, struct.pack(order + "Q", 5))
    source, target = tmp_path / "x.pcapng", tmp_path / "y.pcapng"
    source.write_bytes(section(order) + interface(order) + enhanced(order, options=options) + enhanced(order))
    with open_capture(source) as capture:
        first, second = capture
        write_capture(target, [first, second])
    assert (first.direction, first.option("epb_dropcount"), first.fcs_length) == ("outbound", 5, 4)
    assert (second.direction, second.option("epb_dropcount"), second.options) == ("", None, ())
    with open_capture(target) as capture:
        written, _ = capture
    assert (written.direction, written.option("epb_dropcount"), written.fcs_length) == ("outbound", 5, 4)
    assert tshark_fields(target, "frame.packet_flags") == ["0x00000082", ""]
