"""User Datagram Protocol (RFC 768)."""

from typing import Annotated

from rawkit.layout import U16, X16, Checksum, Length, NextPort, auto
from rawkit.wire.packet import Header
from rawkit.wire.spaces import IP_PROTOCOLS, UDP_PORTS

__all__ = ["UDP"]


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
    length: U16 = auto(Length(header=True))
    checksum: X16 = auto(Checksum(pseudo_header=IP_PROTOCOLS, optional=True))

    def describe(self) -> str:
        return f"UDP {self.src_port} > {self.dst_port}"
