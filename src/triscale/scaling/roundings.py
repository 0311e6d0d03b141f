"""What rounding did to a scaled network: each value wanted and got."""

from collections.abc import Iterator
from typing import NamedTuple

from triscale.scaling.rules import Factors
from triscale.spec import Network


class Rounding(NamedTuple):
    """One rounded value; `change` is got over wanted, minus 1."""

    field: str
    base: int
    wanted: float
    got: int

    @property
    def change(self) -> float:
        """Relative difference that rounding made."""
        return self.got / self.wanted - 1


def explain_rounding(base: Network, scaled: Network, factors: Factors) -> list[Rounding]:
    """Every value that the factors scale: sides, stem, repeats and channels of each stage, head."""
    rows = [
        Rounding(f"resolution[{i}]", side, side * factors.resolution, scaled.resolution[i])
        for i, side in enumerate(base.resolution)
    ]
    rows += [_width(field, *pair, factors, fixed=not base.stem.scales) for field, pair in _stem(base, scaled)]
    for i, (one, two) in enumerate(zip(base.stages, scaled.stages, strict=True)):
        depth = factors.depth if one.scales_depth else 1.0
        rows.append(Rounding(f"stages[{i}].repeats", one.repeats, one.repeats * depth, two.repeats))
        rows.append(_width(f"stages[{i}].channels", one.channels, two.channels, factors))
    for field in ("channels", "hidden"):
        before, after = getattr(base.head, field), getattr(scaled.head, field)
        if before is not None:
            rows.append(_width(f"head.{field}", before, after, factors, fixed=not base.head.scales))
    return rows


def _stem(base: Network, scaled: Network) -> Iterator[tuple[str, tuple[int, int]]]:
    for i, pair in enumerate(zip(base.stem.deep, scaled.stem.deep, strict=True)):
        yield f"stem.deep[{i}]", pair
    yield "stem.channels", (base.stem.channels, scaled.stem.channels)


def _width(field: str, base: int, got: int, factors: Factors, *, fixed: bool = False) -> Rounding:
    return Rounding(field, base, base * (1.0 if fixed else factors.width), got)
