"""What a scan found that a person should know: each finding with its count, a sentence and the first examples."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triscale.data.checks.near_copies import alike
from triscale.data.decode.image import ArchiveMember
from triscale.data.names.split_words import READ, Split
from triscale.data.photo import CheckOptions, Photo
from triscale.errors import InputError
from triscale.units import agreeing, some

SHOWN = 3
EXAMPLES = 10
ODD_ASPECT = 4.0
"""Longer side over shorter side beyond which the centre says little about an image."""
IMBALANCE = 10.0
"""Images of the largest class over those of the smallest beyond which accuracy hides the small ones."""


_CALLED: Mapping[Split, str] = {"train": "training", "val": "validation", "test": "test"}
_PAIRS: tuple[tuple[Split, Split], ...] = (("test", "train"), ("val", "train"), ("test", "val"))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something about a data set that its user should know.

    Attributes:
        kind: `unreadable`, `unknown class`, `leakage`, `two classes`, `truncated`, `duplicates`, `near copies`,
            `frames`, `aspect`, `imbalance` or `empty`.
        count: images (classes, for the last two) that it concerns.
        text: a sentence.
        examples: the first ten, sorted as the files are.
        serious: whether a strict check stops for it.
    """

    kind: str
    count: int
    text: str
    examples: tuple[str, ...] = ()
    serious: bool = False


def findings(
    files: Sequence[Photo],
    parts: Mapping[Split, Sequence[Photo]],
    near: Mapping[str, str],
    classes: Sequence[str],
    *,
    drawn: bool,
) -> tuple[Finding, ...]:
    """All findings about the splits as they are used, the serious ones first.

    Args:
        files: all that were scanned; those that cannot be read say why.
        parts: the readable ones of each split.
        near: see `alike_in`.
        classes: names in the order of the labels.
        drawn: whether the test was split off the training.
    """
    good = [photo for part in parts.values() for photo in part]
    found = (
        left_out(files),
        *copies(parts, near, drawn=drawn),
        _truncated(good),
        _frames(good),
        _aspect(good),
        _imbalance(parts["train"], classes),
    )
    return tuple(sorted((one for one in found if one is not None), key=lambda one: not one.serious))


def alike_in(splits: Mapping[Split, Sequence[Photo]]) -> dict[str, str]:
    """The group of each digest that has near copies among the images of all splits."""
    every = [photo for photos in splits.values() for photo in photos]
    return alike([photo.digest for photo in every], [photo.look for photo in every])


def copies(parts: Mapping[Split, Sequence[Photo]], near: Mapping[str, str], *, drawn: bool) -> tuple[Finding, ...]:
    """What digests and looks tell: images in two splits, in two classes, twice in one, and near copies."""
    good = [photo for part in parts.values() for photo in part]
    given = {"": good} if drawn else {_CALLED[name]: photos for name, photos in parts.items()}
    found = (
        *(_leakage(one, other, parts) for one, other in _PAIRS),
        _two_classes(good),
        *(_duplicates(name, photos) for name, photos in given.items()),
        _near_copies(parts, near),
    )
    return tuple(one for one in found if one is not None)


def strangers(split: Split, count: int, of: int, classes: Sequence[str]) -> Finding:
    """Images whose class the training does not have."""
    text = (
        f"{count} of {of} {_CALLED[split]} images were left out, since training has no class "
        f"{_some(list(map(repr, classes)))}."
    )
    return Finding(kind="unknown class", count=count, text=text, examples=(), serious=True)


def refuse_serious(found: Sequence[Finding], policy: CheckOptions) -> None:
    """Stop for the first serious finding if the policy is strict."""
    for one in found:
        if policy.strict and one.serious:
            raise InputError(f"{one.text}\nCorrect these images, or leave --strict out to train without them.")


def readable(photos: Sequence[Photo]) -> list[Photo]:
    """Those that are images."""
    return [photo for photo in photos if not photo.reason]


def left_out(photos: Sequence[Photo]) -> Finding | None:
    """The files that are not images, with reasons."""
    bad = [f"{photo.name!r} ({photo.reason})" for photo in photos if photo.reason]
    text = f"{len(bad)} of {len(photos)} files were left out: {_some(bad)}."
    return _finding("unreadable", len(bad), text, bad, serious=True)


def _leakage(one: Split, other: Split, parts: Mapping[Split, Sequence[Photo]]) -> Finding | None:
    """Images of a split that are also in another one, on which the choice of the network depends."""
    known = {photo.digest: photo.name for photo in reversed(parts.get(other, ()))}
    photos = parts.get(one, ())
    leaked = [f"{photo.name!r} is {known[photo.digest]!r}" for photo in photos if photo.digest in known]
    text = (
        f"{len(leaked)} of {len(photos)} {_CALLED[one]} images are also {_CALLED[other]} images: "
        f"the {_CALLED[one]} is too kind."
    )
    return _finding("leakage", len(leaked), text, leaked, serious=True)


