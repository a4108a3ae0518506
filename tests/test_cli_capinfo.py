"""`rawkit capinfo`: every figure that capinfos tells, on every capture there is; and drops, which it does not."""

from __future__ import annotations

import gzip
import json
import struct
import tracemalloc
from pathlib import Path

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
from other_readers import corpus, nanoseconds, output
from terminal import on_a_terminal, rawkit

from rawkit.pcap import summarize
from rawkit.wire.link_type import LinkType

CAPTURES = sorted((Path(__file__).resolve().parent.parent / "captures").glob("*.pcapng"))
OVERFLOWING = {  # a fraction of more than a second, which Wireshark overflows on
    "atm-oam-loopback-print-overrun.pcap",
    "rx_serviceid_oobr.pcap",
    "timestamp_invalid_micro.pcap",
    "timestamp_invalid_nano.pcap",
}
COMPARABLE = 2**31 * 1_000_000_000  # times further apart than this overflow Wireshark's nstime_cmp
HIDDEN = {LinkType.SUNATM: 4}  # bytes before each ATM cell that Wireshark takes away
STATISTICS = 5


def statistics(order="<", index=0, **counters):
    codes = {"received": 4, "interface_drops": 5, "system_drops": 7}
    options = b"".join(option(order, codes[name], struct.pack(order + "Q", n)) for name, n in counters.items())
    return block(order, STATISTICS, struct.pack(order + "III", index, 0, 0) + options)


def capinfos(paths):
    """capinfos's table, a dictionary a file, without the files that it refuses."""
    lines = output("capinfos", "-M", "-T", "-S", *paths)
    header = lines[0].split("\t")
    return {row[0]: dict(zip(header, row, strict=False)) for row in (line.split("\t") for line in lines[1:])}


def about(expected: str, found: float | None, duration_ns: int = 0) -> bool:
    """Whether a figure with two digits behind the point is this one; capinfos has 0 where there is no rate.

    It takes durations from times in double precision, in which the seconds since 1970 have 240 ns at the best.
    """
    if expected == "n/a":
        return found is None
    value = found or 0.0
    return abs(float(expected) - value) <= 0.01 + abs(value) * (500 / duration_ns if duration_ns else 1e-9)


def differences(path, theirs, ours):
    """The figures that differ, by capinfos's names."""
    hidden = sum(count * HIDDEN.get(link_type, 0) for link_type, count in ours.link_types.items())
    exact = {
        "Number of packets": ours.packets,
        "File size (bytes)": path.stat().st_size,
        "Data size (bytes)": ours.wire_bytes - hidden,
        "Packet size limit": "(not set)" if not ours.snaplen else ours.snaplen,
        "Packet size limit min (inferred)": ours.shortest_cut if ours.cut else "n/a",
        "Packet size limit max (inferred)": ours.longest_cut if ours.cut else "n/a",
    }
    wrong = {name: (theirs[name], value) for name, value in exact.items() if theirs[name] != str(value)}
    if hidden or path.name in OVERFLOWING:
        wrong.pop("Packet size limit min (inferred)", None)
        wrong.pop("Packet size limit max (inferred)", None)
        return wrong
    if not about(theirs["Average packet size (bytes)"], ours.mean_length):
        wrong["mean"] = theirs["Average packet size (bytes)"], ours.mean_length
    comparable = ours.duration_ns is None or ours.duration_ns < COMPARABLE
    if ours.untimed == 0 and comparable:  # with untimed packets capinfos tells no times at all
        wrong |= time_differences(theirs, ours)
    return wrong


def time_differences(theirs, ours):
    wrong = {}
    times = {"Start time": ours.start_ns, "End time": ours.stop_ns, "Capture duration (seconds)": ours.duration_ns}
    for name, value in times.items():
        told = None if theirs[name] == "n/a" else nanoseconds(theirs[name])
        if told != value:
            wrong[name] = theirs[name], value
    rates = {
        "Data byte rate (bytes/sec)": ours.byte_rate,
        "Data bit rate (bits/sec)": None if ours.byte_rate is None else ours.byte_rate * 8,
        "Average packet rate (packets/sec)": ours.packet_rate,
    }
    for name, rate in rates.items():
        if not about(theirs[name], rate, ours.duration_ns):
            wrong[name] = theirs[name], rate
    if theirs["Strict time order"] not in (str(ours.steps_back == 0), "Unknown"):
        wrong["order"] = theirs["Strict time order"], ours.steps_back
    return wrong


