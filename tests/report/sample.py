"""A synthetic study of real networks: their costs are counted, accuracies and times are invented, for tests alone."""

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Any, TypeVar

import msgspec
from PIL import Image, ImageDraw

from triscale import families
from triscale.costs import count
from triscale.map_scores import MapScore
from triscale.recipes import Recipe
from triscale.scaling import Factors, scale_shortly
from triscale.spec import Network, content_hash
from triscale.trials import TEST, VALIDATION, DataUse, Epoch, Numerics, Stored, TrainJob, Trial, TrialStore, read
from triscale.trials.map_records import FocusRecord, MapRecord, PictureRecord
from triscale.trials.study_records import (
    AnswerRecord,
    CamRecord,
    CandidateRecord,
    CellRecord,
    ChoiceRecord,
    CoefficientsRecord,
    DataFacts,
    FactorsRecord,
    FamilyRecord,
    MemberRecord,
    NetworkRecord,
    PlanRecord,
    Ranked,
    StudyLine,
    StudyRecord,
)

CLASSES = ("three stripes", "four checks", "five rings", "<script>alert(1)</script>")
BASELINE = replace(families.network("smallnet_24"), classes=len(CLASSES), channel_divisor=1)
EPOCHS, TRAIN, TEST_SIZE, NATIVE = 10, 8_000, 1_500, 32
# Depth, width and resolution at about twice the cost; the last three are the corners.
TRIPLES = [
    (1.2, 1.1, 1.17), (1.4, 1.05, 1.13), (1.0, 1.2, 1.17), (1.2, 1.0, 1.33), (1.4, 1.2, 1.0),
    (1.6, 1.1, 1.0), (1.0, 1.08, 1.33), (2.0, 1.0, 1.0), (1.0, 1.42, 1.0), (1.0, 1.0, 1.42),
]  # fmt: skip
RULES = ["grid"] * 7 + ["depth", "width", "resolution"]
RIVALS = {
    "compound": (1.2, 1.1, 1.17), "depth": (2.0, 1.0, 1.0), "width": (1.0, 1.42, 1.0), "resolution": (1.0, 1.0, 1.42),
}  # fmt: skip
# Invented accuracies, at the baseline's cost and per doubling of each factor.
SKILL = {"baseline": 0.62, "depth": 0.035, "width": 0.075, "resolution": 0.11}
RECIPE = Recipe(epochs=EPOCHS)
DATA = DataUse(fingerprint="da7a" * 16, classes=CLASSES, images=9_000, rule=2, fraction=0.1)
MACHINE: Mapping[str, str | int | None] = {"cpu": "Synthetic", "cores": 2, "memory": 2**33, "gpu": None}
Step = StudyLine | Trial
Kind = TypeVar("Kind", bound=StudyLine)
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Study:
    """What a study writes, step by step."""

    steps: tuple[Step, ...]
    networks: Mapping[str, Network]

    def trials(self) -> list[Trial]:
        """Each as it stands in the end."""
        return list({one.key: one for one in self.steps if isinstance(one, Trial)}.values())

    def one(self, kind: type[Kind]) -> Kind:
        """The record of a kind."""
        return next(one for one in self.steps if isinstance(one, kind))

    def with_(self, kind: type[StudyLine], **changed: Any) -> "Study":
        """The study with other fields in the record of a kind."""
        return self.each(lambda one: msgspec.structs.replace(one, **changed) if isinstance(one, kind) else one)

    def each(self, change: Any) -> "Study":
        """The study with every step changed."""
        return replace(self, steps=tuple(map(change, self.steps)))

    def flagged(self, **flags: bool) -> "Study":
        """The study with these fields in every network of its records."""

        def every(ones: Iterable[Any]) -> tuple[Any, ...]:
            return tuple(msgspec.structs.replace(one, **flags) for one in ones)

        plan, family = self.one(PlanRecord), self.one(FamilyRecord)
        (baseline,) = every([plan.baseline])
        changed = self.with_(PlanRecord, baseline=baseline, candidates=every(plan.candidates))
        return changed.with_(FamilyRecord, members=every(family.members))


def network(rule: str, triple: Triple) -> Network:
    return BASELINE if rule == "baseline" else scale_shortly(BASELINE, Factors(*triple))


def about(rule: str, triple: Triple) -> dict[str, Any]:
    """What a candidate and a member have in common."""
    made = network(rule, triple)
    costs = count(made)
    return {
        "id": content_hash(made), "rule": rule, "factors": FactorsRecord(**Factors(*triple)._asdict()),
        "cost": costs._asdict(), "ratio": costs.macs / count(BASELINE).macs, "upsampled": made.resolution[0] > NATIVE,
    }  # fmt: skip


def candidate(rule: str, triple: Triple) -> CandidateRecord:
    facts = about(rule, triple)
    low, high = (tuple(value + by for value in triple) for by in (-0.04, 0.05))
    cell = CellRecord(**dict(zip(("depth", "width", "resolution"), zip(low, high, strict=True), strict=True)))
    within = abs(facts["ratio"] / 2 - 1) < 0.1
    return CandidateRecord(**facts, cell=cell, merged=1 if rule != "grid" else 3, within=within)


