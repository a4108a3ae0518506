"""What no filter is, what means nothing for a link type, and filters that are made to be slow."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_cli_decode import rawkit

from rawkit import TCP, UDP, Ethernet, ICMPv4, IPv4
from rawkit.errors import FilterError
from rawkit.link import MemoryLink, PacketSocket
from rawkit.netns import Lab
from rawkit.pcap import CaptureFilter, Record, write_capture
from rawkit.pcap.filter import LONGEST_FILTER, compile_filter
from rawkit.wire import LinkType

IP = IPv4(src="10.0.0.1", dst="10.0.0.2")
ETHERNET = Ethernet(src="02:00:00:00:01:00", dst="02:00:00:00:02:00")


def record(data: bytes, link_type: LinkType) -> Record:
    return Record(1, 0, data, len(data), link_type)


PLACES = [
    ("tcp prt 80", 4),
    ("tcp port 80 and (udp prt 5)", 21),
    ("foo", 0),
    ("tcp)", 3),
    ("tcp\0", 3),
    ("port 99999", None),
    ("tcp port 80 and", 15),
    ("(tcp port 80", 12),
    ("host", 4),
    ("tcp port 80 udp", 12),
    ("ip[0 = 5", 5),
    ("ip[0:] = 5", 5),
    ("tcp @ 80", 4),
    ("and tcp", 0),
    ("src src 10.0.0.1", 4),
    ("tcp port 80 or or udp", 15),
    ("len >> 5", 8),
    ("ether host 10.0.0.1", None),
]
"""Where the first word stands that pcap-filter(7) has no place for; None for what is no mistake of syntax."""


@pytest.mark.parametrize(("text", "position"), PLACES)
def test_a_syntax_error_has_a_place(text: str, position: int | None) -> None:
    with pytest.raises(FilterError) as caught:
        CaptureFilter(text)
    assert (caught.value.filter, caught.value.position) == (text, position)
    if position is None:
        assert "character" not in str(caught.value)
    else:
        assert ("at its end" if position == len(text) else f"at character {position + 1};") in str(caught.value)


SLOW = {
    "a megabyte": "host 10.0.0.1 or " * 60_000 + "ip",
    "parentheses": "(" * (LONGEST_FILTER // 2 - 5) + "tcp",
    "brackets": "ip[" * (LONGEST_FILTER // 3),
    "a long word": "x" * LONGEST_FILTER,
}


@pytest.mark.parametrize("name", SLOW)
def test_a_hostile_text_gives_one_short_error(name: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(SLOW[name], LinkType.ETHERNET)
    assert len(str(caught.value)) < 300


def test_many_hosts_compile_though_libpcap_would_optimize_them_for_minutes() -> None:
    text = " or ".join(f"host 10.0.{number // 250}.{number % 250}" for number in range(400))
    program = compile_filter(text, LinkType.ETHERNET)
    frames = [bytes(ETHERNET / IPv4(src=f"10.0.{net}.7", dst="10.9.0.1") / UDP(dst_port=9)) for net in (1, 2)]
    assert [bool(program.run(frame, len(frame))) for frame in frames] == [True, False]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """An Ethernet and a USB interface in one pcapng file, USB first."""
    path = tmp_path / "mixed.pcapng"
    usb = record(bytes(64), LinkType.USB_LINUX)
    frames = [
        record(bytes(ETHERNET / IP / body), LinkType.ETHERNET) for body in (TCP(dst_port=80), UDP(dst_port=80))
    ]
    raw = record(bytes(IP / TCP(src_port=80, dst_port=9)), LinkType.RAW)
    write_capture(path, [usb, frames[0], frames[1], raw, usb])
    return path


def test_a_file_of_several_link_types_is_filtered_for_each(mixed: Path) -> None:
    done = rawkit("decode", mixed, "-f", "tcp port 80")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["2", "4"]
    assert done.returncode == 0
    (told,) = done.stderr.splitlines()
    assert "packets of link type USB_LINUX are left out" in told


def test_what_every_link_type_understands_leaves_out_nothing(mixed: Path) -> None:
    done = rawkit("decode", mixed, "-f", "greater 64")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["1", "5"]
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["usb.pcap", "usb.pcapng"])
def test_a_filter_for_none_of_the_link_types_is_one_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    write_capture(path, [record(bytes(64), LinkType.USB_LINUX)])
    done = rawkit("decode", path, "-f", "tcp")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_ip6_of_every_bsd_in_loopback_captures() -> None:
    """AF_INET6 is 24, 28 or 30 there (https://www.tcpdump.org/linktypes/LINKTYPE_NULL.html)."""
    program = compile_filter("ip6", LinkType.NULL)
    frames = [family.to_bytes(4, "little") + bytes(40) for family in (2, 24, 28, 30)]
    assert [bool(program.run(frame, len(frame))) for frame in frames] == [False, True, True, True]


def test_which_way_a_frame_went_no_file_of_ethernet_tells() -> None:
    with pytest.raises(FilterError, match="inbound/outbound not supported"):
        compile_filter("inbound", LinkType.ETHERNET)


def test_ends_in_memory_have_filters_as_sockets_do() -> None:
    frames = [ETHERNET / IP / body for body in (TCP(dst_port=80), UDP(dst_port=53), ICMPv4.echo(id=1))]
    with MemoryLink() as link:
        (sender,) = link.ends("a")
        some, others = *link.ends("b", filter="udp or icmp"), *link.ends("c", filter="not udp")
        for frame in frames:
            sender.send(frame)
        assert [some.receive(0).data for _ in range(2)] == [bytes(frame) for frame in frames[1:]]
        assert [others.receive(0).data for _ in range(2)] == [bytes(frames[0]), bytes(frames[2])]
        with pytest.raises(FilterError):
            link.ends("d", filter="tcpp")


@pytest.mark.root
def test_the_kernel_passes_live_what_passes_from_a_file() -> None:
    texts = ("tcp port 80", "udp", "ip6", "icmp[0] = 8", "vlan 5 and udp", "len > 60", "host 10.0.0.1", "not ip")
    bodies = [TCP(dst_port=80), TCP(dst_port=81), UDP(dst_port=80), ICMPv4.echo(id=1), UDP(dst_port=9) / bytes(80)]
    mark = "ether src 02:00:00:00:01:00"
    last = bytes(ETHERNET.replace(type=0x88B5))
    frames = [*(bytes(ETHERNET / IP / body) for body in bodies), last + bytes(60)]
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        with a.open(PacketSocket, "eth0") as sender:
            for text in texts:
                wanted = f"ether proto 0x88b5 or ({text})"  # in front, since vlan moves what follows it
                with b.open(PacketSocket, "eth0", filter=f"{mark} and ({wanted})") as tap:
                    for frame in [*frames, last]:
                        sender.send(frame)
                    passed = []
                    while not passed or passed[-1] != last:
                        passed.append(tap.receive(30).data)
                program = compile_filter(wanted, LinkType.ETHERNET)
                assert passed == [frame for frame in [*frames, last] if program.run(frame, len(frame))], text


@pytest.mark.root
def test_what_the_kernel_does_not_load_says_why() -> None:
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        many = " or ".join(f"host 10.0.{number // 250}.{number % 250}" for number in range(300))
        for text, reason in (("ip6 protochain 6", "has a loop"), (many, "at most 4096")):
            with pytest.raises(FilterError, match=reason):
                a.open(PacketSocket, "eth0", filter=text)


@pytest.mark.root
def test_a_host_that_cannot_be_looked_up_is_an_error_of_the_filter() -> None:
    """libpcap asks the resolver, which finds no way out of the namespace."""
    with Lab() as lab:
        a, b = lab.hosts("a", "b")
        lab.link(a, b)
        with pytest.raises(FilterError, match=r"unknown host 'nowhere\.example'"):
            a.open(PacketSocket, "eth0", filter="host nowhere.example")
