"""`triscale explain`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from triscale.cli.options.compute import HERE, Compute
from triscale.cli.options.picture_files import run_and_pictures, tell_answers
from triscale.cli.options.weights import OWN, Weights
from triscale.cli.show.output import Flag, make_folder, print_text, printable
from triscale.errors import OutputError, UsageError

if TYPE_CHECKING:
    from triscale.explanation import Explanation


def explain(
    *arguments: Annotated[str, Parameter(name="RUN IMAGE")],
    out: Path,
    weights: Weights = OWN,
    class_: Annotated[str | None, Parameter(name="--class")] = None,
    layer: str = "head",
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
        out: a folder, which gets a NAME.cam.png for each image; or FILE.png for a single image.
        weights: see `Weights`.
        class_: name or index of the class to look for; by default the most probable one of each image.
        layer: the feature map to draw: stem, stage1 and so on, or head (the last one; only this one can be exact).
        compute: see `Compute`.
        json: print one JSON document instead of text.
    """
    run, files = run_and_pictures("explain", arguments, named=weights.named)
    place = _Place(out, files)
    classifier = weights.classifier(run, compute)
    overrides = classifier.overrides_document()
    from triscale.explanation import explanations  # noqa: PLC0415  torch is loaded only here

    def document(one: "Explanation[Path]") -> dict[str, Any]:
        picture = str(place.write(one))
        shown = one.shown.to_dict() if one.shown else {}
        return {"image": str(one.image), **shown, "method": one.method, "layer": layer, "picture": picture}

    answers = explanations(classifier, files, wanted=class_, layer=layer)
    tell_answers(answers, document, _show, overrides=overrides, json=json)


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
