"""What each figure is drawn from, so that a cohort without it is spared an empty one."""

from __future__ import annotations

from collections.abc import Mapping

# Parts of identifiers of which at least one row must be stored.
FIGURE_NEEDS: Mapping[str, Mapping[str, str]] = {
    "figure_1b": {"analysis": "response"},
    "figure_1c": {"analysis": "laboratory"},
    "figure_2": {"analysis": "glucocorticoid"},
    "figure_s3_balance": {"analysis": "balance"},
    "figure_s4_prior_therapies": {"analysis": "prior_therapy_overlap"},
    "figure_s5_response_paths": {"analysis": "response"},
    "figure_s6_exposure": {"analysis": "exposure"},
    "figure_s7_effects": {"analysis": "effect"},
    "figure_s8_criteria": {"analysis": "diagnosis"},
    "figure_s9_rule_variants": {"analysis": "response_variant"},
    "figure_s10_time_to_response": {"analysis": "time_to_response"},
    "figure_s12_lag": {"analysis": "control_time", "statistic": "lag_1"},
    "figure_s13_era": {"analysis": "control_era", "statistic": "calendar_gap"},
    "figure_s14_love": {"analysis": "covariate_balance", "statistic": "expected_above_0_1"},
    "figure_s15_confounder": {"analysis": "unmeasured_confounder", "statistic": "corrected_0_1_0_3_2"},
    "figure_s16_low_dose": {"analysis": "dose_threshold_curve", "statistic": "at_most_0_5"},
    "figure_s17_assumptions": {"analysis": "effect"},
}
