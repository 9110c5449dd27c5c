"""The settings of one cohort: the model of `cohort.toml`, every key documented.

They are read by `helpers.cohort.config.load_config`; this module only says what they are.
"""

from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from helpers.cohort.dictionary import TableName

DATA_NOTES: dict[str, str] = {
    "real": "",
    "reconstructed": (
        "Reconstructed from published summary figures: every record is simulated to agree with them. "
        "No record is a real patient, and no finding here is new evidence."
    ),
    "synthetic": "Simulated data for demonstration and testing: no record is a real patient.",
}

STAMPS: dict[str, str] = {
    "real": "",
    "reconstructed": "Reconstructed from published summaries, not patients",
    "synthetic": "Simulated data: not patients",
}

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]
MonthText = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Code = str | int | float


class _Section(BaseModel):
    """Base of all sections: unknown keys are refused, values cannot be changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Group(_Section):
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


class FollowUp(_Section):
    """How long patients are followed."""

    horizon_days: int = Field(gt=0, description="Last day of the survival analysis.", examples=[56])
    data_cutoff: date | None = Field(
        default=None,
        description="Date after which nothing counts (needs dates in the raw data).",
        examples=[date(2024, 12, 31)],
    )


class Visit(_Section):
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


class Windowing(_Section):
    """Which row stands for a visit: the one nearest to its nominal day, within its window."""

    tie: Literal["earlier", "later"] = Field(
        default="earlier",
        description=(
            "Which of two rows equally near is used. Two rows of one day are told apart by clock time if "
            "the data have it, else by their order in the file."
        ),
    )
    baseline_after_day0: bool = Field(
        default=False,
        description=(
            "Whether a row after day 0 (inside the window) may be the baseline when there is none on or "
            "before day 0. If false, only rows on or before day 0 are baseline."
        ),
    )


class Table(_Section):
    """Where one raw table is and how its columns and codes are called."""

    file: str | None = Field(
        default=None,
        description="File in the cohort folder (.csv or .parquet); NAME.csv or NAME.parquet if empty.",
        examples=["patients.csv"],
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Canonical column = column in the file. Names and aliases in the dictionary need none.",
    )
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="Per canonical column: raw code = meaning, such as sex = {1 = 'male', 2 = 'female'}.",
    )


class ReportingLimits(_Section):
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


class ReferenceRange(_Section):
    """Reference range of this cohort's laboratory, in the dictionary's unit."""

    low: float | None = Field(default=None, description="Lower limit of normal.", examples=[12.0])
    high: float | None = Field(default=None, description="Upper limit of normal.", examples=[150.0])

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low below high")
        return self


class Implausible(_Section):
    """What is done with values outside the dictionary's plausible range."""

    action: Literal["error", "exclude"] = Field(
        default="error",
        description="error: the run stops and names them; exclude: they are left out, counted and listed.",
    )


class Baseline(_Section):
    """The table of baseline characteristics."""

    variables: tuple[str, ...] | None = Field(
        default=None,
        description="Rows in order; all variables recorded at baseline if left out.",
        examples=[["age", "sex", "ferritin"]],
    )
    prior_therapies: tuple[str, ...] = Field(
        default=("iv_glucocorticoid", "ivig", "etoposide", "tocilizumab", "tacrolimus", "ciclosporin"),
        description=(
            "Drugs (or glucocorticoid, iv_glucocorticoid) for which prior_<name> is derived from treatment "
            "rows that start before day 0, in order."
        ),
    )


class Course(_Section):
    """Measurements followed over the visits."""

    variables: tuple[str, ...] = Field(
        default=("platelets", "ast", "alt", "ferritin", "fibrinogen", "triglycerides", "crp", "temperature"),
        min_length=1,
        description="Measurements described and drawn over the visits, in order; absent ones are skipped.",
    )


class Tests(_Section):
    """Choice of tests for the comparison of the groups."""

    continuous: Literal["exact", "asymptotic", "asymptotic_corrected"] = Field(
        default="exact", description="How the rank-sum test gets its p-value."
    )
    categorical: Literal["expected_count", "fisher", "mid_p", "barnard", "boschloo", "pearson", "yates"] = (
        Field(
            default="expected_count",
            description=(
                "Test of a 2 x 2 table. expected_count: Yates-corrected chi-square when an expected count is "
                "below 5, else Pearson."
            ),
        )
    )
    multiplicity: str = Field(
        default="holm", description="Adjustment reported beside the unadjusted p-values of a family of tests."
    )


