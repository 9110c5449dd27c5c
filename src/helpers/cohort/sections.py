"""The sections of `cohort.toml`, every key documented.

>>> ReferenceRange(low=120, low_female=115).limits("female"), ReferenceRange(low=120).limits("male")
((115.0, None), (120.0, None))
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from helpers.cohort.cells import has_unseen
from helpers.cohort.encodings import Encoding

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]
MonthText = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Code = str | int | float
LONGEST_SETTING = 2000  # signs; a paragraph
# One name, or a list of several.
Names = Annotated[
    tuple[Text, ...],
    BeforeValidator(
        lambda value: ((value,) if value else ()) if isinstance(value, str) else value,
        json_schema_input_type=str | tuple[str, ...],
    ),
]


class Section(BaseModel):
    """Base of all sections: unknown keys are refused, values cannot be changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="after")
    @classmethod
    def _can_be_read(cls, value: object) -> object:
        if isinstance(value, str) and has_unseen(value):
            raise ValueError("text without control characters or other signs that cannot be seen")
        if isinstance(value, str) and len(value) > LONGEST_SETTING:
            raise ValueError(f"a text of at most {LONGEST_SETTING} characters")
        return value


class Group(Section):
    """One group of patients."""

    id: Identifier = Field(description="Short name used in ids and file names.", examples=["ruxolitinib"])
    label: Text = Field(description="Name in tables and figures.", examples=["Ruxolitinib"])
    short_label: str = Field(default="", description="Name where space is short; the label if empty.")
    role: Literal["treated", "reference"] = Field(
        description="Effects are reported for the treated group against the reference group.",
        examples=["treated"],
    )
    day0: Text = Field(
        description="What day 0 is in this group, in words.", examples=["first dose of ruxolitinib"]
    )
    enrolment: tuple[MonthText, MonthText] | None = Field(
        default=None,
        description="First and last month of enrolment, as YYYY-MM.",
        examples=[["2022-01", "2024-07"]],
    )
    raw_labels: tuple[str, ...] = Field(
        default=(), description="Spellings of this group in the raw data, besides its id and label."
    )

    @model_validator(mode="after")
    def _fill_short_label(self) -> Self:
        if not self.short_label:
            object.__setattr__(self, "short_label", self.label)
        return self


class FollowUp(Section):
    """How long patients are followed."""

    horizon_days: int = Field(gt=0, description="Last day of the survival analysis.", examples=[56])
    data_cutoff: date | None = Field(
        default=None,
        description="Date after which nothing counts (needs dates in the raw data).",
        examples=[date(2024, 12, 31)],
    )


class Visit(Section):
    """One planned visit."""

    id: Identifier = Field(description="Short name of the visit.", examples=["baseline"])
    label: Text = Field(description="Name in tables and figures.", examples=["Baseline"])
    day: int = Field(description="Nominal day; the baseline visit is the one on day 0.", examples=[0])
    window: tuple[int, int] = Field(
        description="First and last day that count for this visit. Windows may not overlap.",
        examples=[[-7, 3]],
    )

    @model_validator(mode="after")
    def _window_holds_day(self) -> Self:
        first, last = self.window
        if not first <= self.day <= last:
            raise ValueError(f"a window (first day, last day) that contains the visit's day {self.day}")
        return self


class Windowing(Section):
    """Which row stands for a visit: the one nearest to its nominal day, within its window."""

    tie: Literal["earlier", "later"] = Field(
        default="earlier", description="Which of two days equally near to the visit's day is used."
    )
    day_rule: Literal["first", "last", "worst", "median"] = Field(
        default="first",
        description=(
            "Which of several values of one patient, variable and day stands for the day: the first or last "
            "by clock time, the worst, or the median (of an even number the worse of the middle two). Values "
            "of one time, or without a time, are told apart by which is worse. Their order in the file never "
            "decides."
        ),
    )
    baseline_after_day0: bool = Field(
        default=False,
        description=(
            "Whether a row after day 0 (inside the window) may be the baseline when there is none on or "
            "before day 0. If false, only rows on or before day 0 are baseline."
        ),
    )


