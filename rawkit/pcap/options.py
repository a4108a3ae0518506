"""What the options of pcapng are called and mean (draft-ietf-opsawg-pcapng, sections 3.5 and 4).

An option's code means something only together with the type of its block. A value whose length is not that of
its kind is given as the bytes that it is, so nothing here fails on content.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from struct import Struct
from struct import error as StructError
from typing import Any, NamedTuple

from rawkit.errors import FieldError
from rawkit.layout import MAC
from rawkit.pcap.blocks import SECTION_TYPE, Option
from rawkit.pcap.source import ByteOrder

__all__ = ["DEFAULT_TICKS", "code_of", "in_order", "make_option", "name_of", "ticks_per_second", "value_of"]

DEFAULT_TICKS = 1_000_000
"""Of an interface's clock in a second, where no if_tsresol tells another (pcapng draft, section 4.2)."""

_POWERS_OF_TWO = 128  # if_tsresol from here on means a power of two


class Kind(NamedTuple):
    """How the value of an option is made up."""

    numbers: str
    """The numbers that it begins with, as `struct` writes them: these are in the byte order of the section."""
    size: int | None
    """Bytes of the whole value; None where it may have any number more than the numbers have."""
    decode: Callable[[tuple[int, ...], bytes], Any]
    """The value in Python, from the numbers and the bytes after them."""
    encode: Callable[[Any], tuple[tuple[int, ...], bytes]]
    """The other way round."""


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")


def _number(code: str) -> Kind:
    return Kind(code, Struct("<" + code).size, lambda numbers, _: numbers[0], lambda value: ((value,), b""))


TEXT = Kind("", None, lambda _, rest: _text(rest), lambda value: ((), value.encode(errors="backslashreplace")))
BYTES = Kind("", None, lambda _, rest: rest, lambda value: ((), bytes(value)))
U8, U32, U64, I32, I64 = map(_number, "BIQiq")
TIMESTAMP = Kind(
    "II", 8, lambda halves, _: halves[0] * 2**32 + halves[1], lambda ticks: (divmod(ticks, 2**32), b"")
)
PAIR = Kind("II", 8, lambda numbers, _: numbers, lambda value: (tuple(value), b""))
HASH = Kind("B", None, lambda numbers, rest: (numbers[0], rest), lambda value: ((value[0],), value[1]))
FILTER = Kind(
    "B",
    None,
    lambda numbers, rest: (numbers[0], rest if numbers[0] else _text(rest)),
    lambda value: ((value[0],), value[1].encode() if isinstance(value[1], str) else value[1]),
)
CUSTOM_TEXT = Kind(
    "I", None, lambda numbers, rest: (numbers[0], _text(rest)), lambda value: ((value[0],), value[1].encode())
)
CUSTOM_BYTES = Kind("I", None, lambda numbers, rest: (numbers[0], rest), lambda value: ((value[0],), value[1]))
MAC_ADDRESS = Kind("", 6, lambda _, rest: MAC(rest), lambda value: ((), bytes(MAC(value))))
EUI64 = Kind("", 8, lambda _, rest: rest, lambda value: ((), bytes(value)))
IPV4 = Kind("", 4, lambda _, rest: IPv4Address(rest), lambda value: ((), IPv4Address(value).packed))
IPV6 = Kind("", 16, lambda _, rest: IPv6Address(rest), lambda value: ((), IPv6Address(value).packed))


def _ipv4_interface(_: tuple[int, ...], rest: bytes) -> IPv4Interface | bytes:
    try:
        return IPv4Interface((rest[:4], str(IPv4Address(rest[4:]))))
    except ValueError:  # a mask that is none
        return rest


def _ipv6_interface(_: tuple[int, ...], rest: bytes) -> IPv6Interface | bytes:
    try:
        return IPv6Interface((rest[:16], rest[16]))
    except ValueError:  # a prefix of more than 128 bits
        return rest


IPV4_INTERFACE = Kind(
    "", 8, _ipv4_interface, lambda value: ((), IPv4Interface(value).packed + IPv4Interface(value).netmask.packed)
)
IPV6_INTERFACE = Kind(
    "",
    17,
    _ipv6_interface,
    lambda value: ((), IPv6Interface(value).packed + bytes([IPv6Interface(value).network.prefixlen])),
)

