"""What can happen to an echo: the script of each end. What is said of it afterwards stands in `explained`."""

from __future__ import annotations

import errno
import socket
from typing import Final

from rawkit.echo.contrast import explained
from rawkit.echo.contrast.play import SHORT, SIZE, Asking, Scene, Serving, parts
from rawkit.echo.contrast.probed import largest
from rawkit.echo.contrast.relay import Act
from rawkit.echo.contrast.strangers import pass_by, strange_to
from rawkit.echo.endpoint import Client, Received
from rawkit.echo.endpoint import explained as explained_error
from rawkit.echo.handmade import RawSocket
from rawkit.echo.kinds import Kind
from rawkit.errors import FieldError, KernelError, RawkitError, TimedOut

__all__ = ["ECHO", "LOST", "SCENES", "SWAPPED", "TWO_WRITES"]

LARGE: Final = 70_000
"""Bytes: more than a datagram can have."""


def _everywhere(kind: Kind) -> bool:
    return True


def _over_a_wire(kind: Kind) -> bool:
    return not kind.within_machine


def _with_connections(kind: Kind) -> bool:
    return kind.connected


def _answered_by_programs(kind: Kind) -> bool:
    return not kind.kernel_answers


# ---------------------------------------------------------------------- what clients do


def _ask(asking: Asking) -> None:
    asking.echo(asking.client(), asking.data)


def _ask_in_vain(asking: Asking) -> None:
    asking.echo(asking.client(SHORT), asking.data)


def _ask_twice(asking: Asking) -> None:
    """As a program does that knows of losses: what stays unanswered is sent once more."""
    if asking.kind.connected:
        _ask(asking)
        return
    client = asking.client(SHORT)
    try:
        asking.echo(client, asking.data)
    except TimedOut as error:
        asking.failed(error)
        asking.echo(client, asking.data, again=True)


def _ask_for_less(asking: Asking) -> None:
    """Have it all echoed; if that is too much, as much as the socket takes at once."""
    client = asking.client()
    try:
        asking.echo(client, asking.data)
    except (KernelError, FieldError) as error:
        if getattr(error, "errno", errno.EMSGSIZE) != errno.EMSGSIZE:
            raise
        asking.failed(error)
        most = largest(asking.kind, len(asking.data))
        if isinstance(error, FieldError):  # so that the kernel was not even asked
            _have_refused(asking, client, asking.data[: most + 1])
        asking.echo(client, asking.data[:most])


def _have_refused(asking: Asking, client: Client, data: bytes) -> None:
    try:
        asking.echo(client, data)
    except KernelError as error:
        asking.failed(error)


def _send(asking: Asking) -> None:
    asking.send(asking.client(), asking.data)
    asking.wait_for_the_server()


def _send_in_two(asking: Asking) -> None:
    client = asking.client()
    _send_parts(asking, client)
    asking.settle(client)


def _send_in_two_swapped(asking: Asking) -> None:
    """The same, both on their way at once: a stream is told not to wait for the first to be acknowledged."""
    client = asking.client()
    if asking.kind.connected:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # type: ignore[attr-defined]
    asking.stage.arm()
    _send_parts(asking, client)
    asking.settle(client)


def _send_parts(asking: Asking, client: Client) -> None:
    for part in parts(asking.data):
        asking.send(client, part)


def _send_and_shut_down(asking: Asking) -> None:
    """Say that nothing more will be sent, try to all the same, and then see what still comes."""
    client = asking.client()
    asking.send(client, asking.data)
    client.finish()
    try:
        asking.send(client, asking.data)
    except RawkitError as error:
        asking.failed(error)
    while asking.heard(client.receive(SIZE)).data:
        pass


def _send_to_the_dying(asking: Asking) -> None:
    """Send, see the other end's process die, then go on as if nothing had happened."""
    client = asking.client(SHORT)
    asking.send(client, asking.data)
    asking.wait_for_the_server()
    for again in (False, True):
        try:
            if again:
                asking.send(client, asking.data)
            asking.heard(client.receive(SIZE))
        except RawkitError as error:
            asking.failed(error)


