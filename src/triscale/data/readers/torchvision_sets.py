"""Data sets that torchvision reads, by name: those of the paper's transfer table (Tables 5 and 6) but Birdsnap.

Birdsnap has to be laid out as class folders, since torchvision does not know it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triscale.data.checks.findings import copies, refuse_serious
from triscale.data.checks.near_copies import alike, looks_of
from triscale.data.checks.scan import digests
from triscale.data.decode.render_cache import Progress
from triscale.data.names.split_words import Split
from triscale.data.photo import CheckOptions, Photo
from triscale.data.photo_files import photo_source, photos_of
from triscale.data.source import Source
from triscale.data.transforms.area_resize import CHUNK, Pictures, Size
from triscale.data.transforms.eval_crop import STUDY
from triscale.errors import InputError, OutputError
from triscale.spec import Preprocessing


@dataclass(frozen=True, kw_only=True)
class TorchvisionSet:
    """A data set of torchvision.

    Attributes:
        kind: the class in `torchvision.datasets`.
        train: splits of that class that are the training images.
        test: the one that is the test.
        printed: training and test images as the paper prints them (Table 5).
        note: where that is not what the set holds.
    """

    kind: str
    train: tuple[str, ...] = ("train",)
    test: str = "test"
    printed: tuple[int, int]
    note: str = ""


KNOWN = {
    "cifar10": TorchvisionSet(kind="CIFAR10", printed=(50_000, 10_000)),
    "cifar100": TorchvisionSet(kind="CIFAR100", printed=(50_000, 10_000)),
    "flowers102": TorchvisionSet(kind="Flowers102", train=("train", "val"), printed=(2_040, 6_149)),
    "stanford_cars": TorchvisionSet(kind="StanfordCars", printed=(8_144, 8_041)),
    "fgvc_aircraft": TorchvisionSet(kind="FGVCAircraft", train=("trainval",), printed=(6_667, 3_333)),
    "oxford_pets": TorchvisionSet(
        kind="OxfordIIITPet",
        train=("trainval",),
        printed=(3_680, 3_369),
        note="The set has 3,669 test images; the paper's 3,369 is a slip.",
    ),
    "food101": TorchvisionSet(kind="Food101", printed=(75_750, 25_250)),
}


@dataclass(frozen=True, eq=False)
class MemoryPart:
    """Images of one size in memory, `[n, height, width, 3]`."""

    images: Pictures
    labels: NDArray[np.int64]
    split: str
    digests: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def master(self) -> Size | None:
        """The size of the images."""
        return self.images.shape[1], self.images.shape[2]

    def name(self, index: int) -> str:
        """The split and the position in it."""
        return f"{self.split}[{index}]"

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """One image."""
        return nullcontext(Image.fromarray(self.images[index]))

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:  # noqa: ARG002 - only at `master`
        """The images as they are."""
        for start in range(0, len(self.images), CHUNK):
            yield self.images[start : start + CHUNK]


def split_name(where: str) -> tuple[str, Path] | None:
    """The name and the folder of `cifar10:ROOT`; None for anything else."""
    name, colon, root = where.partition(":")
    return (name, Path(root)) if name in KNOWN and colon else None


def open_known(name: str, cache: Path, policy: CheckOptions, progress: Progress | None = None) -> Source:
    """The data set `NAME:ROOT`, where ROOT is what torchvision calls its root.

    Raises:
        InputError: it is not there or not whole; torchvision, or scipy for two of the sets, is not installed.
    """
    found = split_name(name)
    if found is None or not str(found[1]).strip("."):
        raise InputError(f"{name!r} names no folder.\nWrite the data set and the folder it lies in: cifar10:FOLDER.")
    known, root = KNOWN[found[0]], found[1]
    train = [_opened(known, root, split, policy) for split in known.train]
    test = _opened(known, root, known.test, policy)
    notes = _notes(known, sum(map(len, train)), len(test))
    if known.kind.startswith("CIFAR"):
        return _in_memory(train[0], test, name, notes, cache, policy)
    return photo_source(
        {"train": [photo for some in train for photo in _photos(some, root)], "test": _photos(test, root)},
        name=name,
        classes=tuple(map(str, train[0].classes)),
        notes=notes,
        table=b"".join(np.array([label for _, label in _listed(some)]).tobytes() for some in (*train, test)),
        cache=cache,
        policy=policy,
        progress=progress,
    )


def _opened(known: TorchvisionSet, root: Path, split: str, policy: CheckOptions) -> Any:
    """A split as torchvision opens it; its own checksums are checked by it before anything is unpacked."""
    try:
        from torchvision import datasets  # noqa: PLC0415  an extra, and slow to load

        which: dict[str, Any] = {"train": split == "train"} if known.kind.startswith("CIFAR") else {"split": split}
        if policy.download:
            which["download"] = True
        return getattr(datasets, known.kind)(str(root), **which)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{known.kind} needs {error.name}, which is not installed.\nInstall it: pip install 'triscale[datasets]'."
        ) from error
    except PermissionError as error:
        raise OutputError(f"{str(root)!r} cannot be written: {error.strerror}.") from error
    except Exception as error:  # torchvision raises anything where files are missing or broken
        raise InputError(
            f"There is no whole {known.kind} in {str(root)!r}: {' '.join(str(error).split())[:100]}\n"
            "Give the folder that torchvision calls root, or let torchvision fetch it there with --download."
        ) from error


def _notes(known: TorchvisionSet, train: int, test: int) -> tuple[str, ...]:
    if (train, test) == known.printed:
        return ()
    printed = f"The paper prints {known.printed[0]:,} training and {known.printed[1]:,} test images"
    return (f"{printed}, here are {train:,} and {test:,}." + (f" {known.note}" if known.note else ""),)


def _in_memory(train: Any, test: Any, name: str, notes: tuple[str, ...], cache: Path, policy: CheckOptions) -> Source:
    sets: dict[Split, Any] = {"train": train, "test": test}
    images = {split: np.asarray(some.data) for split, some in sets.items()}
    found = {split: digests(some) for split, some in images.items()}
    every = [one for some in found.values() for one in some]
    near = alike(every, [look for some in images.values() for look in looks_of(some)])
    parts = {
        split: MemoryPart(images[split], np.array(sets[split].targets, dtype=np.int64), split, some,
                          tuple(near.get(one, one) for one in some) if policy.split.group_by == "near" else some)
        for split, some in found.items()
    }  # fmt: skip
    told = copies({split: photos_of(part) for split, part in parts.items()}, near, drawn=False)
    refuse_serious(told, policy)
    digest = hashlib.sha256()
    for part in parts.values():
        digest.update(np.ascontiguousarray(part.images).data)
        digest.update(part.labels.tobytes())
    return Source(
        name=name,
        classes=tuple(map(str, train.classes)),
        native=parts["train"].master,
        fingerprint=digest.hexdigest(),
        test_from="test",
        notes=(*notes, *(one.text for one in told)),
        findings=told,
        parts=dict(parts),
        cache=cache,
        rule=policy.split,
    )


def _photos(split: Any, root: Path) -> list[Photo]:
    return [
        Photo(name=path.relative_to(root).as_posix(), file=path, label=int(label)) for path, label in _listed(split)
    ]


def _listed(split: Any) -> Sequence[tuple[Path, int]]:
    """Files and labels without decoding: torchvision hands the path to a `loader`, where a set takes one."""
    if hasattr(split, "loader"):
        split.loader = Path
        return [split[index] for index in range(len(split))]
    files: Sequence[Path] = split._images  # noqa: SLF001  OxfordIIITPet decodes, and has no other way to its files
    return list(zip(files, split._labels, strict=True))  # noqa: SLF001
