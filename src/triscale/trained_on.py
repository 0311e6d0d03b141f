"""Which images made weights what they are, in the few bytes that travel with the weights."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

HEAD = 5
"""Bytes kept of the hash of an image: of a million foreign images, one is taken for one of a million known ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedOn:
    """What a training used of a data set, and how its split was drawn.

    Attributes:
        fingerprint: of the data set.
        test_from: what served as the test: `test`, `val`, or a part that was drawn from `train`.
        version, group_by: of the rule of splits, see `triscale.data.SplitRule`.
        fraction: of the images that were drawn for validation; None where the data set has its own.
        seed: of what was drawn.
        train_size: images that were chosen to train on; None: all.
        training, validation: how many there were.
        images: heads of the sorted hashes of all these images, and of those that earlier weights were trained on.
    """

    fingerprint: str
    test_from: str
    version: int
    group_by: str
    fraction: float | None
    seed: int
    train_size: int | None
    training: int
    validation: int
    images: bytes = field(repr=False)

    def used(self, identities: Iterable[str]) -> list[bool]:
        """Whether each image was trained on, or helped to choose the epoch; see `heads_of` for identities."""
        known = {self.images[start : start + HEAD] for start in range(0, len(self.images), HEAD)}
        return [_head(one) in known for one in identities]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_document` reads it."""
        plain = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "images"}
        return {**plain, "images": base64.b64encode(self.images).decode()}

    @classmethod
    def from_dict(cls, document: object) -> Self | None:
        """What `document` wrote; None for anything else, as in older files: nothing is known then."""
        if not isinstance(document, Mapping):
            return None
        try:
            found = {name: document[name] for name in _KINDS}
            images = base64.b64decode(document["images"], validate=True)
        except (KeyError, ValueError, TypeError):
            return None
        fits = all(type(value) in _KINDS[name] for name, value in found.items())
        return cls(**found, images=images) if fits and len(images) % HEAD == 0 else None


_NONE = type(None)
_KINDS: Mapping[str, tuple[type, ...]] = {
    "fingerprint": (str,), "test_from": (str,), "version": (int,), "group_by": (str,), "fraction": (float, _NONE),
    "seed": (int,), "train_size": (int, _NONE), "training": (int,), "validation": (int,),
}  # fmt: skip
"""Field -> what it may be in a file."""


def heads_of(identities: Iterable[str], earlier: Iterable[TrainedOn] = ()) -> bytes:
    """What `TrainedOn.images` holds of these images and of those that earlier weights were trained on.

    Args:
        identities: a text for each image that depends on its content alone.
        earlier: of the weights that a training began with, or learned from.
    """
    heads = {_head(one) for one in identities}
    for before in earlier:
        heads |= {before.images[start : start + HEAD] for start in range(0, len(before.images), HEAD)}
    return b"".join(sorted(heads))


def _head(identity: str) -> bytes:
    return hashlib.blake2b(identity.encode(), digest_size=HEAD).digest()
