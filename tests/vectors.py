"""The vectors of all protocols, an area a module (`vectors_*.py`)."""

from __future__ import annotations

from vector import Vector
from vectors_carriers import CARRIER_VECTORS
from vectors_core import CORE_VECTORS
from vectors_encapsulations import ENCAPSULATION_VECTORS
from vectors_ip import IP_VECTORS
from vectors_link import LINK_VECTORS
from vectors_transport import TRANSPORT_VECTORS

__all__ = ["VECTORS"]

VECTORS: tuple[Vector, ...] = (
    *CARRIER_VECTORS,
    *CORE_VECTORS,
    *ENCAPSULATION_VECTORS,
    *IP_VECTORS,
    *LINK_VECTORS,
    *TRANSPORT_VECTORS,
)
