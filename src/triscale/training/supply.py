"""The batches of a training and those of its validation, as its recipe asks for them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from triscale.data import Pictures, Size, Source
from triscale.data.feed.in_memory import Augmentation, Indices, eval_batches
from triscale.data.feed.loader import Loader
from triscale.data.feed.on_gpu import ImagesOnGpu, fits_on
from triscale.data.feed.rank_share import WHOLE, Share
from triscale.data.source import Part
from triscale.data.transforms.random_crop import RandomCrop
from triscale.data.transforms.train_augment import PhotoAugmentation
from triscale.errors import InputError
from triscale.recipes import Recipe
from triscale.spec import Preprocessing
from triscale.training.feed import Batch, GrowingFeed, PictureFeed, eval_photos
from triscale.trials import TrainJob

TrainingFeed = PictureFeed | Loader | GrowingFeed
Validation = Callable[[int], Iterator[Batch]]
"""From how many images at once to their batches."""

_CPU = torch.device("cpu")


def feeds_of(
    job: TrainJob,
    source: Source,
    how: Preprocessing,
    workers: int,
    go_on: Callable[[int, int], None],
    share: Share = WHOLE,
    device: torch.device = _CPU,
) -> tuple[TrainingFeed, Validation]:
    """What is trained on and what is validated on; rendering images, which may take minutes, tells `go_on`.

    Where images grow, each size is rendered from the originals; few lie on the GPU, which makes the same batches.

    Raises:
        InputError: too few images for both.
    """
    part, size = source.parts["train"], job.network.resolution
    split = source.training_split(seed=job.data.seed, train_size=job.data.subset)
    training, validation, held = split.training, split.validation, source.parts[split.held]
    fewest = min(job.recipe.batch, len(training)) // 2 // share.of
    if share.of > 1 and fewest < 1:
        raise InputError(
            f"{share.of} processes cannot share batches of {min(job.recipe.batch, len(training))} images.\n"
            "Give each of them two at least: fewer processes, a larger batch or more images."
        )
    if len(training) < 2 or not len(validation):
        raise InputError(
            f"{source.name} leaves {len(training)} images to train on and {len(validation)} to validate on.\n"
            "Give at least two of each class."
        )
    drawn: dict[str, Any] = {
        "indices": training,
        "batch": job.recipe.batch,
        "seed": job.seed,
        "workers": workers,
        "share": share,
    }
    validation = share.turns(validation)
    if job.recipe.crop == "random":
        loader = Loader(part=part, size=size, how=how, augmentation=photo_augmentation(job.recipe), **drawn)

        def cropped(size: Size, strength: float) -> Loader:
            weaker = replace(loader.augmentation, magnitude=strength * loader.augmentation.magnitude)
            return replace(loader, size=size, augmentation=weaker)

        return _growing(job, loader, cropped), PhotoValidation(held, validation, size, how)
    images, labels = source.pictures("train", size, progress=go_on), part.labels
    augmentation = Augmentation(flip=job.recipe.flip, shift=job.recipe.shift)
    feed = PictureFeed(images=images, labels=labels, augmentation=augmentation, mean=how.mean, std=how.std,
                       name=part.name, **drawn)  # fmt: skip

    def rendered(size: Size, _: float) -> PictureFeed:
        return replace(feed, images=source.pictures("train", size, progress=go_on))

    seen = images if split.held == "train" else source.pictures(split.held, size, progress=go_on)
    if share == WHOLE and not job.recipe.grows and fits_on(device, images, seen):
        return _on_gpu(feed, seen, held.labels, validation, device)
    return _growing(job, feed, rendered), lambda at_once: eval_batches(
        seen, held.labels, validation, batch=at_once, mean=how.mean, std=how.std
    )


def _on_gpu(
    feed: PictureFeed, seen: Pictures, labels: Indices, validation: Indices, device: torch.device
) -> tuple[PictureFeed, Validation]:
    """The feed and the validation on `seen`, made on the GPU."""
    training = ImagesOnGpu.of(feed.images, feed.labels, feed.mean, feed.std, device)
    held = training if seen is feed.images else ImagesOnGpu.of(seen, labels, feed.mean, feed.std, device)

    def in_turn(at_once: int) -> Iterator[Batch]:
        for start in range(0, len(validation), at_once):
            yield held.plain(validation[start : start + at_once])

    return replace(feed, on_gpu=training), in_turn


def _growing(
    job: TrainJob, whole: PictureFeed | Loader, changed: Callable[[Size, float], PictureFeed | Loader]
) -> TrainingFeed:
    """The feed itself; where a recipe grows, one for each size and strength."""
    recipe, size = job.recipe, job.network.resolution
    if not recipe.grows:
        return whole
    by_epoch = [(recipe.size_at(epoch, size), recipe.strength_at(epoch)) for epoch in range(recipe.epochs)]
    made = {kind: changed(*kind) for kind in dict.fromkeys(by_epoch)}
    return GrowingFeed(by_epoch=[made[kind] for kind in by_epoch])


def grown_up(feed: TrainingFeed) -> PictureFeed | Loader:
    """The feed of images as large as those of the validation."""
    return feed.by_epoch[-1] if isinstance(feed, GrowingFeed) else feed


@dataclass(frozen=True, eq=False)
class PhotoValidation:
    """Validation on photos that are read again each time; `broken` are those that cannot be read any more."""

    part: Part
    indices: Indices
    size: Size
    how: Preprocessing
    broken: dict[str, str] = field(default_factory=dict)

    def __call__(self, at_once: int) -> Iterator[Batch]:
        """The batches; see `eval_photos`."""
        return eval_photos(self.part, self.indices, self.size, self.how, at_once, self.broken)


def broken_in(feed: TrainingFeed, validation: Validation) -> Mapping[str, str]:
    """Names of images that could not be read any more, with reasons."""
    found = [one.broken for one in (grown_up(feed), validation) if isinstance(one, Loader | PhotoValidation)]
    return {name: reason for broken in found for name, reason in broken.items()}


def photo_augmentation(recipe: Recipe) -> PhotoAugmentation:
    """What a recipe of random crops does to each photo."""
    return PhotoAugmentation(
        crop=RandomCrop(area=(recipe.area, 1.0)),
        flip=0.5 if recipe.flip else 0.0,
        policy=recipe.policy,
        layers=recipe.layers,
        magnitude=recipe.magnitude,
        jitter=recipe.jitter,
        erase=recipe.erase,
    )
