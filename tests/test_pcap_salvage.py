"""Going on behind damage, and following a file that grows or is replaced."""

from __future__ import annotations

import io
import json
from contextlib import suppress

import pytest
from captures_by_hand import (
    ALMOST_RECORDS,
    FRAME,
    enhanced,
    interface,
    option,
    pcap_header,
    pcap_record,
    section,
    simple,
)
from hypothesis import given
from hypothesis import strategies as st
from other_readers import corpus, output
from terminal import rawkit

from rawkit.errors import CaptureError, FileError
from rawkit.pcap import CaptureCopy, FollowedCapture, open_capture
from rawkit.wire import LinkType

ORDERS = ("<", ">")
KINDS = ("pcap", "pcapng")
COUNT = 40


def frames():
    return [b"\2" + FRAME + bytes([number]) * (number + 1) for number in range(COUNT)]


def made(kind, order="<"):
    """The head of a file, and a record for each frame."""
    if kind == "pcap":
        times = [1_700_000_000 + number for number in range(COUNT)]
        return pcap_header(order), [
            pcap_record(order, time, 5, frame) for time, frame in zip(times, frames(), strict=True)
        ]
    return section(order) + interface(order), [
        enhanced(order, 0, number, frame) for number, frame in enumerate(frames())
    ]


def salvaged(data):
    damages = []
    with open_capture(io.BytesIO(data), on_damage=damages.append) as capture:
        records = [record.data for record in capture]
    return records, [(damage.offset, damage.size) for damage in damages]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("junk", [b"\0" * 5000, b"\xff" * 5000, b"text " * 1000, b"?"])
