"""What is believed of accuracy over the scaling triangle before any training: numbers with names, in points.

A study records the prior that it used. The numbers were chosen by `python -m benchmarks.triangle`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean

from triscale.search.coefficients.triangle.evidence import Result

LEAST_SLOPE_SD = 0.5


@dataclass(frozen=True, kw_only=True)
class Prior:
    """Standard deviations in points (hundredths of accuracy), and what goes with them.

    The accuracy of a network at the target cost is a level, plus a Scheffe polynomial in the shares (1958: one term
    for each share, one for each product of two), plus a smooth deviation from it, plus what is the network's own.

    Attributes:
        level: of the level around the mean of all trainings; so large that it says nothing.
        linear: of the coefficient of each share.
        interaction: of the coefficient of each product of two shares; at the middle of an edge a quarter of it shows.
        smooth, length: of the smooth deviation, and the distance in shares over which it changes.
        nugget: of what one network has and its neighbours have not.
        resampling: of what resized originals add.
        slope, slope_sd: points a doubling of counted cost, near the target cost.
        seed_effect: of what all networks share in a seed, since they see the images in the same order.
        seed_sd, seed_freedom: of one training around its network's mean, as a scaled inverse chi-square.
        image_fraction: of the variance over images of a difference in one seed that another seed would repeat; used
            only until two networks have two seeds each.
        scales: factors of `linear` and `interaction`, each as likely as the others before any training; on hard data
            networks differ more.
    """

    level: float = 30.0
    linear: float = 3.0
    interaction: float = 6.0
    smooth: float = 0.5
    length: float = 0.3
    nugget: float = 0.3
    resampling: float = 1.0
    slope: float = 3.0
    slope_sd: float = 1.5
    seed_effect: float = 0.5
    seed_sd: float = 0.8
    seed_freedom: float = 4.0
    image_fraction: float = 0.5
    scales: tuple[float, ...] = (1.0, 2.0, 4.0)


PRIOR = Prior()


def with_slope(prior: Prior, baseline: Sequence[Result], larger: Sequence[Result], doublings: float = 1.0) -> Prior:
    """The prior with the slope that the baseline's own trainings give.

    The mean of the larger networks over the baseline's, in the seeds of both, by the doublings between them. The slope
    at the larger cost is likely less, so half of it is its standard deviation, and at least half a point.

    Args:
        prior: whose slope is replaced.
        baseline: trainings of the baseline.
        larger: trainings of networks of the target cost.
        doublings: log2 of that cost over the baseline's.
    """
    common = {one.seed for one in baseline} & {one.seed for one in larger}
    if not common or doublings <= 0:
        return prior
    below, above = (mean(one.accuracy for one in group if one.seed in common) for group in (baseline, larger))
    slope = 100 * (above - below) / doublings
    return replace(prior, slope=slope, slope_sd=max(abs(slope) / 2, LEAST_SLOPE_SD))
