"""What every request passes before the application: whose name it calls us by, and how much of a body is read.

Plain ASGI, so that it also covers what the framework answers by itself.
"""

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Of every answer. There is no CORS header: pages of other sites may not read what this service says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one client, or all together, may take.

    Attributes:
        body: bytes of one request.
        bodies: bytes of all requests that are being read, wait or are worked on.
        jobs: images that wait or are worked on.
        workers: images that are worked on at once.
        patience: seconds for a request's head, and then for its body.
        grace: seconds for what is under way when the service is stopped.
        connections: open at once.
    """

    body: int = 10_000_000
    bodies: int = 100_000_000
    jobs: int = 64
    workers: int = 2
    patience: float = 12.0
    grace: float = 8.0
    connections: int = 500


class RefusedError(Exception):
    """A request that is not taken: a status of HTTP and the reason in a few words; `retry`: later it may be."""

    def __init__(self, status: int, reason: str, *, retry: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = {"retry-after": "1"} if retry else {}


class Bodies:
    """Reads bodies within the limits; one for the whole service."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.held = 0

    async def read(self, announced: str | None, receive: Receive) -> bytes:
        """The whole body; the caller gives its bytes back by `release`.

        Args:
            announced: the header content-length.
            receive: of ASGI.

        Raises:
            RefusedError: too large (413), too slow (408), cut off (400), or too much at once (503).
        """
        if announced is not None and (not announced.isdecimal() or int(announced) > self.limits.body):
            raise RefusedError(413, f"the image is larger than {self.limits.body // 10**6} MB")
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.patience):
                await self._fill(body, receive)
        except TimeoutError:
            self.release(len(body))
            raise RefusedError(408, f"the image did not come within {self.limits.patience:g} s") from None
        except BaseException:
            self.release(len(body))
            raise
        return bytes(body)

    def release(self, count: int) -> None:
        """Bytes that are not needed any more."""
        self.held -= count

    async def _fill(self, body: bytearray, receive: Receive) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedError(400, "the request was cut off")
            part = message.get("body", b"")
            body += part
            self.held += len(part)
            if len(body) > self.limits.body:
                raise RefusedError(413, f"the image is larger than {self.limits.body // 10**6} MB")
            if self.held > self.limits.bodies:
                raise RefusedError(503, "too many images at once; try again", retry=True)
            more = message.get("more_body", False)


def guarded(application: Application, host: str) -> Application:
    """The application behind the check of the header Host, its answers with our headers.

    A page of another site can make its own name point here (DNS rebinding) and would then read our answers as its own:
    so a request must call us by an address, as localhost, or by the name that we listen at.
    """
    extra = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    async def run(scope: Message, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        if scope["type"] == "http" and not is_own_name(_header(scope, b"host"), host):
            await answer(sending, 400, {"detail": "the header Host names another server"})
            return
        await application(scope, receive, sending)

    return run


def is_own_name(header: str, host: str) -> bool:
    """Whether a header Host (with or without a port) calls us by an address, as localhost or as `host`."""
    name = header.rpartition(":")[0] if header.rpartition(":")[2].isdecimal() else header
    name = name.lower().removesuffix(".")
    if name in {"localhost", host.lower()}:
        return True
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


async def answer(send: Send, status: int, document: Any) -> None:
    """Send a JSON document as a whole response."""
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _header(scope: Message, name: bytes) -> str:
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if len(found) == 1 else ""
