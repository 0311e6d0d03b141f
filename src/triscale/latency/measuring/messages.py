"""What the measuring process and its workers say to each other: typed values, as JSON on a pipe."""

import msgspec


class Load(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Open a network and keep it under a key; answered by `Loaded`.

    Attributes:
        key: a number of the sender's.
        network: the spec as JSON text.
        target: as `parse_target` reads it.
        file: that the engine opens; None: it makes the network from the spec.
    """

    key: int
    network: str
    target: str
    file: str | None


class Step(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Run the network of a key some times; answered by `Timed`."""

    key: int


class Multiply(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Multiply matrices for a while on each core; answered by `Timed`, with a value a core."""


class Weigh(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Say how much memory the process takes; answered by `Weighed`."""


Request = Load | Step | Multiply | Weigh


class Loaded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A network is open.

    Attributes:
        seconds: that opening it took, a first pass included where the engine prepares by it.
        file_size: bytes of what the engine read.
        version: of the engine's library.
    """

    seconds: float
    file_size: int
    version: str


class Timed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Milliseconds of each run: on the clock, and of the processor in all threads of the process."""

    wall: list[float]
    cpu: list[float]


class Weighed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Resident bytes: before the first network was loaded, now, and at most; None where the system does not say."""

    before: int | None
    now: int | None
    peak: int | None


class Rejected(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The request failed by a fault of the input; the message is for the user."""

    message: str


Answer = Loaded | Timed | Weighed | Rejected
