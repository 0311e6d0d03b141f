"""The tables and figures of the page say what the records say."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from statistics import mean

import msgspec
import pytest

from tests.report import sample
from tests.report.reading import Reader, figure
from triscale.report import summary_markdown
from triscale.report.parts.plot_style import epoch_axis
from triscale.spec import content_hash
from triscale.trials import TEST, VALIDATION, Trial
from triscale.trials.study_records import CamRecord, ChoiceRecord, FamilyRecord, StudyRecord

STUDY = sample.study()


def exams(id_: str, epochs: int) -> list[float]:
    """Test accuracies of a network at a length."""
    trials = (one for one in STUDY.trials() if (content_hash(one.network), one.epochs) == (id_, epochs))
    return [one.metrics[TEST] for one in trials]


def test_the_family_table_repeats_the_records(page: str) -> None:
    reader, members = Reader(page), STUDY.one(FamilyRecord).members
    tops, macs = reader.column(0, "test top-1, %"), reader.column(0, "MACs")
    assert len(tops) == len(members) == 9
    for member in members:
        name = "baseline" if member.rule == "baseline" else f"{member.rule} φ={member.phi:g}"
        found = exams(member.id, sample.EPOCHS)
        assert tops[name].startswith(f"{100 * mean(found):.1f} ±")
        assert tops[name].endswith(f"({len(found)})")
        assert macs[name] == f"{member.cost['macs'] / 1e6:#.3g} M"


def test_the_plot_repeats_the_records(page: str) -> None:
    shown = figure(page, 0)["data"]
    members = [one for one in STUDY.one(FamilyRecord).members if one.rule == "compound"]
    for key, axis in (("macs", "x"), ("params", "x2")):
        trace = next(one for one in shown if one["name"] == "compound" and one["xaxis"] == axis)
        assert trace["x"] == [one.cost[key] for one in members]
        assert trace["y"] == pytest.approx([100 * mean(exams(one.id, sample.EPOCHS)) for one in members])
        assert min(trace["error_y"]["array"]) > 0


def test_axes_are_labelled_with_their_units(page: str) -> None:
    titles = [
        [figure(page, number)["layout"][axis]["title"]["text"] for axis in ("xaxis", "xaxis2", "yaxis")]
        for number in (0, 1)
    ]
    assert titles == [
        ["MACs per image (log scale)", "parameters (log scale)", "top-1 accuracy (%)"],
        ["epochs", "training compute: samples × 3 × MACs (log scale)", "validation top-1 (%)"],
    ]


def test_training_curves_span_equal_epochs_and_their_own_compute(page: str) -> None:
    shown = [one for one in figure(page, 1)["data"] if one["name"] == "compound φ=2"]
    member = next(one for one in STUDY.one(FamilyRecord).members if (one.rule, one.phi) == ("compound", 2))
    assert shown[0]["x"] == list(range(1, sample.EPOCHS + 1))
    assert shown[1]["x"][-1] == sample.EPOCHS * sample.TRAIN * 3 * member.cost["macs"]
    assert shown[0]["y"] == shown[1]["y"]


@pytest.mark.parametrize(
    ("most", "step"), [(1, 1), (2, 1), (10, 1), (11, 2), (20, 2), (21, 5), (50, 5), (51, 10), (100, 10), (350, 50)]
)
def test_epochs_have_about_ten_ticks_at_whole_numbers(most: int, step: int) -> None:
    axis = epoch_axis(most)
    assert (axis["tick0"], axis["dtick"]) == (0, step)
    assert 1 <= most / step <= 10


def test_the_curves_of_the_page_have_ticks_at_whole_epochs(page: str) -> None:
    axis = figure(page, 1)["layout"]["xaxis"]
    assert (axis["tick0"], axis["dtick"]) == (0, epoch_axis(sample.EPOCHS)["dtick"])


def test_equal_compute_pairs_each_compound_network_with_a_longer_baseline(page: str) -> None:
    ratios = Reader(page).column(2, "ratio")
    assert list(ratios) == [
        "compound φ=1", "baseline, longer (for φ=1)", "compound φ=2", "baseline, longer (for φ=2)",
    ]  # fmt: skip
    assert all(0.95 < float(ratio.rstrip("×")) < 1.05 for ratio in ratios.values())


def test_the_baseline_and_its_longer_training_are_tested_apart(page: str) -> None:
    base, reader = content_hash(sample.BASELINE), Reader(page)
    lengths = sorted({one.epochs for one in STUDY.trials() if content_hash(one.network) == base})
    longer = f"{100 * mean(exams(base, lengths[1])):.1f} "
    assert reader.column(2, "test top-1, %")["baseline, longer (for φ=1)"].startswith(longer)
    assert not reader.column(0, "test top-1, %")["baseline"].startswith(longer)


def test_a_wrong_prediction_is_marked_wrong(page: str) -> None:
    pictures = STUDY.one(CamRecord).pictures
    right = sum(entry.predicted == row.label for row in pictures for entry in row.maps)
    wrong = sum(entry.predicted != row.label for row in pictures for entry in row.maps)
    assert (Reader(page).kinds("right"), Reader(page).kinds("wrong")) == (right, wrong)
    assert len(Reader(page).images()) == right + wrong + len(pictures)


def test_the_summary_shows_the_tables_of_the_page(page: str, tmp_path: Path) -> None:
    summary = summary_markdown(sample.stored(tmp_path))
    for table in Reader(page).tables[:3]:
        for row in table:
            assert all(cell.strip().replace("[", "\\[").replace("]", "\\]") in summary for cell in row)


def test_trials_that_are_not_finished_have_no_part_in_the_numbers(tmp_path: Path) -> None:
    def stopped(steps: Iterable[sample.Step], state: str) -> sample.Study:
        first = next(one for one in steps if isinstance(one, Trial))
        other = replace(first, state=state, job=replace(first.job, seed=7), metrics={VALIDATION: 0.0})  # type: ignore[arg-type]
        return replace(STUDY, steps=(*steps, other))

    plain = summary_markdown(sample.stored(tmp_path / "plain", STUDY))
    for state in ("waiting", "running"):
        assert summary_markdown(sample.stored(tmp_path / state, stopped(STUDY.steps, state))) == plain


def test_a_study_that_went_on_elsewhere_names_every_device(tmp_path: Path) -> None:
    def elsewhere(one: sample.Step) -> sample.Step:
        if not isinstance(one, Trial) or one.numerics is None or one.seed:
            return one
        return replace(one, numerics=replace(one.numerics, device="cuda:0", threads=4))

    assert "- device: cpu\n- threads a training: 1\n" in summary_markdown(sample.stored(tmp_path / "one"))
    moved = summary_markdown(sample.stored(tmp_path / "two", STUDY.each(elsewhere)))
    assert "- device: cpu, cuda:0\n- threads a training: 1, 4\n" in moved


def test_a_gpu_is_named_where_there_is_one(tmp_path: Path) -> None:
    machine = STUDY.one(StudyRecord).machine
    assert "gpu" not in summary_markdown(sample.stored(tmp_path / "without"))
    with_one = STUDY.with_(StudyRecord, machine={**machine, "gpu": "NVIDIA H200"})
    assert "- gpu: NVIDIA H200\n" in summary_markdown(sample.stored(tmp_path / "with", with_one))


def test_a_choice_by_the_older_rule_is_named_so(tmp_path: Path) -> None:
    def older(one: sample.Step) -> sample.Step:
        return msgspec.structs.replace(one, rule=None) if isinstance(one, ChoiceRecord) else one

    summary = summary_markdown(sample.stored(tmp_path, STUDY.each(older)))
    assert "an older version took the cheapest of these" in summary
