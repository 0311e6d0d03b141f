"""The nodes of a cluster: which of them can do the work, and why the others cannot, checked before it begins."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triscale._version import __version__

PACKAGES = ("torch",)
SOURCES = "sources of triscale"


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is alive.

    Attributes:
        id: Ray's own.
        name: its host name and address.
        cores, gpus: those that the cluster may use.
    """

    id: str
    name: str
    cores: float
    gpus: float

    def rooms(self, cores: float, gpus: float) -> int:
        """How many workers fit, each with so many cores and GPUs."""
        most = [int(have / need) for have, need in ((self.cores, cores), (self.gpus, gpus)) if need > 0]
        return min(most, default=0)


def alive(described: Sequence[Mapping[str, Any]]) -> list[Node]:
    """The nodes that are there, of what `ray.nodes()` says."""
    return [
        Node(
            id=one["NodeID"],
            name=f"{one['NodeManagerHostname']} ({one['NodeManagerAddress']})",
            cores=one["Resources"].get("CPU", 0.0),
            gpus=one["Resources"].get("GPU", 0.0),
        )
        for one in described
        if one["Alive"]
    ]


def sources(package: Path | None = None) -> str:
    """A digest of the package's Python files: two checkouts of one version may differ."""
    root = package or Path(__file__).parents[2]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def expected() -> dict[str, str]:
    """What every node must have: the versions of this process."""
    from importlib.metadata import version  # noqa: PLC0415  reads files of every package

    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "triscale": __version__,
        SOURCES: sources(),
        **{name: version(name) for name in PACKAGES},
    }


def difference(here: Mapping[str, str], there: Mapping[str, str]) -> str | None:
    """In what a node's versions differ from the driver's, in words; None where they are the same."""
    parts = [
        f"{name} {there.get(name, 'none')} where the driver has {value}"
        for name, value in here.items()
        if there.get(name) != value and name != SOURCES
    ]
    same = here.get("triscale") == there.get("triscale")
    if same and here.get(SOURCES) != there.get(SOURCES):
        parts.append("other sources of the same version of triscale")
    return f"has {', '.join(parts)}" if parts else None
