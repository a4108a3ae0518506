"""rawkit: packets by hand, onto the wire, and back.

    packet = IPv4(src="10.0.0.1", dst="10.0.0.2") / TCP(src_port=1025, dst_port=80, flags="S") / b"hi"
    bytes(packet)                              # lengths, checksums and next protocols filled in
    dissect(frame).problems                    # what is wrong with a captured frame

All headers and options are here by name. Sockets are in `rawkit.link`, lab networks in `rawkit.netns`, scapy's
second opinion in `rawkit.verify`, every error in `rawkit.errors`.

The names are imported at the first use of any: making code of all declarations takes a tenth of a second,
which `rawkit --help` can do without.
"""

from typing import TYPE_CHECKING, Any

from rawkit._version import __version__

if TYPE_CHECKING:
    from rawkit import wire
    from rawkit.errors import PacketError, RawkitError
    from rawkit.layout import AUTO, MAC, Problem, Severity
    from rawkit.pcap import Record, open_capture, write_capture
    from rawkit.wire import *  # noqa: F403 - everything that its __all__ lists

    __all__ = ["AUTO", "MAC", "PacketError", "Problem", "RawkitError", "Record", "Severity", "__version__"]
    __all__ += ["open_capture", "write_capture"]
    __all__ += wire.__all__
else:
    _SOURCES = {
        "rawkit.errors": ["PacketError", "RawkitError"],
        "rawkit.layout": ["AUTO", "MAC", "Problem", "Severity"],
        "rawkit.pcap": ["Record", "open_capture", "write_capture"],
        "rawkit.wire": None,  # all of it
    }

    def __getattr__(name: str) -> Any:
        if name.startswith("_") and name != "__all__":
            raise AttributeError(f"module 'rawkit' has no attribute {name!r}")
        from importlib import import_module

        public = {"__version__": __version__}
        for source, names in _SOURCES.items():
            module = import_module(source)
            public |= {key: getattr(module, key) for key in names or module.__all__}
        globals().update(public, __all__=list(public))
        try:
            return globals()[name]
        except KeyError:
            raise AttributeError(f"module 'rawkit' has no attribute {name!r}") from None

    def __dir__() -> list[str]:
        return __getattr__("__all__")
