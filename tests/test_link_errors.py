"""Errors as objects: they cross process boundaries whole, and their remedies can be typed."""

from __future__ import annotations

import copy
import errno
import pickle

import pytest

from rawkit import errors
from rawkit.errors import (
    BuildError,
    CaptureError,
    ExpressionError,
    FieldError,
    FileError,
    FilterError,
    InterfaceError,
    KernelError,
    LayerError,
    MissingError,
    NeedsForceError,
    NotPermittedError,
    PacketError,
    ProgramError,
    RawkitError,
    RefusedError,
    ReplyError,
    TimedOut,
    TruncatedError,
    UnknownHeaderError,
    UnreachableError,
    kernel_error,
)
from rawkit.wire import IPv4

ONE_OF_EACH = [
    RawkitError("words"),
    PacketError("IPv4", "ihl", 14, 20, 16, "an odd one"),
    TruncatedError(IPv4, "dst", 14, 20, 16),
    UnknownHeaderError("MPLSPayload", "", 18, 0, 240, "unknown first byte of an MPLS payload 0xf0"),
    LayerError("TCP", ["Ethernet", "IPv4"]),
    FieldError("IPv4", "ttl", 256, "0 to 255"),
    BuildError("UDP", "checksum", "no IP header"),
    ExpressionError("IP(", 3, "no end"),
    CaptureError("x.pcap", 24, "a record", "nothing"),
    FilterError("tpc", "syntax error", 0),
    ProgramError(3, "division by zero"),
    MissingError("scapy", "install it"),
    NeedsForceError(["the source 192.0.2.9 is not this host's"]),
    TimedOut("receive on eth0", 0.5),
    ReplyError("10.0.1.2:80", "status line", "HTTP/1.1", "'SSH-2.0'"),
    RefusedError("10.0.1.2:80", "closed with 1009", "send less"),
    KernelError(errno.EINVAL, "send", "do not"),
    NotPermittedError(errno.EPERM, "send", "be root"),
    InterfaceError(errno.ENODEV, "open eth0", "make one"),
    UnreachableError(errno.EHOSTUNREACH, "receive", "10.0.1.2 says host unreachable"),
    FileError(errno.ENOENT, "open x.pcap", "check the name"),
]


def test_every_error_is_in_the_list() -> None:
    kinds = {getattr(errors, name) for name in errors.__all__ if isinstance(getattr(errors, name), type)}
    assert {type(error) for error in ONE_OF_EACH} == kinds


@pytest.mark.parametrize("duplicate", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_whole(error: RawkitError, duplicate) -> None:  # type: ignore[no-untyped-def]
    error.add_note("seen in a pool")
    other = duplicate(error)
    assert type(other) is type(error)
    assert str(other) == str(error)
    assert other.args == error.args
    assert vars(other) == vars(error)
    assert getattr(other, "errno", None) == getattr(error, "errno", None)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (10**5000, "got a number of 16610 bits"),
        (-(10**5000), "got a number of 16610 bits"),
        ([10**5000], "got list with a number too long to print"),
        ("x" * 100, "got '" + "x" * 56 + "..."),
    ],
    ids=["number", "negative", "list", "text"],
)
def test_a_value_of_any_length_is_told_briefly(value: object, told: str) -> None:
    error = FieldError("T", "f", value, "x")
    assert error.value is value
    assert str(error).endswith(told)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES])
def test_the_remedy_for_a_missing_privilege_can_be_typed(number: int) -> None:
    error = kernel_error(OSError(number, ""), "open it")
    assert isinstance(error, NotPermittedError)
    assert error.remedy == "needs CAP_NET_RAW: run as root (sudo), or in a network of your own (unshare -rn)"


def test_an_error_number_can_have_a_remedy_of_its_own() -> None:
    error = kernel_error(OSError(errno.EINVAL, ""), "send", remedies={errno.EINVAL: "{as given}"})
    assert str(error) == "send: {as given}"
