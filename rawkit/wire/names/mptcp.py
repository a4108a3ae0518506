"""Multipath TCP's options, of which scapy knows no more than the kind."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.mptcp import (
    DSS,
    AddAddress,
    MPCapable,
    MPFail,
    MPFastClose,
    MPJoin,
    MPPriority,
    MPReset,
    MPTCPUnknownOption,
    RemoveAddress,
)
from rawkit.wire.names.table import Table, named

__all__ = ["MULTIPATH"]

OPTION = (
    ("kind", "kind", "tcp.option_kind"),
    ("length", "", "tcp.option_len"),
    ("subtype", "", "tcp.options.mptcp.subtype"),
)

HMAC = 20
"""Bytes of the HMAC in the third message of MP_JOIN, which has neither flags nor address."""


def _in_version(version_is_1: bool, option: MPCapable, value: bool) -> str | None:
    return str(int(value)) if (option.version == 1) == version_is_1 else None


def _joins(join: MPJoin) -> bool:
    """Whether it is one of the two messages that tell an address."""
    return len(join.proof) in (8, 12)


def _ip_version(option: AddAddress) -> str | None:
    """The IP version that version 0 has where version 1 has the flag, as Wireshark tells the two apart."""
    found = notation.beside(1, "reserved", "echo")(option)
    return {"0x4": "4", "0x6": "6"}.get(str(found))


_capable_flags = notation.beside(
    2, "checksum_required", "extensibility", "no_more_subflows", "unassigned", "hmac_sha256"
)
_dss_flags = notation.beside(
    2, "reserved", "data_fin", "long_data_sequence", "mapping_present", "long_data_ack", "data_ack_present"
)

MULTIPATH: Table = {
    MPCapable: named(
        "",
        *OPTION,
        ("version", "", "tcp.options.mptcp.version"),
        ("", "", "tcp.options.mptcp.flags", _capable_flags),
        ("checksum_required", "", "tcp.options.mptcp.checksumreq.flags"),
        ("extensibility", "", "tcp.options.mptcp.extensibility.flag"),
        ("no_more_subflows", "", ""),
        (
            "",
            "",
            "tcp.options.mptcp.nomoresubflows.flag",
            lambda option: _in_version(True, option, option.no_more_subflows),
        ),
        ("unassigned", "", "tcp.options.mptcp.reserved.flag", notation.hex2),
        ("hmac_sha256", "", ""),
        ("", "", "tcp.options.mptcp.sha256.flag", lambda option: _in_version(True, option, option.hmac_sha256)),
        ("", "", "tcp.options.mptcp.sha1.flag", lambda option: _in_version(False, option, option.hmac_sha256)),
        ("keys", "", ""),
    ),
    MPJoin: named(
        "",
        *OPTION,
        ("reserved", "", ""),
        (
            "",
            "",
            "tcp.options.mptcp.reserved",
            lambda join: (
                notation.beside(4, "reserved", "backup", "address_id")(join) if len(join.proof) == HMAC else None
            ),
        ),
        (
            "",
            "",
            "tcp.options.mptcp.flags",
            lambda join: notation.beside(2, "subtype", "reserved", "backup")(join) if _joins(join) else None,
        ),
        ("backup", "", ""),
        ("", "", "tcp.options.mptcp.backup.flag", lambda join: str(int(join.backup)) if _joins(join) else None),
        ("address_id", "", ""),
        ("", "", "tcp.options.mptcp.addrid", lambda join: str(join.address_id) if _joins(join) else None),
        ("proof", "", ""),
    ),
    DSS: named(
        "",
        *OPTION,
        ("reserved", "", ""),
        ("", "", "tcp.options.mptcp.flags", _dss_flags),
        ("data_fin", "", "tcp.options.mptcp.datafin.flag"),
        ("long_data_sequence", "", "tcp.options.mptcp.dseqn8.flag"),
        ("mapping_present", "", "tcp.options.mptcp.dseqnpresent.flag"),
        ("long_data_ack", "", "tcp.options.mptcp.dataack8.flag"),
        ("data_ack_present", "", "tcp.options.mptcp.dataackpresent.flag"),
        ("mapping", "", ""),
    ),
    AddAddress: named(
        "",
        *OPTION,
        ("reserved", "", ""),
        ("echo", "", ""),
        ("", "", "tcp.options.mptcp.ipver", _ip_version),
        (
            "",
            "",
            "tcp.options.mptcp.echo",
            lambda option: None if _ip_version(option) else str(int(option.echo)),
        ),
        ("address_id", "", "tcp.options.mptcp.addrid"),
        ("address", "", ""),
    ),
    RemoveAddress: named(
        "",
        *OPTION,
        ("reserved", "", ""),
        ("address_ids", "", "tcp.options.mptcp.addrid", lambda numbers: [str(number) for number in numbers]),
    ),
    MPPriority: named(
        "",
        *OPTION,
        ("reserved", "", ""),
        ("", "", "tcp.options.mptcp.flags", notation.beside(2, "subtype", "reserved", "backup")),
        ("backup", "", "tcp.options.mptcp.backup.flag"),
        ("address_id", "", "tcp.options.mptcp.addrid", lambda numbers: [str(number) for number in numbers]),
    ),
    MPFail: named(
        "",
        *OPTION,
        ("reserved", "", "tcp.options.mptcp.reserved", notation.hex4),
        ("data_sequence", "", ""),
    ),
    MPFastClose: named(
        "",
        *OPTION,
        ("reserved", "", "tcp.options.mptcp.reserved", notation.hex4),
        ("receiver_key", "", ""),
    ),
    MPReset: named(
        "",
        *OPTION,
        ("", "", "tcp.options.mptcp.flags", notation.beside(2, "subtype", "u", "v", "w", "transient")),
        ("u", "", "tcp.options.mptcp.flag_U.flag"),
        ("v", "", "tcp.options.mptcp.flag_V.flag"),
        ("w", "", "tcp.options.mptcp.flag_W.flag"),
        ("transient", "", "tcp.options.mptcp.flag_T.flag"),
        ("reason", "", "tcp.options.mptcp.rst_reason", notation.hex2),
    ),
    MPTCPUnknownOption: named("", *OPTION, ("unassigned", "", ""), ("data", "", "")),
}
