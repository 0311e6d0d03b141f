"""Energy inside a box: the box goes where the pixels go."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from triscale.errors import InputError
from triscale.explanation.focus.box_energy import Box, box_mask, energy_inside, read_boxes
from triscale.spec import TFLITE, Preprocessing

WHOLE = Preprocessing()


def test_energy_is_the_part_of_what_is_above_zero() -> None:
    saliency = torch.tensor([[4.0, -9.0], [1.0, 3.0]])
    assert energy_inside(saliency, np.array([[1, 1], [0, 0]], np.float32)) == pytest.approx(0.5)
    assert energy_inside(-saliency.abs(), np.ones((2, 2), np.float32)) is None


def test_a_flat_map_has_the_share_of_the_box_as_energy() -> None:
    mask = box_mask((Box(3, 10, 21, 30),), (40, 60), (20, 30), WHOLE)
    assert energy_inside(torch.ones(20, 30), mask) == pytest.approx(float(mask.mean()))


def test_a_box_is_cut_and_resized_as_its_image_is() -> None:
    """By hand: 40 x 80 px at half its size is 20 x 40, of which the middle 20 columns stay."""
    how = replace(TFLITE, crop=1.0, resolution=(20, 20), interpolation="nearest")
    mask = box_mask((Box(0, 0, 40, 20),), (40, 80), (20, 20), how)
    expected = np.zeros((20, 20), np.float32)
    expected[:10, :10] = 1
    assert np.array_equal(mask, expected)


def test_a_box_follows_what_the_network_sees_of_a_bright_patch() -> None:
    """The oracle is the image itself: white in the box, black elsewhere."""
    from triscale.data.transforms.eval_crop import fitted

    pixels = np.zeros((90, 130, 3), np.uint8)
    pixels[20:70, 50:80] = 255
    for how in (WHOLE, TFLITE, replace(TFLITE, fit="squash"), replace(WHOLE, fit="centre", crop=0.8)):
        seen = fitted(Image.fromarray(pixels), (48, 64), how)[..., 0]
        mask = box_mask((Box(50, 20, 80, 70),), (90, 130), (48, 64), how)
        assert np.array_equal(np.rint(255 * mask), seen)


def test_boxes_are_read_by_the_name_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("bottom,image,left,top,right,note\n9,some/a.png,1,2,3.5,x\n8,a.png,0,0,4,y\n")
    assert read_boxes(tmp_path / "b.csv") == {"a.png": (Box(1, 2, 3.5, 9), Box(0, 0, 4, 8))}
    (tmp_path / "c.csv").write_text("image,left,top,right,bottom\na.png,1,2,x,4\n")
    with pytest.raises(InputError, match=r"c\.csv, line 2: a side of the box is not a number"):
        read_boxes(tmp_path / "c.csv")
