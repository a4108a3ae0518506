"""Which packet answers which: on recorded traffic, pair by pair, as scapy's `answers` has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers import inet, inet6  # noqa: F401 - whose import tells Ether what follows
from scapy.layers.l2 import Ether

from rawkit import ICMPv4, IPv4, IPv6, open_capture
from rawkit.probe.matching import (
    answer_keys,
    differing_field,
    is_answer,
    partial_keys,
    question_keys,
)
from rawkit.wire import ARP, SCTP, TCP, UDP, Ethernet, Packet

CAPTURES = Path(__file__).parent.parent / "captures"

ALIKE = (
    "arping",
    "closed-ports",
    "ip-options",
    "ipv6-host-up",
    "mausezahn-vlan",
    "ping",
    "ping6",
    "traceroute",
    "traceroute-tcp",
    "traceroute6",
)
"""Captures of questions and answers. In those of whole connections, scapy takes any segment for an answer that
goes the other way, and here only what acknowledges it or is acknowledged counts."""


@pytest.mark.parametrize("name", ALIKE)
def test_every_pair_of_recorded_packets_is_judged_as_scapy_does(name: str) -> None:
    with open_capture(CAPTURES / f"{name}.pcapng") as capture:
        records = list(capture)
    packets, theirs = [record.packet() for record in records], [Ether(record.data) for record in records]
    pairs = [(at, later) for later in range(len(records)) for at in range(later)]
    ours = {(at, later) for at, later in pairs if is_answer(packets[at], packets[later])}
    assert ours == {(at, later) for at, later in pairs if theirs[later].answers(theirs[at])}


def test_recorded_questions_were_answered_at_all() -> None:
    with open_capture(CAPTURES / "traceroute.pcapng") as capture:
        packets = [record.packet() for record in capture]
    assert sum(is_answer(packets[0], other) for other in packets) == 1


PING = IPv4(src="10.0.0.1", dst="10.0.0.2") / ICMPv4.echo(id=7, seq=1)
SYN = IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(src_port=1025, dst_port=80, seq=1000, flags="S")
BACK = IPv4(src="10.0.0.2", dst="10.0.0.1")


@pytest.mark.parametrize(
    ("question", "answer", "field"),
    [
        (PING, BACK / ICMPv4.echo_reply(id=7, seq=2), "sequence number"),
        (PING, BACK / ICMPv4.echo_reply(id=8, seq=1), "identifier"),
        (PING, BACK.replace(src="10.0.0.3") / ICMPv4.echo_reply(id=7, seq=1), "source address"),
        (SYN, BACK / TCP(src_port=80, dst_port=1025, ack=1000, flags="SA"), "acknowledgement number"),
        (SYN, BACK / TCP(src_port=80, dst_port=1026, ack=1001, flags="SA"), "destination port"),
        (BACK / UDP(src_port=1025, dst_port=53), PING[IPv4] / UDP(src_port=5353, dst_port=1025), "source port"),
    ],
)
def test_an_answer_that_is_wrong_in_one_field_is_none_and_the_field_is_named(
    question: Packet, answer: Packet, field: str
) -> None:
    question, answer = question.built(), answer.built()
    assert not is_answer(question, answer)
    missed = {partial for key in question_keys(question) for partial in partial_keys(key)}
    found = {partial for key in answer_keys(answer) for partial in partial_keys(key)}
    assert {differing_field(partial) for partial in missed & found} == {field}


def test_a_syn_is_answered_by_what_acknowledges_it_and_by_a_reset_of_it() -> None:
    # RFC 9293, section 3.10.7.1: a SYN to a closed port is reset with SEQ=0, ACK=SEG.SEQ+SEG.LEN, RST and ACK.
    for flags in ("SA", "RA"):
        assert is_answer(SYN.built(), (BACK / TCP(src_port=80, dst_port=1025, ack=1001, flags=flags)).built())
    reset = BACK / TCP(src_port=80, dst_port=1025, seq=555, flags="R")
    assert not is_answer(SYN.built(), reset.built())


def test_an_ack_is_reset_at_the_number_that_it_acknowledges() -> None:
    # RFC 9293, section 3.10.7.1: if the segment has an ACK, <SEQ=SEG.ACK><CTL=RST>.
    ack = IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(src_port=1025, dst_port=80, seq=9, ack=555, flags="A")
    assert is_answer(ack.built(), (BACK / TCP(src_port=80, dst_port=1025, seq=555, flags="R")).built())
    assert not is_answer(ack.built(), (BACK / TCP(src_port=80, dst_port=1025, seq=556, flags="R")).built())


def test_anybody_answers_what_was_sent_to_a_group() -> None:
    ask = IPv4(src="10.0.0.1", dst="224.0.0.1") / ICMPv4.echo(id=7, seq=1)
    assert is_answer(ask.built(), (BACK / ICMPv4.echo_reply(id=7, seq=1)).built())
    mdns = IPv6(src="fe80::1", dst="ff02::fb") / UDP(src_port=5353, dst_port=5353)
    assert is_answer(
        mdns.built(), (IPv6(src="fe80::2", dst="fe80::1") / UDP(src_port=5353, dst_port=5353)).built()
    )


def test_an_error_is_about_the_packet_that_it_quotes_and_no_other() -> None:
    first, second = (
        IPv4(src="10.0.0.1", dst="10.9.9.9", identification=number) / UDP(src_port=1025, dst_port=33434)
        for number in (1, 2)
    )
    error = IPv4(src="10.0.0.254", dst="10.0.0.1") / ICMPv4.time_exceeded(quoting=first)
    assert question_keys(first.built())[-2] in answer_keys(error.built())
    assert question_keys(second.built())[-2] not in answer_keys(error.built())


def test_what_asks_nothing_has_no_keys_of_a_protocol() -> None:
    reply = Ethernet(dst="02:00:00:00:00:01", src="02:00:00:00:00:02") / ARP.is_at(
        "10.0.0.1", "02:00:00:00:00:01", to="10.0.0.2", to_mac="02:00:00:00:00:02"
    )
    assert question_keys(reply.built()) == ()
    sctp = (BACK / SCTP(src_port=1, dst_port=2)).built()
    assert answer_keys(sctp)[0][0] == "SCTP"
