"""What a historical control can show."""

from __future__ import annotations

from typing import ClassVar

from helpers.results.key import Analysis, Key


class ControlTimeRows(
    Analysis,
    name="control_time",
    title="Time before day 0",
    title_zh="第0天之前的时间",
    patterns=("lag_*", "landmark_*", "evidence_*"),
):
    """Time before day 0."""

    clone_censor_weight: ClassVar[Key]
    delayed_entry: ClassVar[Key]
    immortal_days: ClassVar[Key]
    immortal_share: ClassVar[Key]
    lag_reference: ClassVar[Key]
    lag_tipping_point: ClassVar[Key]
    lag_treated: ClassVar[Key]
    rmst_difference_from_eligibility: ClassVar[Key]
    rmst_from_eligibility_reference: ClassVar[Key]
    rmst_from_eligibility_treated: ClassVar[Key]
    survival_from_eligibility_reference: ClassVar[Key]
    survival_from_eligibility_treated: ClassVar[Key]
    time_varying: ClassVar[Key]


class CoInterventionRows(
    Analysis, name="co_intervention", title="Drugs added", title_zh="加用药物", patterns=("begun_*",)
):
    """Drugs added."""

    begun_reference: ClassVar[Key]
    begun_treated: ClassVar[Key]
    test: ClassVar[Key]


class EstimandRows(Analysis, name="estimand", title="Estimands", title_zh="估计目标", patterns=("*",)):
    """Estimands."""

    composite: ClassVar[Key]
    composite_reference: ClassVar[Key]
    composite_treated: ClassVar[Key]
    treatment_policy: ClassVar[Key]
    treatment_policy_reference: ClassVar[Key]
    treatment_policy_treated: ClassVar[Key]


class ControlEraRows(
    Analysis, name="control_era", title="Calendar time", title_zh="日历时间", patterns=("control_deaths_*",)
):
    """Calendar time."""

    calendar_gap: ClassVar[Key]
    calendar_overlap: ClassVar[Key]
    control_trend: ClassVar[Key]
    tipping_point: ClassVar[Key]


class WeightedEffectRows(
    Analysis, name="weighted_effect", title="Weighted effects", title_zh="加权效应", patterns=("*",)
):
    """Weighted effects."""

    bootstrap_log_hazard_ratio: ClassVar[Key]
    bootstrap_risk_difference: ClassVar[Key]
    bootstrap_rmst_difference: ClassVar[Key]
    budget: ClassVar[Key]
    effective_n_reference: ClassVar[Key]
    effective_n_treated: ClassVar[Key]
    hazard_ratio: ClassVar[Key]
    logrank: ClassVar[Key]
    outside_common_range: ClassVar[Key]
    risk_difference: ClassVar[Key]
    rmst_difference: ClassVar[Key]


class CovariateBalanceRows(
    Analysis,
    name="covariate_balance",
    title="Balance under weights",
    title_zh="加权后的均衡性",
    patterns=("*",),
):
    """Balance under weights."""

    smd: ClassVar[Key]
    smd_ato: ClassVar[Key]
    smd_att: ClassVar[Key]
    smd_entropy: ClassVar[Key]


class FragilityRows(
    Analysis, name="fragility", title="Fragility", title_zh="脆弱性", patterns=("logrank_*",)
):
    """Fragility."""

    fisher_index: ClassVar[Key]
    fisher_one_more: ClassVar[Key]
    leave_one_out: ClassVar[Key]
    logrank_one_more: ClassVar[Key]


class FewEventsRows(Analysis, name="few_events", title="Few events", title_zh="少数事件", patterns=("*",)):
    """Few events."""

    exact_logrank_interval: ClassVar[Key]
    posterior_enthusiastic: ClassVar[Key]
    posterior_sceptical: ClassVar[Key]
    posterior_weak: ClassVar[Key]
    predictive_enthusiastic: ClassVar[Key]
    predictive_sceptical: ClassVar[Key]
    predictive_weak: ClassVar[Key]
    probability_below_1_sceptical: ClassVar[Key]
    probability_below_benefit_enthusiastic: ClassVar[Key]
    probability_below_benefit_sceptical: ClassVar[Key]
    probability_below_benefit_weak: ClassVar[Key]


