"""A compiled network that takes and gives NumPy arrays."""

import ctypes
import json
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from triscale.compiler import cache
from triscale.errors import BusyError, InputError, OutOfMemoryError, UsageError
from triscale.runtime.making import is_built_here
from triscale.seal import refuse_unsealed, seal_of
from triscale.spec import FieldError, Network, Preprocessing, any_from_document, preprocessing_from_dict

if TYPE_CHECKING:
    from triscale.data.transforms.image_transform import Picture

ABI = 1
"""Of the functions in `kernels/triscale_net.h`."""

MOST_THREADS = 1024
"""Of an instance; what is above is a mistake."""

Floats = NDArray[np.float32]
_NO_ROOM = "failed to map segment"
"""What the loader of glibc says where there is no memory for a library; it gives no number."""

_BAD_ARGUMENT, _OUT_OF_MEMORY, _WRONG_PROCESSOR, _BUSY = -1, -2, -3, -4


class _Shape(ctypes.Structure):
    _fields_ = (
        ("channels", ctypes.c_int), ("height", ctypes.c_int), ("width", ctypes.c_int), ("classes", ctypes.c_int)
    )  # fmt: skip


class About(NamedTuple):
    """What a library says about itself.

    Attributes:
        network: the spec, at the resolution that it was compiled for.
        classes: names in the order of the logits; empty if it was made without.
        preprocessing: what an image goes through before; None if it was made without.
    """

    network: Network
    classes: tuple[str, ...]
    preprocessing: Preprocessing | None


class NativeLibrary:
    """A loaded library, of which any number of instances can be made.

    Attributes:
        about: what it says about itself; `text` is the same as JSON.
        isa: the instruction set that it was compiled for.
    """

    def __init__(self, loaded: ctypes.CDLL, path: Path) -> None:
        self.loaded, self.about = loaded, _about(loaded, path)
        self.text: str = loaded.triscale_about().decode()
        self.isa: str = loaded.triscale_isa().decode()

    def instance(self, *, batch: int = 1, threads: int = 1) -> "NativeNetwork":
        """An instance of its own memory; see `open`."""
        return NativeNetwork(self, batch, threads)


class NativeNetwork:
    """A network as compiled code: call it with prepared images.

    It answers one call at a time; make an instance for each thread that calls. In a process that was forked it runs in
    one thread.

    Attributes:
        network: the spec.
        classes: names in the order of the logits.
        preprocessing: what an image goes through before.
        batch: images that are given to the library at once; calls may have any number.
        threads: that share each image.
        isa: the instruction set that it was compiled for.
    """

    def __init__(self, library: NativeLibrary, batch: int, threads: int) -> None:
        if batch < 1 or not 1 <= threads <= MOST_THREADS:
            raise UsageError(
                f"batch is {batch} and threads is {threads}; give a batch of at least 1, 1 to {MOST_THREADS} threads."
            )
        self.network, self.classes, self.preprocessing = library.about
        self.batch, self.threads, self.isa = batch, threads, library.isa
        self._run = library.loaded.triscale_run
        self._profile = getattr(library.loaded, "triscale_profile", None)
        self._net = ctypes.c_void_p()
        code = library.loaded.triscale_create(batch, threads, ctypes.byref(self._net))
        if code == _WRONG_PROCESSOR:
            raise InputError(f"this processor lacks the instructions ({self.isa}) that the network was compiled for.")
        if code == _OUT_OF_MEMORY:
            raise OutOfMemoryError(f"there is not enough memory for the maps of the network, or for {threads} threads.")
        if code == _BAD_ARGUMENT:
            raise InputError(
                "the library was compiled by an earlier triscale, for one thread; export the network again."
            )
        if code:
            raise InputError(f"the weights in the library are damaged (error {code}); export the network again.")
        weakref.finalize(self, library.loaded.triscale_free, self._net)

    def __call__(self, images: Floats) -> Floats:
        """Logits [n, classes] of prepared images, float32 [n, channels, h, w].

        Raises:
            UsageError: they have another shape or type.
            BusyError: another thread is inside of this instance.
        """
        given = self._accepted(images)
        logits = np.empty((len(given), self.network.classes), np.float32)
        for first in range(0, len(given), self.batch):
            self._step(given[first : first + self.batch], logits[first : first + self.batch])
        return logits

    def transform(self, picture: "Picture") -> Floats:
        """One image, in a file or in memory, prepared as the network takes it: float32 [channels, h, w].

        Raises:
            InputError: the library was made without preprocessing, or the image cannot be read.
        """
        from triscale.data.transforms.image_transform import Transform  # noqa: PLC0415  loads torch

        if self.preprocessing is None:
            raise InputError(
                "the library does not say how images are prepared: it was compiled without weights of a run."
            )
        prepare = Transform(preprocessing=self.preprocessing, size=self.network.resolution)
        return np.asarray(prepare(picture), dtype=np.float32)

    def step_times(self, image: Floats) -> NDArray[np.int64]:
        """Nanoseconds [steps] of each step for one prepared image [channels, h, w], in the calling thread.

        Raises:
            UsageError: the image has another shape or type.
            InputError: the library is of an earlier triscale, which took no times.
            BusyError: another thread is inside of this instance.
        """
        if self._profile is None:
            raise InputError("the library was compiled by an earlier triscale; export the network again.")
        given, logits = self._accepted(image[None]), np.empty(self.network.classes, np.float32)
        found = np.empty(self._profile(None, None, None, None), np.int64)
        pointers = (ctypes.c_void_p(array.ctypes.data) for array in (given, logits, found))
        if self._profile(self._net, *pointers) == _BUSY:
            raise BusyError("another thread runs this network; open one for each thread.")
        return found

    def _accepted(self, images: Floats) -> Floats:
        wanted = (self.network.input_channels, *self.network.resolution)
        if images.dtype != np.float32 or images.ndim != 4 or images.shape[1:] != wanted:
            raise UsageError(
                f"the images are {images.dtype} {list(images.shape)}; give float32 [n, {', '.join(map(str, wanted))}]."
            )
        return np.ascontiguousarray(images)

    def _step(self, images: Floats, logits: Floats) -> None:
        pointers = (ctypes.c_void_p(array.ctypes.data) for array in (images, logits))
        code = self._run(self._net, len(images), *pointers)
        if code == _BUSY:
            raise BusyError("another thread runs this network; open one for each thread.")
        if code:
            raise UsageError(f"the library rejected {len(images)} images (error {code}).")


