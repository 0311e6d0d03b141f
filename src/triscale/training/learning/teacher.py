"""Knowledge distillation (Hinton et al. 2015, arXiv 1503.02531): a trained network whose answers are learned too."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from triscale.errors import InputError
from triscale.spec import Preprocessing
from triscale.units import some
from triscale.weights import Checkpoint

_SHOWN = 3


class Teacher:
    """A trained network in evaluation mode that answers for the batches of a student.

    It gets the very images that the student gets, mixed ones too: taken to its own mean and std, and resized to its
    own resolution (bilinear, antialiased) where that is another. Its logits are put into the order of the classes.

    Args:
        checkpoint: of the teacher.
        classes: of the data, in the order of the labels.
        how: what the student's images are normalised by.
        device: where it computes.

    Raises:
        InputError: it knows other classes, or takes images of other channels.
    """

    def __init__(
        self, checkpoint: Checkpoint, classes: Sequence[str], how: Preprocessing, device: torch.device
    ) -> None:
        refuse_other_pupils(checkpoint, classes, how)
        own, order = checkpoint.preprocessing, class_order(checkpoint.classes, classes)
        model = checkpoint.model().requires_grad_(requires_grad=False)
        self._model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._order = None if order is None else torch.tensor(order, device=device)
        self._size = own.resolution or checkpoint.network.resolution
        scale = [one / other for one, other in zip(how.std, own.std, strict=True)]
        moved = [(one - own_mean) / std for one, own_mean, std in zip(how.mean, own.mean, own.std, strict=True)]
        self._colours = None if (how.mean, how.std) == (own.mean, own.std) else (
            torch.tensor(scale, device=device).reshape(-1, 1, 1), torch.tensor(moved, device=device).reshape(-1, 1, 1)
        )  # fmt: skip

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Tensor:
        """The student's images, normalised for it, [n, c, h, w] -> logits [n, classes]."""
        if self._colours is not None:
            pictures = pictures * self._colours[0] + self._colours[1]
        if pictures.shape[-2:] != self._size:
            pictures = F.interpolate(pictures, self._size, mode="bilinear", antialias=True, align_corners=False)
        logits: Tensor = self._model(pictures)
        return logits if self._order is None else logits[:, self._order]


def refuse_other_pupils(checkpoint: Checkpoint, classes: Sequence[str], how: Preprocessing) -> None:
    """InputError where a teacher of these weights would know other classes, or take images of other channels."""
    class_order(checkpoint.classes, classes)
    if (takes := len(checkpoint.preprocessing.mean)) != len(how.mean):
        raise InputError(
            f"the teacher takes images of {takes} channels, the student of {len(how.mean)}.\n"
            "Give a teacher that sees what the student sees."
        )


def class_order(own: Sequence[str], classes: Sequence[str]) -> list[int] | None:
    """Where among the teacher's classes each of the data's is; None: they are in one order already.

    Raises:
        InputError: they are not the same classes; those that differ are named.
    """
    if tuple(own) == tuple(classes):
        return None
    lacks, more = [one for one in classes if one not in own], [one for one in own if one not in classes]
    if lacks or more or len(own) != len(classes) or len(set(own)) != len(own):
        told = [f"{words} {_listed(some)}" for words, some in (("it lacks", lacks), ("it has", more)) if some]
        raise InputError(
            f"the teacher knows other classes ({len(own)}) than the data have ({len(classes)}): "
            f"{', '.join(told) or 'names occur twice'}.\n"
            "Train the teacher on these classes first: train --weights, by the recipe transfer."
        )
    place = {name: index for index, name in enumerate(own)}
    return [place[name] for name in classes]


def _listed(names: Sequence[str]) -> str:
    return some([repr(name[:40]) for name in names], _SHOWN)


def distillation(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """Mean of T^2 KL(teacher || student), both softened by T, over a batch: [n, classes] twice -> a number.

    T^2 keeps the size of the gradient as T changes. At T = 1 the gradient is that of cross entropy with the teacher's
    probabilities as targets.
    """
    soft, target = (F.log_softmax(one.float() / temperature, 1) for one in (logits, taught))
    return temperature**2 * F.kl_div(soft, target, reduction="batchmean", log_target=True)
