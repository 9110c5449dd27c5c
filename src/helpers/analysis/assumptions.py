"""The p-value under every choice of analysis and under every assumption about the design, kept apart.

Seventeen tests of the same data agree because they share what the design assumes. Only the second list asks
about that.

>>> choices_of_analysis(statistics, "day_56")[0].label
'Cox hazard ratio, efron ties, Wald interval'
>>> (
...     round(choices_of_analysis(statistics, "day_56")[0].p, 3),
...     len(assumptions_of_design(statistics, "day_56")) > 10,
... )
(0.037, True)
>>> describe_specifications(arms, statistics, store)
>>> sorted(row.statistic for row in store.rows().values())[:2]
['significant', 'significant']
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.analysis.co_interventions import ESTIMAND
from helpers.analysis.robustness import FRAGILE, OUTCOME, Study, keep
from helpers.analysis.robustness_patients import WEIGHTED, WORDS
from helpers.analysis.robustness_time import ERA, TIME
from helpers.results.catalogue import EffectRows, EstimandRows, Key
from helpers.stats.result import Result
from helpers.stats.specification import Kind, Specification, curve_summary, specification_curve

if TYPE_CHECKING:
    from helpers.results.store import Statistic, Statistics, StatisticsStore

SPECIFICATION = "specification"
EFFECT = "effect"
LAGS = (3, 7, 10, 14, 21, 28)
FEWER = (1, 2, 3)


@dataclass(frozen=True)
class Assumption:
    """One way to look at the same data.

    Attributes:
        label: what is assumed, in words.
        row: the stored row.
        column: the row's column that holds it.
    """

    label: str
    row: Statistic
    column: str = "p_value"

    @property
    def p(self) -> float:
        """The p-value; NaN where there is none."""
        return float(getattr(self.row, self.column))


def choices_of_analysis(statistics: Statistics, timepoint: str) -> list[Assumption]:
    """Every stored effect on survival that has a p-value, in stored order."""
    rows = statistics.select(EffectRows, variable=OUTCOME, timepoint=timepoint)
    return [Assumption(row.method, row) for row in rows if row.p_value == row.p_value]


def assumptions_of_design(statistics: Statistics, timepoint: str) -> list[Assumption]:
    """Every stored answer to a change of the design's assumptions, by theme; those without a p-value too."""

    where = {"group": "both", "timepoint": timepoint}
    return [
        Assumption(label, row, column)
        for label, analysis, variable, statistic, column in _asked(statistics, timepoint)
        if (row := statistics.find(Key(analysis, statistic), variable, **where)) is not None
    ]


def _asked(statistics: Statistics, timepoint: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield label, analysis, variable, statistic and column of every assumption looked for."""
    yield "Time from eligibility, lag from prescriptions", TIME, OUTCOME, "delayed_entry", "p_value"
    for lag in LAGS:
        yield f"All treated began {lag} days after eligibility", TIME, OUTCOME, f"lag_{lag}", "p_value"
    deaths = statistics.find(
        EstimandRows.treatment_policy_reference, OUTCOME, group="both", timepoint=timepoint
    )
    for fewer in FEWER:
        if deaths is not None and deaths.value >= fewer:
            name = f"control_deaths_{int(deaths.value) - fewer}"
            label = f"A better era: {fewer} control {'death' if fewer == 1 else 'deaths'} fewer (Fisher)"
            yield label, ERA, OUTCOME, name, "p_value"
    yield "One more treated death (Fisher)", FRAGILE, OUTCOME, "fisher_one_more", "p_value"
    yield "One more treated death (log-rank, worst day)", FRAGILE, OUTCOME, "logrank_one_more", "upper"
    yield "One patient left out (log-rank, worst patient)", FRAGILE, OUTCOME, "leave_one_out", "upper"
    for name, words in WORDS.items():
        yield f"Log-rank, {words}", WEIGHTED, name, "logrank", "p_value"
    yield "A further course counts as failure (Fisher)", ESTIMAND, OUTCOME, "composite", "p_value"


def describe_specifications(study: Study, statistics: Statistics, store: StatisticsStore) -> None:
    """Store, for both kinds apart, how many were tried, how many have p below 0.05, and the range of p."""
    kinds: dict[Kind, list[Assumption]] = {
        "analytic": choices_of_analysis(statistics, study.timepoint),
        "design": assumptions_of_design(statistics, study.timepoint),
    }
    for kind, found in kinds.items():
        specifications = [
            Specification(
                one.label,
                kind,
                Result(one.row.method, value=_ratio(one.row), p_value=one.p, note=one.row.note),
            )
            for one in found
        ]
        if not specifications:
            note = f"not estimated: {study.one_arm or 'nothing was tested'}"
            keep(store, study, SPECIFICATION, "significant", Result("tests", note=note), variable=kind)
            continue
        curve = specification_curve(specifications)
        counted = curve_summary(curve).iloc[0]
        p = curve["p_value"].dropna()
        result = Result(
            "tests with p below 0.05; limits: smallest and largest p",
            value=float(counted["significant"]),
            lower=float(p.min()) if len(p) else float("nan"),
            upper=float(p.max()) if len(p) else float("nan"),
            n=int(counted["tested"]),
            n_missing=int(counted["specifications"] - counted["tested"]),
        )
        keep(store, study, SPECIFICATION, "significant", result, variable=kind, unit="tests")


def _ratio(row: Statistic) -> float:
    return row.value if row.unit == "ratio" else float("nan")
