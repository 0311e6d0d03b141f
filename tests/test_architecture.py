"""ARCHITECTURE.md cannot lie: its table of rungs is enforced here, and every rule is shown to catch an offender."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests import architecture as rules
from tests.paths import ROOT

ROOMS = rules.table((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
SOURCES = {
    path.relative_to(ROOT / "src").as_posix(): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "src" / rules.PACKAGE).rglob("*.py"))
}
IMPORTS = rules.imports(SOURCES)
# Packages whose import name is not their own.
IMPORT_NAMES = {"pillow": "PIL", "python-multipart": "python_multipart"}
# Lazy imports that close a ring inside one room, each with its reason.
RING_CLOSERS = {
    ("triscale.spec.network", "triscale.spec.network_table"): "a network prints as its table, which needs resolve"
}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def import_names(wanted: Iterable[str]) -> set[str]:
    """The import names of requirements."""
    names = {re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0] for requirement in wanted}
    return {IMPORT_NAMES.get(name, name) for name in names}


def requirements() -> set[str]:
    """The import names of what pyproject.toml requires of every user (not of developers)."""
    return import_names(PROJECT["dependencies"])


def extras() -> set[str]:
    """The import names of what a user may install on top."""
    return {
        name
        for extra, wanted in PROJECT["optional-dependencies"].items()
        if extra != "dev"
        for name in import_names(wanted)
    }


def loads(module: str, unwanted: frozenset[str], *paths: Path) -> list[str]:
    """Import `module` in a fresh interpreter and name the unwanted packages that came with it."""
    code = (
        f"import importlib, sys; sys.path[:0] = {[str(path) for path in paths]!r}; "
        f"importlib.import_module({module!r}); "
        f"print(*sorted(set(sys.modules) & {set(unwanted)!r}))"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


# --- the sources as they are


def test_the_table_is_read_whole() -> None:
    """Every row with a backticked name counts: a row that cannot be read would be a rule that is not enforced."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(ROOMS) == len(rows) - 2, "a row of the table cannot be read, or a name stands twice"


def test_every_room_has_a_row_and_every_row_a_room() -> None:
    """What is under src/triscale is what the page shows."""
    assert rules.unlisted(SOURCES, ROOMS) == []


def test_no_room_imports_a_higher_rung_or_its_own() -> None:
    """Lazy and type-checking imports count too."""
    assert rules.climbing(IMPORTS, ROOMS) == []


def test_no_modules_import_each_other_in_a_ring() -> None:
    """Not inside one room either; an exception must be lazy, stay in its room, and still be needed."""
    closers = [one for one in IMPORTS if (one.importer, one.target) in RING_CLOSERS]
    assert rules.cycles([one for one in IMPORTS if one not in closers]) == []
    assert {(one.importer, one.target) for one in closers} == set(RING_CLOSERS), "an exception is not needed any more"
    assert all(one.lazy and rules.room_of(one.importer) == rules.room_of(one.target) for one in closers)


def test_torch_is_imported_only_where_the_table_allows_it() -> None:
    """Counting, scaling and reports need no torch."""
    assert rules.early_torch(IMPORTS, ROOMS) == []


def test_only_required_packages_are_imported() -> None:
    """The product must run where only `pip install .` was run: a developer's package would be missing there.

    What an extra brings may be imported when it is needed, never before.
    """
    assert rules.undeclared(IMPORTS, requirements() | extras() | sys.stdlib_module_names) == []
    at_once = [one for one in IMPORTS if not one.lazy]
    assert rules.undeclared(at_once, requirements() | sys.stdlib_module_names) == []


@pytest.mark.parametrize(
    "room",
    [room for room in ROOMS.values() if room.torch != "yes" and room.name != "__main__"],
    ids=lambda room: str(room.name),
)
def test_importing_loads_no_torch(room: rules.Room) -> None:
    """The proof at run time, through everything that the import brings along."""
    if room.planned:
        pytest.skip(f"{room.name} is planned")
    name = rules.PACKAGE if room.name == "__init__" else f"{rules.PACKAGE}.{room.name}"
    assert loads(name, rules.TORCH, ROOT / "src") == []


# --- each rule catches an offender

TABLE = """
| ground | `errors.py` | never | |
| 0 | `spec/` | never | |
| 0 | `records.py` | never | |
| 3 | `nn/` | yes | |
| 7 | `train/` (planned) | yes | |
| 10 | `cli/` | lazy | |
| root | `__init__.py` | lazy | |
"""
FAKE = rules.table(TABLE)


def climbing(path: str, source: str) -> list[str]:
    others = {
        "triscale/__init__.py": "",
        "triscale/nn/__init__.py": "",
        "triscale/errors.py": "",
        "triscale/records.py": "",
    }
    return rules.climbing(rules.imports({**others, path: source}), FAKE)


