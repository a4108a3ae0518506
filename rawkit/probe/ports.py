"""Ports as people write them: numbers, ranges, names of services (services(5))."""

from __future__ import annotations

import socket

from rawkit.errors import FieldError

__all__ = ["parse_ports", "service_of"]


def parse_ports(text: str, protocol: str = "tcp", most: int = 65_535) -> list[int]:
    """The numbers in a text such as `22,80,1000-2000,https`, in order, each once; `-` is 1 to `most`.

    Names are those of services that this host knows for `protocol`. An end of a range that is left out is 1 or
    `most`. Raises FieldError.
    """
    ports: dict[int, None] = {}
    for part in text.split(","):
        word = part.strip()
        first, dash, last = word.partition("-")
        if dash and _is_number(first) and _is_number(last):
            low, high = int(first or 1), int(last or most)
            if low > high:
                raise FieldError("ports", "range", word, "a range whose first number is not the larger one")
            if high > most:
                raise FieldError("ports", "range", word, f"numbers up to {most}")
            ports |= dict.fromkeys(range(low, high + 1))
        else:
            ports[_port(word, protocol, most)] = None
    return list(ports)


def _is_number(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and len(text) <= 5)


def _port(word: str, protocol: str, most: int) -> int:
    if word and _is_number(word):
        number = int(word)
    else:
        try:
            number = socket.getservbyname(word, protocol) if word else -1
        except (OSError, ValueError) as error:
            expected = f"a number, a range such as 1-1024, or the name of a {protocol} service"
            raise FieldError("ports", "port", word, expected) from error
    if not 0 <= number <= most:
        raise FieldError("ports", "port", word, f"a number from 0 to {most}")
    return number


def service_of(port: int, protocol: str = "tcp") -> str:
    """The name that this host knows for a port; empty if none."""
    try:
        return socket.getservbyport(port, protocol)
    except OSError:
        return ""
