"""Measured latency: networks on the engines of this machine."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from triscale.api.counted import NamedNetwork, as_any_network, whole
from triscale.errors import UsageError
from triscale.latency.silent_watch import SilentWatch
from triscale.spec import AnyNetwork, ForeignNetwork, Network

if TYPE_CHECKING:
    from triscale.latency.measuring import Measured, Watch


def benchmark(
    networks: NamedNetwork | Iterable[NamedNetwork],
    *,
    engines: str | Iterable[str] = "all",
    precisions: str | Iterable[str] = "float32",
    threads: int | Iterable[int] = 1,
    batches: int | Iterable[int] = 1,
    seconds: float = 60.0,
    rounds: int | None = None,
    watch: "Watch | None" = None,
) -> "Measured":
    """Milliseconds of a step of networks with random weights, side by side on engines of this machine.

    Processes are pinned to cores; rounds go over networks and engines in an order that changes, with a reference
    between them by which disturbed rounds are found (docs/benchmark.md).

    Args:
        networks: one or several, or their names; torch alone runs those of your own code.
        engines: names of `triscale.engines.ENGINES`, or "all": those that are installed.
        precisions: of "float32", "bfloat16" and "int8", or "all": those that an engine runs on this machine.
        threads: of arithmetic; one or several numbers.
        batches: images of a step; one or several numbers.
        seconds: after which no further round begins, if the intervals are not narrow before.
        rounds: exactly so many instead.
        watch: is called as the measurement goes on, also with what is left out; None: nobody.

    Raises:
        UsageError: an unknown engine or precision (with the nearest name), no network, or a number out of range.
        InputError: nothing can be measured.
    """
    from triscale.latency.measuring import Limits, measure, possible_targets  # noqa: PLC0415  loads NumPy

    alone = isinstance(networks, str | Network | ForeignNetwork) or callable(networks)
    chosen = [_known(one) for one in ([networks] if alone else cast("Iterable[NamedNetwork]", networks))]
    if not chosen:
        raise UsageError("there is no network to measure; give at least one.")
    if not seconds > 0:
        raise UsageError(f"seconds is {seconds}; give a time above 0.")
    most = None if rounds is None else whole("rounds", rounds)
    listener = watch or SilentWatch()
    targets = possible_targets(
        _words(engines), _words(precisions), _numbers("threads", threads), _numbers("batches", batches), listener.notice
    )
    return measure(list(dict.fromkeys(chosen)), targets, Limits(seconds=seconds, rounds=most), listener)


def _known(net: object) -> AnyNetwork:
    """With nothing left open: a foreign one is built once."""
    found = as_any_network(net)
    if not isinstance(found, ForeignNetwork):
        return found
    from triscale.foreign import known_any  # noqa: PLC0415  torch is loaded only here

    return known_any(found)


def _words(given: str | Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _numbers(name: str, given: int | Iterable[int]) -> list[int]:
    return [whole(name, one) for one in (given if isinstance(given, Iterable) else [given])]
