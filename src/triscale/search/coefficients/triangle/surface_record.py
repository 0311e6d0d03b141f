"""The surface as a record of a study."""

from dataclasses import asdict
from statistics import mean

import numpy as np

from triscale.search.coefficients.shares import Shares
from triscale.search.coefficients.triangle.evidence import Place
from triscale.search.coefficients.triangle.optimum import Optimum, optimum, smallest_difference
from triscale.search.coefficients.triangle.surface import Surface
from triscale.trials.surface_records import (
    ContourRecord,
    PlaceRecord,
    SharesRecord,
    SurfaceRecord,
    TransferRecord,
    WithinRecord,
)

SIDE = 12
"""The image's lattice has this many steps along an edge: 91 points."""

Z = 1.959964


def to_record(
    surface: Surface,
    *,
    depth: str | None = None,
    width: str | None = None,
    resolution: str | None = None,
    paper: str | None = None,
    transferred: str | None = None,
) -> SurfaceRecord:
    """All that is kept of a surface.

    Args:
        surface: of all results.
        depth, width, resolution, paper: ids of the networks that stand for the corners and the paper's point.
        transferred: id of the network of coefficients that were found at another cost.
    """
    found = optimum(surface)
    within = dict(zip((one.id for one in surface.places), found.within(), strict=True))
    slope, slope_sd = surface.slope
    resampling, resampling_sd = surface.resampling
    order = np.argsort(-surface.expected, kind="stable")
    return SurfaceRecord(
        places=tuple(_place(surface, found, int(at)) for at in order),
        contour=contour(surface),
        chosen=surface.chosen.id,
        area=float(found.region.mean()),
        within_half_a_point=WithinRecord(
            **{
                name: None if one is None else float(within[one])
                for name, one in (("depth", depth), ("width", width), ("resolution", resolution), ("paper", paper))
            }
        ),
        smallest_difference=smallest_difference(surface),
        seed_sd=surface.fit.seed_sd / 100,
        seed_freedom=surface.repeats.freedom,
        image_sd=float(np.sqrt(surface.image_variance)) / 100,
        cost_slope=slope,
        cost_slope_sd=slope_sd,
        resampling=resampling,
        resampling_sd=resampling_sd,
        expected_loss=found.loss(surface.places.index(surface.chosen)),
        transfer=None if transferred is None else _transfer(surface, transferred),
        prior={name: value for name, value in asdict(surface.fit.prior).items() if isinstance(value, int | float)},
    )


def _transfer(surface: Surface, transferred: str) -> TransferRecord:
    """At exactly the target cost, so it need not lie within the tolerance."""
    here, there = surface.places.index(surface.chosen), [one.id for one in surface.places].index(transferred)
    loss = float(surface.expected[here] - surface.expected[there])
    spread = surface.covariance
    variance = spread[here, here] + spread[there, there] - 2 * spread[here, there]
    margin = Z * float(np.sqrt(max(variance, 0.0)))
    return TransferRecord(id=transferred, loss=loss, interval=(loss - margin, loss + margin))


def contour(surface: Surface) -> tuple[ContourRecord, ...]:
    """The smooth part on a triangular lattice, row by row from the width-resolution edge to the depth corner.

    A dimension that no place scales has no share: then the lattice is an edge.
    """
    whole = [Shares(a / SIDE, b / SIDE, (SIDE - a - b) / SIDE) for a in range(SIDE + 1) for b in range(SIDE + 1 - a)]
    largest = np.max([one.shares for one in surface.places], axis=0)
    lattice = [at for at in whole if all(mine == 0 or most > 0 for mine, most in zip(at, largest, strict=True))]
    means, sds = surface.smooth(np.array(lattice))
    return tuple(
        ContourRecord(shares=_shares(at), expected=float(m), sd=float(s))
        for at, m, s in zip(lattice, means, sds, strict=True)
    )


def _place(surface: Surface, found: Optimum, at: int) -> PlaceRecord:
    one: Place = surface.places[at]
    accuracies = [result.accuracy for result in surface.results if result.id == one.id]
    expected, margin = float(surface.expected[at]), Z * float(surface.sd[at])
    return PlaceRecord(
        id=one.id,
        shares=_shares(one.shares),
        n=len(accuracies),
        mean=float(mean(accuracies)) if accuracies else None,
        expected=expected,
        interval=(max(0.0, expected - margin), min(1.0, expected + margin)),  # an accuracy cannot lie outside
        best=float(found.best[at]),
        in_region=bool(found.region[at]),
    )


def _shares(one: Shares) -> SharesRecord:
    return SharesRecord(**one._asdict())