def _ask_among_strangers(asking: Asking) -> None:
    client = asking.client()
    pass_by(asking.kind, asking.stage, strange_to(asking.data))
    asking.echo(client, asking.data)


# ---------------------------------------------------------------------- what servers do


def _answer(serving: Serving) -> None:
    serving.server.answer(serving.server.accept(), SIZE, serving.note)


def _read_short(serving: Serving) -> None:
    """Receive by a buffer that is too small by two bytes, twice. A raw socket's own call is asked, too."""
    serving.server.accept()
    size = len(serving.data) - 2
    for _ in range(2):
        if isinstance(serving.server, RawSocket):
            with explained_error("receive", SHORT):
                data, _, flags, _ = serving.socket.recvmsg(size)
            serving.heard(Received(data, None, bool(flags & socket.MSG_TRUNC)))
        else:
            serving.heard(serving.server.receive(size))
        serving.wait_at_most(SHORT)


def _listen(serving: Serving) -> None:
    """Receive, once all is sent, until all of it is there."""
    serving.server.accept()
    serving.wait_for_the_client()
    serving.wait_at_most(SHORT)
    missing = len(serving.data)
    while missing > 0:
        missing -= len(serving.heard(serving.server.receive(SIZE)).data)


def _answer_at_the_end(serving: Serving) -> None:
    """Answer only once the client has said that it is done."""
    serving.server.accept()
    question = b""
    while data := serving.heard(serving.server.receive(SIZE)).data:
        question += data
    serving.server.send(question)
    serving.server.hang_up()


def _die(serving: Serving) -> None:
    """Die without a word, with bytes unread where a stream leaves any."""
    serving.server.accept()
    serving.heard(serving.server.receive(len(serving.data) - 2))
    serving.die()


# ---------------------------------------------------------------------- the scenes

ECHO: Final = Scene("echo", "the plain echo", _everywhere, _ask, _answer, explained.echo)

LOST: Final = Scene(
    "lost", "the first frame is dropped", _over_a_wire, _ask_twice, _answer, explained.lost, act=Act.DROP
)
TWO_WRITES: Final = Scene(
    "two-writes",
    "the data in two sends; the server receives only after both",
    _everywhere,
    _send_in_two,
    _listen,
    explained.two_writes,
    needs_program=True,
)
SWAPPED: Final = Scene(
    "swapped",
    "'hello' in two sends, the first held back for the second to overtake it",
    _over_a_wire,
    _send_in_two_swapped,
    _listen,
    explained.swapped,
    act=Act.SWAP,
    needs_program=True,
    arms_itself=True,
    instead=b"hello",
)

_SCENES: Final = (
    LOST,
    Scene("closed", "nobody listens", _answered_by_programs, _ask_in_vain, None, explained.closed),
    Scene(
        "short-read",
        "the server's buffer is two bytes smaller than the data",
        _everywhere,
        _send,
        _read_short,
        explained.short_read,
        needs_program=True,
    ),
    TWO_WRITES,
    SWAPPED,
    Scene(
        "large",
        f"{LARGE:,} bytes are to be echoed",
        _everywhere,
        _ask_for_less,
        _answer,
        explained.large,
        offload=False,
        instead=b"0123456789" * (LARGE // 10),
    ),
    Scene(
        "half-close",
        "the client says that it is done, and waits for an answer",
        _with_connections,
        _send_and_shut_down,
        _answer_at_the_end,
        explained.half_close,
    ),
    Scene(
        "crash",
        "the server's process is killed",
        _answered_by_programs,
        _send_to_the_dying,
        _die,
        explained.crash,
    ),
    Scene(
        "stranger",
        "something for somebody else is sent to the client's host",
        _over_a_wire,
        _ask_among_strangers,
        _answer,
        explained.stranger,
    ),
)

SCENES: Final[dict[str, Scene]] = {scene.name: scene for scene in _SCENES}
"""Those to switch on, by name."""
