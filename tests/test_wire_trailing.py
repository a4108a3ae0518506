"""What trails bodies and is part of the protocol: MACsec's check value, NFLOG's padding."""

from __future__ import annotations

import pytest
from corpus import TCPDUMP
from programs import give_up

from rawkit import Severity
from rawkit.pcap import open_capture
from rawkit.wire import (
    UDP,
    Ethernet,
    IPv4,
    LinkType,
    MACsec,
    MACsecCheckValue,
    MACsecData,
    MACsecReadable,
    NFLOGPacket,
    NFLOGPadding,
    Packet,
    Trailer,
    dissect,
)
from rawkit.wire.trailing import trailing


def first(name: str) -> Packet:
    if not TCPDUMP.is_dir():
        give_up("the tcpdump project's captures are missing")
    with open_capture(TCPDUMP / name) as capture:
        return next(iter(capture)).packet()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("macsec-integonly.pcap", "deba93240fad9a4c3b74722f7470752b"),
        ("macsec-encrypted.pcap", "194dbb66fdf6781224962d32949213fd"),
        ("macsec-short-valid.pcap", "079d1505db571783ceb1aec143e4e374"),
    ],
)
def test_the_check_value_of_macsec_trails_its_data(name: str, value: str) -> None:
    """The values are what tshark calls macsec.ICV."""
    packet = first(name)
    assert packet.problems == ()
    (place,) = trailing(packet)
    assert isinstance(place.record, MACsecCheckValue)
    assert place.record.value == bytes.fromhex(value)


def test_a_check_value_that_is_cut_is_a_problem() -> None:
    (problem,) = first("macsec-short-shorter.pcap").problems
    assert (problem.layer, problem.field, problem.start, problem.stop) == ("MACsecCheckValue", "", 62, 74)
    assert problem.severity is Severity.ERROR


def test_a_short_length_is_that_of_short_data() -> None:
    frame = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / MACsecReadable() / MACsecData()
    for size, length in ((17, 47), (18, 0)):
        packet = (
            frame / IPv4(src="10.0.0.1", dst="10.0.0.2") / UDP(dst_port=9) / bytes(size) / Trailer(bytes(16), 1)
        )
        read = dissect(bytes(packet))
        assert read[MACsec].short_length == length
        assert (read.problems, read.payload) == ((), bytes(size))


def test_the_padding_of_nflog_is_read_and_more_is_a_problem() -> None:
    packet = first("nflog.pcap")
    assert packet.problems == ()
    assert [place.record for place in trailing(packet)] == [NFLOGPadding(padding=bytes(3))]
    longer = dissect(bytes(packet) + b"junk", LinkType.NFLOG)
    assert [(problem.layer, problem.message) for problem in longer.problems] == [
        ("NFLOGPadding", "has 7 bytes, not 0 to 3")
    ]
    assert NFLOGPacket in longer
