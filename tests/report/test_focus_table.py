"""The numbers below the class activation grid are those of the records, paired with the baseline's."""

from pathlib import Path

import pytest
from scipy import stats

from tests.report import sample
from triscale.report import summary_markdown
from triscale.report.focus_table import focus_sentence, focus_table
from triscale.report.study_facts import facts
from triscale.trials.study_records import CamRecord

STUDY = sample.study()


def test_the_difference_of_compound_is_that_of_the_same_images(tmp_path: Path) -> None:
    """By the records: 5 points on every image, so an interval of no width; the baseline itself is not in the list."""
    found = focus_sentence(facts(sample.stored(tmp_path, STUDY)))
    assert "compound φ=1 +5.0 (+5.0 to +5.0)" in found
    assert "depth φ=1 +0.0 (+0.0 to +0.0)" in found
    assert "baseline φ" not in found


def test_a_row_has_the_mean_and_the_t_interval_of_scipy(tmp_path: Path) -> None:
    table = focus_table(facts(sample.stored(tmp_path, STUDY)))
    assert table is not None
    values = [100 * one.insertion for one in STUDY.one(CamRecord).focus[0].scores]
    low, high = stats.t.interval(0.95, len(values) - 1, sum(values) / len(values), stats.sem(values))
    assert table.rows[0].cells[0] == "baseline"
    assert table.rows[0].cells[2] == f"{sum(values) / len(values):.1f} ({low:.1f} to {high:.1f})"
    assert "8 images" in table.note


@pytest.mark.parametrize("scored", [True, False])
def test_the_summary_has_the_scores_where_the_study_has_them(tmp_path: Path, *, scored: bool) -> None:
    study = STUDY if scored else STUDY.with_(CamRecord, focus=(), steps=0)
    assert ("What the maps are worth" in summary_markdown(sample.stored(tmp_path, study))) is scored
