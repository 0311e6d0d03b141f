"""Ask Keras, which runs in a process of its own."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks import harness
from benchmarks.parity.reference import Counted, Plan, Reference, Step

_QUIET = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}


_VERSIONS = """
import json, importlib.metadata as metadata
found = {one.name.partition("_")[0].partition("-")[0]: one.version for one in metadata.distributions()}
print(json.dumps({name: found[name] for name in ("keras", "tensorflow")}))
"""
"""TensorFlow's package for machines without a GPU has a longer name."""


class Keras:
    """Keras applications, run by another interpreter."""

    def __init__(self, python: str) -> None:
        self.python = str(Path(python).absolute())  # a link of a virtual environment loses its meaning when resolved
        self.versions: dict[str, str] = json.loads(self._run("-c", _VERSIONS))

    def _run(self, *command: str) -> str:
        """What the interpreter prints.

        Raises:
            RuntimeError: it cannot be started, or failed.
        """
        environment = os.environ | _QUIET
        try:
            return subprocess.run(
                [self.python, *command], cwd=harness.ROOT, env=environment, capture_output=True, text=True, check=True
            ).stdout
        except OSError as error:
            raise RuntimeError(f"{self.python}: {error.strerror}") from error
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"{self.python} {' '.join(command)} failed:\n{error.stderr[-2000:]}") from error

    def ask(self, model: str, plan: Plan, seed: int = 0) -> Reference:
        """Everything the ledger wants to know of a model of Keras applications."""
        with tempfile.TemporaryDirectory() as folder:
            job = Path(folder)
            wanted = {
                "model": model, "seed": seed, "native": plan.native,
                "sizes": list(plan.sizes.items()), "evaluated": plan.evaluated, "trained": plan.trained,
            }  # fmt: skip
            (job / "plan.json").write_text(json.dumps(wanted), encoding="utf-8")
            self._run("-m", "benchmarks.parity.keras_peer", str(job))
            return _read(job, plan)


def _read(job: Path, plan: Plan) -> Reference:
    told = json.loads((job / "told.json").read_text(encoding="utf-8"))
    logits = _arrays(job / "logits.npz")
    step = Step(
        logits=logits["step"],
        gradients=_arrays(job / "gradients.npz"),
        statistics=_arrays(job / "statistics.npz"),
    )
    counted = told["counted"]
    shapes = [tuple(shape) for shape in counted["shapes"]]
    return Reference(
        weights=_arrays(job / "weights.npz"),
        logits=[logits[str(number)] for number in range(len(plan.sizes))],
        step=step,
        counted=Counted(params=counted["params"], macs=counted["macs"], shapes=shapes),
    )


def _arrays(path: Path) -> dict[str, Tensor]:
    with np.load(path) as file:
        return {name.replace("|", "/"): torch.from_numpy(file[name]) for name in file.files}
