"""Pictures for training: every kind of data set behind one `Source`; splits, augmentation and batches.

Torch is imported by `triscale.data.batches` and `.loader` only, which are therefore not imported here.
"""

from triscale.data.cache import Progress
from triscale.data.findings import Finding
from triscale.data.held import Held, open_split
from triscale.data.images import load_picture
from triscale.data.photo import Policy
from triscale.data.resize import Pictures, Size
from triscale.data.source import Source, TestFrom, TrainingSplit
from triscale.data.sources import open_data
from triscale.data.split import SplitRule, recorded_rule, split_validation
from triscale.data.split_words import Split
from triscale.data.transform import Picture, Transform, picture_name

__all__ = [
    "Finding",
    "Held",
    "Picture",
    "Pictures",
    "Policy",
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
