"""Some consecutive blocks of a model, for one process of a pipeline."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from triscale.costs.sections import Section, Shape, sections_at
from triscale.nn.cells import State, advance
from triscale.nn.model import Model, logits_of
from triscale.spec import resolve


class SectionModel(nn.Module):
    """Blocks of a model under the names that they have there: the states of all sections are the state of the whole.

    Maps come and go as contiguous tensors: [n, h, w, c] of a model whose weights lie channels last, else [n, c, h, w].

    Args:
        model: its blocks are taken, not copied.
        sections: all sections.
        index: which of them this is.
    """

    def __init__(self, model: Model, sections: Sequence[Section], index: int) -> None:
        super().__init__()
        self.network, self.sections, self.index = model.network, tuple(sections), index
        self.recompute = model.recompute
        self.channels_last = not next(model.stem.parameters()).is_contiguous()
        own = range(sections[index].first, sections[index].end)
        if own.start == 0:
            self.stem = model.stem
        self.stages = nn.ModuleDict(dict(_stages(model, own)))
        if index == len(sections) - 1:
            self.head, self.hidden = model.head, model.hidden
            self.dropout, self.classifier = model.dropout, model.classifier

    @property
    def first(self) -> bool:
        """Whether it takes the images."""
        return self.index == 0

    @property
    def last(self) -> bool:
        """Whether it gives the logits."""
        return self.index == len(self.sections) - 1

    def forward(self, *given: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Images [n, input channels, h, w], or the maps of the section before -> maps, or logits [n, classes]."""
        state = self.stem(*given) if self.first else self._state([self._turned(one, back=True) for one in given])
        recompute = self.recompute and torch.is_grad_enabled()
        for stage in self.stages.values():
            state = advance(stage, state, recompute=recompute)
        if self.last:
            return logits_of(self, state)
        maps = state if isinstance(state, tuple) else (state,)
        return tuple(self._turned(one).contiguous() for one in maps[: len(self.sections[self.index].gives)])

    def shapes(self, n: int, size: tuple[int, int]) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
        """Shapes of what it takes and gives for n images of (height, width), maps as they travel."""
        network = replace(self.network, resolution=size)
        here = sections_at(resolve(network), [one.end for one in self.sections])[self.index]
        takes = [self._travels(n, one) for one in here.takes] or [(n, network.input_channels, *size)]
        return takes, [self._travels(n, one) for one in here.gives] or [(n, network.classes)]

    def _travels(self, n: int, shape: Shape) -> tuple[int, ...]:
        channels, height, width = shape
        return (n, height, width, channels) if self.channels_last else (n, channels, height, width)

    def _turned(self, one: Tensor, *, back: bool = False) -> Tensor:
        if not self.channels_last:
            return one
        return one.permute(0, 3, 1, 2) if back else one.permute(0, 2, 3, 1)

    def _state(self, maps: Sequence[Tensor]) -> State:
        return (maps[0], maps[1]) if len(maps) > 1 else maps[0]


def _stages(model: Model, own: range) -> Iterator[tuple[str, nn.Module]]:
    """Each stage with the blocks that are its own, if any."""
    position = 0
    for number, stage in enumerate(model.stages):
        if not isinstance(stage, nn.Sequential):
            raise TypeError(f"stage {number} is not a row of blocks")
        blocks = OrderedDict[str, nn.Module]()
        for name, block in stage.named_children():
            position += 1
            if position in own:
                blocks[name] = block
        if blocks:
            yield str(number), type(stage)(blocks)
