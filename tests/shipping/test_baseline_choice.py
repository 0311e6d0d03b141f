"""Which network is scaled and with which weights it begins, by the images and the limits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from triscale import families
from triscale.costs import ANYWHERE, count
from triscale.data import Source
from triscale.data.readers.torchvision_sets import MemoryPart
from triscale.errors import InputError, UsageError
from triscale.shipping.baseline_choice import Keeps, baseline_for, keeps, weights_from
from triscale.shipping.fit_question import FitQuestion
from triscale.spec import Network
from triscale.weights.packages import PACKAGES, packaged_file

BUDGET = {"macs": 50e6}


def source(side: int, classes: int = 3) -> Source:
    """A data set whose originals have this side; nobody looks at its images here."""
    part = MemoryPart(np.zeros((classes, 2, 2, 3), np.uint8), np.arange(classes), "train")
    return Source(
        name="made", classes=tuple("abcdefghij"[:classes]), native=(side, side), fingerprint="made",
        test_from="test", parts={"train": part, "test": part}, cache=Path(),
    )  # fmt: skip


def question(**other: object) -> FitQuestion:
    """Of images that are not opened."""
    return FitQuestion(**{"data": "made", "budget": BUDGET, **other})  # type: ignore[arg-type]


def everything(network: Network) -> bool:
    """Limits that every network keeps."""
    return bool(network)


def nothing(network: Network) -> bool:
    """Limits that no network keeps."""
    return not network


def require_packaged(name: str) -> None:
    """Skip where the package is not installed; the extra `lite` installs one."""
    try:
        packaged_file(name)
    except InputError as error:
        pytest.skip(str(error).splitlines()[0])


@pytest.mark.parametrize(
    ("side", "name"), [(20, "smallnet_24"), (28, "smallnet_32"), (64, "smallnet_64"), (512, "efficientnet_lite0")]
)
def test_the_baseline_is_one_made_for_images_of_this_size(side: int, name: str) -> None:
    found = baseline_for(question(weights="none"), source(side), everything)
    assert found.network.name == name
    assert found.network.classes == 3
    assert found.weights is None
    assert max(found.network.resolution) == min(side, families.network(name).resolution[0]), "no pixel is made up"


def test_a_network_that_is_named_is_taken() -> None:
    found = baseline_for(question(network="mobilenet_v3_small"), source(512), everything)
    assert (found.network.name, found.weights) == ("mobilenet_v3_small", None)


@pytest.mark.parametrize(
    ("limit", "side"), [(everything, 224), (keeps({"macs": 50e6}, ANYWHERE), 224)], ids=["all", "50M"]
)
def test_photos_begin_with_installed_weights_where_these_keep_the_limits(limit: Keeps, side: int) -> None:
    """At fewer pixels, if need be: 50 M MACs are an eighth of the network's own."""
    require_packaged("efficientnet_lite0")
    found = baseline_for(question(), source(500), limit)
    assert found.weights is not None
    assert found.origin == "package"
    assert found.network.resolution[0] >= side
    again = weights_from("package", found.named, allow_pth=False)
    assert again.digest == found.weights.digest


def test_weights_that_no_resolution_makes_small_enough_are_left_and_the_answer_says_so() -> None:
    require_packaged("efficientnet_lite0")
    small = keeps({"file_size": 2e6}, ANYWHERE)
    found = baseline_for(question(budget={"file_size": 2e6}), source(500), small)
    assert found.weights is None
    assert any("No installed weights keep these limits" in one for one in found.reasons)


def test_weights_that_are_asked_for_are_taken_or_it_is_an_error() -> None:
    require_packaged("efficientnet_lite0")
    found = baseline_for(question(weights="package"), source(500), nothing)
    assert found.network.name == "efficientnet_lite0"
    with pytest.raises(InputError, match="no such run folder or checkpoint"):
        baseline_for(question(weights="nowhere.safetensors"), source(500), everything)
    with pytest.raises(UsageError, match="only the resolution can be scaled, not by width"):
        baseline_for(question(weights="package", rule="width"), source(500), everything)


def test_small_images_do_not_take_weights_of_photos() -> None:
    found = baseline_for(question(), source(32), everything)
    assert (found.network.name, found.weights) == ("smallnet_32", None)


def test_keeps_counts_each_limit() -> None:
    network = replace(families.network("efficientnet_lite0"), classes=10)
    macs = count(network).macs
    assert keeps({"macs": macs}, ANYWHERE)(network)
    assert not keeps({"macs": macs - 1}, ANYWHERE)(network)
    assert not keeps({"macs": macs, "params": 1e6}, ANYWHERE)(network)
    assert len(PACKAGES) == 3
