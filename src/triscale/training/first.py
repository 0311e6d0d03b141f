"""What a training begins with: the first weights."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from triscale.errors import InputError
from triscale.nn import Model, build
from triscale.spec import content_hash, resolve
from triscale.training.inputs import Inputs
from triscale.training.learning.teacher import refuse_other_pupils
from triscale.trials import TrainJob
from triscale.weights import Checkpoint, begin_with, grown, refuse_growth


def refuse_unfit(job: TrainJob, inputs: Inputs) -> None:
    """Refuse, before anything is written, what cannot be trained, and weights or a teacher of other classes.

    Raises:
        InputError: images of an epoch that are too small for the network; weights of another network, or of one that
            cannot grow into this one; a teacher of other classes or channels.
    """
    for size in {job.recipe.size_at(epoch, job.network.resolution) for epoch in range(job.recipe.epochs)}:
        resolve(replace(job.network, resolution=size))
    if inputs.teacher is not None:
        refuse_other_pupils(inputs.teacher, inputs.source.classes, inputs.preprocessing(job))
    found = inputs.weights
    if found is None or job.weights is None:
        return
    if job.weights.grow:
        refuse_growth(found.spec, job.network)
        return
    free = replace(job.network, classes=found.network.classes, resolution=found.network.resolution)
    if content_hash(free) != content_hash(found.network):
        raise InputError(
            f"the weights are of {found.network.name}, not of {job.network.name}.\n"
            "Give the network that the weights are of, or --grow for a larger one."
        )


def first_model(job: TrainJob, inputs: Inputs, say: Callable[[str], None]) -> Model:
    """The network with its first weights, channels last, on the CPU; a classifier of other classes is new.

    Args:
        job: what is trained.
        inputs: the weights that it begins with, if it does.
        say: hears what is new.
    """
    torch.manual_seed(job.seed)
    model = build(job.network)
    if job.recipe.zero_classifier:
        nn.init.zeros_(model.classifier.weight)
    if inputs.weights is not None:
        _take(model, job, inputs.weights, say)
    return model.to(memory_format=torch.channels_last)


def _take(model: Model, job: TrainJob, found: Checkpoint, say: Callable[[str], None]) -> None:
    if job.weights is not None and job.weights.grow:
        say(f"{job.network.name} begins as the function of {found.network.name}")
        found = grown(found, job.network)
    same = found.classes == job.data.classes
    if not same:
        why = found.lacks or f"the weights were trained for {len(found.classes)} other classes"
        say(f"the classifier is new: {why}")
    begin_with(model, found, classifier=same)
