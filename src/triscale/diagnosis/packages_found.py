"""Python packages: those that everybody needs, and what each extra would add."""

import platform
from collections.abc import Iterator, Sequence
from importlib import metadata
from importlib.util import find_spec

from triscale._version import __version__
from triscale.diagnosis.finding import Finding
from triscale.diagnosis.requirement import Requirement, installed_version, requirements

EXTRAS = {
    "imagenet": "class names of ImageNet for weights that come without them",
    "datasets": "data sets of torchvision by name",
    "export": "export to ONNX, and ONNX Runtime",
    "openvino": "export to OpenVINO, and its runtime",
    "int8": "int8 files for OpenVINO",
    "serve": "triscale serve",
    "fast": "faster decoding of JPEGs",
    "heic": "HEIC images, as iPhones take them",
    "hub": "weights of a Hugging Face hub id",
    "keras": "weights of Keras files (.h5)",
    "lite": "ImageNet weights of EfficientNet-Lite0, -1 and -2 without a download",
    "optuna": "NSGA-II, TPE and Gaussian processes as samplers of a search",
    "notebook": "the notebook of docs/notebooks, and a kernel that runs it",
    "ray": "studies and searches on a Ray cluster",
    "docs": "make docs: the site of the documentation",
    "tensorboard": "triscale train --tensorboard",
}
"""What each extra adds. A line for each of pyproject.toml, but for `dev`."""

_IMPORT_NAMES = {"pillow": "PIL", "mkdocs-material": "material"}
"""For installations that do not list their files."""

_NO_METADATA = "run from its source, so its packages are not checked"


def required_packages(wanted: Sequence[Requirement] | None = None) -> Iterator[Finding]:
    """Python, triscale and the packages without which nothing runs; torch itself is tried in `torch_found`.

    Args:
        wanted: what is required; by default what the installation of triscale says.
    """
    known = requirements() if wanted is None else wanted
    yield Finding(topic="required", name="python", found=platform.python_version())
    if known:
        yield Finding(topic="required", name="triscale", found=__version__)
    else:
        found = f"{__version__}, {_NO_METADATA}"
        yield Finding(topic="required", name="triscale", found=found, state="slow", advice="pip install --editable .")
    for one in known:
        if one.extra is None and one.name != "torch":
            yield _required(one)


def extra_packages(wanted: Sequence[Requirement] | None = None) -> Iterator[Finding]:
    """One finding an extra; `wanted` as above."""
    known = requirements() if wanted is None else wanted
    for extra, adds in EXTRAS.items():
        if members := [one for one in known if one.extra == extra]:
            yield _extra(extra, adds, members)


def _required(one: Requirement) -> Finding:
    wrong = _problem(one)
    if wrong is None:
        return Finding(topic="required", name=one.name, found=installed_version(one.name) or "")
    advice = f"pip install --force-reinstall '{one.wanted}'"
    return Finding(topic="required", name=one.name, found=wrong, state="broken", advice=advice)


def _extra(extra: str, adds: str, members: Sequence[Requirement]) -> Finding:
    wrong = [f"{one.name}: {text}" for one in members if (text := _problem(one)) is not None]
    if not wrong:
        versions = ", ".join(f"{one.name} {installed_version(one.name)}" for one in members)
        return Finding(topic="extras", name=extra, found=f"{adds} ({versions})")
    advice = f"pip install 'triscale[{extra}]'"
    return Finding(topic="extras", name=extra, found=f"{adds} ({', '.join(wrong)})", state="absent", advice=advice)


def _problem(one: Requirement) -> str | None:
    """What is wrong with a package: missing, too old, or its files gone; None if nothing is."""
    version = installed_version(one.name)
    if version is None:
        return "not installed"
    if not one.is_met_by(version):
        return f"{version}, but {one.wanted} is required"
    return None if _can_be_imported(one.name) else f"{version}, but its files are missing"


def _can_be_imported(package: str) -> bool:
    """Whether Python finds its files; nothing is imported."""
    try:
        return any(find_spec(name) is not None for name in _import_names(package))
    except (ImportError, ValueError):
        return False


def _import_names(package: str) -> list[str]:
    """What is imported of a package, which need not have its name: the folders of Python that it installed."""
    files = metadata.files(package) or []
    found = {one.parts[0] for one in files if one.name == "__init__.py" and len(one.parts) == 2}
    return sorted(found) or [_IMPORT_NAMES.get(package, package.replace("-", "_"))]