@pytest.mark.parametrize("collection", ["pcapng", "tcpdump", "captures"])
def test_every_figure_as_capinfos_tells_it(collection):
    paths = CAPTURES if collection == "captures" else corpus(collection)
    known = capinfos(paths)
    assert len(known) >= 0.97 * len(paths)
    ours = {path: summarize(path) for path in paths if str(path) in known}
    wrong = {path.name: differences(path, known[str(path)], summary) for path, summary in ours.items()}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_what_section_headers_say_as_capinfos_tells_it():
    names = {
        "shb_hardware": "Capture hardware",
        "shb_os": "Capture oper-sys",
        "shb_userappl": "Capture application",
        "opt_comment": "Capture comment",
    }
    paths = [*CAPTURES, *(path for path in corpus("pcapng") if "test2" not in path.name)]
    theirs = capinfos(paths)
    told = 0
    for path in paths:
        options = summarize(path).sections[0].options
        for name, column in names.items():
            found = [value for option, value in options if option == name]
            assert theirs[str(path)][column] == (found[0] if found else ""), (path, name)
            told += len(found)
    assert told > 60


def test_interfaces_and_their_packets_as_capinfos_lists_them():
    compared = 0
    for path in corpus("pcapng"):
        if path.parent.name == "difficult":
            continue  # capinfos lists the interfaces of several sections several times
        lines = output("capinfos", path)
        packets = [int(line.split("=")[1]) for line in lines if "Number of packets =" in line]
        snaplens = [int(line.split("=")[1]) for line in lines if "Capture length =" in line]
        ticks = [int(line.split("=")[1]) for line in lines if "ticks per second =" in line]
        interfaces = summarize(path).interfaces
        assert [one.packets for one in interfaces] == packets, path
        assert [one.snaplen for one in interfaces] == snaplens, path
        assert [one.ticks_per_second for one in interfaces] == ticks, path
        compared += len(interfaces)
    assert compared > 40


def test_the_fixed_keys_and_one_object_a_file(tmp_path):
    first, second = tmp_path / "a.pcap", tmp_path / "b.pcapng"
    first.write_bytes(pcap_header() + pcap_record(seconds=5, fraction=7) + pcap_record(seconds=3, wire=100))
    second.write_bytes(section() + interface(link_type=101, snaplen=60) + enhanced(ticks=9_000_001))
    done = rawkit("capinfo", "--format", "json", first, second)
    one, two = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0
    assert (one["packets"], one["start_ns"], one["stop_ns"]) == (2, 3_000_002_000, 5_000_007_000)
    assert (one["link_types"], one["drops"], one["drops_recorded"]) == (["ETHERNET"], 0, False)
    assert (one["in_order"], one["steps_back"], one["first_step_back"]) == (False, 1, 2)
    assert (one["cut"], one["shortest_cut"], one["longest_cut"]) == (1, len(FRAME), len(FRAME))
    assert (two["packets"], two["start_ns"], two["link_types"]) == (1, 9_000_001_000, ["RAW"])
    assert two["blocks"] == {"Section Header": 1, "Interface Description": 1, "Enhanced Packet": 1}


def test_nothing_in_the_file(tmp_path):
    path = tmp_path / "a.pcapng"
    path.write_bytes(section())
    told = json.loads(rawkit("capinfo", path, "--format", "json").stdout)
    assert [told[key] for key in ("packets", "start_ns", "stop_ns", "link_types", "drops")] == [
        0,
        None,
        None,
        [],
        0,
    ]
    assert "packets      0\n" in rawkit("capinfo", path).stdout


