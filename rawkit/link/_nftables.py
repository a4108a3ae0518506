"""The messages of nf_tables that a guard takes (<linux/netfilter/nf_tables.h>, nft(8))."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Final

from rawkit.link._netlink import CREATE, NetlinkSocket, attribute, be32, nested, text

__all__ = [
    "EQUAL",
    "NETWORK",
    "NOT_EQUAL",
    "TRANSPORT",
    "FieldType",
    "Message",
    "Meta",
    "compare",
    "drop",
    "key",
    "lookup",
    "masked",
    "meta",
    "new_elements",
    "new_output_chain",
    "new_owned_table",
    "new_rule",
    "new_set",
    "open_nftables",
    "payload",
    "registers",
    "send",
]

Message = tuple[int, int, bytes]
"""Type, flags and body."""

NETLINK_NETFILTER: Final = 12  # <linux/netlink.h>
NFPROTO_INET: Final = 1  # <linux/netfilter.h>
_GENMSG: Final = struct.Struct("!BBH")
"""struct nfgenmsg (<linux/netfilter/nfnetlink.h>): family, version, resource."""
_SUBSYSTEM, _BATCH_BEGIN, _BATCH_END = 10, 16, 17  # NFNL_SUBSYS_NFTABLES, NFNL_MSG_BATCH_
_TYPE_OF_SUBSYSTEM: Final = 256  # the upper byte of a message's type is the subsystem

_NEW_TABLE, _NEW_CHAIN, _NEW_RULE, _NEW_SET, _NEW_ELEMENTS = 0, 3, 6, 9, 12
_TABLE_NAME, _TABLE_FLAGS, _TABLE_USERDATA, _OWNER = 1, 2, 6, 2
_COMMENT = 0  # NFTNL_UDATA_TABLE_COMMENT of libnftnl
_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _CHAIN_TYPE, _HOOK_NUMBER, _HOOK_PRIORITY = 1, 3, 4, 7, 1, 2
_SET_TABLE, _SET_NAME, _SET_FLAGS, _SET_KEY_TYPE, _SET_KEY_LENGTH, _SET_ID = 1, 2, 3, 4, 5, 10
_ELEMENTS_TABLE, _ELEMENTS_SET, _ELEMENTS, _ELEMENT_KEY = 1, 2, 3, 1
_RULE_TABLE, _RULE_CHAIN, _RULE_EXPRESSIONS, _ELEMENT, _NAME, _DATA = 1, 2, 4, 1, 1, 2
_META_DREG, _META_KEY = 1, 2
_PAYLOAD_DREG, _PAYLOAD_BASE, _PAYLOAD_OFFSET, _PAYLOAD_LENGTH = 1, 2, 3, 4
_CMP_SREG, _CMP_OP, _CMP_DATA, _VALUE = 1, 2, 3, 1
_BITWISE_SREG, _BITWISE_DREG, _BITWISE_LENGTH, _BITWISE_MASK, _BITWISE_XOR = 1, 2, 3, 4, 5
_LOOKUP_SET, _LOOKUP_SREG, _LOOKUP_SET_ID = 1, 2, 4
_IMMEDIATE_DREG, _IMMEDIATE_DATA, _VERDICT, _VERDICT_CODE = 1, 2, 2, 1
_VERDICT_REGISTER, _DROP = 0, 0
_FIRST_REGISTER, _REGISTER_BYTES = 8, 4  # NFT_REG32_00, and what each of those holds
_LOCAL_OUT, _PRIORITY_RAW = 3, -300

NETWORK, TRANSPORT = 1, 2
EQUAL, NOT_EQUAL = 0, 1


class Meta(IntEnum):
    """What nf_tables knows of a packet (enum nft_meta_keys)."""

    NFPROTO = 15
    L4PROTO = 16


class FieldType(IntEnum):
    """How `nft` shows a part of a set's key (enum datatypes of nftables); the kernel only keeps it."""

    IPV4 = 7
    IPV6 = 8
    PORT = 13


_TYPES: Final = 64  # so many of them; a key's type is its fields' types, as the digits of one number


def open_nftables() -> NetlinkSocket:
    """A socket for them, in the calling thread's network namespace. Raises OSError."""
    return NetlinkSocket(NETLINK_NETFILTER)


def send(netlink: NetlinkSocket, messages: Iterable[Message]) -> None:
    """Have all of that done, or nothing. Raises OSError."""
    subsystem = _GENMSG.pack(socket.AF_UNSPEC, 0, _SUBSYSTEM)
    netlink.batch([(_BATCH_BEGIN, 0, subsystem), *messages], (_BATCH_END, 0, subsystem))


def new_owned_table(table: str, comment: str) -> Message:
    """A table that only this socket changes, and that goes with it (Linux 5.12)."""
    words = comment.encode() + b"\0"
    shown = attribute(_TABLE_USERDATA, bytes((_COMMENT, len(words))) + words)
    return _new(_NEW_TABLE, text(_TABLE_NAME, table), be32(_TABLE_FLAGS, _OWNER), shown)


