"""What a survival figure shows, read from stored statistics: counts before ink.

>>> stored_horizon(statistics)
56
>>> found = read_survival(statistics, config)
>>> found.counts["ruxolitinib"]["risk"].tolist()[:3], found.ticks[:3]
([20.0, 20.0, 20.0], [0, 7, 14])
>>> effect_lines(found)[0]
'Hazard ratio 0.15 (0.02 to 0.68)'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.results.catalogue import EffectRows, SurvivalRows
from helpers.results.format import format_interval, format_number, format_p_equation
from helpers.results.headline import headline_ratio

if TYPE_CHECKING:
    import pandas as pd

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

# The test printed, as the configuration names it: analysis and name of its row, and its words.
TESTS = {
    "logrank": (SurvivalRows.logrank, "Log-rank"),
    "exact": (EffectRows.test_logrank_exact, "Exact log-rank"),
    "permutation": (EffectRows.test_logrank_monte_carlo, "Permutation log-rank"),
}
COUNTS = {"at_risk": "risk", "cumulative_deaths": "events", "cumulative_censored": "censored"}


@dataclass(frozen=True)
class SurvivalData:
    """What the figure shows.

    Attributes:
        horizon_days: last day of the analysis.
        curves: by group: day, survival, lower, upper, n_censor, one row a day with an event or a censoring.
        counts: by group: day, risk (just before the day), events and censored (up to and on the day), one row
            a tick.
        medians: by group: the median survival in days with its interval; groups without deaths lack it.
        ticks: days of the risk table.
        p_value: of the test that the configuration names; None where groups are not compared.
        p_label: name of that test.
        ratio: hazard ratio of the treated to the reference group; None where there is no stored estimate.
        difference: difference of survival at the horizon in percentage points; None likewise.
    """

    horizon_days: int
    curves: dict[str, pd.DataFrame]
    counts: dict[str, pd.DataFrame]
    medians: dict[str, Statistic]
    ticks: list[int]
    p_value: float | None
    p_label: str
    ratio: Statistic | None = None
    difference: Statistic | None = None

    @property
    def at_risk(self) -> dict[str, list[int]]:
        """Numbers at risk at the ticks, by group."""
        return {group: [int(count) for count in table["risk"]] for group, table in self.counts.items()}

    @property
    def groups(self) -> list[str]:
        """Groups with a curve."""
        return [group for group, curve in self.curves.items() if len(curve)]


def stored_horizon(statistics: Statistics, endpoint: str = "death") -> int | None:
    """Return the last day of the stored analysis of an endpoint, or None where there is none."""
    analysis, counted = ("survival", "deaths") if endpoint == "death" else ("endpoint", "events")
    rows = statistics.select(analysis=analysis, variable=endpoint, statistic=counted)
    return int(rows[0].timepoint.removeprefix("day_")) if rows else None


def read_survival(statistics: Statistics, config: CohortConfig) -> SurvivalData:
    """Collect curves, counts, medians and p-value of the primary survival analysis from the statistics."""
    curves, counts, medians = {}, {}, {}
    for group in config.group_ids:
        table = _by_day(statistics, group)
        curves[group] = table[table["n_event"].notna()] if "n_event" in table else table.iloc[:0]
        counts[group] = _counts(table)
        median = statistics.find(SurvivalRows.median, "death", group=group)
        if median is not None:
            medians[group] = median
    horizon_days = stored_horizon(statistics) or 0
    ticks = next(([int(day) for day in table["day"]] for table in counts.values() if len(table)), [])
    p_value, label = _test(statistics, config, horizon_days)
    when = f"day_{horizon_days}"
    gap = statistics.find(EffectRows.survival_difference, "death", group="both", timepoint=when)
    known = gap if gap is not None and gap.value == gap.value else None
    ratio = headline_ratio(statistics, when)
    return SurvivalData(horizon_days, curves, counts, medians, ticks, p_value, label, ratio, known)


def effect_lines(data: SurvivalData) -> list[str]:
    """Return the lines of effects and test with their intervals, none where the groups are not compared."""
    lines = []
    if data.ratio is not None:
        limits = format_interval(data.ratio.lower, data.ratio.upper, 2)
        lines.append(f"Hazard ratio {format_number(data.ratio.value, 2)} ({limits})")
    if data.difference is not None:
        limits = format_interval(data.difference.lower, data.difference.upper, 1)
        lines.append(f"Survival difference {format_number(data.difference.value, 1)} points ({limits})")
    if data.p_value is not None:
        lines.append(f"{data.p_label} {format_p_equation(data.p_value)}")
    return lines


def _by_day(statistics: Statistics, group: str) -> pd.DataFrame:
    import pandas as pd

    rows: dict[int, dict[str, float]] = {}
    for row in statistics.select(SurvivalRows, variable="death", group=group):
        if not row.timepoint.startswith("day_"):
            continue
        day = rows.setdefault(int(row.timepoint.removeprefix("day_")), {})
        day[row.statistic] = row.value
        if row.statistic == "survival":
            day |= {"lower": row.lower, "upper": row.upper}
    return pd.DataFrame.from_dict(rows, orient="index").sort_index().rename_axis("day").reset_index()


def _counts(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    if "at_risk" not in table:
        return pd.DataFrame(columns=["day", *COUNTS.values()])
    ticks = table[table["at_risk"].notna()].rename(columns=COUNTS)
    return ticks[["day", *(name for name in COUNTS.values() if name in ticks)]].reset_index(drop=True)


def _test(statistics: Statistics, config: CohortConfig, horizon_days: int) -> tuple[float | None, str]:
    """Return p-value and name of the test that the configuration names; of log-rank if it has none."""
    for name in (config.survival.test, "logrank"):
        key, label = TESTS[name]
        row = statistics.find(key, "death", group="both", timepoint=f"day_{horizon_days}")
        if row is not None and row.p_value == row.p_value:
            return row.p_value, label
    return None, TESTS["logrank"][1]
