"""A wrong document ends in an InputError that names the field, its value and what is allowed, and in nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triscale.errors import InputError
from triscale.families import network
from triscale.spec import FieldError, Network, content_hash, dumps, from_dict, loads, read, to_document

MISSING = object()
NAN, INF = float("nan"), float("inf")

WRONG: list[tuple[str, Any, str]] = [
    ("format", "keras", "triscale.network"),
    ("version", 2, "1 (this triscale reads no other)"),
    ("version", "1", "1 (this triscale reads no other)"),
    ("version", None, "1 (this triscale reads no other)"),
    ("name", MISSING, "this field is required"),
    ("name", 7, "text"),
    ("name", None, "text"),
    ("name", "", "1 to 200 printable characters"),
    ("name", "x" * 201, "1 to 200 printable characters"),
    ("name", "two\nlines", "1 to 200 printable characters"),
    ("name", "\ud800", "1 to 200 printable characters"),
    ("resolution", MISSING, "this field is required"),
    ("resolution", 224, "a list"),
    ("resolution", "224x224", "a list"),
    ("resolution", [224], "[height, width]"),
    ("resolution", [224, 224, 3], "[height, width]"),
    ("resolution[0]", 0, "an integer from 1 to 100000"),
    ("resolution[1]", 100_001, "an integer from 1 to 100000"),
    ("resolution[1]", 224.5, "an integer from 1 to 100000"),
    ("resolution[1]", True, "an integer from 1 to 100000"),
    ("resolution[1]", NAN, "an integer from 1 to 100000"),
    ("stem", MISSING, "this field is required"),
    ("stem", None, "an object with the fields of Stem"),
    ("stem", [32], "an object with the fields of Stem"),
    ("stem.channels", MISSING, "this field is required"),
    ("stem.channels", "32", "an integer from 1 to 1000000"),
    ("stem.channels", -8, "an integer from 1 to 1000000"),
    ("stem.kernel", 4, "an odd integer from 1 to 31"),
    ("stem.kernel", 33, "an odd integer from 1 to 31"),
    ("stem.kernel", None, "an odd integer from 1 to 31"),
    ("stem.stride", 0, "an integer from 1 to 8"),
    ("stem.pool", "yes", "False, True"),
    ("stem.pool", 1, "False, True"),
    ("stem.scales", 0.0, "False, True"),
    ("stem.chanels", 32, "no such field; did you mean channels?"),
    ("stages", MISSING, "this field is required"),
    ("stages", [], "1 to 100 stages"),
    ("stages", {}, "a list"),
    ("stages", "mbconv", "a list"),
    ("stages[2]", 3, "an object with the fields of Stage"),
    ("stages[2]", None, "an object with the fields of Stage"),
    ("stages[2].operator", "conv", "mbconv, fused_mbconv, separable, basic, bottleneck, preactivation, cell"),
    ("stages[2].operator", None, "mbconv, fused_mbconv, separable, basic, bottleneck, preactivation, cell"),
    ("stages[2].operator", ["mbconv"], "mbconv, fused_mbconv, separable, basic, bottleneck, preactivation, cell"),
    ("stages[2].operator", "basic", "1 for operator basic"),
    ("stages[2].repeats", 0, "an integer from 1 to 100000"),
    ("stages[2].repeats", 10**400, "an integer from 1 to 100000"),
    ("stages[2].channels", MISSING, "this field is required"),
    ("stages[2].kernel", 2, "an odd integer from 1 to 31"),
    ("stages[2].stride", 9, "an integer from 1 to 8"),
    ("stages[2].expand", 0, "a number from 0.01 to 64"),
    ("stages[2].expand", 65, "a number from 0.01 to 64"),
    ("stages[2].expand", 10**400, "a number from 0.01 to 64"),
    ("stages[2].expand", NAN, "a number from 0.01 to 64"),
    ("stages[2].expand", INF, "a number from 0.01 to 64"),
    ("stages[2].expand", True, "a number from 0.01 to 64"),
    ("stages[2].expand", "6", "a number from 0.01 to 64"),
    ("stages[2].squeeze_excite", 0.25, "an object with the fields of SqueezeExcite"),
    ("stages[2].squeeze_excite.ratio", 0, "a number from 0.0001 to 8"),
    ("stages[2].squeeze_excite.of", "both", "input, inner, output"),
    ("stages[2].squeeze_excite.gate", "relu", "sigmoid, hard_sigmoid"),
    ("stages[2].squeeze_excite.width", 3, "only ratio, of, gate"),
    ("stages[2].activation", "gelu", "None, relu, relu6, silu, hard_swish"),
    ("stages[2].skip", 2, "False, True"),
    ("stages[2].scales_depth", None, "False, True"),
    ("head", {}, "this field is required"),
    ("head.channels", 0, "an integer from 1 to 1000000"),
    ("head.dropout", 1, "a number from 0 to 0.99"),
    ("head.dropout", -0.1, "a number from 0 to 0.99"),
    ("activation", "swish", "relu, relu6, silu, hard_swish"),
    ("norm", None, "an object with the fields of Norm"),
    ("norm.eps", 0, "a number from 1e-12 to 1"),
    ("norm.momentum", 1.5, "a number from 0 to 1"),
    ("padding", "valid", "same, symmetric"),
    ("stochastic_depth", 1, "a number from 0 to 0.99"),
    ("channel_divisor", 0, "an integer from 1 to 1024"),
    ("input_channels", 0, "an integer from 1 to 100000"),
    ("classes", 0, "an integer from 1 to 10000000"),
    ("clases", 10, "no such field; did you mean classes?"),
    ("learning_rate", 0.1, "only name, resolution, stem"),
]


def broken(path: str, value: object, name: str = "efficientnet_b0") -> dict[str, Any]:
    """The document of a network with `value` at `path`, or with that field taken out."""
    document = json.loads(json.dumps(to_document(network(name))))
    *way, last = path.replace("[", ".[").split(".")
    place = document
    for step in way:
        place = place[int(step[1:-1])] if step.startswith("[") else place[step]
    key = int(last[1:-1]) if last.startswith("[") else last
    if value is MISSING:
        del place[key]
    else:
        place[key] = value
    return dict(document)


@pytest.mark.parametrize(("path", "value", "allowed"), WRONG, ids=[f"{path}-{i}" for i, (path, *_) in enumerate(WRONG)])
def test_a_wrong_field_is_named_with_its_value_and_what_is_allowed(path: str, value: object, allowed: str) -> None:
    with pytest.raises(FieldError) as caught:
        loads(json.dumps(broken(path, value)))
    message = str(caught.value)
    assert message.startswith(caught.value.path)
    assert caught.value.path.startswith(path.rsplit(".", 1)[0] if "for operator" in allowed else path)
    assert allowed in message
    shown = None if value is MISSING else caught.value.value
    assert f" is {shown!r}"[:60] in message
    assert message.count("\n") <= 2
    assert len(message) < 400


def test_the_same_field_of_the_untouched_document_is_right() -> None:
    """The table of wrong values says nothing unless the document around them is right."""
    assert network("efficientnet_b0") == from_dict(broken("name", "efficientnet_b0"))


def test_squeeze_excite_belongs_to_mbconv_only() -> None:
    document = broken("stages[2].operator", "separable")
    document["stages"][2]["expand"] = 1
    with pytest.raises(FieldError, match=r"^stages\[2\].squeeze_excite is .*; allowed: null for operator separable$"):
        from_dict(document)


def test_true_is_no_number_and_one_is_no_true() -> None:
    """Otherwise `pool: 1` would be the network of `pool: true` under another hash."""
    with pytest.raises(FieldError):
        from_dict(broken("stem.pool", 1))
    assert content_hash(from_dict(broken("stem.pool", False))) == content_hash(network("efficientnet_b0"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        "[1,",
        '{"name": }',
        "1" * 5000,
        '{"classes": ' + "9" * 5000 + "}",
        "[" * 100_000,
        "\ufeff{}",
    ],
    ids=lambda text: text[:12],
)
def test_text_that_is_not_json_is_said_to_be_so(text: str) -> None:
    with pytest.raises(InputError, match=r"^not JSON: ") as caught:
        loads(text)
    assert str(caught.value).count("\n") <= 2


@pytest.mark.parametrize(("text", "kind"), [("[]", "list"), ("null", "NoneType"), ("3", "int"), ('"x"', "str")])
def test_json_that_is_no_object_is_no_network(text: str, kind: str) -> None:
    with pytest.raises(InputError, match=f"^a network is a JSON object, not {kind}$"):
        loads(text)


@pytest.mark.parametrize("make", [Path.exists, lambda p: p.mkdir(), lambda p: p.write_bytes(b"\xff\xfe\x00")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, make: Callable[[Path], object]) -> None:
    file = tmp_path / "net.json"
    make(file)
    with pytest.raises(InputError, match=r"^cannot read the network file .*net\.json: "):
        read(file)


def test_a_path_that_no_system_knows_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"^cannot read the network file"):
        read(Path("net\0.json"))


def test_a_wrong_field_in_a_file_is_named_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    file.write_text(dumps(network("efficientnet_b0")).replace('"classes": 1000', '"classes": -1'), encoding="utf-8")
    with pytest.raises(InputError, match=r"net\.json: classes is -1; allowed: an integer from 1 to 10000000$"):
        read(file)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just(10**400), st.just("mbconv")
)
FIELDS = ["name", "resolution", "stem", "stages", "head", "norm", "channels", "repeats", "operator", "format", "expand"]
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=12,
)


def read_or_refused(document: object) -> None:
    """Reading gives a network or an InputError of at most three printable lines; anything else escapes and fails."""
    try:
        found = loads(json.dumps(document))
    except InputError as error:
        message = str(error)
    else:
        assert isinstance(found, Network)
        assert found == loads(dumps(found))
        return
    assert message.count("\n") <= 2
    assert len(message) < 1000
    message.encode()


@settings(max_examples=60, deadline=None)
@given(values)
def test_no_json_value_whatever_raises_anything_but_an_input_error(document: object) -> None:
    read_or_refused(document)


PLACES = sorted({path for path, _, _ in WRONG} | {f"stages[{i}].expand" for i in range(7)})


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PLACES), values | st.just(MISSING))
def test_no_value_in_any_field_raises_anything_but_an_input_error(path: str, value: object) -> None:
    if value is not MISSING or not path.endswith(("chanels", "width", "clases", "learning_rate")):
        read_or_refused(broken(path, value))


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=300))
def test_an_unknown_field_of_any_name_is_refused_in_printable_words(name: str) -> None:
    document = broken("classes", 1000)
    if name not in document:
        with pytest.raises(InputError):
            from_dict({**document, name: 1})
        read_or_refused({**document, name: 1})


CELLS: list[tuple[str, Any, str]] = [
    ("stages[0].cell", None, "given for operator cell and for no other"),
    ("stages[0].operator", "basic", "given for operator cell and for no other"),
    ("stages[0].channels", 130, "a multiple of 4 for operator cell"),
    ("stages[0].stride", 3, "1 or 2 for operator cell"),
    ("stages[0].kernel", 5, "3 for operator cell"),
    ("stages[0].cell.operations", ["identity"], "two for each pair"),
    ("stages[0].cell.operations[9]", "conv_5x5", "conv_3x3"),
    ("stages[0].cell.inputs", [0, 1], "one for each of the 10 operations"),
    ("stages[0].cell.inputs[0]", 2, "an integer from 0 to 1"),
    ("stages[0].cell.outputs", [], "different states, at least one"),
    ("stages[0].cell.outputs[1]", 7, "an integer from 0 to 6"),
    ("channel_divisor", 2, "a multiple of 4 where cells are"),
]


@pytest.mark.parametrize(("path", "value", "allowed"), CELLS)
def test_what_no_cell_can_be_is_named(path: str, value: Any, allowed: str) -> None:
    with pytest.raises(FieldError) as caught:
        from_dict(broken(path, value, "amoebanet_b"))
    assert allowed in str(caught.value)
