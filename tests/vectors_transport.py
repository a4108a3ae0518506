"""Vectors of TCP's rarer options, multipath TCP, and SCTP; what `source` means is told in `vectors_core.py`."""

from __future__ import annotations

from vector import Vector

from rawkit.wire import (
    DSS,
    SCTP,
    TCP,
    AddAddress,
    FastOpen,
    IPv4,
    IPv6,
    LinkType,
    MD5Signature,
    MPCapable,
    MPFail,
    MPFastClose,
    MPJoin,
    MPPriority,
    MPReset,
    MPTCPUnknownOption,
    RemoveAddress,
    SCTPChunk,
    TCPAuthentication,
    TCPExperiment,
    TCPNoOperation,
    TCPUnknownOption,
    UserTimeout,
)

__all__ = ["TRANSPORT_VECTORS"]

TRANSPORT_VECTORS = (
    Vector(
        "tcp_option_unknown",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[TCPUnknownOption(kind=77, data=b"\xf9\x89")]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf08a0c00004d04f989",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(77, bytes.fromhex('f989'))])"
        ),
    ),
    Vector(
        "tcp_option_md5",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[TCPNoOperation(), TCPNoOperation(), MD5Signature(digest=b"0123456789abcdef")]),
        (
            "4500003c00000000400666ba0a0000010a000002c00000500000000000000000a002faf04d4000000101131230313233"
            "343536373839616263646566"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('NOP', None), ('NOP', None), ('MD5', b'0123456789abcdef')])"
        ),
    ),
    Vector(
        "tcp_option_user_timeout",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[UserTimeout(in_minutes=True, timeout=1234)]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf02fc400001c0484d2",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('UTO', 0x8000 | 1234)])"
        ),
    ),
    Vector(
        "tcp_option_authentication",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[TCPAuthentication(key_id=3, receive_next_key_id=4, mac=b"abcdefghijkl")]),
        (
            "4500003800000000400666be0a0000010a000002c000005000000000000000009002faf01a0e00001d10030461626364"
            "65666768696a6b6c"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('AO', TCPAOValue(keyid=3, rnextkeyid=4, mac=b'abcdefghijkl'))])"
        ),
    ),
    Vector(
        "tcp_option_fast_open_request",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[TCPNoOperation(), TCPNoOperation(), FastOpen()]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf0ad97000001012202",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('NOP', None), ('NOP', None), (34, b'')])"
        ),
    ),
    Vector(
        "tcp_option_fast_open",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(
            dst_port=80,
            options=[TCPNoOperation(), TCPNoOperation(), FastOpen(cookie=bytes.fromhex("0102030405060708"))],
        ),
        (
            "4500003400000000400666c20a0000010a000002c000005000000000000000008002faf07d7300000101220a01020304"
            "05060708"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[('NOP', None), ('NOP', None), ('TFO', (0x01020304, 0x05060708))])"
        ),
    ),
    Vector(
        "tcp_option_fast_open_experiment",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[TCPExperiment(kind=254, experiment_id=0xF989, data=b"cookie!!")]),
        (
            "4500003400000000400666c20a0000010a000002c000005000000000000000008002faf05b9a0000fe0cf989636f6f6b"
            "69652121"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(254, bytes.fromhex('f989636f6f6b69652121'))])"
        ),
    ),
    Vector(
        "mp_capable",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(dst_port=80, options=[MPCapable(checksum_required=True)]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf0b11500001e040181",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('0181'))])"
        ),
    ),
    Vector(
        "mp_capable_keys",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[MPCapable(version=0, keys=b"sendkey1recvkey2")]),
        (
            "4500003c00000000400666ba0a0000010a000002c00000500000000000000000a002faf0f1a000001e14000173656e64"
            "6b657931726563766b657932"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('0001') + b'sendkey1recvkey2')])"
        ),
    ),
    Vector(
        "mp_join",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[MPJoin(backup=True, address_id=3, proof=b"tokerand")]),
        (
            "4500003400000000400666c20a0000010a000002c000005000000000000000008002faf0c0e800001e0c1103746f6b65"
            "72616e64"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('1103') + b'tokerand')])"
        ),
    ),
    Vector(
        "mp_dss",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(
            dst_port=80,
            options=[
                DSS(
                    data_fin=True,
                    long_data_sequence=True,
                    mapping_present=True,
                    data_ack_present=True,
                    mapping=b"ack!seqnumb8subfLNck",
                )
            ],
        ),
        (
            "4500004000000000400666b60a0000010a000002c00000500000000000000000b002faf033bd00001e18201d61636b21"
            "7365716e756d6238737562664c4e636b"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('201d') + b'ack!seqnumb8subfLNck')])"
        ),
    ),
    Vector(
        "mp_add_address",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[AddAddress(address_id=9, address=bytes([10, 0, 3, 2]) + b"truncmac")]),
        (
            "4500003800000000400666be0a0000010a000002c000005000000000000000009002faf096c100001e1030090a000302"
            "7472756e636d6163"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('30090a000302') + b'truncmac')])"
        ),
    ),
    Vector(
        "mp_add_address_version_0",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[AddAddress(reserved=2, address_id=9, address=bytes([10, 0, 3, 2]))]),
        "4500003000000000400666c60a0000010a000002c000005000000000000000007002faf0618300001e0834090a000302",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('34090a000302'))])"
        ),
    ),
    Vector(
        "mp_remove_address",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[RemoveAddress(address_ids=b"\x01\x02\x03\x04\x05")]),
        "4500003000000000400666c60a0000010a000002c000005000000000000000007002faf05c8500001e08400102030405",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('400102030405'))])"
        ),
    ),
    Vector(
        "mp_priority",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[MPPriority(backup=True, address_id=b"\x07")]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf0618f00001e045107",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('5107'))])"
        ),
    ),
    Vector(
        "mp_fail",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[MPFail(data_sequence=0x0102030405060708)]),
        (
            "4500003400000000400666c20a0000010a000002c000005000000000000000008002faf0227200001e0c600001020304"
            "05060708"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('60000102030405060708'))])"
        ),
    ),
    Vector(
        "mp_fast_close",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[MPFastClose(receiver_key=0x1112131415161718)]),
        (
            "4500003400000000400666c20a0000010a000002c000005000000000000000008002faf0d23100001e0c700011121314"
            "15161718"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('70001112131415161718'))])"
        ),
    ),
    Vector(
        "mp_reset",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[MPReset(v=True, transient=True, reason=4)]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf02d9200001e048504",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('8504'))])"
        ),
    ),
    Vector(
        "mp_unknown",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / TCP(dst_port=80, options=[MPTCPUnknownOption(subtype=14, unassigned=3, data=b"x")]),
        "4500002c00000000400666ca0a0000010a000002c000005000000000000000006002faf0cf1d00001e04e378",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/TCP(sport=49152, dport=80, window=64240, options"
            "=[(30, bytes.fromhex('e378'))])"
        ),
    ),
    Vector(
        "sctp",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / SCTP(
            src_port=5000,
            dst_port=5001,
            verification_tag=0x01020304,
            chunks=[SCTPChunk(type=0, flags=3, data=b"\0\0\0\1\0\2\0\3\0\0\0\0hello")],
        ),
        (
            "4500003800000000408466400a0000010a0000021388138901020304e7ce2fca00030015000000010002000300000000"
            "68656c6c6f000000"
        ),
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/SCTP(sport=5000, dport=5001, tag=0x01020304)/SCT"
            "PChunkData(reserved=0, beginning=1, ending=1, tsn=1, stream_id=2, stream_seq=3, proto_id=0, data"
            "=b'hello')"
        ),
    ),
    Vector(
        "sctp_over_ipv6",
        IPv6(src="fd00::1", dst="fd00::2")
        / SCTP(dst_port=80, chunks=[SCTPChunk(type=11), SCTPChunk(type=4, data=b"\0\1\0\x08ping")]),
        (
            "60000000001c8440fd000000000000000000000000000001fd000000000000000000000000000002c000005000000000"
            "27317f330b0000040400000c0001000870696e67"
        ),
        LinkType.RAW,
        (
            "scapy: IPv6(src='fd00::1', dst='fd00::2')/SCTP(sport=49152, dport=80)/SCTPChunkCookieAck(flags=0"
            ")/SCTPChunkHeartbeatReq(flags=0, params=[SCTPChunkParamHeartbeatInfo(data=b'ping')])"
        ),
    ),
    Vector(
        "sctp_no_chunks",
        IPv4(src="10.0.0.1", dst="10.0.0.2") / SCTP(dst_port=80),
        "4500002000000000408466580a0000010a000002c000005000000000dbbf4022",
        LinkType.RAW,
        "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/SCTP(sport=49152, dport=80)",
    ),
    Vector(
        "sctp_padding",
        IPv4(src="10.0.0.1", dst="10.0.0.2")
        / SCTP(dst_port=80, chunks=[SCTPChunk(type=6, flags=1, data=b"\0\x0c\0\5!"), SCTPChunk(type=14)]),
        "4500003000000000408466480a0000010a000002c00000500000000047b90e1906010009000c0005210000000e000004",
        LinkType.RAW,
        (
            "scapy: IP(id=0, src='10.0.0.1', dst='10.0.0.2')/SCTP(sport=49152, dport=80)/SCTPChunkAbort(reser"
            "ved=0, TCB=1, error_causes=b'\\0\\x0c\\0\\5!')/SCTPChunkShutdownComplete(reserved=0, TCB=0)"
        ),
    ),
)
