"""The committed results: every summary is what its records say, and README and pages quote them word for word."""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import engines_agree, small_networks, training_speed
from benchmarks.memory import PLAIN, WAYS
from benchmarks.study_answers import chosen_as_today
from tests.paths import ROOT
from triscale import trials
from triscale.costs import kernels, largest_batch
from triscale.families import network, registry
from triscale.report import study_triangle, summary_markdown
from triscale.trials.study_records import AnswerRecord, ChoiceRecord, PlanRecord

TABLES = sorted(path.parent for path in (ROOT / "results" / "tables").glob("*/records.jsonl"))
RESULTS = sorted(path.parent for path in (ROOT / "results").glob("*/records.jsonl"))


README = "README.md"
COUNTED, RESUME, KERNELS = (
    f"docs/explanation/{name}.md" for name in ("what-is-counted", "exact-resume", "fast-kernels")
)
MEASURED, BUDGET, TRANSFER = "docs/evidence/measurements.md", "docs/how-to/a-budget.md", "docs/how-to/transfer.md"
MANY = "docs/how-to/many-machines.md"


def page(path: str) -> str:
    """The text of a page."""
    return (ROOT / path).read_text(encoding="utf-8")


def quoted(text: str, lines: Iterable[str]) -> bool:
    """Whether every line stands in the text."""
    return all(line in text for line in lines)


def test_there_are_results() -> None:
    assert {"cifar10", "clothing", "flowers"} <= {folder.name for folder in RESULTS}


