"""Multicast listener discovery, version 1 (RFC 2710) and version 2 (RFC 3810)."""

from __future__ import annotations

from rawkit.layout import (
    U3,
    U4,
    U8,
    U16,
    X16,
    Count,
    Flag,
    IPv6Addr,
    IPv6Addrs,
    Items,
    Record,
    U32s,
    auto,
    default,
)
from rawkit.wire.icmpv6 import ICMPv6
from rawkit.wire.membership import about, counted, wanted

__all__ = ["MLDDone", "MLDQuery", "MLDReport", "MLDv2Query", "MLDv2Report", "MulticastAddressRecord"]


class MLDQuery(ICMPv6):
    """Who listens to `address`, or to anything if that is `::` (RFC 2710, section 3); delays in milliseconds."""

    type: U8 = 130
    maximum_response_delay: U16 = 0
    reserved: X16 = 0
    address: IPv6Addr = default("::")

    def describe(self) -> str:
        return f"MLD query{about(self.address)}"


class MLDReport(ICMPv6):
    """Somebody listens to `address` (RFC 2710, section 3)."""

    type: U8 = 131
    maximum_response_delay: U16 = 0
    reserved: X16 = 0
    address: IPv6Addr

    def describe(self) -> str:
        return f"MLD report {self.address}"


class MLDDone(ICMPv6):
    """Somebody listens to `address` no more (RFC 2710, section 3)."""

    type: U8 = 132
    maximum_response_delay: U16 = 0
    reserved: X16 = 0
    address: IPv6Addr

    def describe(self) -> str:
        return f"MLD done {self.address}"


class MLDv2Query(ICMPv6):
    """Who listens to `address`, from `sources` if there are any (RFC 3810, section 5.1).

    A query of 28 bytes or more is one (section 8.1). `suppress` keeps routers from acting on it, `robustness` is
    the querier's variable (QRV), `interval_code` tells its query interval (QQIC).
    """

    type: U8 = 130
    maximum_response_code: U16 = 0
    reserved: X16 = 0
    address: IPv6Addr = default("::")
    reserved_bits: U4 = 0
    suppress: Flag = False
    robustness: U3 = 2
    interval_code: U8 = 125
    number_of_sources: U16 = auto(Count("sources"))
    sources: IPv6Addrs = ()

    def describe(self) -> str:
        return f"MLDv2 query{about(self.address)}{counted(len(self.sources))}"


class MulticastAddressRecord(Record):
    """What a listener wants of one address (RFC 3810, section 5.2.4); `auxiliary_data` are words of 4 bytes."""

    record_type: U8 = 4
    aux_data_len: U8 = auto(Count("auxiliary_data"))
    number_of_sources: U16 = auto(Count("sources"))
    address: IPv6Addr
    sources: IPv6Addrs = ()
    auxiliary_data: U32s = ()


class MLDv2Report(ICMPv6):
    """What somebody listens to (RFC 3810, section 5.2)."""

    type: U8 = 143
    reserved: X16 = 0
    number_of_records: U16 = auto(Count("records"))
    records: Items[MulticastAddressRecord] = ()

    def describe(self) -> str:
        words = [wanted(record.address, record.record_type, len(record.sources)) for record in self.records]
        return f"MLDv2 report {', '.join(words)}".rstrip()
