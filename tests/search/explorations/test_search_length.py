"""How long a search is: its time is kept, and images are given up before trials."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triscale.errors import InputError
from triscale.search.explorations.search_length import FEWEST, TRIALS, search_length
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.planning.training_length import EVALUATION

ASKED = SearchQuestion()
SPEED = 1e-3


def test_without_a_time_a_search_is_64_trials_of_5_epochs_of_all_images() -> None:
    found = search_length(ASKED, 10_000, 900, SPEED, 2)
    assert (found.trials, found.epochs, found.images, found.final_epochs) == (TRIALS, 5, 10_000, 20)
    by_hand = SPEED * (10_000 + EVALUATION * 900) / 2 * (64 * 5 + 2 * 3 * 20)
    assert found.seconds == pytest.approx(by_hand)


@settings(max_examples=60)
@given(st.floats(60, 50_000), st.sampled_from([None, 20, 100]), st.sampled_from([None, 3_000]), st.integers(1, 4))
def test_a_search_keeps_its_time_or_the_message_says_which_it_would_keep(
    time: float, trials: int | None, images: int | None, workers: int
) -> None:
    asked = replace(ASKED, time=time, trials=trials, train_size=images)
    try:
        found = search_length(asked, 10_000, 900, SPEED, workers)
    except InputError as error:
        minutes = int(str(error).split("--time ")[1].split("m")[0])
        assert 60 * minutes > time
        found = search_length(replace(asked, time=60.0 * minutes), 10_000, 900, SPEED, workers)
        time = 60.0 * minutes
    assert found.seconds <= time * (1 + 1e-9)
    assert found.trials >= (trials or FEWEST)
    assert found.images == images or (images is None and 1_000 <= found.images <= 10_000)
    if images is None and trials is None and found.images > 1_000:
        assert found.trials >= TRIALS, "fewer images come before fewer trials"
