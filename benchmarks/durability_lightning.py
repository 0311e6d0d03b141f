"""What a peer's trainings end in after a SIGKILL: Lightning, resumed from its own checkpoint, as its users write it.

Run `python -m benchmarks.durability_lightning` from the root of the repository; it appends a record. A small network,
24 steps of 32 pictures, SGD, one thread, deterministic algorithms; killed right after the checkpoint of the end of an
epoch (step 8), or of its middle (step 11). Lightning is no development tool of ours: put it on PYTHONPATH.
"""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import harness

CASES = {"nothing drawn": "", "shuffle": "shuffle", "dropout": "dropout", "shuffle and dropout": "shuffle dropout"}
PLACES = {"end of an epoch": 8, "middle of an epoch": 11}
STEPS, EPOCH, BATCH = 24, 8, 32


def train(drawn: str, folder: Path, killed_after: int, checkpoint: Path | None) -> None:
    """In a process of its own: train to the end, or be killed after the checkpoint of a step; leaves the weights."""
    import lightning
    import torch
    from lightning.pytorch.callbacks import ModelCheckpoint
    from torch import nn

    class Model(lightning.LightningModule):  # type: ignore[misc]
        """Two convolutions, dropout where it is drawn, a classifier."""

        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(
                nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.SiLU(), nn.Conv2d(8, 16, 3, 2), nn.SiLU(),
                nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2 if "dropout" in drawn else 0.0), nn.Linear(16, 4),
            )  # fmt: skip

        def training_step(self, batch: Any, _: int) -> Any:
            """The loss."""
            return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            """SGD."""
            return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)

    class Kill(lightning.Callback):  # type: ignore[misc]
        """As if the machine had gone."""

        def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
            """Before the step after the checkpoint."""
            if trainer.global_step == killed_after:
                os.kill(os.getpid(), signal.SIGKILL)

    torch.set_num_threads(1)
    lightning.seed_everything(0, workers=True, verbose=False)
    draws = torch.Generator().manual_seed(0)
    data = torch.utils.data.TensorDataset(
        torch.randn(EPOCH * BATCH, 3, 16, 16, generator=draws), torch.randint(4, (EPOCH * BATCH,), generator=draws)
    )
    loader = torch.utils.data.DataLoader(data, BATCH, shuffle="shuffle" in drawn)
    keeps = ModelCheckpoint(folder, filename="{step}", every_n_train_steps=killed_after or 1_000, save_top_k=-1)
    model = Model()
    trainer = lightning.Trainer(
        max_steps=STEPS, accelerator="cpu", deterministic=True, logger=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[keeps, Kill()] if killed_after else [keeps], default_root_dir=folder,
    )  # fmt: skip
    trainer.fit(model, loader, ckpt_path=checkpoint)
    weights = b"".join(one.detach().numpy().tobytes() for one in model.state_dict().values())
    (folder / "end").write_text(hashlib.sha256(weights).hexdigest())


def ended(drawn: str, folder: Path, killed_after: int = 0) -> str:
    """The digest of the weights at the end, after one kill if it is asked for."""
    folder.mkdir()
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.durability_lightning", "--train", drawn, str(folder)]
    if killed_after:
        gone = subprocess.run([*command, str(killed_after)], check=False, capture_output=True)
        if gone.returncode != -signal.SIGKILL:
            raise RuntimeError(gone.stderr.decode())
        (checkpoint,) = folder.glob("*.ckpt")
        command += ["0", str(checkpoint)]
    else:
        command += ["0"]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "end").read_text()


def main() -> None:
    """Kill, resume, compare, print and record."""
    import lightning

    found: dict[str, dict[str, bool]] = {}
    with tempfile.TemporaryDirectory() as place:
        for name, drawn in CASES.items():
            whole, again = (ended(drawn, Path(place) / f"{name} {which}") for which in ("whole", "again"))
            if whole != again:
                raise RuntimeError(f"{name}: two unbroken trainings differ")
            found[name] = {
                where: ended(drawn, Path(place) / f"{name} {step}", step) == whole for where, step in PLACES.items()
            }
            print(name, found[name])
    harness.append(
        {**harness.provenance("durability_lightning"), "identical": found, "lightning": lightning.__version__}
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        drawn, folder, step, *rest = sys.argv[2:]
        train(drawn, Path(folder), int(step), Path(rest[0]) if rest else None)
    else:
        main()
