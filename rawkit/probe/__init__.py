"""Ask and answer: handmade packets, and what other kernels say to them."""

from rawkit.probe.arp import Owner, announcement, detect_duplicate, hosts_of, question, who_has
from rawkit.probe.demo import Asked, Conversation, Question, WireFrame
from rawkit.probe.exchange import Exchange
from rawkit.probe.outcome import Answer, Clock, Miss, Outcome, Reason
from rawkit.probe.ping import PATTERN, Method, Ping, PingSummary
from rawkit.probe.pmtu import PathMTU, PathMTUResult, Step, StepResult
from rawkit.probe.port import KernelPort, MemoryPort, Port
from rawkit.probe.target import address_of, with_numbers
from rawkit.probe.trace import Hop, HopReply, Trace, TraceMethod

__all__ = [
    "PATTERN",
    "Answer",
    "Asked",
    "Clock",
    "Conversation",
    "Exchange",
    "Hop",
    "HopReply",
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
    "Question",
    "Reason",
    "Step",
    "StepResult",
    "Trace",
    "TraceMethod",
    "WireFrame",
    "address_of",
    "announcement",
    "detect_duplicate",
    "hosts_of",
    "question",
    "who_has",
    "with_numbers",
]
