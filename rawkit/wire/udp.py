"""User Datagram Protocol (RFC 768)."""

from typing import Annotated

from rawkit.layout import U16, X16, Checksum, FieldInfo, Length, NextPort, Record, View, auto
from rawkit.wire.packet import Header
from rawkit.wire.spaces import IP_PROTOCOLS, UDP_PORTS

__all__ = ["UDP"]


LONGEST = 65535
"""The longest datagram whose length can be told."""


class DatagramLength(Length):
    """The length of header and data: zero where that is more than 65535, in a jumbogram (RFC 2675, section 4)."""

    knows_zero = True

    def __init__(self) -> None:
        super().__init__(header=True)

    def compute(self, field: FieldInfo) -> str:
        return f"size + len(body) if len(body) <= {LONGEST} - size else 0"

    def limit_at_zero(self, record: Record, data: bytes, stop: int, end: int) -> int:
        return end

    def check(self, view: View, record: Record, field: FieldInfo) -> str:
        length = view.limit - view.start
        if not getattr(record, field.name) and length <= LONGEST and view.whole:
            return f"zero for a datagram of {length} bytes, which no jumbogram needs"
        return super().check(view, record, field)


class UDP(Header, numbers={IP_PROTOCOLS: 17}):
    """Ports, length and checksum.

    A checksum of zero says that none was computed, which IPv6 does not allow (RFC 8200, section 8.1); a
    computed zero is sent as 0xFFFF. `dst_port=AUTO` is the port of the tunnel that follows. Bytes between the end
    that the length says and the end of the IP packet are UDP's surplus area, in which options may stand (RFC 9868,
    section 7); they are kept as a trailer.
    """

    behind_body = "bytes of surplus area behind its data, where UDP options stand if there are any (RFC 9868)"

    src_port: U16 = 49152
    dst_port: Annotated[U16, NextPort(UDP_PORTS, other="src_port")]
    length: U16 = auto(DatagramLength())
    checksum: X16 = auto(Checksum(pseudo_header=IP_PROTOCOLS, optional=True))

    def describe(self) -> str:
        return f"UDP {self.src_port} > {self.dst_port}"
