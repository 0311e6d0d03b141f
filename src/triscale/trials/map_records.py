"""The class activation maps of a study as it wrote them down: each a PNG below its folder."""

import msgspec

from triscale.map_scores import MapScore


class MapRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A class activation map of one network: its PNG below the study's folder, and what the network predicted."""

    id: str
    rule: str
    file: str
    predicted: str
    probability: float


class PictureRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A test image, its class, and the maps of the networks."""

    label: str
    file: str
    maps: tuple[MapRecord, ...]


class FocusRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the maps of one network are worth, an entry an image; all networks of a study have the same images."""

    id: str
    rule: str
    scores: tuple[MapScore, ...]