def members() -> list[MemberRecord]:
    found = [MemberRecord(**about("baseline", (1.0, 1.0, 1.0)), phi=0.0, cost_ratio=1.0, within=True)]
    for phi in (1, 2):
        level = [about(rule, (depth**phi, width**phi, side**phi)) for rule, (depth, width, side) in RIVALS.items()]
        for one in level:
            ratio = one["cost"]["macs"] / level[0]["cost"]["macs"]
            found.append(MemberRecord(**one, phi=float(phi), cost_ratio=ratio, within=abs(ratio - 1) <= 0.03))
    return found


def skill(one: NetworkRecord) -> float:
    factors: dict[str, float] = msgspec.structs.asdict(one.factors)
    return SKILL["baseline"] + 1.6 * sum(SKILL[name] * (by - 1) / math.sqrt(by) for name, by in factors.items())


def trial(one: NetworkRecord, made: Network, purpose: str, seed: int, epochs: int, dice: random.Random) -> Trial:
    top = skill(one) + dice.gauss(0, 0.006) + (0.03 if purpose == "compute" else 0)
    history = tuple(
        Epoch(
            epoch=epoch,
            samples=epoch * TRAIN,
            train_loss=round(2.4 * 0.8**epoch + 0.3, 4),
            validation_top1=round(top * (1 - 0.55 * 0.7**epoch) + dice.gauss(0, 0.004), 4),
        )
        for epoch in range(1, epochs + 1)
    )
    metrics = {VALIDATION: history[-1].validation_top1, "seconds": epochs * TRAIN * one.cost["macs"] / 6e9}
    return Trial(
        job=TrainJob(network=made, data=DATA, recipe=replace(RECIPE, epochs=epochs), seed=seed, keep="last"),
        state="done", purpose=purpose, history=history, kept_epoch=epochs, metrics=metrics, cost=dict(one.cost),
        numerics=Numerics(), machine=MACHINE,
    )  # fmt: skip


def study(baseline_name: str = "flower_24", grid: str = "grid") -> Study:
    """A finished synthetic study: a baseline, ten candidates, family and rivals at phi 1 and 2, two seeds."""
    dice = random.Random(0)
    triples = [("baseline", (1.0, 1.0, 1.0)), *zip(RULES, TRIPLES, strict=True)]
    triples += [(rule, (d**2, w**2, r**2)) for rule, (d, w, r) in RIVALS.items()]
    made = {content_hash(one): one for one in (network(*each) for each in triples)}
    assert len(made) == len(triples), "some of the triples round to one network"
    made = {id_: replace(one, name=one.name.replace("smallnet_24", baseline_name)) for id_, one in made.items()}

    def trained(ones: Iterable[NetworkRecord], purpose: str, epochs: int = EPOCHS) -> list[Trial]:
        return [trial(one, made[one.id], purpose, seed, epochs, dice) for one in ones for seed in (0, 1)]

    baseline, *rest = (candidate(rule, triple) for rule, triple in triples[: len(TRIPLES) + 1])
    candidates = [msgspec.structs.replace(one, rule=one.rule.replace("grid", grid)) for one in rest]
    searched, family = trained([baseline, *candidates], "search"), members()
    late = trained([one for one in family if one.phi == 2], "family")
    lengths = (round(EPOCHS * one.ratio) for one in family if one.rule == "compound")
    longer = [one for epochs in lengths for one in trained([baseline], "compute", epochs)]
    in_family = {one.id for one in family}
    tested = [
        replace(one, metrics={**one.metrics, TEST: round(TEST_SIZE * (one.metrics[VALIDATION] - 0.01)) / TEST_SIZE})
        for one in (*searched, *late, *longer)
        if content_hash(one.network) in in_family
    ]
    steps: list[Step] = [
        opening(), plan(baseline, candidates), *searched, choice(candidates, searched),
        FamilyRecord(members=tuple(family)), *late, *longer, *tested,
        CamRecord(pictures=cam(family), focus=focus(family), steps=16), AnswerRecord(lines=answer(), best=family[1].id),
    ]  # fmt: skip
    return Study(tuple(steps), made)


def opening() -> StudyRecord:
    notes = (
        "There is no test folder: val/ serves as the test.", "2 of 10502 files were left out: 'a.png' (torn).",
        "Synthetic numbers: nothing here was measured.",
    )  # fmt: skip
    data = DataFacts(
        source="synthetic flowers", fingerprint=DATA.fingerprint, classes=CLASSES, train=TRAIN, validation=1_000,
        test=TEST_SIZE, test_from="val", native=(NATIVE, NATIVE), skipped=2, notes=notes,
    )  # fmt: skip
    return StudyRecord(
        triscale="0.2.0", command="triscale study flower_24 --phi 2 --seeds 2",
        question={"network": "flower_24", "data": "synthetic", "phi": 2, "tolerance": 0.1}, question_hash="0123456789",
        data=data, machine=MACHINE, jobs=2, device="cpu", threads=1, started="2026-01-01T00:00:00Z",
    )  # fmt: skip


