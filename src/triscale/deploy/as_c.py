"""C++ for another machine: a folder that is proven by compiling and running it here."""

import hashlib
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from triscale import runtime as native
from triscale.compiler import Unavailable
from triscale.deploy.about import About
from triscale.deploy.as_native import proving, uncompiled, weights_of
from triscale.deploy.as_native import runtime as native_runtime
from triscale.deploy.exported import RunLogits
from triscale.deploy.proof import Logits, Proof
from triscale.deploy.proven_export import Export, lock_of, proofs_of
from triscale.deploy.traced import plain
from triscale.errors import InputError, NumericError, OutputError, StorageError
from triscale.files import write_atomically
from triscale.machine import Isa
from triscale.runtime import LANES, SUMS, Code
from triscale.seal import sealed
from triscale.spec import Network
from triscale.weights import Classifier

C_FOLDER = "c"
"""What the format is called beside those of single files."""


def export_c_folder(classifier: Classifier, out: Path, *, isas: Iterable[Isa] = LANES) -> Export:
    """Write a classifier as a folder of C++: one source, packed weights, a header, an example, and how to build it.

    Args:
        classifier: see `triscale.weights.load_classifier`; it is left as it is.
        out: the folder; it is new, empty, or holds such an export.
        isas: instruction sets that can be chosen where it is compiled.

    Raises:
        InputError: a model in training mode, weights that are not finite, no spec, or no compiler to prove it by.
        NumericError: what was compiled does not give the model's logits; nothing was written.
        OutputError: the folder holds other files, or cannot be written to.
        StorageError: writing failed; an old export is untouched.
    """
    refuse_other_files(out)
    network, model = classifier.network, plain(classifier)
    if not isinstance(network, Network):
        raise InputError(f"{network.path} has no spec, so there is nothing to compile; export it to .onnx.")
    about = lock_of(classifier)
    network = replace(network, resolution=about.size)
    weights = weights_of(model, network)
    code = native.code_of(network, weights, isas)
    about = replace(about, weights=_digest(code.weights))
    tried = proving(code.isas)
    shown = code if set(tried) <= set(code.isas) else native.code_of(network, weights, tried)
    try:
        proof = _proven(classifier, about, shown, tried, out)
    except Unavailable as error:
        raise uncompiled(network, error) from None
    about = replace(about, proof=proof.to_dict())
    text = sealed(about.text().encode()).decode()
    files = native.folder_files(code, text, _sentences(proof, set(code.isas) - set(tried)))
    return Export(files=_put(out, files), about=about, proof=proof, build=native.compiler_line(code.isas))


def _proven(classifier: Classifier, about: About, code: Code, tried: Sequence[Isa], out: Path) -> Proof:
    """The proof in each instruction set; the worst of them is given."""
    with tempfile.TemporaryDirectory(prefix="triscale-") as folder:
        for name, content in native.folder_files(code, about.text()).items():
            (Path(folder) / name).write_bytes(content)
        opened = [native.opened_folder(Path(folder), isa) for isa in tried]
    runs = [_logits(library.instance(threads=torch.get_num_threads())) for library in opened]
    proofs = proofs_of(classifier, plain(classifier), runs, about, native_runtime(*tried))
    for isa, proof in zip(tried, proofs, strict=True):
        if not proof.holds:
            raise NumericError(f"{out} was not written: compiled for {isa} it gives other logits.\n{proof}.")
    return max(proofs, key=lambda proof: proof.worse.difference)


def _sentences(proof: Proof, unseen: set[Isa]) -> str:
    lacking = f" Not proven, since the processor there lacks it: {', '.join(sorted(unseen))}." if unseen else ""
    return f"Proof, by {proof.runtime}: {proof}.{lacking}"


def _logits(run: RunLogits) -> Logits:
    return lambda pictures: torch.from_numpy(run(pictures.numpy()))


def _digest(weights: Mapping[str, bytes]) -> str:
    """Of the files of weights, one after the other."""
    whole = hashlib.sha256()
    for name in sorted(weights):
        whole.update(weights[name])
    return whole.hexdigest()


def refuse_other_files(out: Path) -> None:
    """OutputError where a folder cannot be made, or holds other files than such an export."""
    if not out.parent.is_dir():
        raise OutputError(f"cannot write {out}: the folder {out.parent} does not exist.")
    if out.exists() and not out.is_dir():
        raise OutputError(f"cannot write {out}: it is a file, and C++ is exported to a folder.")
    if out.is_dir() and (others := _others(out)):
        raise OutputError(f"cannot write {out}: it holds other files, such as {others[0]}; give a new folder.")


def _others(out: Path) -> list[str]:
    """What is in a folder, but for the files of an export and their list."""
    sums = out / SUMS
    listed = sums.read_text(encoding="utf-8", errors="replace").splitlines() if sums.is_file() else []
    return sorted({one.name for one in out.iterdir()} - {line.partition("  ")[2] for line in listed} - {SUMS})


def _put(out: Path, files: Mapping[str, bytes]) -> dict[Path, int]:
    """The folder at once, in place of an old one; names with their bytes."""
    token = secrets.token_hex(4)
    new, old = (out.with_name(f".{out.name}.{token}.{kind}") for kind in ("tmp", "old"))
    try:
        new.mkdir()
        for name, content in files.items():
            write_atomically(new / name, content)
        if out.exists():
            out.rename(old)
        new.rename(out)
    except OSError as error:
        if old.exists():
            old.rename(out)
        raise StorageError(f"writing {out} failed: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    return {out / name: len(content) for name, content in sorted(files.items())}
