"""Measurements: from raw name, text and unit to a canonical variable and a value with qualifier.

Each step looks at the rows as they are so far and answers with a `_Step`: columns to set, rows that cannot
be used and why, and faults. Steps change nothing themselves.

>>> found = measure(examined.tables["measurements"], config)
>>> bool((found.reason == "").all()), found.problems
(True, [])
>>> plausible_unit(config.vocabulary.get("hemoglobin"), 11.5)[:60]
'correct the value, or the unit if it was measured in g/dL (w'
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.cohort.parsing import (
    TypedTable,
    codes_for,
    empty_mask,
    folded,
    spelled_as,
)
from helpers.cohort.settings import CohortConfig
from helpers.cohort.texts import as_coded, by_text, coded, distinct
from helpers.cohort.written import number_remedy, parse_result
from helpers.problems import Problem, suggestion
from helpers.vocabulary.model import Variable
from helpers.vocabulary.names import fold

NOT_IN_VOCABULARY = "variable not in the vocabulary"
MISSING_CODE = "missing code"
NO_VALUE = "no value recorded"
IMPLAUSIBLE = "outside plausible range"

_RANGE = ("reference_low", "reference_high")
_REASONS = ["", NOT_IN_VOCABULARY, MISSING_CODE, NO_VALUE, IMPLAUSIBLE]
_QUALIFIERS = ["", "<", ">"]


@dataclass(frozen=True)
class Measured:
    """Measurements with canonical columns, indexed by source_row.

    `frame` has text, the value as it was written; variable, value, qualifier and unit in the unit kept;
    recorded_value and recorded_unit as the
    laboratory gave them, since printed limits are compared in the unit that was measured; reference_low and
    reference_high, the laboratory's own range of the row in the unit kept, if the file has them. `reason`
    says why a row cannot be used ("" if it can).
    """

    frame: pd.DataFrame
    reason: pd.Series
    problems: list[Problem]

    def places(self, mask: "pd.Series[bool]") -> Iterator[tuple[str, NDArray[np.intp]]]:
        """Yield each variable by name with the places of its usable rows among those of a mask."""
        yield from _places(self.frame["variable"], mask & (self.reason == ""))


def _places(variable: pd.Series, mask: "pd.Series[bool]") -> Iterator[tuple[str, NDArray[np.intp]]]:
    names, chosen = as_coded(variable).cat, mask.to_numpy(dtype=bool)
    codes = names.codes.to_numpy()
    for number, name in enumerate(names.categories):
        rows = np.flatnonzero(chosen & (codes == number))
        if len(rows):
            yield str(name), rows


@dataclass(frozen=True)
class _Rows:
    """Rows so far, why some cannot be used, and what they are read by."""

    table: TypedTable
    frame: pd.DataFrame
    reason: pd.Series
    config: CohortConfig

    @property
    def usable(self) -> "pd.Series[bool]":
        return self.reason == ""

    def variable(self, row: int) -> Variable:
        return self.config.vocabulary[str(self.frame["variable"][row])]


@dataclass(frozen=True)
class _Step:
    """What a step found: columns to set, a reason for rows that cannot be used, and faults."""

    columns: Mapping[str, pd.Series]
    reason: pd.Series | None = None
    problems: list[Problem] = field(default_factory=list)


def measure(table: TypedTable, config: CohortConfig) -> Measured:
    """Read variable, value and unit of every row of the typed table of measurements.

    Rows that cannot be used get their reason; what is wrong with a row is a Problem with its line.
    """
    columns = dict(table.frame.items())
    nothing = pd.Series("", index=table.frame.index)
    columns |= {name: as_coded(columns.get(name, nothing)) for name in ("variable", "value", "unit")}
    columns |= {name: columns[name].astype("float64") for name in _RANGE if name in columns}
    frame = pd.DataFrame({**columns, "text": columns["value"]}, index=table.frame.index, copy=False)
    reason = _because(pd.Series(False, index=frame.index), "")
    problems: list[Problem] = []
    steps: tuple[Callable[[_Rows], _Step], ...] = (
        _variables, _missing, _values, _units, _reporting_limits, _plausibility, _ranges,
    )  # fmt: skip
    for step in steps:
        found = step(_Rows(table, frame, reason, config))
        frame = pd.DataFrame({**frame, **found.columns}, copy=False)
        if found.reason is not None:
            reason = reason.mask(reason == "", found.reason)
        problems += found.problems
    return Measured(frame, reason, problems)


def _because(mask: "pd.Series[bool]", why: str) -> pd.Series:
    codes = np.where(mask, _REASONS.index(why), 0).astype(np.int8)
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(_REASONS)), index=mask.index)


def _variables(rows: _Rows) -> _Step:
    """Canonical names; rows of variables that the vocabulary does not have are not used."""
    vocabulary, config, raw = rows.config.vocabulary, rows.config, rows.frame["variable"]
    own = {fold(name): canonical for name, canonical in config.variables.items() if canonical in vocabulary}
    spelled = vocabulary.spellings(vocabulary.measured) | own
    names = by_text(raw, lambda text: spelled.get(fold(text)))
    unknown = names.isna()
    problems = []
    if config.unmapped_variables == "error":
        where = (
            "map it under [variables] in cohort.toml, describe it in variables.csv, or set "
            'unmapped_variables = "exclude"'
        )
        for row in raw.index[unknown]:
            near = suggestion(raw[row], vocabulary.measured)
            remedy = f"{near} else {where}" if near else where
            expected = "a variable of the vocabulary"
            problems.append(rows.table.raw.problem(row, "variable", repr(raw[row]), expected, remedy))
    return _Step({"variable": names}, _because(unknown, NOT_IN_VOCABULARY), problems)


def _missing(rows: _Rows) -> _Step:
    """Codes for "not done", told from empty fields; both carry no value."""
    text, variable = rows.frame["text"], rows.frame["variable"]
    reason = _because(empty_mask(text), NO_VALUE)
    for name in distinct(variable.dropna()) if rows.config.missing_codes else ():
        codes = codes_for(rows.config.vocabulary[name], rows.config)
        if codes:
            own = text[(variable == name) & (reason == "")]
            coded = own.index[empty_mask(own, codes)]
            reason[coded] = MISSING_CODE
    return _Step({}, reason)


def _values(rows: _Rows) -> _Step:
    """Numbers and qualifiers; a text that is no result is a fault."""
    vocabulary, usable, frame = rows.config.vocabulary, rows.usable, rows.frame
    text = frame["text"]
    results = {t: r for t in distinct(text, usable) if (r := parse_result(t))}
    value = pd.Series(by_text(text, {t: r[0] for t, r in results.items()}), dtype=np.float64)
    value = value if usable.all() else value.where(usable)
    signs_of = by_text(text, {t: r[1] for t, r in results.items()})
    qualifier = signs_of.cat.set_categories(_QUALIFIERS).where(usable).fillna("")
    for name in distinct(frame["variable"], usable):
        if vocabulary[name].type == "yes_no":
            own = usable & (frame["variable"] == name)
            signs = folded(vocabulary[name].levels)
            answers = {t: spelled_as(t, signs) for t in distinct(text, own)}
            numbers = {t: {"yes": 1.0, "no": 0.0}.get(answer or "", np.nan) for t, answer in answers.items()}
            value[own] = by_text(text[own], numbers).astype("float64")
    unread = usable & value.isna()
    problems = []
    for row in frame.index[unread]:
        sign = rows.variable(row).type == "yes_no"
        expected = (
            "yes or no (1 or 0)" if sign else "a number, with < or > before it if beyond the assay's limit"
        )
        remedy = "correct it" if sign else number_remedy(text[row])
        problems.append(rows.table.raw.problem(row, "value", repr(text[row]), expected, remedy))
    return _Step({"value": value, "qualifier": qualifier}, _because(unread, NO_VALUE), problems)


def _units(rows: _Rows) -> _Step:
    """Values in the unit kept, and as recorded; an unknown or missing unit is a fault."""
    vocabulary, frame, usable = rows.config.vocabulary, rows.frame, rows.usable
    unit = _units_meant(rows)
    converted, recorded = _converted(rows, frame["value"], unit)
    unknown = usable & recorded.isna()
    problems = []
    for row in frame.index[unknown]:
        variable = rows.variable(row)
        if unit[row]:
            found = f"unit {unit[row]!r} for {variable.name}"
            remedy = "correct the unit, convert the value, or declare the unit's factor in variables.csv"
        else:
            found = f"no unit for {variable.name}"
            remedy = f"fill in the unit, or give it under [units] in cohort.toml as {variable.name} = '...'"
        column = "unit" if "unit" in rows.table.frame else "value"
        expected = f"one of {variable.accepted_units()}"
        problems.append(rows.table.raw.problem(row, column, found, expected, remedy))
    columns = {
        "recorded_value": frame["value"],
        "recorded_unit": recorded,
        "value": converted,
        "unit": by_text(frame["variable"], {name: vocabulary[name].unit for name in vocabulary.measured}),
        "written_unit": unit,
    }
    return _Step(columns, _because(unknown, NO_VALUE), problems)


def _units_meant(rows: _Rows) -> pd.Series:
    """The unit of each row as it is written, else the default of its variable; empty where it has none."""
    written, variable = rows.frame["unit"].cat, rows.frame["variable"].cat
    default = _default_units(rows.config)
    empty = empty_mask(pd.Series(written.categories, dtype=object))
    units = ["" if none else text for text, none in zip(written.categories, empty, strict=True)]
    units += [default.get(name, "") for name in variable.categories]
    nothing = len(units)
    codes = written.codes.to_numpy(dtype=np.int32, copy=True)
    bare = np.array([*empty, False], dtype=bool)[codes]
    own = variable.codes.to_numpy()[bare]
    codes[bare] = np.where(own < 0, nothing, own + len(written.categories))
    codes[~rows.usable.to_numpy() | (codes < 0)] = nothing
    return pd.Series(coded(codes, [*units, ""]), index=rows.frame.index)


def _converted(rows: _Rows, value: pd.Series, unit: pd.Series) -> tuple[pd.Series, pd.Series]:
    """A column in the units kept, and the vocabulary's spelling of the units that it was in."""
    converted, spelled = rows.config.vocabulary.convert_coded(rows.frame["variable"], value, unit)
    index = rows.frame.index
    return pd.Series(converted, index=index), pd.Series(spelled, index=index)


