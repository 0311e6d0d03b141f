"""What is written down of a training: `records.jsonl` in its folder."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from triscale import records
from triscale._version import __version__
from triscale.data import Source
from triscale.machine import machine
from triscale.nn import device_name
from triscale.spec import Size, content_hash, to_document
from triscale.train.engine import Engine
from triscale.train.identity import Asked

RECORDS = "records.jsonl"


class Log:
    """The records of a training, of which one process writes and all may read."""

    def __init__(self, path: Path, *, writes: bool) -> None:
        self._path, self._writes = path, writes

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The records of a kind, oldest first."""
        return records.read(self._path).all(kind) if self._path.exists() else []

    def append(self, **record: Any) -> None:
        """One more line."""
        if self._writes:
            records.append(self._path, record)

    def begin(self, asked: Asked, identity: Mapping[str, Any], source: Source, left_out: int, engine: Engine) -> None:
        """What is trained, on what, where: once, however often the training goes on."""
        if not self._writes or self.told("train"):
            return
        split = {"split": identity["split"]} if "split" in identity else {}
        origins = {"grown_from": asked.weights if asked.grow else None, "teacher": asked.teacher}
        self.append(
            kind="train",
            schema=1,
            triscale=__version__,
            network=to_document(asked.network),
            id=content_hash(asked.network),
            recipe=engine.recipe.document(),
            seed=asked.seed,
            data={**identity["data"], "source": source.name, "notes": list(source.notes), **split},
            left_out=left_out,
            machine={**machine(), "gpu": device_name(engine.device)},
            device=str(engine.device),
            threads=torch.get_num_threads(),
            plan=engine.plan.to_json(),
            started=now(),
            **{name: one.network.name for name, one in origins.items() if one is not None},
        )

    def epoch(self, engine: Engine, resolution: Size) -> None:
        """The epoch that has just ended: once, as one that is made again after a crash has its record already."""
        epoch, recipe = engine.history[-1], engine.recipe
        if not self._writes or any(one["epoch"] == epoch.epoch for one in self.told("epoch")):
            return
        grown = {"resolution": list(recipe.size_at(epoch.epoch - 1, resolution))} if recipe.grows else {}
        self.append(
            kind="epoch",
            **asdict(epoch),
            learning_rate=engine.learning_rate,
            gradient_norm=engine.norm,
            parts=engine.parts,
            skipped=len(engine.skipped_in(engine.epoch - 1)),
            seconds=engine.seconds,
            **grown,
        )


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
