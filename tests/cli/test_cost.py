"""`triscale networks` and `triscale cost`."""

import subprocess
import sys

import pytest

from tests.cli.conftest import Run

COST_KEYS = {"network", "resolution", "params", "macs", "activations", "inference_memory", "training_memory", "batch"}


def test_networks_lists_every_network_with_its_counts(run: Run) -> None:
    rows = run("networks", "--json").json
    assert all(row.keys() >= {"name", "family", "params", "macs", "activations", "resolution"} for row in rows)
    b0 = next(row for row in rows if row["name"] == "efficientnet_b0")
    assert (b0["family"], b0["params"], b0["macs"]) == ("efficientnet", 5_288_548, 385_814_752)
    assert b0["resolution"] == [224, 224]
    assert all(row["name"] in run("networks").out for row in rows)


def test_cost_has_the_shape_that_scripts_rely_on(run: Run) -> None:
    found = run("cost", "efficientnet_b0", "--batch", 2, "--json").json
    assert found.keys() >= COST_KEYS
    assert (found["network"], found["resolution"], found["batch"]) == ("efficientnet_b0", [224, 224], 2)
    assert (found["params"], found["macs"]) == (5_288_548, 385_814_752)


def test_cost_takes_a_resolution_that_is_not_square(run: Run) -> None:
    square, wide = (run("cost", "mobilenet_v1", "--resolution", px, "--json").json for px in ("64", "64x128"))
    assert (square["resolution"], wide["resolution"]) == ([64, 64], [64, 128])
    assert wide["macs"] > 1.9 * square["macs"]


def test_cost_by_stage_adds_up(run: Run) -> None:
    found = run("cost", "efficientnet_b0", "--by-stage", "--json").json
    assert sum(row["macs"] for row in found["stages"]) == found["macs"]
    assert sum(row["params_share"] for row in found["stages"]) == pytest.approx(1)


def test_the_largest_batch_fits_and_one_more_does_not(run: Run) -> None:
    limit = 2**30
    most = run("cost", "mobilenet_v2", "--fit-memory", "1GiB", "--json").json["largest_batch"]
    use = [run("cost", "mobilenet_v2", "--batch", n, "--json").json["training_memory"] for n in (most, most + 1)]
    assert use[0] <= limit < use[1]


def test_separable_shows_the_arithmetic_of_mobilenet(run: Run) -> None:
    for row in run("cost", "mobilenet_v1", "--separable", "--json").json["separable"]:
        if row["stride"] == 1:
            assert 1 / row["macs_ratio"] == pytest.approx(1 / row["out_channels"] + 1 / row["kernel"] ** 2)


def test_the_optimizer_decides_the_training_memory(run: Run) -> None:
    sgd, adam = (run("cost", "resnet18", "--optimizer", one, "--json").json for one in ("sgd", "adam"))
    assert sgd["training_memory"] < adam["training_memory"]
    assert sgd["inference_memory"] == adam["inference_memory"]


def test_precision_recomputation_and_the_average_decide_the_training_memory(run: Run) -> None:
    options: tuple[list[str], ...] = ([], ["--precision", "bfloat16"], ["--recompute"], ["--ema"])
    plain, bfloat16, recompute, ema = (run("cost", "resnet18", "--batch", 8, *one, "--json").json for one in options)
    assert recompute["training_memory"] < plain["training_memory"] < ema["training_memory"]
    assert bfloat16["training_memory"] < plain["training_memory"]
    assert (plain["precision"], plain["recompute"], plain["ema"]) == ("float32", False, False)
    more = run("cost", "resnet18", "--fit-memory", "1GiB", "--recompute", "--precision", "bfloat16", "--json").json
    assert more["largest_batch"] > run("cost", "resnet18", "--fit-memory", "1GiB", "--json").json["largest_batch"]
    assert "sgd in bfloat16, blocks recomputed" in run("cost", "resnet18", "--recompute", "--precision", "bfloat16").out


def test_the_text_says_what_the_json_says(run: Run) -> None:
    text = run("cost", "efficientnet_b0", "--by-stage", "--separable", "--fit-memory", "8GiB").out
    assert "385,814,752" in text
    assert "stage7" in text
    assert "standard MACs" in text
    assert "8.00 GiB" in text


def test_a_pipeline_is_all_of_the_network_in_stages_of_like_cost(run: Run) -> None:
    found = run("cost", "efficientnet_b0", "--stages", 3, "--batch", 24, "--json").json
    rows = found["pipeline"]
    assert (rows[0]["first"], rows[-1]["last"], found["microbatches"]) == ("stem", "head", 12)
    assert sum(row["macs"] for row in rows) == found["macs"]
    assert sum(row["params"] for row in rows) == found["params"]
    assert max(row["macs_share"] for row in rows) < 0.37
    assert all(0 < row["memory"]["1f1b"] <= row["memory"]["gpipe"] < found["training_memory"] for row in rows)
    text = run("cost", "efficientnet_b0", "--stages", 3, "--batch", 24).out
    assert f"stem to {rows[0]['last']}" in text


def test_a_pipeline_that_cannot_be_is_refused(run: Run) -> None:
    for arguments, words in (
        (("--stages", 2), "a multiple of 2, 4 at least"),
        (("--stages", 99, "--batch", 198), "it has 18 blocks"),
        (("--microbatches", 2), "give --stages too"),
        (("--stages", 2, "--batch", 8, "--microbatches", 3), "not a whole number of images"),
    ):
        answer = run("cost", "efficientnet_b0", *arguments)
        assert answer.code == 64
        assert words in answer.err


def test_cost_runs_without_torch_numpy_or_plotly() -> None:
    """In a process of its own: this one has loaded them all."""
    code = (
        "import sys; from triscale.cli import main; code = main(['cost', 'efficientnet_b0', '--json']); "
        "print(sorted({'torch', 'numpy', 'plotly', 'PIL'} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert '"macs": 385814752' in done.stdout
