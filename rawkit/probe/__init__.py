"""Ask and answer: handmade packets, and what other kernels say to them."""

from rawkit.probe.arp import Owner, announcement, detect_duplicate, hosts_of, question, who_has
from rawkit.probe.connect import connect_scan
from rawkit.probe.discover import Discovery, Host, by_version
from rawkit.probe.exchange import Exchange
from rawkit.probe.outcome import Answer, Clock, Miss, Outcome, Reason
from rawkit.probe.ping import FIRST_PORT, PATTERN, Method, Ping, PingSummary
from rawkit.probe.pmtu import PathMTU, PathMTUResult, Step, StepResult
from rawkit.probe.port import KernelPort, MemoryPort, Port
from rawkit.probe.ports import parse_ports, service_of
from rawkit.probe.scan import PortState, Scan, State, Technique
from rawkit.probe.target import Target, address_of, target_of, with_numbers
from rawkit.probe.trace import Hop, HopReply, Trace, TraceMethod

__all__ = [
    "FIRST_PORT",
    "PATTERN",
    "Answer",
    "Clock",
    "Discovery",
    "Exchange",
    "Hop",
    "HopReply",
    "Host",
    "KernelPort",
    "MemoryPort",
    "Method",
    "Miss",
    "Outcome",
    "Owner",
    "PathMTU",
    "PathMTUResult",
    "Ping",
    "PingSummary",
    "Port",
    "PortState",
    "Reason",
    "Scan",
    "State",
    "Step",
    "StepResult",
    "Target",
    "Technique",
    "Trace",
    "TraceMethod",
    "address_of",
    "announcement",
    "by_version",
    "connect_scan",
    "detect_duplicate",
    "hosts_of",
    "parse_ports",
    "question",
    "service_of",
    "target_of",
    "who_has",
    "with_numbers",
]
