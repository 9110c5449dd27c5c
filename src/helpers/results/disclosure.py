"""What may leave the hospital: the disclosure class of every kind of statistic and of every exhibit.

A kind without a class is never shared; a test asks for the class of each kind of the catalogue.
"""

from __future__ import annotations

import fnmatch
from typing import Literal

Disclosure = Literal[
    "setting", "size", "count", "share", "average", "quartile", "compared", "outcome", "extreme", "step",
    "crossed", "copy",
]  # fmt: skip
ExhibitClass = Literal["aggregate", "marks", "verdict", "patients", "untraced"]

# Why a number of a class is not shown where it is not; also what its class means.
REASONS: dict[Disclosure, str] = {
    "setting": "a setting or a number of tests; it holds no patient",
    "size": "how many patients have a value; small numbers without one are not shown",
    "count": "a count of patients, rows or events, or one from which a small count follows",
    "share": "a share, from which its count follows",
    "average": "a mean, median or spread of too few values",
    "quartile": "a quartile beyond which too few values lie",
    "compared": "a comparison of groups of which one is not shown",
    "outcome": "an estimate that rests on counts of outcomes which are not shown",
    "extreme": "the value of a single patient",
    "step": "a step of a curve, which is an event of single patients",
    "crossed": "a cell of a table of courses or of verdicts, which are cross-classified patients",
    "copy": "the same number computed again",
}

_SUMMARY: dict[str, Disclosure] = {
    "median": "average", "mean": "average", "sd": "average", "q1": "quartile", "q3": "quartile",
    "min": "extreme", "max": "extreme",
}  # fmt: skip
_OUTCOME: dict[str, Disclosure] = {"*": "outcome"}
_COUNTS: dict[str, Disclosure] = {"*": "count"}
_CROSSED: dict[str, Disclosure] = {"*": "crossed"}

# Analysis, then kind or pattern, the first that fits.
CLASSES: dict[str, dict[str, Disclosure]] = {
    "group": {"n": "size"},
    "flow": {"recorded": "size", "analysed": "size", "*": "count"},
    "plan": {"*": "setting"},
    "missingness": {"observed_percent": "size"},
    "diagnosis": {
        "cutoff": "setting", "total": "setting", **_SUMMARY, "met_percent": "share", "*": "count",
    },
    "criteria_agreement": _CROSSED,
    "refractoriness": _COUNTS,
    "eligibility": _COUNTS,
    "baseline": {
        **_SUMMARY, "percent": "share", "count": "count", "other_count": "count", "difference": "compared",
        "shift": "compared", "standardized_difference": "compared", "test": "compared",
        "test_adjusted": "compared", "*_test": "compared", "*": "outcome",
    },
    "severity": {"count": "count", "percent": "share"},
    "balance": {"*": "setting"},
    "reporting_limits": {"beyond_limit": "count", "median": "average", "test": "compared", "*": "compared"},
    "prior_therapy_overlap": _CROSSED,
    "visit_comparison": {
        **_SUMMARY, "percent": "share", "count": "count", "difference": "compared", "shift": "compared",
        "test": "compared", "test_adjusted": "compared",
    },
    "response": {
        "earliest": "extreme", "median": "average", "rate": "share", "*_percent": "share", "*": "count",
    },
    "response_transition": _CROSSED,
    "response_by_rule": {"rate": "share", "*": "count"},
    "response_agreement": _CROSSED,
    "response_variant": {"overall": "share", "*": "count"},
    "response_endpoint": {"response": "share", "*": "count"},
    "time_to_response": {
        "median_day": "average", "incidence": "step", "died_incidence": "step", "*": "count",
    },
    "laboratory": {
        **_SUMMARY, "n": "size", "beyond_limit": "count", "change": "average", "change_test": "average",
    },
    "trend": {"*": "average"},
    "normalisation": _COUNTS,
    "splenomegaly": {"count": "count", "percent": "share"},
    "survival": {
        "survival": "step", "n_event": "step", "n_censor": "step", "at_risk": "step",
        "cumulative_deaths": "step", "cumulative_censored": "step", "first_death": "extreme",
        "deaths": "count", "alive": "count", "alive_share": "share", "follow_up": "outcome",
        "median": "outcome", "median_follow_up": "outcome", "hazard_ratio": "outcome", "logrank": "outcome",
    },
    "effect": _OUTCOME,
    "endpoint": {
        "events": "count", "competing": "count", "share": "share", "incidence": "step", "survival": "step",
        "at_risk": "step", "*": "outcome",
    },
    "endpoint_effect": _OUTCOME,
    "glucocorticoid": {
        **_SUMMARY, "n": "size", "threshold": "setting", "fall_of_median": "average",
        "median_fall": "average", "change_test": "average", "median_day": "average", "incidence": "step",
        "reached": "count", "died_first": "count",
    },
    "alive_low_dose": {
        "threshold": "setting", "difference": "outcome", "test": "outcome", "percent": "share",
        "percent_bounds": "outcome", "*": "count",
    },
    "composite_rank": {
        "alive": "count", "died": "count", "not_known": "count", "*": "outcome",
    },
    "adverse_events": {
        "lowest_grade": "extreme", "highest_grade": "extreme", "percent": "share", "*": "count",
    },
    "event_rate": {"n_events": "count", "n_patients_with_event": "count", "*": "outcome"},
    "laboratory_toxicity": {"severe_percent": "share", "*": "count"},
    "toxicity_shift": _CROSSED,
    "toxicity_finding": _CROSSED,
    "exposure": {
        **_SUMMARY, "lowest_dose": "extreme", "highest_dose": "extreme", "patients": "size", "*": "count",
    },
    "added_therapy": {**_SUMMARY, "count": "count", "percent": "share"},
    "long_term": {**_SUMMARY, "alive": "count", "died": "count"},
    "computed_twice": {
        "compared": "setting", "equal": "setting", "explained": "setting", "unexplained": "setting",
        "*": "copy",
    },
    "published": {"count": "setting"},
    "published_audit": {"count": "setting"},
    "published_claims": {"count": "setting"},
    "beside_paper": {"*": "copy"},
    "control_time": {"lag_treated": "average", "lag_reference": "average", "evidence_*": "crossed",
                     "*": "outcome"},
    "co_intervention": {"begun_*": "crossed", "*": "outcome"},
    "covariate_balance": {"*": "copy"},
    "specification": {"significant": "outcome"},
    **dict.fromkeys(
        (
            "estimand", "control_era", "weighted_effect", "fragility", "few_events", "win_statistics",
            "dose_threshold_curve", "missing_bounds", "slope_before_day_0", "truncation_by_death",
            "state_occupancy", "discounted_controls", "design_error", "unmeasured_confounder", "imputation",
            "limit_scenario",
        ),
        _OUTCOME,
    ),
}  # fmt: skip

