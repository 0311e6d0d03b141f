"""The state of a training on disk, from which it resumes bit for bit.

All that is drawn in a training is a function of (seed, epoch, step), so the state is weights, average, optimizer and
counters. It lies in one safetensors file with its digest, because two files could be of two moments; a `manifest.json`
holds the checksums for people and tools.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from triscale.errors import InputError
from triscale.files import write_atomically
from triscale.nn import kernels_everywhere
from triscale.speed_plan import SpeedPlan
from triscale.training.engine import Trainer
from triscale.trials import Deviation, Epoch, Numerics
from triscale.weights.checkpoint import state_digest

LAST, PREVIOUS, MANIFEST = "last.safetensors", "previous.safetensors", "manifest.json"
FORMAT, VERSION = "triscale.training", 1

_COUNTERS = ("step", "parts", "precision", "samples", "epoch_samples", "seconds", "training_seconds", "norm", "skipped")


def forget_state(folder: Path) -> None:
    """Remove the states from which a training would resume."""
    for name in (LAST, PREVIOUS):
        (folder / name).unlink(missing_ok=True)


class Interrupted(BaseException):
    """A training stopped on request, after it saved its state; no `Exception`, since it is no failure."""


class _UnusableError(Exception):
    """A file that is not a state of this training; the text says why."""


class ResumeState:
    """Saves the state of a training into a folder from time to time, and brings it back.

    Args:
        folder: where it lies; it must exist.
        key: of the job; a state of another one is not taken.
        numerics: on what it computes now.
        every: seconds between two saves.
        stopping: whether the training was asked to stop.
        tell: told warnings.
        writes: whether this process is the one that writes, of several that train together.
    """

    def __init__(
        self,
        folder: Path,
        key: str,
        *,
        numerics: Numerics = Numerics(),  # noqa: B008  frozen
        every: float,
        stopping: Callable[[], bool] = lambda: False,
        tell: Callable[[str], None] = lambda _: None,
        writes: bool = True,
    ) -> None:
        self.writes = writes
        self.folder, self.key, self.numerics, self.every = folder, key, numerics, every
        self.stopping, self.tell = stopping, tell
        self.restored: str | None = None
        self.deviations: list[Deviation] = []
        self._saved = time.monotonic()

    def after_step(self, engine: Trainer) -> None:
        """Save if it is time to; on being asked to stop, save and raise `Interrupted`."""
        self.check(engine)
        if engine.world.should_save(time.monotonic() - self._saved >= self.every):
            self.save(engine)

    def check(self, engine: Trainer) -> None:
        """Save and raise `Interrupted` if the training was asked to stop."""
        if self.stopping():
            self.save(engine)
            raise Interrupted

    def save(self, engine: Trainer) -> None:
        """Write `last.safetensors`; what it was before becomes `previous.safetensors` once the new one is on disk.

        Raises:
            OutputError, StorageError: writing failed; the old files are as they were.
        """
        tensors = engine.gathered(tensors_of(engine))
        self._saved = time.monotonic()
        if not self.writes:
            return
        payload = packed(self._about(engine), tensors)
        write_atomically(self.folder / LAST, payload, keep=self.folder / PREVIOUS)
        self.note(LAST, payload)
        self._saved = time.monotonic()

    def note(self, name: str, payload: bytes) -> None:
        """Write the checksum of a file into the manifest."""
        path = self.folder / MANIFEST
        try:
            files = json.loads(path.read_bytes())
        except (OSError, ValueError):
            files = {}
        if name == LAST and LAST in files:
            files[PREVIOUS] = files[LAST]
        files[name] = {"sha256": hashlib.sha256(payload).hexdigest(), "bytes": len(payload)}
        write_atomically(path, (json.dumps(files, indent=2, sort_keys=True) + "\n").encode())

    def require(self, name: str) -> None:
        """InputError if a file that was noted is gone or is not what was written."""
        path = self.folder / name
        try:
            noted = json.loads((self.folder / MANIFEST).read_bytes())[name]["sha256"]
            held = hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError as error:
            raise InputError(f"the training is finished, but {error.filename} is gone.\nUse another --out.") from None
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError(f"the training is finished, but {path} cannot be checked.\nUse another --out.") from None
        if held != noted:
            raise InputError(f"the training is finished, but {path} is not what it wrote.\nUse another --out.")

    def restore(self, engine: Trainer) -> bool:
        """Bring the engine to the newest state that is intact; False if there is none yet.

        Raises:
            InputError: there are states, and none can be used.
        """
        for left in self.folder.glob(".*.tmp") if self.writes else ():  # by a process that was killed
            left.unlink(missing_ok=True)
        reasons = []
        for name in (LAST, PREVIOUS):
            path = self.folder / name
            if not path.exists():
                continue
            try:
                about, tensors = self._read(path)
            except _UnusableError as error:
                reasons.append(f"{path} {error}")
                continue
            if reasons:
                self.tell(f"warning: {reasons[0]}; resuming from {path}, step {about['step']}.")
            self._bring(engine, about, tensors)
            if engine.world.size > 1:
                self.restored = hashlib.sha256(path.read_bytes()).hexdigest()
            return True
        if reasons:
            raise InputError("\n".join([*reasons, "No state is left to resume from; use another --out, or a backup."]))
        return False

    def _about(self, engine: Trainer) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "identity": self.key,
            **{name: getattr(engine, name) for name in _COUNTERS},
            "history": msgspec.to_builtins(engine.history),
            "numerics": msgspec.to_builtins(replace(self.numerics, plan=engine.plan)),
            "processes": engine.world.size,
        }

    def _read(self, path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
        about, tensors = unpacked(path)
        if (about.get("format"), about.get("version")) != (FORMAT, VERSION):
            raise _UnusableError(f"is {about.get('format')} version {about.get('version')}, not {FORMAT} {VERSION}")
        if about.get("identity") != self.key:
            raise _UnusableError("belongs to another training")
        return about, tensors

    def _bring(self, engine: Trainer, about: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        then, processes = _numerics_in(about)
        self._compare(about["step"], then.changes(replace(self.numerics, plan=then.plan)), "numerics")
        if (now := engine.world.size) != processes:
            self._compare(about["step"], [f"processes {processes} then, {now} now"], "processes")
        self._take_plan(engine, about["step"], then.plan or SpeedPlan())
        for name in _COUNTERS:
            setattr(engine, name, about.get(name, getattr(engine, name)))  # one that an older state does not have
        engine.history = msgspec.convert(about["history"], list[Epoch])
        put_tensors(engine, engine.taken(tensors))

    def _compare(self, step: int, changed: list[str], kind: Literal["numerics", "processes"]) -> None:
        """Report and record what is not as it was."""
        if changed:
            self.tell(f"warning: the last bits of the result may differ: {', '.join(changed)}.")
            self.deviations.append(Deviation(step=step, kind=kind, text=", ".join(changed)))

    def _take_plan(self, engine: Trainer, step: int, plan: SpeedPlan) -> None:
        """The ways that the training has taken so far, as far as they can be gone here."""
        here = kernels_everywhere(engine.model).build if plan.compiled else None
        if plan.compiled and here != plan.build:
            why = "there are none here" if here is None else "they are built otherwise here"
            self._compare(step, [f"compiled kernels were used, and {why}"], "numerics")
        engine.take(plan if not plan.compiled or here is not None else SpeedPlan())


def _numerics_in(about: Mapping[str, Any]) -> tuple[Numerics, int]:
    """On what a state was made, and by how many processes; states of 0.1 have other names for it."""
    if "numerics" in about:
        return msgspec.convert(about["numerics"], Numerics), int(about["processes"])
    where: dict[str, Any] = about["where"]
    then = Numerics(
        device=where["device"],
        threads=where["threads"],
        plan=SpeedPlan.from_dict(about.get("plan", {})),
        instructions=where.get("instructions", ""),
        torch=where["torch"],
        triscale=where["triscale"],
    )
    return then, where.get("processes", 1)


def tensors_of(engine: Trainer) -> dict[str, Tensor]:
    """Every tensor that a training changes: `model.*`, `average.*`, `optimizer.INDEX.*` and `loss_sum`."""
    found = {f"model.{name}": value for name, value in engine.model.state_dict().items()}
    if engine.average:
        found |= {f"average.{name}": value for name, value in engine.average.model.state_dict().items()}
    for index, state in engine.optimizer.state_dict()["state"].items():
        found |= {f"optimizer.{index}.{name}": value for name, value in state.items() if isinstance(value, Tensor)}
    return found | {"loss_sum": engine.loss_sum}


def put_tensors(engine: Trainer, tensors: Mapping[str, Tensor]) -> None:
    """The reverse of `tensors_of`."""

    def below(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

    engine.model.load_state_dict(below("model."))
    if engine.average:
        engine.average.model.load_state_dict(below("average."))
    weights = [one for group in engine.optimizer.param_groups for one in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in below("optimizer.").items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = _laid_out_as(weights[int(index)], value)
    groups = engine.optimizer.state_dict()["param_groups"]
    engine.optimizer.load_state_dict({"state": state, "param_groups": groups})
    engine.loss_sum.copy_(tensors["loss_sum"])


def _laid_out_as(weight: Tensor, value: Tensor) -> Tensor:
    """In the memory order of its weight: fused optimizers walk both from the first byte on, whatever the order."""
    return torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value


def packed(about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> bytes:
    """A safetensors file with a description and the digest of all that is in it."""
    copies = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(about, sort_keys=True)
    payload: bytes = safetensors.torch.save(copies, metadata={"triscale": text, "sha256": state_digest(text, copies)})
    return payload


def unpacked(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What was `packed`, after its digest was checked."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
        text = metadata["triscale"]
        about = json.loads(text)
    except (OSError, KeyError, ValueError, safetensors.SafetensorError) as error:
        raise _UnusableError(f"is damaged ({(str(error) or type(error).__name__).splitlines()[0][:80]})") from None
    if metadata.get("sha256") != state_digest(text, tensors) or not isinstance(about, dict):
        raise _UnusableError("is damaged (its content does not match its digest)")
    return about, tensors
