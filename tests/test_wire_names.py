"""The table of others' names: complete, and every name one that scapy and Wireshark have."""

from __future__ import annotations

import re
import subprocess

import pytest
import scapy.contrib.erspan
import scapy.contrib.geneve
import scapy.contrib.mpls
import scapy.layers.igmp
import scapy.layers.inet
import scapy.layers.inet6
import scapy.layers.ipsec
import scapy.layers.l2
import scapy.layers.ppp
import scapy.layers.sctp
import scapy.layers.vxlan
from programs import require
from strategies import RECORDS

from rawkit.layout import Record
from rawkit.wire import (
    CutHeader,
    ICMPExtensionObject,
    IPv4Option,
    IPv6Option,
    NDOption,
    Routing,
    SCTPAnyChunk,
    SegmentTLV,
    TCPOption,
)
from rawkit.wire.names import NAMES
from rawkit.wire.notation import Placed

WITHOUT = {ICMPExtensionObject, IPv4Option, IPv6Option, NDOption, SCTPAnyChunk, SegmentTLV, TCPOption, Routing}
"""Bases of families that are never read themselves."""

NO_COUNTERPART = {
    ("IPv4EndOfOptions", "padding"),  # no field in either
    ("IPv4TimestampWithAddresses", "entries"),  # their fields are in AddressAndTimestamp
    ("TCPEndOfOptions", "padding"),
}

SCAPY = (
    scapy.layers.l2,
    scapy.layers.inet,
    scapy.layers.inet6,
    scapy.layers.igmp,
    scapy.layers.ipsec,
    scapy.layers.ppp,
    scapy.layers.vxlan,
    scapy.contrib.erspan,
    scapy.contrib.geneve,
    scapy.contrib.mpls,
    scapy.layers.sctp,
)
TCP_OPTION_NAMES = set(scapy.layers.inet.TCPOptions[1])
PART_OF_OPTION = re.compile(r"|kind|\[[01]?\]|value\[\d+:\d+\]")
AUTHENTICATION = {field.name for field in scapy.layers.inet.TCPAOValue.fields_desc}


def scapy_fields(layer: str) -> set[str]:
    """The names of a layer's fields. Of ICMPv6 messages and of SCTP's chunks there is a base without any."""
    module = next(module for module in SCAPY if hasattr(module, layer))
    if layer == "_ICMPv6":
        return {field.name for field in scapy.layers.inet6.ICMPv6Unknown.fields_desc}
    if layer == "_SCTPChunkGuessPayload":
        kinds = (
            scapy.layers.sctp.SCTPChunkData,
            scapy.layers.sctp.SCTPChunkAbort,
            scapy.layers.sctp.SCTPChunkInit,
        )
        return {field.name for kind in kinds for field in kind.fields_desc}
    return {field.name for field in getattr(module, layer).fields_desc}


def test_every_field_of_every_record_is_in_the_table():
    expected = [record for record in RECORDS if record not in WITHOUT and not record.malformed]
    assert [record.__name__ for record in expected if record not in NAMES] == []
    missing = [
        (record.__name__, field.name)
        for record in expected
        for field in record.fields()
        if field.name not in {row.field for row in NAMES[record].fields}
    ]
    assert sorted(missing) == sorted(NO_COUNTERPART & set(missing))


@pytest.mark.parametrize("record", NAMES, ids=lambda record: record.__name__)
def test_a_row_is_about_a_field_that_the_record_has(record):
    for row in NAMES[record].fields:
        assert all(record.field(name) for name in row.field.split())


@pytest.mark.parametrize("record", NAMES, ids=lambda record: record.__name__)
def test_every_name_of_scapy_exists(record: type[Record]):
    layers, rows = NAMES[record].scapy, NAMES[record].fields
    if any(layer in TCP_OPTION_NAMES for layer in layers) or issubclass(record, TCPOption):
        assert all(PART_OF_OPTION.fullmatch(row.scapy) or row.scapy in AUTHENTICATION for row in rows)
        assert TCP_OPTION_NAMES.issuperset(layers)
        return
    holders = ("ICMPv6ND_", "ICMPExtension_Header", "SCTP")
    following = {"options"} if any(layer.startswith(holders) for layer in layers) else set()
    there = [scapy_fields(layer) | following for layer in layers]
    for row in rows:
        for name in re.findall(r"[a-z]\w*(?=\[|:|$)", row.scapy, re.IGNORECASE):
            assert any(name in fields for fields in there), (record, name)


def test_every_name_of_wireshark_exists():
    require("tshark")
    listed = subprocess.run(["tshark", "-G", "fields"], capture_output=True, encoding="utf-8", check=True).stdout
    known = {line.split("\t")[2] for line in listed.splitlines() if line.startswith("F\t")}
    ours = {row.wireshark for names in NAMES.values() for row in names.fields if row.wireshark}
    assert ours - known == set()


def test_a_notation_is_a_text_or_several_or_nothing():
    from vectors import VECTORS

    for vector in VECTORS:
        for position, layer in enumerate(vector.packet.built().layers):
            if isinstance(layer, CutHeader):
                continue
            for row in NAMES[type(layer)].fields:
                values = [getattr(layer, name) for name in row.field.split()] or [layer]
                if None in values:  # not there
                    continue
                if isinstance(row.notation, Placed):
                    shown = row.notation.show(*values, vector.packet.built(), position)
                else:
                    shown = row.notation(*values)
                texts = [shown] if isinstance(shown, str) else shown or []
                assert all(isinstance(text, str) for text in texts)
