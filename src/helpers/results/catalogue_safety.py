"""Safety, exposure, and the comparison with a publication."""

from __future__ import annotations

from typing import ClassVar

from helpers.results.key import Analysis, Key


class AdverseEventsRows(
    Analysis,
    name="adverse_events",
    title="Adverse events",
    title_zh="不良事件",
    absent="events.absent",
    patterns=("grade_*",),
):
    """Adverse events."""

    count: ClassVar[Key]
    highest_grade: ClassVar[Key]
    lowest_grade: ClassVar[Key]
    percent: ClassVar[Key]


class EventRateRows(
    Analysis, name="event_rate", title="Event rates", title_zh="事件发生率", absent="events.absent"
):
    """Event rates."""

    n_events: ClassVar[Key]
    n_patients_with_event: ClassVar[Key]
    patient_years: ClassVar[Key]
    per_100_patient_years: ClassVar[Key]
    upper_limit_if_none: ClassVar[Key]


class LaboratoryToxicityRows(
    Analysis,
    name="laboratory_toxicity",
    title="Laboratory toxicity",
    title_zh="实验室毒性",
    absent="toxicity.none",
    patterns=("grade_*",),
):
    """Laboratory toxicity."""

    grade_0: ClassVar[Key]
    severe: ClassVar[Key]
    severe_new: ClassVar[Key]
    severe_percent: ClassVar[Key]


class ToxicityShiftRows(
    Analysis,
    name="toxicity_shift",
    title="Shift of toxicity",
    title_zh="毒性级别的变化",
    absent="toxicity.none",
    patterns=("from_*",),
):
    """Shift of toxicity."""


class ToxicityFindingRows(
    Analysis,
    name="toxicity_finding",
    title="Recorded and measured toxicity",
    title_zh="记录与检测到的毒性",
    absent="toxicity.none",
):
    """Recorded and measured toxicity."""

    both: ClassVar[Key]
    laboratory_only: ClassVar[Key]
    neither: ClassVar[Key]
    recorded_only: ClassVar[Key]


class ExposureRows(
    Analysis,
    name="exposure",
    title="Exposure",
    title_zh="用药",
    absent="exposure.none",
    patterns=("stopped_*",),
):
    """Exposure."""

    highest_dose: ClassVar[Key]
    lowest_dose: ClassVar[Key]
    max: ClassVar[Key]
    median: ClassVar[Key]
    min: ClassVar[Key]
    ongoing: ClassVar[Key]
    patients: ClassVar[Key]
    q1: ClassVar[Key]
    q3: ClassVar[Key]


class AddedTherapyRows(
    Analysis, name="added_therapy", title="Added therapies", title_zh="加用治疗", absent="exposure.none"
):
    """Added therapies."""

    count: ClassVar[Key]
    max: ClassVar[Key]
    median: ClassVar[Key]
    min: ClassVar[Key]
    percent: ClassVar[Key]
    q1: ClassVar[Key]
    q3: ClassVar[Key]


class LongTermRows(
    Analysis, name="long_term", title="Long-term follow-up", title_zh="长期随访", absent="response.none"
):
    """Long-term follow-up."""

    alive: ClassVar[Key]
    died: ClassVar[Key]
    max: ClassVar[Key]
    median: ClassVar[Key]
    min: ClassVar[Key]
    q1: ClassVar[Key]
    q3: ClassVar[Key]


class ComputedTwiceRows(
    Analysis,
    name="computed_twice",
    title="Computed twice",
    title_zh="重复计算",
    patterns=("*_value_*", "*_lower_*", "*_upper_*", "*_p_value_*"),
):
    """Main numbers by another library; what is checked is in the name of the kind."""

    compared: ClassVar[Key]
    equal: ClassVar[Key]
    explained: ClassVar[Key]
    unexplained: ClassVar[Key]


class PublishedRows(
    Analysis, name="published", title="Verdicts on published values", title_zh="发表数值的核对结果"
):
    """Verdicts on published values."""

    count: ClassVar[Key]


class PublishedAuditRows(
    Analysis, name="published_audit", title="Audit of the publication", title_zh="发表数值之间的核对"
):
    """Audit of the publication."""

    count: ClassVar[Key]


class PublishedClaimsRows(
    Analysis, name="published_claims", title="Claims without a number", title_zh="无数字的陈述"
):
    """Claims of the publication without a number."""

    count: ClassVar[Key]


class BesidePaperRows(
    Analysis, name="beside_paper", title="Beside the publication", title_zh="与发表文献并列"
):
    """Beside the publication."""
