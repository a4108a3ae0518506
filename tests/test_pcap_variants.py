"""The variants of classic capture files: those that editcap writes, and old ones made by hand."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from captures_by_hand import FRAME, pcap_header, pcap_record
from other_readers import output, tshark_fields
from programs import require

from rawkit.pcap import CaptureCopy, open_capture, write_capture
from rawkit.wire.link_type import LinkType

CAPTURES = Path(__file__).resolve().parents[1] / "captures"
VARIANTS = ("pcap", "modpcap", "nokiapcap", "nsecpcap", "rh6_1pcap", "suse6_3pcap")
ORDERS = ("<", ">")


def microseconds(records):
    return [(record.time_ns // 1000, record.data, record.wire_length) for record in records]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("count", [2, 3, 100])
def test_variants_that_editcap_writes(tmp_path, variant, count):
    require("editcap", "capinfos")
    source, path, copy = CAPTURES / "ping.pcapng", tmp_path / "x.pcap", tmp_path / "y.pcap"
    output("editcap", "-F", variant, "-r", source, path, f"1-{count}")
    with open_capture(source) as capture, open_capture(path) as converted:
        expected = list(capture)[:count]
        assert microseconds(converted) == microseconds(expected)
    with open_capture(path) as capture, CaptureCopy(copy, capture) as copier:
        for part in capture.parts():
            copier.write(part)
    assert copy.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_changed_record_keeps_its_variant(tmp_path, variant):
    path, copy = tmp_path / "x.pcap", tmp_path / "y.pcap"
    output("editcap", "-F", variant, CAPTURES / "ping.pcapng", path)
    with open_capture(path) as capture, CaptureCopy(copy, capture) as copier:
        for part in capture.parts():
            if part.record is not None:
                record = part.record
                part = capture.changed(
                    part, record._replace(time_ns=record.time_ns + 5_000_001_000, data=record.data[:50])
                )
            copier.write(part)
    edited = tmp_path / "z.pcap"
    output("editcap", "-F", variant, "-t", "5.000001", "-s", "50", path, edited)
    fields = ("frame.time_epoch", "frame.len", "frame.cap_len", "ip.src", "icmp.seq")
    assert tshark_fields(copy, *fields) == tshark_fields(edited, *fields)
    assert len(tshark_fields(copy, *fields)) > 3
    if variant != "suse6_3pcap":  # whose last bytes editcap leaves to chance
        assert copy.read_bytes()[24:] == edited.read_bytes()[24:]  # editcap makes the file header anew


def test_what_the_first_records_do_not_prove_is_the_standard():
    two = pcap_header() + pcap_record() + pcap_record(fraction=2_000_000)
    with open_capture(io.BytesIO(two)) as capture:
        assert [record.time_ns for record in capture] == [1_000_002_000, 3_000_000_000]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("version", [(2, 0), (2, 1), (2, 2), (2, 3), (543, 0)])
def test_lengths_that_stand_the_other_way_round(tmp_path, order, version):
    record = struct.pack(order + "IIII", 1, 2, 90, 60) + FRAME
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap_header(order, version=version) + record * 2)
    with open_capture(path) as capture:
        assert [(r.data, r.wire_length) for r in capture] == [(FRAME, 90)] * 2
    assert tshark_fields(path, "frame.cap_len", "frame.len") == ["60\t90"] * 2
    with open_capture(path) as capture:
        _, part, _ = capture.parts()
        changed = capture.changed(part, part.record._replace(data=FRAME[:10]))
    assert changed.raw == struct.pack(order + "IIII", 1, 2, 90, 10) + FRAME[:10]


def test_version_2_3_has_them_either_way(tmp_path):
    path = tmp_path / "x.pcap"
    path.write_bytes(
        pcap_header(version=(2, 3)) + pcap_record(wire=90) + struct.pack("<IIII", 1, 2, 90, 60) + FRAME
    )
    with open_capture(path) as capture:
        assert [(len(r.data), r.wire_length) for r in capture] == [(60, 90), (60, 90)]
    assert tshark_fields(path, "frame.cap_len", "frame.len") == ["60\t90"] * 2


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("number", "link_type"), [(6, LinkType.ETHERNET), (9, 6), (24, LinkType.NULL)])
def test_aix_has_nanoseconds_and_interface_types(tmp_path, order, number, link_type):
    path = tmp_path / "x.pcap"
    record = struct.pack(order + "IIII", 1, 2, 60, 60) + FRAME
    path.write_bytes(pcap_header(order, version=(2, 2), link_type=number) + record)
    with open_capture(path) as capture:
        assert [(r.time_ns, r.link_type) for r in capture] == [(1_000_000_002, link_type)]
    assert tshark_fields(path, "frame.time_epoch") == ["1.000000002"]


@pytest.mark.parametrize("magic", [0x1C0001AC, 0x1C0001AB])
@pytest.mark.parametrize("order", ORDERS)
def test_ixia(tmp_path, magic, order):
    path = tmp_path / "x.lcap"
    records = pcap_record(order) * 2
    header = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1) + struct.pack(order + "I", len(records))
    path.write_bytes(header + records)
    with open_capture(path) as capture:
        times = [record.time_ns for record in capture]
    assert [f"{time // 10**9}.{time % 10**9:09}" for time in times] == tshark_fields(path, "frame.time_epoch")
    with open_capture(path) as capture:
        assert b"".join(part.raw for part in capture.parts()) == path.read_bytes()


def test_a_frame_check_sequence_is_bad_where_tshark_says_so(tmp_path):
    require("tshark")
    with open_capture(CAPTURES / "ping.pcapng") as capture:
        frames = [record.data.ljust(60, b"\0") for record in capture][:3]
    right = [frame + zlib.crc32(frame).to_bytes(4, "little") for frame in frames]
    wrong = [frame[:30] + bytes([frame[30] ^ 1]) + frame[31:] for frame in right]
    path = tmp_path / "x.pcap"
    records = b"".join(pcap_record(data=frame, wire=len(frame)) for frame in right + wrong)
    path.write_bytes(pcap_header(link_type=0x24000001) + records)
    statuses = tshark_fields(path, "eth.fcs.status", prefer="eth.check_fcs:TRUE")
    with open_capture(path) as capture:
        told = [[p for p in record.packet().problems if "check sequence" in p.message] for record in capture]
    assert statuses == ["0" if problems else "1" for problems in told] == ["1"] * len(right) + ["0"] * len(wrong)
    for frame, (problem,) in zip(wrong, told[len(right) :], strict=True):
        assert (problem.layer, problem.start, problem.stop) == ("Ethernet", len(frame) - 4, len(frame))
        computed = zlib.crc32(frame[:-4]).to_bytes(4, "little").hex()
        assert problem.message == f"bad frame check sequence 0x{frame[-4:].hex()}, computed 0x{computed}"


@pytest.mark.parametrize("cut", [64, 62, 60, 50])
def test_frame_check_sequences_are_trailers(tmp_path, cut):
    require("tshark")
    with open_capture(CAPTURES / "ping.pcapng") as capture:
        frame = next(capture).data.ljust(60, b"\0")[:60] + b"\xde\xad\xbe\xef"
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap_header(link_type=0x24000001) + pcap_record(data=frame[:cut], wire=64))
    with open_capture(path) as capture:
        assert capture.interfaces[0].fcs_length == 4
        (record,) = capture
    packet = record.packet()
    assert bytes(packet) == frame[:cut]
    told = [problem.message for problem in packet.problems if "check sequence" not in problem.message]
    assert told == (["cut by the snaplen: 50 of 60 bytes were captured"] if cut == 50 else [])
    check = [trailer.data.hex() for trailer in packet.trailers if trailer.layer == 0]
    assert check == ([frame[60:cut].hex()] if cut > 60 else [])
    if cut == 64:
        assert tshark_fields(path, "eth.fcs") == ["0x" + check[0]]
    copy = tmp_path / "y.pcapng"
    with open_capture(path) as capture:
        write_capture(copy, capture)
    with open_capture(copy) as capture:
        assert next(capture).packet() == packet