def open(path: str | Path, *, batch: int = 1, threads: int = 1, trust: bool = False) -> NativeNetwork:  # noqa: A001  read as `runtime.open`
    """Load a compiled network.

    Args:
        path: a library that triscale wrote.
        batch: images at once; any number can be given, in steps of this.
        threads: that share each image, the caller's among them. The logits have the same bits for any number.
        trust: load a library that was not compiled on this machine. A library is code: it can do what you can.

    Raises:
        InputError: missing, damaged, no network of triscale, of another version, not trusted, or compiled for another
            processor.
        UsageError: a batch or number of threads that cannot be.
    """
    path = Path(path)
    return library_of(_content(path), path, trust=trust).instance(batch=batch, threads=threads)


def library_of(payload: bytes, path: Path, *, trust: bool = False) -> NativeLibrary:
    """The library with these bytes; see `open`. `path` is for messages."""
    refuse_unsealed(payload, path)
    if not trust and not is_built_here(seal_of(payload)):
        raise InputError(
            f"{path} was not loaded: it is code that was not compiled on this machine.\n"
            "If you trust its source, give --trust-code, in Python trust=True."
        )
    return NativeLibrary(_loaded(payload, path), path)


def loaded_library(path: Path) -> NativeLibrary:
    """A library that was just compiled here, from its file, which may go away then.

    Raises:
        InputError: see `open`.
    """
    return NativeLibrary(_checked(path, path), path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}.") from None


def _loaded(payload: bytes, path: Path) -> ctypes.CDLL:
    """From a copy of the bytes that were checked: the file may change meanwhile."""
    with tempfile.NamedTemporaryFile(dir=cache(), suffix=".so") as copy:
        copy.write(payload)
        copy.flush()
        return _checked(Path(copy.name), path)


def _checked(file: Path, path: Path) -> ctypes.CDLL:
    """The library in a file, whose name for messages is `path`."""
    try:
        loaded = ctypes.CDLL(str(file))
    except OSError as error:
        if _NO_ROOM in str(error):
            raise OutOfMemoryError(f"there is not enough memory to load {path}.") from None
        raise InputError(f"{path} is not a library for this system.") from None
    if not hasattr(loaded, "triscale_abi") or loaded.triscale_abi() != ABI:
        raise InputError(f"{path} is a library of another version of triscale; export the network again.")
    for name in ("triscale_about", "triscale_isa"):
        getattr(loaded, name).restype = ctypes.c_char_p
    loaded.triscale_shape.restype = _Shape
    loaded.triscale_free.restype = None
    return loaded


def _about(loaded: ctypes.CDLL, path: Path) -> About:
    try:
        document: Mapping[str, Any] = json.loads(loaded.triscale_about())
        network = any_from_document(document["network"])
        classes, prepared = tuple(map(str, document["classes"])), document["preprocessing"]
        preprocessing = preprocessing_from_dict(prepared) if prepared else None
    except (FieldError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} does not say which network it is: {error}.") from None
    shape = loaded.triscale_shape()
    sizes, size = (
        (shape.channels, (shape.height, shape.width), shape.classes),
        preprocessing and preprocessing.resolution,
    )
    if isinstance(network, Network):
        network = replace(network, resolution=size or network.resolution)
    if not isinstance(network, Network) or sizes != (network.input_channels, network.resolution, network.classes):
        raise InputError(f"{path} was compiled for other sizes than it says.")
    return About(network, classes, preprocessing)
