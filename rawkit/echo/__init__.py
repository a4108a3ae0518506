"""The same small job, echo (RFC 862), over every kind of socket: servers and clients, and what each really did."""

from rawkit.echo.kinds import KINDS, Kind

__all__ = ["KINDS", "Kind"]
