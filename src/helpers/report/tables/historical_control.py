"""Comparison with historical controls: the trial that would answer, what else was given, every number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.tables.cells import (
    EMPTY,
    Cell,
    count_percent,
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
from helpers.report.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

NO_ARMS = "There are no two groups with a follow-up, so nothing is compared."


def protocol_table(config: CohortConfig, horizon_days: int, *, watermark: str) -> Table:
    """Return the trial that would answer the question beside this comparison, written from the settings.

    Components: Hernan & Robins 2016, TARGET 2025; intercurrent events: ICH E9(R1).
    """
    treated, reference = config.treated, config.reference
    columns = [column(""), *(column(name, left=True) for name in ("Trial", "This comparison", "Assumed"))]
    if treated is None or reference is None:
        rows = [message("The cohort has one group: there is no comparison to emulate.")]
        return Table("table_s20_protocol", "Target trial and estimand", columns, rows, (), watermark)
    drug, other = treated.label, reference.label
    rule = config.criteria.eligibility or config.criteria.refractoriness
    same = treated.day0 == reference.day0
    outcome = f"death by day {horizon_days}"
    rows = [
        row(
            "Eligibility", "The same rule, on the same day, in everybody",
            f"Rule {rule}, applied to both groups" if rule else "Each group by its own records",
            "Both groups would have been enrolled by both centres and years",
        ),
        row(
            "Strategies", f"{drug} added at once, or care without it",
            f"{drug}: {treated.label} group. Without: {other} group", "One version of each strategy",
        ),
        row("Assignment", "Random", "By time or choice", "No cause of death that differs is left out"),
        row(
            "Time zero", "Eligibility, assignment and start on one day",
            f"{drug}: {treated.day0}. {other}: {reference.day0}",
            "The two days mean the same" if same else "Nobody died, or recovered, between the two days",
        ),
        row("Outcome", sentence(outcome), f"{sentence(outcome)}, from records", "Known in everybody"),
        row(
            "Contrast", "Risk difference; hazard ratio beside it", "The same",
            "Proportional hazards for the ratio alone",
        ),
        row(
            "Further drugs", "Treatment policy: whatever is added counts as part of the strategy",
            "The same; beside it a composite in which a further course is failure",
            "The years differ in nothing else that is given",
        ),
        row(
            "Death before another outcome", "Composite: worse than every response or dose",
            "The same; bounds for the missing", "Death is worse than any value",
        ),
    ]  # fmt: skip
    note = "Components of a target trial (Hernán and Robins); intercurrent events as in ICH E9(R1)."
    return Table("table_s20_protocol", "Target trial and estimand", columns, rows, [note], watermark)


def added_drugs_table(
    statistics: Statistics, config: CohortConfig, timepoint: str, *, watermark: str
) -> Table:
    """Return how many of each arm began a course of each drug on or after day 0."""
    rows = []
    for found in statistics.select(analysis="co_intervention", statistic="begun_treated"):
        where = {"group": "both", "timepoint": timepoint}
        other = statistics.find("co_intervention", found.variable, "begun_reference", **where)
        test = statistics.find("co_intervention", found.variable, "test", **where)
        label = "Any" if found.variable == "any" else config.vocabulary.drug_label(found.variable)
        cells = [count_percent(one) if one else EMPTY for one in (found, other)]
        tested = p_value(test).marked(sentence(test.method)) if test else EMPTY
        rows.append(row(label, *cells, tested))
    absent = next(iter(statistics.select(analysis="estimand", statistic="composite")), None)
    nothing = [message(sentence(absent.note) + "." if absent and absent.note else NO_ARMS)]
    names = [group.label for group in (config.treated, config.reference) if group is not None]
    names += [""] * (2 - len(names))
    columns = [column("Drug"), *(column(name) for name in names), column("{p_value}")]
    note = (
        "Courses begun on or after day 0, up to death or the horizon, without glucocorticoids and study drug."
    )
    title = "Drugs begun on or after day 0"
    return Table("table_s22_added_drugs", title, columns, rows or nothing, [note], watermark)


# Sections of the table of all numbers: label, analysis, variable, statistic, decimals.
_SECTIONS: dict[str, tuple[tuple[str, str, str, str, int], ...]] = {
    "Time from eligibility to day 0": (
        ("Median lag of the treated, days", "control_time", "death", "lag_treated", 0),
        ("Median lag of the controls, days", "control_time", "death", "lag_reference", 0),
        ("Hazard ratio, delayed entry, lag by prescriptions", "control_time", "death", "delayed_entry", 2),
        ("Days before day 0 in which none could die", "control_time", "death", "immortal_days", 0),
        ("Their share of the follow-up from eligibility, %", "control_time", "death", "immortal_share", 1),
        ("Hazard ratio, common lag of 7 days", "control_time", "death", "lag_7", 2),
        ("Hazard ratio, common lag of 14 days", "control_time", "death", "lag_14", 2),
        ("Lag from which on significance is lost, days", "control_time", "death", "lag_tipping_point", 0),
        ("Hazard ratio, landmark on day 7", "control_time", "death", "landmark_7", 2),
        ("Hazard ratio, landmark on day 14", "control_time", "death", "landmark_14", 2),
    ),
    "What else was given, and when": (
        ("Risk difference, whatever was added, points", "estimand", "death", "treatment_policy", 1),
        ("Risk difference, a further course is failure, points", "estimand", "death", "composite", 1),
        ("Patients in calendar time of both arms, %", "control_era", "death", "calendar_overlap", 0),
        ("Odds ratio of death a year among the controls", "control_era", "death", "control_trend", 2),
        ("Better control survival that takes significance away, points", "control_era", "death",
         "tipping_point", 1),
    ),
    "Unlike patients": (
        ("Differences beyond 0.1 SD", "balance", "standardized_difference", "above_0_1", 0),
        ("The same, by chance alone", "covariate_balance", "all", "expected_above_0_1", 1),
        ("Characteristics that the patients carry", "weighted_effect", "model", "budget", 0),
        ("Hazard ratio, overlap weights", "weighted_effect", "ato", "hazard_ratio", 2),
        ("The same, bootstrap interval", "weighted_effect", "ato", "bootstrap_log_hazard_ratio", 2),
        ("Risk difference, overlap weights, points", "weighted_effect", "ato", "risk_difference", 1),
        ("Hazard ratio, controls weighted to the treated", "weighted_effect", "att", "hazard_ratio", 2),
        ("Hazard ratio, entropy balancing", "weighted_effect", "entropy", "hazard_ratio", 2),
        ("Effective controls, overlap weights", "weighted_effect", "ato", "effective_n_reference", 1),
        ("Effective controls, balancing", "weighted_effect", "entropy", "effective_n_reference", 1),
    ),
    "Not measured": (
        ("E-value of the estimate, and of the limit", "unmeasured_confounder", "death", "e_value", 1),
        ("The same, death being common", "unmeasured_confounder", "death", "e_value_common_outcome", 1),
    ),
    "Fragility": (
        ("Changed outcomes that take Fisher's p over 0.05", "fragility", "death", "fisher_index", 0),
        ("One more treated death, log-rank p", "fragility", "death", "logrank_one_more", 3),
        ("One patient left out, log-rank p", "fragility", "death", "leave_one_out", 3),
    ),
    "Few deaths": (
        ("Hazard ratio, exact log-rank test inverted", "few_events", "death", "exact_logrank_interval", 2),
        ("Hazard ratio, weak prior", "few_events", "death", "posterior_weak", 2),
        ("Hazard ratio, sceptical prior", "few_events", "death", "posterior_sceptical", 2),
        ("Hazard ratio, enthusiastic prior", "few_events", "death", "posterior_enthusiastic", 2),
        ("Probability of benefit, sceptic, %", "few_events", "death", "probability_below_1_sceptical", 1),
        ("Treated deaths that the sceptic expected", "few_events", "death", "predictive_sceptical", 1),
    ),
    "Several outcomes, and missing ones": (
        ("Treated fares better, death, dose, %", "win_statistics", "death_dose", "probability_better", 0),
        ("Win ratio: death, then dose", "win_statistics", "death_dose", "win_ratio", 1),
        ("Treated fares better: death, response, dose, %", "win_statistics", "death_response_dose",
         "probability_better", 0),
        ("Win ratio: death, response, dose", "win_statistics", "death_response_dose", "win_ratio", 1),
        ("Difference in response, missing as worst and best, points", "missing_bounds", "response",
         "difference", 1),
        ("Difference in response, imputed in the arms, points", "imputation", "response", "difference", 1),
    ),
    "The dead, and the days well": (
        ("Median dose, death as the worst, treated", "truncation_by_death", "dose", "median_treated", 2),
        ("Median dose, death as the worst, controls", "truncation_by_death", "dose", "median_reference", 2),
        ("Difference of mean dose, would survive either way", "truncation_by_death", "dose",
         "survivors_difference", 2),
        ("Days in response, treated", "state_occupancy", "response", "days_in_response_treated", 1),
        ("Days in response, controls", "state_occupancy", "response", "days_in_response_reference", 1),
        ("Slopes before day 0", "slope_before_day_0", "all", "slope", 2),
    ),
    "Controls that count as a part of a patient": (
        ("Risk difference, a tenth, points", "discounted_controls", "death", "risk_difference_0_1", 1),
        ("Risk difference, a half, points", "discounted_controls", "death", "risk_difference_0_5", 1),
        ("Risk difference, in full, points", "discounted_controls", "death", "risk_difference_1", 1),
    ),
    "What this design could find": (
        ("Smallest ratio found with power 80%", "design_error", "death", "smallest_detectable_ratio", 2),
        ("Power, true hazard ratio a half, %", "design_error", "death", "power_logrank_0_5", 0),
        ("Exaggeration of significant results, times", "design_error", "death", "type_m_logrank_0_5", 1),
    ),
}  # fmt: skip


def sensitivity_table(statistics: Statistics, timepoint: str, *, watermark: str) -> Table:
    """Return every number of the notebook with interval, p-value and n, or the reason why there is none."""
    rows: list[Row] = []
    gaps = {"Values missing, or beyond a reporting limit": tuple(_gaps(statistics))}
    for title, asked in (_SECTIONS | gaps).items():
        found = list(_rows(statistics, timepoint, asked))
        rows += [heading(title), *found] if found else []
    columns = [column(""), column("Estimate"), column("{p_value}"), column("n"), column("Remark", left=True)]
    note = (
        "Intervals have the confidence level of the study; an open limit is NE. Methods stand with the rows."
    )
    title = "What a historical control can show, in numbers"
    return Table("table_s23_sensitivity", title, columns, rows or [message(NO_ARMS)], [note], watermark)


# What is stored of a characteristic with gaps, and of one with values beyond a reporting limit.
_OF_GAPS = {
    "imputation": (
        ("difference of the known", "known_difference", 2),
        ("the same, imputed within the arms", "difference", 2),
        ("information missing on it, %", "missing_information", 0),
    ),
    "limit_scenario": (
        ("difference in SD, at the limit", "smd_at_limit", 2),
        ("the same, ten times the limit", "smd_tenfold", 2),
        ("hazard ratio weighted for it, at the limit", "hazard_ratio_at_limit", 2),
        ("the same, twice the limit", "hazard_ratio_twice", 2),
        ("the same, ten times the limit", "hazard_ratio_tenfold", 2),
    ),
}


def _gaps(statistics: Statistics) -> Iterator[tuple[str, str, str, str, int]]:
    for analysis, asked in _OF_GAPS.items():
        names = {row.variable for row in statistics.select(analysis=analysis)} - {"response"}
        for variable in sorted(names):
            name = sentence(variable.replace("_", " "))
            yield from ((f"{name}: {text}", analysis, variable, key, digits) for text, key, digits in asked)


def _rows(
    statistics: Statistics, timepoint: str, asked: tuple[tuple[str, str, str, str, int], ...]
) -> Iterator[Row]:
    for label, analysis, variable, statistic, digits in asked:
        places = ((analysis, variable, statistic, when) for when in (timepoint, "baseline"))
        stored = (statistics.find(*place[:3], group="both", timepoint=place[3]) for place in places)
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
