"""Everything that is wrong with a cohort folder, in one run.

>>> check_cohort(folder)
[]
>>> found = examine(folder)
>>> found.problems, len(found.tables["patients"].frame)
([], 41)
>>> people = with_death_day(found.tables["patients"]).frame
>>> int(people["death_day"].notna().sum())
9
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from helpers.cohort import crosschecks, doubtful, drugs, same_day, scales, sense
from helpers.cohort.chosen_tests import tests_of_limited_values
from helpers.cohort.config import ConfigReading, read_config
from helpers.cohort.measuring import Measured, measure
from helpers.cohort.parsing import (
    TypedTable,
    add_days,
    codes_for,
    empty_mask,
    recoded,
    type_table,
    unread_dates,
)
from helpers.cohort.reading import RawTable, Reading, read_tables
from helpers.cohort.sections import Table
from helpers.cohort.settings import CohortConfig
from helpers.cohort.tables import dosed_drugs, validate
from helpers.cohort.texts import distinct
from helpers.problems import Problem, gather
from helpers.vocabulary.model import TableName


@dataclass(frozen=True)
class Examination:
    """A cohort folder as far as it could be read, and all that is wrong with it."""

    config: CohortConfig
    tables: dict[TableName, TypedTable]
    measured: Measured | None
    absent: tuple[TableName, ...]
    problems: list[Problem] = field(default_factory=list)


def check_cohort(folder: Path | str) -> list[Problem]:
    """Return every fault of a cohort folder at once, configuration and all tables; empty if there is none.

    Never raises for bad data: a missing folder, an unreadable file or a wrong encoding is a Problem too.
    """
    return examine(Path(folder)).problems


def examine(folder: Path) -> Examination:
    """Read, type and check a cohort folder; a fault in one place does not hide those in others."""
    reading = read_config(folder)
    if not folder.is_dir():
        found = "no such folder" if not folder.exists() else "a file"
        problem = Problem(
            str(folder), None, "", found, "a cohort's folder with cohort.toml", "correct the path"
        )
        return Examination(reading.config, {}, None, (), [problem])
    raw = read_tables(folder, reading.config)
    problems = [*reading.problems, *raw.problems]
    for name, table in raw.tables.items():
        raw.tables[name], quotes = doubtful.stray_quotes(table)
        problems += quotes
    problems += sense.header_alone(raw.tables, reading.config)
    tables = _typed_tables(raw, reading)
    if "events" in tables:
        tables["events"], spellings = sense.one_spelling_a_term(tables["events"])
        problems += spellings
    for typed in tables.values():
        problems += typed.problems
        problems += validate(typed, reading.config)
        problems += sense.impossible_dates(typed)
    measured, of_values = _measured(tables, raw, reading.config)
    problems += of_values
    if measured is not None:
        problems += tests_of_limited_values(reading.config, measured.frame)
    if "*" not in reading.untrusted:
        problems += crosschecks.unknown_therapies(reading.config, tables.get("treatments"))
    problems += _of_patients(tables, reading)
    problems += _between_tables(tables, reading.config)
    return Examination(reading.config, tables, measured, raw.absent, gather(problems))


def _measured(
    tables: dict[TableName, TypedTable], raw: Reading, config: CohortConfig
) -> tuple[Measured | None, list[Problem]]:
    """Read the measurements and look at their values together; None where there are none."""
    if "measurements" not in tables:
        return None, []
    table = tables["measurements"]
    measured = measure(table, config)
    problems = list(measured.problems)
    if not problems:
        problems += sense.no_values(table, measured.reason, config)
    if "variable" in raw.tables["measurements"].frame:
        names = set(distinct(raw.tables["measurements"].frame["variable"]))
        problems += crosschecks.unused_variables(config, names)
    if not {"patient_id", "day"} <= set(measured.frame.columns):
        return measured, problems
    people = pd.DataFrame()
    if "patients" in tables and "patient_id" in tables["patients"].frame:
        people = crosschecks.one_row_each(tables["patients"])
    problems += scales.scale_problems(table, measured, people, config)
    problems += doubtful.bare_ceilings(table, measured, config)
    problems += doubtful.zeros(table, measured, config)
    usable = (measured.reason == "") & ~crosschecks.duplicates(table)
    problems += same_day.told_apart_by_value(table, measured.frame, usable, config)
    return measured, problems


def _of_patients(tables: dict[TableName, TypedTable], reading: ConfigReading) -> list[Problem]:
    """Faults of the table of patients alone."""
    patients = tables.get("patients")
    if patients is None or "patient_id" not in patients.frame:
        return []
    problems = [*doubtful.ids(patients), *sense.levels_alike(patients, reading.config)]
    if not {"group", "*"} & reading.untrusted:
        problems += sense.empty_groups(crosschecks.one_row_each(patients), reading.config)
        problems += sense.outside_enrolment(patients, reading.config)
    return problems


def _typed_tables(raw: Reading, reading: ConfigReading) -> dict[TableName, TypedTable]:
    tables: dict[TableName, TypedTable] = {}
    day0 = pd.Series(dtype="datetime64[ns]")
    candidates = unread_dates(raw.tables["patients"]) if "patients" in raw.tables else []
    for name, table in raw.tables.items():
        if name == "treatments" and reading.config.unmapped_drugs == "exclude":
            table = _known_drugs(table, reading.config)
        typed = type_table(table, reading.config)
        if name == "patients":
            if {"group", "*"} & reading.untrusted:
                typed = _without_groups(typed)
            if "patient_id" in typed.frame:
                day0 = pd.to_datetime(crosschecks.column_of(crosschecks.one_row_each(typed), "day0_date"))
        if "patient_id" in typed.frame:
            typed = add_days(typed, day0, candidates)
        if name == "treatments" and "unit" in typed.frame:
            typed = _with_dose_units(typed, reading.config)
        tables[name] = with_death_day(typed) if name == "patients" else typed
    return tables


def _known_drugs(raw: RawTable, config: CohortConfig) -> RawTable:
    if not {"drug", "patient_id"} <= set(raw.frame.columns):
        return raw
    text = recoded(raw.frame["drug"], config.tables.get(raw.name, Table()).values.get("drug", {}))
    missing = empty_mask(text, codes_for(config.vocabulary["drug"], config))
    return drugs.set_aside_unknown_drugs(raw, text, missing, config)


def _with_dose_units(treatments: TypedTable, config: CohortConfig) -> TypedTable:
    frame = treatments.frame
    drug = frame["drug"] if "drug" in frame else pd.Series(None, index=frame.index, dtype=object)
    unit, faults = drugs.dose_units(drug, frame["unit"], treatments.raw, dosed_drugs(config))
    return replace(treatments, frame=_with(frame, unit=unit), problems=[*treatments.problems, *faults])


def _with(frame: pd.DataFrame, **columns: pd.Series) -> pd.DataFrame:
    """Return a frame with other columns; those that stay are not copied."""
    return pd.DataFrame({**frame, **columns}, index=frame.index, copy=False)


def _without_groups(patients: TypedTable) -> TypedTable:
    """Leave the groups unchecked: without trustworthy settings every label would be called unknown."""
    problems = [p for p in patients.problems if p.column != patients.raw.header("group")]
    return replace(patients, frame=patients.frame.drop(columns="group", errors="ignore"), problems=problems)


def with_death_day(patients: TypedTable) -> TypedTable:
    """Where only `died` is recorded, put the death on the day of last contact."""
    frame = patients.frame
    if "died" not in frame or "death_day" in frame or "last_contact_day" not in frame:
        return patients
    died = frame["died"].fillna(False).astype(bool)
    return replace(patients, frame=frame.assign(death_day=frame["last_contact_day"].where(died)))


def _between_tables(tables: dict[TableName, TypedTable], config: CohortConfig) -> list[Problem]:
    problems: list[Problem] = []
    long = {n: t for n, t in tables.items() if n != "patients" and "patient_id" in t.frame}
    for table in long.values():
        problems += crosschecks.duplicate_rows(table)
    for table in tables.values():
        problems += sense.distant_days(table, config) + sense.signs_for_words(table, config)
    patients = tables.get("patients")
    if patients is None or "patient_id" not in patients.frame or patients.frame.empty:
        return problems
    people = crosschecks.one_row_each(patients)
    problems += crosschecks.contact_before_death(patients)
    problems += crosschecks.beyond_cutoff(patients, config)
    problems += crosschecks.unknown_exclusions(patients, config)
    for table in long.values():
        problems += crosschecks.unknown_patients(table, people, patients.raw.file)
        problems += crosschecks.rows_beyond_follow_up(table, people)
    if "responses" in long:
        problems += same_day.different_calls(long["responses"])
    if "events" in long:
        problems += sense.fatal_events(long["events"], people)
        problems += sense.events_before_day0(long["events"])
    if "treatments" in long:
        problems += sense.dose_problems(long["treatments"], people, config)
        problems += _treatment_problems(long["treatments"], people, config)
    return problems


def _treatment_problems(treatments: TypedTable, people: pd.DataFrame, config: CohortConfig) -> list[Problem]:
    problems = crosschecks.doses_of_one_day(treatments)
    if config.overlapping_doses == "error":
        last = crosschecks.numbers_of(people, "death_day")
        last = last.fillna(crosschecks.numbers_of(people, "last_contact_day"))
        problems += crosschecks.overlapping_doses(treatments, last)
    if {"drug", "route", "unit"} <= set(treatments.frame.columns):
        problems += crosschecks.glucocorticoid_rows(treatments, people, config)
    return problems
