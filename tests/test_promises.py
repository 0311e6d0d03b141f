"""The pages that others depend on name what there is: versions, data sets, weights, libraries, commands."""

import re
import tomllib
from pathlib import Path

from tests.paths import ROOT
from triscale.data.readers.torchvision_sets import KNOWN
from triscale.weights.packages import PACKAGES

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def page(name: str) -> str:
    """A page of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def lowest(package: str) -> str:
    """The lowest version of a dependency."""
    return next(found[1] for one in PROJECT["dependencies"] if (found := re.match(rf"{package}>=([\d.]+)", one)))


def test_the_matrix_names_the_lowest_python_and_torch() -> None:
    text = page("docs/stability.md")
    assert f"| Python | {PROJECT['requires-python'].removeprefix('>=')} in every check" in text
    assert f"torch {lowest('torch')} among them" in text


def test_every_library_that_is_required_has_its_licence() -> None:
    required = {re.split(r"[>=;\[ ]", one)[0] for one in PROJECT["dependencies"]}
    extras = {name for group, ones in PROJECT["optional-dependencies"].items() if group != "dev" for name in ones}
    names = {re.split(r"[>=;\[ ]", one)[0] for one in extras}
    text = page("docs/licences.md").lower().replace("-", "_")
    missing = [one for one in sorted(required | names) if one.lower().replace("-", "_") not in text]
    # Packages of weights stand among the weights, by a pattern.
    assert [one for one in missing if not one.startswith("efficientnet")] == []


def test_every_data_set_and_every_package_of_weights_is_named() -> None:
    text = page("docs/licences.md")
    assert [name for name in KNOWN if f"`{name}`" not in text] == []
    assert len(PACKAGES) == 3
    assert "EfficientNet-Lite0, -1, -2" in text


def test_the_commands_of_a_release_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", page("Makefile"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`", page("docs/release.md")))
    assert {"check", "slow", "test-dist", "test-oldest"} <= named <= targets


def test_security_names_the_switches_and_files_that_exist() -> None:
    text = page("SECURITY.md")
    for path in re.findall(r"`(tests/[\w/]+\.py|Containerfile)`", text):
        assert Path(ROOT / path).is_file(), path
    options = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/triscale/cli").rglob("*.py"))
    for option in re.findall(r"`--([a-z-]+)`", text):
        assert option.replace("-", "_") in options, option
