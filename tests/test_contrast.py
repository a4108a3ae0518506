"""The same echo through every kind of socket: what is told of it, beside tshark, strace, Chromium, manuals."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import select
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from browser import Browser
from commands import RAWKIT
from other_readers import output
from programs import require
from remains import MARK, held_namespaces, marked
from unprivileged import run_as_nobody, script

from rawkit.echo import KINDS
from rawkit.netns import Lab

pytestmark = pytest.mark.root

PATIENCE = 300
USABLE = [name for name, kind in KINDS.items() if kind.module is not None]
WITHIN = ["unix-stream", "unix-dgram", "unix-seqpacket"]
OVER_A_WIRE = [name for name in USABLE if name not in WITHIN]


class Seen(NamedTuple):
    """What one run of the command gave."""

    kinds: dict[str, dict[str, Any]]
    capture: Path
    page: Path

    def of(self, kind: str, scene: str = "echo") -> dict[str, Any]:
        told = self.kinds[kind]
        return told if scene == "echo" else next(each for each in told["scenes"] if each["scene"] == scene)

    def wire(self, kind: str, scene: str, *fields: str) -> list[list[str]]:
        """What tshark reads of the frames of one scene, with checksums checked."""
        name = kind if scene == "echo" else f"{kind} {scene}"
        arguments = [argument for field in fields for argument in ("-e", field)]
        checks = [f"-o{each}.check_checksum:TRUE" for each in ("ip", "tcp", "udp")]
        text = output(
            *(
                "tshark",
                "-r",
                self.capture,
                *checks,
                "-oip.defragment:FALSE",
                "-Y",
                f'frame.interface_name=="{name}"',
            ),
            *("-T", "fields", *arguments),
        )
        return [line.split("\t") for line in text]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("contrast")
    capture, page = folder / "all.pcapng", folder / "all.html"
    command = [
        "contrast",
        "--scene",
        "all",
        "-c",
        "20",
        "--format",
        "json",
        "-w",
        str(capture),
        "--html",
        str(page),
    ]
    done = subprocess.run([*RAWKIT, *command], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return Seen({told["kind"]: told for told in map(json.loads, done.stdout.splitlines())}, capture, page)


def calls(told: dict[str, Any], end: str) -> list[tuple[str, str]]:
    return [(call["name"], call["result"]) for call in told["calls"] if call["end"] == end]


def heard(told: dict[str, Any], end: str) -> list[bytes]:
    return [bytes.fromhex(each["data"]) for each in told["heard"] if each["end"] == end and not each["error"]]


def errors(told: dict[str, Any], end: str) -> list[int]:
    return [each["errno"] for each in told["heard"] if each["end"] == end and each["error"]]


def filled(told: dict[str, Any], header: str) -> dict[str, str]:
    return {each["field"]: each["who"] for each in told["filled"]["fields"] if each["header"] == header}


# ---------------------------------------------------------------------- the plain echo


def test_every_kind_has_its_bytes_back(seen: Seen) -> None:
    assert list(seen.kinds) == USABLE
    for told in seen.kinds.values():
        assert heard(told, "client") == [b"hello"]
        assert told["rtt_ns"] > 0
        assert told["application_bytes"] == 10
    assert [name for name, told in seen.kinds.items() if not told["frames"]] == WITHIN
    assert calls(seen.of("icmp"), "server") == []  # its kernel answers


def test_tshark_counts_the_same_frames_and_bytes_on_each_interface(seen: Seen) -> None:
    require("tshark")
    frames: Counter[str] = Counter()
    wire: Counter[str] = Counter()
    for line in output(
        "tshark", "-r", seen.capture, "-T", "fields", "-e", "frame.interface_name", "-e", "frame.len"
    ):
        name, length = line.split("\t")
        frames[name] += 1
        wire[name] += int(length)
    told = {
        kind if run["scene"] == "echo" else f"{kind} {run['scene']}": (run["frames"], run["wire_bytes"])
        for kind, whole in seen.kinds.items()
        for run in (whole, *whole["scenes"])
        if run["frames"]
    }
    assert {name: (frames[name], wire[name]) for name in frames} == told


# tcp(7), udp(7), unix(7), raw(7), packet(7), RFC 6455 (section 5.2: messages over a stream). A veth pair takes
# checksums of TCP and UDP as a network card does (tx-checksumming in ethtool(8)).
FACTS = ("checksums", "order", "resends", "boundaries", "privilege")
MANUALS = {
    "tcp": ("hardware", "kernel", "kernel", "nobody", None),
    "udp": ("hardware", "nobody", "you", "kernel", None),
    "unix-stream": (None, "kernel", None, "nobody", None),
    "unix-dgram": (None, "kernel", None, "kernel", None),
    "unix-seqpacket": (None, "kernel", None, "kernel", None),
    "websocket": ("hardware", "kernel", "kernel", "library", None),
    "raw-udp": ("you", "nobody", "you", "kernel", "CAP_NET_RAW"),
    "icmp": ("you", "nobody", "you", "kernel", "CAP_NET_RAW"),
    "raw-ip": ("nobody", "nobody", "you", "kernel", "CAP_NET_RAW"),
    "ether": ("nobody", "nobody", "you", "kernel", "CAP_NET_RAW"),
}


@pytest.mark.parametrize("kind", USABLE)
def test_who_does_what(seen: Seen, kind: str) -> None:
    assert tuple(seen.of(kind)[name] for name in FACTS) == MANUALS[kind]


def test_who_fills_the_fields_of_a_packet_that_is_made_by_hand(seen: Seen) -> None:
    """raw(7): the kernel always fills in checksum and total length; source and identification if zero."""
    for kind, zero in (
        ("raw-udp", {"identification"}),
        ("icmp", {"identification", "src"}),
        ("raw-ip", {"identification", "src"}),
    ):
        by_kernel = {field for field, who in filled(seen.of(kind), "IPv4").items() if who == "kernel"}
        assert by_kernel == {"total_length", "checksum"} | zero
    assert set(filled(seen.of("ether"), "Ethernet").values()) == {"you"}
    assert set(filled(seen.of("raw-udp"), "UDP").values()) == {"you"}
    assert set(filled(seen.of("raw-udp"), "Ethernet").values()) == {"kernel"}
    for kind in ("raw-udp", "icmp", "raw-ip", "ether"):
        (expression,) = seen.of(kind)["expressions"]
        assert expression.endswith(" / b'hello'")


def test_checksums_that_are_left_to_the_hardware_are_wrong_to_tshark(seen: Seen) -> None:
    require("tshark")
    assert filled(seen.of("udp"), "UDP")["checksum"] == "hardware"
    assert seen.wire("udp", "echo", "udp.checksum.status") == [["0"], ["0"]]
    assert seen.wire("raw-udp", "echo", "udp.checksum.status", "ip.checksum.status") == [["1", "1"], ["1", "1"]]


def test_the_calls_are_those_that_the_kernel_saw(tmp_path: Path) -> None:
    """strace, which asks the kernel, sees the same calls with the same results in the same order."""
    require("strace")
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-qq", "-e", "trace=network", "-o", str(trace)]
    command = [*strace, *RAWKIT, "contrast", "tcp", "udp", "-c", "10", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    by_process: dict[str, list[tuple[str, str]]] = {}
    pattern = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed).*= (-?\d+)")
    for process, name, result in pattern.findall(trace.read_text()):
        by_process.setdefault(process, []).append((name, result))
    system_calls = {"accept": "accept4", "send": "sendto", "recv": "recvfrom"}
    for told in map(json.loads, done.stdout.splitlines()):
        for end in ("client", "server"):
            wanted = [
                (system_calls.get(name, name), _number(name, result))
                for name, result in calls(told, end)
                if name != "close"
            ]
            assert any(_in_order(wanted, found) for found in by_process.values()), (told["kind"], end, wanted)


def _number(name: str, result: str) -> str:
    """What the system call returned, of what is told."""
    if name.startswith("recv"):
        return str(len(eval_bytes(result)))
    return result.split(",")[0]


def eval_bytes(text: str) -> bytes:
    found = re.match(r"b(['\"]).*?\1", text)
    assert found is not None
    data = ast.literal_eval(found[0])
    assert isinstance(data, bytes)
    return data


def _in_order(wanted: list[tuple[str, str]], found: list[tuple[str, str]]) -> bool:
    rest = iter(found)
    return all(each in rest for each in wanted)


# ---------------------------------------------------------------------- scenes


@pytest.mark.parametrize("kind", OVER_A_WIRE)
def test_lost(seen: Seen, kind: str) -> None:
    told = seen.of(kind, "lost")
    assert [each["fate"] for each in told["ladder"]].count("dropped") == 1
    assert told["ladder"][0]["fate"] == "dropped"
    assert heard(told, "client") == [b"hello"]
    sends = [name for name, _ in calls(told, "client") if name.startswith("send")]
    if kind in ("tcp", "websocket"):  # RFC 6298: the kernel sends its SYN again
        require("tshark")
        syns = [
            row
            for row in seen.wire(kind, "lost", "tcp.flags.syn", "tcp.flags.ack", "frame.comment")
            if row[0] == "1"
        ]
        assert [row[1:] for row in syns] == [["0", "dropped"], ["0", ""], ["1", ""]]
        assert "The kernel sent it again" in told["explanation"]
    else:
        assert len(sends) == 2
        assert "the program waited in vain" in told["explanation"]


@pytest.mark.parametrize(
    ("kind", "field", "value", "code"),
    [
        ("tcp", "tcp.flags.reset", "1", errno.ECONNREFUSED),
        ("websocket", "tcp.flags.reset", "1", errno.ECONNREFUSED),
        ("udp", "icmp.code", "3", errno.ECONNREFUSED),
        ("raw-udp", "icmp.code", "3", errno.ECONNREFUSED),
        ("raw-ip", "icmp.code", "2", errno.ENOPROTOOPT),
        ("ether", "icmp.code", "", 0),
    ],
)
def test_closed_over_a_wire(seen: Seen, kind: str, field: str, value: str, code: int) -> None:
    require("tshark")
    assert seen.wire(kind, "closed", field)[-1] == [value]
    told = seen.of(kind, "closed")
    assert errors(told, "client") == [code]
    assert calls(told, "server") == []


@pytest.mark.parametrize("kind", WITHIN)
def test_closed_within_a_machine(seen: Seen, kind: str) -> None:
    """unix(7): the remote address was not a listening socket."""
    assert errors(seen.of(kind, "closed"), "client") == [errno.ECONNREFUSED]
    assert not seen.of(kind, "closed")["frames"]


def test_short_read(seen: Seen) -> None:
    """recv(2): a stream keeps the rest; a datagram loses it, and MSG_TRUNC says so."""
    for kind in USABLE:
        told = seen.of(kind, "short-read")
        got = [result for name, result in calls(told, "server") if name.startswith("recv")]
        if kind in ("tcp", "unix-stream"):
            assert got == ["b'hel'", "b'lo'"]
        elif kind == "websocket":
            assert heard(told, "server") == [b"hello"]
            assert len(got) > 3
        else:
            assert ", MSG_TRUNC" in got[0]
            assert got[1] == "nothing in time"
            first = {"ether": b"\x02\x00\x00"}.get(kind, b"E\x00\x00" if KINDS[kind].by_hand else b"hel")
            assert eval_bytes(got[0]) == first


def test_two_writes_and_one_read(seen: Seen) -> None:
    for kind in USABLE:
        joined = kind in ("tcp", "unix-stream")
        assert heard(seen.of(kind, "two-writes"), "server") == ([b"hello"] if joined else [b"he", b"llo"])


def test_swapped(seen: Seen) -> None:
    for kind in OVER_A_WIRE:
        told = seen.of(kind, "swapped")
        assert [each["fate"] for each in told["ladder"]].count("held back") == 1
        got = heard(told, "server")
        assert (b"".join(got) == b"hello") == (kind in ("tcp", "websocket"))
        assert sorted(b"".join(got)) == sorted(b"hello")
    require("tshark")
    lengths = [(row[0], row[1]) for row in seen.wire("tcp", "swapped", "tcp.seq", "tcp.len") if row[1] != "0"]
    assert lengths[:2] == [("3", "3"), ("1", "2")]


def test_large(seen: Seen) -> None:
    require("tshark")
    assert max(int(row[0]) for row in seen.wire("tcp", "large", "tcp.len")) == 1448
    assert sum(int(row[0]) for row in seen.wire("tcp", "large", "tcp.len")) == 2 * 70_000
    udp = seen.of("udp", "large")
    assert ("send", "EMSGSIZE") in calls(udp, "client")
    fragments = seen.wire("udp", "large", "ip.flags.mf", "ip.len")
    assert len(fragments) == udp["frames"] == 90
    assert sum(int(row[1]) - 20 for row in fragments) == 2 * (65_507 + 8)  # udp(7): 65,535 with its headers
    for kind, most in (("raw-udp", 1472), ("icmp", 1472), ("raw-ip", 1472), ("ether", 1492)):  # of an MTU of 1500
        assert errno.EMSGSIZE in errors(seen.of(kind, "large"), "client")
        assert [len(each) for each in heard(seen.of(kind, "large"), "client")] == [most]
    for kind in ("tcp", "websocket", *WITHIN):
        assert b"".join(heard(seen.of(kind, "large"), "client")) == b"0123456789" * 7_000


def test_half_close(seen: Seen) -> None:
    for kind in ("tcp", "unix-stream", "unix-seqpacket"):
        told = seen.of(kind, "half-close")
        names = [call["name"] for call in told["calls"]]
        assert heard(told, "client") == [b"hello", b""]
        assert names.index("shutdown") < len(names) - 1 - names[::-1].index("send")  # the server's, after it
    require("tshark")
    rows = seen.wire("tcp", "half-close", "ip.src", "tcp.flags.fin", "tcp.len")
    assert rows.index(["10.0.1.1", "1", "0"]) < next(
        number for number, row in enumerate(rows) if row[0] == "10.0.1.2" and row[2] == "5"
    )
    assert heard(seen.of("websocket", "half-close"), "client") == [
        b""
    ]  # RFC 6455, 5.5.1: no data after a close frame


def test_crash(seen: Seen) -> None:
    require("tshark")
    assert ["1"] in seen.wire("tcp", "crash", "tcp.flags.reset")  # RFC 2525, 2.17: unread bytes are told by RST
    assert errors(seen.of("tcp", "crash"), "client") == [errno.ECONNRESET, errno.EPIPE]
    assert errors(seen.of("udp", "crash"), "client") == [0, errno.ECONNREFUSED]
    assert ["3"] in seen.wire("udp", "crash", "icmp.code")
    for kind in USABLE:
        if kind != "icmp":
            assert ("close", "0") not in calls(seen.of(kind, "crash"), "server")


def test_stranger(seen: Seen) -> None:
    """raw(7): all packets of the protocol are passed to a raw socket."""
    for kind in OVER_A_WIRE:
        told = seen.of(kind, "stranger")
        received = [result for name, result in calls(told, "client") if name.startswith("recv")]
        arrived = [each for each in told["ladder"] if b"not for you" in bytes.fromhex(each["data"])]
        assert arrived[0]["source"] == "server"
        assert heard(told, "client") == [b"hello"]
        if KINDS[kind].by_hand:
            assert len(received) == 2
        else:
            assert not any("not for you" in result for result in received)


def test_numbers_in_a_ladder_are_those_that_tshark_counts(seen: Seen) -> None:
    """tcp.seq and tcp.ack are relative to each conversation, that of a stranger included."""
    require("tshark")
    for scene in ("echo", "stranger"):
        theirs = seen.wire("tcp", scene, "tcp.seq", "tcp.ack")
        rungs = seen.of("tcp", scene)["ladder"]
        for (seq, ack), rung in zip(theirs, rungs, strict=True):
            if "[RA]" in rung["summary"]:
                continue  # of what answers no conversation, tshark counts from one less
            assert f"seq={seq} " in rung["summary"]
            assert f"ack={ack} " in rung["summary"] or ack == "0"


def test_bytes_that_were_sent_in_vain_count(seen: Seen) -> None:
    for kind in ("udp", "raw-udp", "raw-ip"):
        assert seen.of(kind, "closed")["application_bytes"] == 5


def test_what_is_said_was_seen(seen: Seen) -> None:
    """Every error that an explanation names was returned by a call; frames are in the order of their times."""
    for kind in seen.kinds.values():
        for run in (kind, *kind["scenes"]):
            results = [call["result"].split(" ")[0] for call in run["calls"]]
            for name in re.findall(r"\bE[A-Z]{4,}\b", run["explanation"]):
                assert name in results, (kind["kind"], run["scene"], name)
            times = [each["time_ns"] for each in run["ladder"]]
            assert times == sorted(times)


def test_what_is_said_of_two_writes_does_not_hang_on_what_is_written() -> None:
    command = ["contrast", "udp", "tcp", "raw-udp", "websocket", "-d", "haha", "-c", "10", "--format", "json"]
    done = subprocess.run([*RAWKIT, *command], capture_output=True, text=True, timeout=PATIENCE, check=True)
    for told in map(json.loads, done.stdout.splitlines()):
        assert tuple(told[name] for name in FACTS) == MANUALS[told["kind"]]


# ---------------------------------------------------------------------- the command


def test_text_fits_a_hundred_columns() -> None:
    command = ["contrast", "udp", "raw-ip", "unix-stream", "--scene", "large", "--scene", "closed", "-c", "10"]
    done = subprocess.run([*RAWKIT, *command], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert max(map(len, done.stdout.splitlines())) <= 100
    for kind in ("udp", "raw-ip", "unix-stream"):
        assert re.search(rf"^{kind} +\d+ +\d+ ", done.stdout, re.MULTILINE)
    assert "made by hand: IPv4(" in done.stdout


def test_the_page_in_a_browser(seen: Seen, tmp_path: Path) -> None:
    with Lab() as lab, Browser.started(lab.host("a"), tmp_path) as browser:
        browser.open(seen.page.as_uri())
        assert browser.evaluate("document.querySelectorAll('.summary tbody tr').length") == len(USABLE)
        for kind in OVER_A_WIRE:
            told = seen.of(kind)
            rungs = f"document.querySelectorAll('#{kind} .ladder')[0].querySelectorAll('.rung').length"
            assert browser.evaluate(rungs) == told["frames"]
            frame = told["ladder"][told["filled"]["frame"] - 1]
            cells = f"document.querySelector('#{kind} details[open] .hex')"
            assert (
                browser.evaluate(f"[...{cells}.children].map(each => each.textContent).join('')") == frame["data"]
            )
            assert browser.evaluate(f"!!{cells}.querySelector('.you')")
        for width in (1280, 400):
            browser.resize(width, 800)
            wide = browser.evaluate(
                """[...document.querySelectorAll("body *")].filter(each => !each.closest(".scroll, svg")
                    && each.getBoundingClientRect().right > innerWidth).length"""
            )
            assert wide == 0, width
            assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        lit = browser.evaluate(
            """(() => {
                const cell = document.querySelector("#udp details[open] .hex span[data-field^='UDP.dst_port']");
                cell.dispatchEvent(new PointerEvent("pointerover", {bubbles: true}));
                return [...document.querySelectorAll(".hex .lit")].map(each => each.textContent);
            })()"""
        )
        assert lit == ["13", "8d"]  # port 5005
        assert [event for event in browser.events if event["method"] == "Runtime.exceptionThrown"] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["bogus"], "no kind 'bogus'; there are tcp"),
        (["udp", "--scene", "rain"], "'rain' is not one of"),
        (["udp", "-d", "abc"], "--data takes 4 to 1000 bytes, got 3"),
        (["udp", "-w", "-", "--html", "-"], "cannot both go to the same place"),
        (["udp", "-w", "a", "--html", "./a"], "cannot both go to the same place"),
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


def test_ctrl_c_keeps_what_was_seen(tmp_path: Path) -> None:
    file = tmp_path / "some.pcapng"
    command = [*RAWKIT, "contrast", "udp", "tcp", "-w", str(file), "-c", "10", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest, said = process.stdout.read(), process.stderr.read()
    assert (process.returncode, rest) == (128 + signal.SIGINT, "")
    assert said == "ended by Ctrl-C before all was known\n"
    require("tshark")
    assert len(output("tshark", "-r", file)) == first["frames"]


def test_nothing_is_left_after_sigkill() -> None:
    mark = f"contrast-{os.getpid()}"
    environment = {**os.environ, MARK: mark}
    with subprocess.Popen(
        [*RAWKIT, "contrast", "udp", "tcp", "--format", "json"], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the first kind is done; the second is about to be on the stage
        while not (inodes := held_namespaces(marked(mark)) - held_namespaces([os.getpid()])):
            assert process.poll() is None
        descendants = [os.pidfd_open(pid) for pid in marked(mark) if pid != process.pid]
        process.kill()
        for each in descendants:
            assert select.select([each], [], [], PATIENCE)[0], "still alive"
            os.close(each)
    assert marked(mark) == []
    assert not inodes & held_namespaces()


ROOTLESS = """
import sys
from rawkit.cli.main import run
sys.exit(run(["contrast", "raw-udp", "--format", "json", "-c", "10"]))
"""


def test_it_works_for_nobody(tmp_path: Path) -> None:
    done = run_as_nobody(script(tmp_path, ROOTLESS))
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["kind"], told["privilege"], heard(told, "client")) == ("raw-udp", "CAP_NET_RAW", [b"hello"])
