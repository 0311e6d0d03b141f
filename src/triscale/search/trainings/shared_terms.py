"""What a search asks for: trainings, and what they share."""

from typing import NamedTuple, Protocol

from triscale.recipes import Recipe
from triscale.spec import AnyNetwork, content_hash


class Training(NamedTuple):
    """A network to train with one seed for a number of epochs; `purpose` says what for."""

    network: AnyNetwork
    purpose: str
    seed: int
    epochs: int

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes it the same training within one study: content hash, seed, epochs."""
        return content_hash(self.network), self.seed, self.epochs


class Shared(Protocol):
    """What the trainings of a search share, a part of its question.

    Attributes:
        data: what opens the images, see `triscale.data.open_data`.
        seed: the first one, also that of the split.
        train_size: images to train on; None: all.
    """

    @property
    def data(self) -> str:
        """See above."""

    @property
    def seed(self) -> int:
        """See above."""

    @property
    def train_size(self) -> int | None:
        """See above."""

    def to_recipe(self) -> Recipe:
        """The recipe, but for its epochs."""
