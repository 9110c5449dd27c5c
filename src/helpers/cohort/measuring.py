"""Measurements: from raw name, text and unit to a canonical variable and a value with qualifier.

Each step looks at the rows as they are so far and answers with a `_Step`: columns to set, rows that cannot
be used and why, and faults. Steps change nothing themselves.

>>> found = measure(examined.tables["measurements"], config)
>>> bool((found.reason == "").all()), found.problems
(True, [])
>>> plausible_unit(config.vocabulary.get("hemoglobin"), 11.5)[:60]
'correct the value, or the unit if it was measured in g/dL (w'
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.cohort.parsing import (
    TypedTable,
    codes_for,
    empty_mask,
    folded,
    number_remedy,
    parse_result,
    spelled_as,
)
from helpers.cohort.settings import CohortConfig
from helpers.problems import Problem, suggestion
from helpers.vocabulary.model import Variable
from helpers.vocabulary.names import fold

NOT_IN_VOCABULARY = "variable not in the vocabulary"
MISSING_CODE = "missing code"
NO_VALUE = "no value recorded"
IMPLAUSIBLE = "outside plausible range"

_RANGE = ("reference_low", "reference_high")


@dataclass(frozen=True)
class Measured:
    """Measurements with canonical columns, indexed by source_row.

    `frame` has text, the value as it was written; variable, value, qualifier and unit in the unit kept;
    recorded_value and recorded_unit as the
    laboratory gave them, since printed limits are compared in the unit that was measured; reference_low and
    reference_high, the laboratory's own range of the row in the unit kept. `reason` says why a row cannot
    be used ("" if it can).
    """

    frame: pd.DataFrame
    reason: pd.Series
    problems: list[Problem]


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
    frame = table.frame.copy()
    for column in ("variable", "value", "unit"):
        if column not in frame:
            frame[column] = ""
    for column in _RANGE:
        frame[column] = frame[column].astype("float64") if column in frame else np.nan
    frame["text"] = frame["value"]
    reason = pd.Series("", index=frame.index, dtype=object)
    problems: list[Problem] = []
    steps: tuple[Callable[[_Rows], _Step], ...] = (
        _variables, _missing, _values, _units, _reporting_limits, _plausibility, _ranges,
    )  # fmt: skip
    for step in steps:
        found = step(_Rows(table, frame, reason, config))
        frame = frame.assign(**found.columns)
        if found.reason is not None:
            reason = reason.mask(reason == "", found.reason)
        problems += found.problems
    return Measured(frame, reason, problems)


def _because(mask: "pd.Series[bool]", why: str) -> pd.Series:
    return pd.Series(np.where(mask, why, ""), index=mask.index, dtype=object)


def _variables(rows: _Rows) -> _Step:
    """Canonical names; rows of variables that the vocabulary does not have are not used."""
    vocabulary, config, raw = rows.config.vocabulary, rows.config, rows.frame["variable"]
    own = {fold(name): canonical for name, canonical in config.variables.items() if canonical in vocabulary}
    spelled = vocabulary.spellings(vocabulary.measured) | own
    names = raw.map({text: spelled.get(fold(text)) for text in pd.unique(raw)})
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
    return _Step({"variable": names.where(~unknown, None)}, _because(unknown, NOT_IN_VOCABULARY), problems)


def _missing(rows: _Rows) -> _Step:
    """Codes for "not done", told from empty fields; both carry no value."""
    text, variable = rows.frame["text"], rows.frame["variable"]
    reason = _because(empty_mask(text), NO_VALUE)
    for name in variable.dropna().unique() if rows.config.missing_codes else ():
        codes = codes_for(rows.config.vocabulary[name], rows.config)
        if codes:
            own = text[(variable == name) & (reason == "")]
            coded = own.index[empty_mask(own, codes)]
            reason[coded] = MISSING_CODE
    return _Step({}, reason)


def _values(rows: _Rows) -> _Step:
    """Numbers and qualifiers; a text that is no result is a fault."""
    vocabulary, usable, frame = rows.config.vocabulary, rows.usable, rows.frame
    text = frame["text"].where(usable, "")
    results = {t: parse_result(t) for t in pd.unique(text)}
    value = text.map({t: r[0] if r else np.nan for t, r in results.items()}).astype("float64")
    qualifier = text.map({t: r[1] if r else "" for t, r in results.items()}).astype(object)
    for name in frame.loc[usable, "variable"].unique():
        if vocabulary[name].type == "yes_no":
            own = frame.index[usable & (frame["variable"] == name)]
            signs = folded(vocabulary[name].levels)
            answers = text[own].map(lambda t, signs=signs: spelled_as(t, signs))
            value[own] = answers.map({"yes": 1.0, "no": 0.0}).astype("float64")
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
    written = frame["unit"]
    default = frame["variable"].map(_default_units(rows.config))
    unit = written.mask(empty_mask(written), default).where(usable, "").fillna("")
    converted, spelled = vocabulary.convert(frame["variable"], frame["value"], unit)
    recorded = pd.Series(spelled, index=frame.index, dtype=object)
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
        "value": pd.Series(converted, index=frame.index),
        "unit": frame["variable"].map({name: vocabulary[name].unit for name in vocabulary.measured}),
        "written_unit": unit,
    }
    return _Step(columns, _because(unknown, NO_VALUE), problems)


def _default_units(config: CohortConfig) -> dict[str, str]:
    """Unit of each variable where a row has none: cohort.toml's; pure numbers and signs need none."""
    vocabulary = config.vocabulary
    pure = {name: "1" for name in vocabulary.measured if vocabulary[name].unit == "1"}
    return {**pure, **config.units}


def _reporting_limits(rows: _Rows) -> _Step:
    """The sign of values at or beyond a reporting limit of the assay."""
    frame, qualifier = rows.frame, rows.frame["qualifier"].copy()
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
    outside = pd.Series(False, index=frame.index)
    for name, own in frame[rows.usable].groupby("variable", sort=False):
        outside[own.index] = ~rows.config.vocabulary[str(name)].plausible(own["value"].to_numpy(dtype=float))
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
    frame, vocabulary = rows.frame, rows.config.vocabulary
    unit = frame["recorded_unit"].fillna("")
    kept = {
        side: pd.Series(vocabulary.convert(frame["variable"], frame[side], unit)[0], frame.index)
        for side in _RANGE
    }
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
