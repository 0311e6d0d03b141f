"""What a step makes smaller: cross entropy, smoothed, mixed, and weighted by class."""

from torch import Tensor
from torch.nn import functional as F

from triscale.training.distributed.processes import World


class Loss:
    """Mean cross entropy over the images of a batch, whatever part of it a process sees at a time.

    With class weights it is the weighted mean over the whole batch, as torch's `cross_entropy(weight=...)`.

    Args:
        smoothing: probability mass spread over all classes.
        class_weights: [classes], where the logits lie; None: all classes count alike.
        world: the processes that share a batch.
    """

    def __init__(self, smoothing: float, class_weights: Tensor | None, world: World) -> None:
        self._smoothing, self._weights, self._world = smoothing, class_weights, world
        self._relative = class_weights

    def begin(self, labels: Tensor) -> None:
        """Begin a step with these labels in this process; all processes call it.

        Torch divides a weighted loss by the sum of its labels' weights. A part of a batch must be divided by its share
        of the whole batch's sum: so the weights are divided by their mean over the batch, and parts by their size.
        Mixing changes the order of labels and not that mean.
        """
        if self._weights is not None:
            here = self._weights[labels.to(self._weights.device)].double().sum().item()
            self._relative = self._weights * (self._world.total(len(labels)) / self._world.total(here))

    def __call__(self, logits: Tensor, own: Tensor, others: Tensor, share: float) -> Tensor:
        """Logits [n, classes] of a part whose images are `share` of their `own` class and else of another, [n]."""
        loss = self._entropy(logits, own)
        return loss if share == 1 else share * loss + (1 - share) * self._entropy(logits, others)

    def _entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        logits, smoothing, weights = logits.float(), self._smoothing, self._relative
        if weights is None:
            return F.cross_entropy(logits, labels, label_smoothing=smoothing)
        total = F.cross_entropy(logits, labels, weight=weights, label_smoothing=smoothing, reduction="sum")
        return total / len(labels)
