"""What a user asks of a training, and the job that it is: whatever is left to triscale is resolved here."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from triscale.data import CheckOptions, Source, open_data
from triscale.data.photo import DEFAULT
from triscale.data.photo_files import PhotoPart
from triscale.data.split import VALIDATION, recorded_rule
from triscale.errors import UsageError
from triscale.foreign import known_any
from triscale.nn.fast import native
from triscale.recipes import Recipe
from triscale.recipes.recipe import RecipePrecision
from triscale.spec import AnyNetwork, ForeignNetwork, altered
from triscale.training.distributed.pipeline import Pipelined
from triscale.training.distributed.processes import World
from triscale.training.first import refuse_blocks, refuse_unfit
from triscale.training.inputs import Inputs
from triscale.training.learning.memory import forecast_parts, forecast_text
from triscale.training.learning.norms import REASONS, chosen
from triscale.training.learning.precision import NO_INSTRUCTIONS, slow_bfloat16
from triscale.trials import DataUse, Execution, FirstWeights, Keep, Numerics, Pipeline, TrainJob
from triscale.weights import Checkpoint

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainRequest:
    """What a user asks of a training.

    Attributes:
        network: with the resolution to train at; it gets as many classes as the data.
        data: as `triscale.data.open_data` takes it.
        recipe: how; `precision` and `norms` may be "auto".
        seed: of the weights, the order, and all that is drawn in the training.
        split_seed: of the split into training and validation; None: `seed`.
        subset: training images to use; None: all.
        weights: of the same network, to begin with; classes that are others get a new classifier.
        grow: the weights are of a smaller network, whose function this one starts as.
        teacher: of the classes of the data; the training learns from its answers too.
        policy: what is done about doubtful images.
        keep: which epoch's weights are kept.
        split_for_memory: split each batch into as many parts as the memory asks for.
    """

    network: AnyNetwork
    data: str
    recipe: Recipe
    seed: int = 0
    split_seed: int | None = None
    subset: int | None = None
    weights: Checkpoint | None = None
    grow: bool = False
    teacher: Checkpoint | None = None
    policy: CheckOptions = DEFAULT
    keep: Keep = "best"
    split_for_memory: bool = False

    def __post_init__(self) -> None:
        if self.grow and self.weights is None:
            raise UsageError("nothing is given to grow from: give weights of a smaller network.")
        if self.recipe.norms == "freeze" and self.weights is None:
            raise UsageError('norms = "freeze" keeps the statistics of weights; give --weights, or norms = "auto".')
        if self.teacher and not self.recipe.distil:
            raise UsageError("distil is 0 in the recipe, so that the teacher would teach nothing; give up to 1.")

    def inputs(self, known: TrainJob | None = None) -> Inputs:
        """Open and check the data, by the rule of splits of the job that is resumed, if there is one.

        Raises:
            InputError: see `triscale.data.open_data`; or that rule is of a later version.
            UsageError: the rule of that job cannot group images as asked.
        """
        rule = self.policy.split
        if known is not None:
            recorded = recorded_rule({"version": known.data.rule, "group_by": known.data.group_by})
            rule = replace(rule, version=recorded.version)
        source = open_data(self.data, policy=replace(self.policy, split=rule))
        return Inputs(source=source, weights=self.weights, teacher=self.teacher)


def data_use(source: Source, *, seed: int, subset: int | None = None) -> DataUse:
    """The images of a training that splits this source with this seed.

    A subset of all of them is none, and where nothing is drawn the seed is 0: one training has one key.
    """
    if subset is not None and subset == len(source.training_split(seed=seed).training):
        subset = None
    fraction = None if "val" in source.parts else VALIDATION
    return DataUse(
        fingerprint=source.fingerprint,
        classes=tuple(source.classes),
        images=len(source.labels("train")),
        contents=contents_of(source),
        rule=source.rule.version,
        group_by=source.rule.group_by,
        fraction=fraction,
        subset=subset,
        seed=0 if fraction is subset is None else seed,
    )


def contents_of(source: Source) -> tuple[str, ...]:
    """What each class has, for training and test together: how many images and, of files, a digest of them."""
    counts = [0] * len(source.classes)
    digests: list[list[str]] = [[] for _ in source.classes]
    for part in source.parts.values():
        for index, label in enumerate(part.labels.tolist()):
            counts[label] += 1
            if isinstance(part, PhotoPart):
                digests[label].append(part.digests[index])
    return tuple(
        f"{count} images" + (f" ({hashlib.sha256(' '.join(sorted(own)).encode()).hexdigest()[:8]})" if own else "")
        for count, own in zip(counts, digests, strict=True)
    )


def resolve(
    request: TrainRequest,
    inputs: Inputs,
    numerics: Numerics,
    execution: Execution,
    world: World,
    say: Say,
    known: TrainJob | None = None,
) -> TrainJob:
    """The job of a request; what is left to triscale is as in the `known` one of its folder, or chosen now.

    All processes of a world call it, and find the same.

    Raises:
        InputError: images, weights or a teacher that do not fit the network; a foreign one fails.
        UsageError: a foreign network is to be cut into its blocks.
    """
    if isinstance(request.network, ForeignNetwork):
        refuse_blocks(
            request.network,
            checkpointing=execution.gradient_checkpointing,
            pipeline=isinstance(world, Pipelined),
            grow=request.grow,
        )
    network = known_any(altered(request.network, classes=len(inputs.source.classes)))
    weights, teacher = inputs.weights, inputs.teacher
    seed = request.seed if request.split_seed is None else request.split_seed
    line = Pipeline(stages=world.size, schedule=world.schedule) if isinstance(world, Pipelined) else None
    recipe = _recipe(request, numerics, world, say, known)
    job = TrainJob(
        network=network,
        data=data_use(inputs.source, seed=seed, subset=request.subset),
        recipe=recipe,
        seed=request.seed,
        processes=world.size,
        pipeline=line,
        keep=request.keep,
        weights=None if weights is None else FirstWeights(
            digest=weights.digest, network=weights.network.name, grow=request.grow
        ),
        teacher=None if teacher is None else teacher.digest,
    )  # fmt: skip
    refuse_unfit(job, inputs)
    job = replace(job, parts=_parts(request, job, numerics, execution, world, say, known))
    return job if known is None else _shared_as_before(job, known)


def _shared_as_before(job: TrainJob, known: TrainJob) -> TrainJob:
    """The known job, if the new one differs only in how processes share it: these may resume it, which is recorded.

    A pipeline splits a batch into micro-batches, and one process may take it in as many parts.
    """
    split = known.parts if job.pipeline or known.pipeline else job.parts
    same = replace(job, processes=known.processes, pipeline=known.pipeline, parts=split)
    return same if same.key == known.key else job


def _recipe(request: TrainRequest, numerics: Numerics, world: World, say: Say, known: TrainJob | None) -> Recipe:
    """With its precision and with what its norms do."""
    asked = request.recipe
    precision, norms = asked.precision, asked.norms
    if precision == "auto" and known is not None:
        precision = known.recipe.precision
    if precision == "auto":
        precision = _precision(asked, numerics, world, say)
    elif precision == "bfloat16" and slow_bfloat16(torch.device(numerics.device), kernels=True) == NO_INSTRUCTIONS:
        say(
            f"warning: {NO_INSTRUCTIONS}, so that bfloat16 is several times slower than float32; "
            'set precision = "float32" or "auto" in the recipe'
        )
    if norms == "auto":
        together = world.seen_at_once(asked.batch)
        norms = known.recipe.norms if known else chosen(
            norms, together, begun=request.weights is not None, grown=request.grow
        )  # fmt: skip
        say(f"batch norms: {norms}; {REASONS[norms]}")
    return replace(asked, precision=precision, norms=norms)


def _precision(recipe: Recipe, numerics: Numerics, world: World, say: Say) -> RecipePrecision:
    """bfloat16 where it is fast for all processes."""
    kernels = numerics.kernels and not recipe.compile and native.available()
    why = slow_bfloat16(torch.device(numerics.device), kernels=kernels)
    if world.any(why is not None):
        say(f"precision: float32; {why or 'another process has no fast bfloat16'}")
        return "float32"
    say("precision: bfloat16; the device has instructions for it")
    return "bfloat16"


def _parts(
    request: TrainRequest,
    job: TrainJob,
    numerics: Numerics,
    execution: Execution,
    world: World,
    say: Say,
    known: TrainJob | None,
) -> int:
    """Into how many parts each batch is split."""
    if isinstance(world, Pipelined):
        return world.microbatches
    if not request.split_for_memory:
        return 1
    device, checkpointing = torch.device(numerics.device), execution.gradient_checkpointing
    parts = known.parts if known else world.broadcast(forecast_parts(job.network, job.recipe, device, checkpointing))
    say(forecast_text(job.network, job.recipe, parts, device, checkpointing))
    return int(parts)