@pytest.mark.parametrize("order", "<>")
def test_drops_that_the_file_records(order, tmp_path):
    path = tmp_path / "a.pcapng"
    last = statistics(order, 0, received=10, interface_drops=5, system_drops=2)
    between = option(order, 4, struct.pack(order + "Q", 3))  # epb_dropcount
    path.write_bytes(
        section(order)
        + interface(order)
        + interface(order)
        + interface(order)
        + statistics(order, 0, interface_drops=1)  # the counters go on from here
        + enhanced(order, 0, options=between)  # these are among the 5
        + enhanced(order, 1, options=between)
        + enhanced(order, 1, options=between)
        + obsolete(order, 2)  # says 7
        + last
    )
    summary = summarize(path)
    assert [one.drops for one in summary.interfaces] == [7, 6, 7]
    assert (summary.drops, summary.drops_recorded) == (20, True)
    told = rawkit("capinfo", path).stdout
    assert "drops        20\n" in told
    assert "isb_ifrecv         10\n" in told


def test_drops_of_an_obsolete_packet_block_may_be_unknown(tmp_path):
    path = tmp_path / "a.pcapng"
    unknown = obsolete().replace(struct.pack("<HH", 0, 7), struct.pack("<HH", 0, 0xFFFF), 1)
    path.write_bytes(section() + interface() + unknown)
    assert summarize(path).drops_recorded is False


def test_packets_without_a_time_are_no_step_back(tmp_path):
    path = tmp_path / "a.pcapng"
    path.write_bytes(section() + interface() + enhanced(ticks=5) + simple() + enhanced(ticks=6))
    summary = summarize(path)
    assert (summary.untimed, summary.steps_back, summary.start_ns) == (1, 0, 5000)
    assert "1 packet without a time" in rawkit("capinfo", path).stdout


def test_damage_is_told_with_all_that_stands_before(tmp_path):
    path = tmp_path / "a.pcapng"
    whole = section() + interface() + enhanced(ticks=1)
    broken = enhanced(ticks=2)[:-4] + b"\1\1\1\1"
    path.write_bytes(whole + broken + enhanced(ticks=3))
    done = rawkit("capinfo", path, "--format", "json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["packets"], told["size"]) == (2, 1, len(whole))
    assert done.stderr.count("\n") == 1
    assert "block length" in done.stderr
    assert done.stderr == f"rawkit: {told['damage'][0]}; --salvage goes on behind it\n"
    salvaged = rawkit("capinfo", path, "--format", "json", "--salvage")
    told = json.loads(salvaged.stdout)
    assert (salvaged.returncode, told["packets"], len(told["damage"])) == (0, 2, 1)


def test_files_that_cannot_be_read_do_not_hide_the_others(tmp_path):
    good, bad = tmp_path / "a.pcap", tmp_path / "b.pcap"
    good.write_bytes(pcap_header() + pcap_record())
    bad.write_bytes(b"no capture at all")
    done = rawkit("capinfo", "--format", "json", tmp_path / "none", bad, good)
    assert (done.returncode, len(done.stdout.splitlines()), len(done.stderr.splitlines())) == (2, 1, 2)
    assert json.loads(done.stdout)["packets"] == 1


def test_standard_input_and_compressed_files(tmp_path):
    whole = pcap_header() + pcap_record() * 50
    path = tmp_path / "a.bin"
    path.write_bytes(gzip.compress(whole))
    told = json.loads(rawkit("capinfo", path, "--format", "json").stdout)
    assert (told["packets"], told["size"], told["file_size"]) == (50, len(whole), path.stat().st_size)
    told = json.loads(rawkit("capinfo", "-", "--format", "json", stdin=whole).stdout)
    assert (told["packets"], told["size"], told["file_size"]) == (50, len(whole), None)


def test_what_a_file_says_cannot_command_the_terminal(tmp_path):
    path = tmp_path / "a.pcapng"
    path.write_bytes(section(options=option("<", 4, b"evil\x1b]0;title\x07\nline")) + interface())
    assert "shb_userappl       evil\\x1b]0;title\\x07\\nline" in on_a_terminal("capinfo", path)


def test_memory_does_not_grow_with_sections_interfaces_or_types(tmp_path):
    path = tmp_path / "a.pcapng"
    text = option("<", 2, b"e" * 2000)
    with path.open("wb") as file:
        for number in range(20_000):
            file.write(section() + interface(options=text) + block("<", 0x1000 + number, b"") + enhanced())
    tracemalloc.start()
    summary = summarize(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (summary.packets, summary.interface_count, len(summary.interfaces)) == (20_000, 20_000, 1000)
    assert peak < 16 * 1024 * 1024
    assert "and 19000 more interfaces" in rawkit("capinfo", path).stdout
