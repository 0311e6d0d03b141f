"""The batches of a training and those of its validation, as its recipe asks for them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from triscale.data import Size, Source
from triscale.data.augment import PhotoAugmentation
from triscale.data.batches import Augmentation, Indices, eval_batches
from triscale.data.crop import RandomCrop
from triscale.data.loader import Loader
from triscale.data.share import WHOLE, Share
from triscale.data.source import Part
from triscale.errors import InputError
from triscale.recipes import Recipe
from triscale.spec import Preprocessing
from triscale.train.feed import Batch, GrowingFeed, PictureFeed, eval_photos
from triscale.trials import TrainJob

TrainingFeed = PictureFeed | Loader | GrowingFeed
Validation = Callable[[int], Iterator[Batch]]
"""From how many pictures at once to their batches."""


def feeds_of(
    job: TrainJob,
    source: Source,
    how: Preprocessing,
    workers: int,
    go_on: Callable[[int, int], None],
    share: Share = WHOLE,
) -> tuple[TrainingFeed, Validation]:
    """What is trained on and what is validated on; rendering pictures, which may take minutes, tells `go_on`.

    Where the pictures of a training grow, each size is rendered from the originals.

    Raises:
        InputError: too few pictures for both.
    """
    part, size = source.parts["train"], job.network.resolution
    split = source.training_split(seed=job.data.seed, train_size=job.data.subset)
    training, validation, held = split.training, split.validation, source.parts[split.held]
    fewest = min(job.recipe.batch, len(training)) // 2 // share.of
    if share.of > 1 and fewest < 1:
        raise InputError(
            f"{share.of} processes cannot share batches of {min(job.recipe.batch, len(training))} pictures.\n"
            "Give each of them two at least: fewer processes, a larger batch or more pictures."
        )
    if len(training) < 2 or not len(validation):
        raise InputError(
            f"{source.name} leaves {len(training)} pictures to train on and {len(validation)} to validate on.\n"
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
    return _growing(job, feed, rendered), lambda at_once: eval_batches(
        seen, held.labels, validation, batch=at_once, mean=how.mean, std=how.std
    )


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
    """The feed of pictures as large as those of the validation."""
    return feed.by_epoch[-1] if isinstance(feed, GrowingFeed) else feed


@dataclass(frozen=True, eq=False)
class PhotoValidation:
    """Validation on photos that are read anew each time; `broken` are those that cannot be read any more."""

    part: Part
    indices: Indices
    size: Size
    how: Preprocessing
    broken: dict[str, str] = field(default_factory=dict)

    def __call__(self, at_once: int) -> Iterator[Batch]:
        """The batches; see `eval_photos`."""
        return eval_photos(self.part, self.indices, self.size, self.how, at_once, self.broken)


def broken_in(feed: TrainingFeed, validation: Validation) -> Mapping[str, str]:
    """Names of pictures that could not be read any more, with reasons."""
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
