"""What decides the result of a training: a `TrainJob`, whose content hash is the key of its trial.

Whatever a user leaves to triscale (`auto`) is resolved before a job is made, so that one key is one training. What
decides only the last bits is in `triscale.trials.numerics`; what changes no bit at all, in `Execution`.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from triscale.errors import UsageError
from triscale.recipes import Recipe
from triscale.spec import AnyNetwork, content_hash

GroupBy = Literal["content", "near"]
Keep = Literal["best", "last"]
"""Which epoch's weights a training keeps: those of the best validation accuracy, or those of the last epoch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataUse:
    """The images of a training, by what they hold; where they lie does not count.

    Attributes:
        fingerprint: content hash of the data set.
        classes: names, in the order of the labels.
        images: of the split `train`.
        contents: what each class holds, in words, for a message; the fingerprint says it all, so the key leaves it out.
        rule: version of the rule by which splits are found and drawn.
        group_by: what stays on one side of a split: equal `content`, or also `near` copies.
        fraction: share drawn for validation; None where the data set has its own validation split.
        subset: training images to use; None: all.
        seed: of what is drawn.
    """

    fingerprint: str
    classes: tuple[str, ...]
    images: int
    rule: int
    contents: tuple[str, ...] = ()
    group_by: GroupBy = "content"
    fraction: float | None = None
    subset: int | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstWeights:
    """The weights a training begins with.

    Attributes:
        digest: of the checkpoint, see `triscale.weights.Checkpoint.digest`.
        network: its name.
        grow: the checkpoint is of a smaller network, whose function the trained one starts as.
    """

    digest: str
    network: str
    grow: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline:
    """One network over several processes (GPipe): micro-batches decide the statistics of norms.

    Attributes:
        stages: processes that hold a part of the network each.
        schedule: order of forward and backward passes.
    """

    stages: int
    schedule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainJob:
    """Everything that decides the result of a training.

    Attributes:
        network: with the resolution to train at, and as many classes as the data.
        data: see `DataUse`.
        recipe: how; its `precision` and `norms` are resolved, never "auto".
        seed: of the first weights, the order of the images, and all that is drawn during the training.
        parts: into how many parts each batch is split; batch norms see one part at a time, so it is another training.
        processes: that share each batch, or the stages of a pipeline.
        pipeline: how a pipeline runs; None: every process holds the whole network.
        keep: which epoch's weights are kept.
        weights: what it begins with; None: fresh weights.
        teacher: digest of the checkpoint that it learns from too; None: none.
    """

    network: AnyNetwork
    data: DataUse
    recipe: Recipe
    seed: int = 0
    parts: int = 1
    processes: int = 1
    pipeline: Pipeline | None = None
    keep: Keep = "best"
    weights: FirstWeights | None = None
    teacher: str | None = None

    def __post_init__(self) -> None:
        if self.seed < 0 or self.data.seed < 0:
            raise UsageError(f"seed must be at least 0, got {min(self.seed, self.data.seed)}.")
        if self.keep not in get_args(Keep):
            raise UsageError(f"keep is {self.keep!r}; give {' or '.join(get_args(Keep))}.")
        for name in ("precision", "norms"):
            if getattr(self.recipe, name) == "auto":
                raise ValueError(f"{name} must be resolved before a job is made")

    def to_dict(self) -> dict[str, Any]:
        """What the key is the hash of: JSON-ready; networks and weights by their content, whatever their names."""
        return {
            "network": content_hash(self.network),
            "recipe": self.recipe.to_dict(),
            **{name: getattr(self, name) for name in ("seed", "parts", "processes", "keep", "teacher")},
            "pipeline": None if self.pipeline is None else asdict(self.pipeline),
            "weights": None if self.weights is None else {"digest": self.weights.digest, "grow": self.weights.grow},
            # Not `asdict`, which copies every name of a class: a key is taken often.
            "data": {one.name: getattr(self.data, one.name) for one in fields(self.data) if one.name != "contents"},
        }

    @property
    def key(self) -> str:
        """SHA-256 of `to_dict`, hexadecimal: equal keys, equal training."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()
