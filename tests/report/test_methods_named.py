"""Every method that gave a result is named in Methods, and Methods names no method that gave none."""

from __future__ import annotations

import pytest
from analysed import QUICK, analysed

from helpers.report.text.document import build_document
from helpers.report.text.sections import every_section
from helpers.report.text.wording import LANGUAGES, Wording

# The sentences of Methods that name the method behind an analysis; one of them is enough.
NAMED: dict[str, tuple[str, ...]] = {
    "adverse_events": ("methods.shares",),
    "alive_low_dose": ("methods.shares",),
    "baseline": ("methods.baseline", "methods.shares", "methods.adjusted", "methods.shift"),
    "co_intervention": ("methods.control_added",),
    "composite_rank": ("methods.composite_rank",),
    "control_era": ("methods.control_fragility", "methods.control_trend"),
    "control_time": ("methods.control_entry", "methods.control_lag"),
    "covariate_balance": ("methods.control_weights", "methods.balance"),
    "criteria_agreement": ("methods.kappa_criteria",),
    "diagnosis": ("methods.shares",),
    "discounted_controls": ("methods.control_discounted",),
    "dose_threshold_curve": ("methods.control_thresholds",),
    "effect": ("methods.effects", "methods.hazard_ratio", "methods.risk_difference"),
    "endpoint": ("methods.endpoints",),
    "endpoint_effect": ("methods.endpoint_effects",),
    "estimand": ("methods.risk_difference", "methods.control_composite"),
    "event_rate": ("methods.person_time",),
    "few_events": ("methods.control_few",),
    "fragility": ("methods.control_fragility",),
    "glucocorticoid": ("methods.dose_tested", "methods.competing_dose", "methods.dose"),
    "imputation": ("methods.control_missing",),
    "laboratory": ("methods.changes",),
    "laboratory_toxicity": ("methods.shares",),
    "limit_scenario": ("methods.limits",),
    "missing_bounds": ("methods.control_missing",),
    "reporting_limits": ("methods.limits_tested",),
    "response": ("methods.shares",),
    "response_agreement": ("methods.kappa",),
    "response_by_rule": ("methods.shares",),
    "response_endpoint": ("methods.shares",),
    "response_variant": ("methods.shares",),
    "severity": ("methods.shares",),
    "splenomegaly": ("methods.shares",),
    "state_occupancy": ("methods.control_states",),
    "survival": ("methods.survival", "methods.survival_test", "methods.follow_up"),
    "time_to_response": ("methods.competing",),
    "trend": ("methods.mixed_model", "methods.mixed_model_limits", "methods.friedman"),
    "truncation_by_death": ("methods.control_doses",),
    "unmeasured_confounder": ("methods.control_unmeasured",),
    "weighted_effect": ("methods.control_weights",),
    "win_statistics": ("methods.control_wins",),
}
# They count the tests of the other analyses, or say what a prior expects before any data.
NO_RESULTS = {"specification", "prior predictive"}
# Limits are handled before anything is analysed, and proportions are described without a test.
ALWAYS = {"methods.limits", "methods.dose"}


def with_numbers(study):
    """Analyses with a p-value or an estimate with an interval."""
    return {
        row.analysis
        for row in study.statistics.values()
        if (row.p_value == row.p_value or (row.value == row.value and row.lower == row.lower))
        and not any(word in f"{row.analysis} {row.method}" for word in NO_RESULTS)
    }


def named(study):
    """Keys of the claims of Methods."""
    sections = every_section(study)
    return {
        claim.key
        for name, paragraphs in sections.items()
        if name.startswith("methods.")
        for claims in paragraphs
        for claim in claims
    }


@pytest.mark.parametrize("cohort", QUICK)
def test_every_method_is_named_in_methods(cohort):
    study = analysed(cohort)
    said = named(study)
    untold = {analysis for analysis in with_numbers(study) if not set(NAMED.get(analysis, ())) & said}
    assert untold == set()


@pytest.mark.parametrize("cohort", QUICK)
def test_methods_name_nothing_that_was_not_done(cohort):
    study = analysed(cohort)
    done = {row.analysis for row in study.statistics.values() if row.value == row.value}
    done |= with_numbers(study)
    known = {key for keys in NAMED.values() for key in keys} - ALWAYS
    empty = {
        key for key in named(study) & known if not any(a in done for a, keys in NAMED.items() if key in keys)
    }
    assert empty == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_of_methods_stands_in_the_document(language):
    study = analysed(QUICK[0])
    text = " ".join(
        str(b.text) for b in build_document(study, Wording(language)).blocks if hasattr(b, "text")
    )
    for method in ("Gehan", "Kaplan-Meier", "Cohen", "Friedman", "Firth", "Brunner"):
        assert method in text, method
