"""Trials for tests: of real networks and recipes, with numbers that nothing measured."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from triscale import families
from triscale.recipes import Recipe
from triscale.spec import Network
from triscale.speed_plan import SpeedPlan
from triscale.trials import DataUse, Deviation, Epoch, FirstWeights, Numerics, Pipeline, TrainJob, Trial

NETWORK = replace(families.network("smallnet_24"), classes=3)
DATA = DataUse(fingerprint="da7a" * 16, classes=("a", "b", "c"), images=300, rule=2, fraction=0.1)
JOB = TrainJob(network=NETWORK, data=DATA, recipe=Recipe(epochs=2))


def trial(seed: int = 0, **fields: Any) -> Trial:
    """A finished trial."""
    history = tuple(Epoch(epoch=n, samples=200 * n, train_loss=1 / n, validation_top1=n / 4) for n in (1, 2))
    usual = {"state": "done", "history": history, "metrics": {"validation_top1": 0.5}, "machine": {"cpu": "Test"}}
    return Trial(job=replace(JOB, seed=seed), **{**usual, **fields})


_numbers = st.floats(allow_nan=False, allow_infinity=False)
_shares = st.floats(0, 1)
_counts = st.integers(0, 2**40)
_texts = st.text(max_size=12)
_digests = st.text("0123456789abcdef", min_size=1, max_size=64)
_names = st.dictionaries(st.sampled_from(["stem.norm", "stages.0.0"]), st.just("native"), max_size=2)
# What JSON can hold as a whole number may be given where a fraction is meant.
_strengths = st.one_of(st.integers(0, 3), st.floats(0, 3))

recipes = st.builds(
    Recipe, epochs=st.integers(1, 400), batch=st.integers(2, 4096), learning_rate=st.floats(1e-6, 10),
    weight_decay=_strengths, mixup=_strengths, clip=_strengths, ema=st.one_of(st.just(0), st.floats(0, 0.999)),
    optimizer=st.sampled_from(["sgd", "rmsprop", "adamw"]), precision=st.sampled_from(["float32", "bfloat16"]),
)  # fmt: skip
networks: st.SearchStrategy[Network] = st.builds(
    lambda name, classes, known: replace(families.network(known), name=name, classes=classes),
    name=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20), classes=st.integers(2, 20),
    known=st.sampled_from(["smallnet_24", "efficientnet_b0", "mobilenet_v1", "amoebanet_b"]),
)  # fmt: skip
data_uses = st.builds(
    DataUse, fingerprint=_digests, classes=st.lists(_texts, max_size=4).map(tuple), images=_counts,
    rule=st.integers(1, 2), contents=st.lists(_texts, max_size=3).map(tuple),
    group_by=st.sampled_from(["content", "near"]), fraction=st.none() | _shares, subset=st.none() | _counts,
    seed=_counts,
)  # fmt: skip
jobs = st.builds(
    TrainJob, network=networks, data=data_uses, recipe=recipes, seed=_counts, parts=st.integers(1, 64),
    processes=st.integers(1, 8), keep=st.sampled_from(["best", "last"]), teacher=st.none() | _digests,
    pipeline=st.none() | st.builds(Pipeline, stages=st.integers(2, 4), schedule=st.sampled_from(["1f1b", "gpipe"])),
    weights=st.none() | st.builds(FirstWeights, digest=_digests, network=_texts, grow=st.booleans()),
)  # fmt: skip
epochs = st.builds(
    Epoch, epoch=st.integers(1, 400), samples=_counts, train_loss=_numbers, validation_top1=_shares,
    learning_rate=st.none() | _numbers, gradient_norm=st.none() | _numbers, parts=st.integers(1, 8), skipped=_counts,
    seconds=st.none() | _numbers, resolution=st.none() | st.tuples(st.integers(1, 999), st.integers(1, 999)),
)  # fmt: skip
numerics = st.builds(
    Numerics, device=_texts, threads=st.integers(1, 99), kernels=st.booleans(), cpu=_texts, instructions=_texts,
    torch=_texts, plan=st.none() | st.builds(SpeedPlan, convolutions=_names, norms=_names, build=st.none() | _digests),
)  # fmt: skip
trials = st.builds(
    Trial, job=jobs, state=st.sampled_from(["waiting", "running", "done", "failed"]), purpose=_texts,
    history=st.lists(epochs, max_size=3).map(tuple), kept_epoch=st.none() | st.integers(1, 400),
    metrics=st.dictionaries(_texts, _numbers, max_size=3), cost=st.dictionaries(_texts, _numbers, max_size=3),
    numerics=st.none() | numerics,
    machine=st.dictionaries(_texts, st.none() | _counts | _texts, max_size=3), losses=st.integers(0, 3),
    deviations=st.lists(
        st.builds(Deviation, step=_counts, kind=st.sampled_from(["parts", "processes", "numerics"]), text=_texts),
        max_size=2,
    ).map(tuple),
    reason=st.none() | _texts, checkpoint=st.none() | _texts, started=st.none() | _texts, finished=st.none() | _texts,
)  # fmt: skip
