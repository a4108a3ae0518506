"""MAC addresses (EUI-48, IEEE 802-2014, section 8)."""

from __future__ import annotations

import re

__all__ = ["MAC"]

_TEXT = re.compile(
    r"([0-9A-Fa-f]{1,2})" + r"([:-])([0-9A-Fa-f]{1,2})" + r"\2([0-9A-Fa-f]{1,2})" * 4 + r"|"
    r"([0-9A-Fa-f]{4})\.([0-9A-Fa-f]{4})\.([0-9A-Fa-f]{4})"
)


class MAC(bytes):
    """Six bytes that print as `02:00:00:00:00:01`; compared, ordered and hashed as bytes.

    Made from text with colons, hyphens or (as Cisco writes it) dots, or from six bytes.
    Raises ValueError for anything else.
    """

    __slots__ = ()

    def __new__(cls, value: str | bytes | MAC) -> MAC:
        if isinstance(value, str):
            match = _TEXT.fullmatch(value.strip())
            if match is None:
                raise ValueError(f"{value!r} is not a MAC address such as 02:00:00:00:00:01")
            pairs = [group for group in match.groups() if group is not None and group not in ":-"]
            value = bytes.fromhex("".join(pair.zfill(4 if "." in match[0] else 2) for pair in pairs))
        if not isinstance(value, bytes) or len(value) != 6:
            raise ValueError(f"{value!r} is not a MAC address: it takes six bytes")
        return bytes.__new__(cls, value)

    def __str__(self) -> str:
        return self.hex(":")

    def __repr__(self) -> str:
        return f"MAC('{self}')"

    @property
    def packed(self) -> bytes:
        """The six bytes in network order, named as in `ipaddress`."""
        return bytes(self)

    @property
    def is_multicast(self) -> bool:
        """Whether the group bit is set (which the broadcast address has too)."""
        return self[0] % 2 == 1

    @property
    def is_local(self) -> bool:
        """Whether it is locally administered."""
        return self[0] // 2 % 2 == 1
