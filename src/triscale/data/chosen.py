"""Parts made of other parts: some of their images, or several of them in a row."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, chain

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triscale.data.photo_files import PhotoPart
from triscale.data.readers.flowers import FlowerPart
from triscale.data.source import Part, rendered
from triscale.data.split import Indices
from triscale.data.transforms.area_resize import Pictures, Size
from triscale.data.transforms.eval_crop import STUDY
from triscale.spec import Preprocessing


def identities(part: Part) -> Sequence[str]:
    """A text for each image that depends on its content alone: equal files, or pixels of arrays, have equal ones."""
    if isinstance(part, FlowerPart):
        return [f"flower {part.seed} {part.split} {index}" for index in range(part.n)]
    return part.digests


def chosen(part: Part, positions: Indices) -> Part:
    """The images of a part at these positions, in this order; only these photos are read."""
    if not isinstance(part, PhotoPart):
        return _Chosen(part, positions)
    lists = {name: tuple(getattr(part, name)[one] for one in positions) for name in _LISTS if getattr(part, name)}
    return replace(part, labels=part.labels[positions], **lists)


_LISTS = ("files", "names", "stamps", "digests", "keys")


@dataclass(frozen=True, eq=False)
class _Chosen:
    """The images of `part` at `positions`, which are sorted."""

    part: Part
    positions: Indices

    @property
    def labels(self) -> NDArray[np.int64]:
        return self.part.labels[self.positions]

    @property
    def digests(self) -> Sequence[str]:
        known = identities(self.part)
        return [known[one] for one in self.positions]

    @property
    def keys(self) -> Sequence[str]:
        return [self.part.keys[one] for one in self.positions] if self.part.keys else ()

    @property
    def master(self) -> Size | None:
        return None

    def name(self, index: int) -> str:
        return self.part.name(int(self.positions[index]))

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        return self.part.opened(int(self.positions[index]))

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:
        start = 0
        for block in rendered(self.part, size, how):
            here = self.positions[(self.positions >= start) & (self.positions < start + len(block))]
            if len(here):
                yield block[here - start]
            start += len(block)


@dataclass(frozen=True, eq=False)
class Joined:
    """The images of several parts in a row."""

    parts: tuple[Part, ...]

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """`[n]`."""
        return np.concatenate([part.labels for part in self.parts])

    @property
    def digests(self) -> Sequence[str]:
        """The identities of all images."""
        return list(chain.from_iterable(map(identities, self.parts)))

    @property
    def keys(self) -> Sequence[str]:
        """Of all images; empty where a part has none."""
        keys = [part.keys for part in self.parts]
        return list(chain.from_iterable(keys)) if all(keys) else ()

    @property
    def master(self) -> Size | None:
        """None: each part has its own."""
        return None

    def name(self, index: int) -> str:
        """As its part calls it."""
        part, at = self._at(index)
        return part.name(at)

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """As its part opens it."""
        part, at = self._at(index)
        return part.opened(at)

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:
        """The images of one part after the other."""
        for part in self.parts:
            yield from rendered(part, size, how)

    def _at(self, index: int) -> tuple[Part, int]:
        ends = list(accumulate(len(part.labels) for part in self.parts))
        which = int(np.searchsorted(ends, index, side="right"))
        return self.parts[which], index - (ends[which - 1] if which else 0)
