"""`build`: a torch module from the same resolved blocks that `cost` counts."""

import math
from collections.abc import Sequence
from dataclasses import replace
from operator import index
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from triscale.costs import count_resolved
from triscale.errors import UsageError
from triscale.nn.blocks import BLOCKS, Stem
from triscale.nn.cells import CellModule, CellStage, State, advance, current
from triscale.nn.primitives import ConvUnit, NormUnit, activation
from triscale.spec import Block, Network, Norm, Preprocessing, Resolved, resolve
from triscale.trained_on import TrainedOn

if TYPE_CHECKING:
    from triscale.data import Transform


_NO_LOGITS = "Features without a classifier: model.forward_head(model.forward_features(x), pre_logits=True)."


class Model(nn.Module):
    """A network as a module: stem, stages of blocks, head, classifier.

    It takes any height and width, not only those of `network.resolution`. In channels-last memory
    (`model.to(memory_format=torch.channels_last)`) depthwise networks run faster on most CPUs and GPUs. In eval mode
    the logits are `classifier(hidden(features(x)["head"].mean((2, 3))))`; where `hidden` is empty, as in all but
    MobileNetV3, they are linear in the map, which makes class activation maps exact.

    `num_classes`, `forward_features`, `forward_head` and `reset_classifier` mean what they mean in timm.

    Attributes:
        network: the spec it was built from; `reset_classifier` changes its number of classes.
        classes: names in the order of the logits; empty: nobody has named them.
        preprocessing: what its images go through first, see `transform`.
        trained_on: which images made its weights; None where that is not known.
        recompute: whether backward makes the maps inside of blocks again, instead of keeping them (activation
            checkpointing): the same bits in less memory, for one more forward pass through the blocks.
        hidden: what stands between pooling and dropout.
        classifier: the last linear layer.
    """

    def __init__(
        self,
        resolved: Resolved,
        classes: Sequence[str] = (),
        preprocessing: Preprocessing | None = None,
        trained_on: TrainedOn | None = None,
    ) -> None:
        super().__init__()
        network = resolved.network
        self.classes, self.trained_on = tuple(classes), trained_on
        self.preprocessing = preprocessing or Preprocessing().for_channels(network.input_channels)
        blocks = list(resolved.flat())
        stem, head = blocks[0][1], blocks[-1][1]
        self.network, self.recompute = network, False
        self.stem = Stem(stem, network.norm)
        stages = [CellStage() if stage.cell else nn.Sequential() for stage in network.stages]
        for number, (stage, block) in enumerate(blocks[1:-1]):
            drop_rate = network.stochastic_depth * number / (len(blocks) - 2)
            kind = CellModule if block.cell else BLOCKS[block.operator]
            stages[stage - 1].append(kind(block, network.norm, drop_rate))
        self.stages = nn.ModuleList(stages)
        self.head = _head(head, network.norm)
        self.hidden = _hidden(head)
        self.dropout = nn.Dropout(network.head.dropout)
        self.classifier = nn.Linear(head.layers[-1].in_channels, head.layers[-1].out_channels)
        initialise(self)

    @property
    def num_classes(self) -> int:
        """Logits of an image."""
        return self.classifier.out_features

    @property
    def transform(self) -> "Transform":
        """From an image (a path, a Pillow image, a uint8 array [h, w, 3]) to the tensor [c, h, w] to give."""
        from triscale.data import Transform  # noqa: PLC0415  decoders are loaded only here

        how = self.preprocessing
        return Transform(preprocessing=how, size=how.resolution or self.network.resolution)

    def reset_classifier(self, num_classes: int) -> None:
        """Replace the last layer by a fresh one, where it lies; the new classes have no names.

        Raises:
            UsageError: no whole number, or fewer than one class, for which a network here has no form.
        """
        count, old = require_classes(num_classes), self.classifier
        self.network, self.classes = replace(self.network, classes=count), ()
        self.classifier = nn.Linear(old.in_features, count).to(old.weight)
        initialise(self.classifier)

    def forward(self, x: Tensor) -> Tensor:
        """Images [n, input channels, h, w] -> logits [n, classes]."""
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> Tensor:
        """Images [n, input channels, h, w] -> the last map before pooling, [n, c, h', w']."""
        state: State = self.stem(x)
        recompute = self.recompute and torch.is_grad_enabled()
        for stage in self.stages:
            state = advance(stage, state, recompute=recompute)
        state = current(state)  # lets the map before it go
        last: Tensor = self.head(state)
        return last

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """The last map before pooling -> logits [n, classes]; with `pre_logits` what the last layer takes, [n, c]."""
        taken = _pooled(self, x)
        return taken if pre_logits else self.classifier(taken)

    def features(self, x: Tensor) -> dict[str, Tensor]:
        """The map after each part, by name, in order: "stem", "stage1", .., "head" (the last map before pooling)."""
        state: State = self.stem(x)
        maps = {"stem": current(state)}
        for number, stage in enumerate(self.stages, 1):
            state = advance(stage, state)
            maps[f"stage{number}"] = current(state)
        maps["head"] = self.head(current(state))
        return maps


