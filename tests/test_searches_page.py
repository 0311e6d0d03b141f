"""What docs/samplers.md says of searches on real images is what their last records say."""

from statistics import mean

from benchmarks import searches


def test_the_page_shows_the_last_record_of_each_data_set() -> None:
    page = searches.PAGE.read_text(encoding="utf-8")
    assert searches.recorded()
    assert searches.drawn(page) == page


def test_each_search_of_a_record_had_as_many_trials_and_seeds_as_it_says() -> None:
    for one in searches.recorded().values():
        assert {search["sampler"] for search in one["searches"]} == set(searches.SAMPLERS)
        for search in one["searches"]:
            assert len(search["trials"]) == one["trials"]
            assert len(search["found"]) == len(search["baseline"]) == one["seeds"]
            assert search["macs"][1] <= search["macs"][0]


def test_the_sentences_of_the_page_are_those_of_the_record() -> None:
    """A sentence with a number is wrong as soon as another record stands below it."""
    gains: dict[str, list[float]] = {name: [] for name in searches.SAMPLERS}
    for search in searches.recorded()["flowers"]["searches"]:
        gains[search["sampler"]].append(100 * (mean(search["found"]) - mean(search["baseline"])))
    assert f"{gains['evolution'][2]:.1f}" == "1.1"
    assert f"{mean(gains['random']):.1f}" == "-0.8"
    assert mean(gains["evolution"]) > mean(gains["controller"]) > mean(gains["random"])
