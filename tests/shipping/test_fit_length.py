"""How many epochs a time allows, for the answer and for the network of twice the cost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.errors import InputError
from triscale.quantities import seconds as duration
from triscale.recipes import Recipe, load_recipe
from triscale.shipping.fit_length import Images, larger_epochs, least_epochs, length_within, suited

QUICK = load_recipe("quick")
IMAGES = Images(1_000, 100)


@given(
    seconds=st.floats(10, 1e5),
    per_image=st.floats(1e-5, 1e-2),
    training=st.integers(20, 50_000),
    compare=st.booleans(),
)
def test_a_training_keeps_its_time_and_leaves_half_for_the_comparison(
    seconds: float, per_image: float, training: int, compare: bool
) -> None:
    images = Images(training, training // 10)
    try:
        found = length_within(seconds, 0.0, QUICK, images, per_image, compare=compare)
    except InputError:
        assert 2 * per_image * images.passes > 0.9 * seconds
        return
    spent = found.epochs * per_image * images.passes
    assert found.epochs >= least_epochs(QUICK)
    assert spent <= seconds * (0.45 if found.compared else 0.9) * (1 + 1e-9)
    assert compare or not found.compared


@given(
    seconds=st.floats(0.001, 1e4),
    spent=st.floats(0, 1e4),
    per_image=st.floats(1e-5, 1e-1),
    slower=st.floats(0.5, 1.2),
)
def test_the_time_that_the_message_proposes_is_enough(
    seconds: float, spent: float, per_image: float, slower: float
) -> None:
    """Also where the next run is a fifth slower; and it is not much more than that."""
    try:
        length_within(seconds, spent, QUICK, IMAGES, per_image, compare=False)
    except InputError as error:
        proposed = re.search(r"Give --time (\S+) or more", str(error))
        assert proposed is not None
        time = duration(proposed[1])
        assert time <= 1.3 * (spent + 2 * per_image * IMAGES.passes / 0.9) + 60
        found = length_within(time, slower * spent, QUICK, IMAGES, slower * per_image, compare=False)
        assert found.epochs >= least_epochs(QUICK)


def test_much_time_trains_no_longer_than_is_worth_it() -> None:
    assert length_within(1e9, 0.0, QUICK, Images(100_000, 100), 1e-3, compare=True).epochs == 30
    assert length_within(1e9, 0.0, QUICK, Images(64, 10), 1e-3, compare=True).epochs == 1_000, (
        "of few images, 1,000 steps"
    )


def test_where_both_do_not_fit_the_answer_has_all_the_time() -> None:
    epoch = IMAGES.passes * 1e-2
    found = length_within(3.5 * epoch / 0.9, 0.0, QUICK, IMAGES, 1e-2, compare=True)
    assert (found.epochs, found.compared) == (3, False)


def test_a_warm_up_has_to_end() -> None:
    assert least_epochs(QUICK) == 2
    assert least_epochs(load_recipe("efficientnet")) == 6


@pytest.mark.parametrize(
    ("seconds", "expected"), [(1000, 10), (10 * 10 / 0.9 + 0.1, 10), (75, 6), (56, 5), (54, 0), (0, 0), (-5, 0)]
)
def test_the_larger_network_trains_as_long_or_half_as_long_or_not(seconds: float, expected: int) -> None:
    assert larger_epochs(seconds, 10, 10.0) == expected


def test_few_images_get_smaller_batches() -> None:
    assert suited(QUICK, 60_000).batch == QUICK.batch
    assert suited(QUICK, 240).batch == 30
    assert suited(Recipe(), 5).batch == 2
