"""IPsec's headers."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.ipsec import AH, ESP
from rawkit.wire.names.table import Table, named

__all__ = ["IPSEC"]

IPSEC: Table = {
    AH: named(
        "AH",
        ("next_header", "nh", "ah.next_header"),
        ("payload_len", "payloadlen", "ah.length"),
        ("reserved", "reserved", "ah.reserved", notation.octets(2)),
        ("spi", "spi", "ah.spi", notation.hex8),
        ("sequence", "seq", "ah.sequence"),
        ("icv", "icv", "ah.icv"),
    ),
    ESP: named("ESP", ("spi", "spi", "esp.spi", notation.hex8), ("sequence", "seq", "esp.sequence")),
}
