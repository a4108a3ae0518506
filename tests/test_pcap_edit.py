"""Editing captures: what is not asked for stays byte for byte; what is, is as editcap and mergecap do it."""

from __future__ import annotations

import io
import struct
import tracemalloc
from collections import Counter
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
from other_readers import corpus, output, tshark_fields

from rawkit.errors import CaptureError, FieldError, FileError
from rawkit.pcap import (
    CaptureFilter,
    Edit,
    Moment,
    Repeats,
    Splitting,
    describe,
    edit_capture,
    open_capture,
)
from rawkit.pcap.block_types import ENHANCED, INTERFACE, NAMES, SECRETS, SECTION, SIMPLE, STATISTICS

CAPTURES = sorted((Path(__file__).resolve().parent.parent / "captures").glob("*.pcapng"))
SECOND = 1_000_000_000
OVERFLOWING = {"atm-oam-loopback-print-overrun.pcap"}  # a fraction of more than a second; Wireshark overflows
ORDERS = "<>"


def parts_of(path):
    with open_capture(path) as capture:
        return list(capture.parts())


def packets(path):
    """What editing must leave alone, or change as asked: time, bytes, length on the wire, link type."""
    with open_capture(path) as capture:
        return [(record.time_ns, record.data, record.wire_length, record.link_type) for record in capture]


def edited(tmp_path, source, edit, *, name=None, **more):
    """The edited copy of a capture, in the format of the capture unless the name tells another."""
    target = tmp_path / (name or f"out{source.suffix}")
    edit_capture(source, target, edit, **more)
    return target


def written(tmp_path, *blocks, name="in.pcapng"):
    path = tmp_path / name
    path.write_bytes(b"".join(blocks))
    return path


def others(collection=CAPTURES, every=25):
    """Captures of ours, and some of others' that Wireshark reads as rawkit does."""
    return [*collection, *(path for path in corpus("tcpdump")[::every] if path.suffix in (".pcap", ".pcapng"))]


def described(block):
    """A section header, but for the length that it tells."""
    view = describe(block)
    told = {name: value for name, value in view.fields.items() if name != "section_length"}
    return told, [(one.code, one.value, one.order) for one in view.options]


def readable(paths):
    counted = {line.split("\t")[0] for line in output("capinfos", "-c", "-M", "-T", "-r", *paths)}
    return [path for path in paths if str(path) in counted and path.name not in OVERFLOWING]


@pytest.fixture(scope="module")
def samples():
    return readable(others())


# What is not asked for stays.


@pytest.mark.parametrize("collection", ["pcapng", "tcpdump", "captures"])
def test_no_edit_changes_no_byte(collection, tmp_path):
    target = tmp_path / "out"
    compared = 0
    for path in CAPTURES if collection == "captures" else corpus(collection):
        try:
            edit_capture(path, target, Edit())
        except CaptureError:
            continue
        assert target.read_bytes() == path.read_bytes(), path
        compared += 1
    assert compared >= {"pcapng": 48, "tcpdump": 750, "captures": 20}[collection]


def test_blocks_that_are_not_asked_for_stay_byte_for_byte(tmp_path):
    """Of the changes only the packets in question, and a section's told length, are seen in the file."""
    for path in [*corpus("pcapng"), *CAPTURES]:
        before = parts_of(path)
        kept = [part for part in before if part.record is None or part.record.number % 2 == 0]
        odd = [(number, number) for number in range(2, len(before) + 2, 2)]
        after = parts_of(edited(tmp_path, path, Edit(numbers=odd)))
        assert len(kept) == len(after), path
        for old, new in zip(kept, after, strict=True):
            if new.block.type == SECTION:
                assert described(old.block) == described(new.block), path
            else:
                assert old.raw == new.raw, path


