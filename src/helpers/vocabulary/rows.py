"""From one row of a vocabulary file to a variable, drug, event term or reference range.

>>> found = drug({"name": "filapixant", "class": "other", "aliases": "bay-1902607"}, None, True)
>>> found.aliases, found.own
(('bay-1902607',), True)
>>> variable(
...     {
...         "name": "cxcl9",
...         "label": "CXCL9, pg/mL",
...         "table": "measurements",
...         "type": "number",
...         "unit": "pg/mL",
...     },
...     None,
...     True,
... ).unit
'pg/mL'
>>> term({"name": "crs", "label": "cytokine release syndrome"}, None, True).label
'cytokine release syndrome'
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from helpers.problems import suggestion
from helpers.vocabulary.model import (
    DRUG_CLASSES,
    GLUCOCORTICOID,
    MEASUREMENT_COLUMNS,
    TABLE_NAMES,
    Drug,
    ReferenceRange,
    Term,
    Variable,
)
from helpers.vocabulary.names import normalise_unit
from helpers.vocabulary.units import Conversion, read_units

VARIABLE_COLUMNS = (
    "name", "label", "label_zh", "table", "type", "unit", "units", "levels", "plausible_low",
    "plausible_high", "zero", "direction", "decimals", "skewed", "aliases", "cdisc", "source",
)  # fmt: skip
DRUG_COLUMNS = (
    "name", "label", "label_zh", "class", "atc", "aliases", "prednisone_5_mg", "standing", "source",
)  # fmt: skip
TERM_COLUMNS = ("name", "label", "label_zh", "category", "aliases", "source")
RANGE_COLUMNS = ("variable", "sex", "age_from", "age_to", "low", "high", "unit", "source")

TYPES = ("id", "number", "yes_no", "category", "text", "day", "date")
# What a cohort may add; ids and dates have a meaning of their own that code must know.
OWN_TYPES = ("number", "yes_no", "category", "text", "day")
OWN_TABLES = ("patients", "measurements")
DIRECTIONS = ("high", "low", "both")
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_YES_NO = {
    "yes": "yes y true 1 positive present + 是 有 阳性",
    "no": "no n false 0 negative absent - 否 无 阴性",
}
# Accepted spelling of yes and no, case folded -> level.
YES_NO: Mapping[str, str] = {
    spelling: level for level, texts in _YES_NO.items() for spelling in texts.split()
}
_CORRECT = "correct it"

# Column, found, expected, remedy of one fault of a row.
Fault = tuple[str, str, str, str]


class RowError(Exception):
    """All that is wrong with one row."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{column}: {found}" for column, found, _, _ in faults))


@dataclass
class _Row:
    """The cells of one row, and the faults found in them."""

    cells: Mapping[str, str]
    faults: list[Fault] = field(default_factory=list)

    def text(self, column: str, known: str = "") -> str:
        return self.cells.get(column, "") or known

    def texts(self, column: str, known: Iterable[str] = ()) -> tuple[str, ...]:
        given = (part.strip() for part in self.text(column).split("|"))
        return tuple(dict.fromkeys([*known, *filter(None, given)]))

    def fault(self, column: str, expected: str, remedy: str = _CORRECT) -> None:
        found = self.text(column)
        self.faults.append((column, repr(found) if found else "nothing", expected, remedy))

    def choice(self, column: str, choices: tuple[str, ...], known: str = "", *, required: bool = True) -> str:
        value = self.text(column, known)
        if value not in choices and (required or value):
            self.fault(column, f"one of {', '.join(choices)}", suggestion(value, choices) or "choose one")
            return known
        return value

    def number(self, column: str, known: float | None = None) -> float | None:
        text = self.text(column)
        if not text:
            return known
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            self.fault(column, "a number", "write a number with a decimal point, or leave the field empty")
            return known
        return value

    def yes(self, column: str, known: bool = False) -> bool:
        return self.choice(column, ("yes", "no"), "yes" if known else "no") == "yes"

    def name(self) -> str:
        value = self.text("name")
        if not _NAME.match(value):
            self.fault("name", "a name of small letters a to z, digits and _", "write it like d_dimer")
        return value

    def finish(self) -> None:
        if self.faults:
            raise RowError(self.faults)


