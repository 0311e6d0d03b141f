"""What every data set looks like from outside: classes, labels, and images at any resolution."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triscale.data.checks.findings import Finding
from triscale.data.decode.render_cache import Progress, cached_pictures
from triscale.data.names.split_words import Split
from triscale.data.split import Indices, SplitRule, split_validation, taken
from triscale.data.transforms.area_resize import Pictures, Size, resized_chunks
from triscale.data.transforms.eval_crop import STUDY, fitted_block
from triscale.errors import UsageError
from triscale.spec import Preprocessing

TestFrom = Literal["test", "val", "train"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")

RENDERING = 2
"""Part of every cache name; raised whenever the same originals come out as other pixels."""

SPLIT_OFF = "There is no test set: a fifth of each class was split off the training images as the test."
"""The note of a source that had to make its own test."""

VAL_IS_TEST = "There is no test set: val serves as the test, and validation is split off the training images."
"""The note of a source that has one other split than the training."""


def test_of(splits: Collection[Split]) -> TestFrom:
    """What serves as the test where there are these splits."""
    return "test" if "test" in splits else "val" if "val" in splits else "train"


def one_class(labels: Mapping[Split, NDArray[np.int64]], classes: Sequence[str]) -> tuple[str, ...]:
    """Notes on splits beside the training that hold one class only."""
    return tuple(
        f"The {split} split holds images of {classes[some[0]]!r} only: accuracy on it says nothing of other classes."
        for split, some in labels.items()
        if split != "train" and len(some) and (some == some[0]).all()
    )


class Part(Protocol):
    """The images of one split, as a kind of source holds them."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """`[n]`, the class of each image."""

    @property
    def digests(self) -> Sequence[str]:
        """A hash of what each image holds; empty where no two are alike."""

    @property
    def keys(self) -> Sequence[str]:
        """The group of each image, by default its digest: equal keys stay together in every split that is drawn."""

    @property
    def master(self) -> Size | None:
        """The one size at which `render` is called, all others being averaged from it; None: any size."""

    def name(self, index: int) -> str:
        """What a person finds image `index` by."""

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """Image `index`, its pixels perhaps not read yet; raises `UnreadableError` if it is not there any more."""

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:
        """All images in order at `size`, in blocks `[some, *size, 3]`; `how` counts only where `master` is None."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingSplit:
    """What a training learns from and what it is validated on.

    Attributes:
        training: positions in the part `train`.
        validation: positions in the part `held`.
        held: `val` where the data set has its own validation images, else `train`, of which they were drawn.
    """

    training: Indices
    validation: Indices
    held: Split


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A data set that was checked when it was opened; labels and images align.

    Attributes:
        name: what opens it again: a path or the name of the embedded set.
        classes: names in the order of the labels.
        native: `(height, width)` of the originals; of photos the median shorter side, twice. Beyond it is upsampling.
        fingerprint: hexadecimal hash of the content; equal content, equal fingerprint, wherever it lies.
        test_from: what serves as the test: `test`, `val`, or a part split off `train`.
        skipped: images left out because they cannot be read.
        notes: what a reader of the results should know, in sentences; those of the findings among them.
        findings: what is doubtful about the images, with examples.
        parts: `train`, `test` and, where the data set has one beside its test, `val`.
        cache: folder for rendered images.
        rule: by which the splits were found, and by which the validation part is drawn.
    """

    name: str
    classes: tuple[str, ...]
    native: Size | None
    fingerprint: str
    test_from: TestFrom
    skipped: int = 0
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    parts: Mapping[Split, Part]
    cache: Path
    rule: SplitRule = SplitRule()  # noqa: RUF009  frozen

    def training_split(self, *, seed: int, train_size: int | None = None) -> TrainingSplit:
        """What to train on and what to validate on: the data set's own `val`, else a tenth drawn from `train`.

        Args:
            seed: of what is drawn; equal data, rule and seed, equal split.
            train_size: training images to use, all by default; the validation part does not depend on it.

        Raises:
            InputError: fewer images than `train_size`, or fewer asked than classes.
        """
        part, val = self.parts["train"], self.parts.get("val")
        if val is None:
            drawn = split_validation(
                part.labels, train_size=train_size, seed=seed, keys=part.keys, version=self.rule.version
            )
            return TrainingSplit(training=drawn[0], validation=drawn[1], held="train")
        training = taken(part.labels, train_size, seed=seed, keys=part.keys)
        return TrainingSplit(training=training, validation=np.arange(len(val.labels)), held="val")

    def guessing(self, *, seed: int) -> float:
        """Top-1 on the validation of whoever always names its most frequent class; `seed` as in `training_split`."""
        split = self.training_split(seed=seed)
        counts = np.bincount(self.labels(split.held)[split.validation])
        return float(counts.max() / counts.sum())

    def labels(self, split: Split) -> NDArray[np.int64]:
        """`[n]`, each in `0..len(classes) - 1`."""
        return self.parts[split].labels

    def pictures(self, split: Split, size: Size, *, progress: Progress | None = None) -> Pictures:
        """All images of a split, in the order of its labels.

        Args:
            split: `train`, `val` or `test`.
            size: `(height, width)` in pixels; averaged over areas when shrinking, bicubic when enlarging, the centre of
                photos of another shape.
            progress: called with `(done, n)` while images are rendered; not called when they are in the cache.

        Returns:
            uint8 `[n, height, width, 3]`, mapped read-only from the cache.

        Raises:
            InputError: an original broke since the source was opened.
            OutputError: the cache folder cannot be written.
            StorageError: storing failed, as on a full disk.
        """
        _require_pixels(size)
        part = self.parts[split]

        def render() -> Iterator[Pictures]:
            if part.master is None or part.master == size:
                return part.render(size)
            return resized_chunks(self.pictures(split, part.master, progress=progress), size)

        drawn = f"-{self.rule.name}" if self.test_from == "train" and self.rule.name else ""
        file = f"{self.fingerprint[:24]}-{RENDERING}{drawn}-{split}-{size[0]}x{size[1]}.npy"
        return cached_pictures(self.cache / file, (len(part.labels), *size, 3), render, progress)


def rendered(part: Part, size: Size, how: Preprocessing) -> Iterator[Pictures]:
    """All images of a part in the order of its labels, cut and resized as `how` says, kept nowhere.

    Yields:
        uint8 `[some, *size, 3]`; with the preprocessing of a study the same pixels as `Source.pictures`.
    """
    _require_pixels(size)
    if part.master is None:
        yield from part.render(size, how)
        return
    for block in part.render(part.master):
        yield fitted_block(block, size, how)


def _require_pixels(size: Size) -> None:
    if min(size) < 1:
        raise UsageError(f"Images of {size[0]}x{size[1]} px cannot be made.\nGive a resolution of at least 1 px.")
