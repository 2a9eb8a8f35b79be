"""Tasks and answers as bytes, for whoever performs them elsewhere: arrays as NumPy keeps them, the rest as JSON.

No order, product or source is named: positions are enough to solve, so nothing personal travels. What comes back from
`task_of` has stand-ins for the lines and sources of the batch, of which solving asks only whether they are written in.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from io import BytesIO
from typing import Any

import numpy as np

from dom_core.domain.batch import Batch
from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Address, Source, SourceType
from dom_core.domain.order import Line
from dom_core.domain.plan import Ending, Level
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import DamagedDocument
from dom_core.optimizer.costs import FactorCharges, PairCosts
from dom_core.optimizer.problem import Problem, Used
from dom_core.optimizer.solving import Answer
from dom_core.optimizer.tasks import Task, Work
from dom_core.rules.base import CapacityLimit, SplitLimits

VERSION = 1
"""Of the form in which tasks and answers are written: another version's are refused, not guessed at."""

_HEADER = "header"
