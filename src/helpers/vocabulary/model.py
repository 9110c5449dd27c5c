"""What the vocabulary is made of: variables, drugs, event terms and limits of normal.

>>> from helpers.vocabulary.reading import shipped_vocabulary
>>> hemoglobin = shipped_vocabulary().get("hemoglobin")
>>> hemoglobin.convert(np.array([11.5]), "g/dL").tolist(), hemoglobin.conversion("furlong") is None
([115.0], True)
>>> hemoglobin.plausible(np.array([115.0, 1150.0])).tolist(), hemoglobin.plausible_range()
([True, False], '20 to 250 g/L')
>>> hemoglobin.accepted_units()
'g/L, g/dL, mg/mL, mmol/L'
>>> prior_therapies(shipped_vocabulary().drugs.values(), {"yes": "yes"})["prior_etoposide"].label
'Prior etoposide'
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from helpers.vocabulary.names import normalise_unit
from helpers.vocabulary.units import Conversion, Floats

TableName = Literal["patients", "measurements", "treatments", "responses", "events"]
TABLE_NAMES: tuple[TableName, ...] = get_args(TableName)

GLUCOCORTICOID = "glucocorticoid"
# What a drug is, with its label in both languages; the order is that of tables.
DRUG_CLASSES: Mapping[str, tuple[str, str]] = {
    GLUCOCORTICOID: ("Glucocorticoid", "糖皮质激素"),
    "local_glucocorticoid": ("Local glucocorticoid", "局部糖皮质激素"),
    "mineralocorticoid": ("Mineralocorticoid", "盐皮质激素"),
    "jak_inhibitor": ("JAK inhibitor", "JAK抑制剂"),
    "biologic": ("Biologic", "生物制剂"),
    "immunosuppressant": ("Immunosuppressant", "免疫抑制剂"),
    "chemotherapy": ("Chemotherapy", "化疗"),
    "immunoglobulin": ("Immunoglobulin", "免疫球蛋白"),
    "plasma_exchange": ("Plasma exchange", "血浆置换"),
    "antiviral": ("Antiviral", "抗病毒药物"),
    "prophylaxis": ("Anti-infective prophylaxis", "抗感染预防"),
    "blood_product": ("Blood product", "血液制品"),
    "other": ("Other drug", "其他药物"),
}
# Glucocorticoids given into a vein: the one group of drugs that is told apart by route.
IV_GLUCOCORTICOID = "iv_glucocorticoid"
_IV_LABELS = ("Intravenous glucocorticoid", "静脉糖皮质激素")

# Columns of the long table of measurements; every other variable of that table is a value in `variable`.
MEASUREMENT_COLUMNS = (
    "patient_id", "day", "date", "variable", "value", "unit", "reference_low", "reference_high",
)  # fmt: skip


@dataclass(frozen=True)
class Variable:
    """One variable: a column of a raw table, or a name in the column `variable` of the measurements.

    Attributes:
        name: canonical name.
        label, label_zh: what readers see, with the unit.
        tables: raw tables it stands in.
        type: id, number, yes_no, category, text, day or date.
        unit: unit values are kept in; "1" for a pure number or a yes/no sign that is measured.
        units: conversion from each accepted spelling of a unit (see `normalise_unit`).
        levels: level stored for each accepted spelling of a category (case folded).
        plausible_low, plausible_high: smallest and largest plausible value, in `unit`.
        zero: whether 0 may be reported although it lies below `plausible_low`.
        direction: to which side the disease pushes the value: high, low, both or nothing.
        decimals: decimals shown.
        skewed: whether it is compared on the log scale.
        aliases: further spellings in both languages.
        cdisc: names in SDTM or ADaM data sets, read as aliases.
        source: where unit factors come from, or a remark.
        own: whether a cohort's own file brought it.
    """

    name: str
    label: str
    label_zh: str
    tables: tuple[str, ...]
    type: str
    unit: str
    units: Mapping[str, Conversion]
    levels: Mapping[str, str]
    plausible_low: float | None
    plausible_high: float | None
    zero: bool
    direction: str
    decimals: int | None
    skewed: bool
    aliases: tuple[str, ...]
    cdisc: tuple[str, ...]
    source: str
    own: bool = False

    @property
    def unit_names(self) -> tuple[str, ...]:
        """Accepted units as the vocabulary spells them, the unit kept first."""
        return tuple(dict.fromkeys(conversion.unit for conversion in self.units.values()))

    def conversion(self, unit: str) -> Conversion | None:
        """Return the conversion from `unit` to the unit kept, or None if it is not accepted."""
        return self.units.get(normalise_unit(unit))

    def convert(self, values: Floats, unit: str) -> Floats:
        """Convert an array of values in `unit` to the unit kept; ValueError if it is not accepted."""
        conversion = self.conversion(unit)
        if conversion is None:
            raise ValueError(f"{self.name}: unit {unit!r} is not accepted; accepted: {self.accepted_units()}")
        return conversion.to_standard(np.asarray(values, dtype=np.float64))

    def accepted_units(self) -> str:
        """Return the accepted units as a list in words."""
        return ", ".join(self.unit_names)

    @property
    def smallest(self) -> float:
        """What no value lies below, in the unit kept: 0 unless negative values are plausible."""
        return 0.0 if self.plausible_low is not None and self.plausible_low >= 0 else -np.inf

    def plausible(self, values: Floats) -> NDArray[np.bool_]:
        """Return whether each value (in the unit kept) is inside the plausible range, bounds included."""
        low = -np.inf if self.plausible_low is None else self.plausible_low
        high = np.inf if self.plausible_high is None else self.plausible_high
        return np.asarray(((values >= low) & (values <= high)) | (self.zero & (values == 0)))

    def plausible_range(self) -> str:
        """Return the plausible range in words, with its unit."""
        unit = f" {self.unit}" if self.unit not in ("", "1") else ""
        low = "" if self.plausible_low is None else f"{self.plausible_low:g}"
        high = "" if self.plausible_high is None else f"{self.plausible_high:g}"
        start = "0, or " if self.zero else ""
        if low and high:
            return f"{start}{low} to {high}{unit}"
        return f"{start}at least {low}{unit}" if low else f"at most {high}{unit}"


@dataclass(frozen=True)
class Drug:
    """One drug, blood product or procedure that is given.

    Attributes:
        name: canonical name.
        label, label_zh: what readers see.
        drug_class: one of `DRUG_CLASSES`.
        atc: ATC code, where there is one.
        aliases: further spellings in both languages.
        prednisone_5_mg: mg equal to prednisone 5 mg; None but for systemic glucocorticoids.
        standing: how well that figure is known.
        source: where it comes from, or a remark.
        own: whether a cohort's own file brought it.
    """

    name: str
    label: str
    label_zh: str
    drug_class: str
    atc: str
    aliases: tuple[str, ...]
    prednisone_5_mg: float | None
    standing: str
    source: str
    own: bool = False


def prior_therapies(drugs: Iterable[Drug], yes_no: Mapping[str, str]) -> dict[str, Variable]:
    """Return the columns of the patients that say whether a drug or class was given before day 0.

    Args:
        drugs: all known drugs.
        yes_no: spellings of yes and no.
    """
    named = {drug.name: (drug.label, drug.label_zh) for drug in drugs}
    named = {**DRUG_CLASSES, IV_GLUCOCORTICOID: _IV_LABELS, **named}
    return {f"prior_{name}": _prior(name, *labels, yes_no) for name, labels in named.items()}


def _prior(name: str, label: str, label_zh: str, yes_no: Mapping[str, str]) -> Variable:
    inside = label if label[1:2].isupper() else label[:1].lower() + label[1:]
    return Variable(
        name=f"prior_{name}",
        label=f"Prior {inside}",
        label_zh=f"既往{label_zh}" if label_zh else "",
        tables=("patients",),
        type="yes_no",
        unit="",
        units={},
        levels=yes_no,
        plausible_low=None,
        plausible_high=None,
        zero=False,
        direction="",
        decimals=None,
        skewed=False,
        aliases=tuple(dict.fromkeys((f"previous {name}", f"prior {inside}", f"previous {inside}"))),
        cdisc=(),
        source="given before day 0; derived from the treatments where the patients have no such column",
    )


@dataclass(frozen=True)
class Term:
    """One adverse event term; `label` is the text that stands in the events, `aliases` mean the very same.

    Attributes:
        name: canonical name.
        label, label_zh: what readers see.
        category: kind of event: infection, blood, laboratory and so on.
        aliases: further spellings in both languages.
        source: where the wording comes from.
        own: whether a cohort's own file brought it.
    """

    name: str
    label: str
    label_zh: str
    category: str
    aliases: tuple[str, ...]
    source: str
    own: bool = False


@dataclass(frozen=True)
class ReferenceRange:
    """Limits of normal of one variable for one sex and span of ages, in the unit the variable is kept in.

    Attributes:
        low, high: limits; None where there is none.
        sex: female, male, or empty for both.
        age_from, age_to: ages in years, the first included, the second not.
        source: where the limits come from.
    """

    low: float | None = None
    high: float | None = None
    sex: str = ""
    age_from: float = 0.0
    age_to: float = np.inf
    source: str = ""


def limits(
    ranges: Iterable[ReferenceRange], side: Literal["low", "high"], sex: Iterable[object], age: Floats
) -> Floats:
    """Return the limit of normal of each row.

    Args:
        ranges: the ranges of one variable.
        side: "low" or "high".
        sex: female or male in each row; anything else is an unknown sex.
        age: years in each row; NaN if unknown.

    Returns:
        One limit a row. Where sex or age is unknown and the ranges differ, the widest limit stands: what lies
        beyond it is abnormal in everybody. NaN where no range applies.

    Example:
        >>> rows = [ReferenceRange(115, 150, "female"), ReferenceRange(130, 175, "male")]
        >>> limits(rows, "low", ["male", "female", None], np.array([40.0, 40.0, 40.0])).tolist()
        [130.0, 115.0, 115.0]
    """
    sexes = np.array([s if s in ("female", "male") else "" for s in sex], dtype=object)
    widest = np.fmin if side == "low" else np.fmax
    found = np.full(len(sexes), np.nan)
    # A range of the patient's own sex stands before one for both.
    for rows in ([r for r in ranges if r.sex], [r for r in ranges if not r.sex]):
        part = np.full(len(sexes), np.nan)
        for row in rows:
            fits = (sexes == row.sex) | (sexes == "") | (row.sex == "")
            fits &= np.isnan(age) | ((age >= row.age_from) & (age < row.age_to))
            limit = row.low if side == "low" else row.high
            if limit is not None:
                part[fits] = widest(part[fits], limit)
        found = np.where(np.isnan(found), part, found)
    return found
