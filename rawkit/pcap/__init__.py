"""Capture files, classic pcap and pcapng, in and out."""

from .reader import Capture, open_capture
from .record import Interface, Record
from .source import MAXIMUM_BLOCK
from .writer import CaptureWriter, Format, write_capture

__all__ = [
    "MAXIMUM_BLOCK",
    "Capture",
    "CaptureWriter",
    "Format",
    "Interface",
    "Record",
    "open_capture",
    "write_capture",
]
