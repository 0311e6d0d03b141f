"""Words that options take: whether there is such a one, and which one was probably intended."""

from collections.abc import Iterable
from difflib import get_close_matches
from types import MappingProxyType

from triscale.errors import UsageError

_SHORT = MappingProxyType({"fp32": "float32", "f32": "float32", "fp16": "float16", "bf16": "bfloat16", "i8": "int8"})


def require_allowed(what: str, word: str, allowed: Iterable[str]) -> None:
    """UsageError unless the word is one of these; the message names the nearest."""
    known = list(allowed)
    if word not in known:
        full = _SHORT.get(str(word).lower())
        near = [full] if full in known else get_close_matches(str(word), known, 1, 0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"unknown {what} {word!r}; allowed: {', '.join(known)}{hint}")
