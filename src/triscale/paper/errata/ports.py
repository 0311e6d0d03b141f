"""Where releases and other implementations differ from the paper, from the authors' code, or from what they print."""

from triscale import families
from triscale.costs import count
from triscale.families.efficientnet import B0, MEMBERS
from triscale.paper.errata.erratum import Erratum, Numbers, giga, mega, python
from triscale.spec import resolve


def _blocks(name: str) -> int:
    return sum(run.repeats for run in resolve(families.network(name)).runs if run.stage > 0)


def _ramp() -> Numbers:
    base, large, right = _blocks("efficientnet_b0"), _blocks("efficientnet_l2"), B0.stochastic_depth
    return {"base": base, "large": large, "rate": right * (large - 1) / base, "right": right}


def _crop() -> Numbers:
    return {member: MEMBERS[member].side / (MEMBERS[member].side + 32) for member in ("b0", "b4", "b7")}


def _norm() -> Numbers:
    return {"eps": B0.norm.eps, "torch": B0.norm.momentum, "tensorflow": 1 - B0.norm.momentum}


def _without_groups() -> Numbers:
    """Params of B0, and of B0 whose depthwise convolutions are full ones."""
    extra = sum(
        run.repeats * layer.kernel**2 * layer.in_channels * (layer.out_channels - layer.out_channels // layer.groups)
        for run in resolve(B0).runs
        for layer in run.block.layers
    )
    right = count(B0).params
    return {"right": right, "wrong": (right + extra) / 1e6}


def _b2() -> Numbers:
    side = MEMBERS["b2"].side
    own, larger = (giga(f"efficientnet_b2@resolution={pixels / side}") for pixels in (side, 288))
    return {"side": side, "own": own, "larger": larger}


PORTS = (
    Erratum(
        id="phi-of-the-baseline",
        kind="ports",
        where="README of keras-efficientnets",
        says="phi = 1 gives the baseline.",
        true="phi = 0 does, at {zero:.1f} M MACs; phi = 1 costs {one:.1f} M.",
        check=("triscale compare efficientnet_b0@phi=0 efficientnet_b0@phi=1",),
        numbers=lambda: {n: 1e3 * giga(f"efficientnet_b0@phi={phi}") for phi, n in enumerate(("zero", "one"))},
    ),
    Erratum(
        id="stochastic-depth-ramp",
        kind="ports",
        where="Keras applications before 2020-06, qubvel/efficientnet (issues 135, 142); pycls keeps the rate constant",
        says="Block b drops with rate 0.2 * b / (blocks of B0).",
        true="The divisor is the number of blocks of the scaled network. With {base:.0f} in place of {large:.0f} the "
        "last block of L2 would drop with rate {rate:.2f}, not below {right:.1f}.",
        check=(
            python(
                "import triscale as t, triscale.spec as s; "
                "print(*(sum(i > 0 for i, _ in s.resolve(t.network(n)).flat()) "
                "for n in ('efficientnet_b0', 'efficientnet_l2')))"
            ),
        ),
        numbers=_ramp,
    ),
    Erratum(
        id="evaluation-crop",
        kind="ports",
        where="authors' repository since 2021-11",
        says="Evaluation crops 87.5% of the shorter side at every size.",
        true="The released weights were evaluated with 32 px of padding: {b0:.3f} for B0, {b4:.3f} for B4, "
        "{b7:.3f} for B7.",
        check=(python("print(*(f'{s / (s + 32):.3f}' for s in (224, 380, 600)))"),),
        numbers=_crop,
    ),
    Erratum(
        id="norm-momentum-and-eps",
        kind="ports",
        where="ports from TensorFlow to PyTorch",
        says="Batch norm momentum 0.99, eps 1e-5.",
        true="TensorFlow's {tensorflow:.2f} is PyTorch's {torch:.2f}, and the eps of the released weights is {eps:.3f} "
        "(timm: 1e-5 in its own weights, 1e-3 in those named tf_).",
        check=(python("import triscale; print(triscale.network('efficientnet_b0').norm)"),),
        numbers=_norm,
    ),
    Erratum(
        id="batch-and-learning-rate",
        kind="ports",
        where="authors' flags against the author (tensorflow/tpu issue 546)",
        says="The flags' batch is 2048.",
        true="The members were trained with {batch:.0f}; the rate of 0.256 is 0.016 for each 256 images of that batch.",
        check=(python("print(0.256 / 0.016 * 256)"),),
        numbers=lambda: {"batch": 0.256 / 0.016 * 256},
    ),
    Erratum(
        id="missing-groups",
        kind="ports",
        where="MLCommons GaNDLF, issue 1041",
        says="B0 has 165 M params.",
        true="It has {right:,}; {wrong:.0f} M are those of full convolutions where the depthwise "
        "ones lost their groups.",
        check=("triscale cost efficientnet_b0",),
        numbers=_without_groups,
    ),
    Erratum(
        id="counters-disagree",
        kind="ports",
        where="thop (issue 69) and mmpretrain",
        says="B4 takes 4.49 G or 4.66 G, B7 38.33 G.",
        true="Convolutions and linear layers alone are {b4:.2f} G and {b7:.2f} G multiply-adds; the others add norms, "
        "activations or pooling. State what is counted.",
        check=("triscale cost efficientnet_b4", "triscale cost efficientnet_b7"),
        numbers=lambda: {"b4": giga("efficientnet_b4"), "b7": giga("efficientnet_b7")},
    ),
    Erratum(
        id="mobilenet-v3-small",
        kind="ports",
        where="README of TF-slim against the released network",
        says="MobileNetV3-Small 1.0 has 2.9 M params and 66 M MACs.",
        true="The released network has {params:.2f} M and {macs:.1f} M.",
        check=("triscale cost mobilenet_v3_small",),
        numbers=lambda: {"params": mega("mobilenet_v3_small"), "macs": 1e3 * giga("mobilenet_v3_small")},
    ),
    Erratum(
        id="torchvision-b2-at-288",
        kind="ports",
        where="torchvision, weights of B0 to B4",
        says="The weights are ported from the original paper.",
        true="They are timm's, and B2 is evaluated at 288 px, where it costs {larger:.3f} G; at its own {side:.0f} px "
        "it costs {own:.3f} G.",
        check=("triscale cost efficientnet_b2", "triscale cost efficientnet_b2 --resolution 288"),
        numbers=_b2,
    ),
    Erratum(
        id="keras-normalises-inside",
        kind="ports",
        where="Keras applications",
        says="Images are scaled to [0, 1] or normalised before the model.",
        true="The model does both itself: it expects 0 to 255, and images that are prepared twice cost accuracy.",
        check=(python("import keras; print(keras.applications.EfficientNetB0(weights=None).layers[1:3])"),),
    ),
)
"""The formula, training, evaluation, counting, weights."""
