"""Headless Chromium in a host of a lab, driven through its DevTools protocol."""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from programs import require
from websockets.sync.client import ClientConnection, connect

from rawkit.netns import Host

PATIENCE = 60

OPTIONS = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server"),
    "--remote-debugging-port=0",
]


class Browser:
    """One page. `events` has what it reported while its answers were waited for."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._session: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    @classmethod
    @contextmanager
    def started(cls, host: Host, folder: Path) -> Iterator[Self]:
        """A browser inside the host, with an empty profile of its own."""
        require("chromium")
        process = host.popen(
            ["chromium", *OPTIONS, f"--user-data-dir={folder}", "about:blank"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        try:
            said = "DevTools listening on "
            line = next((line for line in process.stderr if line.startswith(said)), None)
            assert line is not None, "chromium has ended"
            url = line.removeprefix(said).strip()
            parts = urlsplit(url)
            plain = host.open(socket.create_connection, (parts.hostname, parts.port), PATIENCE)
            plain.settimeout(None)
            with connect(url, sock=plain, max_size=None, proxy=None) as connection:
                yield cls(connection)
        finally:
            process.kill()
            process.wait()
            process.stderr.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the browser answers."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters, **self._session}))
        while (message := json.loads(self._connection.recv(PATIENCE))).get("id") != number:
            self.events.append(message)
        assert "result" in message, message
        result: dict[str, Any] = message["result"]
        return result

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited where it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> Any:
        """The value of a JavaScript expression, once it is true: asked again whenever the page changes."""
        return self.evaluate(
            f"""new Promise(done => {{
                const look = () => (value => value && (seen.disconnect(), done(value)))({condition});
                const seen = new MutationObserver(look);
                seen.observe(document, {{subtree: true, childList: true, attributes: true, characterData: true}});
                look();
            }})"""
        )

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is loaded."""
        self.call("Page.navigate", url=url)
        self.evaluate("new Promise(done => document.readyState == 'complete' ? done() : onload = () => done())")

    def type(self, text: str) -> None:
        """Type into what has the focus, once anything has: a page is loaded before its first field has it."""
        self.evaluate(
            """new Promise(done => document.activeElement === document.body
                ? addEventListener("focusin", () => done(), {once: true}) : done())"""
        )
        self.call("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press a key such as Enter."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if (key, kind) == ("Enter", "keyDown") else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=13, **text)

    def resize(self, width: int, height: int) -> None:
        """Have a window of that size, in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
