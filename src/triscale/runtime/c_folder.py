"""A network as a folder of C++ that any machine with a compiler builds."""

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from triscale import compiler
from triscale._version import __version__
from triscale.compiler import Unit, cache
from triscale.layer_weights import LayerWeights
from triscale.machine import Isa
from triscale.runtime.amalgamation import amalgamated, march_flag
from triscale.runtime.emission import Source, emit
from triscale.runtime.instance import NativeLibrary, loaded_library
from triscale.runtime.lock_source import lock_source
from triscale.runtime.making import KERNELS, LANES, planned
from triscale.runtime.packing import pack
from triscale.spec import Network

FLAGS = (
    "-std=c++20", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fno-exceptions", "-fno-rtti",
    "-fvisibility=hidden", "-Wno-psabi",
)  # fmt: skip
"""Without the first four the logits have other bits."""

SOURCE, ABOUT, SUMS = "triscale_net.cpp", "about.json", "SHA256SUMS"
_HEADER = "triscale_net.h"
_TEXTS = Path(__file__).parent / "c_files"


class Code(NamedTuple):
    """The part of a folder that does not depend on what the network says about itself, but for names and colours.

    Attributes:
        network: the spec.
        isas: instruction sets that it has, the widest first.
        sources: for each of them.
        weights: packed, by the names of their files.
    """

    network: Network
    sources: Mapping[Isa, Source]
    weights: Mapping[str, bytes]

    @property
    def isas(self) -> tuple[Isa, ...]:
        """Instruction sets that can be chosen, the widest first."""
        return tuple(self.sources)


def code_of(network: Network, weights: LayerWeights, isas: Iterable[Isa]) -> Code:
    """The steps and packed weights of a network for some instruction sets.

    Raises:
        InputError: a block that the runtime does not know, too many weights, or those of another network.
    """
    sources, files = dict[Isa, Source](), dict[str, bytes]()
    for isa in sorted(isas, key=LANES.__getitem__, reverse=True):
        plan, name = planned(network, isa), f"weights_{isa}.bin"
        packed = pack(plan, weights)
        sources[isa], files[name] = emit(plan, packed, isa, name), packed.blob.tobytes()
    return Code(network, sources, files)


def folder_files(code: Code, about: str, proof: str = "") -> dict[str, bytes]:
    """All files of the folder by name.

    Args:
        code: of the network.
        about: JSON that the program carries.
        proof: a sentence for the README.
    """
    network, lock = code.network, lock_source(code.network, about)
    title = f"{network.name}: {' x '.join(map(str, (network.input_channels, *network.resolution)))}"
    words = {"PROOF": proof, **_words(code)}
    files = {
        SOURCE: amalgamated(title, code.sources, LANES, lock, KERNELS).encode(),
        _HEADER: (KERNELS / _HEADER).read_bytes(),
        ABOUT: about.encode(),
        **code.weights,
        **{path.name: _filled(path, words) for path in sorted(_TEXTS.iterdir())},
    }
    return files | {SUMS: "".join(f"{_digest(files[name])}  {name}\n" for name in sorted(files)).encode()}


def opened_folder(folder: Path, isa: Isa) -> NativeLibrary:
    """What a folder gives where it is compiled here, for an instruction set that this processor has.

    Raises:
        triscale.compiler.Unavailable: there is no compiler, or it failed.
    """
    tools = compiler.toolchain(isa, *FLAGS, plain_c=True)
    with tempfile.TemporaryDirectory(dir=cache()) as scratch:
        path = Path(scratch) / "network.so"
        compiler.build(tools, [Unit(folder / SOURCE, (f"-I{folder}", f"-Wa,-I{folder}"))], path)
        return loaded_library(path)


def compiler_line(isas: tuple[Isa, ...]) -> str:
    """The command that builds the example in the folder."""
    march = "-march=native" if "generic" in isas else march_flag(isas[0])
    flags = " ".join((*FLAGS, march) if isas != ("generic",) else FLAGS)
    return f"g++ {flags} -c {SOURCE} && gcc classify.c triscale_net.o -o classify -pthread -lm"


def _words(code: Code) -> dict[str, str]:
    """What the texts of the folder are filled with."""
    network, isas = code.network, code.isas
    depends = [f"${{CMAKE_CURRENT_SOURCE_DIR}}/{name}" for name in (ABOUT, *code.weights)]
    choices = (["native"] if "generic" in isas else []) + list(isas)
    return {
        "NETWORK": network.name, "VERSION": __version__, "CHANNELS": str(network.input_channels),
        "HEIGHT": str(network.resolution[0]), "WIDTH": str(network.resolution[1]), "CLASSES": str(network.classes),
        "LINE": compiler_line(isas), "FLAGS": " ".join(FLAGS), "ISA": choices[0], "CHOICES": ", ".join(choices),
        "PROCESSORS": _processors(isas), "DEPENDS": ";".join(depends),
    }  # fmt: skip


def _processors(isas: tuple[Isa, ...]) -> str:
    """How the processor is chosen where it is compiled."""
    flags = [
        f"`{march_flag(isa)}` ({isa})" if isa != "generic" else "no `-march` (generic: four lanes, NEON on 64-bit Arm)"
        for isa in isas
    ]
    if "generic" not in isas or len(isas) == 1:
        return f"It was exported for one kind of processor: {flags[0]}."
    return (
        f"`-march=native` builds for the machine that compiles. For another give {', '.join(flags)};\n"
        f"  with CMake `-DTRISCALE_ISA={isas[0]}` and so on."
    )


def _filled(path: Path, words: Mapping[str, str]) -> bytes:
    text = path.read_text(encoding="utf-8")
    for name, value in words.items():
        text = text.replace(f"@{name}@", value)
    return text.encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
