"""`triscale doctor`."""

from triscale.cli.show.output import Flag, print_json, print_text
from triscale.diagnosis import TOPICS, Diagnosis, Finding, diagnose
from triscale.errors import InstallationError

_MARKS = {"ok": "ok", "absent": "-", "slow": "!", "broken": "BROKEN"}


def doctor(*, json: Flag = False) -> None:
    """Check the installation: versions, extras, compiler, GPU, caches.

    Each problem comes with one line on what to do. The exit code is 0 if all that is required works, else 69.

    Args:
        json: print one JSON document instead of text.
    """
    found = diagnose()
    if json:
        print_json(found.to_dict())
    else:
        _show(found)
    if found.broken:
        raise InstallationError(f"missing or broken: {', '.join(found.broken)}; what to do is listed above.")


def _show(found: Diagnosis) -> None:
    for topic, title in TOPICS.items():
        findings = [one for one in found.findings if one.topic == topic]
        width = max((len(one.name) for one in findings), default=0)
        print_text(*([title] if findings else []))
        for one in findings:
            print_text(*_lines(one, width))


def _lines(one: Finding, width: int) -> list[str]:
    first = f"  {_MARKS[one.state]:6} {one.name:{width}}  {one.found}"
    return [first] if one.advice is None else [first, f"{'':9}{'':{width}}  -> {one.advice}"]
