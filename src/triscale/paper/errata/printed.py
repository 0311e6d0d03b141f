"""Where the paper errs: against the authors' code, against itself, or against a count of its own networks."""

import math

from triscale import families
from triscale.families.efficientnet import MEMBERS
from triscale.paper.errata.erratum import Erratum, Numbers, giga, mega, python
from triscale.paper.printed_tables import TABLES
from triscale.scaling import PAPER, Factors
from triscale.spec import resolve

_COMPOUND = "depth=1.4,width=1.2,resolution=1.3"


def implied_phi(member: str) -> Factors:
    """The phi that depth, width and resolution of a member (`b4`) would each need under the paper's formula."""
    given = MEMBERS[member]
    return Factors(
        math.log(given.depth, PAPER.alpha),
        math.log(given.width, PAPER.beta),
        math.log(given.side / MEMBERS["b0"].side, PAPER.gamma),
    )


def _product() -> Numbers:
    return {"product": PAPER.alpha * PAPER.beta**2 * PAPER.gamma**2}


def _growth() -> Numbers:
    base = giga("efficientnet_b0")
    return {f"at{phi}": giga(f"efficientnet_b0@phi={phi}") / base for phi in (1, 7)} | {"nominal": 2**7}


def _implied() -> Numbers:
    return {f"{m}_{axis}": phi for m in ("b1", "b4", "b7") for axis, phi in implied_phi(m)._asdict().items()}


def _sides() -> Numbers:
    runs = resolve(families.network("efficientnet_b0")).runs
    sides = {run.stage + 1: run.block.input[0] for run in reversed(runs)}
    return {"five": sides[5], "six": sides[6]}


def _table2() -> Numbers:
    counted = {member: giga(f"efficientnet_{member}") for member in ("b1", "b4", "b5", "b7")}
    return counted | {"r152": giga("resnet152"), "b2": mega("efficientnet_b2")}


def _senet() -> Numbers:
    return {"params": mega("senet154"), "macs": giga("senet154"), "larger": giga("senet154@resolution=1.43")}


def _single() -> Numbers:
    factors = {"depth": "depth=4", "width": "width=2", "resolution": "resolution=2", "compound": _COMPOUND}
    counted = {axis: giga(f"efficientnet_b0@{factor}") for axis, factor in factors.items()}
    shares = [counted[axis] / counted["compound"] for axis in ("depth", "width", "resolution")]
    return counted | {"least": 1 - max(shares), "most": 1 - min(shares)}


def _schedule() -> Numbers:
    network = families.network("efficientnet_b0")
    return {"rate": network.stochastic_depth, "survival": 1 - network.stochastic_depth}


def _compound() -> Numbers:
    smaller = "depth=1.4,width=1.2,resolution=1.286"
    return {
        "v1": giga(f"mobilenet_v1@{_COMPOUND}"), "v1_288": giga(f"mobilenet_v1@{smaller}"),
        "v2": giga(f"mobilenet_v2@{_COMPOUND}"), "r50": giga(f"resnet50@{_COMPOUND}"),
    }  # fmt: skip


def _rivals() -> Numbers:
    printed = {row.label: row.published for row in TABLES["table2"].rows}
    return {"senet": float(printed["SENet"].top5 or 0), "nasnet": float(printed["NASNet-A"].top1 or 0)}


