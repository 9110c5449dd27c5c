"""Every number of the comparison with historical controls, or the reason why there is none.

>>> sensitivity_table(statistics, "day_56", watermark="").texts[0][:3]
['On what the days of eligibility rest']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from helpers.report.tables.cells import (
    EMPTY,
    Cell,
    estimate_interval,
    number,
    p_value,
    sentence,
    short_method,
    size,
    verbatim,
    words,
)
from helpers.report.tables.content import Row, column, heading, message, row
from helpers.report.tables.evidence import Evidence
from helpers.report.tables.historical_control import NO_ARMS
from helpers.report.tables.table import Table
from helpers.results.catalogue import (
    Analysis,
    BalanceRows,
    ControlEraRows,
    ControlTimeRows,
    CovariateBalanceRows,
    DesignErrorRows,
    DiscountedControlsRows,
    EstimandRows,
    FewEventsRows,
    FragilityRows,
    ImputationRows,
    Key,
    LimitScenarioRows,
    MissingBoundsRows,
    SlopeBeforeDay0Rows,
    StateOccupancyRows,
    TruncationByDeathRows,
    UnmeasuredConfounderRows,
    WeightedEffectRows,
    WinStatisticsRows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from helpers.results.store import Statistic, Statistics

# Label, key, variable and decimals of one number.
Asked: TypeAlias = tuple[str, Key, str, int]

WELL = "The dead, and the days well"
# Sections of the table of all numbers: label, key, variable, decimals.
_SECTIONS: dict[str, tuple[Asked, ...]] = {
    "Time from eligibility to day 0": (
        ("Median lag of the treated, days", ControlTimeRows.lag_treated, "death", 0),
        ("Median lag of the controls, days", ControlTimeRows.lag_reference, "death", 0),
        ("Hazard ratio, delayed entry, lag by prescriptions", ControlTimeRows.delayed_entry, "death", 2),
        (
            "Survival from eligibility, delayed entry, treated, %",
            ControlTimeRows.survival_from_eligibility_treated,
            "death",
            1,
        ),
        (
            "Survival from eligibility, delayed entry, controls, %",
            ControlTimeRows.survival_from_eligibility_reference,
            "death",
            1,
        ),
        (
            "Difference of mean survival from eligibility, days",
            ControlTimeRows.rmst_difference_from_eligibility,
            "death",
            1,
        ),
        ("Hazard ratio, the drug as it begins", ControlTimeRows.time_varying, "death", 2),
        ("Strategies compared by cloning", ControlTimeRows.clone_censor_weight, "death", 2),
        ("Days before day 0 in which none could die", ControlTimeRows.immortal_days, "death", 0),
        ("Their share of the follow-up from eligibility, %", ControlTimeRows.immortal_share, "death", 1),
        ("Hazard ratio, common lag of 7 days", ControlTimeRows.named("lag_7"), "death", 2),
        ("Hazard ratio, common lag of 14 days", ControlTimeRows.named("lag_14"), "death", 2),
        ("Lag from which on significance is lost, days", ControlTimeRows.lag_tipping_point, "death", 0),
        ("Hazard ratio, landmark on day 7", ControlTimeRows.named("landmark_7"), "death", 2),
        ("Hazard ratio, landmark on day 14", ControlTimeRows.named("landmark_14"), "death", 2),
    ),
    "What else was given, and when": (
        ("Risk difference, whatever was added, points", EstimandRows.treatment_policy, "death", 1),
        ("Risk difference, a further course is failure, points", EstimandRows.composite, "death", 1),
        ("Patients in calendar time of both arms, %", ControlEraRows.calendar_overlap, "death", 0),
        ("Odds ratio of death a year among the controls", ControlEraRows.control_trend, "death", 2),
        (
            "Better control survival that takes significance away, points",
            ControlEraRows.tipping_point,
            "death",
            1,
        ),
    ),
    "Unlike patients": (
        ("Differences beyond 0.1 SD", BalanceRows.above_0_1, "standardized_difference", 0),
        ("The same, by chance alone", CovariateBalanceRows.named("expected_above_0_1"), "all", 1),
        ("Characteristics that the patients carry", WeightedEffectRows.budget, "model", 0),
        ("Hazard ratio, overlap weights", WeightedEffectRows.hazard_ratio, "ato", 2),
        ("The same, bootstrap interval", WeightedEffectRows.bootstrap_log_hazard_ratio, "ato", 2),
        ("Risk difference, overlap weights, points", WeightedEffectRows.risk_difference, "ato", 1),
        ("Hazard ratio, controls weighted to the treated", WeightedEffectRows.hazard_ratio, "att", 2),
        ("Hazard ratio, entropy balancing", WeightedEffectRows.hazard_ratio, "entropy", 2),
        ("Effective controls, overlap weights", WeightedEffectRows.effective_n_reference, "ato", 1),
        ("Effective controls, balancing", WeightedEffectRows.effective_n_reference, "entropy", 1),
    ),
    "Not measured": (
        ("E-value of the estimate, and of the limit", UnmeasuredConfounderRows.e_value, "death", 1),
        ("The same, death being common", UnmeasuredConfounderRows.e_value_common_outcome, "death", 1),
    ),
    "Fragility": (
        ("Changed outcomes that take Fisher's p over 0.05", FragilityRows.fisher_index, "death", 0),
        ("One more treated death, log-rank p", FragilityRows.logrank_one_more, "death", 3),
        ("One patient left out, log-rank p", FragilityRows.leave_one_out, "death", 3),
    ),
    "Few deaths": (
        ("Hazard ratio, exact log-rank test inverted", FewEventsRows.exact_logrank_interval, "death", 2),
        ("Hazard ratio, weak prior", FewEventsRows.posterior_weak, "death", 2),
        ("Hazard ratio, sceptical prior", FewEventsRows.posterior_sceptical, "death", 2),
        ("Hazard ratio, enthusiastic prior", FewEventsRows.posterior_enthusiastic, "death", 2),
        ("Probability of benefit, sceptic, %", FewEventsRows.probability_below_1_sceptical, "death", 1),
        ("Treated deaths that the sceptic expected", FewEventsRows.predictive_sceptical, "death", 1),
    ),
    "Several outcomes, and missing ones": (
        ("Treated fares better, death, dose, %", WinStatisticsRows.probability_better, "death_dose", 0),
        ("Win ratio: death, then dose", WinStatisticsRows.win_ratio, "death_dose", 1),
        (
            "Treated fares better: death, response, dose, %",
            WinStatisticsRows.probability_better,
            "death_response_dose",
            0,
        ),
        ("Win ratio: death, response, dose", WinStatisticsRows.win_ratio, "death_response_dose", 1),
        (
            "Difference in response, missing as worst and best, points",
            MissingBoundsRows.difference,
            "response",
            1,
        ),
        ("Difference in response, imputed in the arms, points", ImputationRows.difference, "response", 1),
    ),
    WELL: (
        ("Median dose, death as the worst, treated", TruncationByDeathRows.median_treated, "dose", 2),
        ("Median dose, death as the worst, controls", TruncationByDeathRows.median_reference, "dose", 2),
        (
            "Difference of mean dose, would survive either way",
            TruncationByDeathRows.survivors_difference,
            "dose",
            2,
        ),
        ("Days in response, treated", StateOccupancyRows.days_in_response_treated, "response", 1),
        ("Days in response, controls", StateOccupancyRows.days_in_response_reference, "response", 1),
        ("Slopes before day 0", SlopeBeforeDay0Rows.slope, "all", 2),
    ),
    "Controls that count as a part of a patient": (
        ("Risk difference, a tenth, points", DiscountedControlsRows.named("risk_difference_0_1"), "death", 1),
        ("Risk difference, a half, points", DiscountedControlsRows.named("risk_difference_0_5"), "death", 1),
        ("Risk difference, in full, points", DiscountedControlsRows.named("risk_difference_1"), "death", 1),
    ),
    "What this design could find": (
        ("Smallest ratio found with power 80%", DesignErrorRows.smallest_detectable_ratio, "death", 2),
        ("Power, true hazard ratio a half, %", DesignErrorRows.named("power_logrank_0_5"), "death", 0),
        (
            "Exaggeration of significant results, times",
            DesignErrorRows.named("type_m_logrank_0_5"),
            "death",
            1,
        ),
    ),
}


def sensitivity_table(
    statistics: Statistics, timepoint: str, *, labels: Mapping[str, str] | None = None, watermark: str
) -> Table:
    """Return every number of the notebook with interval, p-value and n, or the reason why there is none.

    Args:
        statistics: rows of the notebook.
        timepoint: the horizon.
        labels: label of each characteristic by name.
        watermark: warning that stands below the table.
    """
    rows: list[Row] = []
    eligible = {"On what the days of eligibility rest": tuple(_evidence(statistics))}
    gaps = {
        "Values missing, or beyond a reporting limit": tuple(
            _gaps(Evidence(statistics, timepoint, labels or {}))
        )
    }
    well = tuple(_in_response(statistics))
    for title, asked in (eligible | _SECTIONS | gaps).items():
        found = list(_rows(statistics, timepoint, asked + well if title == WELL else asked))
        rows += [heading(title), *found] if found else []
    columns = [column(""), column("Estimate"), column("{p_value}"), column("n"), column("Remark", left=True)]
    note = (
        "Intervals have the confidence level of the study; an open limit is NE. Methods stand with the rows."
    )
    title = "What a historical control can show, in numbers"
    return Table("table_s23_sensitivity", title, columns, rows or [message(NO_ARMS)], [note], watermark)


# What is stored of a characteristic with gaps, and of one with values beyond a reporting limit.
_OF_GAPS: dict[type[Analysis], tuple[tuple[str, Key, int], ...]] = {
    ImputationRows: (
        ("difference of the known", ImputationRows.known_difference, 2),
        ("the same, imputed within the arms", ImputationRows.difference, 2),
        ("information missing on it, %", ImputationRows.missing_information, 0),
    ),
    LimitScenarioRows: (
        ("difference in SD, at the limit", LimitScenarioRows.smd_at_limit, 2),
        ("the same, ten times the limit", LimitScenarioRows.smd_tenfold, 2),
        ("hazard ratio weighted for it, at the limit", LimitScenarioRows.hazard_ratio_at_limit, 2),
        ("the same, twice the limit", LimitScenarioRows.hazard_ratio_twice, 2),
        ("the same, ten times the limit", LimitScenarioRows.hazard_ratio_tenfold, 2),
    ),
}


_ARMS = {"treated": "treated", "reference": "controls"}


def _evidence(statistics: Statistics) -> Iterator[Asked]:
    """Rows of evidence that anybody has; of those who have none too."""
    for found in statistics.select(ControlTimeRows):
        kind, _, arm = found.statistic.removeprefix("evidence_").rpartition("_")
        if found.statistic.startswith("evidence_") and (found.value or kind == "not_known"):
            label = f"{sentence(kind.replace('_', ' '))}, {_ARMS[arm]}"
            yield label, ControlTimeRows.named(found.statistic), "death", 0


def _in_response(statistics: Statistics) -> Iterator[Asked]:
    """Probabilities of being alive in response at visits before the horizon."""
    for found in statistics.select(StateOccupancyRows):
        visit, _, arm = found.statistic.removeprefix("in_response_").rpartition("_")
        if found.statistic.startswith("in_response_"):
            label = f"Alive in response at {visit.replace('_', ' ')}, {_ARMS[arm]}, %"
            yield label, StateOccupancyRows.named(found.statistic), "response", 0


def _gaps(evidence: Evidence) -> Iterator[Asked]:
    for analysis, asked in _OF_GAPS.items():
        names = {row.variable for row in evidence.statistics.select(analysis)} - {"response"}
        for variable in sorted(names):
            name = evidence.label(variable)
            yield from ((f"{name}: {text}", key, variable, digits) for text, key, digits in asked)


def _rows(statistics: Statistics, timepoint: str, asked: tuple[Asked, ...]) -> Iterator[Row]:
    for label, key, variable, digits in asked:
        times = (timepoint, "baseline")
        stored = (statistics.find(key, variable, group="both", timepoint=when) for when in times)
        found = next((one for one in stored if one is not None), None)
        if found is not None:
            tested = EMPTY
            if found.p_value == found.p_value:
                tested = p_value(found).marked(sentence(short_method(found.method)))
            remark = verbatim(sentence(found.note.removeprefix("not estimated: ")))
            yield row(
                words(label), _estimate(found, digits), tested, size(found) if found.n else EMPTY, remark
            )


def _estimate(found: Statistic, digits: int) -> Cell:
    if found.value != found.value and found.p_value != found.p_value:
        return verbatim("not estimated")
    if found.lower == found.lower and found.upper == found.upper:
        return estimate_interval(found, digits)
    if found.lower == found.lower:
        return number(found, digits) + ", " + number(found, digits, column="lower")
    return number(found, digits)
