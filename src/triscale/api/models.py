"""Modules of torch: fresh, or with trained weights."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from triscale.api.counted import as_network, whole
from triscale.errors import InputError, UsageError
from triscale.spec import Network

if TYPE_CHECKING:
    from triscale.nn import Model
    from triscale.weights import AnyModel, Checkpoint

PACKAGE = "package"
"""The weights in an installed package."""
_WANTED = "give 'package' (or True), a path, or 'hf-hub:OWNER/NAME'."


def build(
    net: Network | str,
    *,
    num_classes: int | None = None,
    in_chans: int | None = None,
    pretrained: str | Path | bool = False,
    allow_pth: bool = False,
) -> "Model":
    """The network as a torch module in training mode, with fresh or pretrained weights.

    Args:
        net: a network, or its name.
        num_classes: logits; by default the network's, or those of the weights. Where the weights have another number,
            the last layer is new.
        in_chans: channels of the images; by default the network's, or those of the weights. Where the weights take
            another number, the first layer is adapted as timm does it, see `triscale.weights.with_input_channels`.
        pretrained: "package" or True: the weights in an installed package. Or a run folder, a file of timm,
            torchvision, Keras and others, or "hf-hub:OWNER/NAME", see `triscale.weights.load_weights`.
        allow_pth: read a pickle of torch (.pth), by its restricted reader.

    Raises:
        UsageError: an unknown name, or a number below 1.
        InputError: no such weights, or weights of another network.
    """
    base = as_network(net)
    from triscale.nn import build as build_network  # noqa: PLC0415  torch is loaded only here
    from triscale.nn import require_classes  # noqa: PLC0415

    classes = None if num_classes is None else require_classes(num_classes)
    channels = None if in_chans is None else whole("in_chans", in_chans)
    if pretrained is None or pretrained is False:
        fresh = replace(base, classes=classes or base.classes, input_channels=channels or base.input_channels)
        return build_network(fresh)
    if isinstance(net, Network):
        classes, channels = classes or net.classes, channels or net.input_channels
    found = _pretrained(net, base, pretrained, allow_pth=allow_pth)
    return _with_weights(found, classes or found.spec.classes, channels or found.spec.input_channels)


def _pretrained(net: Network | str, base: Network, source: object, *, allow_pth: bool) -> "Checkpoint":
    """The weights of just this network."""
    from triscale.weights import is_hub_id, load_weights, require_same  # noqa: PLC0415  torch is loaded only here

    if not isinstance(source, str | Path | bool):
        raise UsageError(f"pretrained is {source!r}; {_WANTED}")
    file = None if source in (True, PACKAGE) else source
    if file is not None and not is_hub_id(str(file)) and not Path(str(file)).exists():
        raise InputError(f"there is nothing at {str(file)!r} to take weights from; {_WANTED}")
    name = net if isinstance(net, str) else base.name if file is None else None
    found = load_weights(file, name, allow_pth=allow_pth, headless=True)  # type: ignore[arg-type]  # no bool is left
    if isinstance(net, Network):
        require_same(found.spec, net, net.name, source)
    return found


def _with_weights(found: "Checkpoint", classes: int, channels: int) -> "Model":
    from triscale.nn import build as build_network  # noqa: PLC0415  torch is loaded only here
    from triscale.weights import begin_with, with_input_channels  # noqa: PLC0415

    found = with_input_channels(found, channels)
    kept = not found.lacks and classes == found.spec.classes
    wanted = replace(found.spec, classes=classes)
    names = found.classes if kept else ()
    model = build_network(wanted, names, found.preprocessing, found.trained_on)
    begin_with(model, found, classifier=kept)
    return model


def load(run_or_weights: str | Path, network: str | None = None, *, allow_pth: bool = False) -> "AnyModel":
    """The trained network of a run folder (its best one) or of weights of any kind, in evaluation mode.

    See `triscale.weights.load_weights` for the arguments and errors.
    """
    from triscale.weights import load_weights  # noqa: PLC0415  torch is loaded only here

    return load_weights(run_or_weights, network, allow_pth=allow_pth).model()
