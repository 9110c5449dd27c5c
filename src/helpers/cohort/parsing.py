"""From text to typed columns: numbers, days, dates, categories, groups.

Each parser works on a whole column, maps distinct texts once, and returns what it could not understand as
Problems with the line and the text found.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.cohort.drugs import read_drugs
from helpers.cohort.reading import DATE_TWINS, RawTable
from helpers.cohort.sections import Table
from helpers.cohort.settings import CohortConfig
from helpers.cohort.texts import by_text, distinct, looked_up
from helpers.cohort.written import PLAIN_NUMBER, number_remedy, parse_date, parse_number, parse_times
from helpers.problems import Problem, suggestion
from helpers.vocabulary.model import Variable
from helpers.vocabulary.names import fold
from helpers.vocabulary.response_levels import known_level

# Texts that always mean "nothing recorded", besides an empty field and the codes of cohort.toml.
EMPTY_TEXTS = frozenset(
    {"", "na", "n/a", "nan", "nat", "null", "none", ".", "..", "-", "--", "/", "未查", "未做", "未测", "缺失"}
)

RESPONSE = "response"  # the category whose levels the study declares


@dataclass(frozen=True)
class TypedTable:
    """One raw table with typed canonical columns, indexed by `source_row`, and the faults met on the way.

    A text that was not understood is missing in `frame`; its row has a Problem.
    """

    raw: RawTable
    frame: pd.DataFrame
    problems: list[Problem]


def empty_mask(text: pd.Series, codes: Iterable[str | int | float] = ()) -> pd.Series:
    """Return True where a field says that nothing was recorded.

    `codes` are the cohort's own codes; a number is compared as a number, so -1 also matches "-1.0".

    >>> empty_mask(pd.Series(["", "-1.0", "3"]), codes=[-1]).tolist()
    [True, True, False]
    """
    codes = tuple(codes)
    words = EMPTY_TEXTS | {str(code).casefold() for code in codes}
    numbers = {float(code) for code in codes if not isinstance(code, str) or PLAIN_NUMBER.match(code)}
    missing = {
        t for t in distinct(text) if t.casefold() in words or (PLAIN_NUMBER.match(t) and float(t) in numbers)
    }
    return text.isin(missing)


def codes_for(variable: Variable, config: CohortConfig) -> tuple[str | int | float, ...]:
    """Return the missing codes of a variable or column: its own and, unless it is an id or a day, the common.

    A common code such as -1 is a true day, and -1 or 999 may be a true patient.
    """
    own = config.missing_codes.get(variable.name, ())
    common = () if variable.type in ("id", "day", "date") else config.missing_codes.get("*", ())
    return (*common, *own)


def type_table(raw: RawTable, config: CohortConfig) -> TypedTable:
    """Give every canonical column of a raw table its type; texts not understood become Problems.

    The columns `variable`, `value` and `unit` of measurements stay text: their type depends on the row.
    """
    recodings = config.tables.get(raw.name, Table()).values
    problems: list[Problem] = []
    columns: dict[str, pd.Series] = {}
    for name in raw.frame.columns:
        text = recoded(raw.frame[name], recodings.get(name, {}))
        if raw.name == "measurements" and name in ("variable", "value", "unit"):
            columns[name] = text
            continue
        variable = config.vocabulary[name]
        missing = empty_mask(text, codes_for(variable, config))
        typed, faults = _typed(text, missing, raw, variable, config)
        columns[name] = typed
        problems.extend(faults)
    frame = pd.DataFrame(columns, index=raw.frame.index, copy=False)
    if raw.name == "patients" and "group" not in frame and len(config.groups) == 1:
        frame["group"] = config.groups[0].id
    return TypedTable(raw, frame, problems)


def recoded(text: pd.Series, codes: Mapping[str, str]) -> pd.Series:
    """Return a column with the codes of cohort.toml replaced by their meaning; 1.0 is the code 1."""
    if not codes:
        return text
    return by_text(text, {t: codes.get(t, codes.get(_integral(t), t)) for t in distinct(text)})


def _integral(text: str) -> str:
    """Return "1" for "1.0": spreadsheets turn codes into decimals."""
    number = parse_number(text)
    return str(int(number)) if number is not None and number.is_integer() else text


def _typed(
    text: pd.Series,
    missing: pd.Series,
    raw: RawTable,
    variable: Variable,
    config: CohortConfig,
) -> tuple[pd.Series, list[Problem]]:
    """Parse one column by the type of its variable."""
    if variable.name == "group":
        spelled = {
            fold(s): g.id for g in config.groups for s in (g.id, g.label, g.short_label, *g.raw_labels)
        }
        return _levels(text, missing, raw, variable.name, spelled, config.group_ids)
    if variable.name == "drug":
        return read_drugs(text, missing, raw, config)
    if variable.name == "term":
        return by_text(text, config.vocabulary.term_named).mask(missing, None), []
    if variable.type == "yes_no":
        coded, problems = _levels(text, missing, raw, variable.name, folded(variable.levels), ("yes", "no"))
        return by_text(coded, {"yes": True, "no": False}).astype("boolean"), problems
    if variable.type == "category":
        levels = category_levels(variable, config)
        return _levels(
            text, missing, raw, variable.name, folded(levels), tuple(dict.fromkeys(levels.values()))
        )
    if variable.type in ("number", "day"):
        return _numbers(text, missing, raw, variable, config)
    if variable.type == "date":
        expected = "a date as year-month-day"
        dates, problems = _mapped(text, missing, raw, variable.name, parse_date, expected, _date_remedy)
        return pd.to_datetime(dates), problems
    return text.mask(missing, None), []


def folded(levels: Mapping[str, str]) -> dict[str, str]:
    """Return spelling -> level with spellings in the form in which they are compared."""
    return {fold(spelling) or spelling: level for spelling, level in levels.items()}


def spelled_as(text: str, spelled: Mapping[str, str]) -> str | None:
    """Return the level that a text spells, or None; a code may have become a decimal (1.0 for 1)."""
    return spelled.get(fold(text) or text, spelled.get(_integral(text)))


def category_levels(variable: Variable, config: CohortConfig) -> Mapping[str, str]:
    """Return spelling -> level of a category: the cohort's own levels if it lists them."""
    if variable.name == RESPONSE:
        levels = config.response_levels
        spelled = {text: level.id for level in levels for text in (level.label, *level.spellings) if text}
        return {**spelled, **{level.id: level.id for level in levels}}
    own = config.categories.get(variable.name)
    if own is None:
        return variable.levels
    kept = {spelling: level for spelling, level in variable.levels.items() if level in own}
    return {**kept, **{level: level for level in own}}


