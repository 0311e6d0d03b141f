"""What a training begins with: the first weights, and the preprocessing that they are locked to."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import nn

from triscale.errors import InputError
from triscale.nn import Model, build
from triscale.spec import IMAGENET, Preprocessing, content_hash, resolve
from triscale.train.identity import Asked
from triscale.train.teacher import refuse_other_pupils
from triscale.weights import Checkpoint, grown, refuse_growth


def refuse_unfit(asked: Asked, classes: Sequence[str]) -> None:
    """Refuse, before anything is written, what cannot be trained, and weights or a teacher of other classes.

    Raises:
        InputError: images of an epoch that are too small for the network; weights of another network, or of one that
            cannot grow into this one; a teacher of other classes or channels.
    """
    for size in {asked.recipe.size_at(epoch, asked.network.resolution) for epoch in range(asked.recipe.epochs)}:
        resolve(replace(asked.network, resolution=size))
    if asked.teacher is not None:
        refuse_other_pupils(asked.teacher, classes, preprocessing_of(asked))
    found = asked.weights
    if found is None:
        return
    if asked.grow:
        refuse_growth(found.spec, asked.network)
        return
    free = replace(asked.network, classes=found.network.classes, resolution=found.network.resolution)
    if content_hash(free) != content_hash(found.network):
        raise InputError(
            f"the weights are of {found.network.name}, not of {asked.network.name}.\n"
            "Give the network that the weights are of, or --grow for a larger one."
        )


def first_model(asked: Asked, classes: Sequence[str], tell: Callable[[str], None]) -> Model:
    """The network with its first weights, channels last, on the CPU; a classifier of other classes is new.

    Args:
        asked: what is trained, for the number of classes that the data have.
        classes: their names.
        tell: told what is new.
    """
    torch.manual_seed(asked.seed)
    model = build(asked.network)
    if asked.recipe.zero_classifier:
        nn.init.zeros_(model.classifier.weight)
    if asked.weights is not None:
        _take(model, asked, asked.weights, classes, tell)
    return model.to(memory_format=torch.channels_last)


def _take(model: Model, asked: Asked, found: Checkpoint, classes: Sequence[str], tell: Callable[[str], None]) -> None:
    if asked.grow:
        tell(f"{asked.network.name} begins as the function of {found.network.name}")
        found = grown(found, asked.network)
    state = dict(found.state)
    if found.lacks:
        tell(f"the classifier is new: {found.lacks}")
    elif found.classes != tuple(classes):
        state = {name: value for name, value in state.items() if not name.startswith("classifier.")}
        tell(f"the classifier is new: the weights were trained for {len(found.classes)} other classes")
    model.load_state_dict({**model.state_dict(), **state})


def preprocessing_of(asked: Asked) -> Preprocessing:
    """That of the weights; without any, ImageNet's for random crops and else a study's.

    Pictures that are rendered before a training keep a study's cut and filter, and take mean and std of the weights.
    """
    crops = asked.recipe.crop == "random"
    if asked.weights is None:
        return IMAGENET if crops else Preprocessing()
    found = asked.weights.preprocessing
    return replace(found, resolution=None) if crops else replace(Preprocessing(), mean=found.mean, std=found.std)
