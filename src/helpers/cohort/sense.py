"""Records that are well formed and cannot be: days outside the study, fatal events of the living, doses.

>>> patients, events = examined.tables["patients"], examined.tables["events"]
>>> treatments, people = (
...     examined.tables["treatments"],
...     examined.tables["patients"].frame.set_index("patient_id"),
... )
>>> empty_groups(people, config), distant_days(events, config), signs_for_words(events, config)
([], [], [])
>>> (
...     header_alone({name: table.raw for name, table in examined.tables.items()}, config),
...     impossible_dates(events),
... )
([], [])
>>> outside_enrolment(patients, config), fatal_events(events, people), events_before_day0(events)
([], [], [])
>>> (
...     one_spelling_a_term(events)[1],
...     levels_alike(patients, config),
...     dose_problems(treatments, people, config),
... )
([], [], [])
>>> no_values(examined.tables["measurements"], examined.measured.reason, config)
[]
>>> float(prednisone_a_day(treatments.frame, people, config).max())
1250.0
"""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.cohort.crosschecks import numbers_of, start_of
from helpers.cohort.measuring import MISSING_CODE, NO_VALUE
from helpers.cohort.parsing import TypedTable
from helpers.cohort.reading import RawTable
from helpers.cohort.sections import Table
from helpers.cohort.settings import CohortConfig
from helpers.cohort.texts import by_text, distinct, looked_up, plain
from helpers.problems import Problem
from helpers.results.store import slug
from helpers.vocabulary.model import TableName
from helpers.vocabulary.names import fold

FATAL = frozenset({"fatal", "death", "died", "dead", "死亡", "致死"})
# Spreadsheets show an empty date as 1899-12-30 or 1900-01-01, and 1904-01-01 on old Macintoshes.
EARLIEST = pd.Timestamp(1950, 1, 1)
# Prednisone equivalents in mg a day, and administrations a day.
MOST_PREDNISONE = 4000
LEAST_PREDNISONE = 0.2
MOST_TIMES = 6
_LETTER = re.compile(r"[^\W_]")
LONG_FOLLOW_UP = 40 * 365.25  # days from day 0 beyond which a date is doubted


def empty_groups(people: pd.DataFrame, config: CohortConfig) -> list[Problem]:
    """Errors for groups of the settings to which no patient belongs.

    >>> people = pd.DataFrame({"group": ["control"]}, index=["C01"])
    >>> empty_groups(people, config)[0].found
    "no patient of the group 'ruxolitinib'"
    """
    present = set(people["group"].dropna()) if "group" in people else set()
    if not present:
        return []  # every label is unknown, and each is said to be
    remedy = "give its spelling in the data as raw_labels, or remove the group from cohort.toml"
    return [
        Problem("cohort.toml", None, f"group[{number}].id", f"no patient of the group {group.id!r}",
                "at least one patient in every group", remedy)
        for number, group in enumerate(config.groups, start=1)
        if group.id not in present
    ]  # fmt: skip


def distant_days(table: TypedTable, config: CohortConfig) -> list[Problem]:
    """Days that a date puts farther from day 0 than a day may be, and those of the far future as doubtful.

    A day written as a number is held against the same range where it is read.
    """
    problems = []
    for column in map(str, table.frame.columns):
        known = config.vocabulary.get(column)
        if known is None or known.type != "day":
            continue
        day = pd.Series(table.frame[column], dtype=np.float64)
        possible = known.plausible(day.to_numpy()) | day.isna()
        date = f"{column.removesuffix('day')}date"
        written = date if date in table.raw.frame else column
        for row, value in day[~possible].items():
            problems.append(table.raw.problem(
                int(str(row)), written, f"day {value:g}, {abs(value) / 365.25:.0f} years from day 0",
                known.plausible_range(), "correct the date",
            ))  # fmt: skip
        for row, value in day[possible & (day > LONG_FOLLOW_UP)].items():
            problems.append(table.raw.warning(
                int(str(row)), written, f"day {value:g}, {value / 365.25:.0f} years after day 0",
                "a day within 40 years", "correct the date, or leave it if it is right",
            ))  # fmt: skip
    return problems


