"""The part of a library that is not computed with: names of classes, and how pixels become the network's input."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from triscale.spec import Network, Preprocessing, preprocessing_from_dict, scale_and_offset

_TEXT = """#define TRISCALE_ABOUT_BYTES {bytes}
#define TRISCALE_NAMES {count}
#define TRISCALE_PREPARES {prepares}
static const char* const triscale_names[] = {{
{names}
    nullptr}};
static const float triscale_scale[] = {{{scale}}};
static const float triscale_offset[] = {{{offset}}};
"""

RGB = (1, 3)
"""Channels of networks whose input comes from pixels of three colours: grey, or the colours."""


def lock_source(network: Network, about: str) -> str:
    """A header with what the JSON that a library carries says about classes and preprocessing."""
    document = json.loads(about)
    scale, offset = _constants(network, document)
    names = [f"    {c_string(str(name))}," for name in document.get("classes", ())]
    return _TEXT.format(
        bytes=len(about.encode()), count=len(names), prepares=int(bool(scale)), names="\n".join(names),
        scale=", ".join(_float(one) for one in scale or (0.0,) * network.input_channels),
        offset=", ".join(_float(one) for one in offset or (0.0,) * network.input_channels),
    )  # fmt: skip


def _constants(network: Network, document: dict[str, Any]) -> tuple[Iterable[float], Iterable[float]]:
    """Scale and offset of each channel; nothing where the preprocessing is not known, or not of colours or grey."""
    stored = document.get("preprocessing")
    how: Preprocessing | None = preprocessing_from_dict(stored) if stored else None
    if how is None or network.input_channels not in RGB or len(how.mean) != network.input_channels:
        return (), ()
    return scale_and_offset(how.mean, how.std)


def _float(value: float) -> str:
    """The float32 nearest to a value, exactly."""
    return f"{float(np.float32(value)).hex()}f"


def c_string(text: str) -> str:
    """A literal of C with the bytes of UTF-8; what ends a string of C, a null character, cannot be in it."""
    kept = "".join(chr(byte) if _is_plain(byte) else f"\\{byte:03o}" for byte in text.replace("\0", "").encode())
    return f'"{kept}"'


def _is_plain(byte: int) -> bool:
    return 32 <= byte < 127 and chr(byte) not in '"\\?'  # two ? begin a trigraph