def _default_units(config: CohortConfig) -> dict[str, str]:
    """Unit of each variable where a row has none: cohort.toml's; pure numbers and signs need none."""
    vocabulary = config.vocabulary
    pure = {name: "1" for name in vocabulary.measured if vocabulary[name].unit == "1"}
    return {**pure, **config.units}


def _reporting_limits(rows: _Rows) -> _Step:
    """The sign of values at or beyond a reporting limit of the assay."""
    frame, qualifier = rows.frame, rows.frame["qualifier"]
    for name, limits in rows.config.reporting_limits.items():
        plain = (frame["variable"] == name) & (frame["qualifier"] == "")
        if limits.upper is not None:
            qualifier = qualifier.mask(plain & (frame["value"] >= limits.upper), ">")
        if limits.lower is not None:
            qualifier = qualifier.mask(plain & (frame["value"] <= limits.lower), "<")
    return _Step({"qualifier": qualifier})


def _plausibility(rows: _Rows) -> _Step:
    """Values outside the plausible range of the vocabulary, in the unit kept; they are not used."""
    frame = rows.frame
    value = frame["value"].to_numpy(dtype=float)
    outside = pd.Series(False, index=frame.index)
    for name, own in _places(frame["variable"], rows.usable):
        outside.array[own] = ~rows.config.vocabulary[name].plausible(value[own])
    exclude = rows.config.implausible.action == "exclude"
    report = rows.table.raw.warning if exclude else rows.table.raw.problem
    problems = []
    for row in frame.index[outside]:
        variable, text, unit = rows.variable(row), frame["text"][row], frame["written_unit"][row]
        found = f"{variable.name} {text} {unit}".rstrip()
        if variable.unit != unit:
            found += f" (= {frame['value'][row]:g} {variable.unit})"
        remedy = plausible_unit(variable, frame["recorded_value"][row])
        remedy = f"{remedy}; excluded" if exclude else remedy
        problems.append(report(row, "value", found, variable.plausible_range(), remedy))
    return _Step({}, _because(outside, IMPLAUSIBLE), problems)


