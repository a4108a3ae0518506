"""A second opinion on a packet: what scapy makes of the same bytes."""

from rawkit.verify.compare import Difference, compare_with_scapy, difference_table, unexplained
from rawkit.verify.known import KNOWN, Known

__all__ = ["KNOWN", "Difference", "Known", "compare_with_scapy", "difference_table", "unexplained"]
