"""Captures that others made, read as capinfos, tshark, tcpdump and libpcap read them."""

from __future__ import annotations

import resource
from contextlib import closing

import cypcap
import pytest
from other_readers import DLT, corpus, output, tshark_fields, tshark_times

from rawkit.pcap import open_capture
from rawkit.pcap.blocks import read_blocks
from rawkit.pcap.source import Source
from rawkit.wire.link_type import LinkType

COLLECTIONS = ("pcapng", "tcpdump")

# A fraction of more than a second, which Wireshark overflows on; libpcap, below, reads it as rawkit does.
OVERFLOWING = {
    "atm-oam-loopback-print-overrun.pcap",
    "rx_serviceid_oobr.pcap",
    "timestamp_invalid_micro.pcap",
    "timestamp_invalid_nano.pcap",
}


def records_of(path):
    with open_capture(path) as capture:
        return list(capture)


def counts(paths):
    """Packets in each file as capinfos counts them; it leaves out files whose link type it does not know."""
    rows = [line.split("\t") for line in output("capinfos", "-c", "-M", "-T", "-r", *paths)]
    return {name: int(count) for name, count in rows}


def as_wireshark(record):
    """Time and lengths; Wireshark takes the 4 bytes before an ATM cell away."""
    hidden = 4 if record.link_type == LinkType.SUNATM else 0
    return record.time_ns, record.wire_length - hidden, len(record.data) - hidden


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_as_many_packets_as_capinfos_counts(collection):
    paths = corpus(collection)
    expected = counts(paths)
    ours = {str(path): len(records_of(path)) for path in paths}
    for name in ours.keys() - expected.keys():
        expected[name] = int(output("tcpdump", "--count", "-r", name)[-1].split()[0])
    assert ours == expected


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_times_lengths_and_comments_as_tshark_reads_them(collection, tmp_path):
    paths = corpus(collection)
    known = counts(paths)
    paths = [path for path in paths if str(path) in known and path.name not in OVERFLOWING]
    at_once = min(200, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
    for start in range(0, len(paths), at_once):
        chunk = paths[start : start + at_once]
        merged = tmp_path / "merged.pcapng"
        output("mergecap", "-a", "-w", merged, *chunk)
        records = [record for path in chunk for record in records_of(path)]
        assert [as_wireshark(record) for record in records] == tshark_times(merged)
        comments = [",".join(record.comments) for record in records if record.comments]
        assert comments == [line for line in tshark_fields(merged, "frame.comment") if line]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_bytes_and_link_types_as_libpcap_reads_them(collection):
    compared = 0
    for path in corpus(collection):
        try:
            with closing(cypcap.open_offline(str(path))) as theirs:
                packets = [(bytes(data), header.len, round(header.ts * 1_000_000)) for header, data in theirs]
                link_type, snaplen = theirs.datalink(), theirs.snapshot()  # libpcap cuts longer records to it
        except cypcap.Error:
            continue  # libpcap reads no pcapng whose interfaces differ
        records = records_of(path)
        assert [(r.data[:snaplen], r.wire_length, r.time_ns // 1000) for r in records] == packets, path
        assert {DLT.get(record.link_type.name, record.link_type) for record in records} <= {link_type}, path
        compared += 1
    assert compared >= {"pcapng": 20, "tcpdump": 825}[collection]


def test_blocks_as_the_listings_count_them():
    names = {0x0A0D0D0A: "SHB", 1: "IDB", 2: "PB", 3: "SPB", 4: "NRB", 5: "ISB", 6: "EPB"}
    names |= {0xBAD: "CB", 0x40000BAD: "DCB"}
    for path in corpus("pcapng"):
        listing = path.with_suffix(".txt").read_text()
        (sequence,) = [line for line in listing.splitlines() if line.startswith("Block sequence:")]
        with path.open("rb") as file:
            found = [names[block.type] for block in read_blocks(Source(file.read1, path.name))]
        assert found == sequence.removeprefix("Block sequence: ").split(", "), path
