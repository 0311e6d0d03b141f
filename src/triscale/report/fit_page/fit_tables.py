"""The tables of a fit: the limits, the two networks on the test, the classes."""

from triscale import units
from triscale.costs import count, metric_named
from triscale.intervals import wilson
from triscale.report.fit_page.fit_facts import ANSWER, LARGER, FitFacts
from triscale.report.printable_table import Table, TableRow
from triscale.trials.fits.fit_records import ClassScore, LimitRecord
from triscale.trials.fits.fit_words import limit_cost

_MOST_CLASSES = 20


def limits(facts: FitFacts) -> Table | None:
    """What the answer uses of each limit."""
    if facts.plan is None:
        return None
    rows = tuple(TableRow(_limit(one)) for one in facts.plan.limits)
    note = "A limit binds where the next larger network by the same rule would break it."
    return Table(("limit", "used", "allowed", "left", "how", "binds"), rows, note)


def _limit(one: LimitRecord) -> tuple[str, ...]:
    show = metric_named(one.name).unit.show
    left = f"{100 * (1 - one.use / one.limit):.1f} %"
    return (
        one.name, show(one.use), show(one.limit), left, "measured" if one.measured else "counted",
        "yes" if one.binds else "no",
    )  # fmt: skip


def compared(facts: FitFacts) -> Table | None:
    """The answer beside the network of twice the cost, on the same test images."""
    if facts.test is None:
        return None
    correct = {ANSWER: facts.test.correct, **({LARGER: facts.test.larger.correct} if facts.test.larger else {})}
    points, low, high = limit_cost(facts.test)
    rows = []
    for name, right in correct.items():
        if name not in facts.networks or name not in facts.trials:
            continue
        network, trial, bounds = facts.networks[name], facts.trials[name], wilson(right, facts.test.images)
        cost = count(network)
        gain = f"{points:+.1f} ({low:+.1f} to {high:+.1f})" if name == LARGER else units.MISSING
        cells = (
            name, units.pixels(network.resolution), units.count(cost.macs), units.count(cost.params), str(trial.epochs),
            units.percent(trial.metrics["validation_top1"]), units.percent(right / facts.test.images),
            units.span(bounds), gain,
        )  # fmt: skip
        rows.append(TableRow(cells, "chosen" if name == ANSWER else ""))
    header = (
        "network", "resolution", "MACs", "params", "epochs", "validation", "test", "95 %", "gain in points (95 %)",
    )  # fmt: skip
    note = f"Test: {facts.test.images:,} images that decided nothing, the same for every network."
    return Table(header, tuple(rows), note)


def classes(facts: FitFacts) -> Table | None:
    """The accuracy of each class in the test, the lowest first."""
    if facts.test is None:
        return None
    seen = sorted((one for one in facts.test.classes if one.images), key=lambda one: one.correct / one.images)
    rows = tuple(TableRow(_class(one)) for one in seen[:_MOST_CLASSES])
    left_out = len(seen) - len(rows)
    words = units.agreeing(left_out, "class of higher accuracy is", "classes of higher accuracy are")
    note = f"{words} left out." if left_out else ""
    return Table(("class", "test images", "correct", "accuracy", "95 %"), rows, note)


def _class(one: ClassScore) -> tuple[str, ...]:
    share = units.percent(one.correct / one.images)
    return one.name, f"{one.images:,}", f"{one.correct:,}", share, units.span(wilson(one.correct, one.images))