def _levels(
    text: pd.Series,
    missing: pd.Series,
    raw: RawTable,
    column: str,
    spelled: Mapping[str, str],
    levels: tuple[str, ...],
) -> tuple[pd.Series, list[Problem]]:
    def parse(value: str) -> str | None:
        return spelled_as(value, spelled)

    def remedy(value: str) -> str:
        where = f"[tables.{raw.name}.values.{column}] in cohort.toml"
        if column == RESPONSE and (level := known_level(value)) is not None:
            return f"if {level.id} is a level of this study, list its levels under [[response.level]]"
        return suggestion(value, (*levels, *spelled)) or f"correct it, or give its meaning under {where}"

    return _mapped(text, missing, raw, column, parse, f"one of {', '.join(levels)}", remedy)


def _numbers(
    text: pd.Series, missing: pd.Series, raw: RawTable, variable: Variable, config: CohortConfig
) -> tuple[pd.Series, list[Problem]]:
    expected = "a whole number of days" if variable.type == "day" else "a number"
    parse = parse_times if variable.name == "times_per_day" else parse_number
    numbers, problems = _mapped(text, missing, raw, variable.name, parse, expected, number_remedy)
    values = pd.Series(numbers, dtype=np.float64)
    unit = config.units.get(variable.name)
    if unit is not None and variable.conversion(unit) is not None:
        values = pd.Series(variable.convert(np.asarray(values, dtype=np.float64), unit), index=values.index)
    if variable.type == "day":
        broken = values.notna() & (values != np.floor(values))
        problems.extend(
            raw.problem(row, variable.name, repr(text[row]), expected, "count whole days from day 0")
            for row in values.index[broken]
        )
        values = values.mask(broken) if broken.any() else values
        values, faults = _from_day_zero(values, raw, variable, config)
        problems.extend(faults)
    return values, problems


def _from_day_zero(
    values: pd.Series, raw: RawTable, variable: Variable, config: CohortConfig
) -> tuple[pd.Series, list[Problem]]:
    """Count days from 0 where the file counts as CDISC does: day 1 follows day -1, and there is no day 0."""
    header = raw.header(variable.name)
    said = config.tables.get(raw.name, Table()).first_day
    as_cdisc = fold(header) in {fold(name) for name in variable.cdisc} if said is None else said == 1
    if not as_cdisc:
        return values, []
    expected = "days counted as CDISC does: day 1 follows day -1"
    remedy = f"correct the day, or set first_day = 0 under [tables.{raw.name}] in cohort.toml"
    problems = [
        raw.problem(row, variable.name, f"day 0 in {header}", expected, remedy)
        for row in values.index[values == 0]
    ]
    return values.mask(values > 0, values - 1).mask(values == 0), problems


