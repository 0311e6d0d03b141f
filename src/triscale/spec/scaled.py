"""`scale`: a network with its depth, width and resolution multiplied and rounded."""

import math
from dataclasses import replace
from functools import lru_cache

from triscale.errors import InputError, UsageError
from triscale.spec.network import MAX_CHANNELS, MAX_REPEATS, MAX_SIDE, Head, Network, Stage, Stem
from triscale.spec.rounding import Size, round_channels, round_repeats, round_side


def scale(network: Network, *, depth: float = 1.0, width: float = 1.0, resolution: float = 1.0) -> Network:
    """The network with every factor applied and rounded (EfficientNet section 3.2, rounding as in the authors' code).

    Repeats become `ceil(repeats * depth)`, channels the nearest multiple of the divisor (never below 90% of the value
    wanted), sides `floor(side * resolution + 0.5)`. A factor of exactly 1 changes nothing. Dropout, stochastic depth
    and the classes stay. Invariant: stages keep their number, operators, kernels, strides and ratios.

    Args:
        network: any spec; it is not changed.
        depth, width, resolution: finite factors above 0; all three are factors, not pixels.

    Raises:
        UsageError: a factor is zero, negative, NaN or infinite.
        InputError: the result is too large.
    """
    for label, factor in (("depth", depth), ("width", width), ("resolution", resolution)):
        if not (math.isfinite(factor) and factor > 0):
            raise UsageError(f"{label} factor is {factor}; give a finite number above 0, such as 1.2")
    if (depth, width, resolution) == (1.0, 1.0, 1.0):
        return network
    _refuse_silly(network, depth, width, resolution)
    grid = network.channel_divisor, network.channel_floor
    return replace(
        network,
        name=f"{network.name}@depth={depth},width={width},resolution={resolution}",
        resolution=scale_size(network.resolution, resolution),
        stem=_scale_stem(network.stem, width, grid),
        stages=tuple(_scale_stage(stage, depth, width, grid) for stage in network.stages),
        head=_scale_head(network.head, width, grid),
    )


def scale_size(size: Size, resolution: float) -> Size:
    """Height and width in pixels after the factor `resolution`."""
    return round_side(size[0] * resolution), round_side(size[1] * resolution)


def fix_stem_and_head(network: Network) -> Network:
    """The network whose stem and head keep their widths, and whose first and last stage keep their depth (Lite)."""
    last = len(network.stages) - 1
    stages = (replace(stage, scales_depth=False) if i in (0, last) else stage for i, stage in enumerate(network.stages))
    return replace(
        network,
        stem=replace(network.stem, scales=False),
        stages=tuple(stages),
        head=replace(network.head, scales=False),
    )


Grid = tuple[int, float]
"""A network's channel divisor and floor: what widths are rounded to."""


def _widen(channels: int, width: float, grid: Grid) -> int:
    return channels if width == 1 else round_channels(channels * width, *grid)


def _scale_stem(stem: Stem, width: float, grid: Grid) -> Stem:
    if not stem.scales:
        return stem
    deep = tuple(_widen(channels, width, grid) for channels in stem.deep)
    return replace(stem, channels=_widen(stem.channels, width, grid), deep=deep)


def _scale_stage(stage: Stage, depth: float, width: float, grid: Grid) -> Stage:
    repeats = round_repeats(stage.repeats * depth) if stage.scales_depth else stage.repeats
    return _resized(stage, repeats, _widen(stage.channels, width, grid))


@lru_cache(maxsize=1 << 12)
def _resized(stage: Stage, repeats: int, channels: int) -> Stage:
    """Rounding leaves few distinct stages, so that a search over factors need not check each again."""
    return replace(stage, repeats=repeats, channels=channels)


def _scale_head(head: Head, width: float, grid: Grid) -> Head:
    if not head.scales:
        return head
    channels, hidden = (None if wide is None else _widen(wide, width, grid) for wide in (head.channels, head.hidden))
    return replace(head, channels=channels, hidden=hidden)


def _refuse_silly(network: Network, depth: float, width: float, resolution: float) -> None:
    repeats = max(stage.repeats for stage in network.stages)
    channels = max(network.stem.channels, network.head.channels or 0, *(stage.channels for stage in network.stages))
    for what, base, factor, limit in (
        ("repeats of a stage", repeats, depth, MAX_REPEATS),
        ("channels", channels, width, MAX_CHANNELS),
        ("pixels of a side", max(network.resolution), resolution, MAX_SIDE),
    ):
        if base * factor > limit:
            raise InputError(
                f"{network.name} at depth {depth:.4g}, width {width:.4g}, resolution {resolution:.4g} is too large:\n"
                f"{base * factor:.3g} {what}, the most is {limit:,}. Use a smaller phi or factor."
            )
