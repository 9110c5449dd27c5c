"""The settings of one cohort: the model of `cohort.toml`, every key documented.

They are read by `helpers.cohort.config.load_config`; this module only says what they are.

>>> config.group("ruxolitinib").role
'treated'
>>> config.visit("week_8").day
56
>>> config.with_vocabulary(config.vocabulary).horizon_days
56
>>> config.visit("week_9")
Traceback (most recent call last):
    ...
KeyError: "no visit 'week_9'; visits are baseline, week_1, week_2, week_3, week_8"
"""

from dataclasses import replace
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from helpers.cohort.outcomes import Endpoint, Response, Steroids, Survival, VisitComparison
from helpers.cohort.report_settings import Publication, Report
from helpers.cohort.sections import (
    Baseline,
    Code,
    Course,
    Criteria,
    Exclusion,
    FollowUp,
    Group,
    Implausible,
    Names,
    ReferenceRange,
    ReportingLimits,
    Section,
    Table,
    Tests,
    Text,
    Visit,
    Windowing,
)
from helpers.vocabulary.model import DRUG_CLASSES, TableName
from helpers.vocabulary.reading import shipped_vocabulary
from helpers.vocabulary.response_levels import DEFAULT_LEVELS, ResponseLevel, known_level
from helpers.vocabulary.vocabulary import Vocabulary

__all__ = ["DATA_NOTES", "STAMPS", "CohortConfig", "Group", "Visit"]

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


