"""A data set as tar shards, laid out as webdataset does: `000017.jpg` and `000017.cls` are one sample.

The shards are indexed once and then read at any place, so that the order of the pictures can be a function of the seed;
a stream could only shuffle what lies near. Nothing is ever extracted.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from triscale.data.cache import Progress
from triscale.data.images import Member
from triscale.data.litter import is_ignored, lies_in_litter
from triscale.data.photo import Policy
from triscale.data.rows import Row, rows_source
from triscale.data.source import Source
from triscale.errors import InputError

PICTURES = {"jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"}
LABEL = "cls"
LABEL_BYTES = 1024
NAMES = "classes.txt"
WANTED = "Wanted: plain tar files of samples such as 17.jpg and 17.cls, named train*.tar, test*.tar or val*.tar."


@dataclass
class _Sample:
    """What the members of one key hold."""

    picture: Member | None = None
    label: str = ""
    names: list[str] = field(default_factory=list)


def shards_in(path: Path) -> list[Path]:
    """The shards in a folder, sorted, or the one that `path` is; none if there are no shards."""
    if path.is_dir():
        return sorted(shard for shard in path.glob("*.tar") if not is_ignored(shard.name))
    return [path] if path.suffix == ".tar" or path.name.endswith((".tar.gz", ".tgz")) else []


def open_shards(name: str, cache: Path, policy: Policy, progress: Progress | None = None) -> Source:
    """The samples of all shards of a folder, or of one shard.

    The shard's name begins with its split: `train`, `test` or `val`; others are training. The label is the text of the
    `.cls` member: a class name, or a number from 0 which `classes.txt` beside the shards may name, one in a line.

    Raises:
        InputError: a shard cannot be read, or holds a name or a kind of member that no data set needs.
    """
    path = Path(name)
    rows = [row for shard in shards_in(path) for row in _rows(shard)]
    listed = (path if path.is_dir() else path.parent) / NAMES
    names = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else None
    return rows_source(rows, name=name, names=names, cache=cache, policy=policy, progress=progress)


def _rows(shard: Path) -> Iterator[Row]:
    split = next((some for some in ("test", "val") if shard.name.startswith(some)), "train")
    for key, sample in _samples(shard).items():
        picture = sample.picture
        reason = "" if picture and sample.label else "no label" if picture else "no picture"
        shown = f"{shard.name}/{sample.names[0] if sample.names else key}"
        yield Row(name=shown, file=picture or Member(shard, 0, 0), label=sample.label, split=split, reason=reason)


def _samples(shard: Path) -> dict[str, _Sample]:
    """The samples by key, in the order of the shard; members of other kinds are passed over."""
    samples: dict[str, _Sample] = {}
    seen: set[str] = set()
    try:
        length = shard.stat().st_size
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                if not _sound(shard, member, seen, length):
                    continue
                key, kind = _parted(member.name)
                if kind in PICTURES:
                    sample = samples.setdefault(key, _Sample())
                    sample.names.append(member.name)
                    sample.picture = sample.picture or Member(shard, member.offset_data, member.size)
                elif kind == LABEL and (stream := archive.extractfile(member)) is not None:
                    text = stream.read(LABEL_BYTES).decode("utf-8", "surrogateescape")
                    samples.setdefault(key, _Sample()).label = text.strip()
    except (OSError, tarfile.TarError) as error:
        raise _refused(shard, f"it cannot be read: {' '.join(str(error).split())[:80]}") from error
    return samples


def _sound(shard: Path, member: tarfile.TarInfo, seen: set[str], length: int) -> bool:
    """Whether it is a file to look at; a folder or a hidden file is not.

    What a program for data would not write is a reason to refuse the shard: places outside, links, names twice.
    """
    name = member.name
    if name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name or "\0" in name:
        raise _refused(shard, f"the name {name[:80]!r} leads out of it")
    if not (member.isfile() or member.isdir()):
        raise _refused(shard, f"{name[:80]!r} is a link or a device")
    if name in seen and not member.isdir():
        raise _refused(shard, f"{name[:80]!r} is in it twice")
    if member.isfile() and (member.offset_data + member.size > length or member.issparse()):
        raise _refused(shard, f"it ends within {name[:80]!r}")
    seen.add(name)
    return member.isfile() and not PurePosixPath(name).name.startswith(".") and not lies_in_litter(name.split("/"))


def _parted(name: str) -> tuple[str, str]:
    """The key of a sample and the kind of a member: all before and after the first dot of its last part."""
    folder, slash, last = name.rpartition("/")
    key, _, kind = last.partition(".")
    return folder + slash + key, kind.lower()


def _refused(shard: Path, why: str) -> InputError:
    return InputError(f"The shard {str(shard)!r} is refused: {why}.\n{WANTED}")
