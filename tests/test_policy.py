"""What asks for --force: the decision on facts, and the facts as namespaces have them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from math import inf

import pytest
from programs import require

from rawkit.errors import NeedsForceError, RawkitError
from rawkit.link import Sending, examine, is_lab, require_force
from rawkit.link.policy import count_within, reasons
from rawkit.link.surroundings import has_hardware, in_own_namespace
from rawkit.netns import Host, Lab
from rawkit.views import read_sweep

QUIET = Sending(lab=False, packets=1_000_000, rate=1000)


@pytest.mark.parametrize(
    ("sending", "words"),
    [
        (QUIET, []),
        (QUIET._replace(rate=inf), []),  # all on the local link
        (QUIET._replace(beyond="192.0.2.1"), []),
        (QUIET._replace(beyond="192.0.2.1", rate=1001), ["1001 packets a second to 192.0.2.1"]),
        (QUIET._replace(beyond="192.0.2.1", rate=inf), ["as fast as it goes to 192.0.2.1"]),
        (QUIET._replace(beyond="192.0.2.1", rate=inf, packets=1000), []),  # done within a second, at that rate
        (QUIET._replace(to_many=16), []),
        (QUIET._replace(to_many=17), ["17 packets to broadcast or multicast"]),
        (QUIET._replace(forged="192.0.2.9"), ["source 192.0.2.9 is not this host's"]),
        (QUIET._replace(forged="192.0.2.9", to_many=17), ["17 packets", "192.0.2.9"]),
        (Sending(lab=True, packets=10**9, rate=inf, beyond="192.0.2.1", to_many=10**9, forged="192.0.2.9"), []),
    ],
)
def test_what_is_asked_about(sending: Sending, words: list[str]) -> None:
    found = reasons(sending)
    assert len(found) == len(words)
    assert all(word in reason for word, reason in zip(words, found, strict=True))
    if not words:
        return require_force(sending)
    with pytest.raises(NeedsForceError) as caught:
        require_force(sending)
    assert isinstance(caught.value, RawkitError)
    assert caught.value.reasons == found
    assert "--force" in str(caught.value)
    assert "\n" not in str(caught.value)


BLOCKS = [(4, 10, 19), (4, 12, 13), (4, 40, 40), (6, 0, 99)]


@pytest.mark.parametrize(
    "values",
    [
        range(100),
        range(11, 13),
        range(9, 41, 3),
        range(40, 8, -3),
        range(40, 41),
        range(20, 40),
        (10, 40, 41),
        range(19, 0, -1),
    ],
)
def test_ranges_are_counted_as_if_gone_through(values: range | tuple[int, ...]) -> None:
    assert count_within(4, values, BLOCKS) == sum(10 <= value <= 19 or value == 40 for value in values)


def test_a_huge_range_is_not_gone_through() -> None:
    assert count_within(6, range(2**128), [(6, 2**64, 2**100)]) == 2**100 - 2**64 + 1


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """A host with 10.0.1.1/24 and fd00:1::1/64 on its eth0, MAC 02:00:00:00:01:00."""
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        yield a


TO_ALL = "Ethernet(dst='ff:ff:ff:ff:ff:ff')"
OWN = "Ethernet(dst='02:00:00:00:01:01', src='02:00:00:00:01:00')"


@pytest.mark.root
@pytest.mark.parametrize(
    ("text", "beyond", "to_many", "forged"),
    [
        ("IPv4(dst='10.0.1.0/24') / UDP(dst_port=9)", "", 0, ""),
        ("IPv4(dst='10.0.0.0/22') / UDP(dst_port=9)", "10.0.0.1", 1, ""),
        ("IPv4(dst=['10.0.1.2', '192.0.2.7']) / UDP(dst_port=range(20))", "192.0.2.7", 0, ""),
        ("IPv4(dst='10.0.1.255') / UDP(dst_port=range(20))", "", 20, ""),
        ("IPv4(dst=['255.255.255.255', '10.0.1.2', '224.0.0.1']) / UDP(dst_port=range(20))", "", 40, ""),
        ("IPv6(dst='ff02::1') / UDP(dst_port=range(20))", "", 20, ""),
        ("IPv6(dst='fd00:1::/120') / UDP(dst_port=9)", "", 0, ""),
        ("IPv6(dst='fd00:2::/120') / UDP(dst_port=9)", "fd00:2::1", 0, ""),
        ("IPv4(src='10.0.1.1', dst='10.0.1.2') / UDP(dst_port=9)", "", 0, ""),
        ("IPv4(src='0.0.0.0', dst='10.0.1.2') / UDP(dst_port=9)", "", 0, ""),
        ("IPv4(src='10.0.1.0/24', dst='10.0.1.2') / UDP(dst_port=9)", "", 0, "10.0.1.254"),
        ("IPv6(src='fd00:1::9', dst='fd00:1::2') / UDP(dst_port=9)", "", 0, "fd00:1::9"),
        ("IPv4(src='10.0.1.1', dst='10.0.1.2') / IPv4(src='192.0.2.1', dst='224.0.0.1')", "", 0, ""),
        (f"{OWN} / IPv4(src='10.0.1.1', dst='10.0.1.2') / UDP(dst_port=range(9))", "", 0, ""),
        (f"{OWN} / IPv4(src='10.0.1.9', dst='10.0.1.2') / UDP(dst_port=range(9))", "", 0, "10.0.1.9"),
        (f"{TO_ALL} / ARP(sender_ip='0.0.0.0', target_ip='10.0.1.0/24')", "", 254, ""),
        (f"{TO_ALL} / ARP(sender_ip='10.0.1.2', target_ip='10.0.1.9')", "", 1, "10.0.1.2"),
        ("Ethernet(dst='02:00:00:00:01:01', src='02:00:00:00:00:99', type=9)", "", 0, "02:00:00:00:00:99"),
    ],
)  # fmt: skip
def test_the_facts_about_a_sweep(host: Host, text: str, beyond: str, to_many: int, forged: str) -> None:
    sweep = read_sweep(text)
    with host:
        sending = examine(sweep, interface="eth0", times=1, rate=50)
    assert sending == Sending(True, sweep.count, 50, beyond, to_many, forged)


@pytest.mark.root
def test_a_lab_is_told_by_its_namespace_and_its_links(host: Host) -> None:
    with host:
        assert in_own_namespace()
        assert is_lab("eth0")
        assert is_lab("lo")
        assert is_lab(None)
        assert not has_hardware("eth0")
        assert not has_hardware("lo")
        with pytest.raises(RawkitError, match="nosuch0"):
            is_lab("nosuch0")
    assert is_lab("lo")  # wherever one is


@pytest.mark.root
def test_a_program_in_a_lab_knows_it_by_its_ancestors(host: Host) -> None:
    code = "from rawkit.link import is_lab; print(is_lab('eth0'), is_lab(None))"
    done = host.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"
    shell = [
        sys.executable,
        "-c",
        f"import subprocess; subprocess.run([{sys.executable!r}, '-c', {code!r}], check=True)",
    ]
    assert host.run(shell, capture_output=True, text=True, check=True).stdout == "True True\n"


@pytest.mark.root
def test_a_container_is_no_lab() -> None:
    """Its processes see nobody outside of it, and its network leads out. Nothing is sent here."""
    require("unshare")
    code = "from rawkit.link import is_lab; print(is_lab('lo'), is_lab(None))"
    python = [sys.executable, "-c", code]
    for options, said in (
        (["--net"], "True True\n"),
        (["--net", "--pid", "--fork", "--mount-proc"], "True False\n"),
    ):
        done = subprocess.run(["unshare", *options, *python], capture_output=True, text=True, check=True)
        assert done.stdout == said


@pytest.mark.root
def test_the_command_asks_and_force_answers() -> None:
    """In a namespace that a container could be: nothing but `lo` is there, which is up, and leads nowhere."""
    require("unshare", "ip")
    command = [sys.executable, "-m", "rawkit", "send", "IPv4(src='192.0.2.9', dst='127.0.0.1') / UDP(dst_port=9)"]
    script = 'ip link set lo up; "$0" "$@"; echo $?; "$0" "$@" --force; echo $?'
    contained = ["unshare", "--net", "--pid", "--fork", "--mount-proc", "sh", "-c", script, *command]
    done = subprocess.run(contained, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["2", "sent: IPv4 192.0.2.9 > 127.0.0.1 / UDP 49152 > 9", "0"]
    assert done.stderr.startswith("rawkit: not sent: the source 192.0.2.9 is not this host's; give --force")
    assert done.stderr.count("\n") == 1
