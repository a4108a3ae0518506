"""PPP over Ethernet (RFC 2516, section 4): discovery of a peer, and the session with it."""

from __future__ import annotations

from enum import IntEnum

from rawkit.layout import (
    U4,
    U16,
    X8,
    X16,
    HeaderLength,
    Items,
    Length,
    NextProtocol,
    Numbers,
    Record,
    Rest,
    auto,
    expected,
)
from rawkit.wire.link_type import LinkType
from rawkit.wire.packet import Header
from rawkit.wire.spaces import ETHER_TYPES, LINK_LAYERS, PPPOE_CODES

__all__ = ["PPPoE", "PPPoEDiscovery", "PPPoEMalformedTags", "PPPoETag", "PPPoETagType", "PPPoETags"]


class PPPoE(Header, numbers={ETHER_TYPES: 0x8864, LINK_LAYERS: LinkType.PPP_ETHER}):
    """A packet of a session, in which PPP follows."""

    version: U4 = expected(1)
    type: U4 = expected(1)
    code: X8 = auto(NextProtocol(PPPOE_CODES))
    session_id: X16 = 0
    length: U16 = auto(Length())

    def describe(self) -> str:
        return f"PPPoE session 0x{self.session_id:04x}"


class PPPoETagType(IntEnum):
    """What a tag holds (RFC 2516, appendix A; https://www.iana.org/assignments/pppoe-parameters)."""

    END_OF_LIST = 0
    SERVICE_NAME = 0x0101
    AC_NAME = 0x0102
    HOST_UNIQ = 0x0103
    AC_COOKIE = 0x0104
    VENDOR_SPECIFIC = 0x0105
    RELAY_SESSION_ID = 0x0110
    PPP_MAX_PAYLOAD = 0x0120
    SERVICE_NAME_ERROR = 0x0201
    AC_SYSTEM_ERROR = 0x0202
    GENERIC_ERROR = 0x0203


class PPPoETags(Record, by=Numbers("PPPoE tag")):
    """What a discovery packet lists: tags, and bytes that are none."""


class PPPoETag(PPPoETags, fallback=True):
    """One tag; its type is one of `PPPoETagType`."""

    type: X16
    length: U16 = auto(HeaderLength(minus=4))
    data: Rest = b""


class PPPoEMalformedTags(PPPoETags, fallback=True):
    """The rest of the tags, from one on whose length leads outside of the packet."""

    malformed = True
    data: Rest = b""


class PPPoEDiscovery(Header, numbers={ETHER_TYPES: 0x8863}, body=False):
    """Discovery: code 0x09 initiation, 0x07 offer, 0x19 request, 0x65 confirmation, 0xA7 termination."""

    version: U4 = expected(1)
    type: U4 = expected(1)
    code: X8 = 0x09
    session_id: X16 = 0
    length: U16 = auto(HeaderLength(minus=6))
    tags: Items[PPPoETags] = ()

    def describe(self) -> str:
        return f"PPPoE {DISCOVERY.get(self.code, f'discovery code 0x{self.code:02x}')}"


DISCOVERY = {0x09: "initiation", 0x07: "offer", 0x19: "request", 0x65: "confirmation", 0xA7: "termination"}
