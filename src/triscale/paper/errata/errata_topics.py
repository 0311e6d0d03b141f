"""The errata about a network or a topic."""

import re
from collections.abc import Sequence

from triscale.errors import UsageError
from triscale.families import full_name, registry
from triscale.paper.errata.erratum import Erratum

_MEMBER = re.compile(r"efficientnet_(b\d)")
_RANGE = re.compile(r"\bb(\d) to b(\d)\b")


def errata_about(name: str, errata: Sequence[Erratum]) -> tuple[Erratum, ...]:
    """The errata that speak of a network or a topic.

    Args:
        name: a network as people write it (`B4`, `resnet50`), an id or its beginning (`table2`), or a word (`phi`).
        errata: to choose from.

    Raises:
        UsageError: none does; the message lists the networks and ids that there are.
    """
    words = [name.strip(), full_name(name)]
    member = _MEMBER.fullmatch(full_name(name))
    patterns = [_pattern(one) for one in (*words, *([member[1]] if member else [])) if one]
    found = tuple(one for one in errata if any(pattern.search(_text(one)) for pattern in patterns))
    if found:
        return found
    networks = [one for one in registry() if any(_pattern(one).search(_text(each)) for each in errata)]
    raise UsageError(
        f"no erratum is about {name!r}. `triscale errata` lists all; they are about {', '.join(networks)},\n"
        f"and their names are {', '.join(one.id for one in errata)}."
    )


def _text(one: Erratum) -> str:
    """All that it says in lower case, with the members of a range such as `B1 to B7` one by one."""
    text = " ".join((one.id, one.where, one.says, one.true, *one.check)).lower()
    members = (f" b{number}" for low, high in _RANGE.findall(text) for number in range(int(low), int(high) + 1))
    return text + "".join(members)


def _pattern(name: str) -> re.Pattern[str]:
    """Finds a name however its parts are joined; what ends in a letter may go on, as `resnet` in ResNet-50."""
    letters = [re.escape(one) for one in name.lower() if one not in "-_ "]
    end = r"(?![0-9])" if letters and letters[-1].isdecimal() else ""
    return re.compile(r"(?<![a-z0-9])" + r"[-_ ]?".join(letters) + end)
