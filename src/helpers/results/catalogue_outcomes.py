"""What became of the patients."""

from __future__ import annotations

from typing import ClassVar

from helpers.results.key import Analysis, Key


class ResponseRows(
    Analysis, name="response", title="Response", title_zh="疗效", absent="response.none", patterns=("*",)
):
    """Response."""

    count: ClassVar[Key]
    cr: ClassVar[Key]
    cr_percent: ClassVar[Key]
    dead: ClassVar[Key]
    died: ClassVar[Key]
    earliest: ClassVar[Key]
    median: ClassVar[Key]
    not_assessed: ClassVar[Key]
    nr: ClassVar[Key]
    nr_percent: ClassVar[Key]
    off_study_drug: ClassVar[Key]
    on_study_drug: ClassVar[Key]
    pr: ClassVar[Key]
    pr_percent: ClassVar[Key]
    rate: ClassVar[Key]
    responders: ClassVar[Key]


class ResponseTransitionRows(
    Analysis, name="response_transition", title="Change of response", title_zh="疗效转变", patterns=("to_*",)
):
    """Change of response."""


class ResponseByRuleRows(
    Analysis,
    name="response_by_rule",
    title="Response by a rule",
    title_zh="规则推算的疗效",
    absent="variants.none",
    patterns=("*",),
):
    """Response by a rule."""

    cr: ClassVar[Key]
    dead: ClassVar[Key]
    nr: ClassVar[Key]
    pr: ClassVar[Key]
    rate: ClassVar[Key]
    rate_count: ClassVar[Key]


class ResponseAgreementRows(
    Analysis,
    name="response_agreement",
    title="Agreement of rule and clinician",
    title_zh="规则与临床判断的一致性",
    absent="rule.alone",
    patterns=("clinician_*",),
):
    """Agreement of rule and clinician."""

    agree: ClassVar[Key]
    agreement: ClassVar[Key]
    kappa: ClassVar[Key]
    kappa_linear: ClassVar[Key]


class ResponseVariantRows(
    Analysis,
    name="response_variant",
    title="Variants of the rule",
    title_zh="规则的各变体",
    absent="variants.none",
):
    """Variants of the rule."""

    complete: ClassVar[Key]
    overall: ClassVar[Key]
    overall_count: ClassVar[Key]


class ResponseEndpointRows(
    Analysis,
    name="response_endpoint",
    title="Best and sustained response",
    title_zh="最佳与持续缓解",
    absent="response_time.none",
    patterns=("*",),
):
    """Best and sustained response."""

    cr: ClassVar[Key]
    died: ClassVar[Key]
    lost: ClassVar[Key]
    missing: ClassVar[Key]
    never: ClassVar[Key]
    no_calls: ClassVar[Key]
    not_confirmed: ClassVar[Key]
    nr: ClassVar[Key]
    pr: ClassVar[Key]
    response: ClassVar[Key]
    response_count: ClassVar[Key]


class TimeToResponseRows(
    Analysis,
    name="time_to_response",
    title="Time to response",
    title_zh="至缓解时间",
    absent="response_time.none",
):
    """Time to response."""

    died_first: ClassVar[Key]
    died_incidence: ClassVar[Key]
    incidence: ClassVar[Key]
    median_day: ClassVar[Key]
    responded: ClassVar[Key]


class LaboratoryRows(
    Analysis,
    name="laboratory",
    title="Laboratory course",
    title_zh="实验室指标的变化",
    absent="course.none",
    by_variable=True,
):
    """Laboratory course."""

    beyond_limit: ClassVar[Key]
    change: ClassVar[Key]
    change_test: ClassVar[Key]
    max: ClassVar[Key]
    median: ClassVar[Key]
    min: ClassVar[Key]
    n: ClassVar[Key]
    q1: ClassVar[Key]
    q3: ClassVar[Key]


class TrendRows(
    Analysis, name="trend", title="Trends", title_zh="趋势", absent="course.none", by_variable=True
):
    """Trends."""

    difference: ClassVar[Key]
    friedman: ClassVar[Key]
    ratio: ClassVar[Key]
    visits: ClassVar[Key]


class NormalisationRows(
    Analysis,
    name="normalisation",
    title="Normalisation of abnormal values",
    title_zh="异常值的恢复",
    absent="course.none",
    by_variable=True,
    patterns=("normalised*", "fell*", "rose*"),
):
    """Abnormal values that became normal, and values that fell or rose."""

    abnormal: ClassVar[Key]
    fell: ClassVar[Key]
    normalised: ClassVar[Key]
    rose: ClassVar[Key]


