"""A synthetic study: invented numbers of plausible size, for tests of the report only. Nothing in it was measured."""

import hashlib
import random
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from triscale import records

Record = dict[str, Any]

CLASSES = ["three stripes", "four checks", "five rings", "<script>alert(1)</script>"]
BASE = {"params": 152_340, "macs": 2_514_816, "activations": 61_440}
EPOCHS, TRAIN, TEST = 10, 8_000, 1_500
# Depth, width and resolution at about twice the cost; the last three are the corners.
TRIPLES = [
    (1.2, 1.1, 1.17), (1.4, 1.05, 1.17), (1.0, 1.2, 1.17), (1.2, 1.0, 1.33), (1.4, 1.2, 1.0),
    (1.6, 1.1, 1.0), (1.0, 1.08, 1.33), (2.0, 1.0, 1.0), (1.0, 1.42, 1.0), (1.0, 1.0, 1.42),
]  # fmt: skip
RULES = ["grid"] * 7 + ["depth", "width", "resolution"]
RIVALS = {
    "compound": (1.2, 1.1, 1.17), "depth": (2.0, 1.0, 1.0), "width": (1.0, 1.42, 1.0), "resolution": (1.0, 1.0, 1.42),
}  # fmt: skip
# Invented accuracies, at the baseline's cost and per doubling of each factor.
SKILL = {"baseline": 0.62, "depth": 0.035, "width": 0.075, "resolution": 0.11}


