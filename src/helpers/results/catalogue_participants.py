"""Who the patients are, and how the groups compare before and after."""

from __future__ import annotations

from typing import ClassVar

from helpers.results.key import Analysis, Key


class GroupRows(Analysis, name="group", title="Groups", title_zh="分组"):
    """Groups."""

    n: ClassVar[Key]


class FlowRows(
    Analysis, name="flow", title="Flow of patients and rows", title_zh="患者与数据行的去向", patterns=("*",)
):
    """Flow of patients and rows."""

    alive: ClassVar[Key]
    analysed: ClassVar[Key]
    assessed: ClassVar[Key]
    censored: ClassVar[Key]
    dead: ClassVar[Key]
    died: ClassVar[Key]
    excluded: ClassVar[Key]
    recorded: ClassVar[Key]
    role_outside_visit_windows: ClassVar[Key]
    role_selected: ClassVar[Key]
    used: ClassVar[Key]


class PlanRows(Analysis, name="plan", title="Visits", title_zh="访视计划"):
    """Visits."""

    day: ClassVar[Key]
    first: ClassVar[Key]
    last: ClassVar[Key]


class MissingnessRows(
    Analysis, name="missingness", title="Missing values", title_zh="缺失值", by_variable=True
):
    """Missing values."""

    observed_percent: ClassVar[Key]


class DiagnosisRows(
    Analysis,
    name="diagnosis",
    title="Diagnostic criteria",
    title_zh="诊断标准",
    absent="criteria.none",
    patterns=("*",),
):
    """Diagnostic criteria."""

    cutoff: ClassVar[Key]
    max: ClassVar[Key]
    median: ClassVar[Key]
    met: ClassVar[Key]
    met_percent: ClassVar[Key]
    min: ClassVar[Key]
    not_met: ClassVar[Key]
    q1: ClassVar[Key]
    q3: ClassVar[Key]
    total: ClassVar[Key]
    undetermined: ClassVar[Key]


class CriteriaAgreementRows(
    Analysis,
    name="criteria_agreement",
    title="Agreement of criteria",
    title_zh="诊断标准的一致性",
    absent="agreement.none",
):
    """Agreement of criteria."""

    a_only: ClassVar[Key]
    agreement: ClassVar[Key]
    b_only: ClassVar[Key]
    both_met: ClassVar[Key]
    kappa: ClassVar[Key]
    neither: ClassVar[Key]


class RefractorinessRows(
    Analysis,
    name="refractoriness",
    title="Refractory disease",
    title_zh="难治性疾病",
    absent="eligibility.none",
):
    """Refractory disease."""

    met: ClassVar[Key]
    not_done: ClassVar[Key]
    not_met: ClassVar[Key]
    undetermined: ClassVar[Key]


class EligibilityRows(
    Analysis, name="eligibility", title="Eligibility", title_zh="入选资格", absent="eligibility.none"
):
    """Eligibility."""

    met: ClassVar[Key]
    not_done: ClassVar[Key]
    not_met: ClassVar[Key]
    undetermined: ClassVar[Key]


class BaselineRows(
    Analysis,
    name="baseline",
    title="Baseline characteristics",
    title_zh="基线特征",
    by_variable=True,
    patterns=("*",),
):
    """Baseline characteristics."""

    count: ClassVar[Key]
    difference: ClassVar[Key]
    max: ClassVar[Key]
    mean: ClassVar[Key]
    median: ClassVar[Key]
    min: ClassVar[Key]
    other_count: ClassVar[Key]
    percent: ClassVar[Key]
    q1: ClassVar[Key]
    q3: ClassVar[Key]
    sd: ClassVar[Key]
    shift: ClassVar[Key]
    standardized_difference: ClassVar[Key]
    test: ClassVar[Key]
    test_adjusted: ClassVar[Key]


class SeverityRows(Analysis, name="severity", title="Severity at baseline", title_zh="基线严重程度"):
    """Severity at baseline."""

    count: ClassVar[Key]
    percent: ClassVar[Key]


class BalanceRows(Analysis, name="balance", title="Balance of the groups", title_zh="组间均衡性"):
    """Balance of the groups."""

    above_0_1: ClassVar[Key]
    standard_error: ClassVar[Key]


class ReportingLimitsRows(
    Analysis,
    name="reporting_limits",
    title="Values beyond a limit",
    title_zh="超出检测限的数值",
    absent="limits.none",
    by_variable=True,
    patterns=("limit_*", "extreme_*"),
):
    """Values beyond a limit."""

    beyond_limit: ClassVar[Key]
    median: ClassVar[Key]
    test: ClassVar[Key]


class PriorTherapyOverlapRows(
    Analysis, name="prior_therapy_overlap", title="Earlier therapies", title_zh="既往治疗"
):
    """Earlier therapies."""

    count: ClassVar[Key]
    n: ClassVar[Key]


class VisitComparisonRows(
    Analysis, name="visit_comparison", title="Comparison at visits", title_zh="各访视的组间比较"
):
    """Comparison at visits."""

    count: ClassVar[Key]
    difference: ClassVar[Key]
    max: ClassVar[Key]
    median: ClassVar[Key]
    min: ClassVar[Key]
    percent: ClassVar[Key]
    q1: ClassVar[Key]
    q3: ClassVar[Key]
    shift: ClassVar[Key]
    test: ClassVar[Key]
    test_adjusted: ClassVar[Key]
