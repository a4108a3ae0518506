"""Vectors."""
from vector import Vector
IP_VECTORS: tuple[Vector, ...] = ()
