"""A name means one thing: no module hides a function, no two files share a stem, no folder is a heap."""

import importlib
import pkgutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath
from types import ModuleType

import triscale
from tests.paths import ROOT

PACKAGE = ROOT / "src" / "triscale"
SOURCES = [path.relative_to(PACKAGE).as_posix() for path in sorted(PACKAGE.rglob("*.py"))]
PUBLIC = sorted(set(triscale.__all__) - {"__version__"})
MOST = 16
CROWDED = {
    ".": "the ground and the lower rungs are single modules",
    "training": "the parts of one loop",
    "cli/commands": "a file a command",
}
"""Folders that may hold more files, each with its reason."""


def modules() -> list[str]:
    """The names of all modules of the package; each has been imported."""
    found = [one.name for one in pkgutil.walk_packages(triscale.__path__, "triscale.")]
    found = [name for name in found if not name.endswith("__main__")]
    for name in found:
        importlib.import_module(name)
    return found


def hidden(names: Iterable[str]) -> list[str]:
    """Modules that cannot be reached as attributes of their package, since another thing has their name there."""
    pairs = ((name, *name.rpartition(".")[::2]) for name in names)
    return [
        name
        for name, package, last in pairs
        if not isinstance(getattr(importlib.import_module(package), last, None), ModuleType)
    ]


def shared_stems(paths: Iterable[str]) -> dict[str, list[str]]:
    """Stems of several files; a command's file has the name of its command, whatever else is called so."""
    found = defaultdict[str, list[str]](list)
    for path in map(PurePosixPath, paths):
        if not path.stem.startswith("__") and path.parent.as_posix() != "cli/commands":
            found[path.stem].append(path.as_posix())
    return {stem: files for stem, files in found.items() if len(files) > 1}


def crowded(paths: Iterable[str], most: int = MOST) -> list[str]:
    """Folders of more than so many files."""
    found = defaultdict[str, int](int)
    for path in map(PurePosixPath, paths):
        found[path.parent.as_posix()] += 1
    return [f"{folder}: {count} files" for folder, count in found.items() if count > most and folder not in CROWDED]


def test_every_public_name_stays_what_it_is_when_everything_is_imported() -> None:
    """In the order that hurts: first every module, as attributes that they set on their packages, then the names."""
    code = (
        f"import importlib, inspect, triscale\nfor name in {modules()!r}: importlib.import_module(name)\n"
        f"print([name for name in {PUBLIC!r} if inspect.ismodule(getattr(triscale, name))])\n"
        "import triscale.costs.memory, triscale.training, triscale.evaluation, triscale.prediction\n"
        "print(triscale.costs.memory.__name__, triscale.cost('efficientnet_b0').macs)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "triscale.costs.memory 385814752"]


def test_no_module_has_the_name_of_a_public_function() -> None:
    assert not {name.split(".")[1] for name in modules()} & set(PUBLIC)


def test_every_module_is_reached_by_its_name() -> None:
    """`import triscale.spec.resolve` and then `triscale.spec.resolve` would have been a function."""
    assert hidden(modules()) == []


def test_no_two_files_share_a_stem() -> None:
    assert shared_stems(SOURCES) == {}


def test_no_folder_is_a_heap() -> None:
    assert crowded(SOURCES) == []


def test_each_rule_catches_an_offender() -> None:
    assert hidden(["os.path", "os.getcwd"]) == ["os.getcwd"]
    assert shared_stems(["a/x.py", "b/x.py", "a/__init__.py", "b/__init__.py"]) == {"x": ["a/x.py", "b/x.py"]}
    assert shared_stems(["a/cost.py", "cli/commands/cost.py"]) == {}
    assert crowded(["a/1.py", "a/2.py", "b/1.py"], 1) == ["a: 2 files"]
