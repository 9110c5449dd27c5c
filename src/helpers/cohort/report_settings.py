"""The sections `[report]` and `[publication]` of `cohort.toml`."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from helpers.cohort.sections import Section, Text

_CJK_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei", "Microsoft YaHei", "SimHei", "PingFang SC", "Droid Sans Fallback",
)  # fmt: skip


Ids = Literal["study", "none"]


class Report(Section):
    """How figures are drawn, and in which language manuscript and report are written."""

    language: Text = Field(
        default="en",
        description="Language of manuscript and report: en English, en-US as spelled in America, "
        "zh Simplified Chinese, or one added.",
        examples=["zh"],
    )
    terms: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "Words of this file in the report's language, such as 'Placebo' = '安慰剂'. Names of the "
            "vocabulary need no entry."
        ),
    )
    journal: Text = Field(
        default="generic",
        description=(
            "Journal whose column widths, text sizes and largest height figures are drawn with: frontiers, "
            "nature, lancet, nejm, jama, plos, or one added; generic: columns of 85, 120 and 180 mm, text "
            "of 8 points."
        ),
    )
    checklists: tuple[Literal["strobe", "record", "target"], ...] = Field(
        default=("strobe",),
        description=(
            "Reporting checklists in the supplement: strobe for cohort studies, record for routinely "
            "collected data, target for emulated trials (the table of notebook 07)."
        ),
        examples=[["strobe", "target"]],
    )
    ids: Ids = Field(
        default="study",
        description=(
            "Whether figures and tables of single patients show their ids: study, as in the data, or none. "
            "Tables then leave out what names a line of a raw file as well."
        ),
        examples=["none"],
    )
    cjk_fonts: tuple[str, ...] = Field(
        default=_CJK_FONTS,
        description=(
            "Fonts for Chinese, Japanese or Korean text in figures, in order of preference: the first one "
            "installed is used."
        ),
    )


class Publication(Section):
    """When and under which licence the results are published; stated in ro-crate-metadata.json."""

    license: Annotated[str, Field(pattern=r"^([A-Za-z0-9.+-]+)?$")] = Field(
        default="",
        description="Licence of the results as an SPDX identifier; none is claimed if empty.",
        examples=["CC-BY-4.0"],
    )
    day: date | None = Field(
        default=None,
        description=(
            "Day on which the results are published. No clock is read: without it ro-crate-metadata.json has "
            "no date, which repositories ask for."
        ),
        examples=[date(2026, 12, 1)],
    )
