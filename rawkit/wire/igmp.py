"""Internet Group Management Protocol, version 1 (RFC 1112), 2 (RFC 2236) and 3 (RFC 3376)."""

from __future__ import annotations

from rawkit.layout import (
    U3,
    U4,
    U8,
    U16,
    X8,
    X16,
    Checksum,
    Count,
    Flag,
    IPv4Addr,
    IPv4Addrs,
    Items,
    Record,
    U32s,
    auto,
    default,
)
from rawkit.wire.membership import about, counted, wanted
from rawkit.wire.packet import Header
from rawkit.wire.spaces import IP_PROTOCOLS

__all__ = [
    "IGMP",
    "GroupRecord",
    "IGMPLeave",
    "IGMPQuery",
    "IGMPReport",
    "IGMPUnknown",
    "IGMPv3Query",
    "IGMPv3Report",
]


class IGMP(Header, by="type", abstract=True, numbers={IP_PROTOCOLS: 2}):
    """Any IGMP message; each type that is known has a class of its own."""

    type: X8


class IGMPQuery(IGMP):
    """Who is in `group`, or in any if that is 0.0.0.0 (RFC 2236, section 2); times in tenths of a second.

    A `max_resp_time` of zero is version 1's.
    """

    type: X8 = 0x11
    max_resp_time: U8 = 100
    checksum: X16 = auto(Checksum())
    group: IPv4Addr = default("0.0.0.0")

    def describe(self) -> str:
        return f"IGMPv{2 if self.max_resp_time else 1} query{about(self.group)}"


class IGMPReport(IGMP, values=(0x12,)):
    """Somebody is in `group`: version 2 (type 0x16), and version 1 (0x12; RFC 1112, appendix I)."""

    type: X8 = 0x16
    max_resp_time: U8 = 0
    checksum: X16 = auto(Checksum())
    group: IPv4Addr

    def describe(self) -> str:
        return f"IGMPv{1 if self.type == VERSION_1 else 2} report {self.group}"


VERSION_1 = 0x12


class IGMPLeave(IGMP):
    """Somebody has left `group` (RFC 2236, section 2)."""

    type: X8 = 0x17
    max_resp_time: U8 = 0
    checksum: X16 = auto(Checksum())
    group: IPv4Addr

    def describe(self) -> str:
        return f"IGMPv2 leave {self.group}"


class IGMPv3Query(IGMP):
    """Who is in `group`, for `sources` if there are any (RFC 3376, section 4.1).

    A query of 12 bytes or more is one (section 7.1). `suppress` keeps routers from acting on it, `robustness` is
    the querier's variable (QRV), `interval_code` tells its query interval (QQIC).
    """

    type: X8 = 0x11
    max_resp_code: U8 = 100
    checksum: X16 = auto(Checksum())
    group: IPv4Addr = default("0.0.0.0")
    reserved: U4 = 0
    suppress: Flag = False
    robustness: U3 = 2
    interval_code: U8 = 125
    number_of_sources: U16 = auto(Count("sources"))
    sources: IPv4Addrs = ()

    def describe(self) -> str:
        return f"IGMPv3 query{about(self.group)}{counted(len(self.sources))}"


class GroupRecord(Record):
    """What a host wants of one group (RFC 3376, section 4.2.4); `auxiliary_data` are words of 4 bytes."""

    record_type: U8 = 4
    aux_data_len: U8 = auto(Count("auxiliary_data"))
    number_of_sources: U16 = auto(Count("sources"))
    group: IPv4Addr
    sources: IPv4Addrs = ()
    auxiliary_data: U32s = ()


class IGMPv3Report(IGMP):
    """What a host wants to receive (RFC 3376, section 4.2)."""

    type: X8 = 0x22
    reserved: X8 = 0
    checksum: X16 = auto(Checksum())
    reserved_word: X16 = 0
    number_of_records: U16 = auto(Count("records"))
    records: Items[GroupRecord] = ()

    def describe(self) -> str:
        words = [wanted(record.group, record.record_type, len(record.sources)) for record in self.records]
        return f"IGMPv3 report {', '.join(words)}".rstrip()


class IGMPUnknown(IGMP, fallback=True):
    """A message of another type, such as those of DVMRP, PIM version 1 and mtrace, which IGMP carries."""

    code: U8 = 0
    checksum: X16 = auto(Checksum())

    def describe(self) -> str:
        return f"IGMP type 0x{self.type:02x}"
