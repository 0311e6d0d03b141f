"""The tables and figures of the page say what the records say."""

from statistics import mean

import pytest

from tests.report import sample
from tests.report.reading import Reader, figure
from triscale.report import summary_markdown


def test_the_family_table_repeats_the_records(page: str) -> None:
    study = sample.study()
    family = study.one("family")
    assert family is not None
    reader = Reader(page)
    tops = reader.column(0, "test top-1, %")
    macs = reader.column(0, "MACs")
    assert len(tops) == len(family["members"])
    for member in family["members"]:
        name = "baseline" if member["rule"] == "baseline" else f"{member['rule']} φ={member['phi']}"
        rows = [row for row in study.all("test") if row["id"] == member["id"] and row["epochs"] == sample.EPOCHS]
        assert tops[name].startswith(f"{100 * mean(row['correct'] / row['n'] for row in rows):.1f} ±")
        assert tops[name].endswith(f"({len(rows)})")
        assert macs[name] == f"{member['cost']['macs'] / 1e6:#.3g} M"


def test_the_plot_repeats_the_records(page: str) -> None:
    study = sample.study()
    shown = figure(page, 0)["data"]
    for key, axis in (("macs", "x"), ("params", "x2")):
        trace = next(one for one in shown if one["name"] == "compound" and one["xaxis"] == axis)
        members = [one for one in sample.family() if one["rule"] == "compound"]
        tests = [[row["top1"] for row in study.all("test") if row["id"] == one["id"]] for one in members]
        assert trace["x"] == [one["cost"][key] for one in members]
        assert trace["y"] == pytest.approx([100 * mean(tops) for tops in tests])
        assert min(trace["error_y"]["array"]) > 0


def test_axes_are_labelled_with_their_units(page: str) -> None:
    titles = [
        [figure(page, number)["layout"][axis]["title"]["text"] for axis in ("xaxis", "xaxis2", "yaxis")]
        for number in (0, 1)
    ]
    assert titles == [
        ["MACs per picture (log scale)", "parameters (log scale)", "top-1 accuracy (%)"],
        ["epochs", "training compute: samples × 3 × MACs (log scale)", "validation top-1 (%)"],
    ]


def test_training_curves_span_equal_epochs_and_their_own_compute(page: str) -> None:
    shown = [one for one in figure(page, 1)["data"] if one["name"] == "compound φ=2"]
    member = next(one for one in sample.family() if one["rule"] == "compound" and one["phi"] == 2)
    assert shown[0]["x"] == list(range(1, sample.EPOCHS + 1))
    assert shown[1]["x"][-1] == sample.EPOCHS * sample.TRAIN * 3 * member["cost"]["macs"]
    assert shown[0]["y"] == shown[1]["y"]


def test_equal_compute_pairs_each_compound_network_with_a_longer_baseline(page: str) -> None:
    reader = Reader(page)
    ratios = reader.column(2, "ratio")
    assert list(ratios) == [
        "compound φ=1", "baseline, longer (for φ=1)", "compound φ=2", "baseline, longer (for φ=2)",
    ]  # fmt: skip
    assert all(0.95 < float(ratio.rstrip("×")) < 1.05 for ratio in ratios.values())


def test_the_baseline_and_its_longer_training_are_tested_apart(page: str) -> None:
    study = sample.study()
    base = sample.identity("flower_24")
    longer = mean(row["top1"] for row in study.all("test") if row["id"] == base and row["epochs"] == 20)
    reader = Reader(page)
    assert reader.column(2, "test top-1, %")["baseline, longer (for φ=1)"].startswith(f"{100 * longer:.1f}")
    assert not reader.column(0, "test top-1, %")["baseline"].startswith(f"{100 * longer:.1f}")


def test_a_wrong_prediction_is_marked_wrong(page: str) -> None:
    study = sample.study()
    cam = study.one("cam")
    assert cam is not None
    right = sum(entry["predicted"] == row["label"] for row in cam["pictures"] for entry in row["maps"])
    wrong = sum(entry["predicted"] != row["label"] for row in cam["pictures"] for entry in row["maps"])
    assert (Reader(page).kinds("right"), Reader(page).kinds("wrong")) == (right, wrong)
    assert len(Reader(page).images()) == right + wrong + len(cam["pictures"])


def test_the_summary_shows_the_tables_of_the_page(page: str) -> None:
    summary = summary_markdown(sample.study())
    for table in Reader(page).tables[:3]:
        for row in table:
            assert all(cell.strip().replace("[", "\\[").replace("]", "\\]") in summary for cell in row)


def test_a_study_that_went_on_elsewhere_names_every_device() -> None:
    study = sample.study()
    assert "- device: cpu\n- threads a training: 1\n" in summary_markdown(study)
    study.all("run")[0].update(device="cuda:0", threads=4)
    assert "- device: cpu, cuda:0\n- threads a training: 1, 4\n" in summary_markdown(study)
    study[0]["machine"]["gpu"] = None
    assert "gpu" not in summary_markdown(study)
    study[0]["machine"]["gpu"] = "NVIDIA H200"
    assert "- gpu: NVIDIA H200\n" in summary_markdown(study)
