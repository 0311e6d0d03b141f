"""The functions are for C: a program without Python gives the same bits."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.nn.networks import TINY
from tests.runtime.test_compiled_networks import COMPILER, images_for
from triscale import runtime
from triscale.layer_weights import RandomWeights

PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include "triscale_net.h"

int main(void) {
  const triscale_sizes shape = triscale_shape();
  const size_t pixels = (size_t)shape.channels * shape.height * shape.width;
  float *images = malloc(2 * pixels * sizeof *images), *logits = malloc(2 * shape.classes * sizeof *logits);
  triscale_net *net = NULL, *none = NULL;
  if (triscale_abi() != TRISCALE_ABI || triscale_create(0, 1, &none) != TRISCALE_BAD_ARGUMENT) return 2;
  if (triscale_create(2, 1, &net) != TRISCALE_OK) return 3;
  if (fread(images, sizeof *images, 2 * pixels, stdin) != 2 * pixels) return 4;
  if (triscale_run(net, 3, images, logits) != TRISCALE_BAD_ARGUMENT) return 5;
  long long nanoseconds[4096];
  const int steps = triscale_profile(NULL, NULL, NULL, NULL);
  if (steps < 1 || steps > 4096 || triscale_profile(net, NULL, logits, nanoseconds) != TRISCALE_BAD_ARGUMENT) return 7;
  if (triscale_profile(net, images, logits, nanoseconds) != steps || nanoseconds[steps - 1] < 0) return 8;
  if (triscale_run(net, 2, images, logits) != TRISCALE_OK) return 6;
  fwrite(logits, sizeof *logits, 2 * shape.classes, stdout);
  fprintf(stderr, "%s", triscale_about());
  triscale_free(net);
  triscale_free(none);
  free(images), free(logits);
  return 0;
}
"""


@COMPILER
def test_a_program_in_c_gives_the_bits_of_python(tmp_path: Path) -> None:
    """Compiled as strict C99 against the header; linked with the library and nothing else."""
    net = TINY["mbconv_se"]
    built, images = runtime.library(net, RandomWeights(0)), images_for(net, 2)
    header = Path(runtime.__file__).parent / "kernels"
    (tmp_path / "main.c").write_text(PROGRAM, encoding="utf-8")
    command = [str(shutil.which("gcc") or "cc"), "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{header}"]
    command += ["main.c", str(built), "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run([str(tmp_path / "main")], input=images.tobytes(), capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout == runtime.open(built)(images).tobytes()
    assert b'"network"' in done.stderr


@pytest.mark.parametrize("name", ["triscale_steps", "triscale_weights", "triscale_about_text"])
@COMPILER
def test_inner_names_are_hidden(name: str) -> None:
    """Two networks in one program do not meet."""
    built = runtime.library(TINY["mbconv_se"], RandomWeights(0))
    listing = subprocess.run(["nm", "-D", "--defined-only", str(built)], capture_output=True, text=True, check=True)
    found = {line.split()[-1] for line in listing.stdout.splitlines()}
    assert name not in found
    assert "triscale_run" in found