def signs_for_words(table: TypedTable, config: CohortConfig) -> list[Problem]:
    """Warnings for words without a letter or a number, such as ``??``, which would count as words."""
    problems = []
    for column in table.frame.columns:
        known = config.vocabulary.get(str(column))
        if known is None or known.type not in ("text", "category") or column in ("value", "unit"):
            continue
        words = table.frame[column].dropna()
        signs = [word for word in distinct(words) if not _LETTER.search(str(word))]
        for row, word in words[words.isin(signs)].astype(str).items():
            problems.append(table.raw.warning(
                int(str(row)), str(column), repr(word), "a word",
                "leave the field empty if it is not known; as it stands it counts as a word of its own",
            ))  # fmt: skip
    return problems


def header_alone(tables: Mapping[TableName, RawTable], config: CohortConfig) -> list[Problem]:
    """Errors for tables that hold a header and no row: nothing recorded is not the same as nothing found."""
    return [
        Problem(raw.file, None, "", "a header and no rows", f"the rows of {name}",
                "remove the file if these were not recorded; if there was nothing to record, say "
                f"may_be_empty = true under [tables.{name}] in cohort.toml")
        for name, raw in tables.items()
        if name != "patients"
        and raw.frame.empty
        and raw.set_aside.empty
        and not config.tables.get(name, Table()).may_be_empty
    ]  # fmt: skip


def no_values(measurements: TypedTable, reason: pd.Series, config: CohortConfig) -> list[Problem]:
    """An error for a table of measurements in which no row has a value: a column was lost on the way.

    Args:
        measurements: the typed table.
        reason: why each row has no usable value; empty where it has one.
        config: settings of the tables; `may_be_empty` says that there was nothing.
    """
    raw = measurements.raw
    if config.tables.get("measurements", Table()).may_be_empty:
        return []
    if measurements.frame.empty or not reason.isin([NO_VALUE, MISSING_CODE]).all():
        return []
    return [
        Problem(raw.file, None, raw.header("value"), f"no value in any of {len(reason)} rows",
                "the values of the measurements",
                "fill in the values, remove the file if nothing was measured, or say may_be_empty = true "
                "under [tables.measurements] in cohort.toml")
    ]  # fmt: skip


def impossible_dates(table: TypedTable) -> list[Problem]:
    """Errors for dates that a spreadsheet made of an empty cell."""
    problems = []
    for column in table.frame.columns:
        dates = table.frame[column]
        if not pd.api.types.is_datetime64_any_dtype(dates):
            continue
        problems += [
            table.raw.problem(row, column, f"{dates[row]:%Y-%m-%d}", f"a date from {EARLIEST:%Y} on",
                              "correct it; spreadsheets show an empty cell as a day of 1899, 1900 or 1904")
            for row in table.frame.index[dates < EARLIEST]
        ]  # fmt: skip
    return problems


def outside_enrolment(patients: TypedTable, config: CohortConfig) -> list[Problem]:
    """Errors for days 0 outside the months in which their group was enrolled, or after the data cut-off."""
    frame = patients.frame
    if not {"day0_date", "group"} <= set(frame.columns):
        return []
    dates = pd.to_datetime(frame["day0_date"])
    problems = []
    for group in config.groups:
        mine = dates[(frame["group"] == group.id) & dates.notna() & (dates >= EARLIEST)]
        first, last = group.enrolment or (None, None)
        outside = pd.Series(False, index=mine.index)
        if first is not None and last is not None:
            month = mine.map({day: f"{day:%Y-%m}" for day in mine.unique()}).astype(object)
            outside = (month < first) | (month > last)
        expected = f"a day 0 in the enrolment of {group.id}, {first} to {last}"
        problems += [
            patients.raw.problem(row, "day0_date", f"{mine[row]:%Y-%m-%d}", expected,
                                 "correct the date, the group, or the enrolment in cohort.toml")
            for row in mine.index[outside]
        ]  # fmt: skip
    cutoff = config.follow_up.data_cutoff
    late = frame.index[dates > pd.Timestamp(cutoff)] if cutoff else frame.index[:0]
    problems += [
        patients.raw.problem(row, "day0_date", f"{dates[row]:%Y-%m-%d}", f"a day up to the cut-off {cutoff}",
                             "correct the date, or the cut-off")
        for row in late
    ]  # fmt: skip
    return problems