def plan(baseline: CandidateRecord, candidates: list[CandidateRecord]) -> PlanRecord:
    return PlanRecord(
        baseline=baseline, candidates=tuple(candidates), phi=2.0, phis=(1.0, 2.0), epochs=EPOCHS, batch=64,
        train_size=TRAIN, seeds=(0, 1), leaders=2, tolerance=0.1, trainings=34, predicted_seconds=1800.0, recipe=RECIPE,
    )  # fmt: skip


def choice(candidates: list[CandidateRecord], searched: list[Trial]) -> ChoiceRecord:
    own = {one.id: [row for row in searched if content_hash(row.network) == one.id] for one in candidates}
    means = {id_: mean(row.metrics[VALIDATION] for row in rows) for id_, rows in own.items()}
    best = max(means.values())
    ranking = tuple(
        Ranked(
            id=id_, n=2, mean=means[id_], half_mean=mean(row.half_top1 or 0.0 for row in own[id_]),
            difference=best - means[id_], interval=(best - means[id_] - 0.012, best - means[id_] + 0.012),
            tied=best - means[id_] < 0.012,
        )
        for id_ in sorted(means, key=lambda one: -means[one])
    )  # fmt: skip
    return ChoiceRecord(
        ranking=ranking, tied=tuple(row.id for row in ranking if row.tied), chosen=candidates[0].id,
        coefficients=CoefficientsRecord(alpha=1.2, beta=1.1, gamma=1.17), noise_sd=0.0058, noise_freedom=9,
        half_agrees=False, rule="best_mean",
    )  # fmt: skip


def cam(family: list[MemberRecord]) -> tuple[PictureRecord, ...]:
    shown = [one for one in family if one.phi < 2]
    return tuple(
        PictureRecord(
            label=name,
            file=f"cam/{row}.png",
            maps=tuple(
                MapRecord(
                    id=one.id, rule=one.rule, file=f"cam/{row}-{column}.png",
                    predicted=name if (row + column) % 3 else CLASSES[(row + 1) % 4], probability=0.91 - row / 9,
                )
                for column, one in enumerate(shown)
            ),
        )
        for row, name in enumerate(CLASSES)
    )  # fmt: skip


def focus(family: list[MemberRecord]) -> tuple[FocusRecord, ...]:
    """Compound gains 0.05 over the baseline on every image, the others nothing."""
    gains = {one.id: 0.05 if one.rule == "compound" else 0.0 for one in family if one.phi < 2}
    return tuple(
        FocusRecord(
            id=one.id,
            rule=one.rule,
            scores=tuple(
                MapScore(
                    deletion=0.3, insertion=0.5 + gains[one.id] + image / 50,
                    shuffled_deletion=0.35, shuffled_insertion=0.4 + image / 90,
                )
                for image in range(8)
            ),
        )
        for one in family
        if one.id in gains
    )  # fmt: skip


def answer() -> tuple[str, ...]:
    return (
        "Synthetic: compound scaling 1.20, 1.10, 1.17 is the best of its cost: 70.1 % at 4.98 M MACs.",
        "It beats depth-only by 6.0, width-only by 3.1 and resolution-only by 0.4 points on the test.",
        "3 of 10 candidates are tied within the noise of two seeds; the best mean was taken.",
        "At equal training compute the baseline reaches 64.0 %.",
        "The network is in best.json, its weights in best.safetensors.",
    )


def write_run(folder: Path, found: Study | None = None, stop: int | None = None) -> Path:
    """A run folder with the first steps of a study, all of them by default, and tiny images."""
    found = study() if found is None else found
    with TrialStore(folder) as store:
        for kind, group in groupby(found.steps[:stop], type):
            steps = list(group)
            store.put(*(one for one in steps if isinstance(one, Trial)))
            named = found.networks.values() if kind in (PlanRecord, FamilyRecord) else ()
            for step in steps:
                if not isinstance(step, Trial):
                    store.add(step, named)
    (folder / "cam").mkdir(exist_ok=True)
    for row in range(len(CLASSES)):
        for column in range(-1, 5):
            name = f"{row}.png" if column < 0 else f"{row}-{column}.png"
            draw_picture(row, column).save(folder / "cam" / name)
    return folder


def stored(folder: Path, found: Study | None = None, stop: int | None = None) -> Stored:
    """The study as it is read back."""
    return read(write_run(folder, found, stop))


def draw_picture(row: int, column: int) -> Image.Image:
    image = Image.new("RGB", (32, 32), (40 + 40 * row, 90, 120))
    pen = ImageDraw.Draw(image)
    pen.ellipse((8, 8, 24, 24), fill=(220, 200 - 30 * row, 90))
    if column >= 0:
        pen.ellipse((6 + 3 * column, 6, 18 + 3 * column, 18), outline=(230, 60, 30), width=2)
    return image
