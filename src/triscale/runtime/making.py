"""A network as a compiled library: made once for a set of weights and an instruction set, then kept."""

import json
import platform
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from triscale import compiler
from triscale.compiler import Toolchain, Unit, cache
from triscale.errors import InputError, UsageError
from triscale.isa import runs_here, wanted_isa
from triscale.layer_weights import LayerWeights
from triscale.machine import Isa
from triscale.runtime.arena import Plan, plan
from triscale.runtime.cutting import TILE
from triscale.runtime.emission import Source, emit
from triscale.runtime.lock_source import lock_source
from triscale.runtime.packing import Packed, pack, weights_of
from triscale.runtime.source_texts import WEIGHTS
from triscale.seal import OPEN, seal_of, sealed
from triscale.spec import Network, Preprocessing, content_hash, preprocessing_to_dict, to_document

LANES: Mapping[Isa, int] = {"generic": 4, "avx2": 8, "avx512": 16}
"""Floats of a register."""

MOST_WEIGHTS = 450_000_000
"""Weights that one library can hold: code reaches no further than 2 GiB."""

KERNELS = Path(__file__).parent / "kernels"
"""The kernels, and the functions that callers see."""

_FLAGS = ("-std=c++20", "-ffp-contract=off", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden", "-fno-plt")


def best_isa() -> Isa:
    """The instruction set that `TRISCALE_ISA` names, or the best that this processor has."""
    if (wanted := wanted_isa()) is not None:
        return wanted
    return next(isa for isa in ("avx512", "avx2", "generic") if runs_here(isa))


def library(
    network: Network, weights: LayerWeights, *, about: str | None = None, isa: Isa | None = None, tile: int = TILE
) -> Path:
    """The library of a network in the cache, sealed; compiled if it is not there, which takes some seconds.

    Args:
        network: the spec; images have its resolution.
        weights: of its layers.
        about: JSON that the library carries, with one place for a seal; None: network and resolution alone.
        isa: the instruction set; None: what `TRISCALE_ISA` names, or the best that this processor has.
        tile: multiply-adds of what a thread does at once, about.

    Raises:
        InputError: a block that the runtime does not know, too many weights, or those of another network.
        UsageError: there is no such instruction set.
        triscale.compiler.Unavailable: there is no compiler, or it failed.
    """
    isa = isa or best_isa()
    steps = planned(network, isa, tile=tile)
    packed = pack(steps, weights)
    about = about or lock_text(network)
    return _built(isa, _Files(emit(steps, packed, isa), packed, about, lock_source(network, about)))


def planned(network: Network, isa: Isa, *, tile: int = TILE) -> Plan:
    """The plan of a network for an instruction set; see `library`."""
    if isa not in LANES:
        raise UsageError(f"there is no instruction set {isa!r}; give {', '.join(LANES)}.")
    found = plan(network, LANES[isa], tile=tile)
    if (count := weights_of(found)) > MOST_WEIGHTS:
        raise InputError(
            f"{network.name} has {count:,} weights; a library can hold {MOST_WEIGHTS:,}. Export it to .pt2."
        )
    return found


def lock_text(network: Network, classes: tuple[str, ...] = (), preprocessing: Preprocessing | None = None) -> str:
    """What a library says about itself: JSON in the form of an exported file, with the place for its seal."""
    document: dict[str, Any] = {
        "format": "triscale.export",
        "version": 1,
        "network": to_document(network),
        "hash": content_hash(network),
        "classes": list(classes),
        "preprocessing": preprocessing and preprocessing_to_dict(preprocessing),
        "seal": OPEN.decode(),
    }
    return json.dumps(document, sort_keys=True)


class _Files(NamedTuple):
    """What the compiler reads beside the kernels."""

    source: Source
    packed: Packed
    about: str
    lock: str

    def put(self, folder: Path) -> None:
        """Write them."""
        texts = {"network.cpp": self.source.steps, "sizes.h": self.source.sizes}
        for name, text in (texts | {"about.json": self.about, "lock.h": self.lock}).items():
            (folder / name).write_text(text, encoding="utf-8")
        self.packed.blob.tofile(folder / WEIGHTS)


def _built(isa: Isa, files: _Files) -> Path:
    """The library, from its parts where they are kept: another `about` compiles no kernels again."""
    tools = compiler.toolchain(isa, *_FLAGS, plain_c=True)
    steps = compiler.digest(tools, *compiler.sources(KERNELS), files.source.steps, files.packed.blob.tobytes())
    path = cache() / f"network-{compiler.digest(tools, steps, files.source.sizes, files.about)}.so"
    if not path.is_file():
        with tempfile.TemporaryDirectory(dir=cache()) as folder:
            new = Path(folder) / path.name
            files.put(Path(folder))
            _compile(tools, Path(folder), cache() / f"network-{steps}.o", new)
            payload = sealed(new.read_bytes())
            marker(seal_of(payload)).touch()
            new.write_bytes(payload)
            new.replace(path)
    return path


def _compile(tools: Toolchain, folder: Path, kept: Path, path: Path) -> None:
    includes = (f"-I{folder}", f"-I{KERNELS}", f"-Wa,-I{folder}")
    baseline = ("-march=x86-64",) if platform.machine().lower() in {"x86_64", "amd64"} else ()
    units = [
        Unit(folder / "network.cpp", includes, kept),
        Unit(KERNELS / "entry.cpp", (*includes, *baseline)),
    ]
    compiler.build(tools, units, path)


def marker(seal: str) -> Path:
    """A file that is there if this machine's cache built the library with that seal."""
    return cache() / f"built-{seal}"


def is_built_here(seal: str) -> bool:
    """Whether the library with that seal was compiled here; what comes from elsewhere is foreign code."""
    return marker(seal).is_file()
