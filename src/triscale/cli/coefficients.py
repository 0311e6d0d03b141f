"""alpha, beta and gamma from the command line: three numbers, or a file that holds them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triscale import records
from triscale.errors import InputError, UsageError
from triscale.scaling import Coefficients, parse_coefficients


def read_coefficients(text: str) -> Coefficients:
    """The coefficients in `1.2,1.1,1.15`, those a study chose (its folder or records.jsonl), or those of a JSON file.

    Raises:
        UsageError: neither three numbers nor a file.
        InputError: the file holds no coefficients.
    """
    path = Path(text)
    if not path.exists():
        try:
            return parse_coefficients(text)
        except UsageError:
            raise UsageError(
                f"coefficients {text!r} are neither three numbers such as 1.2,1.1,1.15 nor a file or run folder."
            ) from None
    path = path / "records.jsonl" if path.is_dir() else path
    found = _chosen(path) if path.suffix == ".jsonl" else _document(path)
    try:
        return Coefficients(*(float(found[name]) for name in ("alpha", "beta", "gamma")))
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path} does not hold the numbers alpha, beta and gamma.") from None


def _chosen(path: Path) -> Mapping[str, Any]:
    choice = records.read(path).one("choice")
    if choice is None:
        raise InputError(f"{path}: this study has not chosen its coefficients yet; the same command goes on with it.")
    found: Mapping[str, Any] = choice["coefficients"]
    return found


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a JSON file with alpha, beta and gamma: {error}") from None
    found = document.get("coefficients", document) if isinstance(document, dict) else {}
    return found if isinstance(found, dict) else {}
