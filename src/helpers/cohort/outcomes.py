"""The sections of `cohort.toml` on what happens to patients: response, endpoints, survival, doses."""

from typing import Literal, Self

from pydantic import Field, model_validator

from helpers.cohort.sections import Identifier, Section, Text
from helpers.vocabulary.model import GLUCOCORTICOID
from helpers.vocabulary.response_levels import known_level


class Level(Section):
    """One level of response as the clinicians call it."""

    id: Text = Field(description="What stands in the data and in tables.", examples=["SD"])
    label: str = Field(
        default="", description="The level in words; left out for a known one.", examples=["Stable disease"]
    )
    responds: bool | None = Field(
        default=None,
        description="Whether a patient with this level has responded; may be left out for CR, PR, SD, PD ...",
        examples=[False],
    )
    raw_labels: tuple[str, ...] = Field(default=(), description="Spellings of this level in the raw data.")


class Response(Section):
    """Levels of response, and how patients without an assessment count at a visit."""

    levels: tuple[Level, ...] = Field(
        default=(),
        alias="level",
        description="Levels of response, best first; CR, PR and NR if none is given.",
    )
    dead_is: Literal["NR", "missing"] = Field(
        default="NR",
        description="Patients dead by the visit: without response, in the denominator, or left out of it.",
    )
    withdrawn_is: Literal["NR", "missing"] = Field(
        default="NR", description="Patients alive whose treatment was stopped or switched before the visit."
    )
    not_assessed_is: Literal["NR", "missing"] = Field(
        default="missing", description="Patients alive and on treatment without an assessment at the visit."
    )

    @model_validator(mode="after")
    def _levels_can_be_told(self) -> Self:
        if len({level.id for level in self.levels}) < len(self.levels):
            raise ValueError("levels with different ids")
        for level in self.levels:
            if level.responds is None and known_level(level.id) is None:
                raise ValueError(
                    f"responds = true or false for the level {level.id}, which is not a known one"
                )
        return self


class VisitComparison(Section):
    """Variables compared between the groups at one visit; their tests are one family."""

    visit: Identifier = Field(description="Id of the visit.", examples=["week_8"])
    variables: tuple[Text, ...] = Field(
        min_length=1,
        description="Measured variables that are compared.",
        examples=[["ferritin", "platelets"]],
    )


class Endpoint(Section):
    """An endpoint beside death, which is always the first: what counts as the event, and what competes."""

    id: Identifier = Field(description="Short name used in ids.", examples=["progression"])
    label: Text = Field(description="The event in words.", examples=["Progression"])
    day: str = Field(default="", description="Column of the patients with the day of the event; empty: none.")
    terms: tuple[str, ...] = Field(default=(), description="Adverse event terms of which the first counts.")
    response: Literal["", "gain", "loss"] = Field(
        default="",
        description=(
            "gain: the first call that counts as response; loss: the first one that does not, counted from "
            "the first response of those who responded."
        ),
    )
    level: str = Field(
        default="", description="Level of response whose first call is the event.", examples=["PD"]
    )
    any_of: tuple[Identifier, ...] = Field(
        default=(),
        description="Ids of endpoints of which the first counts; death among them.",
        examples=[["death", "progression"]],
    )
    yes_no: str = Field(
        default="",
        description="Column of the patients that says whether, not when.",
        examples=["transplanted"],
    )
    competing: tuple[Identifier, ...] = Field(
        default=("death",), description="Ids of endpoints that end the time in which this one can happen."
    )
    horizon_days: int | None = Field(
        default=None, gt=0, description="Last day of its analysis; that of survival if left out."
    )

    @model_validator(mode="after")
    def _one_event(self) -> Self:
        if self.id == "death":
            raise ValueError("another id: death is the first endpoint of every cohort and needs no entry")
        given = [self.day, self.terms, self.response, self.level, self.any_of, self.yes_no]
        if sum(map(bool, given)) != 1:
            raise ValueError(
                "one of day, terms, response, level, any_of and yes_no: what counts as the event"
            )
        return self


class Survival(Section):
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


class Steroids(Section):
    """The drugs whose dose is to be spared, and how it is summed up."""

    spared: Text = Field(
        default=GLUCOCORTICOID,
        description=(
            "Class of drugs, or one drug, whose dose is to be spared: glucocorticoids in prednisone "
            "equivalents, any other in mg of the drug itself."
        ),
        examples=["ciclosporin"],
    )
    dose_summary: Literal["weekly_mean", "last"] = Field(
        default="weekly_mean",
        description="Dose at a visit: mean of the seven days that end at it, or the dose of the day itself.",
    )
    threshold_mg_per_kg: float = Field(
        default=0.5, gt=0, description="Low dose reached: at or below it (mg/kg/day)."
    )

    @property
    def converted(self) -> bool:
        """Whether doses are prednisone equivalents."""
        return self.spared == GLUCOCORTICOID
