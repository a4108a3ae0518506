"""Capture files, classic pcap and pcapng, in and out."""

from rawkit.pcap.block_types import BlockView, NameRecord, describe
from rawkit.pcap.blocks import Block, Option
from rawkit.pcap.copying import CaptureCopy
from rawkit.pcap.filter import CaptureFilter
from rawkit.pcap.follow import FollowedCapture
from rawkit.pcap.options import make_option, name_of, value_of
from rawkit.pcap.parts import Part
from rawkit.pcap.reader import Capture, open_capture
from rawkit.pcap.record import Interface, Record
from rawkit.pcap.salvage import Damage
from rawkit.pcap.source import MAXIMUM_BLOCK
from rawkit.pcap.variants import FileHeader
from rawkit.pcap.writer import CaptureWriter, Format, write_capture

__all__ = [
    "MAXIMUM_BLOCK",
    "Block",
    "BlockView",
    "Capture",
    "CaptureCopy",
    "CaptureFilter",
    "CaptureWriter",
    "Damage",
    "FileHeader",
    "FollowedCapture",
    "Format",
    "Interface",
    "NameRecord",
    "Option",
    "Part",
    "Record",
    "describe",
    "make_option",
    "name_of",
    "open_capture",
    "value_of",
    "write_capture",
]