def variable(cells: Mapping[str, str], known: Variable | None, own: bool) -> Variable:
    """Build a variable from a row, or add the row to the variable known by that name.

    Raises RowError with everything that is wrong with the row.
    """
    row = _Row(cells)
    name = row.name()
    kind = row.choice("type", OWN_TYPES if own and not known else TYPES, known.type if known else "")
    tables = _tables(row, known, own)
    unit = _kept_unit(row, known, kind, tables)
    decimals = row.number("decimals", known.decimals if known else None)
    found = Variable(
        name=name,
        label=row.text("label", known.label if known else _label(name)),
        label_zh=row.text("label_zh", known.label_zh if known else ""),
        tables=tables,
        type=kind,
        unit=unit,
        units=_units(row, known, unit),
        levels=_levels(row, known, kind),
        plausible_low=row.number("plausible_low", known.plausible_low if known else None),
        plausible_high=row.number("plausible_high", known.plausible_high if known else None),
        zero=row.yes("zero", known.zero if known else False),
        direction=row.choice("direction", DIRECTIONS, known.direction if known else "", required=False),
        decimals=None if decimals is None else int(decimals),
        skewed=row.yes("skewed", known.skewed if known else False),
        aliases=row.texts("aliases", known.aliases if known else ()),
        cdisc=row.texts("cdisc", known.cdisc if known else ()),
        source=row.text("source", known.source if known else ""),
        own=own,
    )
    low, high = found.plausible_low, found.plausible_high
    if low is not None and high is not None and low >= high:
        row.fault("plausible_high", f"a number above plausible_low ({low:g})")
    row.finish()
    return found


