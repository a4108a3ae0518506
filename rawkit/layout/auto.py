"""AUTO: the value of a field that is filled in when the packet is built."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from rawkit.errors import RawkitError

__all__ = ["AUTO", "AutoError"]


class AutoError(RawkitError, TypeError):
    """AUTO was used as if it were a number."""


class _Auto:
    """The type of AUTO. There is one instance, and it is no legal value of any field."""

    __slots__ = ()
    _instance: _Auto | None = None

    def __new__(cls) -> _Auto:
        if cls._instance is None:
            cls._instance = object.__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "AUTO"

    def __reduce__(self) -> str:
        return "AUTO"

    def _refuse(self, *_: object) -> NoReturn:
        raise AutoError("AUTO is not a number: the field is filled in by packet.built(), or when it is sent")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = __rfloordiv__ = _refuse
    __truediv__ = __rtruediv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __pos__ = _refuse
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = __neg__ = __abs__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __index__ = __float__ = __bool__ = _refuse


AUTO: Final[Any] = _Auto()
"""Stands for every type of field, hence `Any`; `header.checksum is AUTO` asks whether it is unfilled."""
