"""The lines of a store, and trials as lines: what many trials share stands in the file once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

import msgspec

from triscale.errors import InputError
from triscale.recipes import Recipe
from triscale.spec import AnyNetwork, Network, any_from_document, content_hash, to_document
from triscale.trials.fits.fit_records import FitLine
from triscale.trials.job import DataUse, FirstWeights, Keep, Pipeline, TrainJob
from triscale.trials.numerics import Numerics
from triscale.trials.searches.rung_records import RungRecord
from triscale.trials.searches.search_records import FoundRecord, ProposalRecord, SearchRecord
from triscale.trials.study_records import (
    AnswerRecord,
    CamRecord,
    ChoiceRecord,
    EventRecord,
    FamilyRecord,
    Line,
    PlanRecord,
    RoundRecord,
    StudyRecord,
)
from triscale.trials.trial import Deviation, Epoch, State, Trial
from triscale.trials.typed_json import from_json, to_json

SCHEMA = 2


class StoreLine(Line, frozen=True, kw_only=True, tag="store"):
    """The first line: the format of the file, and who began it."""

    schema: int
    triscale: str


class NetworkLine(Line, frozen=True, kw_only=True, tag="network"):
    """A network by its content hash; decoded when it is needed."""

    id: str
    value: msgspec.Raw


class RecipeLine(Line, frozen=True, kw_only=True, tag="recipe"):
    """A recipe by its hash."""

    id: str
    value: Recipe


class DataLine(Line, frozen=True, kw_only=True, tag="data"):
    """The data of trainings by their hash."""

    id: str
    value: DataUse


class MachineLine(Line, frozen=True, kw_only=True, tag="machine"):
    """A machine by its hash."""

    id: str
    value: dict[str, str | int | None]


class TrialLine(Line, frozen=True, kw_only=True, tag="trial"):
    """A trial as it stands; the last line of a key counts. See `triscale.trials.Trial` and `TrainJob`.

    `name` is that of the network, which its content hash does not know; None: as in the line of the network.
    """

    key: str
    network: str
    recipe: str
    data: str
    seed: int
    state: State
    name: str | None = None
    parts: int = 1
    processes: int = 1
    pipeline: Pipeline | None = None
    keep: Keep = "best"
    weights: FirstWeights | None = None
    teacher: str | None = None
    purpose: str = ""
    history: tuple[Epoch, ...] = ()
    kept_epoch: int | None = None
    metrics: dict[str, float] = msgspec.field(default_factory=dict)
    right: bytes | None = None
    cost: dict[str, float] = msgspec.field(default_factory=dict)
    numerics: Numerics | None = None
    machine: str | None = None
    deviations: tuple[Deviation, ...] = ()
    losses: int = 0
    reason: str | None = None
    failure: str | None = None
    checkpoint: str | None = None
    started: str | None = None
    finished: str | None = None


class EpochLine(Line, frozen=True, kw_only=True, tag="epoch"):
    """An epoch that a running trial has completed."""

    key: str
    value: Epoch


AnyLine = (
    StoreLine | NetworkLine | RecipeLine | DataLine | MachineLine | TrialLine | EpochLine
    | StudyRecord | PlanRecord | RoundRecord | ChoiceRecord | FamilyRecord | CamRecord | AnswerRecord | EventRecord
    | SearchRecord | ProposalRecord | RungRecord | FoundRecord | FitLine
)  # fmt: skip
_DECODER: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_JOB = ("seed", "parts", "processes", "pipeline", "keep", "weights", "teacher")
_OWN = tuple(one.name for one in fields(Trial) if one.name not in ("job", "machine"))


def decoded(line: bytes) -> AnyLine:
    """The line; InputError for anything else."""
    return from_json(line, _DECODER)


def encoded(line: Line) -> bytes:
    """The line with its newline; NumericError for a number that is not finite."""
    return to_json(line) + b"\n"


@dataclass(slots=True)
class Shared:
    """What trials share, by hash."""

    networks: dict[str, msgspec.Raw | AnyNetwork] = field(default_factory=dict)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    data: dict[str, DataUse] = field(default_factory=dict)
    machines: dict[str, dict[str, str | int | None]] = field(default_factory=dict)

    def take(self, line: AnyLine) -> bool:
        """Keep the line if it is one of these; whether it was."""
        match line:
            case NetworkLine(id=known, value=raw):
                self.networks.setdefault(known, raw)
            case RecipeLine(id=known, value=recipe):
                self.recipes[known] = recipe
            case DataLine(id=known, value=data):
                self.data[known] = data
            case MachineLine(id=known, value=machine):
                self.machines[known] = machine
            case _:
                return False
        return True

    def forget(self, lines: Iterable[Line]) -> None:
        """Drop what these lines brought, since they could not be written."""
        for line in lines:
            match line:
                case NetworkLine(id=known):
                    del self.networks[known]
                case RecipeLine(id=known):
                    del self.recipes[known]
                case DataLine(id=known):
                    del self.data[known]
                case MachineLine(id=known):
                    del self.machines[known]

    def network(self, known: str) -> AnyNetwork:
        """The network of this content hash; a foreign one is not imported.

        Raises:
            InputError: the store has none, or one that this version cannot read.
        """
        found = self.networks.get(known)
        if found is None:
            raise InputError(f"the store holds no network {known[:12]}.")
        if isinstance(found, msgspec.Raw):
            found = self.networks[known] = any_from_document(msgspec.json.decode(found))
        return found

    def lines_for_network(self, network: AnyNetwork) -> Iterator[Line]:
        """The line that a network needs, if it is new."""
        known = content_hash(network)
        if known not in self.networks:
            self.networks[known] = network
            yield NetworkLine(id=known, value=msgspec.Raw(msgspec.json.encode(to_document(network))))

    def lines_for(self, trial: Trial) -> Iterator[Line]:
        """The lines that a trial needs: what it shares, where that is new, then itself."""
        job, machine = trial.job, dict(trial.machine)
        yield from self.lines_for_network(job.network)
        recipe, data = _hash(job.recipe.to_dict()), _hash(msgspec.to_builtins(job.data))
        if recipe not in self.recipes:
            self.recipes[recipe] = job.recipe
            yield RecipeLine(id=recipe, value=job.recipe)
        if data not in self.data:
            self.data[data] = job.data
            yield DataLine(id=data, value=job.data)
        where = _hash(machine) if machine else None
        if where is not None and where not in self.machines:
            self.machines[where] = machine
            yield MachineLine(id=where, value=machine)
        own = {name: getattr(trial, name) for name in _OWN} | {name: getattr(job, name) for name in _JOB}
        own |= {"metrics": dict(trial.metrics), "cost": dict(trial.cost)}
        named = job.network.name if isinstance(job.network, Network) else None
        yield TrialLine(
            key=job.key, network=content_hash(job.network), name=named, recipe=recipe, data=data, machine=where, **own
        )

    def trial(self, line: TrialLine) -> Trial:
        """The trial of a line; InputError where it names what the store does not hold."""
        try:
            recipe, data = self.recipes[line.recipe], self.data[line.data]
            machine: Mapping[str, str | int | None] = self.machines[line.machine] if line.machine else {}
        except KeyError as error:
            raise InputError(f"the store lacks what the trial {line.key[:12]} shares with others: {error}.") from None
        network = self.network(line.network)
        if isinstance(network, Network) and line.name not in (None, network.name):
            network = replace(network, name=line.name)
        job = TrainJob(
            network=network, data=data, recipe=recipe,
            **{name: getattr(line, name) for name in _JOB},
        )  # fmt: skip
        return Trial(job=job, machine=machine, **{name: getattr(line, name) for name in _OWN})


def _hash(document: object) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]
