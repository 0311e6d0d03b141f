"""Where in a file a network's tensors stand: in which state dict, under which prefix.

Trainers and wrappers put more around a network than itself: `module.`, `_orig_mod.`, `model.`, `backbone.`, the average
of the weights beside the weights. None of these words need be known: a network's first layer has a name in each
library, and whatever stands in front of that name, wherever it is found, is the prefix.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from triscale.weights.match.mapping import first_name
from triscale.weights.peers import PEERS
from triscale.weights.read.hdf5 import NORMALIZATION
from triscale.weights.read.strict import Shape
from triscale.weights.read.tensor_file import StoredTensors, Tensors

_AVERAGE = re.compile(r"(^|[._])(ema|avg|averaged?|swa|teacher|shadow|polyak)([._\d]|$)", re.IGNORECASE)
"""Words by which the average of the weights is known."""

_SECOND = re.compile(r"(^|[._])(student|current|initial|init|last)([._\d]|$)", re.IGNORECASE)
"""Words by which weights are known that are not the ones to take."""

_TRACES = ("num_batches_tracked", "n_averaged", "total_ops", "total_params", "decay", "num_updates")
"""The last words of names of tensors that count something: no weights. Some are of averages, some of profilers."""

_MOST_PREFIXES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePart:
    """The tensors of one network in a file.

    Attributes:
        tensors: the state dict that they stand in.
        prefix: what is in front of their names there.
        names: as the library has them -> in the state dict.
        outside: what else the state dict holds, but for single numbers and other networks.
    """

    tensors: Tensors
    prefix: str
    names: Mapping[str, str]
    outside: tuple[str, ...]

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of each tensor, under the library's names."""
        return {name: self.tensors.shapes[full] for name, full in self.names.items()}

    @property
    def place(self) -> str:
        """For people: the state dict and the prefix; empty where a file holds nothing but the network."""
        return ".".join(word for word in (self.tensors.where, self.prefix.rstrip("./")) if word)

    @property
    def is_average(self) -> bool:
        """Whether these are the average of the weights."""
        return bool(_AVERAGE.search(self.place))

    @property
    def is_second(self) -> bool:
        """Whether these are known to be the lesser of two."""
        return bool(_SECOND.search(self.place))

    def lies_in(self, other: "FilePart") -> bool:
        """Whether this one is a piece of another."""
        return self.tensors is other.tensors and self.prefix != other.prefix and self.prefix.startswith(other.prefix)


def parts(stored: StoredTensors) -> list[FilePart]:
    """All that may be a network in a file; a shorter prefix first. Without any sign, each state dict as it is."""
    found = [part for tensors in stored.tensors for part in _parts(tensors)]
    return found or [_part(tensors, "") for tensors in stored.tensors]


def no_weights(name: str) -> bool:
    """Whether a tensor of this name in a network holds no weights: a count, or Keras' normalisation of images."""
    *around, last = re.split(r"[./]", name)
    return last in _TRACES or (around[-1:] == [NORMALIZATION] and last in ("mean", "variance", "count"))


def _parts(tensors: Tensors) -> Iterator[FilePart]:
    found = {name[: -len(sign)]: added for name in tensors.shapes for sign, added in _signs().items()
             if name == sign or name.endswith((f".{sign}", f"/{sign}"))}  # fmt: skip
    prefixes = sorted(found, key=len)[:_MOST_PREFIXES]
    for prefix in prefixes:
        others = tuple(other for other in prefixes if not prefix.startswith(other) and not other.startswith(prefix))
        yield _part(tensors, prefix, found[prefix], others)


def _part(tensors: Tensors, prefix: str, added: str = "", others: tuple[str, ...] = ()) -> FilePart:
    names = {f"{added}{name[len(prefix) :]}": name for name in tensors.shapes if name.startswith(prefix)}
    outside = [name for name, shape in tensors.shapes.items() if shape and not name.startswith((prefix, *others))]
    return FilePart(tensors=tensors, prefix=prefix, names=names, outside=tuple(outside))


@cache
def _signs() -> dict[str, str]:
    """The name of the first layer in each library -> what a library's bare network lacks in front of it."""
    first = {
        (first_name(peer.network(model), peer.name), peer.outer) for peer in PEERS.values() for model in peer.models
    }
    bare = {name.removeprefix(outer): outer for name, outer in first if outer}
    return bare | {name: "" for name, _ in first}
