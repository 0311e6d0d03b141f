"""The rungs of a search on its page: the longer trainings of each network, and whether the short ones ranked them."""

import random
from pathlib import Path

import pytest

from tests.report.reading import Reader
from tests.report.search_sample import EPOCHS, changed, trial, write_search
from triscale.report import summary_markdown, write_report
from triscale.report.search_page.search_facts import search_facts
from triscale.search.explorations.rungs.climbing import ranks_of
from triscale.search.explorations.rungs.ladder import promoted
from triscale.spec import Network
from triscale.trials import TrialStore, read
from triscale.trials.searches.rung_records import RanksRecord, RungRecord
from triscale.trials.searches.search_outcomes import RUNG
from triscale.trials.searches.search_records import FoundRecord


def halved(folder: Path, noise: float) -> RungRecord:
    """A search whose better half was trained twice as long, with as much luck."""
    write_search(folder)
    dice = random.Random(5)
    with TrialStore(folder) as store:
        found = store.one(FoundRecord)
        assert found is not None
        rung = promoted(found.scores, 1, 2 * EPOCHS, eta=2, seed=0)
        store.add(rung)
        for id_ in (*rung.promoted, *rung.drawn):
            network = store.network(id_)
            assert isinstance(network, Network)
            store.put(trial(network, RUNG, 0, 2 * EPOCHS, 0.5 * found.scores[id_][0] + dice.gauss(0.3, noise)))
        ranks = ranks_of(store, lambda accuracy, _: accuracy, 0, {})
    changed(folder, ranks=ranks)
    return rung


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RungRecord]:
    folder = tmp_path_factory.mktemp("seen")
    return folder, halved(folder, 0.001)


def ranks_in(folder: Path) -> RanksRecord:
    found = read(folder).one(FoundRecord)
    assert found is not None
    (one,) = found.ranks
    return one


def test_the_page_has_the_longer_trainings_and_tau_over_all_networks(seen: tuple[Path, RungRecord]) -> None:
    folder, rung = seen
    text = " ".join(Reader(write_report(folder).read_text(encoding="utf-8")).words)
    one, facts = ranks_in(folder), search_facts(read(folder))
    best, drawn = len(rung.promoted), len(rung.drawn)
    assert (one.n, one.drawn, one.of) == (best + drawn, 4, len(facts.tried))
    assert f"then the best {best} and {drawn} drawn at random from the others for {rung.epochs}" in text
    assert f"{one.tau:+.2f}" in text
    assert f"{rung.epochs} epochs, %" in text
    assert facts.longer[rung.epochs].keys() == {*rung.promoted, *rung.drawn}
    assert "do not rank networks" not in text
    assert "Do short trainings rank as long ones do?" in summary_markdown(read(folder))


def test_the_page_warns_where_the_short_trainings_did_not_rank(tmp_path: Path) -> None:
    halved(tmp_path, 5.0)
    one = ranks_in(tmp_path)
    assert one.interval is not None
    assert one.interval[0] <= 0 <= one.interval[1], "noise alone"
    text = " ".join(Reader(write_report(tmp_path).read_text(encoding="utf-8")).words)
    assert f"{EPOCHS} epochs do not rank networks as {2 * EPOCHS} do" in text
    assert f"--epochs {2 * EPOCHS}" in text
