"""TCP, its options, and UDP."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.names import limits
from rawkit.wire.names.table import Table, named
from rawkit.wire.tcp import (
    SACK,
    TCP,
    MaximumSegmentSize,
    SACKBlock,
    SACKPermitted,
    TCPEndOfOptions,
    TCPFlags,
    TCPNoOperation,
    TCPUnknownOption,
    Timestamps,
    WindowScale,
)
from rawkit.wire.udp import UDP

__all__ = ["TRANSPORT"]

TCP_KIND = (("kind", "kind", "tcp.option_kind"),)
TCP_OPTION = (*TCP_KIND, ("length", "", "tcp.option_len"))

TRANSPORT: Table = {
    TCP: named(
        "TCP",
        ("src_port", "sport", "tcp.srcport"),
        ("dst_port", "dport", "tcp.dstport"),
        ("src_port", "", "tcp.port"),
        ("dst_port", "", "tcp.port"),
        ("seq", "seq", "tcp.seq_raw", notation.Placed(notation.quoted_seq)),
        ("ack", "ack", "tcp.ack_raw"),
        ("data_offset", "dataofs", "tcp.hdr_len", notation.in_bytes(4)),
        ("reserved flags", "", "tcp.flags", lambda reserved, flags: notation.hex4(512 * reserved + int(flags))),
        ("reserved", "reserved", "tcp.flags.res", lambda value: str(int(value != 0))),
        ("flags", "flags", ""),
        ("flags", "", "tcp.flags.ae", notation.flag(TCPFlags.AE)),
        ("flags", "", "tcp.flags.cwr", notation.flag(TCPFlags.CWR)),
        ("flags", "", "tcp.flags.ece", notation.flag(TCPFlags.ECE)),
        ("flags", "", "tcp.flags.urg", notation.flag(TCPFlags.URG)),
        ("flags", "", "tcp.flags.ack", notation.flag(TCPFlags.ACK)),
        ("flags", "", "tcp.flags.push", notation.flag(TCPFlags.PSH)),
        ("flags", "", "tcp.flags.reset", notation.flag(TCPFlags.RST)),
        ("flags", "", "tcp.flags.syn", notation.flag(TCPFlags.SYN)),
        ("flags", "", "tcp.flags.fin", notation.flag(TCPFlags.FIN)),
        ("reserved flags", "", "tcp.flags.str", notation.flag_letters),
        ("window", "window", "tcp.window_size_value"),
        ("checksum", "chksum", "tcp.checksum", notation.hex4),
        ("urgent_pointer", "urgptr", "tcp.urgent_pointer"),
        ("options", "options", ""),
        limit=limits.of_tcp,
        needed={
            "tcp.srcport": "dst_port",
            "tcp.dstport": "dst_port",
            "tcp.port": "dst_port",
            "": "window",
        },
    ),
    TCPEndOfOptions: named("EOL", ("kind", "kind", ""), ("", "", "tcp.option_kind", notation.each_zero)),
    TCPNoOperation: named("NOP", *TCP_KIND),
    MaximumSegmentSize: named("MSS", *TCP_OPTION, ("mss", "[0]", "tcp.options.mss_val")),
    WindowScale: named(
        "WScale",
        *TCP_OPTION,
        ("shift", "[0]", "tcp.options.wscale.shift"),
        ("shift", "", "tcp.options.wscale.multiplier", notation.multiplier),
    ),
    SACKPermitted: named("SAckOK", *TCP_OPTION),
    SACK: named(
        "SAck",
        *TCP_OPTION,
        ("blocks", "[]", ""),
        ("", "", "tcp.options.sack.count", lambda sack: str(len(sack.blocks))),
    ),
    SACKBlock: named("", ("left", "", "tcp.options.sack_le"), ("right", "", "tcp.options.sack_re")),
    Timestamps: named(
        "Timestamp",
        *TCP_OPTION,
        ("value", "[0]", "tcp.options.timestamp.tsval"),
        ("echo_reply", "[1]", "tcp.options.timestamp.tsecr"),
    ),
    TCPUnknownOption: named("", *TCP_OPTION, ("data", "[0]", "")),
    UDP: named(
        "UDP",
        ("src_port", "sport", "udp.srcport"),
        ("dst_port", "dport", "udp.dstport"),
        ("src_port", "", "udp.port"),
        ("dst_port", "", "udp.port"),
        ("length", "len", "udp.length"),
        ("checksum", "chksum", "udp.checksum", notation.hex4),
        limit=limits.of_udp,
        needed={"udp.srcport": "dst_port", "udp.port": "dst_port"},
    ),
}
