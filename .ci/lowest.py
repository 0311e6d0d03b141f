"""Print the lowest versions that pyproject.toml admits, as a constraints file of pip.

Run `python .ci/lowest.py pyproject.toml > constraints.txt`.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

_FLOOR = re.compile(r"^\s*([A-Za-z0-9_.-]+)(?:\[.*?\])?\s*[>=]=\s*([0-9][^,;\s]*)")


def lowest(pyproject: Path) -> Iterator[str]:
    """A line `name==version` for each package with a lower bound, the highest of the requirements and of all extras."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    found: dict[str, str] = {}
    for match in (_FLOOR.match(requirement) for group in groups for requirement in group):
        if match:
            name, version = match.group(1).lower(), match.group(2)
            found[name] = max(found.get(name, version), version, key=_number)
    return (f"{name}=={version}" for name, version in sorted(found.items()))


def _number(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lowest(Path(sys.argv[1]))) + "\n")
