"""The same echo through every kind of socket: what is told of it, beside tshark, strace, Chromium, manuals."""

from __future__ import annotations

import ast
import errno
import json
import re
import socket
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from commands import RAWKIT
from contrasted import OVER_A_WIRE, PATIENCE, USABLE, WITHIN, Seen, heard
from other_readers import output
from programs import require

from rawkit.echo import KINDS
from rawkit.echo.contrast import ECHO, play
from rawkit.echo.contrast.play import PORT, SHORT, Serving
from rawkit.echo.contrast.relay import Act
from rawkit.echo.contrast.stage import Stage
from rawkit.errors import KernelError, TimedOut
from rawkit.views import read_expression

pytestmark = pytest.mark.root


def calls(told: dict[str, Any], end: str) -> list[tuple[str, str]]:
    return [(call["name"], call["result"]) for call in told["calls"] if call["end"] == end]


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


def test_the_kernel_fills_nothing_behind_the_first_header_that_is_made_by_hand(seen: Seen) -> None:
    """raw(7), packet(7): the kernel writes into the IPv4 header that it is given, and into nothing else."""
    for kind in (name for name in OVER_A_WIRE if KINDS[name].by_hand):
        own = {"icmp": "ICMPv4Echo", "raw-udp": "UDP"}.get(kind, "EchoHeader")
        for run in (seen.kinds[kind], *seen.kinds[kind]["scenes"]):
            assert set(filled(run, own).values()) == {"you"}, (kind, run["scene"])


def test_the_frame_that_carries_the_data_is_the_first_of_the_message(seen: Seen) -> None:
    """Where nothing is dropped or swapped, by what tshark reads: in TCP, after the handshakes."""
    for kind, scene, number in (
        ("tcp", "two-writes", 4),
        ("udp", "two-writes", 1),
        ("udp", "large", 1),
        ("raw-udp", "swapped", 2),
    ):
        assert seen.of(kind, scene)["filled"]["frame"] == number, (kind, scene)
    assert filled(seen.of("udp", "large"), "UDP")["dst_port"] == "you"


@pytest.mark.parametrize("data", ["HTTP", "GET ", "websocket"])
def test_a_handshake_does_not_carry_the_data(data: str, tmp_path: Path) -> None:
    require("tshark")
    capture = tmp_path / "websocket.pcapng"
    command = ["contrast", "websocket", "-d", data, "-c", "10", "--format", "json", "-w", str(capture)]
    done = subprocess.run([*RAWKIT, *command], capture_output=True, text=True, timeout=PATIENCE, check=True)
    number = output(
        *("tshark", "-r", capture, "-d", "tcp.port==5005,http", "-Y", "websocket.opcode==2 && websocket.mask==1"),
        *("-T", "fields", "-e", "frame.number"),
    )
    assert [str(json.loads(done.stdout)["filled"]["frame"])] == number


def test_the_expression_of_an_answer_builds_what_left_the_server(seen: Seen) -> None:
    for kind in USABLE:
        answers = seen.of(kind)["answers"]
        assert len(answers) == (KINDS[kind].by_hand and not KINDS[kind].kernel_answers)
    (answer,) = seen.of("raw-udp")["answers"]
    frame = seen.of("raw-udp")["ladder"][-1]
    assert frame["source"] == "server"
    assert frame["data"].endswith(bytes(read_expression(answer))[20:].hex())  # the kernel wrote into IPv4's


def test_checksums_that_are_left_to_the_hardware_are_wrong_to_tshark(seen: Seen) -> None:
    require("tshark")
    assert filled(seen.of("udp"), "UDP")["checksum"] == "hardware"
    assert seen.wire("udp", "echo", "udp.checksum.status") == [["0"], ["0"]]
    assert seen.wire("raw-udp", "echo", "udp.checksum.status", "ip.checksum.status") == [["1", "1"], ["1", "1"]]


