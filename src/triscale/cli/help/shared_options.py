"""Groups of options that several commands have."""

from triscale.cli.help.page import Section

DATA_CHECKS: Section = (
    "Doubtful images",
    ("--strict", "--allow-empty", "--allow-truncated", "--follow-links", "--download", "--group-by"),
)
MACHINE: Section = ("Machine", ("--device", "--threads", "--kernels", "--jobs", "--loader-workers"))
CLUSTER: Section = ("Cluster", ("--engine", "--address", "--num-gpus", "--ship-data"))
PREPROCESSING: Section = ("Preprocessing", ("--resolution", "--interpolation", "--crop", "--override"))
OTHER_WEIGHTS: Section = ("Weights that RUN does not hold", ("--weights", "--network", "--allow-pth", "--trust-code"))
COUNTED_TRAINING: Section = (
    "How memory and file size are counted",
    ("--optimizer", "--precision", "--gradient-checkpointing", "--ema", "--isa", "--threads", "--weights-precision"),
)
