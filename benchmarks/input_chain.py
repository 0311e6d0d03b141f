"""From JPEG files to normalised training tensors, pictures a CPU second on one core: triscale beside its peers.

Run `python -m benchmarks.input_chain` from the root of the repository; it appends a record. Everyone reads the same
JPEGs of 500x375 px, and does the same work: decode, random-resized crop to 224 px, flip, normalise. albumentations,
OpenCV, turbojpeg and simplejpeg are no development tools of ours: put them on PYTHONPATH to have them measured.
"""

import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import process_time
from typing import Any
from unittest import mock

import numpy as np
import torch
from PIL import Image

from benchmarks import harness
from triscale.data.checks.scan import hashed
from triscale.data.decode.image import opened
from triscale.data.feed import loader
from triscale.data.feed.loader import Loader
from triscale.data.photo import Photo
from triscale.data.photo_files import part_of
from triscale.data.transforms import random_crop
from triscale.data.transforms.random_crop import RandomCrop, cut, draft_of, reduced
from triscale.data.transforms.train_augment import PhotoAugmentation, draws_for
from triscale.intervals import interval
from triscale.spec import IMAGENET

PICTURES, ROUNDS, SIDE = 64, 15, 224
SHAPE = (375, 500)
QUALITY, BATCH = 90, 16
Chain = Callable[[Path], torch.Tensor]