def fatal_events(events: TypedTable, people: pd.DataFrame) -> list[Problem]:
    """Errors for fatal events of patients who are alive, or of days before day 0.

    >>> from dataclasses import replace
    >>> people = examined.tables["patients"].frame.set_index("patient_id")
    >>> events = examined.tables["events"]
    >>> fatal = replace(events, frame=events.frame.assign(outcome="fatal"))
    >>> len(fatal_events(fatal, people)) > 0
    True
    """
    frame = events.frame
    fatal = _is_fatal(frame)
    death = looked_up(frame["patient_id"], numbers_of(people, "death_day"))
    known = frame["patient_id"].isin(people.index)
    day = start_of(events)
    column = "grade" if "grade" in frame else "outcome"
    remedy = "correct the grade or outcome of the event, or record the death in the table of patients"
    living = [
        events.raw.problem(row, column, f"a fatal event of {frame['patient_id'][row]}, who is alive",
                           "a day of death for a patient with a fatal event", remedy)
        for row in frame.index[fatal & known & death.isna()]
    ]  # fmt: skip
    before = [
        events.raw.problem(row, "day", f"a fatal event on day {day[row]:g}", "day 0 or later",
                           "correct the day, the grade or the outcome")
        for row in frame.index[fatal & known & death.notna() & (day < 0)]
    ]  # fmt: skip
    return [*living, *before]


def _is_fatal(frame: pd.DataFrame) -> "pd.Series[bool]":
    fatal = pd.Series(False, index=frame.index)
    if "grade" in frame:
        fatal |= frame["grade"].astype("float64") == 5
    if "outcome" in frame:
        outcome = [
            text for text in distinct(frame["outcome"]) if isinstance(text, str) and fold(text) in FATAL
        ]
        fatal |= frame["outcome"].isin(outcome)
    return fatal


def events_before_day0(events: TypedTable) -> list[Problem]:
    """Warnings for events that began before day 0: they are not counted."""
    day = start_of(events)
    return [
        events.raw.warning(row, "day", f"an event that began on day {day[row]:g}", "day 0 or later",
                           "it is not counted; correct the day, or remove the event")
        for row in events.frame.index[(day < 0) & ~_is_fatal(events.frame)]
    ]  # fmt: skip


def one_spelling_a_term(events: TypedTable) -> tuple[TypedTable, list[Problem]]:
    """Give terms that differ in punctuation or case only one spelling, with a warning.

    The more frequent spelling stays; of equally frequent ones the first by letter.
    """
    if "term" not in events.frame:
        return events, []
    counts = plain(events.frame[["term"]])["term"].dropna().value_counts()
    kept: dict[str, str] = {}
    for term in sorted(counts.index, key=lambda term: (-counts[term], term)):
        kept.setdefault(slug(term), term)
    changed = {term: kept[slug(term)] for term in counts.index if kept[slug(term)] != term}
    if not changed:
        return events, []
    term = events.frame["term"]
    problems = [
        events.raw.warning(row, "term", f"{term[row]!r} beside {changed[term[row]]!r}", "one spelling",
                           f"counted as {changed[term[row]]!r}; spell them alike, or tell them apart")
        for row in events.frame.index[term.isin(changed)]
    ]  # fmt: skip
    frame = events.frame.assign(term=by_text(term, {t: changed.get(t, t) for t in counts.index}))
    return TypedTable(events.raw, frame, events.problems), problems


