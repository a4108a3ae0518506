"""What `rawkit contrast` shows: lines of calls, the page, help, and what is left of it after Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from browser import Browser
from commands import RAWKIT
from contrasted import OVER_A_WIRE, PATIENCE, USABLE, Seen, heard
from hypothesis import given
from hypothesis import strategies as st
from other_readers import output
from programs import require
from remains import MARK, Namespaces, marked
from terminal import Terminal, rawkit
from unprivileged import run_as_nobody, script

from rawkit.echo import KINDS
from rawkit.echo.contrast import SCENES
from rawkit.echo.contrast.recorded import Call, shortened
from rawkit.netns import Lab

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
    with Terminal([*RAWKIT, "contrast", "raw-ip", "-c", "100000"], environment) as terminal:
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


@pytest.mark.root
def test_text_fits_a_hundred_columns() -> None:
    command = ["contrast", "udp", "raw-ip", "unix-stream", "--scene", "large", "--scene", "closed", "-c", "10"]
    done = subprocess.run([*RAWKIT, *command], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert max(map(len, done.stdout.splitlines())) <= 100
    for kind in ("udp", "raw-ip", "unix-stream"):
        assert re.search(rf"^{kind} +\d+ +\d+ ", done.stdout, re.MULTILINE)
    assert "made by hand: IPv4(" in done.stdout


@pytest.mark.root
def test_the_page_in_a_browser(seen: Seen, tmp_path: Path) -> None:
    with Lab() as lab, Browser.started(lab.host("a"), tmp_path) as browser:
        browser.open(seen.page.as_uri())
        assert browser.evaluate("document.querySelectorAll('.summary tbody tr').length") == len(USABLE)
        for kind in OVER_A_WIRE:
            told = seen.of(kind)
            rungs = f"document.querySelectorAll('#{kind} .ladder')[0].querySelectorAll('.rung').length"
            assert browser.evaluate(rungs) == told["frames"]
            frame = told["ladder"][told["filled"]["frame"] - 1]
            dump = f"document.querySelector('#{kind} details[open] .hex')"
            assert bytes.fromhex(browser.evaluate(f"{dump}.textContent")).hex() == frame["data"]
            assert browser.evaluate(f"!!{dump}.querySelector('.you')")
        for width in (1280, 1201, 1200, 800, 400):
            browser.resize(width, 800)
            wide = browser.evaluate(
                """[...document.querySelectorAll("body *")].filter(
                    each => each.getBoundingClientRect().right > innerWidth).length"""
            )
            assert wide == 0, width
            assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert [event for event in browser.events if event["method"] == "Runtime.exceptionThrown"] == []


@pytest.mark.root
def test_the_page_lights_bytes_and_fields_that_belong_together(seen: Seen, tmp_path: Path) -> None:
    """RFC 791, 3.1: version and IHL share a byte; reserved, DF, MF and the offset share two; RFC 768: ports."""
    with Lab() as lab, Browser.started(lab.host("a"), tmp_path) as browser:
        browser.open(seen.page.as_uri())

        def lit(pointed_at: str) -> list[str]:
            """What is lit when the pointer comes upon the field or the bytes of that text."""
            script = f"""(() => {{
                const frame = document.querySelector("#udp details[open]");
                const all = [...frame.querySelectorAll("span")];
                all.find(each => each.textContent.startsWith("{pointed_at}"))
                    .dispatchEvent(new PointerEvent("pointerover", {{bubbles: true}}));
                return [...frame.querySelectorAll(".lit")].map(each => each.textContent);
            }})()"""
            found: list[str] = browser.evaluate(script)
            return found

        assert lit("dst_port=5005") == ["13 8d", "dst_port=5005 by connect()"]
        assert lit("ihl=") == ["45", "ihl=5"]
        assert lit("45") == ["45", "version=4", "ihl=5"]
        assert lit("dont_fragment=") == ["40", "dont_fragment=True"]
        assert lit("fragment_offset=") == ["40", "00", "fragment_offset=0"]
        assert lit("ttl=") == ["40", "ttl=64"]
        assert [event for event in browser.events if event["method"] == "Runtime.exceptionThrown"] == []


@pytest.mark.root
def test_the_page_has_each_scene_side_by_side(seen: Seen, tmp_path: Path) -> None:
    with Lab() as lab, Browser.started(lab.host("a"), tmp_path) as browser:
        browser.open(seen.page.as_uri())
        tables = browser.evaluate(
            """[...document.querySelectorAll("table.observed")].map(table => [...table.tBodies[0].rows].map(
                row => [...row.cells].map(cell => cell.textContent)))"""
        )
        scenes = [
            [(kind, run) for kind in USABLE for run in seen.kinds[kind]["scenes"] if run["scene"] == name]
            for name in SCENES
        ]
        assert tables == [
            [[kind, str(run["frames"]), str(run["wire_bytes"]), run["explanation"]] for kind, run in runs]
            for runs in scenes
        ]
        left_out = browser.evaluate("document.querySelector('#udp').textContent.match(/\\d+ more frames.*?;/)[0]")
        assert left_out == f"{seen.of('udp', 'large')['frames'] - 20} more frames not shown here;"
        assert seen.page.stat().st_size < 2_000_000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["bogus"], "no kind 'bogus'; there are tcp"),
        (["RAW-TCP"], "raw-tcp is yet to come"),
        (["udp", "--scene", "rain"], "'rain' is not one of"),
        (["udp", "-d", "abc"], "--data takes 4 to 1000 bytes, got 3"),
        (["udp", "-w", "-", "--html", "-"], "cannot both go to the same place"),
        (["udp", "-w", "a", "--html", "./a"], "cannot both go to the same place"),
        (["udp", "-w", "/proc/self/../none", "--html", "/proc/none"], "cannot both go to the same place"),
        (["udp", "-w", "-", "--html", "/dev/stdout"], "cannot both go to the same place"),
        (["udp", "-c", "1"], "10<=x<=100000"),
    ],
)
def test_wrong_usage(arguments: list[str], says: str) -> None:
    done = subprocess.run([*RAWKIT, "contrast", *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("elsewhere")
    for option in ("-w", "--html"):
        command = [*RAWKIT, "contrast", "udp", option, str(tmp_path / "link")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (3, "")
        assert "symbolic link" in done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link"]


@pytest.mark.root
def test_ctrl_c_keeps_what_was_seen(tmp_path: Path) -> None:
    file = tmp_path / "some.pcapng"
    command = [*RAWKIT, "contrast", "udp", "tcp", "-w", str(file), "-c", "10", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest, said = process.stdout.read(), process.stderr.read()
    assert process.returncode == 128 + signal.SIGINT
    assert said == "ended by Ctrl-C before all was known\n"
    told = [first, *map(json.loads, rest.splitlines())]  # the second, if it had begun
    require("tshark")
    assert len(output("tshark", "-r", file)) == sum(each["frames"] for each in told)


def open_namespaces(process: int) -> Namespaces:
    """Those of a network, but for this one's, that a process has open; none if it closes one meanwhile."""
    own = Path("/proc/self/ns/net").readlink()
    with suppress(OSError):
        links = {int(link.name): link.readlink() for link in Path(f"/proc/{process}/fd").iterdir()}
        others = [number for number, to in links.items() if to.name.startswith("net:") and to.name != own.name]
        return Namespaces(process, others)
    return Namespaces(process, [])


@pytest.mark.root
def test_nothing_is_left_after_sigkill() -> None:
    mark = f"contrast-{os.getpid()}"
    environment = {**os.environ, MARK: mark}
    with subprocess.Popen(
        [*RAWKIT, "contrast", "udp", "tcp", "--format", "json"], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the first kind is done; the second is about to be on the stage
        while not (namespaces := open_namespaces(process.pid)).numbers:
            namespaces.close()
            assert process.poll() is None
        descendants = [os.pidfd_open(pid) for pid in marked(mark) if pid != process.pid]
        process.kill()
        for each in descendants:
            assert select.select([each], [], [], PATIENCE)[0], "still alive"
            os.close(each)
    assert marked(mark) == []
    assert namespaces.held() == set()
    namespaces.close()


ROOTLESS = """
import sys
from rawkit.cli.main import run
sys.exit(run(["contrast", "raw-udp", "--format", "json", "-c", "10"]))
"""


@pytest.mark.root
def test_it_works_for_nobody(tmp_path: Path) -> None:
    done = run_as_nobody(script(tmp_path, ROOTLESS))
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["kind"], told["privilege"], heard(told, "client")) == ("raw-udp", "CAP_NET_RAW", [b"hello"])
