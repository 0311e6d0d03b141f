"""AmoebaNet against a second implementation, written from the published description and not from the plan of a cell."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.nn.networks import randomise
from tests.nn.test_counts import measured
from triscale.cost import count
from triscale.errors import InputError
from triscale.families.amoebanet import NORMAL, REDUCTION, amoebanet
from triscale.nn import build
from triscale.nn.cells import CellPool, FactorizedReduction
from triscale.nn.layers import StochasticDepth
from triscale.spec import Cell, Network, Pool, resolve
