"""What a job names by its hash: the images, the first weights and the teacher, as they lie in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from triscale.data import Source
from triscale.data.chosen import identities
from triscale.data.split import VALIDATION
from triscale.errors import InputError
from triscale.spec import IMAGENET, Preprocessing
from triscale.trained_on import TrainedOn, heads_of
from triscale.trials import TrainJob
from triscale.weights import Checkpoint


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a training reads.

    Attributes:
        source: its images.
        weights: what it begins with; of a smaller network where the job grows.
        teacher: of the classes of the data.
    """

    source: Source
    weights: Checkpoint | None = None
    teacher: Checkpoint | None = None

    def require(self, job: TrainJob) -> None:
        """InputError where these are not what the job names."""
        wanted = job.weights.digest if job.weights else None
        for what, mine, named in (
            ("data", self.source.fingerprint, job.data.fingerprint),
            ("first weights", self.weights.digest if self.weights else None, wanted),
            ("teacher", self.teacher.digest if self.teacher else None, job.teacher),
        ):
            if mine != named:
                raise InputError(
                    f"the {what} of {job.network.name} changed: {str(named)[:12]} then, {str(mine)[:12]} now."
                )

    def preprocessing(self, job: TrainJob) -> Preprocessing:
        """What the trained weights are locked to: that of the first weights; without any, ImageNet's for random crops.

        Images that are rendered before a training keep a study's cut and filter, and take mean and std of the weights.
        """
        crops = job.recipe.crop == "random"
        if self.weights is None:
            return IMAGENET if crops else Preprocessing()
        found = self.weights.preprocessing
        if crops:
            return replace(found, resolution=None)
        return replace(Preprocessing(), mean=found.mean, std=found.std)

    def trained_on(self, job: TrainJob) -> TrainedOn:
        """Which images the trained weights have seen, for their checkpoint."""
        return trained_on(
            self.source, seed=job.data.seed, train_size=job.data.subset, earlier=(self.weights, self.teacher)
        )


def trained_on(
    source: Source, *, seed: int, train_size: int | None = None, earlier: Iterable[Checkpoint | None] = ()
) -> TrainedOn:
    """What a training with this split uses of its data, for a checkpoint, so that an evaluation can leave it out.

    Args:
        source: the data.
        seed, train_size: see `Source.training_split`.
        earlier: the weights that it begins with, and its teacher.
    """
    split = source.training_split(seed=seed, train_size=train_size)
    seen = (
        (identities(source.parts["train"]), split.training),
        (identities(source.parts[split.held]), split.validation),
    )
    before = [one.trained_on for one in earlier if one is not None and one.trained_on is not None]
    return TrainedOn(
        fingerprint=source.fingerprint,
        test_from=source.test_from,
        version=source.rule.version,
        group_by=source.rule.group_by,
        fraction=VALIDATION if split.held == "train" else None,
        seed=seed,
        train_size=train_size,
        training=len(split.training),
        validation=len(split.validation),
        images=heads_of((known[one] for known, positions in seen for one in positions), before),
    )
