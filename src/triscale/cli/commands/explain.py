"""`triscale explain`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from triscale.cli.options.compute import HERE, Compute
from triscale.cli.options.picture_files import documents_of, run_and_pictures, tell_answers
from triscale.cli.options.weights import OWN, Weights, show_overrides
from triscale.cli.show.map_score_table import ScoredNetwork, scores_document, show_scores
from triscale.cli.show.output import Flag, Whole, make_folder, print_json, print_text, printable
from triscale.errors import OutputError, UsageError

if TYPE_CHECKING:
    from triscale.explanation import Explanation, Scoring
    from triscale.map_scores import MapScore
    from triscale.weights import Classifier


_STEPS = 50
_MOST_STEPS = 100_000


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class MapScoring:
    """How maps are scored; a command takes it as the argument `scores: MapScoring = UNSCORED`.

    Attributes:
        score: print what the maps are worth: deletion and insertion, beside the same maps shuffled, with 95% intervals
            over the images.
        steps: in how many equal parts pixels are deleted and inserted.
        boxes: a CSV file with the columns image, left, top, right and bottom (pixels of the upright original), for how
            much of a map lies inside the boxes.
        beside: a second run or checkpoint, which is scored on the same images and compared image by image.
    """

    score: Flag = False
    steps: Whole = _STEPS
    boxes: Path | None = None
    beside: str | None = None

    def scoring(self) -> "Scoring | None":
        """How maps are scored; None where nobody asks for it. Loads torch.

        Raises:
            UsageError: an option that needs --score, or steps out of range.
            InputError: boxes that cannot be read.
        """
        if not self.score:
            given = {"--boxes": self.boxes, "--beside": self.beside}
            for name in [name for name, value in given.items() if value is not None]:
                raise UsageError(f"{name} is an option of --score: add --score.")
            return None
        if not 1 <= self.steps <= _MOST_STEPS:
            raise UsageError(f"--steps is {self.steps}; give 1 to {_MOST_STEPS:,}.")
        from triscale.explanation import Scoring, read_boxes  # noqa: PLC0415  torch is loaded only here

        return Scoring(steps=self.steps, boxes={} if self.boxes is None else read_boxes(self.boxes))


UNSCORED = MapScoring()
"""Maps are drawn and not scored."""


def explain(
    *arguments: Annotated[str, Parameter(name="RUN IMAGE")],
    out: Path | None = None,
    weights: Weights = OWN,
    class_: Annotated[str | None, Parameter(name="--class")] = None,
    layer: str = "head",
    scores: MapScoring = UNSCORED,
    compute: Compute = HERE,
    json: Flag = False,
) -> None:
    """Draw which parts of an image a network uses for a class.

    Red is where the map is highest, dark where it is lowest, over the part of the image that the network saw. The map
    is exact (CAM: its mean plus the bias is the logit) on the last map of networks with a linear classifier, else
    Grad-CAM; the output says which. An image that cannot be read is named on stderr and left out.

    Args:
        arguments: a run folder or checkpoint, unless --weights or --network is given; then image files, folders or
            patterns, as in `triscale predict`.
        out: a folder, which gets a NAME.cam.png for each image; or FILE.png for a single image. With
            --score it may be left out.
        weights: see `Weights`.
        class_: name or index of the class to look for; by default the most probable one of each image.
        layer: the feature map to draw: stem, stage1 and so on, or head (the last one; only this one can be exact).
        scores: see `MapScoring`.
        compute: see `Compute`.
        json: print one JSON document instead of text.
    """
    if out is None and not scores.score:
        raise UsageError("--out is missing: give a folder for the maps, or FILE.png; or --score for their scores.")
    run, files = run_and_pictures("explain", arguments, named=weights.named)
    place = None if out is None else _Place(out, files)
    scoring = scores.scoring()
    classifier = weights.classifier(run, compute)
    look = _Look(files, class_, layer, place)
    if scoring is None:
        answers = look.answers(classifier)
        tell_answers(answers, look.document, _show, overrides=classifier.overrides_document(), json=json)
        return
    others = [] if scores.beside is None else [(scores.beside, Weights().classifier(scores.beside, compute))]
    _score([(run or "", classifier), *others], look, scoring, json=json)


@dataclass(frozen=True)
class _Look:
    """What is looked for, in which files, and where it is drawn."""

    files: list[Path]
    wanted: str | None
    layer: str
    place: "_Place | None"

    def answers(self, classifier: "Classifier", scoring: "Scoring | None" = None) -> "Iterator[Explanation[Path]]":
        from triscale.explanation import explanations  # noqa: PLC0415  torch is loaded only here

        return explanations(classifier, self.files, wanted=self.wanted, layer=self.layer, scoring=scoring)

    def document(self, one: "Explanation[Path]") -> dict[str, Any]:
        """JSON-ready; the map is drawn where it has a place."""
        drawn = {} if self.place is None else {"picture": str(self.place.write(one))}
        shown = one.shown.to_dict() if one.shown else {}
        return {"image": str(one.image), **shown, "method": one.method, "layer": self.layer, **drawn}


def _score(named: "list[tuple[str, Classifier]]", look: _Look, scoring: "Scoring", *, json: bool) -> None:
    """Score the maps of networks on the same images; those of the first are drawn."""
    found: list[MapScore] = []

    def document(one: "Explanation[Path]") -> dict[str, Any]:
        assert one.score is not None  # noqa: S101  for the type checker
        found.append(one.score)
        return {**look.document(one), "score": one.score.to_dict()}

    (_, first), *others = named
    images = documents_of(look.answers(first, scoring), document)
    names = _names(named)
    networks = [ScoredNetwork(name=names[0], scores=found)]
    for name, (_, classifier) in zip(names[1:], others, strict=True):
        answers = [one.score for one in look.answers(classifier, scoring)]
        networks.append(ScoredNetwork(name=name, scores=[one for one in answers if one is not None]))
    overrides = first.overrides_document()
    if json:
        more = {"overridden": overrides} if overrides else {}
        print_json({"images": images, **scores_document(networks, scoring.steps), **more})
        return
    show_overrides(overrides)
    for row in images if look.place is not None else []:
        _show(row)
    show_scores(networks, scoring.steps)


def _names(named: "list[tuple[str, Classifier]]") -> list[str]:
    """Names of the networks; with where their weights lie, where two have one name."""
    names = [classifier.network.name for _, classifier in named]
    return (
        names
        if len(set(names)) == len(names)
        else [f"{name} ({run})" for name, (run, _) in zip(names, named, strict=True)]
    )


class _Place:
    """Where the images are put; nothing that is read is written over."""

    def __init__(self, out: Path, files: list[Path]) -> None:
        self._out, self._taken = out, {file.resolve() for file in files}
        self._file = out.suffix != "" and not out.is_dir()
        if not self._file:
            make_folder(out)
            return
        if out.suffix.lower() != ".png":
            raise UsageError(f"--out is {printable(out)}: give a folder, or FILE.png.")
        if len(files) > 1:
            raise UsageError(f"--out is the file {printable(out)}, but there are {len(files)} images: give a folder.")
        if out.resolve() in self._taken:
            raise UsageError(f"--out is {printable(out)}, which is the image itself: give another file.")
        if not out.parent.is_dir():
            raise OutputError(f"cannot write {out}: the folder {out.parent} does not exist.")

    def write(self, one: "Explanation[Path]") -> Path:
        """Save a map and return its path; images of one name in several folders are numbered."""
        assert one.picture is not None  # noqa: S101  for the type checker
        path, number = self._out if self._file else self._out / f"{one.image.stem}.cam.png", 1
        while path.resolve() in self._taken:
            number += 1
            path = self._out / f"{one.image.stem}-{number}.cam.png"
        self._taken.add(path.resolve())
        try:
            one.picture.save(path, format="PNG")
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}.") from None
        return path


def _show(one: dict[str, Any]) -> None:
    print_text(
        printable(one["image"]),
        f"  {one['probability']:6.1%}  {printable(one['name'])}",
        f"  {one['method']} of {one['layer']}: {printable(one['picture'])}",
    )
