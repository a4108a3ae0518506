"""The options of multipath TCP (RFC 8684), one class a subtype; what follows the flags is kept as bytes.

An option whose length allows several forms (the handshake's three messages, say) holds in its bytes what that
form has, in the order of the RFC. Version 0 (RFC 6824) has the same subtypes, and is read as well.
"""

from __future__ import annotations

from rawkit.layout import U3, U4, U7, U8, U12, U64, X64, Flag, HeaderLength, Rest, auto, expected
from rawkit.wire.tcp import TCPOption

__all__ = [
    "DSS",
    "AddAddress",
    "MPCapable",
    "MPFail",
    "MPFastClose",
    "MPJoin",
    "MPPriority",
    "MPReset",
    "MPTCPOption",
    "MPTCPUnknownOption",
    "RemoveAddress",
]


class MPTCPOption(TCPOption, by="subtype"):
    """Any option of multipath TCP (section 3)."""

    kind: U8 = expected(30)
    length: U8 = auto(HeaderLength())
    subtype: U4


class MPCapable(MPTCPOption):
    """MP_CAPABLE: the connection is to be multipath TCP (section 3.1).

    `keys` are the sender's key and the receiver's, of 8 bytes each, then length and checksum of the data that
    comes along, as far as this message of the handshake has them.
    """

    subtype: U4 = 0
    version: U4 = 1
    checksum_required: Flag = False
    extensibility: Flag = False
    no_more_subflows: Flag = False
    unassigned: U4 = 0
    hmac_sha256: Flag = True
    keys: Rest = b""


class MPJoin(MPTCPOption):
    """MP_JOIN: another subflow for a connection (section 3.2).

    `proof` is, in a SYN, the receiver's token and a random number; in a SYN with ACK, a truncated HMAC and a
    random number; in the third message, where the address has no meaning, the whole HMAC.
    """

    subtype: U4 = 1
    reserved: U3 = 0
    backup: Flag = False
    address_id: U8 = 0
    proof: Rest = b""


class DSS(MPTCPOption):
    """Data sequence signal (section 3.3): `mapping` is the data ACK, and then how the data numbers of the
    connection map to this subflow's, as far as the flags say that they are there."""

    subtype: U4 = 2
    reserved: U7 = 0
    data_fin: Flag = False
    long_data_sequence: Flag = False
    mapping_present: Flag = False
    long_data_ack: Flag = False
    data_ack_present: Flag = False
    mapping: Rest = b""


class AddAddress(MPTCPOption):
    """ADD_ADDR: an address of the sender (section 3.4.1), with its port and HMAC where they are there.

    In version 0, `reserved` and `echo` are the number of the IP version.
    """

    subtype: U4 = 3
    reserved: U3 = 0
    echo: Flag = False
    address_id: U8 = 0
    address: Rest = b""


class RemoveAddress(MPTCPOption):
    """REMOVE_ADDR: addresses that the sender lost, an identifier a byte (section 3.4.2)."""

    subtype: U4 = 4
    reserved: U4 = 0
    address_ids: Rest = b""


class MPPriority(MPTCPOption):
    """MP_PRIO: whether this subflow is a backup (section 3.3.8); version 0 can name the address of another."""

    subtype: U4 = 5
    reserved: U3 = 0
    backup: Flag = False
    address_id: Rest = b""


class MPFail(MPTCPOption):
    """MP_FAIL: the data from this number on failed its checksum (section 3.7)."""

    subtype: U4 = 6
    reserved: U12 = 0
    data_sequence: U64 = 0


class MPFastClose(MPTCPOption):
    """MP_FASTCLOSE: the whole connection is closed at once (section 3.5), which the receiver's key proves."""

    subtype: U4 = 7
    reserved: U12 = 0
    receiver_key: X64 = 0


class MPReset(MPTCPOption):
    """MP_TCPRST: why this subflow is reset (section 3.6), and whether that will pass (`transient`).

    The bits U, V and W have no meaning yet.
    """

    subtype: U4 = 8
    u: Flag = False
    v: Flag = False
    w: Flag = False
    transient: Flag = False
    reason: U8 = 0


class MPTCPUnknownOption(MPTCPOption, fallback=True):
    """A subtype that is not declared here, or an option whose length is not that of its subtype."""

    unassigned: U4 = 0
    data: Rest = b""
