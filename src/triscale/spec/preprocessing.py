"""The preprocessing lock: all that decides which tensor an image becomes, kept with the weights that were trained so.

Two things of a network's input are not here, because they are in the network itself: padding and the norms' eps.
Channels are red, green, blue; one channel is grey. Levels 0..255 are divided by 255 before mean and std, so a network
that takes (x - 127) / 128 has the mean 127/255 and the std 128/255.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import cycle, islice
from typing import Literal, get_args

from triscale.errors import InputError
from triscale.spec.fields import FieldError, require_choice, require_integer, require_number
from triscale.spec.rounding import Size

Interpolation = Literal["area", "nearest", "bilinear", "bicubic", "lanczos"]
FitMode = Literal["centre", "squash"]

MAX_SIDE = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Preprocessing:
    """What an image goes through: resized, its centre cut out, scaled to [0, 1], then (x - mean) / std by channel.

    The defaults are those of a study, and of every checkpoint that holds mean and std alone.

    Attributes:
        resolution: (height, width) in pixels where it is not the network's own, such as a larger one to test at.
        fit: `centre` keeps the aspect ratio and cuts off what sticks out; `squash` does not keep it.
        crop: the part of the resized image's side that is kept: 0.875 resizes to 256 px and keeps 224.
        interpolation: `area` averages areas where a side shrinks and is bicubic where it grows, after the cut; the
            others are Pillow's filters, before the cut, as torchvision and timm use them.
        mean, std: per channel, as fractions of white.
    """

    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.25, 0.25, 0.25)
    interpolation: Interpolation = "area"
    fit: FitMode = "centre"
    crop: float = 1.0
    resolution: Size | None = None

    def __post_init__(self) -> None:
        require_choice("interpolation", self.interpolation, get_args(Interpolation))
        require_choice("fit", self.fit, get_args(FitMode))
        require_number("crop", self.crop, 0.05, 1.0)
        _require_channels("mean", self.mean, -100.0)
        _require_channels("std", self.std, 1e-6)
        if len(self.mean) != len(self.std):
            raise FieldError("std", self.std, f"{len(self.mean)} numbers, one for each channel of mean")
        if self.resolution is not None:
            if not isinstance(self.resolution, tuple) or len(self.resolution) != 2:
                raise FieldError("resolution", self.resolution, "null, or [height, width]")
            for index, side in enumerate(self.resolution):
                require_integer(f"resolution[{index}]", side, 1, MAX_SIDE)

    @property
    def exact_pixels(self) -> bool:
        """Whether pixels are cut and resized as in a study, whose rendered images then serve."""
        return (self.interpolation, self.fit, self.crop) == ("area", "centre", 1.0)

    def for_channels(self, channels: int) -> "Preprocessing":
        """For images of another number of channels: mean and std are averaged for one, repeated in turn for more."""
        if channels == len(self.mean):
            return self
        if channels == 1:
            return replace(self, mean=(sum(self.mean) / len(self.mean),), std=(sum(self.std) / len(self.std),))
        return replace(self, mean=_in_turn(self.mean, channels), std=_in_turn(self.std, channels))

    def before_crop(self, size: Size) -> Size:
        """The size to which an image is resized before `size` is cut out of it (the least, with `centre`)."""
        # 240 / (240 / 272) is a little less than 272.
        return math.floor(size[0] / self.crop + 1e-6), math.floor(size[1] / self.crop + 1e-6)


def scale_and_offset(mean: tuple[float, ...], std: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """By channel, what turns a level of 0..255 into the network's input: level * scale - offset, in float32."""
    pairs = tuple(zip(mean, std, strict=True))
    return tuple(1 / (255 * spread) for _, spread in pairs), tuple(middle / spread for middle, spread in pairs)


def _in_turn(values: tuple[float, ...], count: int) -> tuple[float, ...]:
    return tuple(islice(cycle(values), count))


def _require_channels(path: str, values: object, low: float) -> None:
    if not isinstance(values, tuple) or not 1 <= len(values) <= 100_000:
        raise FieldError(path, values, "a list of numbers, one for each channel")
    for index, value in enumerate(values):
        require_number(f"{path}[{index}]", value, low, 100.0)


IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), interpolation="bicubic", crop=0.875)
"""Mean and std of ImageNet's pixels, with the usual cut of 224 out of 256 px."""

INCEPTION = replace(IMAGENET, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
"""To [-1, 1], as Inception and the AdvProp weights of EfficientNet take it."""

TFLITE = replace(IMAGENET, mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
"""(x - 127) / 128, as EfficientNet-Lite and -EdgeTPU take it."""

CROP_PADDING = 32


def padded_crop(size: Size) -> float:
    """The crop of the EfficientNet authors' evaluation: side / (side + 32) of the shorter side is kept."""
    side = max(size)
    return side / (side + CROP_PADDING)


def different(locked: Preprocessing, wanted: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    """The fields in which `wanted` is not what is locked, each with (locked, wanted)."""
    return {name: (getattr(locked, name), value) for name, value in wanted.items() if getattr(locked, name) != value}


def refuse_difference(locked: Preprocessing, wanted: Mapping[str, object]) -> None:
    """InputError if `wanted` (field to value) is not what the weights were trained with."""
    for name, (found, asked) in different(locked, wanted).items():
        raise InputError(
            f"these weights were trained with {name} {value_text(found)}, not {value_text(asked)}.\n"
            f"Leave it out, or override it on purpose: override {name}={value_text(asked)}."
        )


def overridden(locked: Preprocessing, values: Mapping[str, object]) -> Preprocessing:
    """The lock with some fields replaced, by name; FieldError for another name or a value that cannot be."""
    names = [field.name for field in fields(Preprocessing)]
    for name in values:
        if name not in names:
            raise FieldError("override", name, ", ".join(names))
    return replace(locked, **values)  # type: ignore[arg-type]  # __post_init__ checks every value


def value_text(value: object) -> str:
    """A field's value as it is typed: `224x260`, `0.485,0.456,0.406`, `bicubic`, `0.875`."""
    if isinstance(value, tuple):
        return ("x" if all(type(item) is int for item in value) else ",").join(f"{item:.6g}" for item in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
