"""Families within families, padding, CRC32c, SCTP's and UDP's problems: what the vectors do not show."""

from __future__ import annotations

import random

import pytest
import scapy.layers.sctp

from rawkit import (
    DSS,
    SCTP,
    TCP,
    UDP,
    IPv4,
    IPv6,
    LinkType,
    MPCapable,
    MPTCPOption,
    MPTCPUnknownOption,
    Packet,
    Problem,
    SCTPChunk,
    SCTPMalformedChunks,
    TCPExperiment,
    TCPMalformedOptions,
    TCPUnknownOption,
    Trailer,
    dissect,
)
from rawkit.errors import PacketError
from rawkit.layout import AUTO, Span
from rawkit.layout.checksum import crc32c

TO_SERVER = IPv4(src="10.0.0.1", dst="10.0.0.2")


def again(packet: Packet) -> Packet:
    return dissect(bytes(packet), LinkType.RAW)


# RFC 3720, appendix B.4, has the CRCs in the order in which their bytes are sent
@pytest.mark.parametrize(
    ("data", "sent"),
    [
        (bytes(32), "aa36918a"),
        (b"\xff" * 32, "43aba862"),
        (bytes(range(32)), "4e79dd46"),
        (bytes(reversed(range(32))), "5cdb3f11"),
    ],
)
def test_crc32c_of_the_rfc(data: bytes, sent: str) -> None:
    assert crc32c(data) == int.from_bytes(bytes.fromhex(sent))


def test_crc32c_is_scapys_at_every_length() -> None:
    noise = random.Random(9260).randbytes(65535)
    lengths = [*range(300), 1023, 1024, 1025, 1500, 4099, 65535]
    assert [crc32c(noise[:length]) for length in lengths] == [
        scapy.layers.sctp.crc32c(noise[:length]) for length in lengths
    ]


# ---------------------------------------------------------------------- multipath TCP


def options(data: bytes) -> tuple[object, ...]:
    padded = data + bytes(-len(data) % 4)
    header = bytes(TCP(dst_port=80, data_offset=5 + len(padded) // 4, checksum=0)) + padded
    return TCP.parse(header)[0].options


def test_the_subtype_tells_the_class_within_the_kind() -> None:
    assert options(bytes.fromhex("1e042000")) == (DSS(length=4),)
    assert options(bytes.fromhex("1e04e000")) == (MPTCPUnknownOption(length=4, subtype=14, data=b"\0"),)
    assert MPTCPOption.parse(bytes.fromhex("1e0401812b")) == (
        MPCapable(length=4, checksum_required=True),
        b"\x2b",
    )


def test_an_option_that_does_not_fit_its_subtype_is_kept_as_another() -> None:
    short_fail = bytes.fromhex("1e056001ff")
    assert options(short_fail)[0] == MPTCPUnknownOption(length=5, subtype=6, data=b"\1\xff")
    assert options(bytes.fromhex("1e020101"))[0] == TCPUnknownOption(kind=30, length=2)
    assert options(bytes.fromhex("1e092081")) == (TCPMalformedOptions(kind=30, data=b"\x09\x20\x81"),)
    assert options(bytes.fromhex("fe03f901"))[0] == TCPUnknownOption(kind=254, length=3, data=b"\xf9")
    assert options(bytes.fromhex("fe04f989"))[0] == TCPExperiment(kind=254, length=4, experiment_id=0xF989)


# ---------------------------------------------------------------------- SCTP


def test_padding_is_made_kept_and_not_counted() -> None:
    made = SCTPChunk(type=6, data=b"abc")
    assert made.padding is AUTO
    assert bytes(made) == bytes.fromhex("06000007 616263 00")
    odd = SCTPChunk(type=6, data=b"abc", padding=b"\xa5")
    assert bytes(odd) == bytes.fromhex("06000007 616263 a5")
    for chunk in (made, odd):
        read, rest = SCTPChunk.parse(bytes(chunk) + b"rest")
        assert (bytes(read), rest) == (bytes(chunk), b"rest")
        assert (read.length, read.data, len(read.padding)) == (7, b"abc", 1)
        assert read.spans()[-2:] == (Span("data", 32, 24), Span("padding", 56, 8))
    assert SCTPChunk.parse(bytes(made)[:7])[0].padding == b""


@pytest.mark.parametrize(("length", "chunks"), [(3, 1), (0, 1), (40, 1), (4, 2)])
def test_a_chunk_whose_length_lies_ends_the_list(length: int, chunks: int) -> None:
    packet = again(TO_SERVER / SCTP(dst_port=80, chunks=[SCTPChunk(type=10, length=length, data=b"\xff\0\0\4")]))
    assert len(packet[SCTP].chunks) == chunks
    malformed = isinstance(packet[SCTP].chunks[0], SCTPMalformedChunks)
    assert malformed == (chunks == 1)
    assert [problem.field for problem in packet.problems] == (["chunks"] if malformed else [])


def test_a_chunk_alone_raises_the_documented_error() -> None:
    with pytest.raises(PacketError) as caught:
        SCTPChunk.parse(bytes.fromhex("06000009616263"))
    assert (caught.value.header, caught.value.field, caught.value.needed, caught.value.got) == (
        "SCTPChunk",
        "length",
        9,
        7,
    )


def test_a_bad_crc32c_is_a_problem_with_the_right_one() -> None:
    packet = TO_SERVER / SCTP(dst_port=80, checksum=0x01020304, chunks=[SCTPChunk(type=14)])
    right = scapy.layers.sctp.crc32c(bytes(packet)[20:28] + bytes(4) + bytes(packet)[32:])
    message = f"bad CRC32c 0x01020304, computed 0x{right:08x}"
    assert again(packet).problems == (Problem("SCTP", "checksum", 28, 32, message),)
    assert again(packet).recomputed().built()[SCTP].checksum == right
    assert dissect(bytes(packet), LinkType.RAW, checksum_unfinished=True).problems == ()
    assert "checksum" not in [one.field for one in dissect(bytes(packet)[:-1], LinkType.RAW).problems]


def test_sctp_in_a_line() -> None:
    packet = IPv6(dst="fd00::2") / SCTP(dst_port=80, chunks=[SCTPChunk(type=0), SCTPChunk(type=99)])
    assert packet.summary().endswith("SCTP 49152 > 80 [DATA chunk 99]")


# ---------------------------------------------------------------------- UDP's surplus area


def test_the_surplus_area_of_udp_is_a_trailer_and_told_as_what_it_is() -> None:
    surplus = bytes.fromhex("fdfb 02 01 00")
    packet = TO_SERVER / UDP(src_port=1000, dst_port=2000) / b"data" / Trailer(surplus, 1)
    read = again(packet)
    assert (read.payload, read.trailers) == (b"data", (Trailer(surplus, 1),))
    assert bytes(read) == bytes(packet)
    (problem,) = read.problems
    assert (problem.layer, problem.start, problem.stop) == ("UDP", 32, 37)
    assert problem.message.startswith("5 bytes of surplus area")
    assert "RFC 9868" in problem.message
