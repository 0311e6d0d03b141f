"""The words by which people call the three splits, for folders, tables, shards and arrays alike.

A name means a split by its words, not by its letters: `seg_train`, `Training`, `trainset` and `x_test` do, `trainers`
and `contest` do not. What else is in the name must say nothing (`test_images`, `train2017`), or be shared with another
split (`seg_train` beside `seg_test`): `training shoes` alone is a class.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal

Split = Literal["train", "val", "test"]
READ: tuple[Split, ...] = ("train", "test", "val")
"""The order in which splits are read, on which fingerprints depend."""
_Role = Literal["train", "val", "test", "eval"]

WORDS: Mapping[_Role, tuple[str, ...]] = {
    "train": ("train", "training", "trn", "trainval"),
    "val": ("val", "valid", "validation", "validate", "dev", "devel", "development"),
    "test": ("test", "testing", "tst", "holdout", "heldout"),
    "eval": ("eval", "evaluation"),  # the validation, or the test of those who have a validation
}
EMPTY_WORDS = frozenset((
    "all", "class", "classes", "clean", "complete", "cropped", "data", "dataset", "datasets", "dir", "file", "files",
    "final", "folder", "folders", "full", "image", "images", "img", "imgs", "input", "inputs", "jpeg", "jpg", "labeled",
    "labelled", "part", "photo", "photos", "pic", "pics", "picture", "pictures", "png", "private", "ps", "public",
    "px", "raw", "resized", "sample", "samples", "set", "sets", "shard", "shards", "small", "split", "splits", "subset",
    "x",
))  # fmt: skip
"""What beside the word of a split says nothing."""

EXPECTED = "train/, val/ and test/ (or training, valid, dev, testing, ...)"
"""For messages."""

_ROLES: Mapping[str, _Role] = {word: role for role, words in WORDS.items() for word in words}
_BREAKS = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\d)(?=\D)|(?<=\D)(?=\d)")
_GLUED = re.compile(
    f"(?P<word>{'|'.join(_ROLES)})(?:{'|'.join(sorted(EMPTY_WORDS - {'x'}))})|(?:x|y)(?P<alone>{'|'.join(_ROLES)})"
)
"""`trainset`, `xtrain`; a full match tries every way, so the order of the words does not count."""
_HOLD_OUT = re.compile(r"h[eo]ld[\W_]*out", re.IGNORECASE)


def recognised(names: Iterable[str]) -> dict[str, Split]:
    """Which of the names that stand beside each other mean a split, and which.

    `eval` is the validation, or the test where there is another validation.
    """
    known = {name: found for name in names if (found := _role(name)) is not None}
    shared: defaultdict[str, set[_Role]] = defaultdict(set)
    for role, rest in known.values():
        shared[rest].add(role)
    return _settled({name: role for name, (role, rest) in known.items() if not rest or len(shared[rest]) > 1})


def recognised_anywhere(names: Iterable[str]) -> dict[str, Split]:
    """The same for names that hold more than a split, as those of shards do: a word anywhere in them counts."""
    return _settled({name: found[0] for name in names if (found := _role(name)) is not None})


def said_beside(name: str) -> tuple[str, ...]:
    """The words of a name beside those of a split, in small letters; of `xtrain` the `x`."""
    found = list[str]()
    for token in _BREAKS.split(name):
        word = token.casefold()
        glued = _GLUED.fullmatch(word)
        if glued and word not in _ROLES:
            split = glued["word"] or glued["alone"]
            found.append(word.removeprefix(split) if glued["word"] else word.removesuffix(split))
        elif word and word not in _ROLES:
            found.append(word)
    return tuple(found)


def _settled(roles: Mapping[str, _Role]) -> dict[str, Split]:
    evaluated: Split = "test" if "val" in roles.values() else "val"
    return {name: evaluated if role == "eval" else role for name, role in roles.items()}


def _role(name: str) -> tuple[_Role, str] | None:
    """The split that a name speaks of and what else it says; None if it speaks of none, or of several."""
    roles, rest = set[_Role](), list[str]()
    for token in _BREAKS.split(_HOLD_OUT.sub("holdout", name)):
        word = token.casefold()
        glued = _GLUED.fullmatch(word)
        role = _ROLES.get(word) or (glued and _ROLES[glued["word"] or glued["alone"]])
        if role:
            roles.add(role)
        elif word not in EMPTY_WORDS and not word.isdecimal():
            rest.append(word)
    if roles == {"train", "val"}:  # both, for training
        roles = {"train"}
    return (roles.pop(), " ".join(filter(None, rest))) if len(roles) == 1 else None