def levels_alike(patients: TypedTable, config: CohortConfig) -> list[Problem]:
    """Errors for levels of a category that differ in punctuation only: results could not tell them apart."""
    problems = []
    for column in patients.frame.columns:
        variable = config.vocabulary.get(column)
        if variable is None or variable.type != "category":
            continue
        seen: dict[str, str] = {}
        for level in sorted(patients.frame[column].dropna().unique()):
            other = seen.setdefault(slug(level), level)
            if other != level:
                rows = patients.frame.index[patients.frame[column] == level]
                problems.append(
                    patients.raw.problem(int(rows[0]), column, f"{level!r} beside {other!r}",
                                         "levels that differ in letters or digits",
                                         "spell them alike, or tell them apart in words (negative, positive)")
                )  # fmt: skip
    return problems


def dose_problems(treatments: TypedTable, people: pd.DataFrame, config: CohortConfig) -> list[Problem]:
    """Errors for glucocorticoid doses that nobody is given, and for hours between doses as times a day.

    A pulse of methylprednisolone is 1 g, at most 2 g a day: prednisone 2,500 mg. Beyond `MOST_PREDNISONE` a
    day the unit is another (micrograms as mg, mg as g). More than `MOST_TIMES` administrations a day are
    hours written for times: every 8 hours is 3 a day.
    """
    frame = treatments.frame
    if not {"drug", "dose", "unit", "times_per_day"} <= set(frame.columns):
        return []
    times = frame["times_per_day"].astype("float64")
    problems = [
        treatments.raw.problem(
            row,
            "times_per_day",
            f"{times[row]:g} a day",
            f"at most {MOST_TIMES} times a day",
            f"every {times[row]:g} hours is {24 / times[row]:g} a day",
        )
        for row in frame.index[times > MOST_TIMES]
    ]
    daily = prednisone_a_day(frame, people, config)
    most = f"at most prednisone {MOST_PREDNISONE:,} mg a day"
    least = f"at least prednisone {LEAST_PREDNISONE:g} mg a day"
    remedy = "correct the dose or its unit (1000 micrograms are 1 mg)"
    for row in frame.index[(daily > MOST_PREDNISONE) | ((daily > 0) & (daily < LEAST_PREDNISONE))]:
        drug, dose, unit = (frame[name][row] for name in ("drug", "dose", "unit"))
        amount = f"{daily[row]:,.0f}" if daily[row] >= 1 else f"{daily[row]:.2g}"
        found = f"{drug} {dose:g} {unit} (prednisone {amount} mg a day)"
        if daily[row] > MOST_PREDNISONE:
            problems.append(treatments.raw.problem(row, "dose", found, most, remedy))
        else:
            problems.append(treatments.raw.warning(row, "dose", found, least, f"it is used; {remedy}"))
    return problems


def prednisone_a_day(frame: pd.DataFrame, people: pd.DataFrame, config: CohortConfig) -> pd.Series:
    """Return the prednisone equivalent of every row in mg a day, roughly: enough to see a wrong unit.

    Where the weight is not known 70 kg stands for it, and 1.8 m2 for the body surface. NaN for other drugs.
    """
    from helpers.clinical.equivalents import equivalents_of

    mg = equivalents_of(config.vocabulary).mg
    weight = looked_up(frame["patient_id"], numbers_of(people, "weight_kg")).astype("float64").fillna(70.0)
    scale = by_text(frame["unit"], {"mg": 1.0, "g": 1000.0, "mg/kg": 1.0, "g/kg": 1000.0, "mg/m2": 1.8})
    scale = scale.astype("float64") * weight.where(frame["unit"].isin(["mg/kg", "g/kg"]), 1.0)
    times = frame["times_per_day"].astype("float64")
    times = times.where(times <= MOST_TIMES).fillna(1.0)
    per_mg = by_text(frame["drug"], {drug: 5.0 / equal for drug, equal in mg.items()}).astype("float64")
    return frame["dose"].astype("float64") * scale * per_mg * times
