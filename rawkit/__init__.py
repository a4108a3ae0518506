"""rawkit: packets by hand, onto the wire, and back.

    packet = IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(src_port=1025, dst_port=80, flags="S") / b"hi"
    bytes(packet)                              # lengths, checksums and next protocols filled in
    dissect(frame).problems                    # what is wrong with a captured frame

All headers and options are here by name. Sockets are in `rawkit.link`, lab networks in `rawkit.netns`, scapy's
second opinion in `rawkit.verify`, every error in `rawkit.errors`.
"""

from rawkit import wire
from rawkit._version import __version__
from rawkit.errors import PacketError, RawkitError
from rawkit.layout import AUTO, MAC, Problem
from rawkit.pcap import Record, open_capture, write_capture
from rawkit.wire import *  # noqa: F403 - everything that its __all__ lists

__all__ = ["AUTO", "MAC", "PacketError", "Problem", "RawkitError", "Record", "__version__"]
__all__ += ["open_capture", "write_capture"]
__all__ += wire.__all__