class Table(Section):
    """Where one raw table is and how its columns and codes are called."""

    file: str | None = Field(
        default=None,
        description="File in the cohort folder: .csv, .xlsx or .parquet; NAME with one of these if left out.",
        examples=["patients.csv"],
    )
    sheet: str | None = Field(
        default=None, description="Sheet of an .xlsx file; the first if left out.", examples=["Sheet1"]
    )
    encoding: Encoding | None = Field(
        default=None,
        description="Encoding of a CSV file; if left out, UTF-8 or what the words of the file tell.",
        examples=["cp1252"],
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Canonical column = column in the file. Names and aliases in the vocabulary need none.",
    )
    first_day: Literal[0, 1] | None = Field(
        default=None,
        description=(
            "What day 0 is called in this table's columns of days: 0, or 1 where days are counted as CDISC "
            "does, without a day 0. If left out: 1 for columns with a CDISC name such as ADY, else 0."
        ),
        examples=[1],
    )
    collected_in: tuple[str, ...] | None = Field(
        default=None,
        description=(
            "Groups whose adverse events were looked for, so that none recorded means none. If left out, "
            "those with at least one event; of the others nothing is known."
        ),
        examples=[["ruxolitinib", "control"]],
    )
    may_be_empty: bool | None = Field(
        default=None,
        description="Whether a file with a header and no rows says that there was nothing to record.",
    )
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="Per canonical column: raw code = meaning, such as sex = {1 = 'male', 2 = 'female'}.",
    )


