"""On 64-bit Arm the folder of C++ computes the module's logits, by NEON: cross-compiled, and run by an emulator."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.nn.networks import TINY
from tests.runtime.test_compiled_networks import KINDS, images_for, logits_of, small, trained
from tests.runtime.test_from_c import PROGRAM
from triscale import runtime
from triscale.layer_weights import StoredWeights
from triscale.runtime.c_folder import FLAGS
from triscale.runtime.instance import Floats
from triscale.spec import Network

CXX, CC, OBJDUMP, EMULATOR = (
    "aarch64-linux-gnu-g++", "aarch64-linux-gnu-gcc", "aarch64-linux-gnu-objdump", "qemu-aarch64-static",
)  # fmt: skip
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, (CXX, CC, OBJDUMP, EMULATOR))),
    reason="a compiler and an emulator for Arm are missing (apt install g++-aarch64-linux-gnu qemu-user-static)",
)


def built(net: Network, place: Path, threads: int = 1) -> Path:
    """A program that reads two images and writes their logits."""
    state = {name: tensor.numpy() for name, tensor in trained(net).state_dict().items()}
    code = runtime.code_of(net, StoredWeights(state, net.norm.eps), ["generic"])
    for name, content in runtime.folder_files(code, runtime.lock_text(net)).items():
        (place / name).write_bytes(content)
    (place / "main.c").write_text(PROGRAM.replace("triscale_create(2, 1,", f"triscale_create(2, {threads},"))
    subprocess.run([CXX, *FLAGS, "-c", "triscale_net.cpp"], cwd=place, check=True)
    link = [CC, "-static", "main.c", "triscale_net.o", "-o", "main", "-pthread", "-lm"]
    subprocess.run(link, cwd=place, check=True)
    return place / "main"


def run(program: Path, images: Floats) -> Floats:
    command = [EMULATOR, str(program)]
    done = subprocess.run(
        command, input=images.tobytes(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    return np.frombuffer(done.stdout, np.float32).reshape(len(images), -1)


def refuted(net: Network, place: Path) -> str:
    """How far the logits are from those in float64, where that is more than 1e-5 and twice what torch is off."""
    model, images = trained(net), images_for(net, 2)
    found, single = run(built(net, place), images), logits_of(model, images)
    exact = logits_of(model.double(), images.astype(np.float64))
    own, torchs = (float(np.abs(one - exact).max() / np.abs(exact).max()) for one in (found, single))
    return "" if own <= max(1e-5, 2 * torchs) else f"{own:.1e} of the largest, torch {torchs:.1e}"


def test_a_network_computes_the_modules_logits_with_fused_multiply_adds_of_four_lanes(tmp_path: Path) -> None:
    """Multiplications apart from additions are those of activations and gates: sums of them would be half as fast."""
    assert refuted(TINY["mbconv_se"], tmp_path) == ""
    listing = subprocess.run([OBJDUMP, "-d", tmp_path / "triscale_net.o"], capture_output=True, text=True, check=True)
    fused, apart = (len(re.findall(rf"\b{word}\s+v\d+\.4s", listing.stdout)) for word in ("fmla", "fmul"))
    assert fused > 4 * apart > 0


def test_what_is_not_a_number_comes_out_and_threads_change_no_bit(tmp_path: Path) -> None:
    net = TINY["senet"]
    images = images_for(net, 2)
    images[1, 0, 3, 4] = np.nan
    found = run(built(net, tmp_path), images)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
    assert run(built(net, tmp_path, threads=3), images).tobytes() == found.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "width", "height", "wide"), KINDS, ids=[kind[0] for kind in KINDS])
def test_every_family_computes_the_modules_logits(
    name: str, width: float, height: int, wide: int, tmp_path: Path
) -> None:
    assert refuted(small(name, width, height, wide), tmp_path) == ""
