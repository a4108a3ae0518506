"""Link types against libpcap, which reads a file with each number and says what it is."""

from __future__ import annotations

from contextlib import closing

import cypcap
import pytest
from other_readers import DLT

from rawkit.errors import FieldError
from rawkit.pcap import write_capture
from rawkit.wire import dissect
from rawkit.wire.link_type import LinkType

# Those that cypcap names, as it names them.
NAMED = {
    "NULL_": LinkType.NULL,
    "EN10MB": LinkType.ETHERNET,
    "EN3MB": LinkType.EXP_ETHERNET,
    "AX25": LinkType.AX25,
    "PRONET": LinkType.PRONET,
    "CHAOS": LinkType.CHAOS,
    "IEEE802": LinkType.IEEE802_5,
    "ARCNET": LinkType.ARCNET_BSD,
    "SLIP": LinkType.SLIP,
    "PPP": LinkType.PPP,
    "FDDI": LinkType.FDDI,
    "RAW": LinkType.RAW,
    "IEEE802_11_RADIO": LinkType.IEEE802_11_RADIOTAP,
    "DOCSIS": LinkType.DOCSIS,
}


def libpcap_reads(path, link_type):
    write_capture(path, [], link_type=link_type)
    with closing(cypcap.open_offline(str(path))) as capture:
        return capture.datalink()


def test_every_link_type_is_the_one_that_libpcap_reads(tmp_path):
    path = tmp_path / "x.pcap"
    found = {member.name: int(libpcap_reads(path, member)) for member in LinkType}
    assert found == {member.name: DLT.get(member.name, member.value) for member in LinkType}


@pytest.mark.parametrize("name", [member.name for member in cypcap.DatalinkType])
def test_names_of_cypcap(tmp_path, name):
    assert libpcap_reads(tmp_path / "x.pcap", NAMED[name]) == cypcap.DatalinkType[name]


def test_unknown_number_is_kept():
    assert (LinkType(9999), LinkType(9999).name) == (9999, "LINKTYPE_9999")
    for value in (-1, 0x10000, "ETHERNET"):
        with pytest.raises(ValueError, match="not a valid LinkType"):
            LinkType(value)


def test_dissect_takes_every_number_that_a_file_can_have():
    assert dissect(b"data", 9999).payload == b"data"  # the field in a file has 16 bits
    for value in (-1, 0x10000, 99999):
        with pytest.raises(FieldError, match="from 0 to 65535"):
            dissect(b"data", value)