# Kinds named by free text of the data, such as the reason why a drug was stopped: where the count is not
# shown, the words are not either.
FREE_TEXT: tuple[tuple[str, str], ...] = (("exposure", "stopped_*"), ("flow", "role_*"))

# Analyses whose variables are read one by one; the counts of all others are those of outcomes, where one is
# often a part of another.
BY_VARIABLE = frozenset({
    "baseline", "severity", "missingness", "reporting_limits", "visit_comparison", "laboratory",
    "normalisation", "splenomegaly", "laboratory_toxicity", "glucocorticoid", "trend",
})  # fmt: skip

# Exhibits: aggregate of patients; marks, one for each number, of which some may be absent; a verdict, whose
# words follow from its numbers; rows, courses or points of single patients; numbers that do not say of which
# statistic they are.
EXHIBITS: dict[str, ExhibitClass] = {
    "figure_1": "patients",
    "figure_1a": "aggregate",
    "figure_1b": "aggregate",
    "figure_1c": "patients",
    "figure_2": "patients",
    "figure_3_published": "untraced",
    "figure_s1_flow": "aggregate",
    "figure_s2_missing": "untraced",
    "figure_s3_balance": "marks",
    "figure_s4_prior_therapies": "aggregate",
    "figure_s5_response_paths": "patients",
    "figure_s6_exposure": "patients",
    "figure_s7_effects": "aggregate",
    "figure_s8_criteria": "patients",
    "figure_s9_rule_variants": "aggregate",
    "figure_s10_time_to_response": "aggregate",
    "figure_s11_survival": "aggregate",
    "figure_s12_endpoints": "aggregate",
    "figure_s13_lag": "patients",
    "figure_s14_era": "patients",
    "figure_s15_love": "aggregate",
    "figure_s16_confounder": "aggregate",
    "figure_s17_low_dose": "untraced",
    "figure_s18_assumptions": "untraced",
    "table_1": "aggregate",
    "table_2_response": "aggregate",
    "table_3_course": "aggregate",
    "table_4_survival": "aggregate",
    "table_5_glucocorticoid": "aggregate",
    "table_6_adverse_events": "aggregate",
    "table_7_exposure": "aggregate",
    "table_8_published": "aggregate",
    "table_s1_checks": "patients",
    "table_s2_rows": "untraced",
    "table_s3_visits": "aggregate",
    "table_s4_limits": "aggregate",
    "table_s5a_criteria": "aggregate",
    "table_s5b_hscore": "aggregate",
    "table_s6_agreement": "aggregate",
    "table_s7_eligibility": "aggregate",
    "table_s8_rule_agreement": "aggregate",
    "table_s9_discordant": "patients",
    "table_s10_variants": "aggregate",
    "table_s11_endpoints": "aggregate",
    "table_s12_explanation": "patients",
    "table_s13_alive_low_dose": "aggregate",
    "table_s14_laboratory_grades": "aggregate",
    "table_s15_shift": "aggregate",
    "table_s16_event_rates": "aggregate",
    "table_s17_published_rows": "untraced",
    "table_s18_published_audit": "untraced",
    "table_s19_beside_paper": "aggregate",
    "table_s20_protocol": "aggregate",
    "table_s21_verdict": "verdict",
    "table_s22_added_drugs": "aggregate",
    "table_s23_sensitivity": "verdict",
    "table_s24_endpoints": "aggregate",
    "table_s25_visits": "aggregate",
    "table_s26_risk_of_bias": "verdict",
    "table_s27_reporting": "verdict",
    "table_s28_computed_twice": "verdict",
    "table_s29_trend": "aggregate",
    "table_s30_published_claims": "untraced",
}


def disclosure_of(analysis: str, statistic: str) -> Disclosure | None:
    """Return the disclosure class of a kind of statistic; None where it has none, and is never shared.

    Example:
        >>> disclosure_of("survival", "deaths"), disclosure_of("survival", "at_risk")
        ('count', 'step')
    """
    known = CLASSES.get(analysis, {})
    return next((known[name] for name in known if fnmatch.fnmatchcase(statistic, name)), None)


def is_free_text(analysis: str, statistic: str) -> bool:
    """Return whether a kind is named by free text of the data.

    Example:
        >>> is_free_text("exposure", "stopped_moved_away"), is_free_text("exposure", "ongoing")
        (True, False)
    """
    return any(name == analysis and fnmatch.fnmatchcase(statistic, kind) for name, kind in FREE_TEXT)


def exhibit_class(name: str) -> ExhibitClass:
    """Return the class of a figure or table; one that nobody has classified is taken for single patients'."""
    return EXHIBITS.get(name, "patients")
