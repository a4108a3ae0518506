"""Mutated captures are decoded or refused; `make fuzz` does the same a hundred thousand times."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from captures_by_hand import block, enhanced, interface, obsolete, option, pcap_header, pcap_record, section
from fuzz.decode import decode_file, decode_packet
from fuzz.mutate import mutated
from fuzz.worker import TooSlow, time_limit
from programs import give_up

from rawkit.wire import LinkType

FUZZ = Path(__file__).with_name("fuzz")
CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"

IPV6 = "60000000ffff3c40" + "fd" + 30 * "0" + "fd" + 30 * "0"
IPV4 = "4f00ffff0000000040040000" + "0a0000010a000002"
ONCE_BROKE = {
    "270 ms: each option was read twice, to be refused": IPV6 + 31 * ("3cff" + 1023 * "0500"),
    "34 ms: each of 65,000 options was read": IPV6 + 31 * ("3cff" + 1023 * "1e00"),
    "36 ms: for each header, all addresses of all others were tried": 31 * (IPV4 + 40 * "01"),
}
"""Packets that once took too long, and why; nothing was ever raised."""


CHECK_SEQUENCES = {
    LinkType.RAW: "ff03c023020100049486",  # no header before it
    LinkType.ETHERNET: "94861002",  # nothing else
    LinkType.PPP: "ff03c02302010004948610",
}


@pytest.mark.parametrize("data", ONCE_BROKE.values(), ids=ONCE_BROKE.keys())
def test_what_once_broke_is_decoded(data: str) -> None:
    decode_packet(bytes.fromhex(data), LinkType.RAW, 0)


@pytest.mark.parametrize("link_type", CHECK_SEQUENCES, ids=str)
def test_a_check_sequence_stands_behind_whatever_was_read(link_type: LinkType) -> None:
    data = bytes.fromhex(CHECK_SEQUENCES[link_type])
    decode_file(pcap_header(link_type=link_type | 0x24000000) + pcap_record(data=data, wire=len(data)))


@pytest.mark.parametrize("length", [0, 1, 3, 5, 7, 9, 17])
def test_options_of_any_length_are_read(length: int) -> None:
    """Every option that a block may have, with a value of another length than its kind has."""
    for code in range(20):
        options = option("<", code, bytes(range(1, length + 1))) + option("<", 0, b"")
        decode_file(section(options=options) + interface(options=options) + enhanced(options=options))
        names = block("<", 4, bytes(4) + options)
        counts = block("<", 5, bytes(12) + options)
        decode_file(section() + interface() + names + obsolete(options=options) + counts)


def test_mutations_are_decoded_or_refused() -> None:
    if not CORPUS.is_dir():
        give_up("the corpus is missing")
    command = [sys.executable, str(FUZZ), "--seed", "2", "--first", "1", "--count", "2000"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2000 mutations" in done.stdout


def test_a_mutation_depends_on_its_seed_alone() -> None:
    data, other = bytes(range(200)), b"\xee" * 100
    once, again = ([mutated(data, other, Random(seed)) for seed in range(50)] for _ in range(2))
    assert once == again
    assert len(set(once)) > 40


def test_what_takes_too_long_is_told() -> None:
    with pytest.raises(TooSlow), time_limit(0.05):
        signal.pause()