@pytest.mark.parametrize("folder", RESULTS, ids=lambda folder: folder.name)
def test_a_summary_is_what_its_records_say(folder: Path) -> None:
    assert summary_markdown(trials.read(folder)) == (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", RESULTS, ids=lambda folder: folder.name)
def test_readme_or_a_page_quotes_the_answer(folder: Path) -> None:
    answer = trials.read(folder).one(AnswerRecord)
    assert answer is not None
    assert quoted(page(README if folder.name == "flowers" else MEASURED), answer.lines)


@pytest.mark.parametrize("folder", RESULTS, ids=lambda folder: folder.name)
def test_an_answer_is_by_the_rule_of_today_or_its_page_says_so(folder: Path) -> None:
    """Of clothing the older rule chose another network, whose family was trained."""
    stored = trials.read(folder)
    assert chosen_as_today(stored) == (folder.name != "clothing")
    assert ("an older version took the cheapest" in summary_markdown(stored)) == (folder.name == "clothing")


def test_the_page_and_the_picture_of_a_table_are_what_its_records_say() -> None:
    for folder in TABLES:
        stored = trials.read(folder)
        assert summary_markdown(stored) == (folder / "README.md").read_text(encoding="utf-8")
        assert study_triangle(stored) == (folder / "triangle.svg").read_text(encoding="utf-8")
    assert {"cifar10", "flowers_at_phi_2"} <= {folder.name for folder in TABLES}


def test_a_page_quotes_what_the_small_answer_loses_at_four_times_the_cost() -> None:
    answer = trials.read(ROOT / "results" / "tables" / "flowers_at_phi_2").one(AnswerRecord)
    assert answer is not None
    assert "the coefficients from another cost lose 0.1 points" in answer.lines[0]
    assert quoted(page("docs/explanation/triangle.md"), answer.lines[:1])


def test_the_readme_states_what_the_table_of_cifar10_expects() -> None:
    choice = trials.read(ROOT / "results" / "tables" / "cifar10").one(ChoiceRecord)
    plan = trials.read(ROOT / "results" / "tables" / "cifar10").one(PlanRecord)
    assert choice is not None
    assert choice.surface is not None
    assert plan is not None
    names = {one.lattice: one.id for one in plan.candidates} | {"chosen": choice.chosen}
    expected = {one.id: f"{one.expected:.1%}" for one in choice.surface.places}
    said = (
        f"Width and resolution together are expected to reach {expected[names['chosen']]}, width only "
        f"{expected[names['width']]}, resolution only {expected[names['resolution']]}, the paper's point "
        f"{expected[names['paper']]}, depth only {expected[names['depth']]}."
    )
    assert f"<!-- cifar10-table -->{said}<!-- /cifar10-table -->" in page(README)


def test_a_page_has_the_regret_of_every_rule_on_both_tables() -> None:
    record = benchmarks("triangle")[-1]
    assert record["results"].keys() == {"flowers", "cifar10"}
    rows = page(MEASURED).split("<!-- rules -->")[1].split("<!-- /rules -->")[0].splitlines()[3:]
    assert len(rows) == len(record["results"]["flowers"])
    for row in rows:
        rule, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        found = [record["results"][table][rule]["12"] for table in ("flowers", "cifar10")]
        assert cells[::2] == [f"{one['regret']:.2f}" for one in found]
        shown = [None if one["coverage"] is None else f"{one['coverage']:.0%}, {one['area']:.0%}" for one in found]
        assert cells[1::2] == [one or "" for one in shown]


def test_the_surface_keeps_its_aims_on_both_tables() -> None:
    """Regret of at most 0.3 points after 12 trainings, no worse than the best mean, regions that cover 90%."""
    for found in benchmarks("triangle")[-1]["results"].values():
        ours, mean = found["surface, adaptive"]["12"], found["best mean"]["12"]
        assert ours["regret"] <= min(0.3, mean["regret"] + 0.05)
        assert ours["coverage"] >= 0.9


def test_a_changed_figure_would_be_found() -> None:
    text, answer = page(MEASURED), trials.read(ROOT / "results" / "cifar10").one(AnswerRecord)
    assert answer is not None
    assert not quoted(text, [line.replace("%", " %") for line in answer.lines])


def test_a_page_quotes_the_speed_of_counting() -> None:
    lines = (ROOT / "benchmarks" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    record = [found for line in lines if (found := json.loads(line))["name"] == "cost_speed"][-1]
    text = page(COUNTED)
    rates = record["networks_per_cpu_second"], record["networks_per_cpu_second_in_a_fresh_process"]
    assert f"{rates[0]:,} different networks per CPU second ({rates[1]:,} in a fresh process)" in text
    assert f"a median of {record['times_faster']['triscale']['median']:,.0f}" in text
    assert f"{record['n']} rounds" in text


def test_a_page_states_the_recorded_precision_of_memory() -> None:
    lines = (ROOT / "benchmarks" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [found for line in lines if (found := json.loads(line))["name"] == "memory"][-1]["rows"]
    modes = [row[mode] for row in rows for mode in ("training", "inference")]
    assert len(rows) == 6
    assert max(abs(one["predicted"] / one["allocator_peak"] - 1) for one in modes) < 0.002
    growth = [row["training"]["resident_growth"] / row["training"]["predicted"] for row in rows]
    text = page(COUNTED)
    assert f"in training {min(growth):.1f} to {max(growth):.1f} times" in text


@pytest.mark.parametrize("isa", ["avx2", "avx512"])
def test_a_page_states_the_recorded_precision_of_memory_in_every_way(isa: str) -> None:
    found = [one for one in benchmarks("memory_ways") if one.get("kernels") == isa][-1]
    ways = [row[f"{way}_{threads}"] for row in found["rows"] for way in PLAIN | WAYS for threads in (1, 2)]
    assert len(found["rows"]) == 10
    worst = max(abs(one["predicted"] / one["allocator_peak"] - 1) for one in ways)
    told = re.search(rf"<!-- memory-{isa} -->([0-9.]+)%<!-- /memory-{isa} -->", page(COUNTED))
    assert told
    assert worst <= float(told[1]) / 100 < worst + 0.002


def test_a_page_states_the_counted_batches_of_b0() -> None:
    of, limit = network("efficientnet_b0"), 8 * 2**30
    plain, half, again, both = (
        largest_batch(of, limit, precision=precision, recompute=recompute, kernels=kernels("avx512", 2))
        for recompute in (False, True)
        for precision in ("float32", "bfloat16")
    )
    words = f"is {plain} images in float32, {half} in bfloat16, {again} in float32 with it and {both} in bfloat16"
    assert words in page(BUDGET)


def benchmark(name: str) -> dict[str, Any]:
    """The newest record of a benchmark."""
    return benchmarks(name)[-1]


def benchmarks(name: str) -> list[dict[str, Any]]:
    """The records of a benchmark, the newest last."""
    lines = (ROOT / "benchmarks" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    return [record for line in lines if (record := json.loads(line))["name"] == name]


def test_a_page_quotes_how_long_starting_takes() -> None:
    text = page(MEASURED)
    networks, predict = benchmark("startup_networks"), benchmark("startup_predict")
    assert networks["kept"]
    assert predict["kept"]
    seconds = {what: one["median"] for record in (networks, predict) for what, one in record["seconds"].items()}
    assert f"`triscale networks` takes {seconds['triscale networks']:.2f} s" in text
    assert f"{seconds['import cyclopts, rich']:.2f} s; `triscale predict`" in text
    assert f"takes {seconds['triscale predict']:.1f} s where importing torch" in text
    assert f"in timm takes {seconds['import torch and build in timm']:.1f} s" in text


def test_a_page_quotes_how_fast_photos_are_read() -> None:
    record, text = benchmark("input_chain"), page(MEASURED)
    speed = {who: round(record["pictures"] / one["median"]) for who, one in record["seconds"].items()}
    assert f"{speed['triscale, bicubic']} photos a second, without it" in text
    assert f"without it {speed['triscale without the extra, bicubic']}; timm's chain {speed['timm, bicubic']}" in text
    cubic, linear = (speed[f"cv2 + albumentations, {name}"] for name in ("cubic", "linear"))
    assert f"torchvision's {speed['torchvision v2, bicubic']}, OpenCV with albumentations {cubic} ({linear}" in text
    assert speed["triscale, bicubic"] == max(value for who, value in speed.items() if who != "triscale, bilinear")


def test_a_page_quotes_the_parity_ledger() -> None:
    lines = (ROOT / "benchmarks" / "parity" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    rows = {(row["peer"], row["model"]): row for row in map(json.loads, lines)}
    text = page(MEASURED)
    assert f"{len(rows)} networks of torchvision, timm and Keras" in text
    assert f"logits within {max(row['logits'] for row in rows.values()):.0e}".replace("e-0", "e-") in text
    assert sum(row["logits"] == 0 for row in rows.values()) > len(rows) / 2


def test_a_page_states_how_many_killed_trainings_ended_in_the_same_bits() -> None:
    lines = (ROOT / "benchmarks" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    record = [found for line in lines if (found := json.loads(line))["name"] == "durability"][-1]
    text = page(RESUME)
    assert f"{record['identical']} of {record['n']} trainings that were killed" in text


def test_a_page_states_how_much_faster_a_study_is_than_one_plain_training() -> None:
    newest = small_networks.newest_records()
    ours = str(small_networks.Subject("triscale", processes=2, tuned=True))
    found = [one["images_per_second"][ours] / one["best_timm"]["one training"] for one in newest.values()]
    told = f"<!-- study-speed -->{min(found):.1f} to {max(found):.1f}<!-- /study-speed -->"
    assert told in page(KERNELS)


def test_a_page_states_the_efficiency_of_two_processes() -> None:
    told = f"<!-- processes -->{benchmark('processes')['efficiency']:.2f}<!-- /processes -->"
    assert told in page(MANY)


def test_a_page_states_what_is_learned_with_and_without_the_kernels() -> None:
    lines = (ROOT / "benchmarks" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    newest = {}
    for record in map(json.loads, lines):
        if record["name"] == "kernels_accuracy":
            newest.update(record["found"])
    told = ", ".join(
        f"{precision} {one['kernels']['mean']:.1%} with the kernels and {one['torch']['mean']:.1%} without "
        f"({len(one['runs']['torch'])} seeds, sd {one['kernels']['sd']:.1%} and {one['torch']['sd']:.1%})"
        for precision, one in newest.items()
    )
    text = page(KERNELS)
    assert f"<!-- kernels-accuracy -->{told}<!-- /kernels-accuracy -->" in text


def test_a_page_states_in_how_many_cases_lightning_ended_in_other_weights() -> None:
    record, text = benchmark("durability_lightning"), page(RESUME)
    cases = [same for places in record["identical"].values() for same in places.values()]
    assert f"<!-- lightning -->in {cases.count(False)} of {len(cases)} cases<!--" in text
    assert f"Lightning {record['lightning']}, killed once" in text


@pytest.mark.parametrize(
    ("mark", "table"), [("training-speed", training_speed.table), ("small-networks", small_networks.table)]
)
def test_a_page_shows_the_newest_speeds_of_training(mark: str, table: Callable[[], list[str]]) -> None:
    text = page(KERNELS)
    shown = text.partition(f"<!-- {mark} -->\n")[2].partition(f"<!-- /{mark} -->")[0].splitlines()
    assert table() == shown
    assert len(shown) > 2


def rows_of(results: str) -> list[str]:
    """The table of a folder in results/, one row for each training."""
    rows = []
    for folder in sorted(path for path in (ROOT / "results" / results).iterdir() if path.is_dir()):
        (trial,) = trials.read(folder)
        assert trial.numerics is not None
        found = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
        low, high = found["top1_interval"]
        name, height = folder.name.replace("_", " "), trial.network.resolution[0]
        threads = trial.numerics.threads
        time = f"{trial.metrics['seconds'] / 60:.0f} min on {threads} thread{'s' * (threads > 1)}"
        accuracy = f"**{found['top1']:.1%}** ({low:.1%} to {high:.1%})"
        rows.append(f"| {name} | {height} | {trial.epochs} | {found['n']:,} | {accuracy} | {time} |")
    return rows


def test_the_page_of_the_benchmark_shows_the_newest_agreement_with_others() -> None:
    """By the processor's clock each is within 3%; the wall's is of a loaded machine."""
    lines = (ROOT / "benchmarks" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    entry = [found for line in lines if (found := json.loads(line))["name"] == "engines_agree"][-1]
    assert "\n".join(engines_agree.table(entry)) in (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")
    assert all(abs(one["median"] - 1) <= engines_agree.ALLOWED for one in entry["ratios"]["cpu"].values())


def test_a_page_quotes_the_transfers() -> None:
    assert len(rows_of("transfer")) >= 3
    assert quoted(page(TRANSFER), rows_of("transfer"))


def test_the_heads_of_recipes_state_what_came_out() -> None:
    """Accuracy on test pictures and time, as the records of the trainings have them."""
    for folder in (path for path in (ROOT / "results" / "recipes").iterdir() if path.is_dir()):
        head = (ROOT / "src" / "triscale" / "recipes" / f"{folder.name}.toml").read_text(encoding="utf-8")
        found = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
        (trial,) = trials.read(folder)
        assert f"top-1 {found['top1']:.1%}" in head
        seconds = trial.metrics["seconds"]
        assert (f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds") in head


def test_readme_repeats_what_the_pages_say() -> None:
    """Each marked figure of README stands in its page too, where the records are compared with it."""
    readme = page(README)
    for mark, where in (("durability", RESUME), ("study-speed", KERNELS)):
        told = re.search(rf"<!-- {mark} -->(.+?)<!-- /{mark} -->", readme)
        assert told, mark
        assert told[0] in page(where)
    parity = re.search(r"<!-- parity -->(.+?)<!-- /parity -->", readme)
    assert parity
    assert f"{parity[1]} of torchvision, timm" in page(MEASURED)
    transfer = re.search(r"<!-- transfer-clothing -->(.+?) \((.+?)\) on (.+?)<!-- /", readme)
    assert transfer
    assert f"{transfer[3]} | **{transfer[1]}** ({transfer[2]})" in page(TRANSFER)


def test_readme_states_how_many_networks_have_a_name() -> None:
    assert f"| networks by name | {len(registry())}, all ConvNets |" in page(README)


def test_readme_is_short_enough_to_be_read() -> None:
    assert len(page(README).splitlines()) <= 130
