"""What no file of the repository may contain: places of one machine, package hosts, and calls that run foreign code."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.paths import ROOT

# The expressions do not match their own text: each has an escape or a class where the unwanted text has a plain sign.
UNWANTED = {
    "a path of one machine": r"(?<![\w.~-])/(?:home|root|Users|work)/\w|\b[A-Z]:\\Users\\",
    "the address of a package host": r"\b(?:pypi|pythonhosted|anaconda|npmjs)\.(?:org|com)\b|\bpytorch\.org/whl",
    "an option that names a package host": r"--(?:extra-)?index-url\b|--find-link[s]\b",
    "unpickling, which runs foreign code": r"\b(?:pickle|joblib|dill)\.loads?\(|\ballow_pickle\s*=\s*True",
    "torch.load without weights_only=True": r"\btorch\.load\((?![^\n]*weights_only\s*=\s*True)",
    "yaml.load, which runs foreign code": r"\byaml\.(?:unsafe_)?load\(",
    "a shell, which runs what a file name says": r"\bshell\s*=\s*True|\bos\.system\(|\bos\.popen\(",
    "evaluation of text": r"(?<![\w.])(?:eval|exec)\((?!\))",
}


def unwanted(texts: Mapping[str, str]) -> list[str]:
    """Name every place where a text, by path, contains what it may not."""
    return [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {reason}"
        for path, text in texts.items()
        for reason, expression in UNWANTED.items()
        for match in re.finditer(expression, text)
    ]


def repository(root: Path) -> dict[str, str]:
    """Read every text that git tracks or would add; images and archives are left out."""
    listing = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git checkout here, so which files are the repository's is unknown")
    contents = {name: (root / name).read_bytes() for name in sorted(set(names)) if (root / name).is_file()}
    return {name: content.decode() for name, content in contents.items() if _is_text(content)}


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


def test_the_repository_contains_nothing_unwanted() -> None:
    """Including files that are not committed yet."""
    texts = repository(ROOT)
    assert "pyproject.toml" in texts
    assert unwanted(texts) == []


@pytest.mark.parametrize(
    "parts",
    [
        ("cd /", "home/me/code"),
        ('"/', 'work/data"'),
        ("file:///", "root/x"),
        ("https://pypi", ".org/simple"),
        ("pip install --index", "-url X"),
        ("pip install --find", "-links X"),
        ("pickle", ".load(f)"),
        ("pickle", ".loads(b)"),
        ("np.load(f, allow_pickle", "=True)"),
        ("torch", ".load(path)"),
        ("torch", ".load(path, weights_only=False)"),
        ("yaml", ".load(f)"),
        ("run(c, shell", "=True)"),
        ("x = ev", "al(text)"),
    ],
)
def test_an_unwanted_text_is_caught(parts: tuple[str, str]) -> None:
    """The texts are put together here, so that this file does not catch itself."""
    assert len(unwanted({"a.py": "\n" + "".join(parts) + "\n"})) == 1
    assert unwanted({"a.py": "\n" + "".join(parts)})[0].startswith("a.py:2: ")


@pytest.mark.parametrize(
    "text",
    [
        "network.eval()",
        "torch.load(path, map_location='cpu', weights_only=True)",
        "../shared/data",
        "def retrieval(x): ...",
        "yaml.safe_load(f)",
    ],
)
def test_a_harmless_text_passes(text: str) -> None:
    """What only looks like it."""
    assert unwanted({"a.py": text}) == []