def new_output_chain(table: str, chain: str) -> Message:
    """A chain of what this host sends, before connections are tracked and addresses translated."""
    hook = nested(_CHAIN_HOOK, be32(_HOOK_NUMBER, _LOCAL_OUT), be32(_HOOK_PRIORITY, _PRIORITY_RAW))
    name = text(_CHAIN_NAME, chain)
    return _new(_NEW_CHAIN, text(_CHAIN_TABLE, table), name, hook, text(_CHAIN_TYPE, "filter"))


def new_set(table: str, name: str, number: int, fields: Sequence[tuple[FieldType, int]]) -> Message:
    """A set of keys of these fields, each so many bytes; `number` is one of a kind in its transaction."""
    shown = length = 0
    for kind, size in fields:
        shown = shown * _TYPES + kind
        length += registers(size) * _REGISTER_BYTES
    return _new(
        _NEW_SET,
        text(_SET_TABLE, table),
        text(_SET_NAME, name),
        be32(_SET_FLAGS, 0),
        be32(_SET_KEY_TYPE, shown),
        be32(_SET_KEY_LENGTH, length),
        be32(_SET_ID, number),
    )


def new_elements(table: str, name: str, keys: Iterable[bytes]) -> Message:
    """Keys for a set. Those that it has already are no error."""
    elements = (nested(_ELEMENT, nested(_ELEMENT_KEY, attribute(_VALUE, key))) for key in keys)
    into = text(_ELEMENTS_SET, name)
    return _new(_NEW_ELEMENTS, text(_ELEMENTS_TABLE, table), into, nested(_ELEMENTS, *elements))


def new_rule(table: str, chain: str, expressions: Iterable[bytes]) -> Message:
    """A rule of expressions, each of which can end it."""
    into = text(_RULE_CHAIN, chain)
    return _new(_NEW_RULE, text(_RULE_TABLE, table), into, nested(_RULE_EXPRESSIONS, *expressions))


def key(*fields: bytes) -> bytes:
    """An element of a set: each field fills its registers."""
    return b"".join(field.ljust(registers(len(field)) * _REGISTER_BYTES, b"\0") for field in fields)


def registers(length: int) -> int:
    """How many registers a field of that many bytes takes."""
    return -(-length // _REGISTER_BYTES)


def meta(key: Meta) -> bytes:
    """Load that into register 0."""
    return _expression("meta", be32(_META_KEY, key), be32(_META_DREG, _FIRST_REGISTER))


def payload(base: int, offset: int, length: int, register: int = 0) -> bytes:
    """Load bytes of the packet into registers from that one on."""
    return _expression(
        "payload",
        be32(_PAYLOAD_DREG, _FIRST_REGISTER + register),
        be32(_PAYLOAD_BASE, base),
        be32(_PAYLOAD_OFFSET, offset),
        be32(_PAYLOAD_LENGTH, length),
    )


def masked(mask: int) -> bytes:
    """Keep these bits of the byte in register 0."""
    return _expression(
        "bitwise",
        be32(_BITWISE_SREG, _FIRST_REGISTER),
        be32(_BITWISE_DREG, _FIRST_REGISTER),
        be32(_BITWISE_LENGTH, 1),
        nested(_BITWISE_MASK, attribute(_VALUE, bytes((mask,)))),
        nested(_BITWISE_XOR, attribute(_VALUE, bytes(1))),
    )


def compare(operator: int, value: int) -> bytes:
    """Go on if the byte in register 0 is that."""
    data = nested(_CMP_DATA, attribute(_VALUE, bytes((value,))))
    return _expression("cmp", be32(_CMP_SREG, _FIRST_REGISTER), be32(_CMP_OP, operator), data)


def lookup(name: str, number: int) -> bytes:
    """Go on if what begins in register 0 is in that set."""
    register = be32(_LOOKUP_SREG, _FIRST_REGISTER)
    return _expression("lookup", text(_LOOKUP_SET, name), register, be32(_LOOKUP_SET_ID, number))


def drop() -> bytes:
    """Drop the packet."""
    verdict = nested(_IMMEDIATE_DATA, nested(_VERDICT, be32(_VERDICT_CODE, _DROP)))
    return _expression("immediate", be32(_IMMEDIATE_DREG, _VERDICT_REGISTER), verdict)


def _expression(name: str, *parts: bytes) -> bytes:
    return nested(_ELEMENT, text(_NAME, name), nested(_DATA, *parts))


def _new(kind: int, *parts: bytes) -> Message:
    """A message that makes something."""
    return _SUBSYSTEM * _TYPE_OF_SUBSYSTEM + kind, CREATE, _GENMSG.pack(NFPROTO_INET, 0, 0) + b"".join(parts)
