"""What articles about the paper often get wrong."""

from dataclasses import replace

from triscale import families
from triscale.costs import count, separable_versus_standard
from triscale.families.efficientnet import B0, MEMBERS
from triscale.paper.errata.erratum import Erratum, Numbers, python
from triscale.paper.errata.printed import implied_phi
from triscale.scaling import PAPER, scale_by_rule
from triscale.spec import SqueezeExcite


def _reward() -> Numbers:
    right, wrong = -0.07, -0.7
    return {"w": right, "right": 1 - 2**right, "wrong": 1 - 2**wrong}


def _separable() -> Numbers:
    found = separable_versus_standard((32, 32), 3, 64, 3)
    pointwise = 32 * 32 * 3 * 64
    wrong = found.separable.macs - (found.separable.macs - pointwise) * 2 // 3  # a 3x1 kernel has a third of 3x3
    return {
        "standard": found.standard.macs, "separable": found.separable.macs, "ratio": found.macs_ratio,
        "wrong": wrong, "wrong_ratio": found.standard.macs / wrong,
    }  # fmt: skip


def _members() -> Numbers:
    return {f"{m}_{key}": getattr(MEMBERS[m], key) for m in ("b1", "b7") for key in ("width", "depth", "side")}


def _b1() -> Numbers:
    at1 = scale_by_rule(B0, "compound", 1)
    return {
        "side": MEMBERS["b1"].side, "width": MEMBERS["b1"].width, "depth": MEMBERS["b1"].depth,
        "formula": at1.resolution[0], "b2": implied_phi("b2").depth,
    }  # fmt: skip


def _squeeze() -> Numbers:
    wide = SqueezeExcite(ratio=0.5, of="inner")
    other = replace(B0, stages=tuple(replace(stage, squeeze_excite=wide) for stage in B0.stages))
    return {"right": count(B0).params, "wrong": count(other).params}


def _origin() -> Numbers:
    ours, theirs = (families.network(name).stages for name in ("efficientnet_b0", "mnasnet_a1"))
    return {
        "stages": len(ours),
        "same": sum(one.channels == other.channels for one, other in zip(ours, theirs, strict=True)),
    }


ARTICLES = (
    Erratum(
        id="reward-exponent",
        kind="articles",
        where="articles about the search for B0; paper, section 4",
        says="The reward is accuracy x (FLOPS / target)^w with w = -0.7.",
        true="w is {w:.2f}: twice the cost then takes {right:.0%} off the reward. With -0.7 it would take {wrong:.0%}.",
        check=(python("print(f'{1 - 2**-0.07:.0%} {1 - 2**-0.7:.0%}')"),),
        numbers=_reward,
    ),
    Erratum(
        id="constraint-is-2",
        kind="articles",
        where="articles about compound scaling; paper, equation 3",
        says="The constraint on the coefficients is alpha * beta^2 * gamma^2 = 2^phi.",
        true="It is 2, whatever phi is ({product:.3f} for the paper's coefficients); 2^phi is what the cost becomes.",
        check=(python("print(round(1.2 * 1.1**2 * 1.15**2, 4))"),),
        numbers=lambda: {"product": PAPER.alpha * PAPER.beta**2 * PAPER.gamma**2},
    ),
    Erratum(
        id="coefficients-one-member-off",
        kind="articles",
        where="articles that list B1 to B7",
        says="B1 to B7 have width 1.1 to 2.2, depth 1.2 to 3.6 and 260 to 672 px.",
        true="Those are B2 to B8. B1 has width {b1_width:.1f}, depth {b1_depth:.1f} and {b1_side:.0f} px, "
        "B7 has {b7_width:.1f}, {b7_depth:.1f} and {b7_side:.0f} px.",
        check=("triscale cost efficientnet_b1", "triscale cost efficientnet_b7"),
        numbers=_members,
    ),
    Erratum(
        id="bk-is-not-phi-k",
        kind="articles",
        where="articles and pages about B1",
        says="Bk is B0 at phi = k, so B1 has depth 1.2, width 1.1 and resolution 1.15.",
        true="B1 has depth {depth:.1f}, width {width:.1f} and {side:.0f} px; the formula's {formula:.0f} px at phi=1 "
        "is not a member. B2 is the one with depth at phi = {b2:.2f}.",
        check=("triscale cost efficientnet_b1", "triscale cost efficientnet_b0@phi=1"),
        numbers=_b1,
    ),
    Erratum(
        id="separable-convolution",
        kind="articles",
        where="articles that count a separable convolution (32 x 32 x 3 to 64 channels, 3 x 3)",
        says="It takes 205,824 multiply-adds, 8.6 times less than a standard one.",
        true="It takes {separable:,} of {standard:,}, {ratio:.1f} times less; {wrong:,} ({wrong_ratio:.1f} times) is "
        "what a 3 x 1 kernel would take.",
        check=(
            python(
                "from triscale.costs import separable_versus_standard as s; "
                "print(f'{s((32, 32), 3, 64, 3).separable.macs:,}')"
            ),
        ),
        numbers=_separable,
    ),
    Erratum(
        id="squeeze-excite-ratio",
        kind="articles",
        where="articles that draw an MBConv block",
        says="Squeeze-excite has half of the expanded channels.",
        true="It has a quarter of the block's input channels, before expansion. B0 has {right:,} params; "
        "with half of the expanded channels it would have {wrong:,}.",
        check=("triscale cost efficientnet_b0",),
        numbers=_squeeze,
    ),
    Erratum(
        id="origin-of-b0",
        kind="articles",
        where="articles about the baseline",
        says="B0 comes from MobileNetV3.",
        true="B0 was searched in MnasNet's space: {same:.0f} of its {stages:.0f} stages have the channels of "
        "MnasNet-A1's.",
        check=(python("import triscale; print(triscale.network('mnasnet_a1'), triscale.network('efficientnet_b0'))"),),
        numbers=_origin,
    ),
)
"""The reward, the constraint, the members, the arithmetic, the block."""
