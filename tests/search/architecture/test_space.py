"""Choices and networks are two forms of one thing; what is drawn, changed and crossed stays in the space."""

import subprocess
import sys
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from math import prod
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.search.architecture.spaces import BASE, little, with_absent
from triscale.costs import count
from triscale.errors import InputError
from triscale.families import network as registered
from triscale.nn import build
from triscale.search.architecture import load_space, sample, space_names
from triscale.spec import Head, Network, content_hash

SPACES = {name: load_space(name) for name in space_names()} | {"little": little()}


@given(name=st.sampled_from(sorted(SPACES)), place=st.floats(0, 1, exclude_max=True))
def test_choices_become_a_network_and_come_back(name: str, place: float) -> None:
    space = SPACES[name]
    chosen = space.combination(int(place * space.size))
    network = space.network(chosen)
    assert space.chosen(network) == chosen
    assert space.network(space.chosen(network)) == network
    assert space.combination(space.number(chosen)) == chosen
    assert space.chosen(replace(network, name="any")) == chosen


@pytest.mark.parametrize("name", space_names())
def test_the_base_of_every_space_is_in_it(name: str) -> None:
    space = SPACES[name]
    assert content_hash(space.network(space.chosen(space.base))) == content_hash(space.base)


def test_a_small_space_has_as_many_networks_as_its_size_says() -> None:
    space = little()
    networks = [space.network(space.combination(number)) for number in range(space.size)]
    assert space.size == 2 * 2 * 3 * 2 * 2 == len({content_hash(one) for one in networks})
    assert len({one.name for one in networks}) == space.size


def test_mnasnets_space_has_the_papers_choices_but_the_pooling_skip() -> None:
    """432 a block in the paper: 4 operators (two expand ratios), 2 kernels, 2 SE, 3 skips, 3 widths, 3 depths."""
    space = SPACES["mnasnet_b0"]
    by_stage = [[len(v) for name, v in space.choices.items() if name.startswith(f"stage{n}.")] for n in range(1, 8)]
    assert [prod(sizes) for sizes in by_stage] == [128, 192, 288, 288, 288, 288, 192]
    assert by_stage[2] == [4, 2, 2, 2, 3, 3]
    assert prod(by_stage[2]) * 3 // 2 == 432
    assert space.size == 128 * 192 * 288**4 * 192


def test_equal_widths_and_missing_blocks_are_left_out_of_the_choices() -> None:
    """0.75 of 16 channels rounds to 16 again, and a stage of one block has none to lose."""
    space = SPACES["mnasnet_b0"]
    assert space.choices["stage1.channel_factor"] == (1, 1.25)
    assert space.choices["stage1.layers"] == (0, 1)


def test_b0_is_not_in_the_papers_space_around_mobilenet_v2() -> None:
    """Its 40 and 80 channels are 1.25 times of 32 and 64, but 112 and 192 are no such multiples of 96 and 160."""
    around = SPACES["mnasnet_mobilenet_v2"]
    widths = [around.base.stages[place].channels * factor for place in (4, 5) for factor in (0.75, 1, 1.25)]
    assert not {112, 192} & set(widths)
    alike = replace(around.base, stages=registered("efficientnet_b0").stages)
    with pytest.raises(InputError, match=r"is not in the space mnasnet_mobilenet_v2: stages\[4\]\.channels is 112"):
        around.chosen(alike)


def test_what_is_built_is_what_is_counted() -> None:
    """Every operator, with squeeze-excite and without, is a module of as many parameters."""
    for name in ("small_24", "mnasnet_b0"):
        space, random = SPACES[name], Random(5)
        for _ in range(3):
            network = replace(space.network(sample(space, random)), resolution=(24, 24))
            assert sum(one.numel() for one in build(network).parameters()) == count(network).params


