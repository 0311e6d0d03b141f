"""Names of networks: a registered name or a spec file, plain or with scalings such as `efficientnet_b0@phi=1.5`."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from triscale import families, spec
from triscale.errors import UsageError, did_you_mean
from triscale.scaling.lite_rule import lite_form
from triscale.scaling.rules import Coefficients, scale_by_rule
from triscale.spec import AnyNetwork, ForeignNetwork, Network, is_foreign_text

_BY_WIDTH = re.compile(r"(\w+)@depth=1\.0,width=([0-9.]+),resolution=1\.0")
_EXAMPLES = "write NAME@phi=1.5, NAME@lite, NAME@fixed@phi=1,rule=width or NAME@depth=1.2,width=1.1,resolution=1.15."


def network(text: str) -> Network:
    """The network that `text` names; scalings are applied from left to right.

    Raises:
        UsageError: an unknown name (with the nearest ones) or a malformed scaling.
        InputError: a spec file that cannot be read, or a network that is too large.
    """
    if is_foreign_text(text):
        raise UsageError(
            f"{text!r} is your own code, which this command does not take. To scale it to a budget:\n"
            f"triscale study {shlex.quote(text)} --data IMAGES --budget macs=20M\n"
            "cost, train and benchmark take it too; scale, fit, compare and search do not (docs/foreign.md)."
        )
    base, scalings = _split(text)
    found = spec.read(Path(base)) if base.endswith(".json") else families.network(base)
    for scaling in scalings:
        found = _apply(found, scaling)
    return found


def any_network(text: str) -> AnyNetwork:
    """The network that `text` names, or the foreign one of `module:callable@...`, which is not imported.

    Raises:
        UsageError, InputError: see `network`; malformed settings of a foreign one.
    """
    return ForeignNetwork.parse(text) if is_foreign_text(text) else network(text)


def parse_coefficients(text: str) -> Coefficients:
    """alpha, beta and gamma from `1.2,1.1,1.15` (or with slashes).

    Raises:
        UsageError: not three numbers.
    """
    try:
        alpha, beta, gamma = (float(part) for part in text.replace("/", ",").split(","))
    except ValueError:
        raise UsageError(f"coefficients {text!r} are not three numbers such as 1.2,1.1,1.15.") from None
    return Coefficients(alpha, beta, gamma)


def fixed(base: Network) -> Network:
    """The network whose stem, head and outer stages do not scale (see `spec.fix_stem_and_head`), named `NAME@fixed`."""
    return replace(spec.fix_stem_and_head(base), name=f"{base.name}@fixed")


def published_twin(scaled: Network) -> Network | None:
    """The registered network that a width multiplier of this base means in print, where it differs from this one.

    MobileNetV2 and V3 keep the end of the network where a multiplier is below 1; scaling the width scales that too.
    """
    found = _BY_WIDTH.fullmatch(scaled.name)
    twin = families.registry().get(f"{found[1]}_{round(100 * float(found[2])):03}") if found else None
    return None if twin is None or twin[1].head == scaled.head else twin[1]


def _split(text: str) -> tuple[str, list[str]]:
    """Base and scalings; a file's own path may hold an @, so a file ends at the last `.json` that stands before one."""
    file = re.match(r"(.*\.json)(?:@(.*))?$", text, re.DOTALL)
    if file is not None:
        return file[1], [] if file[2] is None else file[2].split("@")
    base, *scalings = text.split("@")
    return base, scalings


_FORMS: Mapping[str, Callable[[Network], Network]] = {"fixed": fixed, "lite": lite_form}
"""What stands behind an @ without numbers."""


def _apply(base: Network, scaling: str) -> Network:
    if scaling in _FORMS:
        return _FORMS[scaling](base)
    parts = dict(part.split("=", 1) for part in scaling.split(",") if "=" in part)
    if len(parts) != len(scaling.split(",")):
        raise UsageError(f"cannot read the scaling {scaling!r}: {_EXAMPLES}")
    if "phi" in parts and parts.keys() <= {"phi", "rule", "coefficients"}:
        coefficients = parse_coefficients(parts["coefficients"]) if "coefficients" in parts else None
        return scale_by_rule(base, parts.get("rule", "compound"), _number(parts["phi"]), coefficients)
    if parts.keys() <= {"depth", "width", "resolution"}:
        return spec.scale(base, **{key: _number(value) for key, value in parts.items()})
    raise UsageError(f"cannot read the scaling {scaling!r}: {_near(parts) or _EXAMPLES}")


def _near(parts: Mapping[str, str]) -> str:
    """The known word that is nearest to an unknown one."""
    known = ("depth", "width", "resolution", "phi", "rule", "coefficients")
    unknown = next((name for name in parts if name not in known), None)
    return "" if unknown is None else did_you_mean(unknown, known)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a number: {_EXAMPLES}") from None