def test_table_reads_rung_torch_and_plan() -> None:
    """The columns mean what the page says they mean."""
    assert FAKE["errors"] == rules.Room(name="errors", rung=rules.GROUND, torch="never", planned=False)
    assert FAKE["train"] == rules.Room(name="train", rung=7, torch="yes", planned=True)
    assert FAKE["__init__"].rung == rules.ROOT


@pytest.mark.parametrize(
    "source",
    [
        "import triscale.nn",
        "from triscale import nn",
        "from triscale.nn.build import build",
        "from ..nn import build",
        "from .. import nn",
        "def f():\n    from triscale.nn import build",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from triscale.nn import build",
        "from importlib import import_module\nimport_module('triscale.nn')",
        "try:\n    import triscale.nn\nexcept ImportError:\n    pass",
        "from triscale import build",
    ],
)
def test_an_import_of_a_higher_rung_is_caught(source: str) -> None:
    """However it is written; the last is the public name by way of the package root."""
    assert len(climbing("triscale/spec/shape.py", source)) == 1


def test_an_import_on_the_same_rung_is_caught() -> None:
    """Two rooms on one rung do not know each other."""
    assert climbing("triscale/spec/codec.py", "from triscale.records import append")


def test_downward_and_inner_imports_are_fine() -> None:
    """A rule that catches everything would catch nothing."""
    inner = "from . import block\nfrom .block import Block\nfrom triscale.errors import InputError\nimport math"
    assert climbing("triscale/nn/build.py", inner) == []


def test_the_root_may_climb_only_lazily() -> None:
    """`import triscale` loads the ground and nothing else."""
    assert climbing("triscale/__init__.py", "from triscale.nn import build")
    lazily = "from triscale.errors import InputError\ndef __getattr__(name):\n    from triscale.nn import build"
    assert climbing("triscale/__init__.py", lazily) == []


def test_a_ring_of_modules_is_caught() -> None:
    """Also when one of its imports is lazy, and when it passes through the package of a room."""
    ring = {"triscale/spec/a.py": "from .b import x", "triscale/spec/b.py": "def f():\n    from triscale.spec import a"}
    assert rules.cycles(rules.imports(ring)) in (
        ["triscale.spec.a -> triscale.spec.b -> triscale.spec.a"],
        ["triscale.spec.b -> triscale.spec.a -> triscale.spec.b"],
    )
    through = {"triscale/spec/__init__.py": "from .a import x", "triscale/spec/a.py": "from triscale.spec import y"}
    assert rules.cycles(rules.imports(through))
    assert (
        rules.cycles(rules.imports({"triscale/spec/a.py": "from .b import x", "triscale/spec/b.py": "import math"}))
        == []
    )


@pytest.mark.parametrize(
    ("path", "source", "faults"),
    [
        ("triscale/spec/a.py", "import torch.nn", 1),
        ("triscale/spec/a.py", "def f():\n    import torch", 1),
        ("triscale/cli/a.py", "from torchvision import ops", 1),
        ("triscale/cli/a.py", "class A:\n    import torch", 1),
        ("triscale/cli/a.py", "def f():\n    import torch", 0),
        ("triscale/nn/a.py", "import torch", 0),
    ],
)
def test_torch_in_the_wrong_place_is_caught(path: str, source: str, faults: int) -> None:
    """`never` means never, `lazy` means inside functions, `yes` means anywhere."""
    assert len(rules.early_torch(rules.imports({path: source}), FAKE)) == faults


def test_torch_at_import_is_caught_at_run_time(tmp_path: Path) -> None:
    """A module that brings the unwanted along indirectly; any unwanted name serves."""
    (tmp_path / "outer.py").write_text("import inner\n")
    (tmp_path / "inner.py").write_text("import colorsys\n")
    assert loads("outer", frozenset({"colorsys"}), tmp_path) == ["colorsys"]


def test_a_room_without_a_row_and_a_row_without_a_room_are_caught() -> None:
    """And a room that is still called planned although it is there."""
    present = [
        "triscale/__init__.py",
        "triscale/errors.py",
        "triscale/spec/a.py",
        "triscale/records.py",
        "triscale/nn/a.py",
    ]
    assert rules.unlisted([*present, "triscale/cli/a.py"], FAKE) == []
    assert rules.unlisted(present, FAKE) == ["cli has a row but is not there"]
    extra = [*present, "triscale/cli/a.py", "triscale/train/a.py", "triscale/helpers.py"]
    assert rules.unlisted(extra, FAKE) == [
        "helpers has no row in ARCHITECTURE.md",
        "train is there: drop its '(planned)'",
    ]


def test_a_package_that_is_not_required_is_caught() -> None:
    """Lazy ones too: they fail later, but they fail."""
    found = rules.imports({"triscale/spec/a.py": "import json\ndef f():\n    import timm"})
    assert len(rules.undeclared(found, {"json"})) == 1
    assert "PIL" in requirements()
    assert "torchvision" in extras() - requirements()
    assert "pytest" not in requirements() | extras()
