"""The page of each command. Examples stand in an order in which they run: the first ones make what later ones use."""

from triscale.cli.help.page import Page
from triscale.cli.help.shared_options import (
    CLUSTER,
    COUNTED_TRAINING,
    DATA_CHECKS,
    MACHINE,
    OTHER_WEIGHTS,
    PREPROCESSING,
)

_RUN = "runs/one"
_NO_PAGE = Page()


def page_of(command: str) -> Page:
    """The page of a command such as `train` or `search architecture`."""
    return PAGES.get(command, _NO_PAGE)


PAGES: dict[str, Page] = {
    "networks": Page(part="look", examples=("triscale networks", "triscale networks 'efficientnet_b*'")),
    "cost": Page(
        part="look",
        usual=(
            "--resolution", "--batch", "--metric", "--by-stage", "--fit-memory", "--target", "--optimizer",
            "--precision", "--json",
        ),
        sections=(
            COUNTED_TRAINING,
            ("Latency", ("--target", "--calibration")),
            ("Pipelines", ("--stages", "--microbatches", "--separable")),
        ),
        examples=("triscale cost efficientnet_b0", "triscale cost efficientnet_b3 --batch 32 --optimizer adamw"),
    ),
    "check": Page(part="look", examples=("triscale check flowers", "triscale check images --strict")),
    "benchmark": Page(
        part="look",
        examples=(
            "triscale benchmark smallnet_24 shallownet_24 --engine torch --rounds 2",
            "triscale benchmark smallnet_24 --engine torch --batch 1,8 --time 5s",
        ),
    ),
    "calibrate": Page(
        part="look",
        examples=(
            "triscale calibrate --target onnxruntime:float32:t1",
            "triscale calibrate --target onnxruntime:float32:t1 --check",
        ),
    ),
    "doctor": Page(part="look", examples=("triscale doctor", "triscale doctor --json")),
    "scale": Page(
        part="scale",
        usual=(
            "--phi", "--budget", "--depth", "--width", "--resolution", "--rule", "--coefficients", "--fill",
            "--batch", "--explain", "--out", "--json",
        ),
        sections=(
            COUNTED_TRAINING,
            ("Rule", ("--rule", "--coefficients", "--fix-stem-head")),
            ("Budget", ("--budget", "--fill", "--batch", "--target")),
        ),
        examples=(
            "triscale scale efficientnet_b0 --phi 1.5 --out b0-larger.json",
            "triscale scale efficientnet_b0 --budget macs=1.0G --budget params=10M --fill",
        ),
    ),
    "fit": Page(
        part="train",
        usual=(
            "--data", "--budget", "--out", "--time", "--network", "--weights", "--target", "--format", "--epochs",
            "--no-comparison", "--json",
        ),
        sections=(
            ("What is built", ("--budget", "--network", "--weights", "--allow-pth", "--rule", "--target", "--format",
                               "--engine")),
            ("Training",
             ("--data", "--train-size", "--time", "--epochs", "--recipe", "--precision", "--batch", "--seed")),
            MACHINE,
            DATA_CHECKS,
        ),
        examples=(
            "triscale fit --data images --budget macs=1M --epochs 2 --out runs/fitted",
            "triscale fit --data flowers:240 --budget params=30k --epochs 2 --out runs/tiny",
        ),
    ),
    "train": Page(
        part="train",
        usual=(
            "--data", "--out", "--network", "--weights", "--recipe", "--epochs", "--batch", "--resolution", "--seed",
            "--device", "--precision", "--json",
        ),
        sections=(
            ("Data", ("--data", "--train-size", "--split-seed", "--class-weights")),
            ("Initial weights and teacher",
             ("--weights", "--allow-pth", "--grow", "--grow-network", "--teacher", "--teacher-network")),
            ("Machine", ("--device", "--threads", "--kernels", "--loader-workers", "--gradient-checkpointing")),
            ("Several processes", ("--pipeline", "--microbatches", "--schedule")),
            ("Files", ("--out", "--keep", "--save-every", "--tensorboard")),
            DATA_CHECKS,
        ),
        examples=(
            f"triscale train --network smallnet_24 --data flowers --epochs 5 --out {_RUN}",
            f"triscale train --weights {_RUN} --data images --epochs 5 --out runs/mine",
        ),
    ),
    "evaluate": Page(
        part="train",
        usual=("--data", "--split", "--weights", "--network", "--resolution", "--batch", "--device", "--out", "--json"),
        sections=(OTHER_WEIGHTS, PREPROCESSING, MACHINE),
        examples=(
            f"triscale evaluate {_RUN} --data flowers",
            "triscale evaluate runs/mine --data images --out accuracy",
        ),
    ),
    "lite": Page(
        part="train",
        usual=("--data", "--out", "--activation", "--recipe", "--epochs", "--batch", "--seed", "--device", "--json"),
        sections=(OTHER_WEIGHTS, PREPROCESSING, MACHINE),
        examples=(
            f"triscale lite {_RUN} --data flowers --epochs 1 --out runs/lite",
            f"triscale lite {_RUN} --data flowers --activation hard_swish --out runs/swish",
        ),
    ),
    "study": Page(
        part="search",
        usual=(
            "--data", "--time", "--phi", "--budget", "--epochs", "--recipe", "--rivals", "--jobs", "--plan", "--out",
            "--json",
        ),
        sections=(
            ("Data", ("--data", "--train-size", "--enlarge")),
            ("What is compared", ("--cost", "--target", "--tolerance", "--rivals", "--at-phi", "--transfer")),
            ("How much is trained",
             ("--time", "--candidates", "--trainings", "--round", "--seeds", "--epochs", "--seed")),
            ("Training", ("--recipe", "--precision", "--batch")),
            MACHINE,
            CLUSTER,
            DATA_CHECKS,
        ),
        examples=(
            "triscale study --time 5m --plan",
            "triscale study smallnet_24 --data images --phi 1 --time 1m --out runs/study",
        ),
    ),
    "search": Page(
        part="search",
        examples=(
            "triscale search architecture --trials 4 --epochs 1 --out runs/search",
            "triscale search status runs/search",
        ),
    ),
    "search architecture": Page(
        part="search",
        usual=(
            "--data", "--space", "--objective", "--cost", "--budget", "--time", "--trials", "--epochs", "--sampler",
            "--jobs", "--out", "--json",
        ),
        sections=(
            ("Data", ("--data", "--train-size")),
            ("Objective",
             ("--objective", "--cost", "--reward-target", "--target", "--exponent", "--worth", "--budget")),
            ("Trials", ("--sampler", "--trials", "--lag", "--epochs", "--stop-hopeless", "--time", "--seed")),
            ("Finalists", ("--finalists", "--final-epochs", "--rungs", "--eta", "--seeds")),
            ("Training", ("--recipe", "--precision", "--batch")),
            MACHINE,
            CLUSTER,
            DATA_CHECKS,
        ),
        examples=(
            "triscale search architecture --trials 4 --epochs 1 --out runs/search",
            "triscale search architecture --data images --time 1m --out runs/mine-search",
        ),
    ),
    "search status": Page(
        part="search",
        examples=("triscale search status runs/search", "triscale search status runs/search --json"),
    ),
    "report": Page(part="search", examples=("triscale report runs/study", "triscale report runs/study --summary")),
    "predict": Page(
        part="use",
        usual=("--top", "--batch", "--weights", "--network", "--resolution", "--device", "--json"),
        sections=(OTHER_WEIGHTS, PREPROCESSING, MACHINE),
        examples=(f"triscale predict {_RUN} image.png", f"triscale predict {_RUN} images --top 1 --json"),
    ),
    "explain": Page(
        part="use",
        usual=("--out", "--class", "--layer", "--score", "--beside", "--weights", "--network", "--device", "--json"),
        sections=(
            ("Scores of maps", ("--score", "--steps", "--boxes", "--beside")),
            OTHER_WEIGHTS,
            PREPROCESSING,
            MACHINE,
        ),
        examples=(
            f"triscale explain {_RUN} image.png --out maps",
            f"triscale explain {_RUN} image.png --score --steps 20",
        ),
    ),
    "convert": Page(
        part="use",
        examples=(
            f"triscale convert {_RUN} --out weights.safetensors",
            "triscale convert --network efficientnet_lite0 --to timm --out lite0-timm",
        ),
    ),
    "export": Page(
        part="use",
        usual=("--out", "--format", "--batch", "--precision", "--data", "--max-drop", "--weights", "--network",
               "--resolution", "--json"),
        sections=(
            OTHER_WEIGHTS,
            PREPROCESSING,
            ("Lower precision", ("--precision", "--data", "--split", "--max-drop", "--calibration", "--time")),
            ("Compiled code", ("--march", "--format")),
        ),
        examples=(
            f"triscale export {_RUN} --out network.onnx",
            f"triscale export {_RUN} --out int8.onnx --precision int8 --data flowers",
        ),
    ),
    "serve": Page(
        part="use",
        usual=("--host", "--port", "--weights", "--network", "--resolution", "--device", "--json"),
        sections=(OTHER_WEIGHTS, PREPROCESSING, MACHINE),
        examples=(f"triscale serve {_RUN}", "triscale serve network.onnx --port 8080"),
    ),
    "completion": Page(part="use", examples=("triscale completion bash", "triscale completion zsh --install")),
    "compare": Page(
        part="paper",
        usual=("--set", "--metric", "--rules", "--phi", "--budget", "--equal", "--target", "--figure", "--batch",
               "--json"),
        sections=(
            COUNTED_TRAINING,
            ("One network by several rules", ("--rules", "--phi", "--budget", "--coefficients", "--equal", "--target")),
        ),
        examples=("triscale compare", "triscale compare efficientnet_b0 --rules compound,width,depth --phi 2"),
    ),
    "errata": Page(part="paper", examples=("triscale errata b4", "triscale errata --out errata.md")),
}  # fmt: skip