PRINTED = (
    Erratum(
        id="product-is-not-2",
        kind="paper",
        where="paper, equation 3 and section 4",
        says="alpha * beta^2 * gamma^2 is about 2, with 1.2, 1.1 and 1.15.",
        true="With these coefficients it is {product:.3f}; only a tolerance of 0.1 lets it pass.",
        check=(python("print(round(1.2 * 1.1**2 * 1.15**2, 4))"),),
        numbers=_product,
    ),
    Erratum(
        id="cost-is-not-2-to-phi",
        kind="paper",
        where="paper, section 3.3",
        says="The cost grows by about 2^phi.",
        true="Counted after rounding, B0 at phi=1 costs {at1:.2f} times B0, and at phi=7 {at7:.1f} times, not "
        "{nominal:.0f} times.",
        check=("triscale compare efficientnet_b0 efficientnet_b0@phi=1 efficientnet_b0@phi=7 --json",),
        numbers=_growth,
    ),
    Erratum(
        id="members-do-not-follow-the-formula",
        kind="paper",
        where="paper, section 4: B1 to B7 come from B0 with different phi",
        says="Each member is B0 at some phi.",
        true="Depth, width and resolution of the released members ask for different phi: B1 {b1_depth:.2f}, "
        "{b1_width:.2f}, {b1_resolution:.2f}; B4 {b4_depth:.2f}, {b4_width:.2f}, {b4_resolution:.2f}; "
        "B7 {b7_depth:.2f}, {b7_width:.2f}, {b7_resolution:.2f}.",
        check=(python("from triscale.paper import implied_phi; print([f'{p:.2f}' for p in implied_phi('b4')])"),),
        numbers=_implied,
    ),
    Erratum(
        id="table1-stage6",
        kind="paper",
        where="paper v1 to v3, Table 1 (tensorflow/tpu issue 383)",
        says="Stage 6 of B0 works at 28 x 28.",
        true="Its input is {six:.0f} x {six:.0f}: the stride of 2 is in stage 5, whose input is {five:.0f} px; "
        "v5 is corrected.",
        check=(python("import triscale; print(triscale.network('efficientnet_b0'))"),),
        numbers=_sides,
    ),
    Erratum(
        id="drop-connect",
        kind="paper",
        where="paper v1 to v3, section 5 (tensorflow/tpu issue 381)",
        says="Drop connect ratio 0.3.",
        true="The code has {rate:.1f} (a survival of {survival:.1f}, as v5 prints), growing linearly with the block.",
        check=(python("import triscale; print(triscale.network('efficientnet_b0').stochastic_depth)"),),
        numbers=_schedule,
    ),
    Erratum(
        id="table2-counts",
        kind="paper",
        where="paper, Table 2",
        says="B1 0.70 B, B4 4.2 B, B5 9.9 B, B7 37 B and ResNet-152 11 B FLOPS; B2 9.2 M params.",
        true="The released networks count {b1:.2f}, {b4:.2f}, {b5:.2f}, {b7:.1f} and {r152:.1f} G MACs, and "
        "{b2:.2f} M params.",
        check=("triscale compare --set table2", "triscale cost efficientnet_b4", "triscale cost efficientnet_b5"),
        numbers=_table2,
    ),
    Erratum(
        id="table2-senet",
        kind="paper",
        where="paper, Table 2: SENet; its text says 145 M",
        says="146 M params, 42 B FLOPS.",
        true="SENet-154 as released has {params:.1f} M params and {macs:.1f} G MACs at 224 px; at 320 px it costs "
        "{larger:.1f} G, so the printed MACs are those of the larger image.",
        check=("triscale cost senet154", "triscale cost senet154 --resolution 320"),
        numbers=_senet,
    ),
    Erratum(
        id="table3-resnet50-swapped",
        kind="paper",
        where="paper, Table 3: ResNet-50 with d=4 and with w=2",
        says="16.2 B FLOPS with d=4, 14.7 B with w=2.",
        true="They count {depth:.2f} G with d=4 and {width:.2f} G with w=2: the two look swapped.",
        check=("triscale cost resnet50@depth=4", "triscale cost resnet50@width=2"),
        numbers=lambda: {"depth": giga("resnet50@depth=4"), "width": giga("resnet50@width=2")},
    ),
    Erratum(
        id="table3-compound",
        kind="paper",
        where="paper, Table 3: the compound rows",
        says="2.3 B for MobileNetV1 with d=1.4, w=1.2, r=1.3; 1.3 B for MobileNetV2 and 16.7 B for ResNet-50, "
        "whose coefficients are not printed.",
        true="MobileNetV1 counts {v1:.2f} G at 291 px and {v1_288:.2f} G at 288 px; the same coefficients give "
        "MobileNetV2 {v2:.2f} G and ResNet-50 {r50:.1f} G.",
        check=("triscale compare --set table3",),
        numbers=_compound,
    ),
    Erratum(
        id="table7-not-equal-cost",
        kind="paper",
        where="paper, Table 7 and Figure 8: B0 with d=4, w=2, r=2 beside compound",
        says="All four cost about 1.8 B FLOPS.",
        true="They count {depth:.3f}, {width:.3f} and {resolution:.3f} G against {compound:.3f} G of the compound "
        "network: the single dimensions were given {least:.0%} to {most:.0%} less.",
        check=("triscale compare --set table7",),
        numbers=_single,
    ),
    Erratum(
        id="accuracy-of-b0",
        kind="paper",
        where="paper v1 to v3, and v5 in Tables 2 and 7",
        says="Top-1 of B0 is 76.3, 77.1 and 77.3.",
        true="76.3 is without AutoAugment, 77.1 with it; Table 7 of v5 does not agree with its Table 2. Compare "
        "members of one version only.",
        check=("triscale compare --set table7",),
    ),
    Erratum(
        id="accuracies-of-rivals",
        kind="paper",
        where="paper v1 to v3, Table 2; v5, Figure 5",
        says="SENet has a top-5 of 95.2; NASNet-A has a top-1 of 80.7.",
        true="Table 2 of v5 has {senet:.1f} and {nasnet:.1f}.",
        check=("triscale compare --set table2",),
        numbers=_rivals,
    ),
    Erratum(
        id="parameters-of-gpipe",
        kind="paper",
        where="paper, Figure 1 against Table 2",
        says="GPipe has 556 M params, and 557 M.",
        true="Both are printed for the same network; the GPipe paper says 557 M.",
        check=("triscale compare --set table2",),
    ),
)
"""In the order of the paper."""
