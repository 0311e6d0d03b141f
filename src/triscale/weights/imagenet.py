"""The 1000 classes of ImageNet-1k, read from installed packages that publish them; no list is kept here.

torchvision (BSD) has the names beside its weights, timm (Apache-2.0) the WordNet ids. Neither is needed to run
triscale, so each is imported only when a network of these classes comes without names.
"""

from functools import cache
from importlib import import_module, resources

from triscale.errors import InputError

CLASSES = 1000


@cache
def imagenet_names() -> tuple[str, ...]:
    """The names in the order of the classifier's outputs, such as `tench`; each is there once.

    Raises:
        InputError: torchvision is not installed.
    """
    try:
        models = import_module("torchvision.models")
    except ImportError:
        raise InputError(
            "the names of ImageNet's classes come with torchvision, which is not installed.\n"
            "Install it beside torch: pip install 'triscale[imagenet]'."
        ) from None
    return tuple(models.ResNet50_Weights.DEFAULT.meta["categories"])


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