def _label(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def _tables(row: _Row, known: Variable | None, own: bool) -> tuple[str, ...]:
    allowed = OWN_TABLES if own else TABLE_NAMES
    given = row.texts("table")
    if known and given and set(given) != set(known.tables):
        row.fault("table", "|".join(known.tables), "leave it empty: the variable is known")
    if not given and known:
        return known.tables
    if not given or not set(given) <= set(allowed):
        row.fault("table", f"some of {', '.join(allowed)}, parted by |", "write where the variable stands")
    return given


def _kept_unit(row: _Row, known: Variable | None, kind: str, tables: tuple[str, ...]) -> str:
    given = row.text("unit")
    if known:
        if given and normalise_unit(given) != normalise_unit(known.unit):
            row.fault("unit", known.unit or "nothing", "add the unit under units with its factor instead")
        return known.unit
    measured = "measurements" in tables
    if kind == "yes_no" and measured:
        return given or "1"
    if kind == "number" and measured and not given and row.text("name") not in MEASUREMENT_COLUMNS:
        row.fault("unit", "the unit values are kept in", 'write the unit, or "1" for a number without one')
    return given


def _units(row: _Row, known: Variable | None, unit: str) -> dict[str, Conversion]:
    try:
        given = read_units(row.text("units"), unit)
    except ValueError as error:
        row.faults.append(("units", str(error), "units as unit:factor, parted by |", _CORRECT))
        return {}
    units = dict(known.units) if known else {}
    for spelling, conversion in given.items():
        had = units.setdefault(spelling, conversion)
        if (had.factor, had.offset) != (conversion.factor, conversion.offset):
            found = f"the factor {conversion.factor:g} for {conversion.unit}"
            expected = f"{had.factor:g}, the one factor of this unit in the project"
            row.faults.append(("units", found, expected, "remove it, or give the unit another name"))
    return units


def _levels(row: _Row, known: Variable | None, kind: str) -> dict[str, str]:
    """Read levels `CR` and further spellings `complete remission:CR`; keys are case folded."""
    levels = dict(known.levels) if known else {}
    if kind == "yes_no" and not known:
        levels = dict(YES_NO)
    for part in row.texts("levels"):
        spelling, _, level = part.partition(":")
        levels[spelling.strip().casefold()] = level.strip() or spelling.strip()
    if kind == "category" and not levels:
        row.fault("levels", "the levels of the category, parted by |", "write them in order")
    if kind == "yes_no" and not set(levels.values()) <= {"yes", "no"}:
        row.fault("levels", "spellings of yes and no, such as dead:yes")
    return levels


def drug(cells: Mapping[str, str], known: Drug | None, own: bool) -> Drug:
    """Build a drug from a row, or add the row to the drug known by that name; RowError names its faults."""
    row = _Row(cells)
    name = row.name()
    kind = row.choice("class", tuple(DRUG_CLASSES), known.drug_class if known else "")
    equal = row.number("prednisone_5_mg", known.prednisone_5_mg if known else None)
    if kind == GLUCOCORTICOID and equal is None:
        row.fault("prednisone_5_mg", "the mg of this glucocorticoid equal to prednisone 5 mg", "write them")
    elif equal is not None and not (kind == GLUCOCORTICOID and equal > 0):
        row.fault("prednisone_5_mg", f"mg above 0, for the class {GLUCOCORTICOID} only")
    found = Drug(
        name=name,
        label=row.text("label", known.label if known else _label(name)),
        label_zh=row.text("label_zh", known.label_zh if known else ""),
        drug_class=kind,
        atc=row.text("atc", known.atc if known else ""),
        aliases=row.texts("aliases", known.aliases if known else ()),
        prednisone_5_mg=equal,
        standing=row.text("standing", known.standing if known else "set by the cohort" if own else ""),
        source=row.text("source", known.source if known else ""),
        own=own,
    )
    row.finish()
    return found


def term(cells: Mapping[str, str], known: Term | None, own: bool) -> Term:
    """Build an event term from a row, or add the row to the term known by that name."""
    row = _Row(cells)
    name = row.name()
    found = Term(
        name=name,
        label=row.text("label", known.label if known else name.replace("_", " ")),
        label_zh=row.text("label_zh", known.label_zh if known else ""),
        category=row.text("category", known.category if known else "other"),
        aliases=row.texts("aliases", known.aliases if known else ()),
        source=row.text("source", known.source if known else ""),
        own=own,
    )
    row.finish()
    return found


def reference_range(
    cells: Mapping[str, str], variables: Mapping[str, Variable]
) -> tuple[str, ReferenceRange]:
    """Build the limits of normal of one row, converted to the unit the variable is kept in.

    >>> from helpers.vocabulary.reading import shipped_vocabulary
    >>> cells = {"variable": "hemoglobin", "sex": "female", "low": "11.5", "unit": "g/dL"}
    >>> reference_range(cells, shipped_vocabulary().variables)[1].low
    115.0
    """
    row = _Row(cells)
    name = row.text("variable")
    known = variables.get(name)
    if known is None or known.type != "number":
        row.fault("variable", "a variable with numbers", suggestion(name, variables) or "correct the name")
    low, high = row.number("low"), row.number("high")
    if low is None and high is None:
        row.fault("low", "a lower or an upper limit of normal", "fill in one of low and high")
    if low is not None and high is not None and low >= high:
        row.fault("high", f"a limit above low ({low:g})")
    unit = row.text("unit", known.unit if known else "")
    conversion = known.conversion(unit) if known else None
    if known and unit and conversion is None:
        row.fault("unit", f"one of {known.accepted_units()}", "convert the limits, or correct the unit")
    start, end = row.number("age_from") or 0.0, row.number("age_to")
    if end is not None and end <= start:
        row.fault("age_to", f"an age above age_from ({start:g})")
    sex = row.choice("sex", ("female", "male"), required=False)
    row.finish()
    low, high = (
        float(conversion.to_standard(np.array(limit))) if conversion and limit is not None else limit
        for limit in (low, high)
    )
    span = np.inf if end is None else end
    return name, ReferenceRange(low, high, sex, start, span, row.text("source"))
