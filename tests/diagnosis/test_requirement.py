"""Requirements are read as the library `packaging` reads them, and a version is allowed where it allows one."""

import tomllib

import pytest
from packaging.requirements import Requirement as Packaging
from packaging.version import Version

from tests.paths import ROOT
from triscale.diagnosis.packages_found import EXTRAS
from triscale.diagnosis.requirement import read

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def in_an_extra(line: str, extra: str) -> str:
    """A line of an extra as the metadata of a wheel have it."""
    wanted, _, marker = line.partition(";")
    condition = marker or "python_version > '3'"
    return f"{wanted}; ({condition}) and extra == {extra!r}"


LINES = [
    *PROJECT["dependencies"],
    *(in_an_extra(line, extra) for extra, lines in PROJECT["optional-dependencies"].items() for line in lines),
]
VERSIONS = ["0.0.1", "0.1.0", "1.21", "1.21.0", "2.9.1", "2.10", "2.10.0", "2.14.1+cpu", "13.0", "2026.1"]


@pytest.mark.parametrize("line", LINES)
def test_a_requirement_is_read_as_packaging_reads_it(line: str) -> None:
    theirs, ours = Packaging(line), read(line)
    extra = ours and ours.extra
    assert theirs.marker is None or theirs.marker.evaluate({"extra": extra or ""}) is (ours is not None)
    if ours is not None:
        assert ours.name == theirs.name
        assert [ours.is_met_by(one) for one in VERSIONS] == [
            theirs.specifier.contains(Version(one)) for one in VERSIONS
        ]


def test_what_is_for_another_platform_or_python_is_left_out() -> None:
    assert read("a>=1; sys_platform == 'beos'") is None
    assert read("a>=1; python_version < '3.0'") is None


def test_each_extra_has_its_line() -> None:
    assert set(EXTRAS) == set(PROJECT["optional-dependencies"]) - {"dev"}
