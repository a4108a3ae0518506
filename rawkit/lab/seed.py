"""What differs from student to student: addresses, ports, identifiers and nonces, drawn from a seed."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
from copy import copy
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from random import Random
from typing import Any, Final

from rawkit.errors import FieldError
from rawkit.layout import MAC

__all__ = ["STUDENT_NAME", "Seed", "Values", "student_of"]

_DRAWS: Final = 10_000
"""How often a value that was drawn before is drawn again."""

STUDENT_NAME: Final = re.compile(r"(?!.*--)[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")

_WORDS: Final = (
    "amber", "basil", "cedar", "delta", "ember", "fjord", "grove", "hazel", "indigo", "jasper", "karst", "linen",
    "maple", "north", "ocean", "pearl", "quartz", "river", "slate", "tulip", "umber", "velvet", "willow", "zephyr",
)  # fmt: skip


def student_of(name: str | None) -> str:
    """The student's name: the one given, or that of $RAWKIT_STUDENT, or of who is logged in.

    Raises FieldError for a name with other than letters, digits and `._@-`, since it becomes part of a file's
    name.
    """
    chosen = name or os.environ.get("RAWKIT_STUDENT") or os.environ.get("SUDO_USER") or _login()
    if not STUDENT_NAME.fullmatch(chosen):
        raise FieldError("lab", "student", chosen, "a name of up to 64 letters, digits and ._@-, without --")
    return chosen


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return "student"


class Values(dict[str, Any]):
    """The values of one student's exercise, texts and numbers; also to be had as attributes: `v.target`.

    Those whose names begin with an underscore are for the exercise alone, and are not told to the student.
    """

    salt: str = ""
    """What the secret ones of this run were drawn with."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the exercise has no value {name!r}; it has {', '.join(self)}") from None

    def digest(self) -> str:
        """A digest (SHA-256) of its texts and numbers."""
        plain = {name: value for name, value in self.items() if isinstance(value, str | int | float)}
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

    def environment(self) -> dict[str, str]:
        """As variables of the environment: `target` is LAB_TARGET; LAB_INTERFACE is that of the student's host."""
        told = {f"LAB_{name.upper()}": str(value) for name, value in self.items() if name[0] != "_"}
        return {"LAB_INTERFACE": "eth0", **told}


class Seed:
    """Draws values; the same for the same exercise and student, everywhere, but for those of `secret`.

    Draw what students are told before what they are not.
    """

    def __init__(self, exercise: str, student: str, salt: str = "") -> None:
        self.text = hashlib.sha256(f"{exercise}/{student}".encode()).hexdigest()[:16]
        self._salt = salt
        self._random = Random(self.text)
        self._drawn: set[Any] = set()
        self._told: set[Any] = set()

    @cached_property
    def secret(self) -> Seed:
        """Draws what a student has to find out: another for each salt, and so not to be computed beforehand."""
        secret = copy(self)
        secret._random = Random(self.text + self._salt)
        secret._drawn, secret._told = set(), self._drawn
        return secret

    def network(self, version: int = 4) -> IPv4Network | IPv6Network:
        """A /24 within 10.0.0.0/8; or of IP version 6 a /64 within fd00::/8 (RFC 4193); not drawn before."""
        if version == 6:
            return IPv6Network((self._new(lambda: 0xFD << 56 | self._random.getrandbits(56)) << 64, 64))
        return IPv4Network((self._new(lambda: self._random.randrange(0x0A0100, 0x0B0000)) << 8, 24))

    def address(self, network: IPv4Network | IPv6Network) -> str:
        """An address of a host there, that was not drawn before."""
        return str(self._new(lambda: network[self._random.randrange(2, network.num_addresses - 2)]))

    def mac(self) -> str:
        """The MAC address of a station, that was not drawn before."""
        return str(MAC(b"\2" + self._new(lambda: self._random.randbytes(5))))

    def port(self) -> int:
        """A port that was not drawn before: one that neither services nor the kernel choose."""
        return int(self._new(lambda: self._random.randrange(5000, 30_000)))

    def number(self, least: int, most: int) -> int:
        """A number from `least` to `most`, that was not drawn before."""
        return int(self._new(lambda: self._random.randint(least, most)))

    def nonce(self) -> str:
        """Sixteen hexadecimal digits that nobody guesses."""
        return self._random.randbytes(8).hex()

    def word(self) -> str:
        """A word that was not drawn before."""
        return str(self._new(lambda: self._random.choice(_WORDS)))

    def _new(self, draw: Any) -> Any:
        for _ in range(_DRAWS):
            if (found := draw()) not in self._drawn and found not in self._told:
                self._drawn.add(found)
                return found
        raise FieldError("Seed", "draw", len(self._drawn), "fewer values of one kind than there are")