def _date_remedy(text: str) -> str:
    if re.match(r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}", text):
        return "write the year first: day and month cannot be told apart"
    return "write it as 2024-07-31"


def _mapped(
    text: pd.Series,
    missing: pd.Series,
    raw: RawTable,
    column: str,
    parse: Callable[[str], object | None],
    expected: str,
    remedy: Callable[[str], str],
) -> tuple[pd.Series, list[Problem]]:
    """Parse distinct texts once; a text that `parse` answers with None is a Problem in each of its rows."""
    meaning = {t: parse(t) for t in distinct(text, ~missing)}
    typed = by_text(text.mask(missing) if missing.any() else text, meaning)
    unknown = {t for t, value in meaning.items() if value is None}
    problems = []
    if unknown:
        faulty = text[~missing & text.isin(unknown)]
        problems = [
            raw.problem(row, column, repr(value), expected, remedy(value))
            for row, value in zip(faulty.index, faulty, strict=True)
        ]
    if typed.isna().all():
        typed = pd.Series(np.nan, index=text.index, dtype=object)
    return typed.where(typed.notna(), None) if typed.dtype == object else typed, problems


def add_days(table: TypedTable, day0: pd.Series, candidates: Sequence[str] = ()) -> TypedTable:
    """Fill day columns from date columns; `day0` is each patient's date of day 0, by patient_id.

    Day = calendar days between the dates, the clock time left aside. Also adds `clock`, the time of day as a
    fraction, where the table has a `date` with times (0 otherwise); it orders rows of one day. `candidates`
    are columns of the patients that hold dates and are not read: one of them may be the day 0 that is
    missing.

    >>> table = examined.tables["patients"]
    >>> add_days(table, pd.Series(dtype="datetime64[ns]")).problems  # days are recorded as numbers
    []
    """
    frame = table.frame.copy(deep=False)
    problems = list(table.problems)
    raw = table.raw
    if not set(DATE_TWINS.values()) & set(frame.columns):
        return TypedTable(raw, frame, problems)
    origin = (
        looked_up(frame["patient_id"], day0)
        if "patient_id" in frame
        else pd.Series(pd.NaT, index=frame.index)
    )
    origin = pd.to_datetime(origin)
    for day, date in DATE_TWINS.items():
        if date not in frame:
            continue
        dates = pd.to_datetime(frame[date])
        derived = (dates.dt.normalize() - origin.dt.normalize()).dt.days.astype("float64")
        if day in frame:
            differ = frame[day].notna() & derived.notna() & (frame[day] != derived)
            problems.extend(
                raw.problem(
                    row,
                    day,
                    f"day {frame[day][row]:g}",
                    f"day {derived[row]:g} by the column {date}",
                    "correct the day or the date",
                )
                for row in frame.index[differ]
            )
            derived = frame[day].fillna(derived)
        frame[day] = derived
        # A row of an unknown patient is reported as such, not for its date as well.
        lost = dates.notna() & origin.isna() & frame[day].isna() & frame["patient_id"].isin(day0.index)
        if lost.any():
            problems.extend(
                _no_origin(
                    table,
                    date,
                    frame.index[lost],
                    origin_known=bool(day0.notna().any()),
                    candidates=candidates,
                )
            )
    if "date" in frame:
        dates = pd.to_datetime(frame["date"])
        frame["clock"] = ((dates - dates.dt.normalize()) / pd.Timedelta(days=1)).fillna(0.0)
    return TypedTable(raw, frame, problems)


def unread_dates(raw: RawTable) -> list[str]:
    """Return the columns of a file that hold nothing but dates and are not read."""
    names = []
    for name, text in raw.unused.items():
        known = distinct(text, ~empty_mask(text))
        if known and all(parse_date(value) is not None for value in known):
            names.append(str(name))
    return names


def _no_origin(
    table: TypedTable, date: str, rows: pd.Index, *, origin_known: bool, candidates: Sequence[str]
) -> list[Problem]:
    raw = table.raw
    expected = "a day, or a date of a patient whose day0_date is known"
    if not origin_known:
        remedy = "add the column day0_date to the table of patients"
        if candidates:
            named = " or ".join(f"day0_date = {name!r}" for name in candidates)
            remedy = f"say which date is day 0 under [tables.patients.columns] in cohort.toml: {named}"
        return [Problem(raw.file, 1, raw.header(date), "dates without any day 0", expected, remedy)]
    found = "a date that cannot be counted from day 0"
    return [raw.problem(row, date, found, expected, "fill in the patient's day0_date") for row in rows]
