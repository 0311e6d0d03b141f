"""A metric that is registered works by its name on every command line: here a noisy one that is not monotone."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import QUESTION, Run
from tests.cli.test_compare import documented, line
from triscale import trials
from triscale.costs import Metric, Target, count, file_size, registered
from triscale.families import network
from triscale.quantities import SECONDS
from triscale.scaling import network as named
from triscale.spec import Network, content_hash
from triscale.trials.study_records import FamilyRecord

NET = "smallnet_24"
BASE = count(network(NET)).macs


class Clock:
    """A measurement: MACs, slower by a half at odd sides and by the batch, with noise of 1% that never repeats."""

    def __init__(self) -> None:
        self.measured: list[tuple[Network, Target, float]] = []

    def __call__(self, net: Network, target: Target) -> float:
        """Seconds."""
        noise = 1 + 0.01 * math.sin(1e3 * len(self.measured))
        seconds = target.batch * count(net).macs / 1e9 * (1 + net.resolution[0] % 2 / 2) * noise
        self.measured.append((net, target, seconds))
        return seconds


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The clock, registered as `latency` for the test."""
    found = Clock()
    with registered(Metric(name="latency", unit=SECONDS, evaluate=found, deterministic=False)):
        yield found


def test_scale_takes_it_as_a_budget_beside_a_counted_one(run: Run, clock: Clock) -> None:
    budget = ("--budget", f"latency={1.5e3 * BASE / 1e9}ms", "--budget", f"macs={3 * BASE}")
    found = run("scale", NET, *budget, "--batch", 1, "--json").json
    assert found["slack"]["latency"] >= 0
    assert found["slack"]["macs"] == 3 * BASE - found["cost"]["macs"] >= 0
    assert found["notch"]["cost"]["latency"] > 1.5 * BASE / 1e9
    assert found["binding"] == ["latency"]
    assert found["limits"]["latency"] == pytest.approx(1.5 * BASE / 1e9)
    assert len({content_hash(one) for one, _, _ in clock.measured}) == len(clock.measured), "each network once"
    text = run("scale", NET, *budget).out
    assert " us" in line(text, "latency")
    assert "binds" in line(text, "latency")


def test_cost_and_compare_take_it_and_every_other_metric(run: Run, clock: Clock) -> None:
    found = run("cost", NET, "--batch", 4, "--metric", "latency", "--json").json
    assert found["metrics"]["latency"] == clock.measured[-1][2]
    assert clock.measured[-1][1].batch == 4
    assert " ms" in line(run("cost", NET, "--metric", "latency").out, "latency")
    rows = run("compare", NET, f"{NET}@width=2", "--metric", "latency,file-size", "--json").json["rows"]
    assert [row["metrics"]["latency"] for row in rows] == [one[2] for one in clock.measured[-2:]]
    assert rows[1]["metrics"]["file_size"] == file_size(named(f"{NET}@width=2"))
    assert rows[1]["metric_ratios"]["latency"] == rows[1]["metrics"]["latency"] / rows[0]["metrics"]["latency"]
    text = run("compare", NET, "mobilenet_v2", "--metric", "latency", "--metric", "file_size").out
    assert "MiB" in line(text, "mobilenet_v2")
    assert "ms" in line(text, "mobilenet_v2")


def test_a_counted_metric_joins_the_costs_of_scale(run: Run) -> None:
    layers = Metric(
        name="depth", unit=SECONDS, evaluate=lambda net, _: sum(one.repeats for one in net.stages),
        deterministic=True, monotone=True,
    )  # fmt: skip
    with registered(layers):
        found = run("scale", NET, "--depth", 2, "--json").json
        assert found["ratio"]["depth"] == 2
        assert "2.000x" in line(run("scale", NET, "--depth", 2).out, "depth")


@pytest.mark.slow
def test_a_study_ends_with_the_largest_network_that_keeps_it(
    run: Run, clock: Clock, pictures: Path, tmp_path: Path
) -> None:
    """Solved by the coefficients that the study found, with two threads."""
    small = count(named(QUESTION[0])).macs / 1e9
    question = (QUESTION[0], *QUESTION[3:], "--threads", 2, "--budget", f"latency={4 * small:.9f}s")
    answer = run("study", *question, "--data", pictures, "--out", tmp_path / "run", "--json")
    assert answer.code == 0, answer.err
    family = trials.read(tmp_path / "run").one(FamilyRecord)
    assert family is not None
    members = [one for one in family.members if one.rule == "compound"]
    measured = {content_hash(net): seconds for net, _, seconds in clock.measured}
    assert measured[members[-1].id] <= 4 * small < max(measured.values())
    assert answer.json["folder"] == str(tmp_path / "run")
    assert {target.threads for _, target, _ in clock.measured} == {2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scale", NET, "--budget", "speed=10 parsecs"), "unknown limit 'speed'; the limits are macs, params,"),
        (("scale", NET, "--budget", "latency=10ms"), "latency depends on an engine of this machine: give a target"),
        (("scale", NET, "--budget", "macs=1M", "--target", "torch:float32:t1"), "--target is for a limit"),
        (
            ("scale", NET, "--budget", "latency=10ms", "--target", "torch:t1"),
            "target 'torch:t1' is not ENGINE:",
        ),
        (("scale", NET, "--budget", "file_size=10ms"), "'10ms' is not the limit file_size"),
        (("study", "--budget", "latency=10ms"), "latency depends on an engine"),
        (("cost", NET, "--metric", "speed"), "unknown metric 'speed'; the metrics are macs,"),
        (("cost", NET, "--weights-precision", "int4"), "unknown precision of weights 'int4'"),
        (
            ("compare", NET, "--metric", "training_memory"),
            "training_memory depends on the images a step: give --batch.",
        ),
        (("compare", "--metric", "macs"), "--metric compares networks"),
        (("compare", NET, "--batch", "4"), "--batch is for --metric"),
        (("scale", NET, "--budget", "training-memory=1GiB"), "training_memory depends on the images a step"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(run: Run, arguments: tuple[str, ...], message: str) -> None:
    answer = run(*arguments)
    assert answer.code == 64
    assert answer.err.startswith(f"triscale: {message}"), answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["scale", "study"])
def test_the_help_lists_the_metrics_of_the_registry(run: Run, command: str) -> None:
    text = " ".join(run(command, "--help-all").out.split())
    assert "macs, params, activations (such as 1.0G or 9M); inference_memory, training_memory, file_size, arena" in text


def test_the_documented_keys_of_cost_are_those_of_the_document(run: Run) -> None:
    assert documented("cost") == set(run("cost", NET, "--json").json)
