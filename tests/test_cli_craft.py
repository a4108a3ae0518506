"""`rawkit craft`: what it shows, and that other programs read what it writes."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from programs import require
from terminal import RAWKIT, on_a_terminal, rawkit

from rawkit import TCP, IPv4, open_capture
from rawkit.views import diagram, hexdump, read_expression, read_sweep, to_expression, tree

EXPRESSION = "IPv4(src='10.0.0.1', dst='10.0.0.2') / TCP(src_port=1025, dst_port=80, flags='SA') / b'hi'"
PACKET = (IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(src_port=1025, dst_port=80, flags="SA") / b"hi").built()


def test_by_default_it_shows_summary_and_bytes() -> None:
    assert rawkit("craft", EXPRESSION).stdout.splitlines() == [PACKET.summary(), *hexdump(PACKET)]


def test_views_can_be_combined() -> None:
    done = rawkit("craft", EXPRESSION, "--hex", "--diagram", "--tree", "--python")
    expected = [to_expression(PACKET), *tree(PACKET), *diagram(PACKET), *hexdump(PACKET)]
    assert done.stdout.splitlines() == expected


def test_the_expression_that_it_prints_evaluates_to_the_same_packet() -> None:
    printed = rawkit("craft", "--python", EXPRESSION).stdout
    assert bytes(read_expression(printed)) == bytes(PACKET)
    assert rawkit("craft", "--python", printed).stdout == printed


def test_colour_is_for_terminals_and_follows_no_color() -> None:
    assert "\033[" not in rawkit("craft", EXPRESSION).stdout
    assert "\033[36m" in on_a_terminal("craft", EXPRESSION)
    assert "\033[" not in on_a_terminal("craft", EXPRESSION, NO_COLOR="1")
    assert "\033[" not in on_a_terminal("craft", EXPRESSION, TERM="dumb")


def test_tcpdump_and_rawkit_read_what_it_writes(tmp_path: Path) -> None:
    require("tcpdump")
    file = tmp_path / "x.pcap"
    assert rawkit("craft", "-w", file, EXPRESSION).stdout == ""
    read = subprocess.run(["tcpdump", "-nvr", str(file)], capture_output=True, text=True, check=True).stdout
    assert "10.0.0.1.1025 > 10.0.0.2.80: Flags [S.], cksum" in read
    assert "(correct)" in read
    with open_capture(file) as capture:
        [record] = capture
    assert record.data == bytes(PACKET)


def test_a_capture_on_standard_output_is_not_mixed_with_text() -> None:
    done = subprocess.run([RAWKIT, "craft", "-w", "-", "--tree", EXPRESSION], capture_output=True, check=True)
    with open_capture(io.BytesIO(done.stdout)) as capture:
        assert [record.data for record in capture] == [bytes(PACKET)]
    assert done.stderr.decode().splitlines() == list(tree(PACKET))


@pytest.mark.parametrize("target", ["-", "/dev/stdout"])
def test_a_capture_does_not_go_to_a_terminal(target: str) -> None:
    said = on_a_terminal("craft", "-w", target, EXPRESSION)
    assert said.startswith("rawkit: Invalid value for '-w'")
    assert said.count("\n") == 1


def test_the_bytes_are_those_that_xxd_shows(tmp_path: Path) -> None:
    require("xxd")
    dumped = [line[10:58] for line in rawkit("craft", "--hex", EXPRESSION).stdout.splitlines()]
    undone = subprocess.run(["xxd", "-r", "-p"], input="\n".join(dumped).encode(), capture_output=True, check=True)
    assert undone.stdout == bytes(PACKET)


def test_a_sweep_is_shown_packet_by_packet_and_written_whole(tmp_path: Path) -> None:
    text = "IPv4(src='10.0.0.1', dst='10.0.0.2', ttl=[1, 2]) / UDP(dst_port=range(7, 9)) / b'hi'"
    file = tmp_path / "sweep.pcap"
    printed = rawkit("craft", "--python", "-w", str(file), text).stdout.splitlines()
    with open_capture(str(file)) as capture:
        written = [record.data for record in capture]
    assert written == [*read_sweep(text).frames()] == [bytes(read_expression(line)) for line in printed]
    assert len(written) == 4
    assert rawkit("craft", "--hex", text).stdout.count("\n\n") == 3
