"""Stratified, seeded splits of labels that keep copies together, and the rule by which they are drawn.

A run records its rule, and resumes with it: the same data must give the same split for as long as the run is used.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from triscale.errors import InputError, UsageError

Indices = NDArray[np.int64]
GroupBy = Literal["content", "near"]

VALIDATION = 0.1
"""The share of the training images that is drawn for validation."""

FIRST, NEWEST = 1, 2
"""Versions of the rule. 1 drew positions, whatever they held, and knew splits by exact names; 2 draws contents."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitRule:
    """How the splits of a data set are found and drawn.

    Attributes:
        version: of the rule; a run keeps the one that it was made by.
        group_by: what stays on one side: images of equal `content`, or also `near` copies.
    """

    version: int = NEWEST
    group_by: GroupBy = "content"

    def __post_init__(self) -> None:
        if self.group_by not in ("content", "near"):
            raise UsageError(f"there is no way {self.group_by!r} to group images: give content or near.")
        if self.version == FIRST and self.group_by != "content":
            raise UsageError("this run splits images by rule 1, which cannot group near copies; use another --out.")

    @property
    def name(self) -> str:
        """For the names of files that depend on it; empty for the first rule."""
        return "" if self.version == FIRST else f"{self.version}{self.group_by}"

    def to_dict(self) -> dict[str, Any]:
        """For a record; `{}` for the first rule, which older versions did not write down."""
        return {} if self.version == FIRST else asdict(self)


def recorded_rule(document: Mapping[str, Any] | None) -> SplitRule:
    """The rule of a run from its record; without one it is the first.

    Raises:
        InputError: a rule of a later version.
    """
    if not document:
        return SplitRule(version=FIRST)
    try:
        rule = SplitRule(version=document["version"], group_by=document["group_by"])
        if FIRST <= rule.version <= NEWEST:
            return rule
    except (KeyError, TypeError, UsageError):
        pass
    raise InputError(
        f"This triscale knows no rule of splits {dict(document)}.\nUse the version of triscale that made the run."
    )


def split_validation(
    labels: Indices,
    *,
    fraction: float = VALIDATION,
    train_size: int | None = None,
    seed: int,
    keys: Sequence[str] = (),
    version: int = NEWEST,
) -> tuple[Indices, Indices]:
    """Split labels into a training and a validation part, each with the classes in the proportions of the whole.

    The validation part does not depend on `train_size`, so studies on subsets of the training part stay comparable.
    With keys it depends on them alone, not on the order; without, or by rule 1, on the positions.

    Args:
        labels: `[n]`, classes 0, 1, ...
        fraction: share of the validation part, in (0, 1); at least two of each class, at most half of it. Groups are
            never divided: a class of large groups may get fewer, but one group where it has several.
        train_size: number of samples in the training part; all that remain by default.
        seed: not negative; equal seeds, equal splits.
        keys: of each sample; those of equal keys go to the same part.
        version: of the rule, see `SplitRule`.

    Returns:
        Two sorted, disjoint `int64` arrays of positions in `labels`: training, validation.

    Raises:
        UsageError: the fraction, size or seed is out of range.
        InputError: fewer samples than `train_size`, or `train_size` below the number of classes.
    """
    if not 0 < fraction < 1:
        raise UsageError(f"The validation fraction is {fraction}.\nGive a number between 0 and 1.")
    if seed < 0:
        raise UsageError(f"The seed is {seed}.\nGive 0 or a larger whole number.")
    if version == FIRST or not len(keys):
        rest, held = _by_position(labels, fraction, seed)
    else:
        rest, held = _by_content(labels, keys, fraction, seed)
    return _joined(_first(rest, train_size)), _joined(held)


def split_test(labels: Indices, keys: Sequence[str], version: int) -> tuple[Indices, Indices]:
    """Positions of the rest, and of the fifth that is set aside as the test of a data set that has none."""
    return split_validation(labels, fraction=0.2, seed=0, keys=keys, version=version)


def taken(labels: Indices, count: int | None, *, seed: int, keys: Sequence[str] = ()) -> Indices:
    """Sorted positions of `count` samples, each class in its proportion; of all if it is None.

    Raises:
        InputError: more than there are, or fewer than classes.
    """
    if count is None:
        return np.arange(len(labels))
    ranked = sorted(range(len(labels)), key=lambda one: _rank(seed, keys[one] if len(keys) else str(one)))
    order = np.array(ranked, dtype=np.int64)
    return _joined(_first([order[labels[order] == label] for label in np.unique(labels)], count))


