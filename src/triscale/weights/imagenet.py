"""The 1000 classes of ImageNet-1k, read from installed packages that publish them; no list is kept here.

torchvision (BSD) has the names beside its weights, timm (Apache-2.0) the WordNet ids. Neither is needed to run
triscale, so each is imported only when a network of these classes comes without names.
"""

import ast
from functools import cache
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path

from triscale.errors import InputError

CLASSES = 1000


@cache
def imagenet_names() -> tuple[str, ...]:
    """The names in the order of the classifier's outputs, such as `tench`; each is there once.

    Raises:
        InputError: torchvision is not installed.
    """
    if listed := _unimported_names():
        return listed
    try:
        models = import_module("torchvision.models")
    except ImportError:
        raise InputError(
            "the names of ImageNet's classes come with torchvision, which is not installed.\n"
            "Install it beside torch: pip install 'triscale[imagenet]'."
        ) from None
    return tuple(models.ResNet50_Weights.DEFAULT.meta["categories"])


def _unimported_names() -> tuple[str, ...]:
    """The names as they stand in torchvision's source, whose import takes as long as torch's; none where it changed."""
    found = find_spec("torchvision")
    if found is None or found.origin is None:
        return ()
    try:
        source = Path(found.origin).with_name("models").joinpath("_meta.py").read_text(encoding="utf-8")
        (listed,) = (
            ast.literal_eval(line.value)
            for line in ast.parse(source).body
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "_IMAGENET_CATEGORIES"
        )
    except (OSError, ValueError, SyntaxError):
        return ()
    return tuple(listed) if len(listed) == CLASSES else ()


@cache
def imagenet_ids() -> tuple[str, ...]:
    """The WordNet ids in the same order, such as `n01440764`: the names of ImageNet's class folders.

    Raises:
        InputError: timm is not installed.
    """
    try:
        listed = resources.files("timm.data").joinpath("_info", "imagenet_synsets.txt").read_text(encoding="ascii")
    except (ImportError, OSError):
        raise InputError(
            "class folders named by WordNet ids are matched by timm's list of them, which is not installed.\n"
            "Install it: pip install 'triscale[imagenet]'."
        ) from None
    return tuple(listed.split())
