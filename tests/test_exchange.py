"""The exchange over a link in memory: matching, retries, pace, windows, repeats, asyncio, hostile frames."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from corpus import packets_of_others

from rawkit import ARP, TCP, UDP, Ethernet, ICMPv4, IPv4, LinkType, Packet
from rawkit.errors import FieldError, TimedOut
from rawkit.link import Frame, MemoryEnd, MemoryLink
from rawkit.probe import Answer, Clock, Exchange, MemoryPort, Miss, Reason
from rawkit.wire import ICMPv4Echo

PATIENCE = 30.0
FORTH, BACK = IPv4(src="10.0.0.1", dst="10.0.0.2"), IPv4(src="10.0.0.2", dst="10.0.0.1")


def echo(number: int) -> Packet:
    return FORTH / ICMPv4.echo(id=number // 65_536, seq=number % 65_536)


def reply_to(frame: Frame) -> Packet:
    asked = frame.packet()[ICMPv4Echo]
    return BACK / ICMPv4.echo_reply(id=asked.id, seq=asked.seq)


@contextmanager
def answering(answer: Callable[[int, Frame, MemoryEnd], None]) -> Iterator[Exchange]:
    """An exchange over a link in memory, whose far end hands each frame to `answer` with its number."""
    with MemoryLink(LinkType.IPV4) as link:
        near, far = link.ends("near", "far")
        stop = threading.Event()

        def serve() -> None:
            number = 0
            while not stop.is_set():
                try:
                    frame = far.receive(0.02)
                except TimedOut:
                    continue
                answer(number, frame, far)
                number += 1

        server = threading.Thread(target=serve)
        server.start()
        try:
            with Exchange(MemoryPort(near)) as exchange:
                yield exchange
        finally:
            stop.set()
            server.join()


def always(number: int, frame: Frame, end: MemoryEnd) -> None:
    end.send(reply_to(frame))


def test_an_answer_has_its_question_and_says_whose_clock_it_goes_by() -> None:
    with answering(always) as exchange:
        outcome = exchange.ask(echo(7), timeout=PATIENCE)
    assert isinstance(outcome, Answer)
    assert bytes(outcome.question) == bytes(echo(7))
    assert outcome.packet[ICMPv4Echo].seq == 7
    assert (outcome.number, outcome.sends, outcome.clock, outcome.interface) == (0, 1, Clock.USER, "near")
    assert outcome.round_trip_ns is not None
    assert outcome.round_trip_ns > 0


def test_twenty_thousand_questions_are_all_answered_and_nothing_is_left_of_them() -> None:
    with answering(always) as exchange:
        outcomes = list(exchange.ask_all((echo(number) for number in range(20_000)), timeout=PATIENCE))
        assert sorted(outcome.number for outcome in outcomes) == list(range(20_000))
        assert all(isinstance(outcome, Answer) for outcome in outcomes)
        assert all(outcome.packet[ICMPv4Echo].seq == outcome.number for outcome in outcomes if outcome.packet)
        assert not exchange._open._filed
        assert not exchange._sent._filed
        assert len(exchange._remembered) <= 4096


def test_questions_are_taken_no_further_ahead_than_the_window() -> None:
    taken = []

    def packets() -> Iterator[Packet]:
        for number in range(100):
            taken.append(number)
            yield echo(number)

    with answering(always) as exchange:
        outcomes = exchange.ask_all(packets(), timeout=PATIENCE, window=4)
        next(outcomes)
        assert len(taken) <= 4 + 1 + 1  # those that are open, the one that was answered, and one ahead
        assert len(list(outcomes)) == 99


def test_what_is_not_answered_is_asked_again() -> None:
    def second_only(number: int, frame: Frame, end: MemoryEnd) -> None:
        if number == 1:
            always(number, frame, end)

    with answering(second_only) as exchange:
        outcome = exchange.ask(echo(1), timeout=0.2, retries=5)
    assert isinstance(outcome, Answer)
    assert outcome.sends == 2


def test_silence_is_a_miss_that_says_so() -> None:
    with answering(lambda number, frame, end: None) as exchange:
        outcome = exchange.ask(echo(1), timeout=0.05, retries=1)
    assert isinstance(outcome, Miss)
    assert (outcome.reason, outcome.sends, outcome.packet, outcome.round_trip_ns) == (
        Reason.SILENCE,
        2,
        None,
        None,
    )


def test_every_third_is_lost_the_rest_comes_in_another_order_and_twice() -> None:
    kept: list[Packet] = []

    def spoil(number: int, frame: Frame, end: MemoryEnd) -> None:
        if number % 3 == 2:
            return
        kept.append(reply_to(frame))
        if len(kept) == 2:
            for reply in (*reversed(kept), *kept):
                end.send(reply)
            kept.clear()

    with answering(spoil) as exchange:
        outcomes = list(exchange.ask_all(map(echo, range(30)), timeout=0.3, window=30, repeats=True, linger=0.3))
    first = {outcome.number: outcome for outcome in outcomes if not outcome.repeated}
    assert [number for number in first if isinstance(first[number], Miss)] == [n for n in range(30) if n % 3 == 2]
    assert sorted(outcome.number for outcome in outcomes if outcome.repeated) == [
        n for n in range(30) if n % 3 != 2
    ]


def test_a_late_answer_is_told_as_one_and_is_no_evidence_about_another_question() -> None:
    late: list[Packet] = []

    def hold(number: int, frame: Frame, end: MemoryEnd) -> None:
        if number == 0:
            late.append(reply_to(frame))
        else:
            end.send(late.pop())

    with answering(hold) as exchange:
        outcomes = list(exchange.ask_all(map(echo, range(2)), timeout=0.2, window=1, repeats=True))
    assert [(type(each), each.number, each.repeated) for each in outcomes] == [
        (Miss, 0, False),
        (Answer, 0, True),
        (Miss, 1, False),
    ]
    assert [each.reason for each in outcomes if isinstance(each, Miss)] == [Reason.SILENCE, Reason.SILENCE]


@pytest.mark.parametrize(
    ("reply", "field"),
    [
        (BACK / ICMPv4.echo_reply(id=0, seq=2), "sequence number"),
        (BACK / ICMPv4.echo_reply(id=9, seq=1), "identifier"),
        (BACK.replace(src="10.0.0.9") / ICMPv4.echo_reply(id=0, seq=1), "source address"),
    ],
)
def test_a_packet_that_nearly_answers_is_told_with_the_field_that_differs(reply: Packet, field: str) -> None:
    with answering(lambda number, frame, end: end.send(reply)) as exchange:
        outcome = exchange.ask(echo(1), timeout=0.3)
    assert isinstance(outcome, Miss)
    assert outcome.reason is Reason.NEARLY
    assert f"but for its {field}:" in outcome.text
    assert outcome.packet is not None
    assert bytes(outcome.packet) == bytes(reply)


def test_an_error_that_quotes_the_question_is_a_miss_at_once() -> None:
    def refuse(number: int, frame: Frame, end: MemoryEnd) -> None:
        end.send(IPv4(src="10.0.0.254", dst="10.0.0.1") / ICMPv4.unreachable(code=13, quoting=frame.packet()))

    with answering(refuse) as exchange:
        outcome = exchange.ask(FORTH / UDP(src_port=1025, dst_port=53) / b"?", timeout=PATIENCE)
    assert isinstance(outcome, Miss)
    assert outcome.reason is Reason.ERROR
    assert outcome.text == "10.0.0.254 says: ICMPv4 communication prohibited"
    assert outcome.round_trip_ns is not None


def test_an_error_about_one_of_several_packets_of_a_flow_needs_its_identification() -> None:
    def refuse(number: int, frame: Frame, end: MemoryEnd) -> None:
        if frame.packet()[IPv4].identification == 2:
            end.send(BACK / ICMPv4.time_exceeded(quoting=frame.packet()))

    questions = [FORTH.replace(identification=n) / UDP(src_port=1025, dst_port=53) for n in (1, 2, 3)]
    with answering(refuse) as exchange:
        outcomes = {each.number: each for each in exchange.ask_all(questions, timeout=0.3)}
    assert [outcomes[n].reason for n in range(3) if isinstance(outcomes[n], Miss)] == [
        Reason.SILENCE,
        Reason.ERROR,
        Reason.SILENCE,
    ]


def test_datagrams_of_one_flow_are_answered_in_the_order_in_which_they_were_asked() -> None:
    question = FORTH / UDP(src_port=1025, dst_port=7)

    def serve(number: int, frame: Frame, end: MemoryEnd) -> None:
        end.send(BACK / UDP(src_port=7, dst_port=1025) / frame.packet().payload)

    with answering(serve) as exchange:
        outcomes = list(exchange.ask_all([question / b"1", question / b"2", question / b"3"], timeout=PATIENCE))
    assert [(each.number, each.packet.payload) for each in outcomes if isinstance(each, Answer)] == [
        (0, b"1"),
        (1, b"2"),
        (2, b"3"),
    ]


def test_many_tasks_ask_on_one_exchange() -> None:
    async def main(exchange: Exchange) -> list[Answer | Miss]:
        return await asyncio.gather(*(exchange.ask_async(echo(n), timeout=PATIENCE) for n in range(200)))

    with answering(always) as exchange:
        outcomes = asyncio.run(main(exchange))
    assert [each.packet[ICMPv4Echo].seq for each in outcomes if isinstance(each, Answer)] == list(range(200))


def test_a_stream_of_outcomes_from_asyncio_can_be_left_early() -> None:
    async def main(exchange: Exchange) -> int:
        async for outcome in exchange.ask_all_async(map(echo, range(50)), timeout=PATIENCE, window=5):
            return outcome.number
        return -1

    with answering(always) as exchange:
        assert asyncio.run(main(exchange)) >= 0
        assert isinstance(exchange.ask(echo(99), timeout=PATIENCE), Answer)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": -1},
        {"timeout": float("nan")},
        {"rate": 0},
        {"rate": float("inf")},
        {"retries": -1},
        {"window": 0},
    ],
)
def test_arguments_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with MemoryLink(LinkType.IPV4) as link, Exchange(MemoryPort(link.ends("a")[0])) as exchange:
        with pytest.raises(FieldError):
            next(exchange.ask_all([echo(1)], **wrong))  # type: ignore[arg-type]
        assert isinstance(exchange.ask(echo(1), timeout=0), Miss)


def test_whatever_arrives_while_questions_are_open_the_outcome_is_an_answer_or_a_miss() -> None:
    draw = random.Random(4)
    frames = [record.data for _, record in packets_of_others(3) if record.link_type is LinkType.ETHERNET]
    ethernet = Ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
    questions = [
        ethernet / echo(1),
        ethernet / FORTH / TCP(src_port=1025, dst_port=80, flags="S"),
        ethernet / FORTH / UDP(src_port=1025, dst_port=53),
        ethernet / ARP.who_has("10.0.0.2", tell="10.0.0.1", mac="02:00:00:00:00:01"),
    ]
    with MemoryLink(mtu=70_000) as link:
        near, far = link.ends("near", "far")
        with Exchange(MemoryPort(near)) as exchange:
            for frame in frames:
                mutated = bytearray(frame or bytes(14))
                for _ in range(draw.randrange(4)):
                    mutated[draw.randrange(len(mutated))] = draw.randrange(256)
                if len(mutated) >= 14:
                    far.send(mutated)
            outcomes = list(exchange.ask_all(questions, timeout=0.01))
    assert sorted(outcome.number for outcome in outcomes) == [0, 1, 2, 3]
    assert len(frames) > 500