@pytest.mark.parametrize("change", [{"shift_ns": 7 * SECOND}, {"snaplen": 20}, {"comments": {1: ["new"]}}])
def test_changed_blocks_keep_their_order_and_options(change, tmp_path):
    for path in [*corpus("pcapng"), *CAPTURES]:
        before = parts_of(path)
        if not any(part.record for part in before):
            continue
        after = parts_of(edited(tmp_path, path, Edit(**change)))
        for old, new in zip(before, after, strict=True):
            assert old.block.order == new.block.order
            if old.record is None and (old.block.type not in (SECTION, STATISTICS)):
                assert old.raw == new.raw, path
            elif old.block.type not in (SECTION, SIMPLE, STATISTICS):
                more = [option for option in describe(new.block).options if option.value != b"new"]
                assert [one[:2] for one in more] == [one[:2] for one in describe(old.block).options], path


@pytest.mark.parametrize("order", ORDERS)
def test_the_told_length_of_a_section_is_put_right(order, tmp_path):
    magic = struct.pack(order + "IHH", 0x1A2B3C4D, 1, 0)
    rest = interface(order) + enhanced(order) * 3
    path = written(tmp_path, block(order, SECTION, magic + struct.pack(order + "q", len(rest))), rest)
    after = parts_of(edited(tmp_path, path, Edit(numbers=[(2, 2)], comments={2: ["hello"]})))
    assert describe(after[0].block).fields["section_length"] == sum(len(part.raw) for part in after[1:])


# As editcap does it.


def editcap(tmp_path, source, *options, name=None):
    target = tmp_path / (name or f"theirs{source.suffix}")
    kind = {".pcap": "nsecpcap", ".pcapng": "pcapng"}[target.suffix]
    output("editcap", "-F", kind, *options[:-1] if options and options[-1] == "" else options, source, target)
    return target


def test_ranges_as_editcap(samples, tmp_path):
    for path in samples:
        ours = edited(tmp_path, path, Edit(numbers=[(7, 9), (2, 3), (8, 12), (20, None)]))
        theirs = tmp_path / "theirs.pcapng"
        output("editcap", "-F", "pcapng", "-r", path, theirs, "2-3", "7-12", "20-999999")
        assert packets(ours) == packets(theirs), path


