"""`rawkit decode --reassemble` and `rawkit craft --fragment`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from programs import require
from terminal import RAWKIT, rawkit

from rawkit.pcap import Record, open_capture, write_capture
from rawkit.views import as_object, diagram, hexdump, read_expression, to_expression, tree
from rawkit.wire import UDP, Ethernet, Fragment, IPv4, IPv6, Packet, Reassembler, fragment

CAPTURES = Path(__file__).resolve().parents[1] / "captures"
PING = CAPTURES / "ping-fragmented.pcapng"
HOST = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
WHOLE = (
    HOST / IPv4(src="10.0.0.1", dst="10.0.0.2", identification=7) / UDP(src_port=1, dst_port=9) / bytes(40)
).built()


def whole_of(path: Path, number: int) -> Packet:
    """The datagram that packet `number` of the file completes."""
    reassembler = Reassembler()
    with open_capture(path) as capture:
        for record in capture:
            done = reassembler.push(record.packet())
            if record.number == number:
                assert done is not None
                return done.packet
    raise AssertionError(number)


def test_fragments_are_shown_and_the_last_stands_for_the_whole() -> None:
    lines = rawkit("decode", PING, "--reassemble").stdout.splitlines()
    plain = rawkit("decode", PING).stdout.splitlines()
    assert len(lines) == len(plain) == 12
    assert (lines[0], lines[1]) == (plain[0], plain[1])
    assert lines[2].endswith(f"{whole_of(PING, 3).summary()} [reassembled from 1, 2, 3]")


@pytest.mark.parametrize(
    ("option", "view"), [("--format=tree", tree), ("--format=hex", hexdump), ("--diagram", diagram)]
)
def test_views_show_the_whole(option: str, view: object) -> None:
    shown = rawkit("decode", PING, "--reassemble", "-c3", option).stdout
    assert shown.endswith("\n".join([*view(whole_of(PING, 3)), "", ""]))  # type: ignore[operator]


def test_expressions_make_the_whole() -> None:
    lines = rawkit("decode", PING, "--reassemble", "-c3", "--python").stdout.splitlines()
    assert lines[2] == to_expression(whole_of(PING, 3))


def test_json_has_the_whole_beside_the_packet_as_captured() -> None:
    found = [
        json.loads(text) for text in rawkit("decode", PING, "--reassemble", "--format=json").stdout.splitlines()
    ]
    whole = whole_of(PING, 3)
    with open_capture(PING) as capture:
        for record, shown in zip(capture, found, strict=True):
            extra = shown.pop("reassembled", None)
            assert shown == as_object(record, record.packet())
            assert (extra is None) == bool(record.number % 3)
            if record.number == 3:
                expected = {key: as_object(record, whole)[key] for key in ("layers", "payload", "problems")}
                assert extra == expected | {"numbers": [1, 2, 3], "length": len(bytes(whole)), "notices": []}


FIELDS = [
    "frame.number", "frame.len", "ip.src", "ip.len", "ip.flags.mf", "ip.frag_offset", "ip.checksum", "icmp.type",
    "icmp.seq", "icmp.checksum", "ipv6.plen", "ipv6.fraghdr.offset", "ipv6.fraghdr.more", "icmpv6.type",
    "icmpv6.checksum", "icmpv6.echo.sequence_number",
]  # fmt: skip


@pytest.mark.parametrize("name", ["ping-fragmented", "ping6-fragmented", "path-mtu", "path-mtu6", "ping"])
def test_fields_are_what_tshark_prints_when_it_puts_fragments_together(name: str) -> None:
    require("tshark")
    path = CAPTURES / f"{name}.pcapng"
    options = [option for field in FIELDS for option in ("-e", field)]
    together = ["-o", "ip.defragment:TRUE", "-o", "ipv6.defragment:TRUE"]
    command = ["tshark", "-r", str(path), *together, "-T", "fields", *options]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert rawkit("decode", path, "--reassemble", "--format", "fields", *options).stdout == printed


def test_what_is_not_complete_is_told_on_standard_error() -> None:
    done = rawkit("decode", PING, "--reassemble", "-c", "5")
    [told] = done.stderr.splitlines()
    assert done.returncode == 0
    assert told.startswith("rawkit: not reassembled: 4, 5: 10.0.1.2 > 10.0.1.1 identification 0x")
    assert told.endswith("not complete when no more came; bytes 2960 to its end are not there")


def test_timeouts_follow_the_times_in_the_file(tmp_path: Path) -> None:
    file, parts = tmp_path / "x.pcap", fragment(WHOLE, 44)
    times = [0, 40_000_000_000]
    write_capture(
        file,
        [
            Record(number, time_ns, bytes(part), len(bytes(part)), WHOLE.link_type)
            for number, (part, time_ns) in enumerate(zip(parts, times, strict=False), 1)
        ],
    )
    told = rawkit("decode", file, "--reassemble").stderr.splitlines()
    assert len(told) == 2
    assert all("10.0.0.1 > 10.0.0.2 identification 0x0007 protocol 17" in line for line in told)
    assert "not complete in time" in told[0]
    assert "the first fragment is missing" in told[1]


def test_an_atomic_fragment_is_shown_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    write_capture(file, [HOST / IPv6(dst="fd00::2") / Fragment() / UDP(dst_port=9) / b"hi"])
    assert rawkit("decode", file, "--reassemble").stdout == rawkit("decode", file).stdout


def test_a_packet_of_nothing_but_fragment_headers_takes_no_time(tmp_path: Path) -> None:
    """Each of them is an atomic fragment, and the packet within another."""
    file = tmp_path / "x.pcap"
    write_capture(file, [HOST / IPv6(dst="fd00::2", next_header=44) / ((b"\x2c" + bytes(7)) * 8000)])
    assert rawkit("decode", file, "--reassemble").stdout == rawkit("decode", file).stdout


# ---------------------------------------------------------------------- craft


EXPRESSION = to_expression(WHOLE)
PARTS = fragment(WHOLE, 44)


def test_craft_shows_each_fragment() -> None:
    blocks = rawkit("craft", "--fragment", "44", EXPRESSION).stdout.split("\n\n")
    assert [block.splitlines() for block in blocks] == [[part.summary(), *hexdump(part)] for part in PARTS]
    lines = rawkit("craft", "--fragment", "44", "--python", EXPRESSION).stdout.splitlines()
    assert [read_expression(line) for line in lines] == list(PARTS)
    for option, view in (("--tree", tree), ("--diagram", diagram)):
        shown = rawkit("craft", "--fragment", "44", option, EXPRESSION).stdout
        assert shown == "\n\n".join("\n".join(view(part)) for part in PARTS) + "\n"


def test_craft_writes_each_fragment_and_tshark_puts_them_together(tmp_path: Path) -> None:
    require("tshark")
    file = tmp_path / "x.pcap"
    assert rawkit("craft", "--fragment", "44", "-w", file, EXPRESSION).stdout == ""
    with open_capture(file) as capture:
        assert [record.data for record in capture] == [bytes(part) for part in PARTS]
    command = ["tshark", "-r", str(file), "-o", "ip.defragment:TRUE", "-T", "fields", "-e", "udp.length"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == [""] * (len(PARTS) - 1) + ["48"]
    piped = subprocess.run(
        [RAWKIT, "craft", "--fragment", "44", "-w", "-", EXPRESSION], capture_output=True, check=True
    )
    assert (
        rawkit("decode", "-", "--reassemble", stdin=piped.stdout)
        .stdout.splitlines()[-1]
        .endswith(f"{WHOLE.summary()} [reassembled from 1, 2]")
    )


def test_craft_takes_the_identification_of_ipv6_from_a_fragment_header() -> None:
    expression = f"IPv6(dst='fd00::2') / Fragment(identification=7) / UDP(dst_port=9) / {bytes(40)!r}"
    lines = rawkit("craft", "--fragment", "72", "--python", expression).stdout.splitlines()
    assert [read_expression(line)[Fragment].identification for line in lines] == [7, 7]


@pytest.mark.parametrize(
    ("mtu", "expression", "words"),
    [
        ("27", EXPRESSION, "fragment.mtu: expected at least 28, for 20 bytes of headers"),
        ("44", EXPRESSION.replace("identification", "dont_fragment=True, identification"), "IPv4.dont_fragment"),
        ("44", "ARP(target_ip='10.0.0.2')", "no IP in ARP"),
        ("0", EXPRESSION, "Invalid value for '--fragment'"),
    ],
)
def test_what_craft_cannot_cut_is_one_clear_line(mtu: str, expression: str, words: str) -> None:
    done = rawkit("craft", "--fragment", mtu, expression)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr


def test_what_may_not_be_cut_says_what_to_do_on_the_command_line() -> None:
    done = rawkit(
        "craft", "--fragment", "44", EXPRESSION.replace("identification", "dont_fragment=True, identification")
    )
    assert done.returncode == 2
    assert "take dont_fragment out of EXPR" in done.stderr
    assert "despite" not in done.stderr
