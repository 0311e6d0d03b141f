"""How the authors of EfficientNet prepared images for evaluation, by member.

Sources: `preprocessing.py` of the authors' repository before November 2021 (bicubic, all but 32 px of the resized
shorter side; later versions keep 0.875 for every size, which costs accuracy), and the builders for mean and std.
"""

import re
from dataclasses import replace

from triscale.errors import UsageError
from triscale.families.by_name import network
from triscale.spec import IMAGENET, TFLITE, Preprocessing, padded_crop

_MEMBERS = {r"efficientnet_(b[0-8]|l2)": IMAGENET, r"efficientnet_(lite[0-4]|e[sml])": TFLITE}


def official_preprocessing(member: str) -> Preprocessing:
    """The preprocessing of a member's first weights; those trained with AdvProp take INCEPTION's mean and std.

    Raises:
        UsageError: an unknown network, or none of B0..B8, L2, Lite0..4 and EdgeTPU S, M, L.
    """
    for pattern, colours in _MEMBERS.items():
        if re.fullmatch(pattern, member):
            return replace(colours, crop=padded_crop(network(member).resolution))
    network(member)
    raise UsageError(f"no official preprocessing of {member} is known here: it is with the weights.")
