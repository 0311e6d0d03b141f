"""A dimension that the callable lacks, or that moves nothing, leaves a search; two must remain."""

import pytest

from triscale.errors import InputError
from triscale.foreign import dimensions
from triscale.spec import ForeignNetwork

HERE = "tests.foreign.models"


def scaled(text: str) -> tuple[str, ...]:
    return dimensions(ForeignNetwork.parse(text)).scaled


def test_dimensions_are_those_that_move_a_count() -> None:
    assert scaled("tests.examples.cifar_resnet:build@resolution=32,blocks=1") == ("depth", "width", "resolution")
    assert scaled(f"{HERE}:stack@resolution=16,resolution=") == ("depth", "width")
    assert scaled(f"{HERE}:stack@resolution=16,depth=") == ("width", "resolution")


def test_what_stays_says_why() -> None:
    found = dimensions(ForeignNetwork.parse(f"{HERE}:tiny@resolution=16"))
    assert str(found) == "width, resolution (depth stays: the callable has no parameter depth)"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"{HERE}:fixed_size@resolution=16",
            "depth: it changes no count; resolution: the network takes images of 16x16 px only",
        ),
        (f"{HERE}:tiny@resolution=16,resolution=", "resolution: held by its settings"),
        (f"{HERE}:fails_when_wide@resolution=16", "width 2, 16x16 px failed: ValueError: at most 8 channels"),
    ],
)
def test_fewer_than_two_dimensions_are_rejected(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        scaled(text)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
