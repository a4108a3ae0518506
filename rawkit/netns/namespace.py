"""One network namespace, held by a descriptor and nothing else (network_namespaces(7))."""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import Self

from rawkit.errors import kernel_error
from rawkit.netns import _kernel

__all__ = ["Namespace"]

_CAPABILITY = "CAP_SYS_ADMIN (rawkit.netns.reexec_in_user_namespace gives it to everyone)"


class _Entered(threading.local):
    """The namespaces that this thread came from, the latest last."""

    def __init__(self) -> None:
        self.descriptors: list[int] = []


_entered = _Entered()


class Namespace:
    """A network namespace of its own, empty but for `lo`, which is down.

    It has no name under /run/netns: when its descriptors, sockets and programs are gone, so is it, however
    its owner ended. `with namespace:` moves the calling thread into it and back out; threads do not disturb
    each other, and entries nest.

    Raises NotPermittedError without CAP_SYS_ADMIN in the user namespace.
    """

    def __init__(self) -> None:
        self._descriptor = -1
        try:
            before = os.open(_kernel.CURRENT_NETWORK, os.O_RDONLY | os.O_CLOEXEC)
            try:
                _kernel.unshare(_kernel.CLONE_NEWNET)
                try:
                    self._descriptor = os.open(_kernel.CURRENT_NETWORK, os.O_RDONLY | os.O_CLOEXEC)
                finally:
                    _kernel.setns(before, _kernel.CLONE_NEWNET)
            finally:
                os.close(before)
        except OSError as error:
            self.close()
            raise kernel_error(error, "create a network namespace", _CAPABILITY) from error

    def fileno(self) -> int:
        """The descriptor that holds the namespace; -1 when closed."""
        return self._descriptor

    def close(self) -> None:
        """Let go of the namespace. Closing twice is no error."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        before = os.open(_kernel.CURRENT_NETWORK, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _kernel.setns(self._descriptor, _kernel.CLONE_NEWNET)
        except OSError as error:
            os.close(before)
            raise kernel_error(error, "enter a network namespace", _CAPABILITY) from error
        _entered.descriptors.append(before)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before = _entered.descriptors.pop()
        try:
            _kernel.setns(before, _kernel.CLONE_NEWNET)
        finally:
            os.close(before)
