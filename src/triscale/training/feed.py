"""Which images come when: a function of (seed, epoch, step), so that a training resumes in the middle of an epoch."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from triscale.data import Pictures, Size
from triscale.data.checks.scan import threads
from triscale.data.decode.image import UnreadableError, pillow_warnings_off, upright_rgb
from triscale.data.feed.in_memory import Augmentation, Indices, WholeBatches, augmented, to_tensor
from triscale.data.feed.loader import Loader, refuse_broken
from triscale.data.feed.on_gpu import ImagesOnGpu
from triscale.data.feed.rank_share import WHOLE, Share
from triscale.data.source import Part
from triscale.data.transforms.eval_crop import fitted
from triscale.spec import Preprocessing

Batch = tuple[Tensor, Tensor]


class Feed(Protocol):
    """Where a training gets its batches."""

    @property
    def steps(self) -> int:
        """Batches in an epoch."""

    def batches(self, epoch: int, first: int) -> Iterator[Batch]:
        """The batches of an epoch from its step `first` on: float32 [n, c, h, w], int64 [n]."""

    def names(self, epoch: int, step: int) -> Sequence[str]:
        """What the images of a batch are called, for a message."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureFeed(WholeBatches):
    """Augmented batches of images that are in memory, or mapped into it.

    Attributes:
        images: uint8 [n, height, width, 3].
        labels: int64 [n].
        indices, batch: see `WholeBatches`.
        seed: not negative.
        augmentation: what is done to the images.
        mean, std: by which they are normalised.
        workers: threads that make batches ahead; 0: each is made when it is needed. The same batches come.
        name: the name of an image by its position.
        share: which of each batch are made.
        on_gpu: the same images on the GPU, which then makes the same batches there, of whole batches alone.
    """

    images: Pictures
    labels: Indices
    seed: int
    augmentation: Augmentation
    mean: tuple[float, ...]
    std: tuple[float, ...]
    workers: int = 0
    name: Callable[[int], str] = "image {}".format
    share: Share = WHOLE
    on_gpu: ImagesOnGpu | None = None

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """See `Feed.batches`."""
        draws, order = self._drawn(epoch)
        if self.on_gpu is not None:
            return self._made_there(self.on_gpu, order, draws[order, 1:], first)

        def made(step: int) -> Batch:
            chosen = order[step * self.batch : (step + 1) * self.batch]
            chosen = chosen[self.share.places(len(chosen))]
            pixels = augmented(self.images, chosen, draws[chosen, 1:], self.augmentation)
            return to_tensor(pixels, self.mean, self.std), torch.from_numpy(self.labels[chosen])

        return in_order(made, range(first, self.steps), self.workers)

    def _made_there(
        self, images: ImagesOnGpu, order: Indices, draws: NDArray[np.float64], first: int
    ) -> Iterator[Batch]:
        drawn = images.epoch(order, draws, self.augmentation)
        for step in range(first, self.steps):
            yield images.augmented(drawn, slice(step * self.batch, (step + 1) * self.batch))

    def names(self, epoch: int, step: int) -> Sequence[str]:
        """See `Feed.names`."""
        order = self._drawn(epoch)[1]
        return [self.name(int(one)) for one in order[step * self.batch : (step + 1) * self.batch]]

    def _drawn(self, epoch: int) -> tuple[NDArray[np.float64], Indices]:
        """What is drawn for every image of an epoch, as in `data.feed.in_memory.train_batches`, and their order."""
        draws = np.random.Generator(np.random.Philox(np.random.SeedSequence((self.seed, epoch))))
        drawn = draws.random((len(self.images), 4))
        return drawn, self.indices[np.argsort(drawn[self.indices, 0], kind="stable")]


@dataclass(frozen=True, kw_only=True, eq=False)
class GrowingFeed:
    """A feed for each epoch: the same images in the same order, at sizes and strengths that grow.

    Attributes:
        by_epoch: the feeds; epochs of one size and strength share one.
    """

    by_epoch: Sequence[PictureFeed | Loader]

    @property
    def steps(self) -> int:
        """Whole batches in an epoch."""
        return self.by_epoch[-1].steps

    @property
    def left_out(self) -> int:
        """Images that an epoch leaves out, others in each."""
        return self.by_epoch[-1].left_out

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """See `Feed.batches`."""
        return self.by_epoch[epoch].batches(epoch, first)

    def names(self, epoch: int, step: int) -> Sequence[str]:
        """See `Feed.names`."""
        return self.by_epoch[epoch].names(epoch, step)


def eval_photos(
    part: Part, indices: Indices, size: Size, how: Preprocessing, batch: int, broken: dict[str, str]
) -> Iterator[Batch]:
    """Images of a part in order, cut and resized as `how` says: the pixels that `evaluate` and `predict` give them.

    One that cannot be read any more is left out, its name and the reason put into `broken`.

    Raises:
        InputError: these are more than one in a hundred.
    """

    def one(index: int) -> Pictures | UnreadableError:
        try:
            with part.opened(index) as image:
                return fitted(upright_rgb(image), size, how)
        except UnreadableError as error:
            return error

    lost = 0
    with pillow_warnings_off(), threads() as pool:
        for start in range(0, len(indices), batch):
            chosen = indices[start : start + batch]
            pixels: list[Pictures] = []
            read: list[int] = []
            for index, found in zip(chosen.tolist(), pool.map(one, chosen.tolist()), strict=True):
                if isinstance(found, UnreadableError):
                    broken[part.name(index)] = str(found)
                    lost += 1
                else:
                    pixels.append(found)
                    read.append(index)
            refuse_broken(lost, len(indices), broken)
            if read:
                yield to_tensor(np.stack(pixels), how.mean, how.std), torch.from_numpy(part.labels[read])


def in_order(made: Callable[[int], Batch], steps: range, workers: int) -> Iterator[Batch]:
    """The batches of the steps, made by `workers` threads at most that many ahead."""
    if not workers:
        yield from map(made, steps)
        return
    with ThreadPoolExecutor(workers) as pool:
        left = iter(steps)
        coming: deque[Future[Batch]] = deque(pool.submit(made, step) for step in islice(left, workers))
        while coming:
            batch = coming.popleft().result()
            coming.extend(pool.submit(made, step) for step in islice(left, 1))
            yield batch
