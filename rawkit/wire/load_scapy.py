"""The one place that imports scapy, and only when something asks for it.

Scapy reads the system's routes when it is imported; here it is kept from that, since nothing is sent.
"""

from __future__ import annotations

import importlib
import logging
import sys
import warnings
from functools import cache
from typing import Any

from rawkit.errors import MissingError

__all__ = ["scapy_with", "scapy_with_applications"]


@cache
def scapy_with(*modules: str) -> Any:
    """Scapy's configuration (`scapy.config.conf`), those modules of it being loaded. Raises MissingError."""
    try:
        import scapy.config as config
    except ImportError:
        raise MissingError("scapy", 'pip install "rawkit[verify]"') from None
    if any(module not in sys.modules for module in modules):
        logging.getLogger("scapy").setLevel(logging.ERROR)
        before = config.conf.route_autoload, config.conf.route6_autoload
        config.conf.route_autoload = config.conf.route6_autoload = False
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what scapy itself imports
                for module in modules:
                    importlib.import_module(module)
        finally:
            config.conf.route_autoload, config.conf.route6_autoload = before
    return config.conf


@cache
def scapy_with_applications() -> Any:
    """Scapy's configuration, every protocol of it being loaded that is part of scapy itself.

    TLS is so only where the library `cryptography` is installed (`rawkit[deep]`), without which scapy has none.
    """
    conf = scapy_with("scapy.layers.all")
    scapy_with("scapy.layers.http")  # which is not in scapy's own list of all
    if conf.crypto_valid:
        scapy_with("scapy.layers.tls.all")
    return conf
