"""What the records of a fit say in words and numbers, for the answer and the page alike."""

from triscale.costs import metric_named
from triscale.intervals import paired_drop
from triscale.trials.fits.fit_records import FitTestRecord, LimitRecord


def limit_text(limit: LimitRecord) -> str:
    """A limit with what is used of it: `macs 49.2 M of 50 M (counted)`."""
    show = metric_named(limit.name).unit.show
    how = "measured" if limit.measured else "counted"
    sign = "of at least" if metric_named(limit.name).at_least else "of"
    return f"{limit.name} {show(limit.use)} {sign} {show(limit.limit)} ({how})"


def limit_cost(test: FitTestRecord) -> tuple[float, float, float]:
    """Points that twice the cost gains on the same images, with the 95% interval; 0 where there was no such network."""
    if test.larger is None:
        return 0.0, 0.0, 0.0
    low, high = paired_drop(test.larger.lost, test.larger.gained, test.images)
    points = 100 * (test.larger.gained - test.larger.lost) / test.images
    return points, -100 * high + 0.0, -100 * low + 0.0