class ReportingLimits(Section):
    """Limits beyond which the assay gives no number."""

    lower: float | None = Field(
        default=None, description="Values at or below it are read as '<'.", examples=[0.5]
    )
    upper: float | None = Field(
        default=None, description="Values at or above it are read as '>'.", examples=[1500.0]
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError("lower below upper")
        return self


class ReferenceRange(Section):
    """Reference range of this cohort's laboratory, in the unit of the vocabulary."""

    low: float | None = Field(default=None, description="Lower limit of normal.", examples=[12.0])
    high: float | None = Field(default=None, description="Upper limit of normal.", examples=[150.0])
    low_female: float | None = Field(default=None, description="Lower limit in women.", examples=[115.0])
    high_female: float | None = Field(default=None, description="Upper limit in women.", examples=[150.0])
    low_male: float | None = Field(default=None, description="Lower limit in men.", examples=[130.0])
    high_male: float | None = Field(default=None, description="Upper limit in men.", examples=[175.0])

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for sex in ("", "female", "male"):
            low, high = self.limits(sex)
            if low is not None and high is not None and low >= high:
                raise ValueError("low below high")
        return self

    def limits(self, sex: str) -> tuple[float | None, float | None]:
        """Return the limits of a sex; those for both where it has none of its own."""
        own_low = getattr(self, f"low_{sex}", None) if sex else None
        own_high = getattr(self, f"high_{sex}", None) if sex else None
        return self.low if own_low is None else own_low, self.high if own_high is None else own_high


class Implausible(Section):
    """What is done with values outside the plausible range of the vocabulary."""

    action: Literal["error", "exclude"] = Field(
        default="error",
        description="error: the run stops and names them; exclude: they are left out, counted and listed.",
    )
    confirmed: tuple[str, ...] = Field(
        default=(),
        description="Variables whose values were looked at and are right although they seem off by a factor.",
        examples=[["ferritin"]],
    )


class Baseline(Section):
    """The table of baseline characteristics."""

    variables: tuple[str, ...] | None = Field(
        default=None,
        description="Rows in order; all variables recorded at baseline if left out.",
        examples=[["age", "sex", "ferritin"]],
    )
    prior_therapies: tuple[str, ...] | None = Field(
        default=None,
        description=(
            "Drugs, classes of drugs or iv_glucocorticoid for which prior_<name> is derived from treatment "
            "rows that start before day 0, in order; if left out every drug given before day 0 but the study "
            "drug, glucocorticoids as one."
        ),
        examples=[["ivig", "etoposide"]],
    )
    weighting: tuple[str, ...] | None = Field(
        default=None,
        description=(
            "Characteristics that the arms are weighted for, chosen by clinicians before the outcome is "
            "looked at, the most important first; one for ten patients of the smaller group. If left out, "
            "measures of severity: platelets, bilirubin, creatinine, LDH, albumin, AST, ferritin, "
            "fibrinogen, triglycerides, haemoglobin, neutrophils, age, as far as everybody has them."
        ),
        examples=[["platelets", "age"]],
    )
    show: tuple[Literal["missing", "overall", "difference"], ...] = Field(
        default=(),
        description=(
            "More in Table 1: missing, a row with the number of patients without the item; overall, a column "
            "of all patients; difference, a column of treated minus reference with its interval."
        ),
        examples=[["missing", "overall"]],
    )


class Course(Section):
    """Measurements followed over the visits."""

    variables: tuple[str, ...] = Field(
        default=("platelets", "ast", "alt", "ferritin", "fibrinogen", "triglycerides", "crp", "temperature"),
        min_length=1,
        description="Measurements described and drawn over the visits, in order; absent ones are skipped.",
    )


class Tests(Section):
    """Choice of tests for the comparison of the groups, by name."""

    continuous: str = Field(
        default="exact",
        description=(
            "Test of numbers. Rank-sum: exact, asymptotic, asymptotic_corrected; kruskal_wallis; of means: "
            "welch, t."
        ),
    )
    categorical: str = Field(
        default="fisher",
        description=(
            "Test of a 2 x 2 table: fisher, mid_p, boschloo, barnard, pearson, yates, or expected_count: "
            "Yates-corrected chi-square when an expected count is below 5, else Pearson."
        ),
    )
    levels: str = Field(
        default="fisher_freeman_halton",
        description="Test of a category of several levels: fisher_freeman_halton or chi_square.",
    )
    variables: dict[str, str] = Field(
        default_factory=dict,
        description="Test of one variable where it differs from that of its kind: variable = 'test'.",
    )
    mean_sd: tuple[str, ...] = Field(
        default=(), description="Variables of the baseline table summarised as mean (standard deviation)."
    )
    multiplicity: Literal["holm", "benjamini_hochberg", "none"] = Field(
        default="holm", description="Adjustment reported beside the unadjusted p-values of a family of tests."
    )


class Criteria(Section):
    """Clinical criteria applied: which ones is the study's choice, none unless they are named."""

    diagnosis: tuple[str, ...] = Field(
        default=(), description="Diagnostic criteria evaluated, in order.", examples=[["hlh_2004", "hscore"]]
    )
    evaluate_at: Literal["day0", "mas_onset"] = Field(
        default="day0",
        description=(
            "When diagnostic criteria are evaluated first: on day 0, or on the day MAS was diagnosed "
            "(mas_onset_day), for which they are made. Where that day is recorded, both are shown."
        ),
    )
    onset_window: tuple[int, int] = Field(
        default=(-7, 3),
        description="First and last day around the diagnosis of MAS whose measurements count at mas_onset.",
    )
    eligibility: str = Field(
        default="",
        description="Rule of inclusion and exclusion; none if empty.",
        examples=["eligibility_paper"],
    )
    refractoriness: str = Field(
        default="", description="Rule of refractory disease; none if empty.", examples=["refractory_mas"]
    )
    response: str = Field(
        default="",
        description="Response criteria evaluated from the measurements; none if empty.",
        examples=["paper"],
    )
    severity: str = Field(
        default="",
        description="Cut-offs of severity at baseline; none if empty.",
        examples=["baseline_severity"],
    )
    toxicity: str = Field(default="ctcae_v5", description="Grading of laboratory toxicity; none if empty.")
    toxicity_beside: str = Field(
        default="", description="A second grading shown beside the first.", examples=["ctcae_v6"]
    )

    @property
    def moment(self) -> str:
        """Timepoint at which diagnostic criteria are evaluated first, as the statistics call it."""
        return "baseline" if self.evaluate_at == "day0" else self.evaluate_at

    @model_validator(mode="after")
    def _window_in_order(self) -> Self:
        first, last = self.onset_window
        if first > last:
            raise ValueError("an onset_window whose first day is not after its last")
        return self


class Exclusion(Section):
    """One patient left out of the analysis."""

    patient_id: Text = Field(description="Patient as written in the data.", examples=["C22"])
    reason: Text = Field(description="Why, in words for the flow diagram.", examples=["pregnancy"])
