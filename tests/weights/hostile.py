"""Files that try to run a program, or to take all memory, when they are read as weights."""

import argparse
import importlib
import io
import os
import pickle
import shutil
import struct
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import torch


class Program:
    """Runs a command when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.command = f"touch {canary}"

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def programs(folder: Path, canary: Path) -> dict[str, Path]:
    """Files with a program in them, each in another disguise."""
    plain = pickle.dumps({"w": Program(canary)}, protocol=2)
    found: dict[str, Path] = {}
    for suffix in ("pth", "pkl", "bin", "safetensors", "h5", "keras"):
        found[f"pickle as .{suffix}"] = folder / f"plain.{suffix}"
        found[f"pickle as .{suffix}"].write_bytes(plain)
    torch.save({"w": Program(canary)}, folder / "torch.pth")
    torch.save({"w": Program(canary)}, folder / "old.pth", _use_new_zipfile_serialization=False)
    found["torch's zip"], found["torch's old format"] = folder / "torch.pth", folder / "old.pth"
    inner = (folder / "torch.pth").read_bytes()
    found["a zip in a zip"] = zipped(folder / "nested.pth", {"archive/data.pkl": inner, "archive/version": b"3\n"})
    parts = {"archive/data.pkl": pickle.dumps({}), "archive/more.pkl": plain, "archive/version": b"3\n"}
    found["another member"] = zipped(folder / "member.pth", parts)
    flagged = bytearray(found["another member"].read_bytes())
    flagged[6] |= 1  # of the first local header: encrypted
    (folder / "flags.pth").write_bytes(flagged)
    found["bad flags"] = folder / "flags.pth"
    found["a script archive"] = zipped(
        folder / "script.pth",
        {"a/constants.pkl": plain, "a/data.pkl": plain, "a/code/x.py": b"import os", "a/version": b"3\n"},
    )
    with tarfile.open(folder / "tar.pth", "w") as archive:
        for name in ("pickle", "sys_info", "storages", "tensors"):
            entry = tarfile.TarInfo(name)
            entry.size = len(plain)
            archive.addfile(entry, io.BytesIO(plain))
    found["a tar"] = folder / "tar.pth"
    np.save(folder / "objects.npy", np.array([Program(canary)], dtype=object))
    found["a numpy file"] = folder / "objects.npy"
    (folder / "tag.yaml").write_text(f"w: !!python/object/apply:os.system ['touch {canary}']\n")
    found["a yaml tag"] = folder / "tag.yaml"
    (folder / "link.pth").symlink_to(folder / "plain.pth")
    found["a link"] = folder / "link.pth"
    shards = folder / "shards"
    shards.mkdir()
    (shards / "config.json").write_text('{"architecture": "resnet18", "weight_map": {"w": "../plain.pth"}}')
    found["a path out of the folder"] = shards
    return found


def programs_beside_weights(folder: Path, canary: Path, state: dict[str, torch.Tensor]) -> dict[str, Path]:
    """Checkpoints of a trainer with good weights, and with a program where its options stand."""
    found: dict[str, Path] = {}
    calls: dict[str, tuple[Callable[..., object], tuple[object, ...]]] = {
        "a shell": (os.system, (f"touch {canary}",)),
        "a process": (subprocess.Popen, (["touch", str(canary)],)),
        "a function of Python": (exec, (f"open({str(canary)!r}, 'w')",)),
        "an import": (importlib.import_module, ("antigravity",)),
        "a file": (shutil.copy, (str(folder / "a shell.pth"), str(canary))),
    }
    for name, call in calls.items():
        for old in (False, True):
            path = folder / f"{name}{' of old' if old else ''}.pth"
            held = {"state_dict": state, "args": argparse.Namespace(lr=Call(*call))}
            torch.save(held, path, _use_new_zipfile_serialization=not old)
            found[path.stem] = path
    return found


def strangers_beside_weights(folder: Path, canary: Path, state: dict[str, torch.Tensor]) -> Path:
    """The same with a class of a package that nobody need have, whose state is set by a function of its own."""
    torch.save({"state_dict": state, "args": Stranger(canary)}, folder / "stranger.pth")
    return folder / "stranger.pth"


class Call:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


class Stranger:
    """Writes a file when its state is set, or when anything is done with it."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __setstate__(self, state: dict[str, Path]) -> None:
        state["canary"].touch()


def hdf5_that_lead_out(folder: Path, secret: Path) -> dict[str, Path]:
    """HDF5 files whose data is elsewhere, or that never end."""
    found = {
        name: folder / f"{name}.h5" for name in ("external_link", "external_data", "soft_link", "endless", "virtual")
    }
    with h5py.File(found["external_link"], "w") as file:
        file["stem_conv"] = h5py.ExternalLink(str(secret), "/")
    with h5py.File(found["external_data"], "w") as file:
        file.create_dataset("stem_conv/kernel", (8,), "f4", external=[(str(secret), 0, 32)])
    with h5py.File(found["soft_link"], "w") as file:
        file["stem_conv"] = h5py.SoftLink("/elsewhere")
    with h5py.File(found["endless"], "w") as file:
        group = file.create_group("a")
        group["again"] = group
    with h5py.File(found["virtual"], "w") as file:
        layout = h5py.VirtualLayout((8,), "f4")
        layout[:] = h5py.VirtualSource(str(secret), "x", (8,))
        file.create_virtual_dataset("stem_conv/kernel", layout)
    return found


def bombs(folder: Path) -> dict[str, Path]:
    """Small files that unfold to a gigabyte and more."""
    found = {"header": folder / "header.safetensors", "many": folder / "many.safetensors"}
    found["header"].write_bytes(struct.pack("<Q", 1 << 62) + b"{}")
    count = 1_000_000
    tiny = ",".join(f'"{index}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for index in range(count))
    header = f"{{{tiny}}}".encode()
    found["many"].write_bytes(struct.pack("<Q", len(header)) + header)
    state = {"w": torch.zeros(1).as_strided((100_000, 100_000), (0, 0))}
    found["strides"] = folder / "strides.pth"
    torch.save(state, found["strides"])
    zeros = {"archive/data.pkl": pickle.dumps({}), "archive/data/0": bytes(1 << 28), "archive/version": b"3\n"}
    found["deflated"] = zipped(folder / "deflated.pth", zeros, zipfile.ZIP_DEFLATED)
    found["deflated keras"] = zipped(folder / "x.keras", {"model.weights.h5": bytes(1 << 28)}, zipfile.ZIP_DEFLATED)
    found["hdf5"] = folder / "bomb.h5"
    with h5py.File(found["hdf5"], "w") as file:
        file.create_dataset("stem_conv/kernel", (1 << 30,), "f4", chunks=(1 << 20,), compression="gzip")
    return found