class SplenomegalyRows(
    Analysis,
    name="splenomegaly",
    title="Splenomegaly",
    title_zh="脾肿大",
    absent="spleen.none",
    by_variable=True,
):
    """Splenomegaly."""

    count: ClassVar[Key]
    percent: ClassVar[Key]


class SurvivalRows(Analysis, name="survival", title="Survival", title_zh="生存", absent="survival.none"):
    """Survival."""

    alive: ClassVar[Key]
    alive_share: ClassVar[Key]
    at_risk: ClassVar[Key]
    cumulative_censored: ClassVar[Key]
    cumulative_deaths: ClassVar[Key]
    deaths: ClassVar[Key]
    first_death: ClassVar[Key]
    follow_up: ClassVar[Key]
    hazard_ratio: ClassVar[Key]
    logrank: ClassVar[Key]
    median: ClassVar[Key]
    median_follow_up: ClassVar[Key]
    n_censor: ClassVar[Key]
    n_event: ClassVar[Key]
    survival: ClassVar[Key]


class EffectRows(
    Analysis,
    name="effect",
    title="Effect on survival by every method",
    title_zh="各方法的生存效应",
    absent="effects.none",
    patterns=("*",),
):
    """Effect on survival by every method."""

    cox_efron: ClassVar[Key]
    cox_firth: ClassVar[Key]
    odds_ratio_exact: ClassVar[Key]
    odds_ratio_firth: ClassVar[Key]
    peto: ClassVar[Key]
    risk_difference_miettinen_nurminen: ClassVar[Key]
    risk_difference_newcombe: ClassVar[Key]
    rmst_difference: ClassVar[Key]
    rmst_ratio: ClassVar[Key]
    survival_difference: ClassVar[Key]
    test_barnard: ClassVar[Key]
    test_boschloo: ClassVar[Key]
    test_fisher: ClassVar[Key]
    test_gehan: ClassVar[Key]
    test_logrank: ClassVar[Key]
    test_logrank_exact: ClassVar[Key]
    test_logrank_monte_carlo: ClassVar[Key]
    test_mid_p: ClassVar[Key]
    test_pearson: ClassVar[Key]
    test_yates: ClassVar[Key]


class EndpointRows(
    Analysis, name="endpoint", title="Endpoints beside death", title_zh="死亡以外的终点", patterns=("*",)
):
    """Endpoints beside death."""

    at_risk: ClassVar[Key]
    competing: ClassVar[Key]
    events: ClassVar[Key]
    incidence: ClassVar[Key]
    share: ClassVar[Key]
    survival: ClassVar[Key]


class EndpointEffectRows(
    Analysis,
    name="endpoint_effect",
    title="Effect on the endpoints",
    title_zh="对终点的效应",
    patterns=("*",),
):
    """Effect on the endpoints."""

    not_compared: ClassVar[Key]


class GlucocorticoidRows(
    Analysis,
    name="glucocorticoid",
    title="Dose to be spared",
    title_zh="拟减少药物的剂量",
    absent="dose.none",
):
    """Dose to be spared."""

    change_test: ClassVar[Key]
    died_first: ClassVar[Key]
    fall_of_median: ClassVar[Key]
    incidence: ClassVar[Key]
    max: ClassVar[Key]
    median: ClassVar[Key]
    median_day: ClassVar[Key]
    median_fall: ClassVar[Key]
    min: ClassVar[Key]
    n: ClassVar[Key]
    q1: ClassVar[Key]
    q3: ClassVar[Key]
    reached: ClassVar[Key]
    threshold: ClassVar[Key]


class AliveLowDoseRows(
    Analysis,
    name="alive_low_dose",
    title="Alive at a low dose",
    title_zh="存活且为低剂量",
    absent="dose.none",
    patterns=("*",),
):
    """Alive at a low dose."""

    died: ClassVar[Key]
    difference: ClassVar[Key]
    dose_above: ClassVar[Key]
    low_dose: ClassVar[Key]
    not_known: ClassVar[Key]
    percent: ClassVar[Key]
    percent_bounds: ClassVar[Key]
    test: ClassVar[Key]
    threshold: ClassVar[Key]


class CompositeRankRows(
    Analysis,
    name="composite_rank",
    title="Composite rank",
    title_zh="复合秩次",
    absent="dose.none",
    patterns=("*",),
):
    """Composite rank."""

    alive: ClassVar[Key]
    died: ClassVar[Key]
    median: ClassVar[Key]
    not_known: ClassVar[Key]
    probability: ClassVar[Key]
    test: ClassVar[Key]
