"""Kill trainings with SIGKILL at random points, and compare the bits of what they end in with an unbroken one.

Shuffling, shifts, flips, dropout, stochastic depth, mixup, CutMix, clipping and the moving average are on; every other
training has two threads that make batches ahead. The trainings are those of `tests/train/test_durability.py`.
"""

import random
import signal
import tempfile
from pathlib import Path

from benchmarks.harness import append, provenance
from tests.train.durable import STEPS, Trainer, killed_once, states

KILLS = 20


def main() -> None:
    """Kill, compare, print and record."""
    chance, identical, met = random.Random(0), 0, 0  # noqa: S311  nothing is secret
    places: list[int] = []
    with tempfile.TemporaryDirectory() as place:
        trainer = Trainer(Path(place))
        trainer.run("whole")
        expected = states(Path(place) / "whole")
        while met < KILLS:
            folder = f"{len(places)}"
            first, again, saves = killed_once(trainer, folder, chance, workers=2 * (met % 2))
            places.append(saves)
            if first.code == -signal.SIGKILL:
                met += 1
                identical += again.code == 0 and states(Path(place) / folder) == expected
        trainer.close()
    print(f"{identical} of {met} trainings that were killed end in the bits of the unbroken one")
    append({**provenance("durability"), "n": met, "identical": identical, "steps": STEPS, "saves_before": places})


if __name__ == "__main__":
    main()
