"""The verdict on a data set: what training will use, what it leaves out and why."""

from typing import Any

import numpy as np

from triscale.data.checks.enlarging import advice_for
from triscale.data.source import SPLITS, Source


def verdict(source: Source) -> dict[str, Any]:
    """What a source holds, JSON-ready.

    Returns:
        `data`, `ok` (whether nothing serious was found), `fingerprint`, `native` (`[h, w]` px or None), `test_from`,
        `train`, `test` (counts; `val` where there is one beside the test, also by class), `skipped`, `classes` (a list
        of `name`, `train`, `test`), `findings` (a list of
        `kind`, `count`, `serious`, `text` and the first ten `examples`), `notes` (sentences that are not findings).
    """
    counts = {
        split: np.bincount(source.labels(split), minlength=len(source.classes)).tolist() for split in source.parts
    }
    told = {one.text for one in source.findings}
    return {
        "data": source.name,
        "ok": not any(one.serious for one in source.findings),
        "fingerprint": source.fingerprint,
        "native": None if source.native is None else list(source.native),
        "test_from": source.test_from,
        "train": sum(counts["train"]),
        "test": sum(counts["test"]),
        **({"val": sum(counts["val"])} if "val" in counts else {}),
        "skipped": source.skipped,
        "classes": [
            {"name": name, **{split: counts[split][label] for split in SPLITS if split in counts}}
            for label, name in enumerate(source.classes)
        ],
        "findings": [
            {
                "kind": one.kind,
                "count": one.count,
                "serious": one.serious,
                "text": one.text,
                "examples": list(one.examples),
            }
            for one in source.findings
        ],
        "advice": advice_for(source.native),
        "notes": [note for note in source.notes if note not in told],
    }