def test_junk_between_records_is_skipped_and_told(kind, order, junk):
    head, records = made(kind, order)
    for at in (0, 1, 20, COUNT):
        data = head + b"".join(records[:at]) + junk + b"".join(records[at:])
        offset = len(head + b"".join(records[:at]))
        assert salvaged(data) == (frames(), [(offset, len(junk))]), at


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ORDERS)
def test_a_record_with_a_bad_length_is_lost_and_no_other(kind, order):
    head, records = made(kind, order)
    field = {"pcap": 8, "pcapng": 4}[kind]
    for at in (0, 20, COUNT - 1):
        for length in (0xFFFFFFFC, 0x7FFFFFFF, 3001, 1200, 52):
            bad = bytearray(records[at])
            bad[field : field + 4] = length.to_bytes(4, "little" if order == "<" else "big")
            data = head + b"".join(records[:at]) + bytes(bad) + b"".join(records[at + 1 :])
            found, damages = salvaged(data)
            kept = frames()[:at] + frames()[at + 1 :]
            assert [one for one in found if one in kept] == kept, (at, length)
            assert len(found) <= COUNT
            assert len(damages) == 1
            offset, size = damages[0]
            assert len(head + b"".join(records[:at])) <= offset
            assert offset + size == len(head + b"".join(records[: at + 1]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ORDERS)
def test_lost_bytes_cost_the_records_that_they_were_in(kind, order):
    head, records = made(kind, order)
    whole = head + b"".join(records)
    start = len(head + b"".join(records[:10]))
    for first, stop in ((5, 25), (0, 200), (30, 31)):
        found, damages = salvaged(whole[: start + first] + whole[start + stop :])
        ends = [len(b"".join(records[10 : number + 1])) for number in range(10, COUNT)]
        touched = 10 + sum(end <= stop for end in ends) + 1
        kept = frames()[:10] + frames()[touched + 1 :]  # the next may seem to begin in the midst of its header
        assert [one for one in found if one in kept] == kept
        assert len(damages) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_file_gives_all_whole_records(kind):
    head, records = made(kind)
    whole = head + b"".join(records)
    for cut in range(1, len(records[-1])):
        found, damages = salvaged(whole[:-cut])
        assert found == frames()[:-1]
        assert damages == [(len(whole) - len(records[-1]), len(records[-1]) - cut)]


def test_blocks_that_make_no_sense_are_skipped_alone():
    head, records = made("pcapng")
    unknown = enhanced(index=7)
    long = enhanced(options=b"\1\0\xff\xff")
    data = head + records[0] + unknown + records[1] + long + simple(wire=2000) + records[2]
    offset = len(head + records[0])
    assert salvaged(data) == (
        frames()[:3],
        [
            (offset, len(unknown)),
            (offset + len(unknown + records[1]), len(long)),
            (offset + len(unknown + records[1] + long), len(simple())),
        ],
    )


def test_an_interface_that_makes_no_sense_keeps_its_number():
    bad = interface(link_type=101, options=option("<", 14, b"short"))
    data = section() + bad + interface(link_type=1) + enhanced(index=1) + enhanced(index=0)
    with open_capture(io.BytesIO(data), on_damage=lambda damage: None) as capture:
        assert [int(record.link_type) for record in capture] == [1, 101]


def test_salvaged_parts_are_a_sound_file(tmp_path):
    for kind in KINDS:
        head, records = made(kind)
        damages = []
        data = head + b"".join(records[:5]) + b"junk" * 99 + b"".join(records[5:])
        with (
            open_capture(io.BytesIO(data), on_damage=damages.append) as capture,
            CaptureCopy(tmp_path / "x", capture) as copy,
        ):
            for part in capture.parts():
                copy.write(part)
        assert (tmp_path / "x").read_bytes() == head + b"".join(records)
        assert str(damages[0]).startswith(
            f"capture: skipped 396 bytes from byte {len(head + b''.join(records[:5]))}"
        )


def test_sound_files_are_the_same_salvaged():
    for collection in ("pcapng", "tcpdump"):
        for path in corpus(collection):
            if path.name == "bgp_vpn_rt-oobr.pcap":  # most of it is zeros
                continue
            damages = []
            with open_capture(path) as capture, open_capture(path, on_damage=damages.append) as salvaging:
                assert list(salvaging) == list(capture), path
            assert damages == []


@given(st.sampled_from(KINDS), st.sampled_from(ORDERS), st.data())
def test_any_damage_is_survived(kind, order, data):
    head, records = made(kind, order)
    whole = bytearray(b"".join(records[:6]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole)))
        whole[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    damages = []
    with open_capture(io.BytesIO(head + whole), on_damage=damages.append) as capture:
        covered = sum(len(part.raw) for part in capture.parts())
    assert covered + sum(damage.size for damage in damages) == len(head) + len(whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("junk", ALMOST_RECORDS)
def test_junk_that_is_almost_records_loses_none_behind_it(kind, junk):
    head, records = made(kind)
    found, damages = salvaged(head + records[0] + junk * 1000 + b"".join(records))
    assert found[0] == found[-COUNT] == frames()[0]
    assert found[-COUNT:] == frames()
    assert damages


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("junk", [b"8 bytes!", b"?", bytes(5000), b"\xff" * 5000, b"\xa1\xb2\xc3\xd4" * 9])
def test_junk_before_a_sound_file_is_skipped_and_told(kind, order, junk):
    head, records = made(kind, order)
    assert salvaged(junk + head + b"".join(records)) == (frames(), [(0, len(junk))])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kept", [0, 4, 12])
def test_a_section_header_that_was_overwritten(order, kept):
    head, records = made("pcapng", order)
    lost = len(section(order))
    data = head[:kept] + b"\xee" * (lost - kept) + head[lost:] + b"".join(records)
    assert salvaged(data) == (frames(), [(0, lost)])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kept", [0, 4])
def test_a_file_header_that_was_overwritten_needs_the_link_type(order, kept):
    head, records = made("pcap", order)
    data = head[:kept] + b"\xee" * (len(head) - kept) + b"".join(records)
    with pytest.raises(CaptureError, match="give it: --link-type"):
        salvaged(data)
    damages = []
    with open_capture(io.BytesIO(data), on_damage=damages.append, link_type=LinkType.RAW) as capture:
        found = [(record.data, record.time_ns, record.link_type) for record in capture]
    seconds = [1_700_000_000 + number for number in range(COUNT)]
    assert found == [
        (frame, second * 10**9 + 5000, LinkType.RAW) for frame, second in zip(frames(), seconds, strict=True)
    ]
    assert [(damage.offset, damage.size) for damage in damages] == [(0, len(head))]


@pytest.mark.parametrize("kind", KINDS)
def test_less_than_a_header_is_an_error(kind):
    head = pcap_header() if kind == "pcap" else section()
    for size in range(len(head)):
        with pytest.raises(CaptureError):
            salvaged(head[:size])


def test_what_holds_nothing_that_proves_itself_stays_an_error():
    for data in (b"text " * 1000, bytes(4000), b"\xff" * 4000, bytes(range(256)) * 20):
        with pytest.raises(CaptureError, match="magic number"):
            salvaged(data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ORDERS)
def test_a_file_that_begins_with_a_record_loses_none(kind, order):
    _, records = made(kind, order)
    whole = b"".join(records) if kind == "pcap" else interface(order) + b"".join(records)
    damages = []
    with open_capture(io.BytesIO(whole), on_damage=damages.append, link_type=LinkType.ETHERNET) as capture:
        assert [record.data for record in capture] == frames()
    assert damages == []


@pytest.mark.parametrize("name", ["x.pcap", "x.pcapng"])
def test_commands_salvage_a_damaged_beginning_alike(tmp_path, name):
    head, records = made(name[2:])
    (tmp_path / name).write_bytes(b"\xee" * 24 + head[24:] + b"".join(records))
    if name == "x.pcap":
        for command in (["decode"], ["capinfo"], ["edit", "--range", "1-"]):
            target = [tmp_path / "out.pcap"] if command[0] == "edit" else []
            done = rawkit(command[0], tmp_path / name, *target, "--salvage", *command[1:])
            assert (done.returncode, done.stdout) == (2, "")
            assert "--link-type" in done.stderr
    lonely = rawkit("decode", tmp_path / name, "--link-type", "ethernet")
    assert (lonely.returncode, "--link-type is for --salvage; add that" in lonely.stderr) == (2, True)
    options = ("--salvage", "--link-type", "ethernet")
    assert len(rawkit("decode", tmp_path / name, *options).stdout.splitlines()) == COUNT
    told = rawkit("capinfo", tmp_path / name, *options, "--format", "json")
    assert json.loads(told.stdout)["packets"] == COUNT
    assert rawkit("edit", tmp_path / name, tmp_path / f"out-{name}", *options).returncode == 0
    assert output("tshark", "-r", tmp_path / f"out-{name}", "-T", "fields", "-e", "frame.len") == [
        str(len(frame)) for frame in frames()
    ]


class Step(Exception):
    """Ends a file that is followed."""


class Steps:
    """What happens to the file whenever its reader waits."""

    def __init__(self, *steps):
        self._steps = list(steps)

    def __call__(self):
        if not self._steps:
            raise Step
        self._steps.pop(0)()


def followed(path, *steps, **keywords):
    records = []
    with FollowedCapture(path, Steps(*steps), **keywords) as capture, suppress(Step):
        records.extend((record.number, record.data) for record in capture)
    return records


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_grows_byte_by_byte(tmp_path, kind):
    path = tmp_path / "x"
    head, records = made(kind)
    data = head + records[0] + records[1]
    path.write_bytes(b"")

    def grow(at):
        with path.open("ab") as file:
            file.write(data[at : at + 1])

    steps = [lambda at=at: grow(at) for at in range(len(data))]
    assert followed(path, *steps) == [(1, frames()[0]), (2, frames()[1])]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_replaced(tmp_path, kind):
    path, old = tmp_path / "x", tmp_path / "x.1"
    head, records = made(kind)
    path.write_bytes(head + records[0])
    writer = path.open("ab", buffering=0)

    def moved_and_finished():
        path.rename(old)
        writer.write(records[1])  # the writer still has the old one

    def replaced():
        path.write_bytes(head + records[2])

    def cut_shorter():
        path.write_bytes(head)

    def grown():
        with path.open("ab") as file:
            file.write(records[3])

    with writer:
        found = followed(path, moved_and_finished, replaced, cut_shorter, grown)
    assert found == [(1, frames()[0]), (2, frames()[1]), (3, frames()[2]), (4, frames()[3])]


def test_a_file_that_is_replaced_in_the_midst_of_a_record(tmp_path):
    path = tmp_path / "x"
    head, records = made("pcap")
    path.write_bytes(head + records[0] + records[1][:20])
    cuts = []

    def replaced():
        (tmp_path / "y").write_bytes(head + records[2])
        (tmp_path / "y").rename(path)

    assert followed(path, replaced, on_cut=cuts.append) == [(1, frames()[0]), (2, frames()[2])]
    assert [cut.offset for cut in cuts] == [len(head + records[0]) + 16]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [0, 3, 10, 26])
@pytest.mark.parametrize("in_place", [False, True])
def test_a_file_that_is_replaced_by_one_that_has_no_whole_header_yet(tmp_path, kind, first, in_place):
    path = tmp_path / "x"
    head, records = made(kind)
    whole = head + records[1]
    path.write_bytes(head + records[0])

    def replaced():
        new = path if in_place else tmp_path / "y"
        new.write_bytes(whole[:first])
        new.rename(path)

    def grown():
        with path.open("ab") as file:
            file.write(whole[first:])

    assert followed(path, replaced, lambda: None, grown) == [(1, frames()[0]), (2, frames()[1])]


def test_an_empty_file_that_is_replaced_has_lost_nothing(tmp_path):
    path = tmp_path / "x"
    head, records = made("pcap")
    path.write_bytes(head + records[0])
    cuts = []

    def replaced_by(data):
        (tmp_path / "y").write_bytes(data)
        (tmp_path / "y").rename(path)

    steps = [lambda: replaced_by(b""), path.unlink, lambda: replaced_by(head + records[1])]
    assert followed(path, *steps, on_cut=cuts.append) == [(1, frames()[0]), (2, frames()[1])]
    assert cuts == []


def test_what_cannot_be_followed(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        FollowedCapture(tmp_path / "none", Steps())
    path = tmp_path / "x"
    path.write_bytes(b"not a capture")
    with FollowedCapture(path, Steps()) as capture, pytest.raises(CaptureError, match="magic number"):
        list(capture)
    head, records = made("pcap")
    with FollowedCapture(io.BytesIO(head + records[0]), Steps()) as capture:
        assert [record.data for record in capture] == frames()[:1]
