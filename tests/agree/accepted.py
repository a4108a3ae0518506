"""The differences between rawkit and tshark that are accepted, each with the reason."""

from __future__ import annotations

from agree.comparison import Difference

__all__ = ["ACCEPTED", "reason_for"]

ACCEPTED: tuple[str, ...] = ()


def reason_for(difference: Difference) -> str | None:
    return None
