"""What a training begins with: the first weights."""

from collections.abc import Callable

import torch
from torch import nn

from triscale.errors import InputError, UsageError
from triscale.foreign import ForeignModel, known_any, last_layer
from triscale.foreign import build as build_foreign
from triscale.nn import build
from triscale.spec import AnyNetwork, ForeignNetwork, altered, content_hash, resolve
from triscale.training.inputs import Inputs
from triscale.training.learning.teacher import refuse_other_pupils
from triscale.trials import TrainJob
from triscale.weights import AnyModel, Checkpoint, begin_with, grown, refuse_growth


def refuse_unfit(job: TrainJob, inputs: Inputs) -> None:
    """Reject, before anything is written, what cannot be trained, and weights or a teacher of other classes.

    Raises:
        InputError: images of an epoch that are too small for the network; weights of another network, or of one that
            cannot grow into this one; a teacher of other classes or channels.
    """
    for size in {job.recipe.size_at(epoch, job.network.resolution) for epoch in range(job.recipe.epochs)}:
        _require_runs(altered(job.network, resolution=size))
    if inputs.teacher is not None:
        refuse_other_pupils(inputs.teacher, inputs.source.classes, inputs.preprocessing(job))
    found = inputs.weights
    if found is None or job.weights is None:
        return
    if job.weights.grow:
        assert not isinstance(job.network, ForeignNetwork)  # noqa: S101  `refuse_blocks` was called
        refuse_growth(found.spec, job.network)
        return
    free = altered(job.network, classes=found.network.classes, resolution=found.network.resolution)
    if content_hash(free if free == found.network else known_any(free)) != content_hash(found.network):
        raise InputError(
            f"the weights are of {found.network.name}, not of {job.network.name}.\n"
            "Give the network of the weights, or --grow for a larger one."
        )


def refuse_blocks(network: ForeignNetwork, *, checkpointing: bool, pipeline: bool, grow: bool) -> None:
    """UsageError where a foreign network would have to be cut into its blocks, of which nothing is known."""
    wanted = {"gradient checkpointing": checkpointing, "a pipeline": pipeline, "growing from smaller weights": grow}
    if found := [what for what, asked in wanted.items() if asked]:
        raise UsageError(f"{found[0]} needs the blocks of triscale's own networks; {network.path} is your own code.")


def _require_runs(network: AnyNetwork) -> None:
    """InputError where a network cannot take images of its size."""
    if isinstance(network, ForeignNetwork):
        known_any(network)
    else:
        resolve(network)


def first_model(job: TrainJob, inputs: Inputs, say: Callable[[str], None]) -> AnyModel:
    """The network with its first weights, channels last, on the CPU; a classifier of other classes is new.

    Args:
        job: what is trained.
        inputs: the weights that it begins with, if it does.
        say: hears what is new.
    """
    torch.manual_seed(job.seed)
    model: AnyModel = build_foreign(job.network) if isinstance(job.network, ForeignNetwork) else build(job.network)
    if job.recipe.zero_classifier:
        _zero(model, say)
    if inputs.weights is not None:
        _take(model, job, inputs.weights, say)
    return model.to(memory_format=torch.channels_last)


def _zero(model: AnyModel, say: Callable[[str], None]) -> None:
    """Begin with equal logits for all images, where the last layer is known."""
    if not isinstance(model, ForeignModel):
        nn.init.zeros_(model.classifier.weight)
    elif found := last_layer(model):
        nn.init.zeros_(found[1].weight)
    else:
        say(f"zero_classifier is left out: which layer of {model.network.path} gives the classes is unknown")


def _take(model: AnyModel, job: TrainJob, found: Checkpoint, say: Callable[[str], None]) -> None:
    if job.weights is not None and job.weights.grow:
        say(f"{job.network.name} begins as the function of {found.network.name}")
        assert not isinstance(job.network, ForeignNetwork)  # noqa: S101  `refuse_blocks` was called
        found = grown(found, job.network)
    same = found.classes == job.data.classes
    if not same:
        why = found.lacks or f"the weights were trained for {len(found.classes)} other classes"
        say(f"the classifier is new: {why}")
    begin_with(model, found, classifier=same)
