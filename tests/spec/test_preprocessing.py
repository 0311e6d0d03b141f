"""The preprocessing lock as data: what it takes, what it rejects, and what an old document means."""

import json
import re
from dataclasses import replace

import pytest

from triscale.errors import InputError
from triscale.families import official_preprocessing
from triscale.spec import (
    IMAGENET,
    INCEPTION,
    TFLITE,
    FieldError,
    Preprocessing,
    overridden,
    padded_crop,
    preprocessing_from_dict,
    preprocessing_to_dict,
    refuse_difference,
)

FULL = replace(IMAGENET, resolution=(288, 320), fit="squash", interpolation="lanczos", crop=0.9)


@pytest.mark.parametrize(
    "one", [Preprocessing(), IMAGENET, INCEPTION, TFLITE, FULL, Preprocessing(mean=(0,), std=(1,))]
)
def test_a_document_gives_back_the_preprocessing_exactly(one: Preprocessing) -> None:
    assert preprocessing_from_dict(json.loads(json.dumps(preprocessing_to_dict(one)))) == one


def test_mean_and_std_alone_mean_a_study() -> None:
    """Checkpoints of the first version hold no more; what the defaults are must never change."""
    found = preprocessing_from_dict({"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]})
    assert found == Preprocessing(interpolation="area", fit="centre", crop=1.0, resolution=None)
    assert found.exact_pixels
    assert not IMAGENET.exact_pixels


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mean", [0.5]),
        ("mean", []),
        ("mean", 0.5),
        ("mean", [0.5, 0.5, "x"]),
        ("mean", [0.5, 0.5, float("nan")]),
        ("std", [0.2, 0.2, 0]),
        ("interpolation", "cubic"),
        ("fit", "center"),
        ("crop", 0),
        ("crop", 1.5),
        ("crop", None),
        ("resolution", [224]),
        ("resolution", [0, 224]),
        ("resolution", [1e9, 224]),
        ("size", 224),
    ],
)
def test_what_cannot_be_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(FieldError, match="std" if value == [0.5] else field):
        preprocessing_from_dict({field: value})


def test_a_document_that_is_no_object_is_refused() -> None:
    documents: tuple[object, ...] = (None, [], "bicubic", 3)
    for document in documents:
        with pytest.raises(InputError):
            preprocessing_from_dict(document)


def test_a_difference_is_refused_in_two_lines_that_say_how_to_mean_it() -> None:
    refuse_difference(IMAGENET, {"interpolation": "bicubic", "crop": 0.875})
    with pytest.raises(InputError, match="trained with interpolation bicubic, not bilinear") as caught:
        refuse_difference(IMAGENET, {"interpolation": "bilinear"})
    assert "override interpolation=bilinear" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2
    with pytest.raises(InputError, match=re.escape("override resolution=224x260")):
        refuse_difference(FULL, {"resolution": (224, 260)})


def test_an_override_is_by_name_and_checked() -> None:
    assert overridden(IMAGENET, {"interpolation": "bilinear", "crop": 1.0}) == replace(
        IMAGENET, interpolation="bilinear", crop=1.0
    )
    for wrong in ({"size": 3}, {"crop": 7}, {"mean": (0.5,)}):
        with pytest.raises(FieldError):
            overridden(IMAGENET, wrong)


def test_the_official_crop_keeps_all_but_32_pixels() -> None:
    for side in range(32, 900):
        how = replace(IMAGENET, crop=padded_crop((side, side)))
        assert how.before_crop((side, side)) == (side + 32, side + 32)


@pytest.mark.parametrize("member", [f"efficientnet_b{index}" for index in range(9)])
def test_the_official_preprocessing_matches_timm(member: str) -> None:
    """Its fractions are printed with three digits; the side before the crop is what counts."""
    from timm.models import get_pretrained_cfg

    peer = get_pretrained_cfg(f"tf_{member}.in1k" if member < "efficientnet_b6" else f"tf_{member}")
    ours = official_preprocessing(member)
    side = peer.input_size[1]
    assert (ours.interpolation, ours.fit) == (peer.interpolation, "centre")
    assert ours.before_crop((side, side))[0] == pytest.approx(int(side / peer.crop_pct), abs=1)
    assert ours.crop == pytest.approx(peer.crop_pct, abs=1e-3)
    if ".ap_" not in f"{peer.architecture}.{peer.tag}":
        assert (ours.mean, ours.std) == (IMAGENET.mean, IMAGENET.std)
