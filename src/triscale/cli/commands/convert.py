"""`triscale convert`."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from triscale.cli.show.output import Flag, Whole, complain, print_json, print_text, printable
from triscale.errors import OutputError, UsageError

OURS = "triscale"


def convert(
    weights: Annotated[str | None, Parameter(name="WEIGHTS")] = None,
    /,
    *,
    out: Path,
    to: str = OURS,
    network: str | None = None,
    classes: Whole | None = None,
    allow_pth: Flag = False,
    json: Flag = False,
) -> None:
    """Convert weights to a checkpoint, or for torchvision, timm, Keras.

    Every tensor is used once and every shape is checked; numbers do not change. Safetensors keep classes and
    preprocessing beside the tensors; the line of code that loads them is printed.

    Args:
        weights: a run folder, a checkpoint, a file of another library or of a trainer, a folder with a config.json of
            timm or transformers, or hf-hub:OWNER/NAME; without it, the weights of --network in an installed package
            (efficientnet_lite0, -lite1, -lite2).
        out: the file to write: .safetensors, or .h5 for keras. For timm also a folder, which gets a config.json with
            the preprocessing.
        to: triscale, torchvision, timm, timm_legacy, lukemelas (EfficientNet-PyTorch) or keras.
        network: the network of the weights, such as efficientnet_b0 or timm:tf_efficientnet_b0, where the file does not
            say it.
        classes: classes that the file must have; by default, as many as its classifier has.
        allow_pth: read .pth files, which are pickles, with torch's restricted reader.
        json: print one JSON document instead of text.
    """
    _require_name(out, to)
    if not out.absolute().parent.is_dir():
        raise OutputError(f"cannot write {out}: the folder {out.parent} does not exist.")
    from triscale.weights import PEERS_TO_WRITE, load_weights, save, write_for_peer  # noqa: PLC0415  torch is loaded only here

    if to not in (OURS, *PEERS_TO_WRITE):
        raise UsageError(f"--to is {to!r}; give {', '.join((OURS, *PEERS_TO_WRITE))}.")
    found = load_weights(weights, network, allow_pth=allow_pth, classes=classes)
    document: dict[str, Any] = {"network": found.network.name, "to": to, "out": str(out), "tensors": len(found.state)}
    notes = found.notes
    if to == OURS:
        save(out, found)
    else:
        written = write_for_peer(out, found, to)
        document |= {"model": written.model, "load": written.loading}
        notes += written.notes
    for note in notes:
        complain(note)
    if json:
        print_json(document | {"classes": found.network.classes, "notes": list(notes)})
    else:
        print_text(f"{printable(out)}: {found.network.name} for {document.get('model') or to}")
        print_text(*(line for line in [document.get("load")] if line))


def _require_name(out: Path, to: str) -> None:
    """The name must be one by which the file is found to be what it is; timm reads folders too."""
    folder = to.startswith("timm") and (not out.suffix or out.is_dir())
    wanted = ".h5" if to == "keras" else ".safetensors"
    if not folder and (out.suffix != wanted or out.is_dir()):
        also = ", or a folder" if to.startswith("timm") else ""
        raise UsageError(f"--out is {printable(out)}; for {printable(to)} give FILE{wanted}{also}.")
