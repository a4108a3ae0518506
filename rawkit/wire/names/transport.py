"""TCP, its options, UDP, and SCTP."""

from __future__ import annotations

from rawkit.wire import notation
from rawkit.wire.names import limits
from rawkit.wire.names.table import Table, named
from rawkit.wire.sctp import SCTP, SCTPChunk
from rawkit.wire.tcp import (
    SACK,
    TCP,
    FastOpen,
    MaximumSegmentSize,
    MD5Signature,
    SACKBlock,
    SACKPermitted,
    TCPAuthentication,
    TCPEndOfOptions,
    TCPExperiment,
    TCPFlags,
    TCPNoOperation,
    TCPUnknownOption,
    Timestamps,
    UserTimeout,
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
    MD5Signature: named("MD5", *TCP_OPTION, ("digest", "[0]", "tcp.options.md5.digest")),
    UserTimeout: named(
        "UTO",
        *TCP_OPTION,
        ("in_minutes", "value[15:15]", "tcp.options.user_to_granularity"),
        ("timeout", "value[14:0]", "tcp.options.user_to_val"),
    ),
    TCPAuthentication: named(
        "AO",
        *TCP_OPTION,
        ("key_id", "keyid", "tcp.options.ao.keyid"),
        ("receive_next_key_id", "rnextkeyid", "tcp.options.ao.rnextkeyid"),
        ("mac", "mac", "tcp.options.ao.mac", notation.bytes_or_nothing),
    ),
    FastOpen: named(
        "",
        *TCP_OPTION,
        ("cookie", "", ""),
        ("", "", "tcp.options.tfo.cookie", notation.cookie),
        ("", "", "tcp.options.tfo.request", notation.cookie_request),
    ),
    TCPExperiment: named(
        "",
        *TCP_OPTION,
        ("experiment_id", "", "tcp.options.experimental.exid", notation.hex4),
        ("data", "", ""),
        ("", "", "tcp.options.experimental.data", notation.experiment_data),
        ("", "", "tcp.options.tfo.cookie", notation.cookie),
        ("", "", "tcp.options.tfo.request", notation.cookie_request),
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
    SCTP: named(
        "SCTP",
        ("src_port", "sport", "sctp.srcport"),
        ("dst_port", "dport", "sctp.dstport"),
        ("src_port", "", "sctp.port"),
        ("dst_port", "", "sctp.port"),
        ("verification_tag", "tag", "sctp.verification_tag", notation.hex8),
        ("checksum", "chksum", "sctp.checksum", notation.hex8),
        ("chunks", "options", ""),
    ),
    SCTPChunk: named(
        "_SCTPChunkGuessPayload",
        ("type", "type", "sctp.chunk_type"),
        ("flags", "flags", "sctp.chunk_flags", notation.hex2),
        ("flags", "reserved:4 delay_sack:1 unordered:1 beginning:1 ending:1", ""),
        ("flags", "reserved:7 TCB:1", ""),
        ("length", "len", "sctp.chunk_length"),
        ("data", "", ""),
        ("padding", "", "sctp.chunk_padding", notation.bytes_or_nothing),
    ),
}
