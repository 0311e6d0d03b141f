"""Sections of a network as modules: one in the precision of its training, and all of them for an evaluation."""

from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn

from triscale.nn import SectionModel


class Chain(nn.Module):
    """All sections one after the other, for evaluation: every process gives the same images and gets the logits."""

    def __init__(self, section: SectionModel) -> None:
        super().__init__()
        self.section = section

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> Tensor:
        """[n, input channels, h, w] -> [n, classes]."""
        section, device = self.section, pictures.device
        takes, _ = section.shapes(len(pictures), (pictures.shape[2], pictures.shape[3]))
        given = [pictures] if section.first else [torch.empty(shape, device=device) for shape in takes]
        for one in given if not section.first else ():
            dist.recv(one, section.index - 1)
        found = section(*given)
        logits = found if section.last else torch.empty(len(pictures), section.network.classes, device=device)
        for one in () if section.last else found:
            dist.send(one, section.index + 1)
        dist.broadcast(logits, len(section.sections) - 1)
        return logits


class Runner(nn.Module):
    """A section in the precision of its training."""

    def __init__(self, section: SectionModel, narrow: Callable[[], bool]) -> None:
        super().__init__()
        self.section, self._narrow = section, narrow

    def forward(self, *given: Tensor) -> Tensor | tuple[Tensor, ...]:
        """As the section's, in bfloat16 on request."""
        with torch.autocast(given[0].device.type, torch.bfloat16, enabled=self._narrow()):
            found: Tensor | tuple[Tensor, ...] = self.section(*given)
        return found
