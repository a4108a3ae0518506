"""Capture files, classic pcap and pcapng, in and out."""

from rawkit.pcap.filter import CaptureFilter
from rawkit.pcap.reader import Capture, open_capture
from rawkit.pcap.record import Interface, Record
from rawkit.pcap.source import MAXIMUM_BLOCK
from rawkit.pcap.writer import CaptureWriter, Format, write_capture

__all__ = [
    "MAXIMUM_BLOCK",
    "Capture",
    "CaptureFilter",
    "CaptureWriter",
    "Format",
    "Interface",
    "Record",
    "open_capture",
    "write_capture",
]
