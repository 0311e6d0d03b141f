"""Which kernels a machine has, and properties of what they take."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.costs import kernels, known_here
from triscale.costs.memory import onednn
from triscale.costs.memory.onednn import KNOWN, workspace
from triscale.machine import convolution_isa
from triscale.spec.layer import convolution

AVX2 = "abm avx avx2 bmi1 bmi2 f16c fma movbe"
AVX512 = f"{AVX2} avx512f avx512bw avx512cd avx512dq avx512vl"


@pytest.mark.parametrize(
    ("flags", "limit", "isa"),
    [
        (AVX512, "", "avx512"),  # Zen 4
        (f"{AVX512} avx512_bf16 amx_bf16", "", "amx"),  # Sapphire Rapids
        (f"{AVX512} amx_bf16", "AVX512_CORE_BF16", "avx512"),
        (f"{AVX512} amx_bf16", "avx2", "avx2"),
        (f"{AVX512} amx_bf16", "ALL", "amx"),
        (AVX2, "", "avx2"),  # Zen 3
        (AVX2, "AVX512_CORE", "avx2"),
        (AVX2, "SSE41", None),
        (AVX512, "AVX", None),
        (f"{AVX2} avx_ne_convert", "", None),  # oneDNN takes bf16 there: not met yet
        ("sse4_2", "", None),
        ("fp asimd bf16", "", None),  # ARM
        ("", "", None),
    ],
)
@pytest.mark.parametrize("name", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
def test_onednn_takes_the_best_set_that_the_processor_has_and_the_limit_allows(
    flags: str, limit: str, isa: str | None, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(one, raising=False)
    if limit:
        monkeypatch.setenv(name, limit)
    if flags:
        (tmp_path / "cpuinfo").write_text(f"flags\t\t: {flags}\n", encoding="ascii")
    assert convolution_isa(tmp_path) == isa


def test_matrix_instructions_have_no_float32_so_that_avx512_runs_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """`triscale cost` then needs no measurement, and so no torch, on a processor with AMX."""
    monkeypatch.setattr(onednn, "_isa_here", lambda: "amx")
    assert known_here(2) == kernels("avx512", 2)
    assert known_here(2, bfloat16=True) is None
    monkeypatch.setattr(onednn, "_isa_here", lambda: "unknown")
    assert known_here(2) is None


@given(
    isa=st.sampled_from(sorted(KNOWN)),
    threads=st.integers(1, 64),
    groups=st.sampled_from([1, 2, 8]),
    width=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    side=st.integers(1, 30),
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.sampled_from([1, 2]),
    item=st.sampled_from([2, 4]),
    batch=st.integers(1, 40),
)
def test_a_convolution_holds_its_results_at_least_and_more_of_a_larger_batch(
    isa: str,
    threads: int,
    groups: int,
    width: tuple[int, int],
    side: int,
    kernel: int,
    stride: int,
    item: int,
    batch: int,
) -> None:
    channels = groups * width[0], groups * width[1]
    layer = convolution("probe", channels, (side, side), "same", kernel=kernel, stride=stride, groups=groups)
    of = kernels(isa, threads)
    weights = item * kernel**2 * channels[1] * width[0]
    output = item * channels[1] * layer.output[0] * layer.output[1]
    forward, backward = workspace(layer, batch, of, item, needs_gradient=True)
    assert forward >= batch * output
    assert backward >= weights + batch * item * channels[0] * side**2
    assert workspace(layer, batch, of, item, needs_gradient=False)[1] <= backward
    # from 16 images on no threshold changes how it runs
    some, more = (workspace(layer, batch + extra, of, item, needs_gradient=True) for extra in (16, 17))
    assert all(one < other for one, other in zip(some, more, strict=True))
