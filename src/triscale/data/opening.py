"""Which kind of data set a name or path means."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from triscale.data.decode.render_cache import Progress
from triscale.data.photo import DEFAULT, CheckOptions
from triscale.data.readers.array_names import array_splits, holds_arrays
from triscale.data.readers.class_folders import open_folders
from triscale.data.readers.flowers import named_flowers
from triscale.data.readers.npz import open_npz
from triscale.data.readers.tar_shards import open_shards, shards_in
from triscale.data.readers.torchvision_sets import open_known, split_name
from triscale.data.source import Source
from triscale.data.tables.beside import is_listed, open_listed, unread_note
from triscale.data.tables.picture_table import SUFFIXES, open_table
from triscale.files import cache_folder

Open = Callable[[str, Path, CheckOptions, Progress | None], Source]
"""From (name, cache, policy, progress) to a source."""


def open_data(
    where: str | Path, *, cache: Path | None = None, policy: CheckOptions = DEFAULT, progress: Progress | None = None
) -> Source:
    """Open and check a data set.

    Args:
        where: one of
            `flowers`, the embedded set (`flowers:240` draws only 240 training and 60 test images);
            a folder of class folders, with or without `train/` and `test/` or `val/` above them;
            a folder that holds `train.npz` and `test.npz` or `val.npz`, or one of these files;
            an `.npz` file with arrays for each split, such as `train_images` or `x_train`;
            a table, `.csv` or another of `table.SUFFIXES`, with the columns `path,label` and perhaps `split`;
            a folder with such a table and the images that it lists;
            a folder of `.tar` shards as webdataset writes them, or one of them;
            `NAME:ROOT`, a data set of torchvision in its folder: cifar10, cifar100, flowers102, stanford_cars,
            fgvc_aircraft, oxford_pets, food101.
        cache: folder for rendered images; `$TRISCALE_CACHE` or `~/.cache/triscale` by default.
        policy: what is done about doubtful images; by default they are left out and reported.
        progress: called with `(done, whole)` while image files are found, when the whole still grows, and
            while they are read and decoded.

    Returns:
        The source; the same content gives the same fingerprint.

    Raises:
        InputError: nothing usable is there; the message names the thing and what to do.
        OutputError: the cache folder cannot be written.
    """
    opener = special(where) or _folders_or_npz
    return opener(str(where), cache or cache_folder(), policy, progress)


def special(where: str | Path) -> Open | None:
    """What opens a source that is neither class folders nor `.npz`; None for these."""
    path = Path(where)
    if isinstance(where, str) and (where == "flowers" or where.startswith("flowers:")):
        return lambda name, cache, *_: named_flowers(name, cache)
    if isinstance(where, str) and split_name(where) is not None and not path.exists():
        return open_known
    if path.suffix.lower() in SUFFIXES and not path.is_dir():
        return open_table
    if shards_in(path):
        return open_shards
    if path.is_dir() and not (array_splits(path) or holds_arrays(path)) and is_listed(path):
        return open_listed
    return None


def _folders_or_npz(name: str, cache: Path, policy: CheckOptions, progress: Progress | None) -> Source:
    path = Path(name)
    if (path.suffix.lower() == ".npz" and not path.is_dir()) or (path.is_dir() and holds_arrays(path)):
        return open_npz(path, name=name, cache=cache, policy=policy)
    source = open_folders(path, name=name, cache=cache, policy=policy, progress=progress)
    return replace(source, notes=(*source.notes, *unread_note(path)))
