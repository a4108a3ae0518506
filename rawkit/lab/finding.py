"""What a check found: whether something holds, what was expected, what was seen, and where."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Finding"]


class Finding(NamedTuple):
    """The outcome of one question about a lab; true where the answer is yes, so that `assert` takes it."""

    passed: bool
    expected: str
    """In words, without a full stop: `an ICMPv4 echo request from you`."""
    seen: str
    """In words: what there was instead, or where it holds."""
    frames: tuple[int, ...] = ()
    """Numbers of the frames that it is about, from 1, as `rawkit lab why` shows them; the first counts most."""
    start: int | None = None
    """First byte in question of the first frame; None where it is about all of it, or about none."""
    stop: int | None = None
    """The byte behind the last one in question."""

    def __bool__(self) -> bool:
        return self.passed

    def place(self) -> str:
        """Where it is, in words: `frame 3, bytes 34 to 35`; empty where it is about no frame."""
        if not self.frames:
            return ""
        shown = ", ".join(map(str, self.frames[:5])) + (", ..." if len(self.frames) > 5 else "")
        frames = f"frame {shown}" if len(self.frames) == 1 else f"frames {shown}"
        if self.start is None or self.stop is None:
            return frames
        last = self.stop - 1
        return f"{frames}, " + (f"byte {self.start}" if last <= self.start else f"bytes {self.start} to {last}")

    def message(self) -> str:
        """All of it in one line."""
        place = self.place()
        where = f" ({place})" if place else ""
        return f"{self.seen}{where}" if self.passed else f"expected {self.expected}; seen: {self.seen}{where}"

    def __repr__(self) -> str:
        return f"<{'holds' if self.passed else 'does not hold'}: {self.message()}>"