def test_the_calls_are_those_that_the_kernel_saw(tmp_path: Path) -> None:
    """strace, which asks the kernel, sees the same calls on each socket from its first to its close, and no other.

    Save those that only look, and those by which Python has the kernel watch the clock (SO_RCVTIMEO, SO_SNDTIMEO).
    """
    require("strace")
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-qq", "-s", "0", "-e", "trace=%network,close", "-o", str(trace)]
    scenes = ["--scene", "short-read", "--scene", "closed", "--scene", "large"]
    command = [*strace, *RAWKIT, "contrast", *scenes, "-c", "10", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    lives = lives_of_sockets(trace.read_text())
    compared = 0
    for told in map(json.loads, done.stdout.splitlines()):
        for run in (told, *told["scenes"]):
            for end, number in {(call["end"], call["socket"]) for call in run["calls"]}:
                mine = [call for call in run["calls"] if (call["end"], call["socket"]) == (end, number)]
                life = [(SYSTEM_CALLS.get(call["name"], call["name"]), result_of(call)) for call in mine]
                assert life in lives, (told["kind"], run["scene"], end)
                compared += len(life)
    assert compared > 100


SYSTEM_CALLS = {"accept": "accept4", "send": "sendto", "recv": "recvfrom"}
LEFT_OUT = re.compile(r"getsockname|getpeername|getsockopt(?!.*SO_ERROR, \[E)|.*(SO_RCVTIMEO|SO_SNDTIMEO)")


def result_of(call: dict[str, Any]) -> str:
    """What the system call returned, of what is told: a number, or an error's name."""
    result = call["result"]
    if not call["name"].startswith("recv") or call["failed"]:
        return str(re.split("[ ,]", result)[0])
    whole = re.search(r"\.\.\. (\d+) bytes", result)
    return whole[1] if whole is not None else str(len(eval_bytes(result)))


def lives_of_sockets(trace: str) -> list[list[tuple[str, str]]]:
    """Of each socket that strace saw, the calls from socket() to close(); of an accepted one, the rest."""
    begun: dict[tuple[str, str], list[tuple[str, str]]] = {}
    lives = []
    unfinished: dict[str, str] = {}
    for line in trace.splitlines():
        process, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            unfinished[process] = text.removesuffix("<unfinished ...>")
            continue
        text = unfinished.pop(process, "") + re.sub(r"^<\.\.\. \w+ resumed>", "", text)
        found = re.match(r"(\w+)\((\w*)(.*)\) += (-1 )?(\w+)", text)
        if found is None or LEFT_OUT.match(text):
            continue
        name, descriptor, _, _, result = found.groups()
        if name == "socket":
            begun[process, result] = [(name, result)]
            continue
        begun.get((process, descriptor), []).append((name, result))
        if name == "accept4":
            begun[process, result] = []
        if name == "close" and (process, descriptor) in begun:
            lives.append(begun.pop((process, descriptor)))
    return lives


def eval_bytes(text: str) -> bytes:
    found = re.match(r"b(['\"]).*?\1", text)
    assert found is not None
    data = ast.literal_eval(found[0])
    assert isinstance(data, bytes)
    return data


# ---------------------------------------------------------------------- scenes


@pytest.mark.parametrize("kind", OVER_A_WIRE)
def test_lost(seen: Seen, kind: str) -> None:
    told = seen.of(kind, "lost")
    assert [each["fate"] for each in told["ladder"]].count("dropped") == 1
    assert told["ladder"][0]["fate"] == "dropped"
    assert heard(told, "client") == [b"hello"]
    sends = [name for name, _ in calls(told, "client") if name.startswith("send")]
    assert f"Dropped: {told['ladder'][0]['summary']}. " in told["explanation"]
    assert told["application_bytes"] == 10
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
            assert got[1] == "EAGAIN (time-out)"
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
    segments = [
        (row[0], int(row[1]), int(row[2])) for row in seen.wire("tcp", "large", "ip.src", "tcp.seq", "tcp.len")
    ]
    carried = {(source, byte) for source, seq, length in segments for byte in range(seq, seq + length)}
    assert len(carried) == 2 * 70_000  # each counts once: on a busy machine, some are sent again
    udp = seen.of("udp", "large")
    assert ("send", "EMSGSIZE") in calls(udp, "client")
    fragments = seen.wire("udp", "large", "ip.flags.mf", "ip.len")
    assert len(fragments) == udp["frames"] == 90
    assert sum(int(row[1]) - 20 for row in fragments) == 2 * (65_507 + 8)  # udp(7): 65,535 with its headers
    for kind, most in (("raw-udp", 1472), ("icmp", 1472), ("raw-ip", 1472), ("ether", 1492)):  # of an MTU of 1500
        assert errno.EMSGSIZE in errors(seen.of(kind, "large"), "client")
        assert [len(each) for each in heard(seen.of(kind, "large"), "client")] == [most]
    for kind in ("tcp", "unix-stream"):  # send(2): how many bytes were taken
        first = next(result for name, result in calls(seen.of(kind, "large"), "client") if name == "send")
        assert int(first) > 1 << 14
    assert ("send", "70000") in calls(seen.of("unix-stream", "large"), "client")
    for kind in ("tcp", "websocket", *WITHIN):
        assert b"".join(heard(seen.of(kind, "large"), "client")) == b"0123456789" * 7_000


def test_half_close(seen: Seen) -> None:
    for kind in ("tcp", "unix-stream", "unix-seqpacket"):
        told = seen.of(kind, "half-close")
        made = [(call["end"], call["name"], call["result"]) for call in told["calls"]]
        assert heard(told, "client") == [b"hello", b""]
        shut = made.index(("client", "shutdown", "0"))
        assert shut < made.index(("client", "send", "EPIPE"))  # send(2)
        assert shut < made.index(("server", "send", "5"))
        assert "After the shutdown() the client's send() = EPIPE, but 5 bytes still came" in told["explanation"]
    require("tshark")
    rows = seen.wire("tcp", "half-close", "ip.src", "tcp.flags.fin", "tcp.len")
    assert rows.index(["10.0.1.1", "1", "0"]) < next(
        number for number, row in enumerate(rows) if row[0] == "10.0.1.2" and row[2] == "5"
    )
    websocket = seen.of("websocket", "half-close")  # RFC 6455, 5.5.1: no data after a close frame
    assert heard(websocket, "client") == [b""]
    assert "sends no message, nor does the server's: no answer came" in websocket["explanation"]


def test_crash(seen: Seen) -> None:
    require("tshark")
    assert ["1"] in seen.wire("tcp", "crash", "tcp.flags.reset")  # RFC 2525, 2.17: unread bytes are told by RST
    assert errors(seen.of("tcp", "crash"), "client") == [errno.ECONNRESET, errno.EPIPE]
    assert errors(seen.of("udp", "crash"), "client") == [0, errno.ECONNREFUSED]
    assert ["3"] in seen.wire("udp", "crash", "icmp.code")
    for kind in USABLE:
        if kind != "icmp":
            assert ("close", "0") not in calls(seen.of(kind, "crash"), "server")
    told = seen.of("websocket", "crash")["explanation"]
    assert "After its first send() the client saw: recv() = b''. The library above it takes" in told


def test_a_killed_process_is_killed_where_it_stands_among_the_calls(seen: Seen) -> None:
    """RFC 9293, 3.10.7.4: the client's next receive fails by what the death of the server's process caused."""
    told = [(call["end"], call["name"], call["result"]) for call in seen.of("tcp", "crash")["calls"]]
    at = told.index(("server", "", "killed by SIGKILL"))
    assert told[at - 1] == ("server", "recv", "b'hel'")
    assert told[at + 1 :] == [
        ("client", "recv", "ECONNRESET"),
        ("client", "send", "EPIPE"),
        ("client", "close", "0"),
    ]
    assert ">killed by SIGKILL</div>" in seen.page.read_text()
    times = [call["start_ns"] for call in seen.of("tcp", "crash")["calls"][at - 1 :]]
    assert times == sorted(times)


def _slow(serving: Serving) -> None:
    """Answer late, long after the client is done with everything."""
    answer_and_wait(serving, 2 * SHORT)


def _endless(serving: Serving) -> None:
    answer_and_wait(serving, None)


def answer_and_wait(serving: Serving, seconds: float | None) -> None:
    assert ECHO.serve is not None
    ECHO.serve(serving)
    with suppress(TimedOut):
        serving.worker.cues.take(seconds)  # of which there is none


def test_a_slow_server_is_not_ended() -> None:
    run = play(KINDS["tcp"], ECHO._replace(serve=_slow), b"hello")
    assert [str(call) for call in run.calls if not call.name] == []
    assert [call.name for call in run.calls_of("server")].count("close") == 2  # of the listener, too


def test_a_server_that_does_not_end_by_itself_is_said_to_be_ended() -> None:
    run = play(KINDS["tcp"], ECHO._replace(serve=_endless), b"hello")
    assert str(run.calls[-1]) == "ended by rawkit"
    assert not run.killed


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


def test_what_is_said_of_strangers_does_not_hang_on_what_is_written() -> None:
    command = ["contrast", "udp", "raw-udp", "--scene", "stranger", "-d", "not for you", "-c", "10"]
    done = subprocess.run(
        [*RAWKIT, *command, "--format", "json"], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    for told in map(json.loads, done.stdout.splitlines()):
        (run,) = told["scenes"]
        received = [name for name, _ in calls(run, "client") if name.startswith("recv")]
        skipped = len(received) - 1
        assert skipped == KINDS[told["kind"]].by_hand
        assert ("it skipped that" in run["explanation"]) == bool(skipped)


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


def test_calls_that_an_explanation_names_were_made(seen: Seen) -> None:
    for kind in seen.kinds.values():
        for run in (kind, *kind["scenes"]):
            names = {call["name"] for call in run["calls"]}
            assert names.issuperset(re.findall(r"\b([a-z]+)\(", run["explanation"])), (kind["kind"], run["scene"])


ERROR = r"\bE[A-Z]{4,}\b"


def test_what_is_said_was_seen(seen: Seen) -> None:
    """Every error that an explanation names was returned by a call; frames are in the order of their times."""
    for kind in seen.kinds.values():
        for run in (kind, *kind["scenes"]):
            returned = {name for call in run["calls"] for name in re.findall(ERROR, call["result"])}
            assert returned.issuperset(re.findall(ERROR, run["explanation"])), (kind["kind"], run["scene"])
            times = [each["time_ns"] for each in run["ladder"]]
            assert times == sorted(times)


def test_what_is_said_of_two_writes_does_not_hang_on_what_is_written() -> None:
    command = ["contrast", "udp", "tcp", "raw-udp", "websocket", "-d", "haha", "-c", "10", "--format", "json"]
    done = subprocess.run([*RAWKIT, *command], capture_output=True, text=True, timeout=PATIENCE, check=True)
    for told in map(json.loads, done.stdout.splitlines()):
        assert tuple(told[name] for name in FACTS) == MANUALS[told["kind"]]


def test_frames_that_are_not_kept_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """packet(7): what finds no room in the receive buffer is dropped, and counted."""
    with Stage() as stage:
        monkeypatch.setattr("rawkit.echo.contrast.stage.ROOM", 1)  # the kernel makes it the least that there is
        stage.listen()
        with stage.client.open(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(100):
                sender.sendto(bytes(1000), (str(stage.server.address()), PORT))
        with pytest.raises(KernelError, match=r"keep every frame: [1-9]"):
            stage.frames()


@pytest.mark.parametrize("act", [None, Act.DROP])
def test_an_end_that_is_not_heard_to_the_last_is_an_error(
    act: Act | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rawkit.echo.contrast.relay.ENDING", 0.1)
    with Stage(act=act) as stage:
        stage.listen()
        monkeypatch.setattr("rawkit.echo.contrast.stage.PATIENCE", 0.1)
        monkeypatch.setattr("rawkit.echo.contrast.stage._mark", lambda host, interface: None)
        with pytest.raises(KernelError, match=r"keep every frame: 0 were dropped for want of room, [12] last"):
            stage.frames()


# ---------------------------------------------------------------------- the command
