"""Rivals of the compound member by name: rules of scaling, each with its curve from phi to factors."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from triscale.errors import UsageError
from triscale.scaling import OTHER_NAMES, PAPER, RULES, Factors, factors

PAPERS = "paper"
"""The compound rule with the coefficients of its paper; `compound` is the member with those of the study."""

RESNET_RS = "resnet_rs"
"""Depth or width, which the study decides; see `overfits`."""

USUAL = ("depth", "width", "resolution", PAPERS)
RIVAL_NAMES = (
    *USUAL, *(name for name in RULES if name not in (*USUAL, "compound", "found", "tinynet")), RESNET_RS, "tinynet"
)  # fmt: skip

_ERRORS = 2.0
"""Times the errors on training images from which on the errors on validation images are overfitting."""


class Rival(NamedTuple):
    """A rule under the name that records give it.

    Attributes:
        rule: of `triscale.scaling.RULES`, or `paper`.
        curve: phi -> factors.
        shrinks: whether it is a rival only of members that are smaller than the baseline.
    """

    rule: str
    curve: Callable[[float], Factors]
    shrinks: bool = False

    @property
    def moves(self) -> frozenset[str]:
        """The dimensions that it scales."""
        return frozenset(name for name, factor in self.curve(-1.0)._asdict().items() if factor != 1)


def rival_names(text: str) -> tuple[str, ...]:
    """Names from `depth,width,fast_compound`, each once, in the order of `RIVAL_NAMES`.

    Raises:
        UsageError: an unknown name, or none.
    """
    words = [word.strip().replace("-", "_") for word in text.split(",") if word.strip()]
    names = {PAPERS if word == "compound" else OTHER_NAMES.get(word, word) for word in words}
    unknown = sorted(names - set(RIVAL_NAMES))
    if unknown or not names:
        what = f"unknown rival {unknown[0]!r}" if unknown else "no rival given"
        raise UsageError(f"{what}; the rivals are {', '.join(RIVAL_NAMES)}.")
    return tuple(name for name in RIVAL_NAMES if name in names)


def rivals_of(names: Iterable[str], *, overfitted: bool = True) -> tuple[Rival, ...]:
    """The rivals of these names.

    Args:
        names: of `RIVAL_NAMES`.
        overfitted: whether `resnet_rs` scales the depth, else the width; while that is not known, either stands in.
    """
    found = {}
    for name in names:
        rule = name if name != RESNET_RS else f"{RESNET_RS}_{'depth' if overfitted else 'width'}"
        found[rule] = _rival(rule)
    return tuple(found.values())


def _rival(rule: str) -> Rival:
    if rule == PAPERS:
        return Rival(rule, partial(factors, "compound", coefficients=PAPER))
    shrinks = RULES[rule].shrinks
    return Rival(rule, partial(_below_0, rule) if shrinks else partial(factors, rule), shrinks)


def _below_0(rule: str, phi: float) -> Factors:
    """The curve of a rule that only shrinks, which for a search on both sides of 0 ends at the baseline."""
    return factors(rule, min(phi, 0.0))


def overfits(training: float, validation: float) -> bool:
    """Whether a network overfits: its error on validation images is more than twice that on its training images.

    ResNet-RS (arXiv 2103.07579, section 6.1) scales depth in regimes where overfitting can occur and names epochs (350
    of ImageNet against 10), no figure; the figure is ours. Both accuracies are of the baseline's trained weights, on
    images prepared alike, without augmentation: its loss during training cannot be compared, since augmentation,
    label smoothing and dropout raise it.

    Args:
        training: top-1 on the images that it was trained on, a fraction.
        validation: top-1 on the validation images, a fraction.
    """
    return 1 - validation > _ERRORS * (1 - training)
