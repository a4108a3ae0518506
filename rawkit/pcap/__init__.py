"""Capture files, classic pcap and pcapng, in and out."""

from rawkit.pcap.block_types import BlockView, NameRecord, describe
from rawkit.pcap.blocks import Block, Option
from rawkit.pcap.copying import CaptureCopy
from rawkit.pcap.editing import Edit, Moment, Outcome, edit_capture
from rawkit.pcap.files import is_replaceable
from rawkit.pcap.filter import CaptureFilter
from rawkit.pcap.follow import FollowedCapture
from rawkit.pcap.options import make_option, name_of, value_of
from rawkit.pcap.parts import Part
from rawkit.pcap.reader import Capture, open_capture
from rawkit.pcap.record import CapturedPacket, CapturedPackets, Counts, Interface, Record
from rawkit.pcap.repeats import Repeats
from rawkit.pcap.rotating import RotatingWriter, Rotation
from rawkit.pcap.salvage import Damage
from rawkit.pcap.source import MAXIMUM_BLOCK
from rawkit.pcap.splitting import Splitting
from rawkit.pcap.summary import InterfaceSummary, SectionSummary, Summary, summarize
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
    "CapturedPacket",
    "CapturedPackets",
    "Counts",
    "Damage",
    "Edit",
    "FileHeader",
    "FollowedCapture",
    "Format",
    "Interface",
    "InterfaceSummary",
    "Moment",
    "NameRecord",
    "Option",
    "Outcome",
    "Part",
    "Record",
    "Repeats",
    "RotatingWriter",
    "Rotation",
    "SectionSummary",
    "Splitting",
    "Summary",
    "describe",
    "edit_capture",
    "is_replaceable",
    "make_option",
    "name_of",
    "open_capture",
    "summarize",
    "value_of",
    "write_capture",
]