_EVERY: dict[int, tuple[str, Kind]] = {
    0: ("opt_endofopt", BYTES),
    1: ("opt_comment", TEXT),
    2988: ("opt_custom_utf8", CUSTOM_TEXT),
    2989: ("opt_custom_binary", CUSTOM_BYTES),
    19372: ("opt_custom_utf8_not_copied", CUSTOM_TEXT),
    19373: ("opt_custom_binary_not_copied", CUSTOM_BYTES),
}
_OPTIONS: dict[int, dict[int, tuple[str, Kind]]] = {
    SECTION_TYPE: {2: ("shb_hardware", TEXT), 3: ("shb_os", TEXT), 4: ("shb_userappl", TEXT)},
    1: {
        2: ("if_name", TEXT),
        3: ("if_description", TEXT),
        4: ("if_IPv4addr", IPV4_INTERFACE),
        5: ("if_IPv6addr", IPV6_INTERFACE),
        6: ("if_MACaddr", MAC_ADDRESS),
        7: ("if_EUIaddr", EUI64),
        8: ("if_speed", U64),
        9: ("if_tsresol", U8),
        10: ("if_tzone", I32),
        11: ("if_filter", FILTER),
        12: ("if_os", TEXT),
        13: ("if_fcslen", U8),
        14: ("if_tsoffset", I64),
        15: ("if_hardware", TEXT),
        16: ("if_txspeed", U64),
        17: ("if_rxspeed", U64),
        18: ("if_iana_tzname", TEXT),
    },
    2: {2: ("pack_flags", U32), 3: ("pack_hash", HASH)},
    4: {2: ("ns_dnsname", TEXT), 3: ("ns_dnsIP4addr", IPV4), 4: ("ns_dnsIP6addr", IPV6)},
    5: {
        2: ("isb_starttime", TIMESTAMP),
        3: ("isb_endtime", TIMESTAMP),
        4: ("isb_ifrecv", U64),
        5: ("isb_ifdrop", U64),
        6: ("isb_filteraccept", U64),
        7: ("isb_osdrop", U64),
        8: ("isb_usrdeliv", U64),
    },
    6: {
        2: ("epb_flags", U32),
        3: ("epb_hash", HASH),
        4: ("epb_dropcount", U64),
        5: ("epb_packetid", U64),
        6: ("epb_queue", U32),
        7: ("epb_verdict", HASH),
        8: ("epb_processid_threadid", PAIR),
    },
}
_CODES = {
    name: code for table in (_EVERY, *_OPTIONS.values()) for code, (name, _) in table.items()
}  # no name stands in two tables with two codes


def _entry(block_type: int, code: int) -> tuple[str, Kind]:
    return _OPTIONS.get(block_type, {}).get(code) or _EVERY.get(code) or (f"option_{code}", BYTES)


def name_of(block_type: int, code: int) -> str:
    """The draft's name of an option, such as `if_tsresol`; `option_77` for one that it does not define."""
    return _entry(block_type, code)[0]


def code_of(name: str) -> int:
    """The code of an option that the draft names. Raises `FieldError` for another name."""
    if name not in _CODES:
        raise FieldError("Option", "name", name, f"one of {', '.join(sorted(_CODES))}")
    return _CODES[name]


def value_of(block_type: int, option: Option) -> Any:
    """What an option of a block of that type says.

    Text, a number, an address (`ipaddress`, `MAC`), a tuple where it is made up of several; bytes for an option
    that the draft does not define, and for a value whose length is not that of its kind. Times
    (`isb_starttime`) are ticks of the interface's clock.
    """
    kind = _entry(block_type, option.code)[1]
    numbers = Struct(option.order + kind.numbers)
    if not _fits(kind, numbers, option.value):
        return option.value
    return kind.decode(numbers.unpack_from(option.value), option.value[numbers.size :])


def make_option(block_type: int, name: str, value: Any, order: ByteOrder = "<") -> Option:
    """An option by its name, from what `value_of` gives. Raises `FieldError` where that does not fit."""
    code = code_of(name)
    kind = _entry(block_type, code)[1]
    try:
        numbers, rest = kind.encode(value)
        packed = Struct(order + kind.numbers).pack(*numbers) + rest
    except (ValueError, TypeError, AttributeError, OverflowError, IndexError, StructError) as error:
        raise FieldError("Option", name, value, f"a value of that option ({error})") from error
    return Option(code, packed, 0, order)


def in_order(block_type: int, option: Option, order: ByteOrder) -> Option:
    """The same option with its numbers in another byte order."""
    kind = _entry(block_type, option.code)[1]
    numbers = Struct(option.order + kind.numbers)
    if option.order == order or not _fits(kind, numbers, option.value):
        return option._replace(order=order)
    swapped = Struct(order + kind.numbers).pack(*numbers.unpack_from(option.value))
    return option._replace(value=swapped + option.value[numbers.size :], order=order)


def _fits(kind: Kind, numbers: Struct, value: bytes) -> bool:
    return len(value) == kind.size if kind.size is not None else len(value) >= numbers.size


def ticks_per_second(resolution: int) -> int:
    """What if_tsresol says of an interface's clock (pcapng draft, section 4.2)."""
    if resolution >= _POWERS_OF_TWO:
        return int(2 ** (resolution - _POWERS_OF_TWO))
    return int(10**resolution)