def require_classes(num_classes: int) -> int:
    """The number of classes as a plain int; UsageError for what is none, and for 0, which in timm asks for features."""
    try:
        count = index(num_classes)
    except TypeError:
        raise UsageError(f"num_classes is {num_classes!r}; give a whole number.") from None
    if count < 1 or isinstance(num_classes, bool):
        raise UsageError(f"num_classes is {num_classes!r}; give at least 1.\n{_NO_LOGITS}")
    return count


def logits_of(model: nn.Module, state: State) -> Tensor:
    """What the last stage leaves -> logits [n, classes], by the parts of a model from `head` to `classifier`."""
    logits: Tensor = model.classifier(_pooled(model, model.head(current(state))))  # type: ignore[operator]
    return logits


def _pooled(model: nn.Module, last: Tensor) -> Tensor:
    """What the classifier takes, [n, c], of the last map before pooling."""
    taken: Tensor = model.dropout(model.hidden(last.mean((2, 3))))  # type: ignore[operator]
    return taken


def _head(block: Block, norm: Norm) -> nn.Module:
    """What is done to the last stage's map before pooling."""
    first = block.layers[0]
    if block.operator == "head":
        return ConvUnit(first, block.padding, norm)
    if first.kind == "norm":
        return NormUnit(first, norm)
    return activation(block.activation, keeps_input=True) if "activation" in block.around else nn.Identity()


def _hidden(block: Block) -> nn.Sequential:
    """MobileNetV3's linear layer with activation after pooling; empty elsewhere."""
    if not block.hidden_channels:
        return nn.Sequential()
    return nn.Sequential(nn.Linear(block.inner_channels, block.hidden_channels), activation(block.activation))


def build(
    network: Network,
    classes: Sequence[str] = (),
    preprocessing: Preprocessing | None = None,
    trained_on: TrainedOn | None = None,
) -> Model:
    """The network as a module with fresh weights, in training mode, on torch's default device.

    Args:
        network: the spec.
        classes: names in the order of the logits; empty: nobody has named them.
        preprocessing: of its images; by default that of a study.
        trained_on: which images made the weights that it is for.

    Raises:
        InputError: above 10,000 layers or 1e15 MACs; nothing has been allocated then.
    """
    resolved = resolve(network)
    count_resolved(resolved)
    return Model(resolved, classes, preprocessing, trained_on)


def initialise(model: nn.Module) -> None:
    """Fresh weights as in the authors' code (`efficientnet_model.py`).

    Convolutions: normal, variance 2 / (kernel^2 x outputs of a group), not truncated. Linear: uniform within
    +-1 / sqrt(outputs). Biases 0, norms 1 and 0.
    """
    for module in model.modules():
        match module:
            case nn.Conv2d():
                fan_out = module.weight[0, 0].numel() * module.out_channels // module.groups
                nn.init.normal_(module.weight, 0.0, math.sqrt(2 / fan_out))
            case nn.Linear():
                bound = 1 / math.sqrt(module.out_features)
                nn.init.uniform_(module.weight, -bound, bound)
            case nn.BatchNorm2d():
                module.reset_parameters()
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
