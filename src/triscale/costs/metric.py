"""Metrics: what a network can be limited and compared by, in one registry.

A metric that is registered works by its name in `--budget`, `--metric`, `fit_budget`, `compare`, `cost` and `study`.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from triscale.costs.target import Target
from triscale.errors import NumericError, UsageError, unknown_word
from triscale.quantities import COUNT, Unit
from triscale.spec import Network, content_hash

Need = Literal["batch", "kernels", "target"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One number of a network on a target.

    Attributes:
        name: as people type it, such as `macs`.
        unit: of the value.
        evaluate: from a network and a target to the value, at least 0. Raises InputError where there is none.
        deterministic: equal arguments give equal values; a measurement does not.
        monotone: it never falls as a network grows along a rule.
        at_least: more is better, so a limit bounds it from below (throughput).
        needs: `batch`: a limit has no meaning until somebody names a batch; `kernels`: it depends on the kernels of
            the target's machine, which are measured where they are not known; `target`: it is of an engine.
    """

    name: str
    unit: Unit
    evaluate: Callable[[Network, Target], float]
    deterministic: bool
    monotone: bool = False
    at_least: bool = False
    needs: frozenset[Need] = frozenset()

    def __post_init__(self) -> None:
        if not (self.name.isascii() and self.name.isidentifier() and self.name == self.name.lower()):
            raise UsageError(
                f"{self.name!r} is not a name of a metric: use lower-case letters, digits and underscores."
            )

    @property
    def counted(self) -> bool:
        """Whether a budget can be solved by bisection along phi."""
        return self.deterministic and self.monotone and not self.at_least

    def of(self, network: Network, target: Target) -> float:
        """The value, checked; NumericError where it is negative or not finite."""
        value = self.evaluate(network, target)
        if not (math.isfinite(value) and value >= 0):
            raise NumericError(
                f"the metric {self.name} of {network.name} is {value}; it must be finite and at least 0."
            )
        return value


class Values:
    """Metrics of networks on one target; what is not counted is evaluated once for networks of equal content."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._known: dict[tuple[str, str], float] = {}

    def of(self, network: Network, names: Iterable[str]) -> dict[str, float]:
        """The values by name."""
        return {name: self._one(network, metric_named(name)) for name in names}

    def _one(self, network: Network, metric: Metric) -> float:
        if metric.counted:  # cheaper than the hash
            return metric.of(network, self.target)
        key = metric.name, content_hash(network)
        if key not in self._known:
            self._known[key] = metric.of(network, self.target)
        return self._known[key]


_OTHER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "flops": "macs", "madds": "macs", "mult_adds": "macs", "multiply_adds": "macs", "parameters": "params",
        "weights": "params", "size": "file_size", "flash": "file_size", "memory": "inference_memory", "ram": "arena",
        "sram": "arena", "ms": "latency", "milliseconds": "latency",
    }
)  # fmt: skip
"""What people call a metric -> its name, for messages."""

_REGISTRY: dict[str, Metric] = {}
_OFFERED: dict[str, Metric] = {}


def register(metric: Metric) -> Metric:
    """Make a metric known by its name from now on, in this process; UsageError if the name is taken."""
    if metric.name in _REGISTRY:
        raise UsageError(f"the metric {metric.name} is registered already; choose another name.")
    _REGISTRY[metric.name] = metric
    return metric


def offer(metric: Metric) -> Metric:
    """Make a metric known by its name unless somebody registers another one of that name."""
    _OFFERED[metric.name] = metric
    return metric


@contextmanager
def registered(metric: Metric) -> Iterator[Metric]:
    """A metric that is known within the block alone."""
    register(metric)
    try:
        yield metric
    finally:
        del _REGISTRY[metric.name]


def registry() -> Mapping[str, Metric]:
    """All metrics by name, in the order of their registration."""
    return MappingProxyType(_REGISTRY)


def metric_named(name: str, what: str = "metric") -> Metric:
    """The metric of a name, registered or offered; UsageError lists those that are known, under the word `what`."""
    known = known_metrics()
    if name not in known:
        raise UsageError(unknown_word(what, name, known, _OTHER_WORDS.get(name.lower())))
    return known[name]


def known_metrics() -> Mapping[str, Metric]:
    """All that `metric_named` knows, the offered ones last."""
    return {**_REGISTRY, **{name: one for name, one in _OFFERED.items() if name not in _REGISTRY}}


def unit_of(name: str) -> Unit:
    """The unit of a metric; that of counts where this process knows none of the name, as in records of another one."""
    found = known_metrics().get(name)
    return COUNT if found is None else found.unit


def read_limit(name: str, limit: float | str) -> float:
    """A limit on a metric as a number: a number itself, or text in the metric's unit such as `1.0G`.

    Raises:
        UsageError: no metric has this name, or the text is not a number above 0 in its unit.
    """
    unit = metric_named(name, "limit").unit
    return unit.read(limit, f"the limit {name}") if isinstance(limit, str) else limit


def needed(names: Iterable[str], need: Need) -> list[str]:
    """The metrics among `names` that have a need."""
    return [name for name in names if need in metric_named(name, "limit").needs]
