"""`make test-oldest` installs the lowest versions that pyproject.toml admits."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.paths import ROOT

SCRIPT = ROOT / ".ci" / "lowest.py"


def lowest(pyproject: Path) -> list[str]:
    """What the script prints."""
    done = subprocess.run([sys.executable, str(SCRIPT), str(pyproject)], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_floors_become_constraints(tmp_path: Path) -> None:
    """Of the package and of each extra; marks of a place and upper bounds are left out, and so is what has no floor."""
    path = tmp_path / "pyproject.toml"
    path.write_text(
        "[project]\ndependencies = ['Torch>=2.10', 'rich >=13.6,<15', 'any']\n[project.optional-dependencies]\n"
        'two = ["torch>=2.9", "rich>=13.10"]\n'
        'one = ["pin==0.1.0", "fast[x]>=1.5; sys_platform == \'linux\'"]\n',
        encoding="utf-8",
    )
    assert lowest(path) == ["fast==1.5", "pin==0.1.0", "rich==13.10", "torch==2.10"]


def test_every_requirement_has_a_floor() -> None:
    """Without one there is no lowest version to test."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.split(r"[>=;\[ ]", requirement)[0].lower() for group in groups for requirement in group}
    assert sorted(names) == [line.partition("==")[0] for line in lowest(ROOT / "pyproject.toml")]
