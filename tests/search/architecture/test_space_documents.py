"""A space file is data that users edit: read strictly, written back, and every mistake is named."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.paths import ROOT
from tests.search.architecture.spaces import BASE, document, little, with_absent
from triscale.errors import InputError, TriscaleError, UsageError
from triscale.families import network as registered
from triscale.search.architecture import document_of, load_space, read_space, space_names, space_text
from triscale.search.architecture.space_document import KINDS
from triscale.spec import dumps, to_document

KERNEL = {"kernel": [3, 5]}


@pytest.mark.parametrize("name", space_names())
def test_every_space_that_comes_with_triscale_is_its_own_document(name: str) -> None:
    space = load_space(name)
    assert space.name == name
    assert json.loads(space_text(name))["base"] == space.base.name
    assert read_space(json.loads(json.dumps(document_of(space)))) == space


def test_the_page_on_spaces_says_how_large_they_are_and_shows_a_file_that_works() -> None:
    page = (ROOT / "docs" / "search-spaces.md").read_text("utf-8")
    for name in space_names():
        space = load_space(name)
        assert f"| `{name}` | `{space.base.name}` | {space.size:.1e} |" in page
    shown = page.split("```json\n")[1].split("```")[0]
    assert read_space(json.loads(shown)).choices["stage2.operator"] == ("fused4", "mbconv6")


@pytest.mark.parametrize("space", [little(), with_absent()], ids=["little", "absent"])
def test_a_space_around_any_network_carries_it_along(space: Any) -> None:
    written = json.loads(json.dumps(document_of(space)))
    assert written["base"]["stages"]
    assert read_space(written) == space


def test_a_space_lies_around_the_network_that_is_given() -> None:
    space = load_space("mnasnet_b0", BASE)
    assert space.base == BASE
    assert space.choices["stage2.layers"] == (0, 1)
    assert load_space("mnasnet_b0", registered("mnasnet_a1")).size > 1e15


def test_a_file_may_name_a_spec_beside_it(tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text(dumps(BASE))
    (tmp_path / "space.json").write_text(json.dumps(document(base="net.json", every_stage=KERNEL)))
    assert load_space(tmp_path / "space.json").base == BASE
    assert read_space(document(base=to_document(BASE), every_stage=KERNEL)).base == BASE


def test_choices_of_one_stage_stand_in_place_of_those_of_every_stage() -> None:
    space = read_space(document(every_stage=KERNEL, stages=[{"stage": 2, "kernel": [7, 9], "skip": [False]}]), BASE)
    assert dict(space.choices) == {"stage1.kernel": (3, 5), "stage2.kernel": (7, 9), "stage2.skip": (False,)}


def test_a_choice_of_which_a_stage_can_take_nothing_is_left_out_there() -> None:
    space = read_space(document(every_stage={"layers": [-1]}), BASE)
    assert dict(space.choices) == {"stage1.layers": (-1,)}


def test_no_document_ends_in_a_traceback() -> None:
    """Whatever stands where: an error of ours, of at most three lines, or a space that reads and writes itself."""
    random, messages = Random(1), set[str]()
    for _ in range(3_000):
        try:
            space = read_space(document(**odd_fields(random)), random.choice(NETWORKS))
        except TriscaleError as error:
            messages.add(str(error))
        else:
            assert read_space(json.loads(json.dumps(document_of(space)))) == space
    assert max(len(message.splitlines()) for message in messages) <= 3


NETWORKS = [BASE, *(registered(name) for name in ("resnet50", "senet154", "mobilenet_v3_large", "amoebanet_b"))]
SCALARS: list[Any] = [
    0, 1, 3, -1, 0.25, 1.0, 2.0, True, None, "relu", "mbconv", "basic", "separable", "bottleneck", "cell", "none", "x",
    "", float("nan"), float("inf"), 10**400, 1e300, [], {}, [1], "7",
]  # fmt: skip
LISTS: list[Any] = [[3, 5], [True, False], ["mbconv", "basic"], ["mbconv", "none"], [0, 0.25], [-1, 0, 1], [0.75, 1]]


def odd_fields(random: Random) -> dict[str, Any]:
    """Fields of a document, some of which are right."""

    def values() -> Any:
        some = [random.choice(SCALARS) for _ in range(random.randrange(3))]
        return random.choice([random.choice(SCALARS), some, *LISTS])

    def choices() -> dict[str, Any]:
        return {random.choice([*KINDS, "zz"]): values() for _ in range(random.randrange(4))}

    word = {"operator": random.choice(SCALARS), random.choice(KINDS): random.choice(SCALARS)}
    fields = {
        "every_stage": random.choice([choices(), choices(), choices(), random.choice(SCALARS)]),
        "operators": random.choice([{}, {"none": None}, {"x": word}, random.choice(SCALARS)]),
        "stages": random.choice([[], [{"stage": random.choice([1, 2, 9, "a"]), **choices()}], random.choice(SCALARS)]),
    }
    return fields if random.random() < 0.9 else {**fields, random.choice([*fields, "name"]): random.choice(SCALARS)}


def test_an_operator_brings_its_own_fields_and_drops_those_of_the_other() -> None:
    """The ratio of a bottleneck means nothing to an MBConv; that of an MBConv means the same to a fused one."""
    operators = {"every_stage": {"operator": ["mbconv", "basic", "bottleneck", "fused_mbconv"]}}
    for name, word, expand in (("resnet50", "mbconv", 1), ("resnet50", "basic", 1), ("resnet50", "bottleneck", 0.25)):
        space = read_space(document(**operators), registered(name))
        stage = space.network(dict.fromkeys(space.choices, word)).stages[0]
        assert (stage.operator, stage.expand) == (word, expand)
    fused = read_space(document(every_stage={"operator": ["mbconv", "fused_mbconv"], "expand": [3, 6]}), BASE)
    assert fused.size == 16


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown choice": (
        {"every_stage": {"kernels": [3]}},
        r"^every_stage\.kernels is \[3\]; allowed: no such field; did you mean kernel\?$",
    ),
    "unknown choice of a stage": (
        {"stages": [{"stage": 1, "zzz": [3]}]},
        r"^stages\[0\]\.zzz is \[3\]; allowed: only operator, kernel, expand, squeeze_excite, skip, activation, ",
    ),
    "unknown field": ({"colour": 1, "every_stage": KERNEL}, r"^colour is 1; allowed: only format, version, name, base"),
    "unknown operator": (
        {"every_stage": {"operator": ["mbconv", "mbconv9"]}},
        r"^every_stage\.operator is 'mbconv9'; allowed: mbconv, fused_mbconv, separable, basic, ",
    ),
    "word of an unknown operator": (
        {"operators": {"x": {"operator": "conv"}}, "every_stage": {"operator": ["x"]}},
        r"operators\.x\.operator is 'conv'; allowed: mbconv, fused_mbconv",
    ),
    "unknown field of a word": (
        {"operators": {"x": {"operator": "mbconv", "kernl": 3}}, "every_stage": KERNEL},
        r"^operators\.x\.kernl is 3; allowed: no such field; did you mean kernel\?$",
    ),
    "even kernel": ({"every_stage": {"kernel": [3, 4]}}, r"^every_stage\.kernel is 4; allowed: an odd integer from 1"),
    "text for a number": (
        {"every_stage": {"kernel": [3, "five"]}},
        r"^every_stage\.kernel\[1\] is 'five'; allowed: an integer$",
    ),
    "a number for a list": ({"every_stage": {"kernel": 3}}, r"^every_stage\.kernel is 3; allowed: a list"),
    "a pooling skip": (
        {"every_stage": {"skip": ["pool"]}},
        r"^every_stage\.skip\[0\] is 'pool'; allowed: true or false",
    ),
    "activation": (
        {"every_stage": {"activation": ["gelu"]}},
        r"activation is 'gelu'; allowed: None, relu, relu6, silu",
    ),
    "ratio": (
        {"every_stage": {"squeeze_excite": [9]}},
        r"^every_stage\.squeeze_excite is 9.*; allowed: 0 for none, or a",
    ),
    "negative factor": ({"every_stage": {"channel_factor": [-1]}}, r"channel_factor is -1.*; allowed: a number from"),
    "blocks that a stage lacks": (
        {"stages": [{"stage": 2, "layers": [-1, 0]}]},
        r"^stages\[0\]\.layers is -1; allowed: values that stage 2 can take, each with another result$",
    ),
    "the same value twice": ({"every_stage": {"kernel": [3, 3]}}, r"^every_stage\.kernel is 3; allowed: values that"),
    "the same width twice": (
        {"stages": [{"stage": 1, "channel_factor": [1, 1.1]}]},
        r"^stages\[0\]\.channel_factor is 1\.1; allowed: values that stage 1 can take, each with another",
    ),
    "no such stage": ({"stages": [{"stage": 3, "kernel": [3]}]}, r"^stages\[0\]\.stage is 3; allowed: 1 to 2 \(base\)"),
    "a stage twice": ({"stages": [{"stage": 1}, {"stage": 1}]}, r"^stages\[1\]\.stage is 1; allowed: 1 to 2"),
    "a stage without number": (
        {"stages": [{"kernel": [3]}]},
        r"^stages\[0\]\.stage is None; allowed: this field is req",
    ),
    "nothing to choose": ({}, r"^every_stage is None; allowed: values to choose from"),
    "two choices of one field": (
        {"every_stage": {"layers": [0, 1], "repeats": [1, 2]}},
        r"^stage1\.layers and stage1\.repeats both decide repeats: leave one of them out\.$",
    ),
    "an operator without squeeze-excite": (
        {"every_stage": {"operator": ["mbconv", "separable"], "squeeze_excite": [0, 0.25]}},
        r"do not go together: stage1\.operator separable, stage1\.squeeze_excite 0\.25:",
    ),
    "other choices of a stage that may be left out": (
        {"operators": {"none": None}, "stages": [{"stage": 2, "operator": ["none", "mbconv"], "kernel": [3, 5]}]},
        r"^stage 2 may be left out, so that its other choices would mean nothing",
    ),
    "a stride that would be left out": (
        {"operators": {"none": None}, "stages": [{"stage": 1, "operator": ["none", "mbconv"]}]},
        r"^stages\[0\]\.operator is 'none'; allowed: values that stage 1 can take",
    ),
    "format": ({"format": "triscale.network"}, r"^format is 'triscale\.network'; allowed: triscale\.space$"),
    "name": ({"name": "", "every_stage": KERNEL}, r"^name is ''; allowed: 1 to 100 printable characters$"),
    "version": ({"version": 2}, r"^version is 2; allowed: 1$"),
    "operators": ({"operators": 3, "every_stage": KERNEL}, r"^operators is 3; allowed: "),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_named_with_its_value_and_what_is_allowed(case: str) -> None:
    fields, message = WRONG[case]
    with pytest.raises(InputError, match=message) as caught:
        read_space(document(**fields), BASE)
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "a search space is a JSON object, not list"),
        (json.dumps(document(every_stage=KERNEL)), "base is None; allowed: the name of a network, a spec file"),
        (json.dumps(document(base="resnet5", every_stage=KERNEL)), "base: unknown network 'resnet5': did you mean"),
        (json.dumps(document(base="no.json", every_stage=KERNEL)), "cannot read the network file .*no.json"),
        (json.dumps(document(base={"name": "x"}, every_stage=KERNEL)), "base.resolution is None; allowed: this field"),
        ("[" * 100_000, "is not JSON"),
    ],
    ids=["no JSON", "list", "no base", "unknown base", "absent base", "broken base", "deep"],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.json"
    file.write_text(text)
    with pytest.raises(InputError, match=f"(?s)the search space .*mine.json.*{message}"):
        load_space(file)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean mnasnet_b0"):
        load_space("mnasnet_b1")
    with pytest.raises(UsageError, match="there are mnasnet_b0, mnasnet_mobilenet_v2, small_24"):
        load_space("?")


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the search space .*gone\.json: No such file"):
        load_space(tmp_path / "gone.json")
    (tmp_path / "odd.json").write_bytes(b"\xff\xfe")
    with pytest.raises(TriscaleError, match="cannot read the search space"):
        load_space(tmp_path / "odd.json")
