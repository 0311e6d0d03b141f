"""From one image, in a file or in memory, to the tensor that a network takes."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triscale.data.decode.image import JPEGS, UnreadableError, decode, load_picture, pillow_warnings_off, upright_rgb
from triscale.data.transforms.area_resize import Pictures, Size
from triscale.data.transforms.eval_crop import fitted
from triscale.errors import InputError
from triscale.spec import Preprocessing

if TYPE_CHECKING:
    from torch import Tensor

Picture = str | Path | Image.Image | NDArray[np.uint8]
"""An image file, a Pillow image, or an array of levels 0..255, [h, w, 3] (or [h, w], which is grey)."""

_CHANNELS = (1, 3, 4)


@dataclass(frozen=True, kw_only=True, slots=True)
class Transform:
    """The preprocessing of a network as a function of one image: exactly the pixels that a prediction uses.

    It can be pickled, and serves as `transform` of a torchvision data set and in the workers of a DataLoader.

    Attributes:
        preprocessing: of the weights.
        size: `(height, width)` in pixels of the result.
    """

    preprocessing: Preprocessing
    size: Size

    def __call__(self, picture: Picture) -> "Tensor":
        """An image -> normalised float32 [channels, height, width].

        A JPEG that Pillow has opened and not decoded yet gives the pixels of its file. One that is decoded already may
        differ a little where `interpolation` is `area`, which lets the decoder of a large JPEG shrink it.

        Raises:
            InputError: a file that cannot be read, an array that is not an image, or channels that do not fit.
        """
        from triscale.data.feed.in_memory import to_tensor  # noqa: PLC0415  torch is loaded only here

        pixels = pixels_of(picture, self.size, self.preprocessing)
        return to_tensor(pixels[None], self.preprocessing.mean, self.preprocessing.std)[0].contiguous()


def pixels_of(picture: Picture, size: Size, how: Preprocessing) -> Pictures:
    """The pixels of one image, uint8 [*size, 3], cut and resized; the image itself stays as it is.

    Raises:
        InputError: see `Transform`.
    """
    if isinstance(picture, str | Path):
        return load_picture(picture, size, how)
    with pillow_warnings_off():
        return from_memory(picture, size, how)


def from_memory(picture: Image.Image | NDArray[np.uint8], size: Size, how: Preprocessing) -> Pictures:
    """`pixels_of` for what is not a file; whoever calls it in threads silences Pillow's warnings around them."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(as_levels(picture))
    try:
        stored = _undecoded(image)
        return fitted(upright_rgb(image), size, how) if stored is None else decode(stored, size, how)
    except UnreadableError as error:
        raise InputError(f"the image cannot be read: {error}.") from None


def as_levels(array: Any) -> NDArray[np.uint8]:
    """An array that is one image, as Pillow takes it: [h, w, 3], [h, w, 4] or [h, w].

    Raises:
        InputError: it is none; the message says how to make one of it.
    """
    if not isinstance(array, np.ndarray):
        hint = "\nOf a uint8 tensor [3, h, w]: x.permute(1, 2, 0).numpy()." if hasattr(array, "permute") else ""
        kind = type(array).__name__
        raise InputError(f"a {kind} is not an image: give a path, a Pillow image, or a uint8 array [h, w, 3].{hint}")
    shape = list(array.shape)
    if array.ndim == 4:
        raise InputError(f"the array {shape} holds several images; give them one by one: [f(x) for x in array].")
    if array.ndim == 3 and shape[2] not in _CHANNELS and shape[0] in _CHANNELS:
        raise InputError(f"the array {shape} has its channels first; give [h, w, 3]: array.transpose(1, 2, 0).")
    if array.ndim not in (2, 3) or (array.ndim == 3 and shape[2] not in _CHANNELS) or not array.size:
        raise InputError(f"the array {shape} is not an image; give [h, w, 3], or [h, w] for grey.")
    if array.dtype != np.uint8:
        raise InputError(
            f"the array holds {array.dtype}; give uint8 levels from 0 to 255.\n"
            "Of fractions of white: (255 * array).round().astype('uint8')."
        )
    return array[:, :, 0] if shape[2:] == [1] else array


def picture_name(picture: Picture) -> str:
    """What a message calls an image."""
    if isinstance(picture, str | Path):
        return str(picture)
    return getattr(picture, "filename", "") or "an image in memory"


def _undecoded(image: Image.Image) -> bytes | None:
    """The file of a JPEG whose pixels nobody has read yet; None for every other image."""
    stream = getattr(image, "fp", None)
    if image.format not in JPEGS or stream is None or stream.closed or not getattr(image, "tile", None):
        return None
    place = stream.tell()
    stream.seek(0)
    content: bytes = stream.read()
    stream.seek(place)
    return content