def identity(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def network(rule: str, triple: tuple[float, float, float], phi: float | None) -> Record:
    depth, width, resolution = triple
    side = int(24 * resolution + 0.5)
    name = "flower_24" if rule == "baseline" else f"flower_24 d{depth:.2f} w{width:.2f} r{resolution:.2f}"
    ratio = depth * width**2 * (side / 24) ** 2
    return {
        "id": identity(name),
        "rule": rule,
        "network": {"name": name, "resolution": [side, side]},
        "factors": {"depth": depth, "width": width, "resolution": resolution},
        "cost": {
            "params": int(BASE["params"] * depth * width**2),
            "macs": int(BASE["macs"] * ratio),
            "activations": int(BASE["activations"] * depth * width * (side / 24) ** 2),
        },
        "ratio": ratio,
        "upsampled": side > 32,
        **({} if phi is None else {"phi": phi}),
    }


def candidate(rule: str, triple: tuple[float, float, float]) -> Record:
    one = network(rule, triple, None)
    cell = {name: [value - 0.04, value + 0.05] for name, value in one["factors"].items()}
    merged = 1 if rule != "grid" else 3
    return {**one, "cell": cell, "merged": merged, "within": abs(one["ratio"] / 2 - 1) < 0.1 or rule == "baseline"}


def skill(one: Record) -> float:
    factors = one["factors"]
    gained: float = sum((SKILL[name] * (factors[name] - 1) / factors[name] ** 0.5 for name in factors), 0.0)
    return SKILL["baseline"] + 1.6 * gained


def run(one: Record, phase: str, seed: int, epochs: int, dice: random.Random) -> Record:
    top = skill(one) + dice.gauss(0, 0.006) + (0.03 if phase == "compute" else 0)
    history = [
        {
            "epoch": epoch,
            "samples": epoch * TRAIN,
            "train_loss": round(2.4 * 0.8**epoch + 0.3, 4),
            "validation_top1": round(top * (1 - 0.55 * 0.7**epoch) + dice.gauss(0, 0.004), 4),
        }
        for epoch in range(1, epochs + 1)
    ]
    seconds = epochs * TRAIN * one["cost"]["macs"] / 6e9
    return {
        "kind": "run",
        "id": one["id"],
        "phase": phase,
        "seed": seed,
        "epochs": epochs,
        "samples": epochs * TRAIN,
        "history": history,
        "validation_top1": history[-1]["validation_top1"],
        "half_top1": history[epochs // 2 - 1]["validation_top1"],
        "train_loss": history[-1]["train_loss"],
        "seconds": round(seconds, 1),
        "images_per_second": round(epochs * TRAIN / seconds),
        "device": "cpu",
        "threads": 1,
        "finished": "2026-01-01T00:10:00Z",
    }


def study(seed: int = 0) -> records.Records:
    """A finished synthetic study: a baseline, ten candidates, family and rivals at phi 1 and 2, two seeds."""
    dice = random.Random(seed)
    baseline = candidate("baseline", (1.0, 1.0, 1.0))
    candidates = [candidate(rule, triple) for rule, triple in zip(RULES, TRIPLES, strict=True)]
    runs = [run(one, "search", s, EPOCHS, dice) for one in [baseline, *candidates] for s in (0, 1)]
    members = family()
    runs += [run(one, "family", s, EPOCHS, dice) for one in members if one["phi"] == 2 for s in (0, 1)]
    longer = [run(baseline, "compute", s, epochs, dice) for epochs in (20, 39) for s in (0, 1)]
    tests = [exam(one, s, EPOCHS, skill(one), dice) for one in members for s in (0, 1)]
    tests += [exam(baseline, row["seed"], row["epochs"], skill(baseline) + 0.03, dice) for row in longer]
    return records.Records(
        [
            opening(),
            plan(baseline, candidates),
            *runs,
            choice(candidates, runs),
            {"kind": "family", "members": members},
            *longer,
            *tests,
            {"kind": "cam", "pictures": cam(members)},
            {"kind": "answer", "lines": answer()},
        ]
    )


def opening() -> Record:
    return {
        "kind": "study",
        "schema": 1,
        "triscale": "0.1.0",
        "question": {
            "command": "triscale study flower_24 --phi 2 --seeds 2", "network": "flower_24", "data": "synthetic",
            "phi": 2, "tolerance": 0.1,
        },
        "question_hash": identity("question"),
        "data": {
            "source": "synthetic flowers", "fingerprint": identity("data")[:16], "classes": CLASSES, "train": TRAIN,
            "validation": 1_000, "test": TEST, "test_from": "val", "native": [32, 32], "skipped": 2,
            "notes": [
                "There is no test folder: val/ serves as the test.", "2 of 10502 files were left out: 'a.png' (torn).",
                "Synthetic numbers: nothing here was measured.",
            ],
        },
        "machine": {"system": "Linux", "processor": "x86_64", "cores": 2, "python": "3.11.2", "torch": "2.10.0"},
        "started": "2026-01-01T00:00:00Z",
    }  # fmt: skip


def plan(baseline: Record, candidates: list[Record]) -> Record:
    recipe = {"optimizer": "SGD", "momentum": 0.9, "learning_rate": 0.1, "schedule": "cosine", "augment": ["flip"]}
    return {
        "kind": "plan", "baseline": baseline, "candidates": candidates, "epochs": EPOCHS, "batch": 64,
        "train_size": TRAIN, "seeds": 2, "leader_seeds": 2, "phi": 2, "tolerance": 0.1, "predicted_seconds": 1800.0,
        "recipe": recipe,
    }  # fmt: skip


def choice(candidates: list[Record], runs: list[Record]) -> Record:
    def mean(one: Record, key: str) -> float:
        values = [row[key] for row in runs if row["id"] == one["id"]]
        return float(sum(values) / len(values))

    ranked = sorted(candidates, key=lambda one: -mean(one, "validation_top1"))
    best = mean(ranked[0], "validation_top1")
    ranking = []
    for one in ranked:
        difference = best - mean(one, "validation_top1")
        ranking.append(
            {
                "id": one["id"], "n": 2, "mean": mean(one, "validation_top1"), "half_mean": mean(one, "half_top1"),
                "difference": difference, "interval": [difference - 0.012, difference + 0.012],
                "tied": difference < 0.012,
            }
        )  # fmt: skip
    return {
        "kind": "choice", "ranking": ranking, "tied": [row["id"] for row in ranking if row["tied"]],
        "chosen": identity("flower_24 d1.20 w1.10 r1.17"), "coefficients": {"alpha": 1.2, "beta": 1.1, "gamma": 1.17},
        "noise_sd": 0.0058, "half_agrees": False, "warning": None,
    }  # fmt: skip


def family() -> list[Record]:
    baseline = {**network("baseline", (1.0, 1.0, 1.0), 0), "cost_ratio": 1.0, "within": True}
    members = [baseline]
    for phi in (1, 2):
        level = []
        for rule, (depth, width, resolution) in RIVALS.items():
            level.append(network(rule, (depth**phi, width**phi, resolution**phi), phi))
        for one in level:
            ratio = one["cost"]["macs"] / level[0]["cost"]["macs"]
            members.append({**one, "cost_ratio": ratio, "within": abs(ratio - 1) <= 0.03})
    return members


def exam(one: Record, seed: int, epochs: int, level: float, dice: random.Random) -> Record:
    correct = round(TEST * (level - 0.01 + dice.gauss(0, 0.006)))
    return {
        "kind": "test", "id": one["id"], "seed": seed, "epochs": epochs, "n": TEST, "correct": correct,
        "top1": correct / TEST,
    }  # fmt: skip


def cam(members: list[Record]) -> list[Record]:
    shown = [one for one in members if one["phi"] < 2]
    return [
        {
            "label": name,
            "file": f"cam/{row}.png",
            "maps": [
                {
                    "id": one["id"], "rule": one["rule"], "file": f"cam/{row}-{column}.png",
                    "predicted": name if (row + column) % 3 else CLASSES[(row + 1) % 4], "probability": 0.91 - row / 9,
                }
                for column, one in enumerate(shown)
            ],
        }
        for row, name in enumerate(CLASSES)
    ]  # fmt: skip


def answer() -> list[str]:
    return [
        "Synthetic: compound scaling 1.20, 1.10, 1.17 is the best of its cost: 70.1 % at 4.98 M MACs.",
        "It beats depth-only by 6.0, width-only by 3.1 and resolution-only by 0.4 points on the test.",
        "3 of 10 candidates are tied within the noise of two seeds; the cheapest of them was taken.",
        "At equal training compute the baseline reaches 64.0 %.",
        "The network is in best.json, its weights in best.safetensors.",
    ]


def write_run(folder: Path, found: records.Records | None = None) -> Path:
    """A run folder with the synthetic records and tiny pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cam").mkdir(exist_ok=True)
    for line in study() if found is None else found:
        records.append(folder / "records.jsonl", line)
    for row in range(len(CLASSES)):
        for column in range(-1, 5):
            name = f"{row}.png" if column < 0 else f"{row}-{column}.png"
            draw_picture(row, column).save(folder / "cam" / name)
    return folder


def draw_picture(row: int, column: int) -> Image.Image:
    image = Image.new("RGB", (32, 32), (40 + 40 * row, 90, 120))
    pen = ImageDraw.Draw(image)
    pen.ellipse((8, 8, 24, 24), fill=(220, 200 - 30 * row, 90))
    if column >= 0:
        pen.ellipse((6 + 3 * column, 6, 18 + 3 * column, 18), outline=(230, 60, 30), width=2)
    return image
