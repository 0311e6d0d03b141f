"""How much an image of each class counts in the loss, where classes have unequal numbers of images."""

import numpy as np
import torch
from torch import Tensor

from triscale.data import Source
from triscale.data.feed.in_memory import Indices
from triscale.trials import TrainJob


def balanced(labels: Indices, classes: int) -> Tensor:
    """Weights by which all classes count alike: n / (k n_c), float32 [classes].

    n_c of the n labels are of class c, and k classes have any; one that has none weighs 0. These are the weights that
    scikit-learn calls balanced (King and Zeng, 2001); their mean over the labels is 1.
    """
    counts = np.bincount(labels, minlength=classes)
    there = counts > 0
    weights = np.zeros(classes)
    weights[there] = len(labels) / (there.sum() * counts[there])
    return torch.from_numpy(weights).float()


def class_weights(job: TrainJob, source: Source) -> Tensor | None:
    """Those that the recipe wants, by the labels of the training split; None: all images count alike."""
    if job.recipe.class_weights == "none":
        return None
    split = source.training_split(seed=job.data.seed, train_size=job.data.subset)
    return balanced(source.labels("train")[split.training], len(source.classes))
