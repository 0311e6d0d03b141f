"""Images that are smaller than what a network takes: enlarging them costs work and shows nothing new."""

from triscale.families import small_baseline
from triscale.spec import AnyNetwork, ForeignNetwork, Size
from triscale.units import pixels

PHOTO_SIDE = 224
"""Pixels that networks for photos take at least."""

_SLIGHT = 1.2
"""Times by which sides may be enlarged without a word."""


def enlarging(network: AnyNetwork, native: Size | None) -> str | None:
    """A sentence where a network takes clearly more pixels than the originals have, and what to do; else None.

    Args:
        network: with its resolution.
        native: height and width of the originals; None: they are not known.
    """
    if native is None:
        return None
    share = min(have / want for have, want in zip(native, network.resolution, strict=True))
    if share * _SLIGHT >= 1:
        return None
    better = "give your code fewer pixels" if isinstance(network, ForeignNetwork) else _better(native, share)
    return (
        f"the images have {pixels(native)} and {network.name} takes {pixels(network.resolution)}: enlarging them costs "
        f"{share**-2:.0f} times the work and shows nothing new. Better: {better}."
    )


def advice_for(native: Size | None) -> str | None:
    """A sentence where the originals are too small for the networks that are made for photos; else None."""
    if native is None or min(native) * _SLIGHT >= PHOTO_SIDE:
        return None
    return (
        f"networks for photos take {PHOTO_SIDE} px and more, and enlarged images show nothing new. "
        f"Better: {_better(native, min(native) / PHOTO_SIDE)}."
    )


def _better(native: Size, share: float) -> str:
    own = small_baseline(min(native))
    scaled = f"the network at {pixels(native)}, which @resolution={share:.4g} behind its name gives"
    return scaled if own is None else f"{own}, or {scaled}"
