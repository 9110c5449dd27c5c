"""Measurements: from raw name, text and unit to a canonical variable and a value with qualifier."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.cohort.dictionary import Dictionary, Variable, convert_units, fold
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

NOT_IN_DICTIONARY = "variable not in the dictionary"
MISSING_CODE = "missing code"
NO_VALUE = "no value recorded"
IMPLAUSIBLE = "outside plausible range"


@dataclass(frozen=True)
class Measured:
    """Measurements with canonical `variable`, `value`, `qualifier` and `unit`, indexed by source_row.

    `reason` says why a row cannot be used ("" if it can).
    """

    frame: pd.DataFrame
    reason: pd.Series
    problems: list[Problem]


def measure(table: TypedTable, config: CohortConfig, dictionary: Dictionary) -> Measured:
    """Read variable, value and unit of every row of the typed table of measurements.

    Rows that cannot be used get their reason; what is wrong with a row is a Problem with its line.
    """
    frame = table.frame.copy()
    for column in ("variable", "value", "unit"):
        if column not in frame:
            frame[column] = ""
    problems: list[Problem] = []
    reason = pd.Series("", index=frame.index, dtype=object)
    text = frame["value"]
    frame["variable"], unknown = _variables(table, frame["variable"], config, dictionary, problems)
    reason[unknown] = NOT_IN_DICTIONARY
    _mark_missing(frame, reason, config, dictionary)
    frame["value"], frame["qualifier"], unread = _values(table, frame, reason, dictionary, problems)
    reason[unread] = NO_VALUE
    _convert(table, frame, reason, config, dictionary, problems)
    _limits(frame, config)
    _judge_plausibility(table, frame, text, reason, config, dictionary, problems)
    return Measured(frame, reason, problems)


def _variables(
    table: TypedTable, raw: pd.Series, config: CohortConfig, dictionary: Dictionary, problems: list[Problem]
) -> tuple[pd.Series, pd.Series]:
    """Return canonical names and the mask of rows whose variable is not in the dictionary."""
    aliases = dictionary.spellings(dictionary.measured)
    own = {fold(name): canonical for name, canonical in config.variables.items()}
    spelled = {**aliases, **{name: canonical for name, canonical in own.items() if canonical in dictionary}}
    names = {text: spelled.get(fold(text)) for text in pd.unique(raw)}
    variable = raw.map(names)
    unknown = variable.isna()
    if config.unmapped_variables == "error":
        expected = "a variable of the dictionary"
        where = 'map it under [variables] in cohort.toml, or set unmapped_variables = "exclude"'
        for row in raw.index[unknown]:
            near = suggestion(raw[row], dictionary.measured)
            problems.append(
                table.raw.problem(
                    row, "variable", repr(raw[row]), expected, f"{near} else {where}" if near else where
                )
            )
    return variable.where(~unknown, None), unknown


def _mark_missing(
    frame: pd.DataFrame, reason: pd.Series, config: CohortConfig, dictionary: Dictionary
) -> None:
    """Tell codes for "not done" from empty fields; both carry no value."""
    reason[(reason == "") & empty_mask(frame["value"])] = NO_VALUE
    for name in frame["variable"].dropna().unique() if config.missing_codes else ():
        codes = codes_for(dictionary[name], config)
        if codes:
            rows = (frame["variable"] == name) & (reason == "")
            coded = empty_mask(frame.loc[rows, "value"], codes)
            reason[coded.index[coded]] = MISSING_CODE


def _values(
    table: TypedTable, frame: pd.DataFrame, reason: pd.Series, dictionary: Dictionary, problems: list[Problem]
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return numbers, qualifiers and the mask of rows whose text is not a result."""
    usable = reason == ""
    text = frame["value"].where(usable, "")
    results = {t: parse_result(t) for t in pd.unique(text)}
    value = text.map({t: r[0] if r else np.nan for t, r in results.items()}).astype("float64")
    qualifier = text.map({t: r[1] if r else "" for t, r in results.items()}).astype(object)
    for name in frame.loc[usable, "variable"].unique():
        if dictionary[name].type == "yes_no":
            rows = frame.index[usable & (frame["variable"] == name)]
            signs = folded(dictionary[name].levels)
            answers = text[rows].map(lambda t, signs=signs: spelled_as(t, signs))
            value[rows] = answers.map({"yes": 1.0, "no": 0.0}).astype("float64")
    unread = usable & value.isna()
    for row in frame.index[unread]:
        sign = dictionary[frame["variable"][row]].type == "yes_no"
        expected = (
            "yes or no (1 or 0)" if sign else "a number, with < or > before it if beyond the assay's limit"
        )
        remedy = "correct it" if sign else number_remedy(text[row])
        problems.append(table.raw.problem(row, "value", repr(text[row]), expected, remedy))
    return value, qualifier, unread


