"""What a package requires, read from the metadata of its installation; no package is imported."""

import re
import sys
from dataclasses import dataclass
from importlib import metadata

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?P<versions>[^;]*)(;(?P<marker>.*))?")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_PLATFORM = re.compile(r"""sys_platform\s*==\s*['"]([^'"]+)['"]""")
_BELOW = re.compile(r"""python_version\s*<\s*['"](\d+)\.(\d+)['"]""")


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """A package that another one requires.

    Attributes:
        name: of the package, as in a registry.
        lowest: the lowest version that is allowed, such as 2.10; None: any.
        exactly: whether no other version than `lowest` is allowed.
        extra: the extra that it belongs to; None: everybody needs it.
    """

    name: str
    lowest: str | None
    exactly: bool
    extra: str | None

    @property
    def wanted(self) -> str:
        """The requirement as pip reads it."""
        sign = "==" if self.exactly else ">="
        return self.name if self.lowest is None else f"{self.name}{sign}{self.lowest}"

    def is_met_by(self, version: str) -> bool:
        """Whether a version is allowed; what follows the numbers of a version (rc1, +cpu) is not compared."""
        if self.lowest is None:
            return True
        have, need = _numbers(version), _numbers(self.lowest)
        return have == need if self.exactly else have >= need


def requirements(package: str = "triscale") -> tuple[Requirement, ...]:
    """What a package requires on this platform, its extras included; nothing if it was not installed by pip."""
    try:
        lines = metadata.requires(package) or []
    except metadata.PackageNotFoundError:
        return ()
    return tuple(found for line in lines if (found := read(line)) is not None)


def read(line: str) -> Requirement | None:
    """A requirement from a line of metadata; None where it is for another platform or Python."""
    found = _REQUIREMENT.match(line)
    marker = "" if found is None else found["marker"] or ""
    if found is None or not _is_for_this_python(marker):
        return None
    version = re.search(r"(==|>=)\s*([0-9][^,\s)]*)", found["versions"])
    extra = _EXTRA.search(marker)
    return Requirement(
        name=found["name"],
        lowest=version and version[2],
        exactly=version is not None and version[1] == "==",
        extra=extra and extra[1],
    )


def installed_version(package: str) -> str | None:
    """The version of an installed package; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _is_for_this_python(marker: str) -> bool:
    platform, below = _PLATFORM.search(marker), _BELOW.search(marker)
    return (platform is None or platform[1] == sys.platform) and (
        below is None or sys.version_info[:2] < (int(below[1]), int(below[2]))
    )


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, without zeros at its end: 2.10.0+cpu -> (2, 10)."""
    found = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
