"""From a `ForeignNetwork` to an `nn.Module` of classification, checked where it is somebody else's code."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from triscale.data import Transform
from triscale.errors import InputError
from triscale.foreign.callables import callable_at, first_line
from triscale.foreign.signature import arguments, sized
from triscale.spec import ForeignNetwork, Preprocessing
from triscale.trained_on import TrainedOn
from triscale.units import size


class ForeignModel(nn.Module):
    """Somebody else's module behind the shape of ours: images [n, input channels, h, w] to logits [n, classes].

    Names of weights are those of the inner module, so that its author can load them too.

    Attributes:
        network: what it was made of.
        module: what the callable returned.
        classes: names in the order of the logits; empty: nobody has named them.
        preprocessing: what its images go through first.
        trained_on: which images made its weights; None where that is not known.
    """

    def __init__(
        self,
        network: ForeignNetwork,
        module: nn.Module,
        classes: Sequence[str] = (),
        preprocessing: Preprocessing | None = None,
        trained_on: TrainedOn | None = None,
    ) -> None:
        super().__init__()
        self.network, self.module = network, module
        self.classes, self.trained_on = tuple(classes), trained_on
        self.preprocessing = preprocessing or Preprocessing().for_channels(network.input_channels)

    @property
    def num_classes(self) -> int:
        """Logits of an image."""
        return self.network.classes

    @property
    def transform(self) -> Transform:
        """From an image (a path, a Pillow image, a uint8 array [h, w, 3]) to the tensor [c, h, w] to give."""
        how = self.preprocessing
        return Transform(preprocessing=how, size=how.resolution or self.network.resolution)

    def forward(self, images: Tensor) -> Tensor:
        """Images [n, input channels, h, w] -> logits [n, classes].

        Raises:
            InputError: the module returns something else.
        """
        found = self.module(images)
        if torch.compiler.is_compiling():  # a check of shapes would fix the number of images in the graph
            return found  # type: ignore[no-any-return]
        return require_logits(self.network, found, len(images), training=self.training)

    def state_dict(self, *arguments: Any, **options: Any) -> Any:
        """That of the inner module."""
        return self.module.state_dict(*arguments, **options)

    def load_state_dict(self, *arguments: Any, **options: Any) -> Any:
        """Into the inner module."""
        return self.module.load_state_dict(*arguments, **options)


def build(
    network: ForeignNetwork,
    classes: Sequence[str] = (),
    preprocessing: Preprocessing | None = None,
    trained_on: TrainedOn | None = None,
) -> ForeignModel:
    """The network as a module with fresh weights, in training mode, on torch's default device.

    Its path is imported: only for a network that the user named.

    Args:
        network: its callable and what that is called with.
        classes, preprocessing, trained_on: see `ForeignModel`.

    Raises:
        InputError: it cannot be imported or called, fails, or returns no module.
    """
    function = callable_at(network.path)
    network = sized(network, function)
    given = arguments(network, function)
    try:
        made = function(**given)
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"{where(network)} failed: {first_line(error)}") from error
    if not isinstance(made, nn.Module):
        raise InputError(f"{network.path} returned a {type(made).__name__}; it must return a torch.nn.Module.")
    return ForeignModel(network, made.train(), classes, preprocessing, trained_on)


def require_logits(network: ForeignNetwork, found: object, images: int, *, training: bool) -> Tensor:
    """`found` itself if it is logits [images, classes].

    Raises:
        InputError: it is something else, or of another number of classes.
    """
    mode = "training" if training else "evaluation"
    if not isinstance(found, Tensor):
        raise InputError(
            f"{network.path} returns a {type(found).__name__} in {mode} mode; it must return logits [n, classes].\n"
            "Switch additional outputs off, or wrap it in a module that returns its logits alone."
        )
    shape = tuple(found.shape)
    if len(shape) != 2 or shape[0] != images:
        raise InputError(
            f"{network.path} returns a tensor of shape {shape} in {mode} mode; it must return logits [n, classes],\n"
            f"here of {images} images of {size(network.resolution)} px."
        )
    if network.classes and shape[1] != network.classes:
        raise InputError(
            f"{network.path} returns {shape[1]} logits for {network.classes} classes.\n"
            f"Give it a parameter num_classes, or name the one that it has: {network.path}@classes=PARAMETER"
        )
    return found


def run(model: ForeignModel, images: Tensor) -> Tensor:
    """The logits of images; what fails inside foreign code names the network and the size.

    Raises:
        InputError: the module fails, or returns something else than logits.
    """
    try:
        return model(images)  # type: ignore[no-any-return]
    except (InputError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        raise InputError(f"{where(model.network)} failed on an image: {first_line(error)}") from error


def where(network: ForeignNetwork) -> str:
    """The network at its point, for messages."""
    return f"{network.path} at depth {network.depth:g}, width {network.width:g}, {size(network.resolution)} px"