def _first(classes: list[Indices], count: int | None) -> list[Indices]:
    """The first samples of each class, `count` together."""
    if count is None:
        return classes
    shares = _shares(np.array([len(some) for some in classes]), count)
    return [some[:share] for some, share in zip(classes, shares, strict=True)]


def _by_position(labels: Indices, fraction: float, seed: int) -> tuple[list[Indices], list[Indices]]:
    """The training and the validation part of each class, in the order that was drawn."""
    order = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed))).permutation(len(labels))
    members = [order[labels[order] == label] for label in np.unique(labels)]
    counts = [_wanted(len(some), fraction) for some in members]
    return (
        [some[count:] for some, count in zip(members, counts, strict=True)],
        [some[:count] for some, count in zip(members, counts, strict=True)],
    )


def _wanted(count: int, fraction: float) -> int:
    return min(max(round(fraction * count), 2), count // 2)


def _by_content(
    labels: Indices, keys: Sequence[str], fraction: float, seed: int
) -> tuple[list[Indices], list[Indices]]:
    """As `_by_position`, but the order is that of a hash of seed and key, and equal keys are never parted."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for position, key in enumerate(keys):
        groups[key].append(position)
    ranked = [groups[key] for key in sorted(groups, key=lambda key: (_rank(seed, key), key))]
    inside = [Counter(labels[group].tolist()) for group in ranked]
    held = _held_groups(inside, fraction)
    kinds = np.unique(labels)
    parts: dict[bool, list[int]] = {True: [], False: []}
    for number, group in enumerate(ranked):
        parts[number in held] += group
    rest, out = (np.array(parts[side], dtype=np.int64) for side in (False, True))
    return [rest[labels[rest] == kind] for kind in kinds], [out[labels[out] == kind] for kind in kinds]


def _held_groups(inside: Sequence[Mapping[int, int]], fraction: float) -> set[int]:
    """Which groups are held out, of which `inside` says how many samples of each class they have, in drawn order.

    Groups are taken as long as they fit. A class that then has none gets its smallest group. Each class keeps a group
    to train on.
    """
    samples, remaining = Counter[int](), Counter[int]()
    for group in inside:
        samples.update(group)
        remaining.update(group.keys())
    wanted = {label: _wanted(count, fraction) for label, count in samples.items()}
    taken, held = set[int](), Counter[int]()

    def take(number: int) -> None:
        taken.add(number)
        held.update(inside[number])
        remaining.subtract(inside[number].keys())

    def leaves_some(group: Mapping[int, int]) -> bool:
        return all(remaining[label] > 1 for label in group)

    for number, group in enumerate(inside):
        if leaves_some(group) and all(held[label] + count <= wanted[label] for label, count in group.items()):
            take(number)
    with_label: defaultdict[int, list[int]] = defaultdict(list)
    for number, group in enumerate(inside):
        for label in group:
            with_label[label].append(number)
    for label in sorted(samples):
        if held[label]:
            continue
        for number in sorted(with_label[label], key=lambda one: sum(inside[one].values())):
            if leaves_some(inside[number]):
                take(number)
                break
    return taken


def _rank(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed} {key}".encode()).digest()


def _joined(groups: list[Indices]) -> Indices:
    joined: Indices = np.sort(np.concatenate([np.empty(0, np.int64), *groups]).astype(np.int64))
    return joined


def _shares(available: Indices, total: int) -> Indices:
    """Largest remainders: `total` shared in proportion to `available`, at least one each, never more than there is."""
    if total < 1:
        raise UsageError(f"The training size is {total}.\nGive the number of training images to use, at least 1.")
    if total > available.sum():
        raise InputError(
            f"The training size is {total}, but only {available.sum()} images remain beside the validation images.\n"
            f"Give at most {available.sum()}."
        )
    if total < len(available):
        raise InputError(
            f"A training size of {total} leaves classes without an image: there are {len(available)} classes.\n"
            f"Give at least {len(available)}."
        )
    quota = available * (total / available.sum())
    shares: Indices = np.maximum(np.floor(quota).astype(np.int64), 1)
    while shares.sum() != total:
        step = 1 if shares.sum() < total else -1
        allowed = (shares < available) if step > 0 else (shares > 1)
        shares[np.argmax(np.where(allowed, step * (quota - shares), -np.inf))] += step
    return shares
