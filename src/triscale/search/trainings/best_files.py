"""The files of the network to take: its weights and its spec, in the folder of a search."""

import json
from pathlib import Path

from triscale.files import write_atomically
from triscale.spec import to_document
from triscale.trials import TrialStore

WEIGHTS, SPEC = "best.safetensors", "best.json"


def write_best(store: TrialStore, id_: str, checkpoint: Path) -> None:
    """Copy the checkpoint, and write the spec of the network of that id."""
    write_atomically(store.folder / WEIGHTS, checkpoint.read_bytes())
    document = to_document(store.network(id_))
    write_atomically(store.folder / SPEC, (json.dumps(document, indent=2) + "\n").encode())


def are_there(folder: Path) -> bool:
    """Whether both files are."""
    return all((folder / name).exists() for name in (WEIGHTS, SPEC))
