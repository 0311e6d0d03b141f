"""How a network is trained, as data."""

import math
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from triscale.errors import UsageError
from triscale.recipes.schedule import cosine, growth, staircase
from triscale.spec.rounding import Size

Optimizer = Literal["sgd", "rmsprop", "adamw"]
RateSchedule = Literal["cosine", "staircase"]
Decayed = Literal["weights", "all_but_norms"]
Arithmetic = Literal["float32", "bfloat16"]
RecipePrecision = Literal["float32", "bfloat16", "auto"]
Crop = Literal["shift", "random"]
AugmentPolicy = Literal["none", "autoaugment", "randaugment"]
NotFinite = Literal["stop", "skip"]
RateScaling = Literal["linear", "sqrt"]
Norms = Literal["auto", "learn", "freeze", "momentum", "precise"]
ClassWeights = Literal["none", "balanced"]

_FIRST = ("epochs", "batch", "optimizer", "learning_rate", "weight_decay", "warmup", "label_smoothing", "flip", "shift",
          "zero_classifier")  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A recipe; its defaults are `quick` of 0.1, which what leaves a field out keeps. Dropout is the network's own.

    Attributes:
        epochs: passes over the training images.
        batch: images a step.
        optimizer: `adamw`; `sgd` (Nesterov momentum 0.9); `rmsprop` (TensorFlow's, decay 0.9, momentum 0.9, eps 1e-3).
        learning_rate: the peak, after warm-up.
        weight_decay: on what `decayed` says.
        warmup: fraction of all steps with linearly rising learning rate.
        label_smoothing: probability mass spread over all classes.
        flip: mirror images left to right at random.
        shift: largest random shift as a fraction of the side.
        zero_classifier: start from equal probabilities for all classes. The paper's initialisation of the classifier,
            uniform within 1 / sqrt(classes), is made for 1,000 classes; with ten it starts ten times as loud.
        schedule: `cosine` to 0, or `staircase` (times `decay` each `decay_epochs`, counted from step 0).
        warmup_epochs: the warm-up in epochs, instead of `warmup`.
        decay: of the staircase.
        decay_epochs: of the staircase.
        reference_batch: the batch that `learning_rate` is for, scaled to `batch`; 0: `batch` itself.
        rate_scaling: `linear`, as for SGD and RMSProp; or `sqrt`, as optimizers that divide by a root of squares want
            it (arXiv 2205.10287).
        decayed: `weights` of convolutions and linear layers; or `all_but_norms`, biases too (the paper's).
        ema: decay of the moving average of the weights, which is then what is evaluated and kept; 0: none.
        mixup: alpha of mixup (arXiv 1710.09412); 0: none.
        cutmix: alpha of CutMix (arXiv 1905.04899); 0: none. With both, each batch has one of them, at random.
        clip: largest norm of the gradient of a step; 0: no limit.
        precision: `float32`; `bfloat16` by autocast (weights stay float32); or `auto`: bfloat16 where the device has
            instructions for it and, on a CPU, our kernels are used, else float32.
        crop: `shift` of images that were rendered at the network's size; or `random`: a resized crop of the original,
            of `area` to all of it.
        policy: of operations on a crop: `autoaugment` (its policy v0), `randaugment`, or `none`.
        layers, magnitude: N and M of RandAugment.
        jitter: largest change of a crop's brightness, contrast and saturation, as a fraction.
        erase: probability of random erasing (arXiv 1708.04896) in a crop.
        compile: let `torch.compile` make the model's steps.
        norms: what batch norms do: `learn` as the network says; `freeze` the statistics of the weights; `momentum`,
            which follows the images within an epoch (Kornblith et al.'s, which the paper transfers with); `precise`,
            taken again before each evaluation; `auto`, one of these by the batch and by whether weights begin it.
        layer_decay: factor of the learning rate from each stage to the one before it, the classifier's being 1.
        sync_norms: where several processes train, take the statistics of norms over the batch of all of them.
        area: smallest part of an image's area that a random crop keeps.
        not_finite: `stop` at a loss or gradient that is not finite; or `skip` its step, which then changes nothing.
        spike: skip a step whose loss is more than so many times the mean of its epoch so far; 0: none is.
        first_size: sides of the images in the first epochs, as a fraction of the network's; they grow linearly, in
            `sizes` stages of equal length, to 1 in the last (progressive resizing, EfficientNetV2 section 4).
            Intermediate sides are rounded to even numbers. Validation is always at the whole size.
        sizes: stages of growth, or one for each epoch if there are fewer of these.
        first_strength: dropout, RandAugment's magnitude and the alphas of mixup and CutMix in the first epochs, as a
            fraction of the network's and the recipe's own; they grow as the sides do.
        distil: share of the loss that is a teacher's, where there is one: (1 - distil) of cross entropy with the labels
            and `distil` of T^2 KL(teacher || student) (arXiv 1503.02531).
        temperature: T, by which the logits of both are divided.
        class_weights: `balanced` weighs an image's cross entropy by n / (k n_c), where n_c of the n training images
            are of its class and k classes have any (scikit-learn's word); the loss of a batch is the weighted mean, as
            torch's. `none`: all weigh alike.
    """

    epochs: int = 10
    batch: int = 64
    optimizer: Optimizer = "adamw"
    learning_rate: float = 8e-3
    weight_decay: float = 0.02
    warmup: float = 0.15
    label_smoothing: float = 0.1
    flip: bool = True
    shift: float = 0.125
    zero_classifier: bool = True
    schedule: RateSchedule = "cosine"
    warmup_epochs: float = 0.0
    decay: float = 0.97
    decay_epochs: float = 2.4
    reference_batch: int = 0
    rate_scaling: RateScaling = "linear"
    decayed: Decayed = "weights"
    ema: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    clip: float = 0.0
    precision: RecipePrecision = "float32"
    crop: Crop = "shift"
    policy: AugmentPolicy = "none"
    layers: int = 2
    magnitude: float = 9.0
    jitter: float = 0.0
    erase: float = 0.0
    compile: bool = False
    norms: Norms = "learn"
    layer_decay: float = 1.0
    area: float = 0.08
    sync_norms: bool = False
    not_finite: NotFinite = "stop"
    spike: float = 0.0
    first_size: float = 1.0
    sizes: int = 4
    first_strength: float = 1.0
    distil: float = 0.5
    temperature: float = 4.0
    class_weights: ClassWeights = "none"

    def __post_init__(self) -> None:
        for one in fields(self):
            if one.type is float:  # a file may say `shift = 0`; equal recipes are written alike
                object.__setattr__(self, one.name, float(getattr(self, one.name)))
        if self.epochs < 1 or self.batch < 2:
            raise UsageError(f"epochs {self.epochs} and batch {self.batch}: at least 1 epoch and a batch of 2.")
        for name, allowed in _WORDS.items():
            if getattr(self, name) not in allowed:
                raise UsageError(f"{name} is {getattr(self, name)!r}; give {', '.join(allowed)}.")
        for name, (least, below) in _RANGES.items():
            value = getattr(self, name)
            if not least <= value < below:
                raise UsageError(f"{name} is {value}; give a number from {least:g} to below {below:g}.")
        self._refuse_impossible()
        self._refuse_no_growth()

    def _refuse_impossible(self) -> None:
        """What each field allows alone and no training can do together."""
        if not (self.learning_rate > 0 and self.decay > 0 and self.decay_epochs > 0):
            raise UsageError("learning_rate, decay and decay_epochs must be above 0.")
        if self.warmup and self.warmup_epochs:
            raise UsageError("warmup (a fraction) and warmup_epochs are two words for one thing: give one of them.")
        if self.warmup_epochs >= self.epochs:
            raise UsageError(
                f"a warm-up of {self.warmup_epochs:g} epochs does not end within {self.epochs} epochs.\n"
                "Train for more epochs, or lower warmup_epochs."
            )
        if self.schedule == "staircase" and self.warmup:
            raise UsageError("the staircase counts epochs: give warmup_epochs instead of warmup.")

        if self.crop == "shift" and (self.policy != "none" or self.jitter or self.erase):
            raise UsageError('policy, jitter and erase are for crops of the originals: give crop = "random".')
        if self.crop == "random" and self.shift:
            raise UsageError('a random crop is shifted already: give shift = 0.0, or crop = "shift".')
        if 0 < self.spike <= 1:
            raise UsageError(f"spike is {self.spike}: every other loss is above the mean; give more than 1, or 0.")

    def _refuse_no_growth(self) -> None:
        """Fractions that reach up to 1, and stages that have somewhere to go."""
        if not (0 < self.first_size <= 1 and 0 <= self.first_strength <= 1 and 0 <= self.distil <= 1):
            raise UsageError(
                f"first_size {self.first_size}, first_strength {self.first_strength} and distil {self.distil} "
                "are fractions:\ngive numbers up to 1 (first_size above 0)."
            )
        if not 0 < self.temperature < _INFINITE:
            raise UsageError(f"temperature is {self.temperature}; give a number above 0.")
        if self.sizes < 2 and (self.first_size, self.first_strength) != (1, 1):
            raise UsageError(f"nothing grows in sizes = {self.sizes}; give 2 or more.")

    @property
    def arithmetic(self) -> Arithmetic:
        """In what convolutions and linear layers compute; float32 where `precision` leaves it open."""
        return "bfloat16" if self.precision == "bfloat16" else "float32"

    @property
    def grows(self) -> bool:
        """Whether epochs differ in their images' size or in how they are augmented."""
        return (self.first_size, self.first_strength) != (1, 1)

    def size_at(self, epoch: int, size: Size) -> Size:
        """Height and width of the images of an epoch (from 0), for a network of `size`."""
        share = self._grown_from(self.first_size, epoch)
        return size if share == 1 else (_even_side(share, size[0]), _even_side(share, size[1]))

    def strength_at(self, epoch: int) -> float:
        """By what the strengths of regularisation are multiplied in an epoch (from 0)."""
        return self._grown_from(self.first_strength, epoch)

    def pixels_at(self, epoch: int) -> float:
        """Pixels of an image of an epoch (from 0) as a share of those in the end: about what a step costs."""
        return self._grown_from(self.first_size, epoch) ** 2

    def _grown_from(self, first: float, epoch: int) -> float:
        return 1 - (1 - first) * (1 - growth(epoch, self.epochs, self.sizes))  # exactly 1 in the end, and from 1

    @property
    def peak_rate(self) -> float:
        """The peak of the learning rate at this batch."""
        if not self.reference_batch:
            return self.learning_rate
        ratio = self.batch / self.reference_batch
        return self.learning_rate * (ratio if self.rate_scaling == "linear" else math.sqrt(ratio))

    def learning_rate_at(self, progress: float) -> float:
        """The rate after the fraction `progress` in [0, 1] of all steps."""
        if self.schedule == "staircase":
            epoch = progress * self.epochs
            return staircase(self.peak_rate, epoch, self.warmup_epochs, self.decay, self.decay_epochs)
        return cosine(self.peak_rate, progress, self.warmup or self.warmup_epochs / self.epochs)

    def to_dict(self) -> dict[str, Any]:
        """For records: the fields that every recipe has had, and of the later ones those that say something."""
        return {
            one.name: float(value) if isinstance(one.default, float) else value  # 1 given for 1.0 is the same recipe
            for one in fields(self)
            if (value := getattr(self, one.name)) != one.default or one.name in _FIRST
        }


def _even_side(share: float, side: int) -> int:
    """The even number of pixels nearest to a share of a side, but never none and never more than the side."""
    return min(side, 2 * max(1, round(share * side / 2)))


_WORDS: dict[str, tuple[str, ...]] = {
    "optimizer": get_args(Optimizer),
    "schedule": get_args(RateSchedule),
    "decayed": get_args(Decayed),
    "precision": get_args(RecipePrecision),
    "crop": get_args(Crop),
    "policy": get_args(AugmentPolicy),
    "norms": get_args(Norms),
    "not_finite": get_args(NotFinite),
    "rate_scaling": get_args(RateScaling),
    "class_weights": get_args(ClassWeights),
}
_INFINITE = float("inf")
_RANGES = {
    "learning_rate": (0, _INFINITE), "weight_decay": (0, _INFINITE), "warmup": (0, 1), "label_smoothing": (0, 1),
    "shift": (0, 1), "warmup_epochs": (0, _INFINITE), "decay": (0, _INFINITE), "decay_epochs": (0, _INFINITE),
    "reference_batch": (0, _INFINITE), "ema": (0, 1), "mixup": (0, _INFINITE), "cutmix": (0, _INFINITE),
    "clip": (0, _INFINITE),
    "layers": (0, _INFINITE), "magnitude": (0, _INFINITE), "jitter": (0, 1), "erase": (0, 1),
    "layer_decay": (0, 1.000001), "area": (0.01, 1.000001),
    "spike": (0, _INFINITE),
}  # fmt: skip
