"""Images for training: every kind of data set behind one `Source`; splits, augmentation and batches.

Torch is imported by `triscale.data.feed.in_memory` and `.loader` only, which are therefore not imported here.
"""

from triscale.data.checks.findings import Finding
from triscale.data.decode.image import load_picture
from triscale.data.decode.render_cache import Progress
from triscale.data.held import Held, open_split
from triscale.data.names.split_words import Split
from triscale.data.opening import open_data
from triscale.data.photo import CheckOptions
from triscale.data.source import Source, TestFrom, TrainingSplit
from triscale.data.split import SplitRule, recorded_rule, split_validation
from triscale.data.transforms.area_resize import Pictures, Size
from triscale.data.transforms.image_transform import Picture, Transform, picture_name

__all__ = [
    "CheckOptions",
    "Finding",
    "Held",
    "Picture",
    "Pictures",
    "Progress",
    "Size",
    "Source",
    "Split",
    "SplitRule",
    "TestFrom",
    "TrainingSplit",
    "Transform",
    "load_picture",
    "open_data",
    "open_split",
    "picture_name",
    "recorded_rule",
    "split_validation",
]
