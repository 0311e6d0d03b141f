"""Pictures for training: the embedded set, `.npz` pairs and class folders behind one `Source`; splits and batches.

Torch is imported by `triscale.data.batches` only, which is therefore not imported here.
"""

from pathlib import Path

from triscale.data.cache import Progress, default_cache
from triscale.data.findings import Finding
from triscale.data.flowers import named_flowers
from triscale.data.folders import open_folders
from triscale.data.held import Held, open_split
from triscale.data.images import load_picture
from triscale.data.npz import open_npz
from triscale.data.photo import DEFAULT, Policy
from triscale.data.resize import Pictures, Size
from triscale.data.source import Source, Split, TestFrom
from triscale.data.split import split_validation

__all__ = [
    "Finding",
    "Held",
    "Pictures",
    "Policy",
    "Progress",
    "Size",
    "Source",
    "Split",
    "TestFrom",
    "default_cache",
    "load_picture",
    "open_data",
    "open_split",
    "split_validation",
]


def open_data(where: str | Path, *, cache: Path | None = None, policy: Policy = DEFAULT) -> Source:
    """Open and check a data set.

    Args:
        where: `flowers`, the embedded set (`flowers:240` draws only 240 training and 60 test pictures); a folder that
            holds `train.npz` and `test.npz`, or one of these files; or a folder of class folders, with or without
            `train/` and `test/` or `val/` above them.
        cache: folder for rendered pictures; `$TRISCALE_CACHE` or `~/.cache/triscale` by default.
        policy: what is done about doubtful pictures; by default they are left out and told.

    Returns:
        The source; the same content gives the same fingerprint.

    Raises:
        InputError: nothing usable is there; the message names the thing and what to do.
        OutputError: the cache folder cannot be written.
    """
    cache = cache or default_cache()
    name = str(where)
    if isinstance(where, str) and (where == "flowers" or where.startswith("flowers:")):
        return named_flowers(where, cache)
    path = Path(where)
    if path.suffix == ".npz" and not path.is_dir():
        return open_npz(path.parent, name=name, cache=cache)
    if (path / "train.npz").exists():
        return open_npz(path, name=name, cache=cache)
    return open_folders(path, name=name, cache=cache, policy=policy)
