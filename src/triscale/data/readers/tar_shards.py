"""A data set as tar shards, laid out as webdataset does: `000017.jpg` and `000017.cls` are one sample.

The shards are indexed once and then read at any place, so that the order of the images can be a function of the seed;
a stream could only shuffle what lies near. Nothing is ever extracted.
"""

import json
import tarfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from triscale.data.decode.image import ArchiveMember
from triscale.data.decode.render_cache import Progress
from triscale.data.names.litter import is_ignored, lies_in_litter
from triscale.data.names.split_words import Split, recognised_anywhere
from triscale.data.names.words import PICTURE_SUFFIXES, label_rank
from triscale.data.photo import CheckOptions
from triscale.data.readers.rows import PictureRow, rows_source
from triscale.data.source import Source
from triscale.data.split import FIRST
from triscale.data.tables.text import read_text
from triscale.errors import InputError
from triscale.units import agreeing, counted

LABEL_BYTES = 64 * 1024
NAMES = "classes.txt"
WANTED = "Wanted: plain tar files of samples such as 17.jpg and 17.cls, with train, val or test in their names."
LABELLED = 'Write the label of 17.jpg as 17.cls, as 17.txt, or as 17.json: {"label": 3}.'


@dataclass
class _Sample:
    """What the members of one key hold: labels by the kind of member that tells them, and the names of all."""

    key: str
    picture: ArchiveMember | None = None
    labels: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Why it is not a sample, with the members that it has instead."""
        if self.picture is not None and any(self.labels.values()):
            return ""
        lacks = "no image" if self.picture is None else "no label"
        other = sorted(
            {f".{kind}" for name in self.names if (kind := _parted(name)[1]) not in {"cls", *PICTURE_SUFFIXES}}
        )
        return f"{lacks}, but {', '.join(other[:3])}" if other else lacks

    @property
    def name(self) -> str:
        """What a person finds it by in the shard."""
        pictures = [name for name in self.names if _parted(name)[1] in PICTURE_SUFFIXES]
        return next(iter(pictures), self.key)

    @property
    def meant(self) -> bool:
        """Whether it is a sample at all: a list of classes or a text for readers is none."""
        return self.picture is not None or bool(self.labels.keys() - {"txt"})


def shards_in(path: Path) -> list[Path]:
    """The shards in a folder, sorted, or the one that `path` is; none if there are no shards."""
    if path.is_dir():
        return sorted(shard for shard in path.glob("*.[tT][aA][rR]") if not is_ignored(shard.name))
    return [path] if path.name.lower().endswith((".tar", ".tar.gz", ".tgz")) else []


def open_shards(name: str, cache: Path, policy: CheckOptions, progress: Progress | None = None) -> Source:
    """The samples of all shards of a folder, or of one shard.

    A word in the shard's name tells its split (`imagenet1k-validation-00.tar`); those without one are training, unless
    others say that they are it. The label is the text of the `.cls` member (else of `.json`, by its field `label` or
    the like, or of `.txt`): a class name, or a number from 0 which `classes.txt` beside the shards may name, one in a
    line.

    Raises:
        InputError: a shard cannot be read, or holds a name or a kind of member that no data set needs.
    """
    path = Path(name)
    splits, notes = _splits(shards_in(path), policy.split.version)
    samples = [(sample, shard, split) for shard, split in splits.items() for sample in _samples(shard)]
    _require_samples(name, [sample for sample, _, _ in samples])
    notes += _told_by(name, [sample for sample, _, _ in samples])
    rows = [_row(*one) for one in samples]
    listed = (path if path.is_dir() else path.parent) / NAMES
    names = read_text(listed.read_bytes(), str(listed)).text.strip().splitlines() if listed.is_file() else None
    return rows_source(rows, name=name, names=names, notes=notes, cache=cache, policy=policy, progress=progress)


def _splits(shards: Sequence[Path], version: int) -> tuple[dict[Path, Split], tuple[str, ...]]:
    """The split of each shard that is used, and a note on those that are not."""
    if version == FIRST:
        exact: tuple[Split, ...] = ("test", "val")
        return {shard: next((one for one in exact if shard.name.startswith(one)), "train") for shard in shards}, ()
    named = recognised_anywhere(shard.stem for shard in shards)
    found = {shard: named.get(shard.stem) for shard in shards}
    nameless: Split | None = None if "train" in named.values() else "train"
    used = {shard: split for shard, one in found.items() if (split := one or nameless)}
    if not {"train"} <= set(used.values()):
        raise InputError(f"The shards {shards[0].name!r} and others hold no training split.\n{WANTED}")
    left = [shard.name for shard in shards if shard not in used]
    are = agreeing(len(left), "shard whose name tells no split is", "shards whose names tell no split are")
    note = f"{are} not used: {', '.join(map(repr, left[:3]))}."
    return used, (note,) if left else ()


def _row(sample: _Sample, shard: Path, split: Split) -> PictureRow:
    return PictureRow(
        name=f"{shard.name}/{sample.name}",
        file=sample.picture or ArchiveMember(shard, 0, 0),
        label=next(filter(None, map(sample.labels.get, LABELS)), "") or "",
        split=split,
        reason=sample.reason,
    )


def _require_samples(name: str, samples: Sequence[_Sample]) -> None:
    """Raise where there is no sample at all, or an archive of class folders, which is not a shard."""
    if not samples:
        raise InputError(f"{name!r} holds no samples: no member is called as an image is.\n{WANTED}")
    labelled = any(any(sample.labels.values()) for sample in samples)
    if not labelled and len({PurePosixPath(sample.key).parent for sample in samples}) > 1:
        raise InputError(
            f"No image of {name!r} has a label, such as {samples[0].name!r}.\n"
            f"If its folders are the classes, unpack it, and give the folder.\n{LABELLED}"
        )


def _told_by(name: str, samples: Sequence[_Sample]) -> tuple[str, ...]:
    """Which members tell the labels, where others than .cls do; as many texts as half of the images are captions.

    Raises:
        InputError: only .txt members do, and they are captions.
    """
    good = [sample for sample in samples if not sample.reason]
    kinds = Counter(next(kind for kind in LABELS if sample.labels.get(kind)) for sample in good)
    texts = {sample.labels["txt"] for sample in good if sample.labels.get("txt")}
    if kinds["txt"] == len(good) and 2 * len(texts) > len(good) and len(texts) > 2:
        shown = min(texts)[:60]
        raise InputError(f"The .txt members of {name!r} are captions, such as {shown!r}.\n{LABELLED}")
    return tuple(
        f"{counted(count, 'label')} read from .{kind} members." for kind, count in kinds.items() if kind != "cls"
    )


def _samples(shard: Path) -> list[_Sample]:
    """The samples in the order of the shard; members of other kinds are passed over."""
    samples: dict[str, _Sample] = {}
    seen: set[str] = set()
    try:
        length = shard.stat().st_size
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                if not _sound(shard, member, seen, length):
                    continue
                key, kind = _parted(member.name)
                sample = samples.setdefault(key, _Sample(key))
                sample.names.append(member.name)
                if kind in PICTURE_SUFFIXES:
                    sample.picture = sample.picture or ArchiveMember(shard, member.offset_data, member.size)
                elif kind in LABELS and (stream := archive.extractfile(member)) is not None:
                    text = stream.read(LABEL_BYTES).decode("utf-8", "surrogateescape")
                    sample.labels[kind] = LABELS[kind](text.strip(" \0\r\n\t\ufeff"))
    except (OSError, tarfile.TarError) as error:
        raise _refused(shard, f"it cannot be read: {' '.join(str(error).split())[:80]}") from error
    return [sample for sample in samples.values() if sample.meant]


def _sound(shard: Path, member: tarfile.TarInfo, seen: set[str], length: int) -> bool:
    """Whether it is a file to look at; a folder or a hidden file is not.

    What a program for data would not write is a reason to reject the shard: places outside, links, names twice.
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
    return member.isfile() and not is_ignored(PurePosixPath(name).name) and not lies_in_litter(name.split("/"))


def _parted(name: str) -> tuple[str, str]:
    """The key of a sample and the kind of a member: all before and after the first dot of its last part."""
    folder, slash, last = name.rpartition("/")
    key, _, kind = last.partition(".")
    return folder + slash + key, kind.lower()


def _line(text: str) -> str:
    return "" if "\n" in text else text


def _of_record(text: str) -> str:
    """The label in a JSON member: itself, or the field that the words for labels name."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if isinstance(found, Mapping):
        fields = [(rank, field) for field in found if (rank := label_rank(field)) is not None]
        found = found[min(fields)[1]] if fields else None
    return str(found) if isinstance(found, str | int) else ""


LABELS: Mapping[str, Callable[[str], str]] = {
    "cls": _line, "label": _line, "class": _line, "json": _of_record, "txt": _line,
}  # fmt: skip
"""Members that tell the label, the surest first, and how their text is read."""


def _refused(shard: Path, why: str) -> InputError:
    return InputError(f"The shard {str(shard)!r} is rejected: {why}.\n{WANTED}")