def test_times_as_editcap(samples, tmp_path):
    compared = 0
    for path in samples:
        times = sorted({packet[0] for packet in packets(path)})
        if len(times) < 3 or not 0 < times[0] < times[-1] < 2**31 * SECOND:
            continue
        since, before = times[len(times) // 3], times[-1]
        theirs = tmp_path / "theirs.pcapng"
        span = ["{}.{:09}".format(*divmod(time, SECOND)) for time in (since, before)]
        output("editcap", "-F", "pcapng", "-A", span[0], "-B", span[1], path, theirs)
        wanted = packets(theirs)
        assert packets(edited(tmp_path, path, Edit(since=Moment(since), before=Moment(before)))) == wanted, path
        first = packets(path)[0][0]
        relative = Edit(
            since=Moment(since - first, from_first=True), before=Moment(before - first, from_first=True)
        )
        assert packets(edited(tmp_path, path, relative)) == wanted
        compared += len(wanted)
    assert compared > 100


@pytest.mark.parametrize(
    ("options", "window"),
    [(["-d"], {"packets": 4}), (["-D", "50"], {"packets": 49}), (["-w", "0.5"], {"nanoseconds": SECOND // 2})],
)
def test_repeats_as_editcap(options, window, samples, tmp_path):
    dropped = 0
    for path in samples:
        theirs = tmp_path / "theirs.pcapng"
        output("editcap", "-F", "pcapng", *options, path, theirs)
        ours = edited(tmp_path, path, Edit(repeats=Repeats(**window)))
        times = [packet[0] for packet in packets(path)]
        if "-w" not in options or times == sorted(times):  # editcap gives up at the first that is later
            assert packets(ours) == packets(theirs), path
        dropped += len(packets(path)) - len(packets(ours))
    assert dropped >= 3


@pytest.mark.parametrize("seconds", ["3600.5", "-0.000001", "-86400"])
def test_shifts_as_editcap(seconds, samples, tmp_path):
    whole, _, fraction = seconds.lstrip("-").partition(".")
    shift_ns = (int(whole) * SECOND + int(fraction.ljust(9, "0"))) * (-1 if seconds.startswith("-") else 1)
    for path in samples:
        times = [packet[0] for packet in packets(path)]
        if not times or min(times) < 86400 * SECOND or max(times) + shift_ns > 2**32 * SECOND:
            continue
        theirs = tmp_path / "theirs.pcapng"
        output("editcap", "-F", "pcapng", "-t", seconds, path, theirs)
        assert packets(edited(tmp_path, path, Edit(shift_ns=shift_ns))) == packets(theirs), path


def test_snaplen_as_editcap(samples, tmp_path):
    for path in samples:
        theirs = tmp_path / "theirs.pcapng"
        output("editcap", "-F", "pcapng", "-s", "54", path, theirs)
        ours = edited(tmp_path, path, Edit(snaplen=54))
        assert packets(ours) == packets(theirs), path
        assert max((len(packet[1]) for packet in packets(ours)), default=0) <= 54


def test_filters_as_tcpdump(tmp_path):
    target = tmp_path / "theirs.pcap"
    chosen = 0
    for path in CAPTURES:
        for text in ("tcp", "icmp or arp", "len > 100", "ip6"):
            target.unlink(missing_ok=True)
            output("tcpdump", "--nano", "-r", path, "-w", target, text)
            ours = packets(edited(tmp_path, path, Edit(filter=CaptureFilter(text))))
            assert ours == packets(target), (path, text)
            chosen += len(ours)
    assert chosen > 100


@pytest.mark.parametrize(("option", "value"), [("-c", 3), ("-i", 0.1)])
def test_split_files_as_editcap_splits(option, value, tmp_path):
    splitting = Splitting(packets=3) if option == "-c" else Splitting(nanoseconds=SECOND // 10)
    files = 0
    for path in CAPTURES:
        for name in ("ours", "theirs"):
            (tmp_path / path.stem / name).mkdir(parents=True)
        ours, theirs = tmp_path / path.stem / "ours", tmp_path / path.stem / "theirs"
        outcome = edit_capture(path, ours / "x.pcapng", Edit(), split=splitting)
        output("editcap", "-F", "pcapng", option, value, path, theirs / "x.pcapng")
        wanted = [found for file in sorted(theirs.iterdir()) if (found := packets(file))]
        found = [packets(file) for file in sorted(ours.iterdir())]
        assert found == wanted, path
        assert len(found) == outcome.files
        files += len(found)
    assert files > 50
    assert (tmp_path / "ping" / "ours" / "x-00001.pcapng").is_file()


def test_merged_as_mergecap_merges(samples, tmp_path):
    groups = [samples[start : start + 3] for start in range(0, len(samples), 3)]
    for first, *more in groups:
        theirs = tmp_path / "theirs.pcapng"
        output("mergecap", "-F", "pcapng", "-w", theirs, first, *more)
        ours = edited(tmp_path, first, Edit(), name="out.pcapng", merge=more)
        found, wanted = packets(ours), packets(theirs)
        assert [packet[0] for packet in found] == [packet[0] for packet in wanted], (first, more)
        assert Counter(found) == Counter(wanted)  # of packets at one time mergecap takes the last file's first


# Comments.


def test_comments_as_tshark_reads_them(tmp_path):
    path = CAPTURES[0]
    with open_capture(path) as capture:
        before = [record.comments for record in capture]
    comments = {1: ["one", "two"], 4: ["zwölf"]}
    ours = edited(tmp_path, path, Edit(comments=comments, file_comments=["of it all"]))
    expected = [[*old, *comments.get(number, [])] for number, old in enumerate(before, 1)]
    assert tshark_fields(ours, "frame.comment") == [",".join(texts) for texts in expected]
    told = [
        line.split(":", 1)[1].strip() for line in output("capinfos", ours) if line.startswith("Capture comment")
    ]
    assert told[-1] == "of it all"


@pytest.mark.parametrize("order", ORDERS)
def test_a_comment_leaves_the_other_options_as_they_are(order, tmp_path):
    options = option(order, 2, b"\1\0\0\0") + option(order, 1, b"\xff not text") + option(order, 77, b"?")
    path = written(tmp_path, section(order), interface(order), enhanced(order, options=options))
    ours = edited(tmp_path, path, Edit(comments={1: ["more"]}))
    found = describe(parts_of(ours)[2].block).options
    assert [one[:2] for one in found] == [(2, b"\1\0\0\0"), (1, b"\xff not text"), (77, b"?"), (1, b"more")]


def test_a_comment_on_a_packet_that_is_not_written_is_an_error(tmp_path):
    for edit in (Edit(comments={9: ["x"]}), Edit(comments={2: ["x"]}, numbers=[(1, 1)])):
        path = written(tmp_path, section(), interface(), enhanced(), enhanced())
        with pytest.raises(FieldError, match="number of a packet that is written"):
            edit_capture(path, tmp_path / "out.pcapng", edit)
        assert not (tmp_path / "out.pcapng").exists()


# From one format to the other.


def test_classic_files_are_pcapng_and_classic_again(tmp_path):
    compared = 0
    for path in corpus("tcpdump")[::10]:
        try:
            wanted = packets(path)
            there = edited(tmp_path, path, Edit(), name="there.pcapng")
        except CaptureError:
            continue
        if any(packet[0] >= 2**32 * SECOND for packet in wanted):
            continue  # in the year 2106, by a fraction of more than a second
        assert packets(there) == wanted, path
        back = tmp_path / "back.pcap"
        lost = edit_capture(there, back, Edit()).lost
        assert packets(back) == wanted, path
        if path.suffix == ".pcap":
            assert not lost, path
        compared += 1
    assert compared > 70


def test_converted_as_editcap_converts(samples, tmp_path):
    for path in samples:
        wanted = packets(path)
        if len({packet[3] for packet in wanted}) > 1 or any(packet[0] >= 2**32 * SECOND for packet in wanted):
            continue
        for kind, name in (("pcapng", "x.pcapng"), ("nsecpcap", "x.pcap")):
            theirs = tmp_path / f"their-{name}"
            output("editcap", "-F", kind, path, theirs)
            assert packets(edited(tmp_path, path, Edit(), name=name)) == packets(theirs), path


def test_frame_check_sequences_are_told_in_either_format(tmp_path):
    fcs = 1 | 0x04000000 | 2 << 28  # the draft's bit P and 2 words of 16 bits
    path = written(tmp_path, pcap_header(link_type=fcs, nano=True), pcap_record(), name="in.pcap")
    there = edited(tmp_path, path, Edit(), name="there.pcapng")
    with open_capture(there) as capture:
        assert next(capture).interface.fcs_length == 4
    back = edited(tmp_path, there, Edit(), name="back.pcap")
    assert back.read_bytes() == path.read_bytes()


def test_what_is_lost_is_counted(tmp_path):
    names = block("<", NAMES, struct.pack("<HH", 0, 0))
    path = written(
        tmp_path,
        section(options=option("<", 3, b"Linux")),
        interface(options=option("<", 2, b"eth0") + option("<", 9, b"\x0c")),
        names,
        enhanced(ticks=1_000, options=option("<", 1, b"hello") + option("<", 2, bytes(4))),
        enhanced(ticks=1_001),
    )
    target = tmp_path / "out.pcap"
    outcome = edit_capture(path, target, Edit())
    assert outcome.lost == Counter(
        {
            "Name Resolution block": 1,
            "comment": 1,
            "packet option": 1,
            "section or interface option": 2,
            "fraction of a nanosecond": 1,
        }
    )
    assert [packet[0] for packet in packets(target)] == [1, 1]
    only_last = edit_capture(path, target, Edit(numbers=[(2, 2)]))
    assert "comment" not in only_last.lost


def test_a_classic_file_holds_one_link_type_and_no_comments(tmp_path):
    path = written(tmp_path, section(), interface(), interface(link_type=101), enhanced(), enhanced(index=1))
    for edit, words in ((Edit(), "ETHERNET like all"), (Edit(comments={1: ["x"]}), "no place for them")):
        with pytest.raises(FieldError, match=words):
            edit_capture(path, tmp_path / "out.pcap", edit)
        assert not (tmp_path / "out.pcap").exists()


# Times.


def test_a_shift_that_the_clock_cannot_tell_is_an_error_and_never_rounded(tmp_path):
    half = option("<", 9, b"\x81")  # if_tsresol: two ticks a second
    path = written(tmp_path, section(), interface(options=half), enhanced(ticks=10))
    ours = edited(tmp_path, path, Edit(shift_ns=-3 * SECOND // 2))
    assert packets(ours)[0][0] == 3_500_000_000
    target = tmp_path / "none.pcapng"
    for shift_ns in (SECOND // 4, 1, -6 * SECOND):
        with pytest.raises(FieldError):
            edit_capture(path, target, Edit(shift_ns=shift_ns))
    classic = written(tmp_path, pcap_header(), pcap_record(), name="in.pcap")
    with pytest.raises(FieldError, match="a multiple of 1/1000000 s"):
        edit_capture(classic, target, Edit(shift_ns=999))
    assert not target.exists()


@pytest.mark.parametrize("order", ORDERS)
def test_statistics_shift_with_the_packets_and_untimed_packets_do_not(order, tmp_path):
    times = struct.pack(order + "III", 1, 0, 2_000_000)
    options = option(order, 2, struct.pack(order + "II", 0, 1_000_000)) + option(
        order, 4, struct.pack(order + "Q", 9)
    )
    path = written(
        tmp_path,
        section(order),
        interface(order),
        interface(order, options=option(order, 9, b"\x06")),
        simple(order),
        enhanced(order, ticks=1),
        block(order, STATISTICS, times + options),
    )
    after = parts_of(edited(tmp_path, path, Edit(shift_ns=5 * SECOND)))
    assert after[3].raw == simple(order)
    assert after[4].raw == enhanced(order, ticks=5_000_001)
    view = describe(after[5].block)
    assert (view.fields["timestamp_low"], view.option("isb_starttime")) == (7_000_000, 6_000_000)
    assert view.option("isb_ifrecv") == 9


# Merging.


@pytest.mark.parametrize("order", ORDERS)
def test_interfaces_of_all_sections_stay_interfaces(order, tmp_path):
    statistics = block("<", STATISTICS, struct.pack("<III", 0, 0, 9) + option("<", 5, struct.pack("<Q", 3)))
    first = written(tmp_path, section(), interface(snaplen=1), enhanced(ticks=1), enhanced(ticks=3), statistics)
    second = written(
        tmp_path,
        section(order, options=option(order, 3, b"Linux") + option(order, 1, b"lab")),
        interface(order, snaplen=2),
        enhanced(order, ticks=2, options=option(order, 2, struct.pack(order + "I", 1))),
        section("<"),
        interface("<", snaplen=3),
        obsolete("<", ticks=4),
        simple("<", data=FRAME[:3]),
        statistics,
        block("<", 0x7777, b"what"),
        name="second.pcapng",
    )
    ours = edited(tmp_path, first, Edit(), merge=[second])
    parts = parts_of(ours)
    assert [part.block.order for part in parts] == ["<"] * len(parts)
    interfaces = [describe(part.block) for part in parts if part.block.type == INTERFACE]
    assert [view.fields["snaplen"] for view in interfaces] == [1, 2, 3]
    assert interfaces[1].named_options == (("opt_comment", "shb_os: Linux"), ("opt_comment", "lab"))
    found = [
        (part.record.number, part.record.time_ns, part.record.interface.index) for part in parts if part.record
    ]
    assert found == [(1, 1000, 0), (2, 2000, 1), (3, 3000, 0), (4, 4000, 2), (5, 0, 2)]
    assert [part.record.direction for part in parts if part.record] == ["", "inbound", "", "", ""]
    told = [describe(part.block).fields["interface_id"] for part in parts if part.block.type == STATISTICS]
    assert told == [0, 2]
    assert parts[-1].raw == block("<", 0x7777, b"what")
    unchanged = [part.raw for part in parts if part.record and part.record.interface.index == 0]
    assert unchanged == [enhanced(ticks=1), enhanced(ticks=3)]


def test_of_packets_at_one_time_those_of_the_first_file_come_first(tmp_path):
    files = [
        written(
            tmp_path,
            pcap_header(),
            pcap_record(data=bytes([n])),
            pcap_record(data=bytes([n + 10])),
            name=f"{n}.pcap",
        )
        for n in range(3)
    ]
    ours = edited(tmp_path, files[0], Edit(), merge=files[1:])
    assert ours.suffix == ".pcap"
    assert [packet[1][0] for packet in packets(ours)] == [0, 10, 1, 11, 2, 12]


def test_statistics_of_an_interface_that_is_not_there_are_damage(tmp_path):
    bad = written(tmp_path, section(), interface(), block("<", STATISTICS, struct.pack("<III", 5, 0, 0)))
    with pytest.raises(CaptureError, match="interface 5"):
        edit_capture(bad, tmp_path / "out.pcapng", Edit(), merge=[CAPTURES[0]])
    assert not (tmp_path / "out.pcapng").exists()


# Splitting.


@pytest.mark.parametrize("order", ORDERS)
def test_every_file_of_a_split_can_be_read_by_itself(order, tmp_path):
    names, secrets = block(order, NAMES, bytes(4)), block(order, SECRETS, struct.pack(order + "II", 1, 0))
    journal = block(order, 9, b"MESSAGE=")
    path = written(
        tmp_path,
        section("<"),
        interface("<", snaplen=999),
        section(order),
        interface(order),
        names,
        enhanced(order, ticks=1),
        journal,
        secrets,
        enhanced(order, ticks=2),
        interface(order, link_type=101),
        enhanced(order, index=1, ticks=3),
    )
    outcome = edit_capture(path, tmp_path / "x.pcapng", Edit(), split=Splitting(packets=1))
    files = [[part.block.type for part in parts_of(tmp_path / f"x-0000{n}.pcapng")] for n in (1, 2, 3)]
    assert (outcome.files, outcome.written) == (3, 3)
    assert files == [
        [SECTION, INTERFACE, SECTION, INTERFACE, NAMES, ENHANCED, 9, SECRETS],
        [SECTION, INTERFACE, NAMES, SECRETS, ENHANCED, INTERFACE],
        [SECTION, INTERFACE, NAMES, SECRETS, INTERFACE, ENHANCED],
    ]
    assert packets(tmp_path / "x-00003.pcapng")[0][3] == 101


def test_a_split_of_nothing_is_one_file_and_compressed_ones_keep_their_endings(tmp_path):
    path = written(tmp_path, pcap_header(), name="in.pcap")
    assert edit_capture(path, tmp_path / "x.pcap.gz", Edit(), split=Splitting(packets=5)).files == 1
    assert (tmp_path / "x-00001.pcap.gz").read_bytes().startswith(b"\x1f\x8b")
    assert packets(tmp_path / "x-00001.pcap.gz") == []


def test_what_a_split_repeats_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "in.pcapng"
    with path.open("wb") as file:
        file.write(section() + interface())
        for _ in range(40):
            file.write(block("<", NAMES, (struct.pack("<HH", 1, 50_000) + bytes(50_000)) * 20 + bytes(4)))
        file.write(enhanced() + enhanced())
    tracemalloc.start()
    edit_capture(path, tmp_path / "x.pcapng", Edit(), split=Splitting(packets=1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
    assert (tmp_path / "x-00002.pcapng").stat().st_size > 40_000_000


def test_a_split_needs_a_name(tmp_path):
    for target in ("-", io.BytesIO()):
        with pytest.raises(FieldError, match="names of more"):
            edit_capture(CAPTURES[0], target, Edit(), split=Splitting(packets=1))
    for splitting in (Splitting(), Splitting(0), Splitting(1, 1)):
        with pytest.raises(FieldError):
            edit_capture(CAPTURES[0], tmp_path / "x", Edit(), split=splitting)
    assert list(tmp_path.iterdir()) == []


# Damage, and files that are not what they seem.


def damaged(tmp_path):
    broken = enhanced(ticks=2)[:-4] + b"\1\1\1\1"
    return written(tmp_path, section(), interface(), enhanced(ticks=1), broken, enhanced(ticks=3))


def test_damage_is_an_error_and_leaves_nothing(tmp_path):
    path, target = damaged(tmp_path), tmp_path / "out.pcapng"
    with pytest.raises(CaptureError):
        edit_capture(path, target, Edit())
    assert [found.name for found in tmp_path.iterdir()] == ["in.pcapng"]
    target.write_bytes(b"older")
    with pytest.raises(CaptureError):
        edit_capture(path, target, Edit())
    assert target.read_bytes() == b"older"


def test_salvage_goes_on_behind_damage(tmp_path):
    told = []
    outcome = edit_capture(damaged(tmp_path), tmp_path / "out.pcapng", Edit(), on_damage=told.append)
    assert (outcome.written, len(told)) == (2, 1)
    assert (tmp_path / "out.pcapng").read_bytes() == section() + interface() + enhanced(ticks=1) + enhanced(
        ticks=3
    )


def test_a_file_of_nothing_but_damage_cannot_be_salvaged(tmp_path):
    path = written(tmp_path, section()[:-1] + b"?")
    with pytest.raises(CaptureError, match="expected a sound section header"):
        edit_capture(path, tmp_path / "out.pcapng", Edit(), on_damage=lambda _: None)


def test_salvage_keeps_the_numbers_of_the_interfaces_behind_a_damaged_one(tmp_path):
    bad = interface(link_type=105, options=struct.pack("<HH", 2, 9999))
    path = written(tmp_path, section(), bad, interface(link_type=101), enhanced(index=1))
    target = tmp_path / "out.pcapng"
    edit_capture(path, target, Edit(), on_damage=lambda _: None)
    assert [(packet[3], packet[1]) for packet in packets(target)] == [(101, FRAME)]


def test_a_capture_may_be_edited_in_place(tmp_path):
    path = tmp_path / "x.pcapng"
    path.write_bytes(CAPTURES[0].read_bytes())
    before = packets(path)
    edit_capture(path, path, Edit(numbers=[(2, 3)]))
    assert packets(path) == before[1:3]
    edit_capture(path, path, Edit(), merge=[path])
    assert packets(path) == [packet for packet in before[1:3] for _ in range(2)]
    assert [found.name for found in tmp_path.iterdir()] == ["x.pcapng"]


def test_nothing_is_written_through_a_link(tmp_path):
    precious, link = tmp_path / "precious", tmp_path / "out.pcapng"
    precious.write_bytes(b"precious")
    link.symlink_to(precious)
    with pytest.raises(FileError, match="symbolic link"):
        edit_capture(CAPTURES[0], link, Edit())
    (tmp_path / "x-00001.pcapng").symlink_to(precious)
    with pytest.raises(FileError, match="symbolic link"):
        edit_capture(CAPTURES[0], tmp_path / "x.pcapng", Edit(), split=Splitting(packets=1))
    assert precious.read_bytes() == b"precious"


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "in.pcapng"
    with path.open("wb") as file:
        file.write(section() + interface())
        for number in range(20_000):
            file.write(enhanced(ticks=number, data=number.to_bytes(4, "little") * 200))
    tracemalloc.start()
    edit = Edit(snaplen=100, shift_ns=SECOND, repeats=Repeats(packets=100))
    edit_capture(path, tmp_path / "out.pcapng", edit, merge=[path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000
    assert len(packets(tmp_path / "out.pcapng")) == 20_000


@pytest.mark.parametrize("window", [{}, {"packets": 0}, {"packets": 10**9}, {"nanoseconds": -1}])
def test_a_window_without_bounds_is_refused(window):
    with pytest.raises(FieldError):
        Repeats(**window)
