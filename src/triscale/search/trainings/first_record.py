"""The record that a search begins with, and what is not as it says when the search resumes."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from triscale._version import __version__
from triscale.data import Source
from triscale.errors import InputError
from triscale.machine import machine
from triscale.nn import device_name
from triscale.search.trainings.shared_terms import SharedTerms
from triscale.trials import Numerics, TrialStore
from triscale.trials.study_records import BegunRecord, DataFacts, EventRecord

RUNS = Path("triscale-runs")
"""Where searches lie whose folder nobody named."""

Kind = TypeVar("Kind", bound=BegunRecord)


def image_counts(source: Source, asked: SharedTerms) -> dict[str, int]:
    """Images to train on, to validate on and to test on."""
    split = source.training_split(train_size=asked.train_size, seed=asked.seed)
    return {"train": len(split.training), "validation": len(split.validation), "test": len(source.labels("test"))}


def known_in(
    store: TrialStore, kind: type[Kind], hash_: str, source: Source, numerics: Numerics, say: Callable[[str], None]
) -> Kind | None:
    """The record that this very search began with, None for a new one; what differs since then becomes an event.

    Args:
        store: open, in the folder of the search.
        kind: of the record.
        hash_: of the question.
        source, numerics: of now.
        say: hears about what differs.

    Raises:
        InputError: the folder holds another search, or the data or the rule of splits changed.
    """
    known = store.one(kind)
    if known.question_hash != hash_ if known else len(store):
        mine, other = kind.__struct_config__.tag, store.one(BegunRecord)
        theirs = "training" if other is None else other.__struct_config__.tag
        held = f"another {mine} (or its data changed)" if known else f"a {theirs}, not a {mine}"
        raise InputError(f"{store.folder} holds {held}.\nUse another --out, or leave it out.")
    for text in changed_since(known, source, numerics) if known else ():
        store.add(event(text))
        say(f"warning: {text}.")
    return known


def folder_option(folder: Path, hash_: str) -> dict[str, object]:
    """The option of the command line that names a search's folder, unless it is the usual one."""
    return {"out": None if folder == RUNS / hash_ else folder}


def data_facts(source: Source, counts: Mapping[str, int]) -> DataFacts:
    """The images of a search in numbers; `counts` of those to train on, to validate on and to test on."""
    return DataFacts(
        source=source.name,
        fingerprint=source.fingerprint,
        classes=tuple(source.classes),
        train=counts["train"],
        validation=counts["validation"],
        test=counts["test"],
        test_from=source.test_from,
        native=source.native,
        skipped=source.skipped,
        notes=tuple(source.notes),
        rule=source.rule.version,
        group_by=source.rule.group_by,
    )


def begun(
    kind: type[Kind], asked: SharedTerms, hash_: str, data: DataFacts, numerics: Numerics, jobs: int,
    given: Mapping[str, object], **own: Any,
) -> Kind:  # fmt: skip
    """The record that a search of some kind begins with.

    Args:
        kind: of the record.
        asked: the question.
        hash_: of the question.
        data: in numbers.
        numerics, jobs: of its trainings.
        given: options of its command line that are no part of the question, such as `out`.
        **own: the fields that this kind alone has.
    """
    return kind(
        triscale=__version__,
        command=asked.command(**given),
        question=asked.to_dict(),
        question_hash=hash_,
        data=data,
        machine={**machine(), "gpu": device_name(numerics.device)},
        jobs=jobs,
        device=numerics.device,
        threads=numerics.threads,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        **own,
    )


def changed_since(known: BegunRecord, source: Source, numerics: Numerics) -> list[str]:
    """What differs from the search's first record and may change last bits, in words.

    Raises:
        InputError: the search drew its splits by another rule.
    """
    if known.data.rule != source.rule.version:
        raise InputError("the folder was started with an older rule of splits.\nName the folder by --out to resume it.")
    if (known.device, known.threads) == (numerics.device, numerics.threads):
        return []
    begun_on = f"it began on {known.device} with {known.threads} threads a training"
    return [f"{begun_on}; it resumes on {numerics.device} with {numerics.threads}"]


def event(text: str) -> EventRecord:
    """Something that happens to the search now."""
    return EventRecord(at=datetime.now(UTC).isoformat(timespec="seconds"), text=text)
