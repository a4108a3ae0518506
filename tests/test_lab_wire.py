"""Questions about what crossed the wire, over frames that were made by hand."""

from __future__ import annotations

import pytest

from rawkit import ARP, TCP, UDP, Ethernet, ICMPv4, IPv4, LinkType, Packet
from rawkit.errors import FieldError, FilterError, KernelError
from rawkit.lab import Evidence, Values, Wire
from rawkit.link import Frame
from rawkit.netns import Transit

A, B = "10.0.0.1", "10.0.0.2"
MACS = {"a": "02:00:00:00:00:0a", "b": "02:00:00:00:00:0b"}


def transit(sender: str, packet: Packet, fate: str = "", time: int = 0) -> Transit:
    receiver = "b" if sender == "a" else "a"
    data = bytes(Ethernet(dst=MACS[receiver], src=MACS[sender]) / packet)
    return Transit("a-b", sender, receiver, Frame(data, time, len(data), LinkType.ETHERNET, "eth0"), fate)


def ip(sender: str, **fields: object) -> IPv4:
    src, dst = (A, B) if sender == "a" else (B, A)
    return IPv4(src=src, dst=dst, **fields)  # type: ignore[arg-type]


def tcp(sender: str, flags: str, seq: int, ack: int = 0, data: bytes = b"") -> Transit:
    ports = {"src_port": 1000, "dst_port": 80} if sender == "a" else {"src_port": 80, "dst_port": 1000}
    return transit(sender, ip(sender) / TCP(**ports, seq=seq, ack=ack, flags=flags) / data)


def evidence(*transits: Transit) -> Evidence:
    return Evidence(Values(), Wire(transits), {}, b"", 0)


PING = transit("a", ip("a") / ICMPv4.echo(id=7, seq=1) / b"hello")
PONG = transit("b", ip("b") / ICMPv4.echo_reply(id=7, seq=1) / b"hello")


def test_who_sent_what() -> None:
    wire = Wire([PING, PONG])
    assert wire.icmp(type=8).sent_by("a").once()
    assert wire.icmp(type=8).received_by("b").on("a-b").once()
    assert wire.icmp(type=8).sent_by("b").never()
    assert wire.icmp().times(2)
    assert len(wire.icmp(id=7)) == 2
    assert wire.icmp(type=0).after(wire.icmp(type=8).first()).saw()
    assert not wire.icmp(type=8).after(wire.icmp(type=0).first()).saw()
    assert [one.number for one in wire.ip(src=B)] == [2]


def test_a_field_that_is_wrong_is_named_with_its_bytes() -> None:
    found = Wire([PING, PONG]).sent_by("a").icmp(type=8, id=8).saw()
    assert not found
    # Ethernet 14 bytes, IPv4 20, and the identifier at bytes 4 and 5 of the message (RFC 792, page 14).
    assert (found.seen, found.frames, found.start, found.stop) == ("id is 7", (1,), 38, 40)
    assert found.message() == (
        "expected a frame, sent by a, ICMPv4 type=8 id=8; seen: id is 7 (frame 1, bytes 38 to 39)"
    )


def test_data_that_is_wrong_is_named_from_its_first_wrong_byte() -> None:
    found = Wire([PING]).icmp().payload(b"help!").saw()
    assert (found.start, found.stop) == (42 + 3, 42 + 5)


def test_a_wrong_checksum_is_explained() -> None:
    wrong = transit("a", ip("a") / ICMPv4.echo(id=7, seq=1).replace(checksum=1))
    found = Wire([wrong]).icmp().sound().saw()
    assert "ICMPv4Echo.checksum: bad checksum 0x0001" in found.seen
    assert (found.start, found.stop) == (36, 38)


def test_the_nearest_frame_is_the_one_that_fails_last() -> None:
    question = transit("a", ARP(sender_mac=MACS["a"], sender_ip=A, target_ip=B))
    found = Wire([question, PING, PONG]).sent_by("a").icmp(type=8).payload(b"x").saw()
    assert found.frames == (2,)


def test_too_many_and_too_few_are_counted() -> None:
    wire = Wire([PING, PING])
    assert (
        wire.icmp().once().message() == "expected exactly one of: a frame, ICMPv4; seen: 2 of them (frames 1, 2)"
    )
    assert wire.icmp().at_least(3).seen == "2 of them"
    assert wire.sent_by("a").tcp().saw().seen == "it is Ethernet / IPv4 / ICMPv4Echo"
    assert Wire([]).tcp().saw().seen == "none at all"


def test_a_quoted_header_is_not_the_packet_s_own() -> None:
    about = IPv4(src=A, dst="10.9.9.9", ttl=1) / UDP(src_port=5, dst_port=6) / b"lost"
    wire = Wire([transit("b", ip("b") / ICMPv4.time_exceeded(quoting=about))])
    assert wire.udp().never()
    assert wire.quoting(UDP, dst_port=6).icmp(type=11).once()
    assert wire.ip(dst="10.9.9.9").never()


