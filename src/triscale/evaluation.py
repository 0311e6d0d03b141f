"""Accuracy of a model on images."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from triscale.data import Held, SplitRule, open_split, recorded_rule
from triscale.data.chosen import identities
from triscale.data.decode.image import pillow_warnings_off
from triscale.data.feed.given_batches import as_batch
from triscale.data.feed.in_memory import moved, to_tensor
from triscale.data.feed.prefetch import ahead
from triscale.data.held import ALL
from triscale.data.source import rendered
from triscale.errors import InputError, UsageError
from triscale.nn import Model, device_of, evaluation_mode
from triscale.scores import Evaluation, Indices
from triscale.spec import preprocessing_to_dict
from triscale.trained_on import TrainedOn
from triscale.weights import Predictor, finite, imagenet_ids

BATCH = 32
_SHOWN = 10
_WORDNET = re.compile(r"n[0-9]{8}")


@torch.inference_mode()
def right_answers(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """Whether top-1 in evaluation mode is right, for each image in its order: bool (n,), where the model lies."""
    model.eval()
    device = device_of(model)
    none = torch.zeros(0, dtype=torch.bool, device=device)
    # Nothing is read between batches, since each reading waits for a GPU.
    return torch.cat([none, *(model(pictures).argmax(1) == labels for pictures, labels in moved(batches, device))])


def count_correct(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[int, int]:
    """(correct, all) images by top-1 in evaluation mode; every image counts once."""
    right = right_answers(model, batches)
    return int(right.sum()), len(right)


def top1(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Top-1 accuracy in [0, 1]."""
    correct, total = count_correct(model, batches)
    return correct / total


