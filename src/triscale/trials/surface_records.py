"""The scaling triangle as a study wrote it down: where networks lie, and what the surface over it says."""

from collections.abc import Mapping

import msgspec

Interval = tuple[float, float]


class SharesRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A point of the scaling triangle: each dimension's part of a counted doubling; they sum to 1."""

    depth: float
    width: float
    resolution: float


class PlaceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A network of the triangle and what the surface says about it; accuracies are fractions.

    Attributes:
        id: of the network.
        shares: where it lies.
        n, mean: its trainings, and the mean of their validation accuracy; None without any.
        expected, interval: of its accuracy at exactly the target cost, and the 95% interval.
        best: probability that it is the best of all.
        in_region: whether it belongs to the 95% region of the best.
    """

    id: str
    shares: SharesRecord
    n: int
    mean: float | None
    expected: float
    interval: Interval
    best: float
    in_region: bool


class ContourRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The smooth part of the surface at one point of a lattice over the triangle, for images: fractions."""

    shares: SharesRecord
    expected: float
    sd: float


class WithinRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Probability that each corner and the paper's point lie within half a point of the best; None: not built."""

    depth: float | None = None
    width: float | None = None
    resolution: float | None = None
    paper: float | None = None


class TransferRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What coefficients that were found at another cost would lose at this one.

    Attributes:
        id: of the network that they give.
        loss: how far it is expected to lie below the chosen network, a fraction.
        interval: of that, 95%.
    """

    id: str
    loss: float
    interval: Interval


class SurfaceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The surface over the triangle, and what it says.

    Attributes:
        places: every network that the study could train, best first.
        contour: the smooth part, for images.
        chosen: id of the place with the highest expected accuracy.
        area: share of the triangle's places in the region.
        within_half_a_point: see `WithinRecord`.
        smallest_difference: that this study could have seen, as a fraction.
        seed_sd, seed_freedom: of one training around its network's mean, and its degrees of freedom.
        image_sd: of a difference of two networks, from the validation images that both were judged by.
        cost_slope, cost_slope_sd: fractions a doubling of cost.
        resampling, resampling_sd: what resized originals add, a fraction.
        prior: its numbers, by name, in points.
        expected_loss: how far the chosen one is expected to lie below the best of the smooth surface, a fraction.
        transfer: what coefficients from another cost would lose; None where the study was given none.
    """

    places: tuple[PlaceRecord, ...]
    contour: tuple[ContourRecord, ...]
    chosen: str
    area: float
    within_half_a_point: WithinRecord
    smallest_difference: float
    seed_sd: float
    seed_freedom: int
    image_sd: float
    cost_slope: float
    cost_slope_sd: float
    resampling: float
    resampling_sd: float
    prior: Mapping[str, float]
    expected_loss: float | None = None
    transfer: TransferRecord | None = None


class AskedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A training of a candidate: the id of its network, and the seed."""

    id: str
    seed: int
