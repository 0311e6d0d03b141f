"""A worker as its owner sees it: a process of its own on some cores, asked and answered through a pipe."""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import IO, Any, TypeVar

import msgspec

from triscale.errors import InputError, OutOfMemoryError
from triscale.latency.measuring.messages import Answer, Rejected, Request
from triscale.orphans import signals_held

A = TypeVar("A")

_START = (
    "import sys; at = sys.argv[1:4]; sys.path[:] = sys.argv[4:]; del sys.argv[1:]; "
    "from triscale.latency.measuring.measuring_worker import main; main(int(at[0]), int(at[1]), at[2])"
)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_REAP, _WORDS = 5.0, 200


class PinnedProcess:
    """A worker on some cores whose libraries start with one thread a core; it ends with its owner.

    Args:
        cores: their numbers; where the system cannot pin, their count alone matters.
        environment: variables beside those of this process.
    """

    def __init__(self, cores: tuple[int, ...], environment: Mapping[str, str]) -> None:
        here, there = multiprocessing.Pipe()
        self._connection = here
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  what libraries print, kept for as long as the process
        self._answers = msgspec.json.Decoder(Answer)
        threads = dict.fromkeys(_THREADS, str(len(cores)))
        self._process = _started(there, cores, {**os.environ, **threads, **environment}, self._said)
        there.close()

    def ask(self, request: Request, kind: type[A]) -> A:
        """The answer to a request.

        Raises:
            InputError: the worker rejects it, or has ended: what it runs crashed, or the system killed it.
        """
        try:
            self._connection.send_bytes(msgspec.json.encode(request))
            answer = self._answers.decode(self._connection.recv_bytes())
        except (EOFError, OSError):
            raise InputError(f"the worker process {self._fate()}{self._last_words()}.") from None
        if isinstance(answer, Rejected):
            raise InputError(answer.message)
        assert isinstance(answer, kind)  # noqa: S101  each request has one kind of answer
        return answer

    def _fate(self) -> str:
        try:
            code = self._process.wait(_REAP)
        except subprocess.TimeoutExpired:
            return "closed its pipe"
        if code == -signal.SIGKILL:
            return "was killed, perhaps for want of memory"
        return f"crashed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"

    def _last_words(self) -> str:
        """The last line that the process printed."""
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {last[:_WORDS].rstrip('.')}" if last else ""

    def close(self) -> None:
        """End the process and wait for it."""
        self._connection.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP)
        self._said.close()

    def __enter__(self) -> "PinnedProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _started(
    there: "Connection[Any, Any]", cores: tuple[int, ...], environment: Mapping[str, str], said: IO[bytes]
) -> "subprocess.Popen[bytes]":
    """Start a worker at the other end of a pipe; the signals to stop wait until it knows what to do with them."""
    at = [str(there.fileno()), str(os.getpid()), ",".join(map(str, cores))]
    try:
        with signals_held():
            return subprocess.Popen(  # noqa: S603  this Python, our own module
                [sys.executable, "-c", _START, *at, *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                pass_fds=(there.fileno(),),
                env=dict(environment),
            )
    except OSError as error:
        raise OutOfMemoryError(f"a worker process cannot be started: {error.strerror or error}.") from None
