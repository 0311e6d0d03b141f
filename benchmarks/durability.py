"""Kill trainings with SIGKILL at random points, and compare the bits of what they end in with an unbroken one.

Shuffling, flips, dropout, stochastic depth, mixup, CutMix, clipping and the moving average are on; every other training
takes random crops, with RandAugment, jitter and erasing, where the others shift; of both kinds every other one has two
workers, threads for shifts and processes for crops. The trainings are those of `tests/training/test_durability.py`.
"""

import random
import signal
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.harness import append, provenance
from tests.training.durable import KINDS, STEPS, Trainer, killed_once, states

KILLS = 20


def main() -> None:
    """Kill, compare, print and record."""
    chance, identical, outlived = random.Random(0), 0, 0
    places: list[int] = []
    met: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        trainer, expected = Trainer(Path(place)), {}
        for crop in {crop for crop, _ in KINDS}:
            trainer.run(crop, "--recipe", trainer.recipe(crop))
            expected[crop] = states(Path(place) / crop)
        while met.total() < KILLS:
            folder, (crop, workers) = f"{len(places)}", KINDS[met.total() % len(KINDS)]
            found = killed_once(trainer, folder, chance, crop, workers)
            places.append(found.saves)
            if found.first.code == -signal.SIGKILL:
                met[f"{crop}, {workers} workers"] += 1
                identical += found.again.code == 0 and states(Path(place) / folder) == expected[crop]
                outlived += len(found.left)
        trainer.close()
    print(f"{identical} of {met.total()} trainings that were killed end in the bits of the unbroken one")
    print(f"{outlived} of their processes outlived them; {dict(met)}")
    kills = {"n": met.total(), "kinds": met, "identical": identical, "outlived": outlived}
    append({**provenance("durability"), **kills, "steps": STEPS, "saves_before": places})


if __name__ == "__main__":
    main()
