"""Multicast membership: IGMP and MLD."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.igmp import (
    GroupRecord,
    IGMPLeave,
    IGMPQuery,
    IGMPReport,
    IGMPUnknown,
    IGMPv3Query,
    IGMPv3Report,
)
from rawkit.wire.mld import MLDDone, MLDQuery, MLDReport, MLDv2Query, MLDv2Report, MulticastAddressRecord
from rawkit.wire.names.table import Table, named

__all__ = ["MEMBERSHIP"]

IGMP_CHECKSUM = ("checksum", "chksum", "igmp.checksum", notation.hex4)
IGMP_TYPE = ("type", "type", "igmp.type", notation.hex2)
IGMP_SHORT = (
    IGMP_TYPE,
    ("max_resp_time", "mrcode", ""),
    IGMP_CHECKSUM,
    ("", "", "igmp.version", notation.igmp_version),
    ("", "", "igmp.max_resp", notation.igmp_time),
    ("", "", "igmp.reserved", notation.igmp_unused),
    ("group", "gaddr", "igmp.maddr"),
)
ICMP6 = (
    ("type", "type", "icmpv6.type"),
    ("code", "code", "icmpv6.code"),
    ("checksum", "cksum", "icmpv6.checksum", notation.hex4),
)
MLD_SHORT = (
    *ICMP6,
    ("maximum_response_delay", "mrd", "icmpv6.mld.maximum_response_delay"),
    ("reserved", "reserved", "icmpv6.reserved", notation.octets(2)),
    ("address", "mladdr", "icmpv6.mld.multicast_address"),
)

MEMBERSHIP: Table = {
    IGMPQuery: named("IGMP_MQ", *IGMP_SHORT),
    IGMPReport: named("IGMP_MR IGMPv2_MR", *IGMP_SHORT),
    IGMPLeave: named("IGMPv2_LG", *IGMP_SHORT),
    IGMPv3Query: named(
        "IGMPv3_MQ",
        IGMP_TYPE,
        ("max_resp_code", "", "igmp.max_resp", notation.igmp_code),
        IGMP_CHECKSUM,
        ("", "", "igmp.version", lambda it: "3"),
        ("group", "gaddr", "igmp.maddr"),
        ("reserved", "flags", ""),
        ("suppress", "s", "igmp.s"),
        ("robustness", "qrv", "igmp.qrv"),
        ("interval_code", "qqic", "igmp.qqic"),
        ("number_of_sources", "numsrc", "igmp.num_src"),
        ("sources", "srcaddrs", "igmp.saddr"),
    ),
    GroupRecord: named(
        "IGMPv3_MR_Group",
        ("record_type", "rtype", "igmp.record_type"),
        ("aux_data_len", "auxdlen", "igmp.aux_data_len"),
        ("number_of_sources", "numsrc", "igmp.num_src"),
        ("group", "maddr", "igmp.maddr"),
        ("sources", "srcaddrs", "igmp.saddr"),
        ("auxiliary_data", "", "igmp.aux_data", notation.words),
    ),
    IGMPv3Report: named(
        "IGMPv3_MR",
        IGMP_TYPE,
        ("reserved", "reserved", "igmp.reserved", notation.octets(1)),
        IGMP_CHECKSUM,
        ("", "", "igmp.version", lambda it: "3"),
        ("reserved_word", "flags", "igmp.reserved", notation.octets(2)),
        ("number_of_records", "numgrp", "igmp.num_grp_recs"),
        ("records", "records", ""),
    ),
    IGMPUnknown: named(
        "IGMP",
        ("type", "type", ""),
        ("code", "mrcode", ""),
        ("checksum", "chksum", ""),
        ("", "", "igmp.type", lambda it: notation.hex2(it.type) if it.type in notation.MTRACE else None),
        ("", "", "igmp.checksum", lambda it: notation.hex4(it.checksum) if it.type in notation.MTRACE else None),
    ),
    MLDQuery: named("ICMPv6MLQuery", *MLD_SHORT),
    MLDReport: named("ICMPv6MLReport", *MLD_SHORT),
    MLDDone: named("ICMPv6MLDone", *MLD_SHORT),
    MLDv2Query: named(
        "ICMPv6MLQuery2",
        *ICMP6,
        ("maximum_response_code", "mrd", "icmpv6.mld.maximum_response_code"),
        ("reserved", "reserved", "icmpv6.reserved", notation.octets(2)),
        ("address", "mladdr", "icmpv6.mld.multicast_address"),
        ("reserved_bits", "Resv", "icmpv6.mld.flag.reserved"),
        ("", "", "icmpv6.mld.flag", notation.mld_flags),
        ("suppress", "S", "icmpv6.mld.flag.s"),
        ("robustness", "QRV", "icmpv6.mld.flag.qrv"),
        ("interval_code", "QQIC", "icmpv6.mld.qqi"),
        ("number_of_sources", "sources_number", "icmpv6.mld.nb_sources"),
        ("sources", "sources", "icmpv6.mld.source_address"),
    ),
    MulticastAddressRecord: named(
        "ICMPv6MLDMultAddrRec",
        ("record_type", "rtype", "icmpv6.mldr.mar.record_type"),
        ("aux_data_len", "auxdata_len", "icmpv6.mldr.mar.aux_data_len"),
        ("number_of_sources", "sources_number", "icmpv6.mldr.mar.nb_sources"),
        ("address", "dst", "icmpv6.mldr.mar.multicast_address"),
        ("sources", "sources", "icmpv6.mldr.mar.source_address"),
        ("auxiliary_data", "", "icmpv6.mldr.mar.auxiliary_data", notation.words),
    ),
    MLDv2Report: named(
        "ICMPv6MLReport2",
        ("type", "type", "icmpv6.type"),
        ("code", "res", "icmpv6.code"),
        ("checksum", "cksum", "icmpv6.checksum", notation.hex4),
        ("reserved", "reserved", "icmpv6.reserved", notation.octets(2)),
        ("number_of_records", "records_number", "icmpv6.mldr.nb_mcast_records"),
        ("records", "records", ""),
    ),
}
