"""Capture files made byte by byte, from the specifications and without rawkit's own writer.

`order` is `<` or `>`, as in `struct`.
"""

from __future__ import annotations

import struct

FRAME = bytes(range(60))

ALMOST_RECORDS = [
    b"\x06\0\0\0\xfc\xff\xff\0",
    bytes(4) + b"\1\0\0\0\0\0\4\0\0\0\4\1",
    b"\x0a\x0d\x0d\x0a\xfc\xff\xff\0\x4d\x3c\x2b\x1a",
]
"""Junk in which nearly every byte might begin a record or a block."""
SECTION, INTERFACE, PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6


def pcap_header(order="<", *, nano=False, snaplen=65535, link_type=1, version=(2, 4)):
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    return struct.pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, link_type)


def pcap_record(order="<", seconds=1, fraction=2, data=FRAME, captured=None, wire=None):
    captured = len(data) if captured is None else captured
    return struct.pack(order + "IIII", seconds, fraction, captured, captured if wire is None else wire) + data


def padded(data):
    return data + b"\xaa" * (-len(data) % 4)  # padding is any bytes, so none that could be taken for an end


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + padded(value)


def block(order, kind, body):
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order="<", options=b"", version=(1, 0)):
    return block(order, SECTION, struct.pack(order + "IHHq", 0x1A2B3C4D, *version, -1) + options)


def interface(order="<", link_type=1, snaplen=0, options=b""):
    return block(order, INTERFACE, struct.pack(order + "HHI", link_type, 0, snaplen) + options)


def enhanced(order="<", index=0, ticks=0, data=FRAME, options=b"", captured=None, wire=None):
    captured = len(data) if captured is None else captured
    wire = captured if wire is None else wire
    fixed = struct.pack(order + "IIIII", index, ticks >> 32, ticks & 0xFFFFFFFF, captured, wire)
    return block(order, ENHANCED, fixed + padded(data) + options)


def obsolete(order="<", index=0, ticks=0, data=FRAME, options=b""):
    fixed = struct.pack(order + "HHIIII", index, 7, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(order, PACKET, fixed + padded(data) + options)


def simple(order="<", wire=60, data=FRAME):
    return block(order, SIMPLE, struct.pack(order + "I", wire) + padded(data))