class CohortConfig(Section):
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
        default=None,
        description="Published ledger whose values are shown beside this cohort's, without a verdict.",
        examples=["rdmas_2025"],
    )
    study_drugs: Names = Field(
        default=(),
        alias="study_drug",
        description=(
            "Drug whose exposure is described, or a list of several; the id of the treated group if empty."
        ),
        examples=["ruxolitinib"],
    )
    added_therapies: tuple[str, ...] = Field(
        default=(), description="Drugs counted when first started after day 0 in responders."
    )
    unmapped_variables: Literal["error", "exclude"] = Field(
        default="error",
        description="Measurements whose variable is not in the vocabulary: stop, or exclude and count.",
    )
    unmapped_drugs: Literal["keep", "exclude"] = Field(
        default="keep",
        description=(
            "Treatments whose drug is not in the vocabulary: keep under the name written, or exclude and "
            "count. A name that looks like a glucocorticoid is an error until it is decided what it is."
        ),
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
        default_factory=dict, description="Raw test name = variable of the vocabulary. Aliases need no entry."
    )
    categories: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Levels of a category where they differ from the vocabulary's, in order.",
    )
    missing_codes: dict[str, tuple[Code, ...]] = Field(
        default_factory=dict,
        description="Codes that mean 'not done': variable or column = [codes]; '*' for all but ids and days.",
    )
    implausible: Implausible = Field(default=Implausible(), description="Impossible values.")
    reporting_limits: dict[str, ReportingLimits] = Field(
        default_factory=dict,
        description="Reporting limits of the assays, per variable, in the unit of the vocabulary.",
    )
    reference_ranges: dict[str, ReferenceRange] = Field(
        default_factory=dict, description="Reference ranges that replace the vocabulary's, per variable."
    )
    baseline: Baseline = Field(default=Baseline(), description="Baseline table.")
    visit_comparisons: tuple[VisitComparison, ...] = Field(
        alias="visit_comparison",
        default=(),
        description="Variables compared between the groups at other visits; an entry is a family of tests.",
    )
    course: Course = Field(default=Course(), description="Course of measurements.")
    tests: Tests = Field(default=Tests(), description="Tests.")
    criteria: Criteria = Field(default=Criteria(), description="Clinical criteria.")
    steroids: Steroids = Field(default=Steroids(), description="Glucocorticoids.")
    response: Response = Field(default=Response(), validate_default=True, description="Response at visits.")
    endpoints: tuple[Endpoint, ...] = Field(
        alias="endpoint", default=(), description="Endpoints beside death, in the order of display."
    )
    survival: Survival = Field(default=Survival(), description="Survival.")
    report: Report = Field(default=Report(), description="Figures.")
    publication: Publication = Field(default=Publication(), description="Publication of the results.")
    exclusions: tuple[Exclusion, ...] = Field(
        default=(), alias="exclusion", description="Patients left out, each with the reason."
    )

    _vocabulary: Vocabulary = PrivateAttr(default_factory=shipped_vocabulary)

    @property
    def vocabulary(self) -> Vocabulary:
        """All words of this cohort: the project's and those of its own files, with its reference ranges."""
        return self._vocabulary

    def with_vocabulary(self, vocabulary: Vocabulary) -> Self:
        """Return the same settings with other words."""
        changed = self.model_copy()
        changed._vocabulary = vocabulary
        return changed

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

    @field_validator("visit_comparisons")
    @classmethod
    def _visits_are_known(
        cls, comparisons: tuple[VisitComparison, ...], info: ValidationInfo
    ) -> tuple[VisitComparison, ...]:
        known = [visit.id for visit in info.data.get("visits", ())]
        wanted = [one.visit for one in comparisons]
        if known and not set(wanted) <= set(known):
            raise ValueError(f"visits among {', '.join(known)}")
        if len(set(wanted)) < len(wanted):
            raise ValueError("one entry for each visit")
        return comparisons

    @field_validator("endpoints")
    @classmethod
    def _endpoints_are_known(cls, endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
        simple = {"death", *(one.id for one in endpoints if not one.any_of and not one.yes_no)}
        if len({one.id for one in endpoints}) < len(endpoints):
            raise ValueError("endpoints with different ids")
        for one in endpoints:
            for name in (*one.any_of, *one.competing):
                if name not in simple - {one.id}:
                    raise ValueError(f"any_of and competing among {', '.join(sorted(simple - {one.id}))}")
        return endpoints

    @field_validator("response")
    @classmethod
    def _levels_agree(cls, response: Response, info: ValidationInfo) -> Response:
        listed = info.data.get("categories", {}).get("response")
        declared = [level.id for level in response.levels]
        if listed and declared and list(listed) != declared:
            raise ValueError("the same levels of response under [categories] and [[response.level]]")
        for name in () if declared else listed or ():
            if known_level(name) is None:
                raise ValueError(f"the level {name} under [[response.level]], with responds = true or false")
        return response

    @model_validator(mode="after")
    def _fill_study_drugs(self) -> Self:
        if not self.study_drugs and self.treated is not None:
            object.__setattr__(self, "study_drugs", (self.treated.id,))
        return self

    @field_validator("study_drugs")
    @classmethod
    def _study_drugs_differ(cls, drugs: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(drugs)) < len(drugs):
            raise ValueError("each study drug once")
        return drugs

    @property
    def horizon_days(self) -> int:
        """Last day of the survival analysis."""
        return self.follow_up.horizon_days

    @property
    def watermark(self) -> str:
        """Short warning that stands on every figure and table; empty for real patients."""
        return STAMPS[self.provenance]

    @property
    def group_ids(self) -> tuple[str, ...]:
        """Ids of the groups in the order of display."""
        return tuple(group.id for group in self.groups)

    @property
    def eras_differ(self) -> bool:
        """Whether the two groups were enrolled in years that do not overlap, as historical controls are."""
        eras = [group.enrolment for group in self.groups if group.enrolment]
        return len(eras) == 2 and (eras[0][0] > eras[1][1] or eras[1][0] > eras[0][1])

    @property
    def response_levels(self) -> tuple[ResponseLevel, ...]:
        """Levels of the clinicians' calls, best first."""
        declared = self.response.levels
        if not declared:
            names = self.categories.get("response") or DEFAULT_LEVELS
            return tuple(replace(level, id=name) for name in names if (level := known_level(name)))
        found = []
        for one in declared:
            known = known_level(one.id) or ResponseLevel(one.id, one.id, "", bool(one.responds))
            responds = known.responds if one.responds is None else one.responds
            spellings = (*known.spellings, *one.raw_labels)
            found.append(ResponseLevel(one.id, one.label or known.label, known.label_zh, responds, spellings))
        return tuple(found)

    @property
    def responding(self) -> tuple[str, ...]:
        """Ids of the levels that count as response."""
        return tuple(level.id for level in self.response_levels if level.responds)

    @property
    def spared_label(self) -> str:
        """What the drugs whose dose is to be spared are called."""
        name = self.steroids.spared
        return DRUG_CLASSES[name][0] if name in DRUG_CLASSES else self.vocabulary.drug_label(name)

    @property
    def spared_in_text(self) -> str:
        """The same for the middle of a sentence."""
        label = self.spared_label
        return label if label[:2].isupper() else label[:1].lower() + label[1:]

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
