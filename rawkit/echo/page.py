"""What a WebSocket server says to a browser that only asks for a page: one that echoes through the same port."""

from __future__ import annotations

import base64
import email.utils
import hashlib
import re
from importlib.resources import files
from typing import Final

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

__all__ = ["plain_answer"]

NOT_FOUND: Final = b"the page is at /; all other paths are for WebSocket connections\n"


def plain_answer(request: Request) -> Response | None:
    """The answer to a request for a page; None for one that is to become a WebSocket (RFC 6455, section 4.2.1)."""
    if request.method not in ("GET", "HEAD") or "Upgrade" in request.headers:
        return None
    found = request.path.partition("?")[0] == "/"
    body, policy = _PAGE if found else (NOT_FOUND, "default-src 'none'")
    headers = Headers(
        {
            "Date": email.utils.formatdate(usegmt=True),
            "Content-Type": f"text/{'html' if found else 'plain'}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Connection": "close",
        }
    )
    status, reason = (200, "OK") if found else (404, "Not Found")
    return Response(status, reason, headers, b"" if request.method == "HEAD" else body)


def _page() -> tuple[bytes, str]:
    """The page, and a policy that lets it run what stands in it and connect back, and nothing else."""
    page = files("rawkit.echo").joinpath("page.html").read_bytes()
    script, style = (_source(page, tag) for tag in ("script", "style"))
    rest = "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return page, f"default-src 'none'; script-src {script}; style-src {style}; {rest}"


def _source(page: bytes, tag: str) -> str:
    """What stands in an element, as a Content Security Policy names it (CSP Level 3, section 2.3.1)."""
    (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>".encode(), page, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'"


_PAGE: Final = _page()
