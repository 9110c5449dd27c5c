"""Treatments: which drug a row is of. Any name is one; only what may be a glucocorticoid is asked about.

>>> raw = examined.tables["treatments"].raw
>>> text = raw.frame["drug"]
>>> drug, problems = read_drugs(text, text == "", raw, config)
>>> (
...     drug.iloc[0],
...     problems,
...     len(set_aside_unknown_drugs(raw, text, text == "", config).frame) == len(raw.frame),
... )
('dexamethasone', [], True)
>>> unit, problems = dose_units(drug, raw.frame["unit"], raw, frozenset({"prednisone"}))
>>> unit.iloc[0], problems
('mg', [])
"""

from dataclasses import replace

import pandas as pd

from helpers.cohort.reading import RawTable
from helpers.cohort.settings import CohortConfig
from helpers.cohort.texts import by_text, distinct
from helpers.problems import Problem
from helpers.vocabulary.names import fold, normalise_unit
from helpers.vocabulary.vocabulary import Vocabulary

UNKNOWN_DRUG = "drug not in the vocabulary"

# Units in which the doses of glucocorticoids and of the study drug are counted.
DOSE_UNITS = ("mg", "g", "mg/kg", "g/kg", "mg/m2")
# Units in which other drugs are written; nothing is counted in them.
OTHER_UNITS = (
    "ug", "mcg", "ng", "ug/kg", "g/m2", "mg/day", "mg/d", "mg/week", "mg/kg/day", "mg/kg/d", "g/day",
    "g/kg/day", "mL", "mL/kg", "L", "U", "IU", "kU", "MU", "MIU", "U/kg", "IU/kg", "U/m2", "IU/m2", "10^6 U",
    "10^4 U", "mmol", "mEq", "%", "unit", "units", "bag", "bags", "dose", "doses", "tablet", "tablets", "tab",
    "capsule", "capsules", "ampoule", "vial", "vials", "session", "sessions", "plasma volume", "10^6/kg",
    "10^9/kg", "单位", "万单位", "片", "粒", "支", "袋", "次",
)  # fmt: skip


def read_drugs(
    text: pd.Series, missing: pd.Series, raw: RawTable, config: CohortConfig
) -> tuple[pd.Series, list[Problem]]:
    """Return the canonical name of every row's drug, and what is to be said of names that are not known.

    A name that the vocabulary does not have is kept, with a warning. One that looks like a glucocorticoid
    is an
    error: as another drug it would be missing from the dose of glucocorticoids.

    Args:
        text: the column as written, codes already replaced by their meaning.
        missing: where nothing is recorded.
        raw: the table of treatments.
        config: settings with the cohort's vocabulary.
    """
    vocabulary = config.vocabulary
    names = {written: vocabulary.drug_named(written) for written in distinct(text, ~missing)}
    problems = []
    for written, name in names.items():
        if name in vocabulary.drugs:
            continue
        rows = text.index[~missing & (text == written)]
        problems += _unknown(raw, rows, written, vocabulary)
    drugs = by_text(text, names).mask(missing)
    undecided = [written for written in names if vocabulary.needs_decision(written)]
    return drugs.mask(text.isin(undecided)).where(~missing, None), problems


def _unknown(raw: RawTable, rows: pd.Index, written: str, vocabulary: Vocabulary) -> list[Problem]:
    near = vocabulary.drug_suggestion(written)
    hint = f"did you mean {near!r}? " if near else ""
    where = f"[tables.{raw.name}.values.drug] in cohort.toml"
    if vocabulary.needs_decision(written):
        found = f"{written!r}, a drug not in the vocabulary that looks like a glucocorticoid"
        expected = "a known drug, since glucocorticoids count towards the dose of prednisone"
        remedy = (
            f"{hint}say which drug it is under {where}, or add it to drugs.csv with its class, and for a "
            "glucocorticoid the mg equal to prednisone 5 mg"
        )
        return [raw.problem(row, "drug", found, expected, remedy) for row in rows]
    found, expected = f"{written!r}, a drug not in the vocabulary", "any drug"
    remedy = f"{hint}it is kept as written; if it is a known drug say which under {where}"
    return [raw.warning(row, "drug", found, expected, remedy) for row in rows]


def set_aside_unknown_drugs(
    raw: RawTable, text: pd.Series, missing: pd.Series, config: CohortConfig
) -> RawTable:
    """Set aside treatment rows of drugs that are not in the vocabulary, before any other look at them.

    Names that look like a glucocorticoid stay, and are asked about.
    """
    spellings, vocabulary = config.vocabulary.drug_spellings, config.vocabulary
    known = {t: fold(t) in spellings or vocabulary.needs_decision(t) for t in distinct(text)}
    kept = missing | by_text(text, known).astype(bool)
    aside = raw.frame.loc[~kept, ["patient_id"]].assign(reason=UNKNOWN_DRUG)
    return replace(raw, frame=raw.frame[kept], set_aside=aside)


def dose_units(
    drug: pd.Series, written: pd.Series, raw: RawTable, counted: frozenset[str]
) -> tuple[pd.Series, list[Problem]]:
    """Return the unit of every treatment row, and the rows whose dose cannot be counted in it.

    Units of doses that are counted have one spelling; those of other drugs stay as they are written, with a
    warning where they are no unit that anybody knows.

    Args:
        drug, written: canonical drug and unit as written, row by row.
        raw: the table of treatments.
        counted: drugs whose doses are counted.
    """
    spelled = {normalise_unit(unit): unit for unit in DOSE_UNITS}
    texts = distinct(written.dropna())
    known = {u: spelled[normalise_unit(u)] for u in texts if normalise_unit(u) in spelled}
    others = {normalise_unit(unit) for unit in OTHER_UNITS}
    strange = written.notna() & ~written.isin(known)
    unknown = strange & drug.isin(counted)
    expected = f"one of {', '.join(DOSE_UNITS)}"
    problems = [
        raw.problem(row, "unit", f"unknown unit {written[row]!r}", expected, "convert the dose")
        for row in written.index[unknown]
    ]
    strange &= ~unknown & ~written.isin([unit for unit in texts if normalise_unit(unit) in others])
    names = drug.astype(object).where(drug.notna(), None)
    problems += [
        raw.warning(row, "unit", f"unknown unit {written[row]!r} of {names[row]}", "a unit of doses",
                    "it is kept as written, and no dose is counted in it; correct it if it is misspelt")
        for row in written.index[strange]
    ]  # fmt: skip
    unit = by_text(written, {u: known.get(u, u) for u in texts}).mask(unknown)
    return unit.where(unit.notna(), None), problems
