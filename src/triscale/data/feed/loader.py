"""Batches of photos from any number of processes: the same ones in the same order, from any step of any epoch on.

A batch is a function of (seed, epoch, step); worker processes, which are torch's, only decide where it is worked out.
"""

import os
import signal
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from triscale.data.decode.image import UnreadableError, pillow_warnings_off
from triscale.data.decode.jpeg_part import part_decoder
from triscale.data.feed.in_memory import Indices, WholeBatches
from triscale.data.feed.rank_share import WHOLE, Share
from triscale.data.photo_files import PhotoPart
from triscale.data.source import Part
from triscale.data.transforms.area_resize import Size
from triscale.data.transforms.normalize import normalised
from triscale.data.transforms.train_augment import PhotoAugmentation, draws_for, jpeg_photo, photo
from triscale.errors import InputError, OutOfMemoryError, StorageError, TriscaleError, UsageError
from triscale.orphans import end_with, release_signals, signals_held
from triscale.spec import Preprocessing

MOST_BROKEN = 0.01
"""Part of the images of an epoch that may break after the check; beyond it something is wrong with all of them."""
GRACE = 10
"""Seconds that a worker works on after SIGTERM, which a whole group of processes gets at once."""
PREFETCH = 2
"""Batches that each worker makes ahead."""
_ENDED = "DataLoader worker (pid"
"""How torch begins the error of a worker that is gone; one that came out of a worker begins otherwise."""


