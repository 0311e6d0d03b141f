"""The answer of a fit in five lines: what was built, how good it is, what the limit costs, the file, and its use."""

from triscale.costs import count
from triscale.intervals import wilson
from triscale.spec import Network
from triscale.trials import Stored
from triscale.trials.fits.fit_records import FitPlanRecord, FitTestRecord, LargerRecord, ShippedRecord
from triscale.trials.fits.fit_words import limit_cost, limit_text
from triscale.units import memory, pixels, trimmed


def answer_lines(stored: Stored, folder: str) -> tuple[str, ...]:
    """The five lines.

    Args:
        stored: the records of a fit that has come to its end.
        folder: as people type it.

    Raises:
        ValueError: it has not.
    """
    plan, test, shipped = stored.one(FitPlanRecord), stored.one(FitTestRecord), stored.one(ShippedRecord)
    if plan is None or test is None or shipped is None:
        raise ValueError("the fit has not come to its end")
    return (
        f"built: {_built(stored, plan)}",
        f"quality: {_quality(test)}",
        f"limit: {_limit_cost(stored, plan, test)}",
        f"file: {folder}/{shipped.file}, {memory(sum(shipped.files.values()))}; {shipped.proof}",
        f"use it: triscale predict {folder}/{shipped.file} photo.jpg",
    )


def _built(stored: Stored, plan: FitPlanRecord) -> str:
    network = stored.network(plan.network)
    assert isinstance(network, Network)  # noqa: S101  a fit scales no other
    cost = count(network)
    begun = "trained from scratch" if plan.weights is None else "trained from pretrained weights"
    return (
        f"{network.name} at {pixels(network.resolution)}, {trimmed(cost.macs)} MACs, {trimmed(cost.params)} params, "
        f"{begun}; keeps {', '.join(map(limit_text, plan.limits))}"
    )


def _quality(test: FitTestRecord) -> str:
    low, high = wilson(test.correct, test.images)
    return (
        f"{test.correct / test.images:.1%} of {test.images:,} test images are classified correctly (95% interval "
        f"{low:.1%} to {high:.1%}); no decision was made on these images"
    )


def _limit_cost(stored: Stored, plan: FitPlanRecord, test: FitTestRecord) -> str:
    if not any(one.binds for one in plan.limits):
        return "none binds: without them the network would be the same"
    decided = stored.one(LargerRecord)
    if test.larger is None or plan.larger is None or decided is None:
        return f"what it costs is not known: {decided.reason if decided else 'nothing was compared'}"
    network = stored.network(plan.larger)
    assert isinstance(network, Network)  # noqa: S101
    points, low, high = limit_cost(test)
    change = f"{abs(points):.1f} points {'fewer' if points < 0 else 'more'}" if points else "as many"
    unsure = ": these images cannot tell a difference" if low <= 0 <= high else ""
    short = f" after {decided.epochs} of {plan.recipe.epochs} epochs" if decided.epochs < plan.recipe.epochs else ""
    return (
        f"a network of twice the cost ({trimmed(count(network).macs)} MACs){short} classifies "
        f"{test.larger.correct / test.images:.1%} correctly, {change} (95% interval {low:+.1f} to {high:+.1f}{unsure})"
    )
