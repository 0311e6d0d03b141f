"""The words by which tables, records and arrays call paths and labels, and the suffixes by which files are images."""

import re
from pathlib import PurePosixPath

PICTURE_SUFFIXES = frozenset(
    [
        "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "bmp", "dib", "gif", "tif", "tiff", "avif", "heic",
        "heif", "hif", "ppm", "pgm", "pbm", "pnm", "pfm", "jp2", "j2k", "jpx", "jpc", "j2c", "jxl", "tga", "ico", "psd",
        "svg", "raw", "dng", "cr2", "cr3", "nef", "arw", "orf", "raf", "rw2", "dcm",
    ]
)  # fmt: skip
"""Names of formats, read here or not: what cannot be read is then left out with its reason."""

PATH, LABEL, SPLIT = "path", "label", "split"
"""The names of columns that this package documents; where they stand, no other column is looked at."""

PATH_WORDS = (
    """path""",
    """filepath imagepath imgpath picturepath photopath relpath relativepath fullpath pathtoimage imagefilepath""",
    """filename file imagefile imagefilename imagename imgname imgfile fname picturename photoname images filenames
    files imagefilenames filepaths imagepaths imagelocation filelocation""",
    """image img image photo images imgs""",
    """imageid imgid pictureid photoid imageindex isicid fileid imgindex""",
    """id name key uid uuid uri url imageurl sample sourceref idcode""",
)
"""By rank: what names a file comes before what names an image, and that before what may name anything."""

LABEL_WORDS = (
    """label""",
    """labels class classes classname classlabel classid labelname labelid labeltext category categories categoryid
    categoryname target targets targetname targetid species breed y groundtruth gt truth diagnosis dx tag wnid synset
    annotation classification cls classindex classidx labelidx labelindex targetlabel trueclass truelabel choice""",
)
INDEX_WORDS = frozenset(("", "index", "unnamed0", "row", "rowid", "rownumber", "no", "nr", "number", "idx"))
"""Columns that only number the rows."""
SPLIT_WORDS = frozenset(
    ("split", "splits", "set", "subset", "partition", "phase", "usage", "dataset", "fold", "datasplit", "mode", "stage")
)

_PATHS = {word: rank for rank, words in enumerate(PATH_WORDS) for word in words.split()}
_LABELS = {word: rank for rank, words in enumerate(LABEL_WORDS) for word in words.split()}


def word_of(cell: str) -> str:
    """A title without its case, spaces and signs: `Image ID`, `image_id` and `imageId` are one word."""
    return re.sub(r"[\W_]+", "", cell.casefold())


def path_rank(title: str) -> int | None:
    """How surely a title means the path of an image, 0 most; None: it does not."""
    return _PATHS.get(word_of(title))


def label_rank(title: str) -> int | None:
    """How surely a title means the label, 0 most; None: it does not."""
    return _LABELS.get(word_of(title))


def is_known(title: str) -> bool:
    """Whether a title is one of these words, so that it stands in a head."""
    word = word_of(title)
    return word in _PATHS or word in _LABELS or word in SPLIT_WORDS


def suffix_of(cell: str) -> str:
    """The suffix of a path, without its dot and in small letters."""
    return PurePosixPath(cell.strip().lower().replace("\\", "/")).suffix.removeprefix(".")


def looks_like_picture(cell: str) -> bool:
    """Whether a cell ends as the name of an image file does."""
    return suffix_of(cell) in PICTURE_SUFFIXES
