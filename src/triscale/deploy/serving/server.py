"""From an address to a running service, and to its orderly end."""

import errno
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from triscale.data.decode.image import pillow_warnings_off
from triscale.deploy.serving.guard import Limits
from triscale.deploy.serving.service import Service, application
from triscale.errors import InputError, OutputError, UsageError
from triscale.weights import Predictor


def listen(host: str, port: int) -> socket.socket:
    """A socket that holds the address; done first, since nothing else need be done if it fails.

    Args:
        host: a name or an address of this machine.
        port: 0 takes a free one.

    Raises:
        UsageError: no such port, or a name that means no address.
        OutputError: the address is taken, is not ours, or needs rights.
    """
    if not 0 <= port <= 65535:
        raise UsageError(f"--port is {port}; give 1 to 65535, or 0 for any free one.")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise UsageError(f"--host {host}: no such name or address.") from None
    try:
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        reason = "it is taken; give another --port" if error.errno == errno.EADDRINUSE else error.strerror
        raise OutputError(f"cannot listen at {host} port {port}: {reason}.") from None


def url(listening: socket.socket) -> str:
    """Where a browser finds the service."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(
    classifier: Predictor,
    listening: socket.socket,
    host: str = "127.0.0.1",
    *,
    limits: Limits | None = None,
    ready: Callable[[], None] | None = None,
) -> None:
    """Answer requests until SIGTERM or SIGINT; what is under way is finished then, and the address is free again.

    Args:
        classifier: what answers.
        listening: see `listen`; it is closed in the end.
        host: the name that requests may call us by, beside addresses and localhost.
        limits: see `Limits`.
        ready: is called once requests are answered.

    Raises:
        InputError: FastAPI or uvicorn is not installed.
    """
    limits = limits or Limits()
    service = Service(classifier, limits)
    try:
        with listening, pillow_warnings_off():
            _server(application(service, host), limits, ready).run(sockets=[listening])
    finally:
        service.pool.shutdown(cancel_futures=True)


def _server(app: Any, limits: Limits, ready: Callable[[], None] | None) -> Any:
    """The server of uvicorn, with an end of our own: it would end by the signal itself, which looks like a failure."""
    try:
        import uvicorn  # noqa: PLC0415  of an extra
    except ImportError:
        raise InputError("the service needs FastAPI and uvicorn: pip install 'triscale[serve]'.") from None

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if ready is not None:
                ready()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            def stop(number: int, frame: FrameType | None) -> None:
                del number, frame
                self.force_exit = self.should_exit  # the second one
                self.should_exit = True

            asking = (signal.SIGINT, signal.SIGTERM)
            before = [signal.signal(one, stop) for one in asking]
            try:
                yield
            finally:
                for one, handler in zip(asking, before, strict=True):
                    signal.signal(one, handler)

    return Server(
        uvicorn.Config(
            app,
            http=_patient(limits.patience),
            ws="none",
            loop="asyncio",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            limit_concurrency=limits.connections,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=int(limits.grace),
        )
    )


def _patient(patience: float) -> Any:
    """The protocol of uvicorn, which by itself would wait forever for a request's head."""
    from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: PLC0415  of an extra

    class Patient(H11Protocol):
        head: Any = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.head = self.loop.call_later(patience, transport.close)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:  # the head is there
                self._cancel()
            elif self.head is None:
                self.head = self.loop.call_later(patience, self.transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            self._cancel()
            super().connection_lost(exc)

        def _cancel(self) -> None:
            if self.head is not None:
                self.head.cancel()
                self.head = None

    return Patient