def test_stages_that_may_be_left_out_come_back_by_the_first_choices_that_give_them() -> None:
    space = with_absent()
    for number in range(space.size):
        network = space.network(space.combination(number))
        assert space.network(space.chosen(network)).stages == network.stages
    assert len(space.network({"stage1.kernel": 5, "stage2.operator": "none"}).stages) == 1


@pytest.mark.parametrize(
    ("altered", "message"),
    [
        (replace(BASE, head=Head(channels=64)), "head.channels: 32 -> 64"),
        (replace(BASE, stages=BASE.stages[:1]), "its 1 stages are not those of base"),
        (replace(BASE, stages=(replace(BASE.stages[0], kernel=7), BASE.stages[1])), r"stages\[0\].kernel is 7; .*3, 5"),
        (replace(BASE, stages=(replace(BASE.stages[0], skip=False), BASE.stages[1])), r"stages\[0\].skip is False"),
    ],
    ids=["head", "too few stages", "kernel", "skip"],
)
def test_a_network_outside_is_rejected_with_what_differs(altered: Network, message: str) -> None:
    with pytest.raises(InputError, match=message):
        little().chosen(altered)


def test_wrong_choices_are_rejected_by_name_value_and_what_is_allowed() -> None:
    space = little()
    chosen = space.combination(0)
    for wrong, message in (
        ({**chosen, "stage1.kernel": 4}, r"stage1\.kernel is 4; allowed: 3, 5"),
        ({**chosen, "stage9.kernel": 3}, r"stage9\.kernel is 3; allowed: a choice of the space little"),
        ({name: chosen[name] for name in list(chosen)[1:]}, r"stage1\.kernel is None; allowed: a value of the choice"),
        ({**chosen, "stage1.channel_factor": True}, r"stage1\.channel_factor is True; allowed: 0\.5, 1"),
    ):
        with pytest.raises(InputError, match=message):
            space.network(wrong)


def test_every_network_is_drawn_as_often() -> None:
    """72 networks, 7,200 draws: chi-squared with 71 degrees of freedom is below 112 in 999 of 1,000 cases."""
    space, random = little(), Random(3)
    drawn = Counter(space.number(sample(space, random)) for _ in range(100 * space.size))
    assert sum((drawn[number] - 100) ** 2 / 100 for number in range(space.size)) < 112


@settings(max_examples=30)
@given(name=st.sampled_from(sorted(SPACES)), seed=st.integers(0, 2**32))
def test_neighbours_children_and_features_are_those_of_the_choices(name: str, seed: int) -> None:
    space, random = SPACES[name], Random(seed)
    one, two = sample(space, random), sample(space, random)
    near = list(space.neighbours(one))
    assert all(sum(other[key] != one[key] for key in one) == 1 for other in near)
    assert len({space.number(other) for other in near}) == sum(len(values) - 1 for values in space.choices.values())
    child = space.crossover(one, two, random)
    assert all(child[key] in (one[key], two[key]) for key in space.choices)
    assert len(space.one_hot(one)) == len(space.features)
    assert [feature for feature, is_on in zip(space.features, space.one_hot(one), strict=True) if is_on] == [
        f"{key}={one[key]}" for key in space.choices
    ]


def test_both_parents_give_to_their_children() -> None:
    space, random = SPACES["small_24"], Random(0)
    ends = space.combination(0), space.combination(space.size - 1)
    children = [space.crossover(*ends, random) for _ in range(50)]
    for name in space.choices:
        assert {child[name] for child in children} == {end[name] for end in ends}


def test_a_space_can_be_copied_as_it_is_on_its_way_to_a_worker() -> None:
    """Frozen values whose fields are set once must be restored by the protocol that copies and processes use."""
    for space in SPACES.values():
        copied = deepcopy(space)
        assert copied == space
        assert copied.network(copied.combination(1)) == space.network(space.combination(1))


def test_looking_at_a_space_loads_no_torch() -> None:
    code = (
        "import sys; from triscale.search.architecture import load_space; "
        "s = load_space('small_24'); s.network(s.combination(7)); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
