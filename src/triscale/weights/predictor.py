"""What answers with classes, be it a model of torch or an exported file: its preprocessing is locked to its weights."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from torch import Tensor

from triscale.errors import InputError
from triscale.spec import AnyNetwork, Network, Preprocessing, Size, overridden, refuse_difference, resolve, value_text
from triscale.trained_on import TrainedOn


@dataclass(frozen=True, slots=True)
class Guess:
    """A class and how probable it is for an image.

    Attributes:
        index: its position among the logits.
        name: of the class.
        probability: in [0, 1], by softmax.
    """

    index: int
    name: str
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: `class` (the index), `name` and `probability`."""
        return {"class": self.index, "name": self.name, "probability": self.probability}


@dataclass(frozen=True, kw_only=True, slots=True)
class Predictor(ABC):
    """Something that maps prepared images to logits, with all that is needed to prepare them and to read the answer.

    Attributes:
        classes: names in the order of the logits.
        preprocessing: what an image goes through first.
        overrides: fields of the preprocessing that were replaced on purpose, each with what the weights had.
        trained_on: which images made the weights; None where that is not known.
    """

    classes: tuple[str, ...]
    preprocessing: Preprocessing
    overrides: Mapping[str, object] = field(default_factory=dict)
    trained_on: TrainedOn | None = None

    def __post_init__(self) -> None:
        for what, here, there in (
            ("classes", len(self.classes), self.network.classes),
            ("channels of mean and std", len(self.preprocessing.mean), self.network.input_channels),
        ):
            if here != there:
                raise InputError(f"{here} {what} do not fit the network {self.network.name}, which has {there}.")
        if isinstance(self.network, Network):
            resolve(replace(self.network, resolution=self.resolution))  # rejects images that are too small for it

    @property
    @abstractmethod
    def network(self) -> AnyNetwork:
        """The network whose weights these are."""

    @abstractmethod
    def logits(self, pictures: Tensor) -> Tensor:
        """Logits [n, classes] on the CPU of normalised images [n, c, h, w].

        Raises:
            NumericError: they are not finite.
        """

    @property
    def resolution(self) -> Size:
        """(height, width) in pixels of the images it takes."""
        return self.preprocessing.resolution or self.network.resolution

    def held_to(self, asked: Mapping[str, object], override: Mapping[str, object]) -> Self:
        """The same, after its preprocessing was compared with what is wanted, with some fields replaced on purpose.

        Args:
            asked: field of `Preprocessing` to value; must be as in the weights, or be overridden to just that.
            override: field to value; replaces what the weights say, which `overrides` then tells.

        Raises:
            InputError: what is wanted differs; no such field; or a value that cannot be.
        """
        locked = replace(self.preprocessing, resolution=self.resolution)
        wanted = overridden(locked, override)
        refuse_difference(wanted, asked)
        changed = {name: getattr(locked, name) for name in override if getattr(locked, name) != getattr(wanted, name)}
        return replace(self, preprocessing=wanted if changed else self.preprocessing, overrides=changed)

    def overrides_document(self) -> dict[str, Any]:
        """For output: each overridden field with what is `used` and what the weights say (`weights`)."""
        return {
            name: {"used": value_text(getattr(self.preprocessing, name)), "weights": value_text(value)}
            for name, value in self.overrides.items()
        }