def _convert(
    table: TypedTable,
    frame: pd.DataFrame,
    reason: pd.Series,
    config: CohortConfig,
    dictionary: Dictionary,
    problems: list[Problem],
) -> None:
    """Convert to the dictionary's units in place; an unknown or missing unit is a Problem."""
    usable = reason == ""
    written = frame["unit"]
    default = frame["variable"].map(_default_units(config, dictionary))
    unit = written.mask(empty_mask(written), default).where(usable, "").fillna("")
    converted, known = convert_units(frame["variable"], frame["value"], unit, dictionary)
    frame["value"] = converted
    unknown = usable & ~known
    for row in frame.index[unknown]:
        variable = dictionary[frame["variable"][row]]
        if unit[row]:
            found, remedy = f"unit {unit[row]!r} for {variable.name}", "correct the unit or convert the value"
        else:
            found = f"no unit for {variable.name}"
            remedy = f"fill in the unit, or give it under [units] in cohort.toml as {variable.name} = '...'"
        column = "unit" if "unit" in table.frame else "value"
        problems.append(table.raw.problem(row, column, found, f"one of {variable.accepted_units()}", remedy))
    reason[unknown] = NO_VALUE
    frame["written_unit"] = unit
    frame["unit"] = frame["variable"].map({name: dictionary[name].unit for name in dictionary.measured})


def _default_units(config: CohortConfig, dictionary: Dictionary) -> dict[str, str]:
    """Unit of each variable where a row has none: cohort.toml's; pure numbers and signs need none."""
    pure = {name: "1" for name in dictionary.measured if dictionary[name].unit == "1"}
    return {**pure, **config.units}


def _limits(frame: pd.DataFrame, config: CohortConfig) -> None:
    """Mark values at or beyond a reporting limit of the assay with its sign, in place."""
    for name, limits in config.reporting_limits.items():
        rows = (frame["variable"] == name) & (frame["qualifier"] == "")
        if limits.upper is not None:
            frame.loc[rows & (frame["value"] >= limits.upper), "qualifier"] = ">"
        if limits.lower is not None:
            frame.loc[rows & (frame["value"] <= limits.lower), "qualifier"] = "<"


def _judge_plausibility(
    table: TypedTable,
    frame: pd.DataFrame,
    text: pd.Series,
    reason: pd.Series,
    config: CohortConfig,
    dictionary: Dictionary,
    problems: list[Problem],
) -> None:
    """Find values outside the dictionary's plausible range, in the dictionary's unit."""
    ranges = {name: dictionary[name] for name in frame["variable"].dropna().unique()}
    low = frame["variable"].map(
        {n: -np.inf if v.plausible_low is None else v.plausible_low for n, v in ranges.items()}
    )
    high = frame["variable"].map(
        {n: np.inf if v.plausible_high is None else v.plausible_high for n, v in ranges.items()}
    )
    outside = (reason == "") & ((frame["value"] < low.astype(float)) | (frame["value"] > high.astype(float)))
    reason[outside] = IMPLAUSIBLE
    exclude = config.implausible.action == "exclude"
    for row in frame.index[outside]:
        variable = ranges[frame["variable"][row]]
        number = parse_result(text[row])
        value = frame["value"][row]
        found = f"{variable.name} {text[row]} {frame['written_unit'][row]}".rstrip()
        if variable.unit != frame["written_unit"][row]:
            found += f" (= {value:g} {variable.unit})"
        remedy = plausible_unit(variable, number[0] if number else value)
        report = table.raw.warning if exclude else table.raw.problem
        problems.append(
            report(
                row, "value", found, variable.plausible_range(), f"{remedy}; excluded" if exclude else remedy
            )
        )


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
