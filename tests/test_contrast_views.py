"""What `rawkit contrast` shows: lines of calls, the page, help, and what is left of it after Ctrl-C."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal import RAWKIT, Terminal, rawkit

from rawkit.echo import KINDS
from rawkit.echo.contrast import SCENES
from rawkit.echo.contrast.recorded import Call, shortened

WIDTH = 47

HEADER = b"E\0\0!\x9f\x01" + bytes(27)


def call(name: str, arguments: str, result: str, data: bytes = b"", descriptor: int = 21) -> Call:
    return Call("client", 1, descriptor, name, arguments, result, False, 0, 1, "IPv4", data)


def sent(data: bytes, address: str, result: str) -> Call:
    return call("sendto", f"{shortened(data)}, {address}", result, data)


# ---------------------------------------------------------------------- lines of calls


def test_a_call_that_fits_is_written_as_strace_writes_it() -> None:
    assert call("send", "b'hello'", "5", b"hello").lines(WIDTH) == ["send(21, b'hello') = 5"]
    assert call("recv", "131072", "").lines(WIDTH) == ["recv(21, 131072) = ... still waiting"]


def test_data_is_shortened_before_anything_else() -> None:
    assert sent(HEADER, "10.0.1.2", "33").lines(WIDTH) == [r"sendto(21, b'E\x00'... 33 bytes, 10.0.1.2) = 33"]


def test_a_call_that_is_still_too_long_goes_on_in_another_line() -> None:
    received = call("recvmsg", "131072", f"{shortened(HEADER)}, 10.0.1.2", HEADER)
    assert received.lines(WIDTH) == ["recvmsg(21, 131072)", r"    = b'E\x00\x00!\x9f'... 33 bytes, 10.0.1.2"]


@given(
    st.binary(max_size=40) | st.text(" ,='\"\\\xa0\x1b)b", max_size=40).map(str.encode),
    st.sampled_from(["10.0.1.2", "eth0, 0x88b5, 02:00:00:00:01:00"]),
    st.sampled_from(["131072", "EMSGSIZE", ""]),
)
def test_all_but_data_stays_whole_whatever_the_data(data: bytes, address: str, result: str) -> None:
    lines = sent(data, address, result).lines(WIDTH)
    assert max(map(len, lines)) <= WIDTH
    assert all(line.isprintable() for line in lines)
    text = " ".join(map(str.strip, lines))
    assert text.startswith("sendto(21, b")
    assert text.endswith(f", {address}) = {result or '... still waiting'}")
    count = re.search(r"\.\.\. (\d+) bytes, ", text)
    assert shortened(data) == repr(data) or (count is not None and int(count[1]) == len(data))


# ---------------------------------------------------------------------- the command


def test_help_names_the_kinds_and_the_scenes() -> None:
    lines = [" ".join(line.split()) for line in rawkit("contrast", "--help").stdout.splitlines()]
    assert {f"{kind.name} {kind.socket} {kind.summary}" for kind in KINDS.values()} <= {*lines}
    assert {f"{scene.name} {scene.title}" for scene in SCENES.values()} <= {*lines}


@pytest.mark.root
def test_ctrl_c_while_measuring_keeps_what_was_played() -> None:
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
    with Terminal([RAWKIT, "contrast", "raw-ip", "-c", "100000"], environment) as terminal:
        terminal.expect("steps of raw-ip done")
        terminal.expect("round trips of raw-ip measured")
        terminal.send("\x03")
        terminal.expect("raw-ip: IP protocol 253")
        terminal.expect("All bytes came back, in 2 frames.")
        terminal.expect("raw-ip              2    94   9.4       ?       ? nobody    nobody you     kernel ")
        terminal.expect("ended by Ctrl-C before all was known")


@pytest.mark.root
def test_explanations_do_not_repeat_much_data() -> None:
    done = rawkit(
        "contrast", "tcp", "udp", "--scene", "short-read", "--scene", "two-writes", "-c", "10", "-d", "x" * 1000
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "xxxxxxxxxxxxxxxx" not in done.stdout
    assert "b'xxxxxxxxxxxxxxx'... 998 bytes; the" in done.stdout