def real_photos() -> list[Path]:
    """Photos from `TRISCALE_TEST_DATA` or beside the repository; none if they are not there."""
    place = Path(os.environ.get("TRISCALE_TEST_DATA", harness.ROOT.parent / "shared" / "data")) / "clothing"
    return sorted(place.rglob("*.jpg"))[:: max(1, len(list(place.rglob("*.jpg"))) // PICTURES)][:PICTURES]


def generated(number: int) -> Image.Image:
    """Waves of several lengths and a little noise, about as large in a file as a photo."""
    draws = np.random.default_rng(number)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    levels = np.full((*SHAPE, 3), 127.0)
    for length in (3, 9, 30, 100):
        turn = draws.uniform(0, 6, 3)
        levels += 25 * np.sin((rows * np.sin(turn[0]) + columns * np.cos(turn[0]))[..., None] / length + turn)
    return Image.fromarray(np.clip(levels + draws.normal(0, 4, levels.shape), 0, 255).astype(np.uint8))


def write_pictures(folder: Path) -> tuple[list[Path], str]:
    """The JPEGs, and what they are made of."""
    photos = real_photos()
    paths = [folder / f"{number:03d}.jpg" for number in range(PICTURES)]
    for number, path in enumerate(paths):
        if photos:
            with Image.open(photos[number]) as photo:
                picture = photo.convert("RGB").resize(SHAPE[::-1], Image.Resampling.BICUBIC)
        else:
            picture = generated(number)
        picture.save(path, quality=QUALITY)
    return paths, "photos of clothes, enlarged" if photos else "generated waves"


def ours(paths: list[Path], interpolation: str) -> Callable[[], object]:
    """The loader itself, in this process: files are checked for change, batches of 16 are put together."""
    photos = hashed([Photo(name=path.name, file=path, label=0) for path in paths])
    chain = Loader(
        part=part_of(photos), indices=np.arange(len(paths)), size=(SIDE, SIDE), batch=BATCH, seed=0,
        how=IMAGENET.__class__(interpolation=interpolation, mean=IMAGENET.mean, std=IMAGENET.std),  # type: ignore[arg-type]
        augmentation=PhotoAugmentation(),
    )  # fmt: skip
    return lambda: [None for _ in chain.batches(0)]


def without_extra(paths: list[Path]) -> Callable[[], object]:
    """The loader as it is without the extra `fast`: Pillow decodes."""
    chain = ours(paths, "bicubic")

    def run() -> None:
        with (
            mock.patch.multiple(random_crop, part_decoder=lambda: None, _fast_decoder=lambda: None),
            mock.patch.multiple(loader, part_decoder=lambda: None),
        ):
            chain()

    return run


def read(path: Path) -> Image.Image:
    """As torchvision's and timm's data sets read a picture."""
    with path.open("rb") as file:
        return Image.open(file).convert("RGB")


def timm_chain() -> Chain:
    """Timm's training transform without its colour jitter."""
    from timm.data import create_transform

    transform: Any = create_transform(
        SIDE, is_training=True, interpolation="bicubic", color_jitter=None, mean=IMAGENET.mean, std=IMAGENET.std
    )
    return lambda path: transform(read(path))


def torchvision_chain(interpolation: str) -> Chain:
    """Torchvision's transforms v2 on PIL, as its references have them; their own filter is bilinear."""
    from torchvision.transforms import InterpolationMode, v2

    transform = v2.Compose([
        v2.RandomResizedCrop(SIDE, interpolation=InterpolationMode(interpolation), antialias=True),
        v2.RandomHorizontalFlip(),
        v2.PILToTensor(),
        v2.ToDtype(torch.float, scale=True),
        v2.Normalize(IMAGENET.mean, IMAGENET.std),
    ])  # fmt: skip
    return lambda path: transform(read(path))


def albumentations_chain(interpolation: str) -> Chain:
    """OpenCV and albumentations; OpenCV's filters do not average where they shrink."""
    import albumentations as A
    import cv2
    from albumentations.pytorch import ToTensorV2

    cv2.setNumThreads(1)
    by = {"bicubic": cv2.INTER_CUBIC, "bilinear": cv2.INTER_LINEAR}[interpolation]
    transform = A.Compose([
        A.RandomResizedCrop((SIDE, SIDE), interpolation=by),
        A.HorizontalFlip(p=0.5),
        A.Normalize(IMAGENET.mean, IMAGENET.std),
        ToTensorV2(),
    ])  # fmt: skip
    return lambda path: transform(image=cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB))["image"]


def chains() -> Mapping[str, Chain]:
    """The peers that are installed."""
    made: dict[str, Callable[[], Chain]] = {
        "timm, bicubic": timm_chain,
        "torchvision v2, bicubic": partial(torchvision_chain, "bicubic"),
        "torchvision v2, bilinear": partial(torchvision_chain, "bilinear"),
        "cv2 + albumentations, cubic": partial(albumentations_chain, "bicubic"),
        "cv2 + albumentations, linear": partial(albumentations_chain, "bilinear"),
    }
    found: dict[str, Chain] = {}
    for name, make in made.items():
        try:
            found[name] = make()
        except ImportError as error:
            print(f"not measured: {name} ({error})")
    return found


def all_through(chain: Chain, paths: list[Path]) -> None:
    """Every picture once, put together in batches as a data loader does."""
    for start in range(0, len(paths), BATCH):
        torch.stack([chain(path) for path in paths[start : start + BATCH]])


def distance(paths: list[Path], side: int) -> dict[str, float]:
    """Levels between our crops and those of Pillow's whole decoding and bicubic resizing, of the same boxes."""
    errors: dict[bool, list[float]] = {True: [], False: []}
    for number, path in enumerate(paths * 4):
        box = RandomCrop().drawn(SHAPE, draws_for(0, 0, number))
        if box is None:
            continue
        with opened(path) as image:
            times = draft_of(image, box, (side, side))
            got = cut(image, box, (side, side), "bicubic").numpy().astype(int)
        left, top, right, bottom = (edge * times for edge in (reduced(box, times) if times > 1 else box))
        exact_box = (left, top, min(right, SHAPE[1]), min(bottom, SHAPE[0]))
        with Image.open(path) as image:
            exact = image.convert("RGB").crop(exact_box).resize((side, side), Image.Resampling.BICUBIC)
        errors[times > 1].append(float(np.abs(got - np.asarray(exact)).mean()))
    reduced_part = len(errors[True]) / (len(errors[True]) + len(errors[False]))
    means = {"whole": errors[False], "reduced": errors[True]}
    return {"side": side, "reduced_part": reduced_part} | {k: float(np.mean(v)) for k, v in means.items() if v}


def versions() -> dict[str, str]:
    """Of everyone who is there."""
    found = {}
    for name in (
        "pillow",
        "torch",
        "timm",
        "torchvision",
        "albumentations",
        "opencv-python-headless",
        "simplejpeg",
        "turbojpeg",
    ):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def main() -> None:
    """Measure, print and record."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        paths, kind = write_pictures(Path(place))
        subjects: dict[str, Callable[[], object]] = {
            "triscale, bicubic": ours(paths, "bicubic"),
            "triscale, bilinear": ours(paths, "bilinear"),
            "triscale without the extra, bicubic": without_extra(paths),
        }
        subjects |= {name: partial(all_through, chain, paths) for name, chain in chains().items()}
        seconds = harness.interleave(subjects, rounds=ROUNDS, clock=process_time)
        size = sum(path.stat().st_size for path in paths) // len(paths)
        pixels = [distance(paths, side) for side in (64, 128, SIDE)]
    for name, values in seconds.items():
        print(f"{name:36} {PICTURES / interval(values).median:7.0f} pictures/s")
    print(*pixels, sep="\n")
    facts = {
        "pictures": PICTURES,
        "kind_of_picture": kind,
        "bytes_each": size,
        "threads": 1,
        "clock": "CPU seconds",
        "versions": versions(),
    }
    harness.append(harness.record("input_chain", seconds, against="timm, bicubic", pixels=pixels, **facts))


if __name__ == "__main__":
    main()
