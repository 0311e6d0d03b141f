"""All C++ of a network in one file: kernels, steps for each instruction set, and the functions that callers see."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from triscale.compiler import VECTORS
from triscale.isa import MARCH
from triscale.machine import Isa
from triscale.runtime.emission import Source

_INCLUDE = re.compile(r'#include "([^"]+)"')
_APART = frozenset({"triscale_net.h"})
"""A header that stays a file: callers include it too."""
_MADE = frozenset({"sizes.h", "lock.h"})
"""Headers that are made for a network, and stand in front."""

_HEAD = """// {title}
// Made by triscale; how to compile it stands in README.md. The kernels are triscale's.
// SPDX-License-Identifier: Apache-2.0
#include "triscale_net.h"

"""
_WANTED = """#{word} TRISCALE_LANES == {lanes}  // {isa}
{sizes}
{steps}
"""
_OTHER = """#else
#error "the weights are packed for other processors: give {flags}"
#endif
"""


def amalgamated(title: str, sources: Mapping[Isa, Source], lanes: Mapping[Isa, int], lock: str, kernels: Path) -> str:
    """The one file.

    Args:
        title: its first line.
        sources: for each instruction set; the compiler's flags choose among them.
        lanes: of each instruction set.
        lock: see `lock_source`.
        kernels: the folder of the kernels.
    """
    seen = set(_APART | _MADE)
    parts = [_HEAD.format(title=title), *_inlined(kernels / "embed.h", seen), *_inlined(kernels / "kernels.h", seen)]
    for word, (isa, source) in zip(("if", *("elif",) * len(sources)), sources.items(), strict=False):
        steps = "".join(line for line in source.steps.splitlines(keepends=True) if not _INCLUDE.match(line))
        parts.append(_WANTED.format(word=word, lanes=lanes[isa], isa=isa, sizes=source.sizes, steps=steps))
    parts.append(_OTHER.format(flags=" or ".join(march_flag(isa) for isa in sources)))
    return "".join([*parts, lock, *_inlined(kernels / "entry.cpp", seen)])


def march_flag(isa: Isa) -> str:
    """The compiler's flag for an instruction set."""
    return "no -march" if isa == "generic" else f"-march={MARCH[isa]}"


def _inlined(path: Path, seen: set[str]) -> Iterator[str]:
    """A file with those that it includes in their places, each once."""
    seen.add(path.name)
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        found = _INCLUDE.match(line)
        if found is None:
            yield "" if line.startswith("#pragma once") else line
        elif found[1] not in seen:
            beside = path.parent / found[1]
            yield from _inlined(beside if beside.is_file() else VECTORS / found[1], seen)
