"""What the kernel counts of packets that it received, sent and discarded (proc(5); net/snmp and its like)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["EXPLANATIONS", "kernel_counters", "moved"]

EXPLANATIONS: Final = {
    "Ip.InHdrErrors": "IPv4 packets with a bad header, checksum, or an expired time to live",
    "Ip.InAddrErrors": "IPv4 packets to addresses that this host does not have",
    "Ip.InUnknownProtos": "IPv4 packets of protocols that nothing here listens to",
    "Ip.InDiscards": "IPv4 packets that the kernel had no room for, or a rule of the firewall discarded",
    "Ip.OutDiscards": "packets that the kernel did not send for want of room, or because a firewall rule says so",
    "Ip.OutNoRoutes": "packets that no route leads to their destination",
    "Ip.ReasmFails": "IPv4 fragments that never became a whole packet",
    "Ip6.InHdrErrors": "IPv6 packets with a bad header, or an expired hop limit",
    "Ip6.InAddrErrors": "IPv6 packets to addresses that this host does not have",
    "Ip6.InDiscards": "IPv6 packets that the kernel had no room for",
    "Ip6.InTruncatedPkts": "IPv6 packets shorter than their length says",
    "Ip6.OutNoRoutes": "packets that no route leads to their IPv6 destination",
    "Ip6.ReasmFails": "IPv6 fragments that never became a whole packet",
    "Icmp.InCsumErrors": "ICMP messages with a wrong checksum",
    "Icmp.InErrors": "ICMP messages that are malformed",
    "Icmp6.InCsumErrors": "ICMPv6 messages with a wrong checksum",
    "Icmp6.InErrors": "ICMPv6 messages that are malformed",
    "Tcp.InCsumErrors": "TCP segments with a wrong checksum",
    "Tcp.InErrs": "TCP segments that are malformed, or have a wrong checksum",
    "Udp.InCsumErrors": "UDP datagrams with a wrong checksum",
    "Udp.RcvbufErrors": "UDP datagrams for which a socket had no room",
    "Udp6.InCsumErrors": "UDP datagrams over IPv6 with a wrong checksum",
    "Udp6.RcvbufErrors": "UDP datagrams over IPv6 for which a socket had no room",
    "IpExt.InNoRoutes": "packets that came in for a network to which there is no route",
    "IpExt.InTruncatedPkts": "IPv4 packets shorter than their length says",
    "TcpExt.IPReversePathFilter": "packets from addresses that are not reached by the interface they came in on "
    "(rp_filter; see `sysctl net.ipv4.conf.all.rp_filter`)",
    "TcpExt.TCPBacklogDrop": "segments for which a connection's backlog had no room",
    "TcpExt.ListenDrops": "connection attempts that a listening socket had no room for",
    "TcpExt.PFMemallocDrop": "segments discarded for want of memory",
}
"""The counters that tell of packets which an answer may be among, and of which packets each tells."""


def kernel_counters() -> dict[str, int]:
    """Every counter of the calling thread's network namespace, such as `Ip.InHdrErrors`, `TcpExt.ListenDrops`.

    From /proc/net/snmp, netstat and snmp6. A file that is not there (a kernel without IPv6) has no counters.
    """
    folder = Path("/proc/thread-self/net")
    counters: dict[str, int] = {}
    for name in ("snmp", "netstat"):
        lines = _lines(folder / name)
        for names, values in zip(lines[::2], lines[1::2], strict=False):
            group = names[0].rstrip(":")
            counters |= {f"{group}.{key}": int(value) for key, value in zip(names[1:], values[1:], strict=False)}
    for words in _lines(folder / "snmp6"):
        group, six, key = words[0].partition("6")
        counters[f"{group}{six}.{key}"] = int(words[1])
    return counters


def moved(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """By how much each counter rose that did."""
    return {name: value - before.get(name, 0) for name, value in after.items() if value > before.get(name, 0)}


def _lines(file: Path) -> list[list[str]]:
    try:
        return [line.split() for line in file.read_text().splitlines() if line]
    except FileNotFoundError:
        return []
