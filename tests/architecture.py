"""The rules of ARCHITECTURE.md as pure functions over the sources; each returns what is wrong, one line a fault."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath

PACKAGE = "triscale"
GROUND, ROOT = -1, 1_000
TORCH = frozenset({"torch", "torchvision", "timm"})
_NAMED_RUNGS = {"ground": GROUND, "root": ROOT}
_ROW = re.compile(r"^\| *(ground|root|\d+) *\| *`([\w.]+?)(?:/|\.py)`( \(planned\))? *\| *(never|lazy|yes) *\|")


@dataclass(frozen=True, kw_only=True)
class Room:
    """A row of the table: a package (`spec/`) or module (`errors.py`) of triscale, under the name it is imported by."""

    name: str
    rung: int
    torch: str
    planned: bool


@dataclass(frozen=True, kw_only=True)
class Import:
    """One import of one module by another; `lazy` if it happens in a call, or only for type checking."""

    importer: str
    target: str
    line: int
    lazy: bool

    def __str__(self) -> str:
        """Say where and what, for a list of faults."""
        return f"{self.importer}:{self.line} imports {self.target}"


def table(page: str) -> dict[str, Room]:
    """Read the rooms out of ARCHITECTURE.md, by name."""
    rows = (_ROW.match(line) for line in page.splitlines())
    rooms = (
        Room(
            name=row[2],
            rung=_NAMED_RUNGS[row[1]] if row[1] in _NAMED_RUNGS else int(row[1]),
            torch=row[4],
            planned=bool(row[3]),
        )
        for row in rows
        if row
    )
    return {room.name: room for room in rooms}


def module(path: str) -> str:
    """Name the module of a source file: `triscale/spec/__init__.py` is `triscale.spec`."""
    parts = PurePosixPath(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(name: str) -> str:
    """Name the room a module of triscale lies in; the package itself is the room `__init__`."""
    return name.split(".")[1] if "." in name else "__init__"


def imports(sources: Mapping[str, str]) -> list[Import]:
    """List every import statement and every literal `import_module("...")`, wherever in a file it stands."""
    known = {module(path) for path in sources}
    found: list[Import] = []
    for path, source in sources.items():
        importer = module(path)
        package = importer if path.endswith("__init__.py") else importer.rpartition(".")[0]
        for node, lazy in _walk(ast.parse(source), lazy=False):
            line = getattr(node, "lineno", 0)
            targets = _targets(node, package, known)
            found.extend(Import(importer=importer, target=target, line=line, lazy=lazy) for target in targets)
    return found


def _walk(node: ast.AST, *, lazy: bool) -> Iterator[tuple[ast.AST, bool]]:
    yield node, lazy
    for child in ast.iter_child_nodes(node):
        guarded = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and child in node.body
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _walk(child, lazy=lazy or guarded or inside)


def _targets(node: ast.AST, package: str, known: set[str]) -> list[str]:
    """Name the modules that one node imports; `from a import b` is `a.b` where that is a module, else `a`."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=name, names=names, level=level):
            above = package.split(".")[: len(package.split(".")) + 1 - level] if level else []
            base = ".".join([*above, *([name] if name else [])])
            return sorted({f"{base}.{a.name}" if f"{base}.{a.name}" in known else base for a in names})
        case ast.Call(
            func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            return [name]
    return []


def _own(found: Iterable[Import]) -> list[Import]:
    return [one for one in found if one.target.split(".")[0] == PACKAGE]


def climbing(found: Iterable[Import], rooms: Mapping[str, Room]) -> list[str]:
    """Imports of a higher rung, or of another room on the same rung, lazy ones included.

    The package root stands above all rooms and shows their names lazily; at load it may take from the ground only.
    """
    faults = []
    for one in _own(found):
        here, there = rooms.get(room_of(one.importer)), rooms.get(room_of(one.target))
        if here is None or there is None or here.name == there.name:
            continue  # a room without a row is the fault of `unlisted`
        if here.rung <= there.rung:
            faults.append(f"{one}: rung {here.rung} may not import rung {there.rung}")
        elif here.name == "__init__" and there.rung != GROUND and not one.lazy:
            faults.append(f"{one} at load: the package root shows its names lazily")
    return faults


def cycles(found: Iterable[Import]) -> list[str]:
    """The first cycle of modules, lazy imports included, those of the package root left out."""
    graph: dict[str, set[str]] = {}
    for one in _own(found):
        if PACKAGE not in (one.importer, one.target):
            graph.setdefault(one.importer, set()).add(one.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" -> ".join(reversed(error.args[1]))]
    return []


def early_torch(found: Iterable[Import], rooms: Mapping[str, Room]) -> list[str]:
    """Imports of torch where the table says `never`, and imports of torch at load where it says `lazy`."""
    faults = []
    for one in found:
        room = rooms.get(room_of(one.importer))
        if (
            room
            and one.target.split(".")[0] in TORCH
            and (room.torch == "never" or (room.torch == "lazy" and not one.lazy))
        ):
            faults.append(f"{one}, but {room.name} says torch: {room.torch}")
    return faults


def unlisted(paths: Iterable[str], rooms: Mapping[str, Room]) -> list[str]:
    """Rooms without a row, rows without a room (unless planned), and rooms still called planned that are there."""
    there = {room_of(module(path)) for path in paths}
    return [
        *(f"{name} has no row in ARCHITECTURE.md" for name in sorted(there - set(rooms))),
        *(
            f"{room.name} has a row but is not there"
            for room in rooms.values()
            if not room.planned and room.name not in there
        ),
        *(
            f"{room.name} is there: drop its '(planned)'"
            for room in rooms.values()
            if room.planned and room.name in there
        ),
    ]


def undeclared(found: Iterable[Import], allowed: Iterable[str]) -> list[str]:
    """Imports, lazy ones included, of packages outside `allowed` (import names)."""
    permitted = {PACKAGE, *allowed}
    return [
        f"{one}, which pyproject.toml does not require" for one in found if one.target.split(".")[0] not in permitted
    ]
