"""Spaces that are small enough to be looked through whole."""

from typing import Any

from triscale.search.architecture import Space, read_space
from triscale.spec import Head, Network, Stage, Stem

BASE = Network(
    name="base",
    resolution=(24, 24),
    stem=Stem(channels=8, stride=1),
    stages=(
        Stage(operator="mbconv", expand=4, stride=2, channels=16, repeats=2),
        Stage(operator="mbconv", expand=4, stride=1, channels=24, repeats=1),
    ),
    head=Head(channels=32),
    classes=10,
)


def document(**fields: Any) -> dict[str, Any]:
    """A document of a space with these fields."""
    return {"format": "triscale.space", "version": 1, "name": "little", **fields}


def little() -> Space:
    """Of 72 networks around `BASE`."""
    return read_space(
        document(
            every_stage={"kernel": [3, 5], "channel_factor": [0.5, 1], "layers": [-1, 0, 1]},
            stages=[{"stage": 2, "channel_factor": []}],
        ),
        BASE,
    )


def with_absent() -> Space:
    """Stages that may be left out: several choices give the same network."""
    return read_space(
        document(
            operators={"none": None, "small": {"operator": "mbconv", "kernel": 3, "expand": 2}},
            stages=[{"stage": 1, "kernel": [3, 5]}, {"stage": 2, "operator": ["none", "small", "basic"]}],
        ),
        BASE,
    )
