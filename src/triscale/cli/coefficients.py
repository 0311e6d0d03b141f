"""alpha, beta and gamma from the command line: three numbers, or a file that holds them."""

import json
from pathlib import Path

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
    return _chosen(path) if path.is_dir() or path.suffix == ".jsonl" else _of_document(path)


def _chosen(run: Path) -> Coefficients:
    from triscale import trials  # noqa: PLC0415  most commands read no records
    from triscale.trials.study_records import ChoiceRecord, StudyRecord  # noqa: PLC0415

    stored = trials.read(run)
    choice = stored.one(ChoiceRecord)
    if choice is None:
        why = "no study" if stored.one(StudyRecord) is None else "a study that has not chosen its coefficients yet"
        raise InputError(f"{run} holds {why}.\nRun `triscale study` with this --out to its end, or give 3 numbers.")
    found = choice.coefficients
    return Coefficients(found.alpha, found.beta, found.gamma)


def _of_document(path: Path) -> Coefficients:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a JSON file with alpha, beta and gamma: {error}") from None
    found = document.get("coefficients", document) if isinstance(document, dict) else None
    try:
        return Coefficients(*(float(found[name]) for name in ("alpha", "beta", "gamma")))  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path} does not hold the numbers alpha, beta and gamma.") from None
