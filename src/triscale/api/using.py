"""What a trained network is used for: predictions, maps, accuracy; and the check of a data set."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triscale.api.counted import whole
from triscale.api.given import answering, model_classifier, module_of, pictures_of, readable
from triscale.api.notebook_progress import counting
from triscale.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from triscale.data import CheckOptions, Picture
    from triscale.explanation import Explanation, Scoring
    from triscale.prediction import Prediction
    from triscale.scores import Evaluation
    from triscale.weights import Classifier, Predictor


def predict(
    weights: "str | Path | nn.Module | Predictor",
    images: "Picture | Iterable[Picture]",
    *,
    top: int = 5,
    batch: int = 16,
    classes: Sequence[str] = (),
    override: Mapping[str, object] | None = None,
    network: str | None = None,
) -> "list[Prediction[Any]]":
    """What images show: for each, in their order, the most probable classes (`found[0].top[0].name`).

    Args:
        weights: a run folder, weights of any kind, an exported file, or a model of `build` or `load`, which gets its
            mode back.
        images: one or several: paths, folders, patterns such as "photos/**/*.jpg", Pillow images, uint8 arrays
            [h, w, 3].
        top: the most classes for each.
        batch: images a step; it changes the memory, not the answer.
        classes: names in the order of the logits, for a model that nobody has named them to.
        override: fields of the preprocessing to replace on purpose, such as `{"interpolation": "bilinear"}`.
        network: which network the weights of a path are of; your own code ("my_models:build") must be named.

    Raises:
        UsageError: a number below 1, or a module whose preprocessing is not known.
        InputError: no such weights, something that is not an image, or not a single image that can be read; one that
            cannot be read beside others has a `reason` instead of classes.
        NumericError: the network answers what is not finite.
    """
    top, batch = whole("top", top), whole("batch", batch)
    from triscale.prediction import predictions  # noqa: PLC0415  torch is loaded only here

    pictures = pictures_of(images)
    with answering(weights, classes, override, network) as classifier:
        return readable(list(predictions(classifier, pictures, top=top, batch=batch)))


def explain(
    weights: "str | Path | nn.Module | Classifier",
    images: "Picture | Iterable[Picture]",
    *,
    target: str | int | None = None,
    layer: str = "head",
    classes: Sequence[str] = (),
    override: Mapping[str, object] | None = None,
    scoring: "Scoring | None" = None,
) -> "list[Explanation[Any]]":
    """Where a network sees a class in images: for each, in their order, a map over what it saw (`found[0].picture`).

    Args:
        weights, images, classes, override: see `predict`; an exported file has no maps.
        target: the class by its name or index; by default the most probable one of each image.
        layer: the map that is looked at: `stem`, `stage1` and so on, or `head`, the last one before pooling.
        scoring: `triscale.explanation.Scoring()` also scores each map (`found[0].score`); `triscale.map_scores` has
            means over images, and networks paired.

    Raises:
        UsageError: no such class or layer.
        InputError, NumericError: see `predict`.
    """
    from triscale.explanation import explanations  # noqa: PLC0415  torch is loaded only here

    pictures = pictures_of(images)
    with model_classifier(weights, classes, override, "has no maps to look at") as classifier:
        return readable(list(explanations(classifier, pictures, wanted=target, layer=layer, scoring=scoring)))


def evaluate(
    weights: "str | Path | nn.Module | Predictor",
    data: "str | Path | Iterable[tuple[Tensor, Tensor]]",
    *,
    split: str | None = None,
    batch: int = 32,
    classes: Sequence[str] = (),
    override: Mapping[str, object] | None = None,
    network: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> "Evaluation":
    """The accuracy of a network: top-1, top-5, balanced accuracy, macro F1, by class, what it confuses.

    Every image counts once.

    Args:
        weights: as of `predict`; for your own batches, any module.
        data: a data set, see `triscale.data.open_split`, whose classes are matched by name; or your own batches,
            such as a DataLoader of (tensor, labels).
        split: of a data set: `test`, `val`, `train` or `all`, taken whole; without it, see `triscale.data.open_split`,
            and images that the weights were trained on are left out.
        batch: images a step; it changes the memory, not the answer. Your own batches stay as they are.
        classes: names in the order of the logits, for a model that nobody has named them to.
        override: fields of the preprocessing to replace on purpose, such as `{"interpolation": "bilinear"}`.
        network: which network the weights of a path are of, see `predict`.
        progress: called with `(done, n)`; in a notebook, by default, a bar.

    Raises:
        UsageError: a module that does not say how its images are prepared, with a data set; or options of a data set
            with batches.
        InputError: nothing usable there, classes that the network does not know, or a batch of another form.
        NumericError: the network answers what is not finite.
    """
    from triscale.evaluation import evaluate as evaluate_classifier  # noqa: PLC0415  torch is loaded only here
    from triscale.evaluation import evaluate_batches  # noqa: PLC0415

    if isinstance(data, str | Path):
        with answering(weights, classes, override, network) as classifier:
            progress = progress or counting("images")
            return evaluate_classifier(classifier, data, split=split, batch=batch, progress=progress)
    if split is not None or override:
        raise UsageError("split and override are for data sets: leave them out with your own batches.")
    if not isinstance(data, Iterable):
        kind = type(data).__name__
        raise UsageError(f"a {kind} is not data: give a path, or batches: DataLoader(dataset, batch_size=32).")
    module, own = module_of(weights)
    return evaluate_batches(module, data, classes=tuple(classes) or own, progress=progress or counting("images"))


def check(
    data: str | Path, *, policy: "CheckOptions | None" = None, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """The verdict on a data set that a study or training acts on: every file is hashed, and decoded once.

    Args:
        data: see `triscale.data.open_data`.
        policy: what is done about doubtful images; by default they are left out and reported.
        progress: called with `(done, whole)`: each file counts twice, when it is read and when it is decoded. The
            whole grows while many files are looked for.

    Returns:
        See `triscale.data.checks.verdict.verdict`.

    Raises:
        InputError: nothing usable there.
    """
    from triscale.data import CheckOptions, open_data  # noqa: PLC0415  decoders are loaded only here
    from triscale.data.checks.verdict import verdict  # noqa: PLC0415

    counted = progress or counting("files, each read and then decoded")
    return verdict(open_data(data, policy=policy or CheckOptions(), progress=counted))
