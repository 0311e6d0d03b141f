"""Accuracy and cost in one reward, ACC x (COST/T)^w (MnasNet, section 3; EfficientNet, section 4)."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from triscale.costs import metric_named
from triscale.errors import UsageError

WEIGHT = -0.07
"""The paper's: twice the cost must buy 5% accuracy."""

_MOST = 10.0

_SENTENCE = re.compile(
    r"(?P<times>\d+(?:\.\d+)?)\s*(?:x|times)\s+(?:the\s+)?(?P<metric>\w+)\s+must\s+buy\s+"
    r"(?P<gain>-?\d+(?:\.\d+)?)\s*%(?:\s+(?:more\s+|of\s+)?accuracy)?\.?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reward:
    """ACC x (COST/T)^w.

    Attributes:
        target: T, the cost at which the reward is the accuracy, in the metric's unit.
        metric: the name of the cost, any of the registry.
        weight: w; below 0 for a cost, above 0 for what should be high (throughput).
        form: `soft` weighs on both sides of the target; `hard` (MnasNet) only where it is missed.

    Raises:
        UsageError: an unknown metric or form, a target that is not above 0, a weight of the wrong sign.
    """

    target: float
    metric: str = "macs"
    weight: float = WEIGHT
    form: Literal["soft", "hard"] = "soft"

    def __post_init__(self) -> None:
        high = metric_named(self.metric).at_least
        if self.form not in {"soft", "hard"}:
            raise UsageError(f"unknown form {self.form!r} of a reward; it is soft or hard.")
        if not (math.isfinite(self.target) and self.target > 0):
            raise UsageError(f"the target of {self.metric} must be a number above 0, got {self.target}.")
        if not math.isfinite(self.weight) or self.weight == 0 or (self.weight > 0) != high:
            raise UsageError(_wrong_sign(self.metric, self.weight, high))
        if abs(self.weight) > _MOST:
            raise UsageError(
                f"w = {self.weight:g} makes a factor of 2 in {self.metric} worth {2 ** abs(self.weight):.3g} times the "
                f"accuracy.\nIt must lie within {_MOST:g} of 0; the paper's is {WEIGHT:g}."
            )

    @property
    def metrics(self) -> tuple[str, ...]:
        """The costs that it needs."""
        return (self.metric,)

    def scores(self, accuracy: float, costs: Mapping[str, float]) -> float:
        """The reward, in the unit of the accuracy; `costs` are by name, each above 0."""
        cost = costs[self.metric]
        if not cost > 0:
            raise UsageError(f"a reward needs {self.metric} above 0, got {cost}.")
        ratio = cost / self.target
        missed = ratio < 1 if metric_named(self.metric).at_least else ratio > 1
        return accuracy * ratio**self.weight if self.form == "soft" or missed else accuracy


def weight_of(times: float, gain: float) -> float:
    """The w at which `times` the cost is worth a gain in accuracy: log(1 / (1 + gain)) / log(times).

    Args:
        times: factor of the cost, above 1.
        gain: relative gain in accuracy that makes up for it, above 0: 0.05 for 5%.

    Raises:
        UsageError: numbers out of range; a gain of the wrong sign is explained.
    """
    if not (math.isfinite(times) and times > 1):
        raise UsageError(f"the factor of the cost must be above 1, got {times:g}.")
    if not (math.isfinite(gain) and gain > 0):
        raise UsageError(
            f"a gain of {gain:.4g} would make w {'0' if gain == 0 else 'positive'}: cost would never count against.\n"
            "Say what more cost must buy, above 0: 2x cost must buy 5% accuracy."
        )
    return -math.log1p(gain) / math.log(times)


def weight_in(sentence: str) -> tuple[str | None, float]:
    """Read "2x macs must buy 5% accuracy": the metric (None for the word cost) and w.

    Raises:
        UsageError: another sentence, an unknown metric, or numbers out of range.
    """
    found = _SENTENCE.fullmatch(sentence.strip())
    if found is None:
        raise UsageError(f"cannot read {sentence!r}; write for example: 2x macs must buy 5% accuracy.")
    word = found["metric"].lower()
    metric = None if word == "cost" else metric_named(word).name
    return metric, weight_of(float(found["times"]), float(found["gain"]) / 100)


def _wrong_sign(metric: str, weight: float, high: bool) -> str:
    if weight == 0 or not math.isfinite(weight):
        return f"the weight w must be a number other than 0, got {weight}; to leave {metric} out, maximise accuracy."
    side, example, does = ("above", -WEIGHT, "fall") if high else ("below", WEIGHT, "rise")
    return (
        f"w = {weight:g} has the wrong sign: ACC x ({metric}/T)^w would {does} with {metric}.\n"
        f"For {metric}, w lies {side} 0, such as {example:g} (a factor of 2 is worth 5% accuracy)."
    )
