"""The limits of a study are held against the trainings that it does itself."""

import shlex
from dataclasses import replace

import pytest

from triscale.costs import Metric, count, known_here, needed, registered, registry, training_memory
from triscale.families import network
from triscale.foreign import count_any
from triscale.nn import kept_kernels
from triscale.quantities import SECONDS
from triscale.recipes import Recipe
from triscale.scaling import PAPER, fit_budget
from triscale.search.coefficients.baselines import RIVALS
from triscale.search.coefficients.candidates import candidates
from triscale.search.coefficients.family import family
from triscale.search.coefficients.rivals import rivals_of
from triscale.search.planning.plan import make_plan
from triscale.search.studies.question import Question
from triscale.search.trainings.recipe_target import recipe_target

BASE = network("smallnet_24")
FOUND = candidates(BASE)


@pytest.mark.parametrize(
    "recipe",
    [Recipe(), Recipe(optimizer="sgd"), Recipe(precision="bfloat16", ema=0.9999)],
    ids=["default", "sgd", "bfloat16 with average"],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_memory_limit_counts_the_recipe_and_the_threads_of_the_study(recipe: Recipe, threads: int) -> None:
    target = recipe_target(["training_memory"], replace(recipe, batch=32), threads=threads)
    kernels = known_here(threads, bfloat16=recipe.arithmetic == "bfloat16") or kept_kernels(threads)
    assert registry()["training_memory"].of(BASE, target) == training_memory(
        BASE, 32, recipe.optimizer,
        precision=recipe.arithmetic, ema=recipe.ema > 0, kernels=kernels,
    )  # fmt: skip
    assert target.kernels == kernels
    assert (target.threads, kernels.threads) == (threads, threads)


def test_the_usual_recipe_leaves_room_for_less_than_sgd_does() -> None:
    """AdamW keeps twice as much state: a study that counted SGD promised too large a network."""
    base = network("efficientnet_b0")
    limit = {"training_memory": 1.5 * training_memory(base, 2, "adamw")}
    targets = [recipe_target(limit, one, threads=1) for one in (Recipe(batch=2), Recipe(batch=2, optimizer="sgd"))]
    usual, sgd = (fit_budget(base, limit, target=target) for target in targets)
    takes = registry()["training_memory"]
    assert count(usual.network).params < count(sgd.network).params
    assert takes.of(usual.network, targets[0]) <= limit["training_memory"]
    assert takes.of(sgd.network, targets[0]) > limit["training_memory"]


def test_kernels_are_looked_up_only_for_a_limit_that_depends_on_them_and_not_for_a_gpu() -> None:
    assert recipe_target(["macs", "file_size"], Recipe(), threads=2).kernels is None
    assert recipe_target(["inference_memory"], Recipe(), threads=2, device="cuda").kernels is None
    assert recipe_target(["inference_memory"], Recipe(), threads=2).kernels is not None
    assert needed(["macs"], "kernels") == []


def test_plan_and_family_take_a_registered_metric_that_is_not_monotone() -> None:
    """Odd sides take twice as long; the last member keeps the limit although smaller networks do not."""
    latency = Metric(
        name="latency", unit=SECONDS, deterministic=False,
        evaluate=lambda net, target: count(net).macs / target.threads * (1 + net.resolution[0] % 2),
    )  # fmt: skip
    corners = {one.rule: one for one in FOUND if one.rule != "grid"}
    chosen = next(one for one in FOUND if one.rule == "grid")
    with registered(latency):
        limit = {"latency": 2.0 * count(BASE).macs}
        target = recipe_target(limit, Recipe(), threads=2)
        last = family(BASE, PAPER, 99, limit, target, corners, chosen, rivals_of(RIVALS))[-4]
        question = Question(budget=limit)
        command = shlex.split(question.command())
        plan = make_plan(question, BASE, {"train": 100, "validation": 10}, lambda _: 1e-3, 1, Recipe(), target)
    assert (last.rule, last.phi) == ("compound", plan.phis[-1])
    assert last.network.resolution[0] % 2 == 0
    assert count_any(last.network).macs <= 4 * count(BASE).macs
    assert command[-1] == f"latency={2.0 * count(BASE).macs:.15g}s"


def test_the_weights_of_a_study_are_stored_in_float32() -> None:
    assert recipe_target(["file_size"], Recipe(precision="bfloat16"), threads=1).stored == "float32"
