"""Files and folders that a user's images really hold, each with what must become of it; made at run time."""

import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

Make = Callable[[Path], object]
"""Puts something into the class folder `train/dog` of a sound set of `cat` and `dog`."""


def scene(width: int = 96, height: int = 72) -> Image.Image:
    """Three flat areas that no turn or mirroring leaves as they are."""
    image = Image.new("RGB", (width, height), (200, 60, 40))
    canvas = ImageDraw.Draw(image)
    canvas.rectangle((0, 0, width // 2, height // 3), fill=(30, 160, 70))
    canvas.rectangle((width // 2, height // 2, width, height), fill=(20, 40, 220))
    return image


def png_claiming(width: int, height: int) -> bytes:
    """The start of a PNG that claims a size; the pixels would follow."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return start + struct.pack(">I", 1000) + b"IDAT"


def whole_bomb(path: Path) -> None:
    """12,000 x 12,000 px in a sound file of some kilobytes."""
    Image.new("1", (12_000, 12_000)).save(path / "bomb.png")


def jpeg_bomb(path: Path) -> None:
    """A JPEG whose header says 20,000 x 20,000 px, which its own scaling would make small."""
    scene().save(path / "bomb.jpg")
    content = bytearray((path / "bomb.jpg").read_bytes())
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", 20_000, 20_000)
    (path / "bomb.jpg").write_bytes(content)


def saved(name: str, mode: str = "RGB", **options: object) -> Make:
    """The scene in another mode or format."""
    return lambda folder: scene().convert(mode).save(folder / name, **options)  # type: ignore[arg-type]


def written(name: str, content: bytes) -> Make:
    """A file of these bytes."""
    return lambda folder: (folder / name).write_bytes(content)


def cut(name: str) -> Make:
    """The first half of a sound file."""

    def make(folder: Path) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / name)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return make


def turned(orientation: int) -> Make:
    """The scene stored in one of EXIF's eight ways."""
    names = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90"}
    names |= {7: "TRANSVERSE", 8: "ROTATE_270"}

    def make(folder: Path) -> None:
        stored = scene() if orientation == 1 else scene().transpose(Image.Transpose[names[orientation]])
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored.save(folder / "turned.jpg", exif=exif, quality=95)

    return make


def ramp(name: str, top: float, kind: type[np.generic]) -> Make:
    """Grey from 0 to `top`."""
    values = np.linspace(0, top, 64 * 64).reshape(64, 64).astype(kind)
    return lambda folder: Image.fromarray(values).save(folder / name)


def moving(name: str) -> Make:
    """Two frames, the first one the scene."""
    return lambda folder: scene().save(folder / name, save_all=True, append_images=[Image.new("RGB", (96, 72))])


def shaped(width: int, height: int) -> Make:
    """A plain image of a shape."""
    return lambda folder: Image.new("RGB", (width, height), (10, 20, 30)).save(folder / "shaped.png")


def named(name: str | bytes) -> Make:
    """The scene under a name that is hard to write."""
    return lambda folder: scene().save(os.path.join(folder, os.fsdecode(name)), format="PNG")  # noqa: PTH118


def linked(name: str, target: str) -> Make:
    """A link, its target relative to the class folder."""
    return lambda folder: (folder / name).symlink_to(target)


def outside(folder: Path) -> None:
    """A link to an image beside the data set."""
    scene().save(folder.parents[2] / "secret.png")
    (folder / "secret.png").symlink_to(folder.parents[2] / "secret.png")


def outside_class(folder: Path) -> None:
    """A class folder that is a link to one beside the data set."""
    place = folder.parents[2] / "elsewhere"
    shutil.copytree(folder, place)
    (folder.parent / "elsewhere").symlink_to(place)


def class_folder(name: str, *files: str) -> Make:
    """One more class with files that are not images."""

    def make(folder: Path) -> None:
        (folder.parent / name).mkdir()
        for file in files:
            (folder.parent / name / file).write_text("no image")

    return make


def hidden(folder: Path) -> None:
    """What systems and programs leave in folders."""
    for name in (".hidden.png", "._0.png", "Thumbs.db", ".DS_Store", "desktop.ini"):
        (folder / name).write_bytes(b"x")
    (folder / ".git").mkdir()
    (folder.parent / ".git").mkdir()
    (folder.parent / ".git" / "x.png").write_bytes(b"x")


def one_class(folder: Path) -> None:
    """Only cats are left."""
    shutil.rmtree(folder)


def folder_like_a_file(folder: Path) -> None:
    """A folder that is called as an image is, with the scene in it."""
    (folder / "x.jpg").mkdir()
    scene().save(folder / "x.jpg" / "inside.png")


def same_in_both(folder: Path) -> None:
    """A dog that is also called a cat."""
    shutil.copy(folder / "0.png", folder.parent / "cat" / "same.png")


def same_in_test(folder: Path) -> None:
    """A training image in the test."""
    shutil.copy(folder / "0.png", folder.parents[1] / "test" / "dog" / "same.png")


FULL = 255 - len(".png")
LEFT_OUT: dict[str, tuple[Make, str]] = {
    "zero byte": (written("zero.jpg", b""), "it is empty"),
    "text": (written("text.jpg", b"hello"), "not an image"),
    "HTML": (written("page.jpg", b"<html>not found</html>"), "not an image"),
    "SVG": (written("vector.jpg", b'<svg xmlns="http://www.w3.org/2000/svg"/>'), "not an image"),
    "truncated JPEG": (cut("cut.jpg"), "broken"),
    "truncated PNG": (cut("cut.png"), "broken"),
    "float TIFF outside of 0 to 1": (ramp("float.tiff", 255, np.float32), "grey values"),
    "bomb of 144 megapixels": (whole_bomb, "50 megapixels"),
    "bomb of 195 megapixels": (written("bomb.png", png_claiming(15_000, 13_000)), "50 megapixels"),
    "JPEG of 20,000 x 20,000 px": (jpeg_bomb, "50 megapixels"),
    "link to itself": (linked("loop.png", "loop.png"), "symbolic links"),
    "link to nothing": (linked("nothing.png", "nowhere.png"), "a link to nothing"),
    "link out of the root": (outside, "a link out of the data folder"),
    "link upwards": (linked("up", ".."), "not a regular file"),
    "pipe": (lambda folder: os.mkfifo(folder / "pipe.png"), "not a regular file"),
    "device": (linked("device.png", "/dev/zero"), "a link out of the data folder"),
    "empty folder named x.jpg": (lambda folder: (folder / "x.jpg").mkdir(), "not a regular file"),
}
"""Left out, counted and named with the reason."""


def half_clear(folder: Path) -> None:
    """The scene, half transparent: half white."""
    image = scene().convert("RGBA")
    image.putalpha(128)
    image.save(folder / "a.png")


COLOUR, GREY = float(np.asarray(scene()).mean()), float(np.asarray(scene().convert("L")).mean())
TAKEN: dict[str, tuple[Make, float | None]] = {
    "CMYK": (saved("a.jpg", "CMYK", quality=95), COLOUR),
    "LA": (saved("a.png", "LA"), GREY),
    "bilevel": (saved("a.png", "1"), GREY),
    "palette": (saved("a.png", "P"), COLOUR),
    "palette with alpha": (saved("a.png", "P", transparency=255), COLOUR),
    "RGBA": (half_clear, COLOUR * 128 / 255 + 127),
    **{f"EXIF {way}": (turned(way), None) for way in range(1, 9)},
    "16-bit grey PNG": (ramp("a.png", 65535, np.uint16), 127.5),
    "16-bit grey TIFF": (ramp("a.tiff", 65535, np.uint16), 127.5),
    "float TIFF": (ramp("a.tiff", 1, np.float32), 127.5),
    "1x1": (shaped(1, 1), 20),
    "1x10000": (shaped(1, 10_000), 20),
    "10000x1": (shaped(10_000, 1), 20),
    "animated GIF": (moving("a.gif"), None),
    "animated WebP": (moving("a.webp"), None),
    "animated PNG": (moving("a.png"), None),
    "TIFF of two pages": (moving("a.tiff"), None),
    "Unicode name": (named("ünïcödé 🌼.png"), None),
    "space and quotes": (named("a b'\".png"), None),
    "newline": (named("two\nlines.png"), None),
    "leading dash": (named("-rf.png"), None),
    "bytes that are not UTF-8": (named(b"d\xffg.png"), None),
    "255 bytes": (named("x" * FULL + ".png"), None),
    "markup": (named("<script>.png"), None),
    "image in a folder named x.jpg": (folder_like_a_file, None),
}
"""Taken, with the mean level that must come out within 2, or None: all pixels are those of the scene."""

REFUSED: dict[str, tuple[Make, str]] = {
    "two class folders that are one": (lambda folder: (folder.parent / "puppy").symlink_to("dog"), "'dog' and 'puppy'"),
    "class folder out of the root": (outside_class, "'elsewhere' is a link out"),
    "empty class": (class_folder("bad"), "'bad' holds no readable"),
    "class of bad files": (class_folder("bad", "a.jpg"), "'bad' holds no readable"),
    "one class": (one_class, "only the class folder 'cat'"),
    "classes that differ only in case": (class_folder("DOG", "a.png"), "differ only in case"),
}
"""Rejected with a message that says this."""

WARNED: dict[str, tuple[Make, str]] = {
    "image in two classes": (same_in_both, "two classes"),
    "image in train and test": (same_in_test, "leakage"),
    "several frames": (moving("a.gif"), "frames"),
    "odd aspect": (shaped(1, 10_000), "aspect"),
}
"""Taken with a finding of this kind."""
