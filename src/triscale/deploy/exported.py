"""An exported file that is ready to answer, through the lock that it carries."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from triscale.deploy.about import About
from triscale.errors import InputError, NumericError
from triscale.spec import AnyNetwork
from triscale.weights import Predictor

Floats = NDArray[np.float32]

RunLogits = Callable[[Floats], Floats]
"""The graph: prepared images [n, c, h, w] to logits [n, classes]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported(Predictor):
    """A graph in its runtime, on the CPU, with the names of its classes and its preprocessing.

    Attributes:
        about: all that the file says about itself.
        run: the graph; several threads may call it at once.
    """

    about: About
    run: RunLogits

    def __post_init__(self) -> None:
        Predictor.__post_init__(self)  # no super(): a dataclass with slots is another class than the one written here
        self._refuse_size(self.resolution)

    @property
    def network(self) -> AnyNetwork:
        """The spec of the network that was exported."""
        return self.about.network

    def logits(self, pictures: Tensor) -> Tensor:
        """Logits [n, classes] of normalised images [n, c, h, w]; steps of a fixed batch are filled up with zeros.

        Raises:
            InputError: the graph does not take images of this size.
            NumericError: they are not finite.
        """
        self._refuse_size((pictures.shape[-2], pictures.shape[-1]))
        given = np.ascontiguousarray(pictures.numpy(), dtype=np.float32)
        logits = torch.from_numpy(self.run(given) if self.about.batch is None else self._in_steps(given))
        if not torch.isfinite(logits).all():
            raise NumericError("the exported network outputs NaN or infinity.")
        return logits

    def _in_steps(self, pictures: Floats) -> Floats:
        batch, found = self.about.batch or 1, []
        for start in range(0, len(pictures), batch):
            part = pictures[start : start + batch]
            missing = np.zeros((batch - len(part), *part.shape[1:]), np.float32)
            found.append(self.run(np.concatenate([part, missing]))[: len(part)])
        return np.concatenate(found)

    def _refuse_size(self, size: tuple[int, int]) -> None:
        least, own = self.about.least, self.about.size
        if least is None and size != own:
            raise InputError(
                f"this export takes images of {own[0]}x{own[1]} px only, not {size[0]}x{size[1]}.\n"
                "Export the weights again for the other size."
            )
        if least is not None and (size[0] < least[0] or size[1] < least[1]):
            raise InputError(f"this export takes images of {least[0]}x{least[1]} px and more, not {size}.")


def exported(about: About, run: RunLogits) -> Exported:
    """The graph with what the file says about it."""
    return Exported(
        classes=about.classes, preprocessing=about.preprocessing, about=about, run=run, trained_on=about.trained_on
    )