def _two_classes(photos: Sequence[Photo]) -> Finding | None:
    by_label: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for photo in photos:
        by_label[photo.digest].setdefault(photo.label, photo.name)
    torn = [" is ".join(map(repr, names.values())) for names in by_label.values() if len(names) > 1]
    lie = agreeing(len(torn), "image lies", "images lie")
    return _finding("two classes", len(torn), f"{lie} in more than one class.", torn, serious=True)


def _truncated(photos: Sequence[Photo]) -> Finding | None:
    cut = [repr(photo.name) for photo in photos if isinstance(photo.file, ArchiveMember) and photo.file.mended]
    text = agreeing(len(cut), "image is cut off and grey where it ends", "images are cut off and grey where they end")
    return _finding("truncated", len(cut), f"{text}.", cut)


def _duplicates(part: str, photos: Sequence[Photo]) -> Finding | None:
    first: dict[tuple[str, int], int] = {}
    again = [
        f"{photo.name!r} is {photos[kept].name!r}"
        for index, photo in enumerate(photos)
        if (kept := first.setdefault((photo.digest, photo.label), index)) != index
    ]
    which = f"{part} " if part else ""
    are = agreeing(len(again), f"{which}image is a copy of another", f"{which}images are copies of others")
    text = f"{are} of {'its' if len(again) == 1 else 'their'} class: {_some(again)}."
    return _finding("duplicates", len(again), text, again)


def _near_copies(parts: Mapping[Split, Sequence[Photo]], near: Mapping[str, str]) -> Finding | None:
    """Images that look like another one; for copies to the byte there are other findings."""
    first: dict[str, Photo] = {}
    where: defaultdict[str, set[Split]] = defaultdict(set)
    again = dict[str, str]()
    for split in READ:
        for photo in parts.get(split, ()):
            group = near.get(photo.digest, "")
            if not group:
                continue
            where[group].add(split)
            if first.setdefault(group, photo).digest != photo.digest:
                again.setdefault(photo.digest, f"{photo.name!r} looks like {first[group].name!r}")
    torn = sum(near.get(photo.digest) in where and "train" in where[near[photo.digest]]
               for split in READ if split != "train" for photo in parts.get(split, ()))  # fmt: skip
    grouped = any(photo.group for photos in parts.values() for photo in photos)
    alike = "looks like a training image" if torn == 1 else "look like training images"
    told = f", and {torn} of the images to test or validate on {alike}" if torn else ""
    advice = "" if grouped else "; --group-by near keeps them on one side of a split that is drawn"
    shown = list(again.values())
    are = agreeing(len(shown), "image is a near copy of another", "images are near copies of others")
    text = f"{are} (resized, re-encoded){told}{advice}: {_some(shown)}."
    return _finding("near copies", len(shown), text, shown)


def _frames(photos: Sequence[Photo]) -> Finding | None:
    moving = [repr(photo.name) for photo in photos if photo.moving]
    hold = agreeing(len(moving), "file holds", "files hold")
    text = f"{hold} several frames; the first one is used: {_some(moving)}."
    return _finding("frames", len(moving), text, moving)


def _aspect(photos: Sequence[Photo]) -> Finding | None:
    odd = [f"{p.name!r} ({p.size[1]}x{p.size[0]} px)" for p in photos if max(p.size) > ODD_ASPECT * min(p.size)]
    are, its = agreeing(len(odd), "image is", "images are"), "its" if len(odd) == 1 else "their"
    text = f"{are} more than {ODD_ASPECT:g} times as long as wide; {its} centre is used: {_some(odd)}."
    return _finding("aspect", len(odd), text, odd)


def _imbalance(train: Sequence[Photo], classes: Sequence[str]) -> Finding | None:
    counts = Counter(photo.label for photo in train)
    if not counts:
        return None
    (large, most), (small, least) = counts.most_common()[0], counts.most_common()[-1]
    if most <= IMBALANCE * least:
        return None
    rare = [f"{classes[label]!r} ({count})" for label, count in counts.items() if IMBALANCE * count < most]
    text = (
        f"{classes[large]!r} has {most} training images and {classes[small]!r} {least}: "
        "accuracy over all says little about the small classes."
    )
    return _finding("imbalance", len(rare), text, rare)


def _some(examples: Sequence[str]) -> str:
    return some(examples, SHOWN, ", and")


def _finding(kind: str, count: int, text: str, examples: Sequence[str], *, serious: bool = False) -> Finding | None:
    if not count:
        return None
    return Finding(kind=kind, count=count, text=text, examples=tuple(examples[:EXAMPLES]), serious=serious)
