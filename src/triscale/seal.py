"""A digest of a file in the file itself: any changed bit breaks it. It says nothing of who wrote the file."""

import hashlib
import re
from pathlib import Path

from triscale.errors import InputError

OPEN = b"sha256-" + b"0" * 64
"""What stands in the place of the digest until the file is sealed."""

_SEAL = re.compile(rb"sha256-([0-9a-f]{64})")


def sealed(payload: bytes) -> bytes:
    """The file with the digest of all its bytes in the one place that is kept for it."""
    assert payload.count(OPEN) == 1, "a file has one place for its seal"  # noqa: S101  ours, just written
    return payload.replace(OPEN, b"sha256-" + hashlib.sha256(payload).hexdigest().encode())


def seal_of(payload: bytes) -> str:
    """The digest that a sealed file carries, 64 hexadecimal digits.

    Raises:
        ValueError: it has none, or several.
    """
    (found,) = _SEAL.findall(payload)
    return bytes(found).decode()


def refuse_unsealed(payload: bytes, path: Path) -> None:
    """InputError if a file is not as `sealed` left it."""
    found = list(_SEAL.finditer(payload))
    if not found:
        raise InputError(f"{path} is not an export of triscale: it does not say how its images are prepared.")
    if len(found) != 1 or found[0][1].decode() != _digest_of_open(payload, *found[0].span()):
        raise InputError(f"{path} is damaged: its content does not match its digest. Use another copy.")


def _digest_of_open(payload: bytes, first: int, end: int) -> str:
    """The digest of a file before it was sealed, without a copy of it, which may be as large as memory."""
    content = memoryview(payload)
    digest = hashlib.sha256(content[:first])
    digest.update(OPEN)
    digest.update(content[end:])
    return digest.hexdigest()
