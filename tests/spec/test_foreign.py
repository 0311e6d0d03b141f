"""A foreign network as data: text, JSON, hash, scaling; nothing is imported."""

import copy
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.spec import (
    ForeignNetwork,
    any_from_document,
    content_hash,
    from_dict,
    is_foreign_text,
    to_document,
)

ROLES = {"depth", "width", "resolution", "classes", "input_channels"}
NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name not in ROLES)
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
CONSTANTS = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=5)


@st.composite
def foreign_networks(draw: st.DrawFn) -> ForeignNetwork:
    side = st.integers(1, 4096)
    return ForeignNetwork(
        draw(st.sampled_from(["a:b", "my_package.models:build", "x.y:Net.small"])),
        resolution=draw(st.one_of(st.just((0, 0)), st.tuples(side, side))),
        depth=draw(st.floats(0.01, 100)),
        width=draw(st.floats(0.01, 100)),
        classes=draw(st.integers(0, 1000)),
        input_channels=draw(st.integers(1, 8)),
        arguments=draw(st.dictionaries(NAMES, CONSTANTS, max_size=3)),
        names=draw(st.dictionaries(st.sampled_from(sorted(ROLES)), st.one_of(st.just(""), NAMES), max_size=3)),
        fingerprint=draw(st.sampled_from(["", "0a"])),
    )


@given(foreign_networks())
def test_json_and_copies_give_the_same_network_back(foreign: ForeignNetwork) -> None:
    assert ForeignNetwork.from_dict(foreign.to_dict()) == foreign
    assert copy.deepcopy(foreign) == foreign


@given(foreign_networks())
def test_its_name_is_a_text_that_means_it(foreign: ForeignNetwork) -> None:
    plain = replace(foreign, fingerprint="")
    assert is_foreign_text(plain.name)
    assert ForeignNetwork.parse(plain.name) == plain


@given(foreign_networks(), foreign_networks())
def test_equal_networks_have_equal_hashes_and_others_do_not(one: ForeignNetwork, two: ForeignNetwork) -> None:
    assert (one.content_hash() == two.content_hash()) == (one == two)


def test_a_text_reads_as_it_is_written() -> None:
    parsed = ForeignNetwork.parse("a.b:c@resolution=64x96,width=1.5,width=wide,depth=,layers=[2, [3]],se=true,act=relu")
    assert parsed == ForeignNetwork(
        "a.b:c",
        resolution=(64, 96),
        width=1.5,
        names={"width": "wide", "depth": ""},
        arguments={"layers": [2, [3]], "se": True, "act": "relu"},
    )
    assert ForeignNetwork("a:b", resolution=32).resolution == (32, 32)


@pytest.mark.parametrize(
    "text", ["efficientnet_b0", "efficientnet_b0@phi=1", "spec.json", "https://host/x", "a:", ":b", "a b:c"]
)
def test_other_names_are_not_foreign(text: str) -> None:
    assert not is_foreign_text(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a:b@blocks", "cannot read the setting 'blocks'"),
        ("a:b@resolution=64px", "give pixels"),
        ("a:b@width=1,width=2", "width is given twice"),
        ("a:b@classes=1.5", "classes is '1.5'"),
        ("a:b@width=-1", "width is -1.0; allowed"),
        ("a:b@resolution=0x8", "resolution[0] is 0"),
        ("a..b:c", "module:callable"),
    ],
)
def test_a_malformed_text_is_rejected_by_name(text: str, words: str) -> None:
    with pytest.raises((UsageError, InputError)) as caught:
        ForeignNetwork.parse(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", "no colon"),
        ("path", None),
        ("arguments", [1]),
        ("arguments", {"x": float("nan")}),
        ("arguments", {"x": {}}),
        ("arguments", {"x y": 1}),
        ("names", {"height": "h"}),
        ("names", {"depth": "a b"}),
        ("fingerprint", "xyz"),
        ("resolution", [1, 2, 3]),
        ("resolution", "64"),
        ("version", 2),
        ("colour", 1),
    ],
)
def test_a_document_with_a_wrong_field_is_rejected_by_name(field: str, value: object) -> None:
    document: dict[str, Any] = {**ForeignNetwork("a:b").to_dict(), field: value}
    with pytest.raises(InputError, match=field):
        ForeignNetwork.from_dict(document)
    with pytest.raises(InputError, match="foreign network"):
        ForeignNetwork.from_dict({"format": "triscale.network"})


def test_a_document_is_read_back_as_its_kind_and_a_spec_file_holds_no_code() -> None:
    foreign, spec = ForeignNetwork("a:b", classes=3), network("efficientnet_b0")
    for one in (foreign, spec):
        assert any_from_document(to_document(one)) == one
        assert content_hash(one) == content_hash(any_from_document(to_document(one)))
    with pytest.raises(InputError, match="name it instead: a:b@classes=3"):
        from_dict(to_document(foreign))


def test_scaling_multiplies_and_forgets_what_was_built() -> None:
    base = ForeignNetwork("a:b", resolution=(32, 48), depth=2.0, fingerprint="0a")
    scaled = base.scaled(depth=1.5, width=1.25, resolution=1.26)
    assert (scaled.depth, scaled.width, scaled.resolution, scaled.fingerprint) == (3.0, 1.25, (40, 60), "")
    assert base.scaled() is base
    with pytest.raises(UsageError, match="width factor"):
        base.scaled(width=0)
    with pytest.raises(UsageError, match="a:b@resolution=64"):
        ForeignNetwork("a:b").scaled(resolution=2)


def test_reading_a_foreign_network_imports_neither_it_nor_torch() -> None:
    code = (
        "import sys; from triscale.spec import ForeignNetwork as F; "
        "F.from_dict(F.parse('colorsys:rgb_to_hls@x=1').scaled(width=2).to_dict()).content_hash(); "
        "print(sorted({'torch', 'colorsys'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