@dataclass(frozen=True)
class _Made:
    """A batch on its way out of a worker: images, labels, and which could not be read with the reasons."""

    pictures: Tensor
    labels: Tensor
    broken: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Loader(WholeBatches):
    """Augmented batches of the images of a source.

    An image that cannot be read any more is named in `broken`, and the next one of its batch that can be read stands
    in, so that batches keep their size.

    Attributes:
        part: the images, such as `source.parts["train"]`.
        indices, batch: see `WholeBatches`.
        size: `(height, width)` in pixels.
        how: interpolation, mean and std.
        augmentation: what is done to each image.
        seed: not negative.
        share: which of each batch are made.
        workers: processes that work ahead; 0: each batch is made when it is needed.
        broken: image names with reasons, filled while batches are taken.
    """

    part: Part
    size: Size
    how: Preprocessing
    augmentation: PhotoAugmentation
    seed: int
    workers: int = 0
    share: Share = WHOLE
    broken: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.batch < 1 or self.workers < 0 or self.seed < 0:
            raise UsageError(
                f"The batch is {self.batch}, workers are {self.workers} and the seed is {self.seed}.\n"
                "Give a batch of at least 1; workers and seed may be 0."
            )
        if not len(self.indices):
            raise InputError("There are no images to train on.")

    def chosen(self, epoch: int, step: int) -> Indices:
        """The images of a batch: positions in the part, shuffled again in every epoch."""
        return self._order(epoch)[step * self.batch : (step + 1) * self.batch]

    def names(self, epoch: int, step: int) -> Sequence[str]:
        """What the images of a batch are called, for a message."""
        return [self.part.name(int(index)) for index in self.chosen(epoch, step)]

    def batches(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of an epoch from its step `first` on.

        Yields:
            float32 `[batch, channels, *size]` in channels-last memory, normalised; int64 `[batch]`.

        Raises:
            InputError: a whole batch, or more than one in a hundred of the images, cannot be read any more.
            StorageError: a worker process died.
        """
        for made in self._made(epoch, first):
            if isinstance(made, TriscaleError):
                raise made
            self.broken.update(made.broken)
            refuse_broken(len(self.broken), len(self.indices), self.broken)
            yield made.pictures, made.labels

    def _made(self, epoch: int, first: int) -> Iterator[_Made | TriscaleError]:
        plan = _Plan(self, epoch, self._order(epoch))
        if not self.workers:
            with pillow_warnings_off():
                yield from (plan[step] for step in range(first, self.steps))
            return
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "This DataLoader will create")  # how many workers is the user's choice
            with signals_held():
                coming = iter(
                    DataLoader(
                        plan,
                        batch_size=None,
                        sampler=range(first, self.steps),
                        num_workers=self.workers,
                        prefetch_factor=PREFETCH,
                        worker_init_fn=partial(_begin_worker, os.getpid()),
                        multiprocessing_context="fork" if hasattr(os, "fork") else None,
                    )
                )
        try:
            yield from coming
        except RuntimeError as error:
            if not str(error).startswith(_ENDED):  # a fault of ours in a worker, as it is
                raise
            raise StorageError(
                f"A process that loads images ended: {' '.join(str(error).split())[:120]}\n"
                "It may have been out of memory: use fewer --loader-workers or a smaller batch."
            ) from error
        finally:
            # Now, not when the last traceback that knows of it is gone.
            coming._shutdown_workers()  # type: ignore[attr-defined]  # noqa: SLF001

    def _order(self, epoch: int) -> Indices:
        draws = np.random.Generator(np.random.Philox(np.random.SeedSequence((self.seed, epoch))))
        # The draw of an image does not depend on which others take part.
        place = draws.random(len(self.part.labels))[self.indices]
        order: Indices = self.indices[np.argsort(place, kind="stable")]
        return order


def refuse_broken(lost: int, of: int, broken: Mapping[str, str]) -> None:
    """InputError where too many images cannot be read any more; one may always be lost."""
    if lost > max(MOST_BROKEN * of, 1):
        name, reason = list(broken.items())[-1]
        raise InputError(
            f"{lost} of {of} images cannot be read any more, {name!r} among them: "
            f"{reason}.\nRestore them, then run the command again."
        )


@dataclass(frozen=True, eq=False)
class _Plan(Dataset[_Made | TriscaleError]):
    """The batches of one epoch by their step; what a user can do something about comes out of a worker as it is."""

    loader: Loader
    epoch: int
    order: Indices

    def __len__(self) -> int:
        return self.loader.steps

    def __getitem__(self, step: int) -> _Made | TriscaleError:
        try:
            return self._made(step)
        except TriscaleError as error:
            return error
        except MemoryError:
            return OutOfMemoryError(
                "There is no memory left to load images; use fewer --loader-workers or a smaller batch."
            )

    def _made(self, step: int) -> _Made:
        loader = self.loader
        chosen = self.order[step * loader.batch : (step + 1) * loader.batch]
        chosen = chosen[loader.share.places(len(chosen))]
        broken: list[tuple[str, str]] = []
        pictures = torch.empty(len(chosen), *loader.size, len(loader.how.mean))
        good: list[int] = []
        for at, index in enumerate(chosen.tolist()):
            try:
                pixels = self._photo(index)
                normalised(pixels, loader.how, out=pictures[at])
                good.append(at)
            except UnreadableError as error:
                broken.append((loader.part.name(index), str(error)))
        labels = torch.from_numpy(loader.part.labels[chosen])
        if broken:
            _stand_in(pictures, labels, good, broken)
        return _Made(pictures.permute(0, 3, 1, 2), labels, broken)

    def _photo(self, index: int) -> Tensor:
        """Of a JPEG only what is needed is decoded, if the extra `fast` is there; the pixels are the same."""
        loader = self.loader
        how = loader.size, loader.how, loader.augmentation
        if part_decoder() is not None and isinstance(loader.part, PhotoPart):
            content = loader.part.content(index)
            drawn = draws_for(loader.seed, self.epoch, index)
            if content is not None and (pixels := jpeg_photo(content, *how, drawn)) is not None:
                return pixels
        with loader.part.opened(index) as image:
            return photo(image, *how, draws_for(loader.seed, self.epoch, index))


def _stand_in(pictures: Tensor, labels: Tensor, good: Sequence[int], broken: Sequence[tuple[str, str]]) -> None:
    """Fill the gaps of a batch with the next good image, around its end."""
    if not good:
        name, reason = broken[0]
        raise InputError(
            f"No image of a batch can be read any more, {name!r} among them: {reason}.\n"
            "Restore them, then run the command again."
        )
    for at in set(range(len(labels))) - set(good):
        other = min(good, key=lambda place: (place - at) % len(labels))
        pictures[at], labels[at] = pictures[other], labels[other]


def _begin_worker(parent: int, number: int) -> None:
    """A signal to stop is the main process's to answer: it takes its batch, saves, and ends the workers.

    Torch's workers look for a parent that was killed every five seconds, and not at all for one that was killed while
    they began.
    """
    del number
    end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: signal.alarm(GRACE))
    release_signals()
    warnings.simplefilter("ignore")
