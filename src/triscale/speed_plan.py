"""Which way each part of a network takes on a machine: plain data, so that a resumed training takes the same again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from triscale.errors import InputError

WAYS = {"convolutions": ("rewritten", "native"), "norms": ("native",), "blocks": ("inner",)}
"""The ways that are not torch's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedPlan:
    """The ways of a model's parts by the names of its modules; what is not named is torch's own.

    Attributes:
        convolutions: `rewritten` (plain torch) or `native` (compiled kernels) for depthwise convolutions.
        norms: `native` for batch norms that take over their activation.
        blocks: `inner` for MBConv whose inner layers are one compiled step.
        build: of the compiled kernels, where they are used; another one may give other last bits.
    """

    convolutions: Mapping[str, str] = field(default_factory=dict)
    norms: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, str] = field(default_factory=dict)
    build: str | None = None

    def __post_init__(self) -> None:
        for kind, ways in WAYS.items():
            for name, way in getattr(self, kind).items():
                if way not in ways:
                    raise InputError(f"a plan has {way!r} for {name!r} among its {kind}; there is {', '.join(ways)}.")

    @property
    def compiled(self) -> bool:
        """Whether it needs the compiled kernels."""
        return bool(self.norms or self.blocks or "native" in self.convolutions.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain data, of which `from_dict` makes the plan again."""
        return {key: dict(value) if isinstance(value, Mapping) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "SpeedPlan":
        """What `to_dict` gave.

        Raises:
            InputError: unknown keys or ways.
        """
        try:
            return cls(**data)
        except (TypeError, AttributeError) as error:
            raise InputError(f"this is not a plan of a training's speed: {error}.") from None