class WinStatisticsRows(
    Analysis, name="win_statistics", title="Win statistics", title_zh="胜率统计量", patterns=("*",)
):
    """Win statistics."""

    bootstrap_probability_better: ClassVar[Key]
    losses_by_death: ClassVar[Key]
    losses_by_dose: ClassVar[Key]
    losses_by_response: ClassVar[Key]
    net_benefit: ClassVar[Key]
    probability_better: ClassVar[Key]
    test: ClassVar[Key]
    win_odds: ClassVar[Key]
    win_ratio: ClassVar[Key]
    wins_by_death: ClassVar[Key]
    wins_by_dose: ClassVar[Key]
    wins_by_response: ClassVar[Key]


class DoseThresholdCurveRows(
    Analysis,
    name="dose_threshold_curve",
    title="Dose thresholds",
    title_zh="剂量阈值",
    patterns=("at_most_*",),
):
    """Dose thresholds."""


class MissingBoundsRows(
    Analysis, name="missing_bounds", title="Bounds for the missing", title_zh="缺失值的界限"
):
    """Bounds for the missing."""

    difference: ClassVar[Key]
    difference_interval: ClassVar[Key]
    significant_completions: ClassVar[Key]


class SlopeBeforeDay0Rows(
    Analysis, name="slope_before_day_0", title="Slope before day 0", title_zh="第0天前的斜率"
):
    """Slope before day 0."""

    slope: ClassVar[Key]


class TruncationByDeathRows(
    Analysis, name="truncation_by_death", title="Truncation by death", title_zh="死亡截断", patterns=("*",)
):
    """Truncation by death."""

    median_reference: ClassVar[Key]
    median_treated: ClassVar[Key]
    survivors_difference: ClassVar[Key]
    survivors_median_reference: ClassVar[Key]
    survivors_median_treated: ClassVar[Key]


class StateOccupancyRows(
    Analysis, name="state_occupancy", title="Days in response", title_zh="缓解天数", patterns=("*",)
):
    """Days in response."""

    days_in_response_reference: ClassVar[Key]
    days_in_response_treated: ClassVar[Key]


class DiscountedControlsRows(
    Analysis, name="discounted_controls", title="Discounted controls", title_zh="折扣对照", patterns=("*",)
):
    """Discounted controls."""


class DesignErrorRows(
    Analysis, name="design_error", title="Error of the design", title_zh="设计误差", patterns=("*",)
):
    """Error of the design."""

    smallest_detectable_ratio: ClassVar[Key]


class UnmeasuredConfounderRows(
    Analysis,
    name="unmeasured_confounder",
    title="Unmeasured confounder",
    title_zh="未测量的混杂",
    patterns=("corrected_*",),
):
    """Unmeasured confounder."""

    e_value: ClassVar[Key]
    e_value_common_outcome: ClassVar[Key]


class SpecificationRows(Analysis, name="specification", title="Specifications", title_zh="分析设定"):
    """Specifications."""

    significant: ClassVar[Key]


class ImputationRows(Analysis, name="imputation", title="Imputation", title_zh="多重插补", patterns=("*",)):
    """Imputation."""

    difference: ClassVar[Key]
    known_difference: ClassVar[Key]
    missing_information: ClassVar[Key]


class LimitScenarioRows(
    Analysis,
    name="limit_scenario",
    title="Scenarios for values beyond a limit",
    title_zh="超出检测限的情景",
    patterns=("*",),
):
    """Scenarios for values beyond a limit."""

    hazard_ratio_at_limit: ClassVar[Key]
    hazard_ratio_tenfold: ClassVar[Key]
    hazard_ratio_twice: ClassVar[Key]
    smd_at_limit: ClassVar[Key]
    smd_tenfold: ClassVar[Key]
    smd_twice: ClassVar[Key]