class Criteria(_Section):
    """Versions of the clinical criteria applied."""

    diagnosis: tuple[str, ...] = Field(
        default=("hlh_2004", "hscore"), description="Diagnostic criteria evaluated, in order."
    )
    response: str = Field(default="paper", description="Response criteria evaluated from the measurements.")
    toxicity: str = Field(default="ctcae_v5", description="Grading of laboratory toxicity.")


class Steroids(_Section):
    """Summary of glucocorticoid exposure, in prednisone equivalents."""

    dose_summary: Literal["weekly_mean", "last"] = Field(
        default="weekly_mean",
        description="Dose at a visit: mean of the seven days that end at it, or the dose of the day itself.",
    )
    threshold_mg_per_kg: float = Field(
        default=0.5, gt=0, description="Low dose reached: at or below it (mg/kg/day)."
    )


class Response(_Section):
    """How patients without an assessment count at a visit."""

    dead_is: Literal["NR", "missing"] = Field(default="NR", description="Patients dead by the visit.")
    withdrawn_is: Literal["NR", "missing"] = Field(
        default="NR", description="Patients alive whose treatment was stopped or switched before the visit."
    )
    not_assessed_is: Literal["NR", "missing"] = Field(
        default="missing", description="Patients alive and on treatment without an assessment at the visit."
    )


class Survival(_Section):
    """How survival is described and compared."""

    interval: Literal["log-log", "log", "plain"] = Field(
        default="log-log", description="Transformation behind the confidence interval of survival."
    )
    quantile_rule: Literal["midpoint", "sas"] = Field(
        default="midpoint", description="Median survival where the curve is flat at one half."
    )
    test: Literal["logrank", "exact", "permutation"] = Field(
        default="logrank", description="Test printed with the survival curves."
    )


class Exclusion(_Section):
    """One patient left out of the analysis."""

    patient_id: Text = Field(description="Patient as written in the data.", examples=["C22"])
    reason: Text = Field(description="Why, in words for the flow diagram.", examples=["pregnancy"])


