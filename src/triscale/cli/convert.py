"""`triscale convert`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from triscale.cli.output import Flag, Whole, print_json, print_text, printable
from triscale.errors import OutputError, UsageError

OURS = "triscale"


def convert(
    weights: Annotated[str, Parameter(name="WEIGHTS")],
    /,
    *,
    out: Path,
    to: str = OURS,
    network: str | None = None,
    classes: Whole | None = None,
    allow_pth: Flag = False,
    json: Flag = False,
) -> None:
    """Write weights in another form: as a checkpoint of triscale, or for torchvision, timm or Keras.

    Every tensor is used once and every shape is checked; numbers are not changed.

    Args:
        weights: a run folder, a checkpoint, a file of another library, or hf-hub:OWNER/NAME.
        out: the file to write: .safetensors, or .h5 for keras.
        to: triscale, torchvision, timm, timm_legacy, lukemelas (EfficientNet-PyTorch) or keras.
        network: the network that the weights belong to, such as efficientnet_b0 or timm:tf_efficientnet_b0, where the
            file leaves it open.
        classes: of the file, where they are not those of the network.
        allow_pth: read a pickle of torch (.pth), by its restricted reader.
        json: print one JSON document instead of text.
    """
    if not out.parent.is_dir():
        raise OutputError(f"cannot write {out}: the folder {out.parent} does not exist.")
    from triscale.weights import PEERS_TO_WRITE, load_weights, save, write_for_peer  # noqa: PLC0415  torch is loaded only here

    if to not in (OURS, *PEERS_TO_WRITE):
        raise UsageError(f"--to is {to!r}; give {', '.join((OURS, *PEERS_TO_WRITE))}.")
    found = load_weights(weights, network, allow_pth=allow_pth, classes=classes)
    if to == OURS:
        save(out, found)
    else:
        write_for_peer(out, found, to)
    if json:
        print_json({"network": found.network.name, "to": to, "out": str(out), "tensors": len(found.state)})
    else:
        print_text(f"{printable(out)}: {found.network.name} for {to}")