def test_what_a_link_lost_did_not_arrive() -> None:
    wire = Wire([PING._replace(fate="dropped"), PONG])
    assert wire.icmp(type=8).once()
    assert wire.icmp(type=8).arrived().never()


def test_filters_and_functions() -> None:
    wire = Wire([PING, PONG])
    assert wire.matching("icmp[icmptype] == icmp-echo").once()
    assert wire.where("with a TTL of 64", lambda packet: packet[IPv4].ttl == 64).times(2)
    assert wire.where("to port 80", lambda packet: packet[TCP].dst_port == 80).never()
    with pytest.raises(FilterError):
        wire.matching("no filter")


def test_mistakes_of_whoever_asks() -> None:
    wire = Wire([PING])
    with pytest.raises(FieldError, match="port"):
        wire.tcp(port=80)
    with pytest.raises(TypeError, match="not finished"):
        assert wire.tcp()
    with pytest.raises(FieldError):
        wire.frame(2)
    with pytest.raises(FieldError, match=r"TCP\.flags"):
        wire.tcp(flags="Q")
    with pytest.raises(FieldError, match=r"ICMPv4\.type"):
        wire.icmp(type="eight")
    with pytest.raises(FieldError, match=r"IPv4\.src"):
        wire.ip(src="10.0.1.300")
    asking = Wire([PING], nodes=["a", "b", "r"], links=["a-b", "b-r"])
    assert asking.sent_by("r").on("b-r").never()
    with pytest.raises(FieldError, match="one of a, b, r"):
        asking.sent_by("A")
    with pytest.raises(FieldError, match="one of a, b, r"):
        asking.received_by("c")
    with pytest.raises(FieldError, match="one of a-b, b-r"):
        asking.on("b-a")


def test_where_frames_are_missing_only_what_they_cannot_change_is_answered() -> None:
    wire = Wire([PING, PING, PONG], missing="3 frames that crossed were not recorded")
    assert wire.icmp(type=8).saw()
    assert wire.icmp(type=8).at_least(2)
    assert not wire.icmp(type=8).once()
    assert not wire.icmp(type=8).at_most(1)
    open_questions = (
        wire.tcp().never,
        wire.tcp().saw,
        wire.icmp(type=0).once,
        lambda: wire.icmp().at_most(3),
        lambda: wire.icmp().at_least(4),
    )
    for question in open_questions:
        with pytest.raises(
            KernelError, match=r"say whether there was a frame, .*: 3 frames that crossed were not"
        ):
            question()


HANDSHAKE = [tcp("a", "S", 100), tcp("b", "SA", 500, 101), tcp("a", "A", 101, 501)]


def test_a_handshake() -> None:
    found = evidence(*HANDSHAKE).handshake_completed("a", "b", port=80)
    assert found
    assert found.frames == (1, 2, 3)


@pytest.mark.parametrize(
    ("transits", "why"),
    [
        ([], "no SYN from a"),
        (HANDSHAKE[:1], "did not answer with SYN-ACK"),
        ([HANDSHAKE[0], tcp("b", "RA", 0, 101)], "did not answer with SYN-ACK"),
        (HANDSHAKE[:2], "did not acknowledge"),
        ([*HANDSHAKE[:2], tcp("a", "R", 101)], "reset the connection"),
        ([*HANDSHAKE[:2], tcp("a", "A", 101, 500)], "seq 101 ack 500 in place of seq 101 ack 501"),
        ([*HANDSHAKE[:2], tcp("a", "A", 100, 501)], "seq 100 ack 501 in place of seq 101 ack 501"),
    ],
)
def test_what_is_no_handshake(transits: list[Transit], why: str) -> None:
    found = evidence(*transits).handshake_completed("a", "b")
    assert not found
    assert why in found.seen


def test_sequence_numbers_go_round() -> None:
    first = [tcp("a", "S", 2**32 - 1), tcp("b", "SA", 2**32 - 1, 0), tcp("a", "A", 0, 0)]
    assert evidence(*first).handshake_completed("a", "b")


def test_fragments() -> None:
    body = bytes(range(64))
    pieces = [
        transit(
            "a",
            IPv4(src=A, dst=B, protocol=17, identification=9, more_fragments=more, fragment_offset=at // 8)
            / body[at : at + 32],
        )
        for at, more in ((0, True), (32, False))
    ]
    found = evidence(*pieces).fragments_of(9, sent_by="a")
    assert found.are([(0, 32, True), (32, 32, False)])
    wrong = found.are([(0, 32, True), (24, 32, False)])
    assert (wrong.seen, wrong.frames) == ("0+32 more, 32+32 last", (2, 1))
    assert "no IPv4 packet" in evidence().fragments_of(9).are([(0, 8, False)]).seen