class CohortConfig(_Section):
    """All settings of one cohort."""

    title: Text = Field(description="Title of the cohort.", examples=["Ruxolitinib in refractory RD-MAS"])
    description: str = Field(default="", description="One paragraph on who the patients are.")
    provenance: Literal["real", "reconstructed", "synthetic"] = Field(
        description="real: patients; reconstructed: rebuilt from a publication; synthetic: simulated.",
        examples=["real"],
    )
    source: str = Field(default="", description="Citation of where the data come from.")
    data_note: str = Field(
        default="",
        description="Stamped on every output; a plain warning by default unless provenance is real.",
    )
    ledger: str | None = Field(
        default=None, description="Published ledger this cohort is compared with.", examples=["rdmas_2025"]
    )
    compare_to: str | None = Field(
        default=None, description="Another cohort (name) shown beside this one.", examples=["another_cohort"]
    )
    study_drug: str = Field(
        default="", description="Drug whose exposure is described; the id of the treated group if empty."
    )
    added_therapies: tuple[str, ...] = Field(
        default=("ciclosporin",), description="Drugs counted when first started after day 0 in responders."
    )
    unmapped_variables: Literal["error", "exclude"] = Field(
        default="error",
        description="Measurements whose variable is not in the dictionary: stop, or exclude and count.",
    )
    unmapped_drugs: Literal["error", "exclude"] = Field(
        default="error",
        description="Treatments whose drug is not in the dictionary: stop, or exclude and count.",
    )
    overlapping_doses: Literal["error", "sum"] = Field(
        default="error", description="Two rows of one drug and route on the same day: stop, or add the doses."
    )
    groups: tuple[Group, ...] = Field(
        alias="group", min_length=1, max_length=2, description="One or two groups, in the order of display."
    )
    follow_up: FollowUp = Field(description="Follow-up.")
    visits: tuple[Visit, ...] = Field(alias="visit", min_length=1, description="Visits, in order of time.")
    windowing: Windowing = Field(
        default=Windowing(), description="Choice of the row that stands for a visit."
    )
    tables: dict[TableName, Table] = Field(
        default_factory=dict, description="Files, column names and codes of the raw tables."
    )
    units: dict[str, str] = Field(
        default_factory=dict, description="Unit of a variable where the data give none: variable = 'unit'."
    )
    variables: dict[str, str] = Field(
        default_factory=dict, description="Raw test name = variable of the dictionary. Aliases need no entry."
    )
    categories: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Levels of a category where they differ from the dictionary's, in order.",
    )
    missing_codes: dict[str, tuple[Code, ...]] = Field(
        default_factory=dict,
        description="Codes that mean 'not done': variable or column = [codes]; '*' for all.",
    )
    implausible: Implausible = Field(default=Implausible(), description="Impossible values.")
    reporting_limits: dict[str, ReportingLimits] = Field(
        default_factory=dict,
        description="Reporting limits of the assays, per variable, in the dictionary's unit.",
    )
    reference_ranges: dict[str, ReferenceRange] = Field(
        default_factory=dict, description="Reference ranges that replace the dictionary's, per variable."
    )
    baseline: Baseline = Field(default=Baseline(), description="Baseline table.")
    course: Course = Field(default=Course(), description="Course of measurements.")
    tests: Tests = Field(default=Tests(), description="Tests.")
    criteria: Criteria = Field(default=Criteria(), description="Clinical criteria.")
    steroids: Steroids = Field(default=Steroids(), description="Glucocorticoids.")
    response: Response = Field(default=Response(), description="Response at visits.")
    survival: Survival = Field(default=Survival(), description="Survival.")
    exclusions: tuple[Exclusion, ...] = Field(
        default=(), alias="exclusion", description="Patients left out, each with the reason."
    )

    @field_validator("groups")
    @classmethod
    def _groups_differ(cls, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        if len({g.id for g in groups}) < len(groups):
            raise ValueError("groups with different ids")
        if len(groups) == 2 and {g.role for g in groups} != {"treated", "reference"}:
            raise ValueError("two groups of which one has the role treated and the other reference")
        return groups

    @field_validator("visits")
    @classmethod
    def _visits_in_order(cls, visits: tuple[Visit, ...]) -> tuple[Visit, ...]:
        if len({v.id for v in visits}) < len(visits):
            raise ValueError("visits with different ids")
        for earlier, later in pairwise(visits):
            if later.window[0] <= earlier.window[1]:
                raise ValueError(
                    "visits in order of time whose windows do not overlap: look at "
                    f"{earlier.id} {list(earlier.window)} and {later.id} {list(later.window)}"
                )
        return visits

    @model_validator(mode="after")
    def _fill_data_note(self) -> Self:
        if not self.data_note:
            object.__setattr__(self, "data_note", DATA_NOTES[self.provenance])
        return self

    @model_validator(mode="after")
    def _fill_study_drug(self) -> Self:
        if not self.study_drug and self.treated is not None:
            object.__setattr__(self, "study_drug", self.treated.id)
        return self

    @property
    def horizon_days(self) -> int:
        """Last day of the survival analysis."""
        return self.follow_up.horizon_days

    @property
    def stamp(self) -> str:
        """Short warning that stands on every figure and table; empty for real patients."""
        return STAMPS[self.provenance]

    @property
    def group_ids(self) -> tuple[str, ...]:
        """Ids of the groups in the order of display."""
        return tuple(group.id for group in self.groups)

    @property
    def treated(self) -> Group | None:
        """The group whose effect is reported, if there is one."""
        return next((group for group in self.groups if group.role == "treated"), None)

    @property
    def reference(self) -> Group | None:
        """The group it is compared with, if there is one."""
        return next((group for group in self.groups if group.role == "reference"), None)

    @property
    def baseline_visit(self) -> Visit | None:
        """The visit on day 0, if there is one."""
        return next((visit for visit in self.visits if visit.day == 0), None)

    def group(self, group_id: str) -> Group:
        """Return a group by id; KeyError names the known ones."""
        for group in self.groups:
            if group.id == group_id:
                return group
        raise KeyError(f"no group {group_id!r}; groups are {', '.join(self.group_ids)}")

    def visit(self, visit_id: str) -> Visit:
        """Return a visit by id; KeyError names the known ones."""
        for visit in self.visits:
            if visit.id == visit_id:
                return visit
        raise KeyError(f"no visit {visit_id!r}; visits are {', '.join(v.id for v in self.visits)}")
