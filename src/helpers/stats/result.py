"""The result every function of this room returns, and the error it raises for input it cannot use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any

from helpers.errors import CompendiumError


class StatisticsError(CompendiumError):
    """Input from which no right number can be computed.

    `argument` names the offending parameter of the called function; the message opens with it.
    """

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument}: {problem}")
        self.argument = argument
        self.problem = problem


@dataclass(frozen=True)
class Result:
    """One estimate or test.

    `method` names the procedure in full (tie rule, interval transform, seed). `value`, `lower` and `upper`
    are the estimate and its interval at level `confidence`; `statistic` is the test statistic; fields that do
    not apply are NaN. `n` counts observations used and `n_missing` those left out because they were missing.
    `options` repeats the settings of the call; `details` holds further computed numbers (for instance
    observed and expected deaths of each group).
    """

    method: str
    value: float = nan
    lower: float = nan
    upper: float = nan
    p_value: float = nan
    statistic: float = nan
    n: int = 0
    n_missing: int = 0
    confidence: float = 0.95
    note: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
