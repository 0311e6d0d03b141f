"""Which targets this machine can run, of those that words name, and why not the others."""

from collections.abc import Callable, Sequence
from itertools import product

from triscale.costs import Target
from triscale.costs.allowed_words import require_allowed
from triscale.engines import ENGINES, PRECISIONS, Engine, EnginePrecision, engine_named
from triscale.errors import InputError

ALL = "all"


def possible_targets(
    engines: Sequence[str],
    precisions: Sequence[str],
    threads: Sequence[int],
    batches: Sequence[int],
    notice: Callable[[str], None],
) -> list[Target]:
    """Every combination that runs here; each that does not is a notice: what to install, or why it cannot be.

    Where nothing remains, the error has these reasons instead.

    Args:
        engines: names, or "all" alone.
        precisions: names, or "all" alone.
        threads: numbers of threads.
        batches: images of a step.
        notice: is called with a line.

    Raises:
        UsageError: an unknown engine or precision (with the nearest name), or a number below 1.
        InputError: nothing remains; the message says why.
    """
    chosen = [engine_named(name) for name in _words(engines, list(ENGINES))]
    wanted = _precisions(precisions)
    reasons = list[str]()
    installed = [engine for engine in chosen if _is_there(engine, reasons)]
    pairs = [
        (engine, precision) for engine, precision in product(installed, wanted) if _runs(engine, precision, reasons)
    ]
    if not pairs:
        raise InputError(f"nothing to measure: {'; '.join(reasons)}.")
    for reason in reasons:
        notice(reason)
    return [
        Target(runtime=engine.name, precision=precision, threads=one, batch=batch)
        for one, batch, (engine, precision) in product(dict.fromkeys(threads), dict.fromkeys(batches), pairs)
    ]


def _words(given: Sequence[str], every: Sequence[str]) -> list[str]:
    return list(every) if list(given) == [ALL] else list(dict.fromkeys(given))


def _precisions(given: Sequence[str]) -> list[EnginePrecision]:
    words = _words(given, PRECISIONS)
    for word in words:
        require_allowed("precision", word, PRECISIONS)
    return [one for one in PRECISIONS if one in words]


def _is_there(engine: Engine, reasons: list[str]) -> bool:
    reason = engine.missing()
    if reason:
        reasons.append(f"{engine.name} is left out: {reason}")
    return reason is None


def _runs(engine: Engine, precision: EnginePrecision, reasons: list[str]) -> bool:
    reason = engine.unfit(precision)
    if reason:
        reasons.append(f"{engine.name} in {precision} is left out: {reason}")
    return reason is None