def plausible_unit(variable: Variable, number: float) -> str:
    """Return a remedy: the accepted units in which the number written would be a plausible value."""
    fitting: dict[float, str] = {}
    for unit in variable.unit_names:
        value = variable.convert(np.array([number]), unit)
        if variable.plausible(value)[0]:
            # Several spellings of one unit give one value: the first stands for them.
            fitting.setdefault(float(value[0]), unit)
    if fitting:
        units = [f"{unit} (would be {value:g} {variable.unit})" for value, unit in fitting.items()]
        return f"correct the value, or the unit if it was measured in {' or '.join(units)}"
    return "correct the value; no accepted unit makes it plausible"


def _ranges(rows: _Rows) -> _Step:
    """The laboratory's own range of each row, in the unit kept."""
    frame = rows.frame
    kept = {
        side: _converted(rows, frame[side], frame["recorded_unit"])[0] for side in _RANGE if side in frame
    }
    if len(kept) < len(_RANGE):
        return _Step(kept)
    low, high = (kept[side] for side in _RANGE)
    problems = [
        rows.table.raw.problem(
            row,
            "reference_high",
            f"a range from {frame['reference_low'][row]:g} to {frame['reference_high'][row]:g}",
            "an upper limit of normal above the lower one",
            "correct the two limits, or leave them empty",
        )
        for row in frame.index[rows.usable & (low >= high)]
    ]
    return _Step(kept, None, problems)