def evaluate(
    classifier: Predictor,
    data: str | Path,
    *,
    split: str | None = None,
    batch: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Every image of a split through the classifier, once; images are decoded while the model computes.

    Args:
        classifier: a model, or an exported one, with its classes and preprocessing.
        data: see `triscale.data.open_split`; classes are matched by name, whatever their order.
        split: `test`, `val`, `train` or `all`, taken whole. Without it, images that the weights were trained on, or
            that helped to choose the epoch, are left out, as far as the weights tell.
        batch: images a step.
        progress: called with `(done, n)` after each step.

    Raises:
        UsageError: a batch below 1, or no such split.
        InputError: nothing usable there, nothing that was not trained on, or classes that the classifier does not know.
        NumericError: the classifier answers what is not finite.
    """
    if batch < 1:
        raise UsageError(f"batch is {batch}; give at least 1.")
    held, seen = held_out(data, split, classifier.trained_on)
    labels = matched_labels(held, classifier.classes)
    ranked = ranked_answers(classifier, held, batch=batch, progress=progress)
    about = _about(held, classifier, seen)
    return Evaluation(classes=classifier.classes, labels=labels, ranked=ranked, about=about)


def ranked_answers(
    classifier: Predictor, held: Held, *, batch: int = BATCH, progress: Callable[[int, int], None] | None = None
) -> Indices:
    """The most probable classes of each image, [n, 5] or [n, classes] of fewer, best first; of equal ones the first.

    Raises:
        NumericError: the classifier answers what is not finite.
    """
    ranked: list[Indices] = []
    for pictures in tensors_of(held, classifier, batch):
        ranked.append(_ranked(classifier.logits(pictures)))
        if progress is not None:
            progress(sum(map(len, ranked)), len(held.part.labels))
    return np.concatenate(ranked)


@torch.inference_mode()
def evaluate_batches(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    classes: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Any module on batches of one's own, such as a DataLoader's; the module gets its mode back.

    Args:
        model: maps the tensors of a batch to logits [n, classes], where its parameters lie.
        batches: (tensor, labels) with labels [n] of whole numbers.
        classes: names in the order of the logits; by default their numbers.
        progress: called with `(done, n)` after each batch; n is 0 where the batches do not tell their number.

    Raises:
        InputError: no batch, or one that is not of this form.
        UsageError: more or fewer names than logits.
        NumericError: the module answers what is not finite.
    """
    ranked, truth, names, done = [], [], tuple(classes), 0
    whole = len(batches.dataset) if isinstance(batches, DataLoader) and isinstance(batches.dataset, Sized) else 0
    with evaluation_mode(model):
        for number, batch in enumerate(batches, 1):
            pictures, labels = as_batch(batch, number)
            _refuse_channels(model, pictures, number)
            logits = model(pictures.to(device_of(model)))
            names = names or _numbers(logits)
            _refuse_misfit(logits, labels, names, number)
            ranked.append(_ranked(finite(logits.float().cpu())))
            truth.append(labels.cpu().numpy().astype(np.int64))
            done += len(labels)
            if progress is not None:
                progress(done, whole)
    if not done:
        raise InputError("there is no batch to evaluate on: the loader is empty (or a generator that was used before).")
    return Evaluation(classes=names, labels=np.concatenate(truth), ranked=np.concatenate(ranked))


def _numbers(logits: object) -> tuple[str, ...]:
    """The names of classes that nobody has named."""
    fits = isinstance(logits, Tensor) and logits.ndim == 2
    return tuple(map(str, range(logits.shape[1]))) if fits else ()  # type: ignore[attr-defined]


def _refuse_channels(model: nn.Module, pictures: Tensor, number: int) -> None:
    """What a network of ours takes is known before torch complains."""
    if not isinstance(model, Model):
        return
    wanted, shape = model.network.input_channels, list(pictures.shape)
    if pictures.ndim != 4 or shape[1] != wanted:
        last = pictures.ndim == 4 and shape[3] == wanted
        hint = " Of channels that come last: x.permute(0, 3, 1, 2)." if last else ""
        raise InputError(f"batch {number} is {shape}, but the network takes [n, {wanted}, h, w].{hint}")
    if not pictures.is_floating_point():
        raise InputError(f"batch {number} is {pictures.dtype}: prepare its images first, with model.transform.")


def _refuse_misfit(logits: object, labels: Tensor, names: Sequence[str], number: int) -> None:
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != len(labels):
        got = list(logits.shape) if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise InputError(
            f"the module answers {got} to the {len(labels)} images of batch {number}: give one that answers logits "
            f"[{len(labels)}, classes]."
        )
    if logits.shape[1] != len(names):
        raise UsageError(f"{len(names)} names are given in classes, but the module has {logits.shape[1]} logits.")
    low, high = int(labels.min()), int(labels.max())
    if not 0 <= low <= high < len(names):
        wrong = low if low < 0 else high
        raise InputError(f"batch {number} has the label {wrong}, but the module has {len(names)} classes, from 0 on.")


def _ranked(logits: Tensor) -> Indices:
    """The five most probable classes of each image; of equal ones the first."""
    best: Indices = logits.argsort(dim=1, descending=True, stable=True)[:, :5].numpy()
    return best


class Seen(NamedTuple):
    """How many of the images at hand were trained on or helped to choose the epoch, and how many are evaluated."""

    images: int
    used: int
    evaluated: int

    def __str__(self) -> str:
        what = f"all {self.images:,}" if self.evaluated == self.images else f"the other {self.evaluated:,}"
        return (
            f"{self.images:,} images, of which {self.used:,} were used in training or for choosing the epoch; "
            f"evaluating {what}."
        )


def held_out(data: str | Path, split: str | None, known: TrainedOn | None) -> tuple[Held, Seen | None]:
    """The images to evaluate on: without a split, those that the weights were not trained on.

    A split that is named is taken whole. Where nothing is known of the training, so is what the data offers.

    Raises:
        InputError: see `triscale.data.open_split`; or all images were used in training.
    """
    if known is None:
        return open_split(data, split), None
    rule = rule_of(known)
    held = open_split(data, split, rule=rule)
    if split is None and not held.divided:
        held = open_split(data, ALL, rule=rule)
    used = np.array(known.used(identities(held.part)), dtype=bool)
    n = len(held.part.labels)
    if split is not None or not used.any():
        return held, Seen(n, int(used.sum()), n)
    if used.all():
        raise InputError(
            f"all {n:,} images of {held.name} were used in training or for choosing the epoch.\n"
            "Give others, or --split all to evaluate these."
        )
    return held.without(used), Seen(n, int(used.sum()), int((~used).sum()))


def rule_of(known: TrainedOn | None) -> SplitRule:
    """The rule by which a training divided its images; of unknown ones, today's."""
    return SplitRule() if known is None else recorded_rule({"version": known.version, "group_by": known.group_by})


def tensors_of(held: Held, classifier: Predictor, batch: int) -> Iterator[Tensor]:
    """All images in order, as the classifier takes them: float32 [some, c, h, w], decoded ahead of their use."""
    how = classifier.preprocessing
    with pillow_warnings_off():
        for block in ahead(rendered(held.part, classifier.resolution, how)):
            yield from (
                to_tensor(block[start : start + batch], how.mean, how.std) for start in range(0, len(block), batch)
            )


def _about(held: Held, classifier: Predictor, seen: Seen | None) -> dict[str, Any]:
    return {
        "seen_in_training": seen and {**seen._asdict(), "text": str(seen)},
        "data": held.name,
        "split": held.split,
        "skipped": held.skipped,
        "notes": list(held.notes),
        "network": classifier.network.name,
        "resolution": list(classifier.resolution),
        "preprocessing": preprocessing_to_dict(classifier.preprocessing),
        "overridden": classifier.overrides_document(),
    }


def matched_labels(held: Held, classes: Sequence[str]) -> Indices:
    """The labels of the images as positions in `classes`, by name; class folders may be named by WordNet ids.

    Raises:
        InputError: names that the classifier does not have, up to ten of them.
    """
    labels = held.part.labels
    if held.classes is None and not _numbered(classes):
        if labels.max() >= len(classes):
            raise InputError(f"{held.name} has the label {labels.max()}, but the network has {len(classes)} classes.")
        return labels
    names, places = held.classes, labels
    if names is None:
        numbers, places = np.unique(labels, return_inverse=True)
        names = tuple(map(str, numbers.tolist()))
    known = _positions(names, classes)
    strange = [name for name in names if name not in known]
    if strange:
        raise InputError(_strangers(held.name, strange, classes))
    return np.array([known[name] for name in names], dtype=np.int64)[places]


def _numbered(classes: Sequence[str]) -> bool:
    """Whether the classes are called by numbers: where some are left out, a label is a name and no position."""
    return all(name.isdecimal() for name in classes)


def _positions(names: Sequence[str], classes: Sequence[str]) -> dict[str, int]:
    known = {name: index for index, name in enumerate(classes)}
    if len(known) < len(classes):
        twice = next(name for index, name in enumerate(classes) if known[name] != index)
        raise InputError(f"two classes of the network are named {twice!r}: images cannot be matched by name.")
    wordnet = not known.keys() & set(names) and all(_WORDNET.fullmatch(name) for name in names)
    if wordnet and len(classes) == 1000:
        return {name: index for index, name in enumerate(imagenet_ids())}
    return known


def _strangers(name: str, strange: Sequence[str], classes: Sequence[str]) -> str:
    shown = ", ".join(map(repr, strange[:_SHOWN])) + (", ..." if len(strange) > _SHOWN else "")
    own = ", ".join(map(repr, classes[:_SHOWN])) + (", ..." if len(classes) > _SHOWN else "")
    return (
        f"{len(strange)} classes of {name} are not among the network's: {shown}.\n"
        f"The network has {len(classes)}: {own}.\nGive the class folders these names, or other images."
    )
