"""Reach a Ray cluster, or start one on this machine; an address that does not answer is an error within a minute."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from triscale.errors import InputError

REACH, ANSWER = 10.0, 35.0
"""Seconds in which the address must take a connection, and the cluster behind it answer."""
_KNOWN = ("auto", "local")


def ray_module() -> Any:
    """Ray, imported when it is needed.

    Raises:
        InputError: it is not installed.
    """
    # Ray prints deaths of workers to the output, which may be one JSON document; they are events of ours.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".*")
    try:
        import ray  # noqa: PLC0415  an extra, and slow to import
    except ImportError:
        raise InputError("trainings on a cluster need Ray: pip install 'triscale[ray]' on every node.") from None
    return ray


def pinned(node: str, *, soft: bool = False) -> Any:
    """The scheduling strategy for one node, by its id; `soft`: another will do where it is gone."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415  an extra

    return NodeAffinitySchedulingStrategy(node, soft=soft)


def connect(address: str, *, cores: int | None = None) -> bool:
    """Make this process a driver of a cluster.

    Args:
        address: `HOST:PORT` of a cluster's head, `auto` for the cluster that this machine is part of, or `local` to
            start one here that ends with this process.
        cores: for `local`, how many the cluster may use.

    Returns:
        Whether this call connected; False where the process was connected already.

    Raises:
        InputError: no cluster answers there, it wants another token, or has another version of Ray or Python.
    """
    _reach(address)
    ray = ray_module()
    if ray.is_initialized():
        return False
    own: dict[str, Any] = {"num_cpus": cores, "include_dashboard": False} if address == "local" else {}
    if address != "local":
        _answers(address)
    try:
        with _as_here() if address == "local" else nullcontext():
            ray.init(address=address, log_to_driver=False, configure_logging=False, **own)
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        raise _refused(address, str(error)) from None
    return True


@contextmanager
def _as_here() -> Iterator[None]:
    """Processes that start here find modules where this one does, and are no nicer than local workers."""
    modules = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    own = {"PYTHONPATH": modules, "RAY_worker_niceness": "0"}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _reach(address: str) -> None:
    """Ray itself waits for an address that is not there, without an end."""
    if address in _KNOWN:
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in address:
        raise InputError(
            f"--address {address} is not HOST:PORT. Give the address that `ray start --head` prints (port 6379),\n"
            "on a node of the cluster `auto`. Clients (ray://) are not supported: start the command on a node."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACH).close()
    except (OSError, OverflowError) as error:
        raise _refused(address, str(getattr(error, "strerror", None) or error)) from None


def _answers(address: str) -> None:
    """Ask for the cluster's state in another process, which can be killed where no answer comes."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise _refused(address, f"no answer in {ANSWER:g} s") from None
    if done.returncode:
        raise _refused(address, done.stderr)


def _refused(address: str, words: str) -> InputError:
    """What a user can do about it, in three lines."""
    if "InvalidAuthToken" in words or "AuthenticationError" in words:
        return InputError(
            f"the Ray cluster at {address} rejects the token of this process.\n"
            "`ray get-auth-token` on its head shows the right one. Put it into a file, name the file in\n"
            "RAY_AUTH_TOKEN_PATH, and set RAY_AUTH_MODE=token."
        )
    last = (words.strip().splitlines() or ["no answer"])[-1][:200]
    mismatch = next((line.strip() for line in words.splitlines() if "ersion mismatch" in line), None)
    return InputError(
        f"no Ray cluster to work on at {address}: {mismatch or last}\n"
        "Check --address (`ray status` on a node shows the cluster), or use `local` to start one on this machine."
    )
