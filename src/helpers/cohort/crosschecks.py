"""Faults that show only between rows or between tables.

>>> patients, treatments = examined.tables["patients"], examined.tables["treatments"]
>>> people = one_row_each(patients)
>>> len(people), float(numbers_of(people, "age").min()), bool(column_of(people, "shoe size").isna().all())
(41, 18.0, True)
>>> unknown_patients(treatments, people, "patients.csv"), duplicate_rows(treatments)
([], [])
>>> (
...     int(duplicates(treatments).sum()),
...     int(after_death(treatments, people).sum()),
...     float(start_of(treatments).max()),
... )
(0, 0, 197.0)
>>> rows_beyond_follow_up(treatments, people), doses_of_one_day(treatments)
([], [])
>>> overlapping_doses(treatments, numbers_of(people, "followup_days"))
[]
>>> (
...     contact_before_death(patients),
...     beyond_cutoff(patients, config),
...     unknown_exclusions(patients, config),
... )
([], [], [])
>>> glucocorticoid_rows(treatments, people, config), unknown_therapies(config, treatments)
([], [])
>>> unused_variables(config, {"ferritin"})
[]
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from helpers.cohort.parsing import TypedTable
from helpers.cohort.settings import CohortConfig
from helpers.cohort.texts import distinct, looked_up, plain, repeated
from helpers.problems import Problem, closest

DUPLICATE = "duplicate row"
AFTER_DEATH = "after death"
_COURSE = ("patient_id", "drug", "route")


def one_row_each(patients: TypedTable) -> pd.DataFrame:
    """Return the patients by patient_id; of a patient entered twice the first row."""
    frame = plain(patients.frame)
    return frame[frame["patient_id"].notna() & ~frame["patient_id"].duplicated()].set_index("patient_id")


def column_of(people: pd.DataFrame, column: str) -> pd.Series:
    """Return a patient-level column by patient_id; NaN throughout if the cohort does not have it."""
    return people[column] if column in people else pd.Series(np.nan, index=people.index)


def numbers_of(people: pd.DataFrame, column: str) -> pd.Series:
    """Return a patient-level column of numbers by patient_id."""
    return column_of(people, column).astype("float64")


def unknown_patients(table: TypedTable, people: pd.DataFrame, file: str) -> list[Problem]:
    """Rows of a patient who is not in the table of patients (`file`).

    >>> people = one_row_each(examined.tables["patients"]).iloc[1:]  # the first patient is not among them
    >>> problem = unknown_patients(examined.tables["treatments"], people, "patients.csv")[0]
    >>> problem.found, problem.expected
    ("unknown patient 'R01'", 'a patient_id of patients.csv')
    """
    ids = table.frame["patient_id"]
    strangers = ids[ids.notna() & ~ids.isin(people.index)]
    near = {patient: closest(patient, people.index) for patient in distinct(strangers)}
    return [
        table.raw.problem(
            row,
            "patient_id",
            f"unknown patient {patient!r}",
            f"a patient_id of {file}",
            "add the patient to the table of patients, or correct the id"
            + (f" (nearest is {near[patient]!r})" if near[patient] else ""),
        )
        for row, patient in zip(strangers.index, strangers, strict=True)
    ]


def start_of(table: TypedTable) -> pd.Series:
    """Return the (first) day of every row; NaN throughout if the table has none."""
    column = "start_day" if table.raw.name == "treatments" else "day"
    values = table.frame[column] if column in table.frame else pd.Series(np.nan, index=table.frame.index)
    return pd.Series(values, dtype=np.float64)


def after_death(table: TypedTable, people: pd.DataFrame) -> "pd.Series[bool]":
    """Return the mask of rows that begin after the patient's death."""
    return start_of(table) > looked_up(table.frame["patient_id"], numbers_of(people, "death_day"))


def rows_beyond_follow_up(table: TypedTable, people: pd.DataFrame) -> list[Problem]:
    """Warnings for rows after death (they are excluded) or after a living patient's last contact (used)."""
    start, ids = start_of(table), table.frame["patient_id"]
    column = "start_day" if table.raw.name == "treatments" else "day"
    excluded, used = (
        "excluded; correct the day, or the day of death",
        "used; correct the day, or the last contact",
    )
    death = looked_up(ids, numbers_of(people, "death_day"))
    dead = [
        table.raw.warning(
            row,
            column,
            f"day {start[row]:g}, after the death of {ids[row]} on day {death[row]:g}",
            "a day not after death",
            excluded,
        )
        for row in start.index[start > death]
    ]
    living = people.index[numbers_of(people, "death_day").isna()]
    last = looked_up(ids, numbers_of(people, "last_contact_day").loc[living])
    lost = [
        table.raw.warning(
            row,
            column,
            f"day {start[row]:g} of {ids[row]}, last contact on day {last[row]:g}",
            "a day not after the last contact",
            used,
        )
        for row in start.index[start > last]
    ]
    return [*dead, *lost]


def duplicates(table: TypedTable) -> "pd.Series[bool]":
    """Return the mask of rows that repeat an earlier row in every column of the file, also those not read.

    Two rows that differ in a column nobody reads, such as the number of a sample, are two records.
    """
    if table.raw.name == "patients":
        return pd.Series(False, index=table.frame.index)
    return table.raw.repeated


def duplicate_rows(table: TypedTable) -> list[Problem]:
    """Warnings for rows that repeat an earlier one; the repetition is excluded and counted."""
    again = duplicates(table)
    if not again.any():
        return []
    every = table.raw.every_column
    columns = list(every.columns)
    every = plain(every[every.duplicated(keep=False)])
    again = again[every.index]
    first = every.drop_duplicates().rename_axis("_first").reset_index()
    lines = every[again].rename_axis("_line").reset_index().merge(first, on=columns, how="left")
    return [
        table.raw.warning(
            line, "", f"the same as line {source}", "every row once", "excluded; remove one of the two lines"
        )
        for line, source in zip(lines["_line"], lines["_first"], strict=True)
    ]


def doses_of_one_day(table: TypedTable) -> list[Problem]:
    """Warnings for several rows of one drug, route and the same days: their doses are summed."""
    keys = ["patient_id", "drug", "route", "start_day", "stop_day"]
    if not set(keys) <= set(table.frame.columns):
        return []
    known = table.frame[keys][~duplicates(table)].dropna()
    again = known[repeated(known, keep=False)]
    problems = []
    for (patient, drug, *_), rows in plain(again).groupby(keys, sort=True):
        lines = sorted(int(row) for row in rows.index)
        found = f"{len(rows)} doses of {drug} of {patient} on the same days"
        problems.append(
            Problem(table.raw.file, lines[0], table.raw.header("dose"), found, "one row for each course",
                    "they are summed; remove one if it is entered twice", "warning", tuple(lines[1:]))
        )  # fmt: skip
    return problems


def overlapping_doses(table: TypedTable, last_day: pd.Series) -> list[Problem]:
    """Pairs of rows of one patient, drug and route that share a day (an ongoing row ends at last contact)."""
    problems = []
    columns = [name for name in (*_COURSE, "start_day", "stop_day") if name in table.frame]
    pairs = list(_overlaps(table.frame[columns][~duplicates(table)], last_day))
    rows = plain(table.frame.loc[sorted({line for pair in pairs for line in pair})])
    for earlier, later in pairs:
        row, other = rows.loc[later], rows.loc[earlier]
        until: str = "ongoing" if pd.isna(other["stop_day"]) else f"to day {other['stop_day']:g}"
        found = (
            f"{row['drug']} {row['route']} of {row['patient_id']} from day {row['start_day']:g}, while "
            f"line {earlier} gives it from day {other['start_day']:g} {until}"
        )
        expected = "one dose of a drug by one route a day (first and last day count)"
        remedy = 'end the earlier row the day before, or set overlapping_doses = "sum" in cohort.toml'
        problems.append(table.raw.problem(later, "start_day", found, expected, remedy))
    return problems


def _overlaps(frame: pd.DataFrame, last_day: pd.Series) -> Iterator[tuple[int, int]]:
    """Lines of each row that begins while an earlier one of the same patient, drug and route still runs."""
    keys = list(_COURSE)
    if not {*keys, "start_day", "stop_day"} <= set(frame.columns):
        return
    known = frame.dropna(subset=[*keys, "start_day"])
    known = known.sort_values([*keys, "start_day"], kind="stable")
    # Rows of the very same days are summed (see doses_of_one_day); partial overlaps are asked about.
    known = known[~repeated(known) | known["stop_day"].isna()]
    start = known["start_day"].to_numpy(dtype=np.float64)
    end = known["stop_day"].fillna(looked_up(known["patient_id"], last_day).astype("float64"))
    end = end.fillna(np.inf)
    # A row whose last day lies before its first has its own Problem; it is taken as its first day alone.
    stop = pd.Series(np.maximum(end.to_numpy(dtype=np.float64), start), index=known.index)
    course = known.groupby(keys, sort=False, observed=True).ngroup().to_numpy()
    lines = known.index.to_numpy()
    running = stop.groupby(course).cummax().to_numpy()
    first = np.searchsorted(course, course)  # rows of a course stand together
    for place in np.flatnonzero((course[1:] == course[:-1]) & (start[1:] <= running[:-1])) + 1:
        reaching = np.flatnonzero(stop.to_numpy()[first[place] : place] >= start[place])
        yield int(lines[first[place] + reaching[-1]]), int(lines[place])


def _several_spared(frame: pd.DataFrame, config: CohortConfig) -> list[Problem]:
    """Doses of different drugs, of which nobody says how many mg of the one equal the other."""
    spared = config.steroids.spared
    given = sorted(set(distinct(frame["drug"])) & set(config.vocabulary.drugs_of(spared)))
    if config.steroids.converted or len(given) < 2:
        return []
    expected = "one drug, since mg of different drugs do not add up"
    remedy = f"name the drug, such as {given[0]!r}"
    return [
        Problem("cohort.toml", None, "steroids.spared", f"{spared!r}: {', '.join(given)}", expected, remedy)
    ]


def glucocorticoid_rows(table: TypedTable, people: pd.DataFrame, config: CohortConfig) -> list[Problem]:
    """Glucocorticoid rows that cannot be converted to prednisone: wrong route, or no weight or height."""
    from helpers.clinical.equivalents import equivalents_of, refusal

    equivalents = equivalents_of(config.vocabulary)
    spared = config.vocabulary.drugs_of(config.steroids.spared)
    frame = table.frame[table.frame["drug"].isin([*equivalents.mg, *equivalents.local_only, *spared])]
    surface, weight = body_surface(people), column_of(people, "weight_kg")
    routes = f"one of {', '.join(sorted(equivalents.systemic_routes))} for a glucocorticoid"
    problems = _several_spared(frame, config)
    ids, unit = frame["patient_id"], frame["unit"]
    doubted = (unit == "mg/m2") & ids.isin(people.index) & ~ids.isin(list(surface))
    doubted |= unit.isin(["mg/kg", "g/kg"]) & ids.isin(weight.index[weight.isna()])
    for drug in {*equivalents.mg, *equivalents.local_only} & set(distinct(frame["drug"])):
        routes_of = [
            r for r in distinct(frame["route"]) if isinstance(r, str) and refusal(drug, r, equivalents)
        ]
        doubted |= (frame["drug"] == drug) & frame["route"].isin(routes_of)
    frame = plain(frame[doubted])
    for row, drug, route, unit, patient in zip(
        frame.index, frame["drug"], frame["route"], frame["unit"], frame["patient_id"], strict=True
    ):
        converted = drug in equivalents.mg or drug in equivalents.local_only
        if converted and isinstance(route, str) and refusal(drug, route, equivalents):
            remedy = "correct the route or the drug"
            problems.append(table.raw.problem(row, "route", f"{drug} {route}", routes, remedy))
        found = f"{drug} in {unit}"
        if unit == "mg/m2" and patient in people.index and patient not in surface:
            expected, remedy = (
                "mg or mg/kg, or the patient's height_cm and weight_kg",
                "fill in height and weight",
            )
            problems.append(table.raw.problem(row, "unit", found, expected, remedy))
        if unit in ("mg/kg", "g/kg") and pd.isna(weight.get(patient, 0.0)):
            expected, remedy = "mg, or the patient's weight_kg", "fill in the weight"
            problems.append(table.raw.problem(row, "unit", found, expected, remedy))
    return problems


def body_surface(people: pd.DataFrame) -> dict[str, float]:
    """Body surface area in m2 by patient where height and weight are known.

    Mosteller 1987 (N Engl J Med 317:1098): the square root of height (cm) x weight (kg) / 3600.

    >>> people = pd.DataFrame({"height_cm": [180.0, None], "weight_kg": [80.0, 60.0]}, index=["a", "b"])
    >>> body_surface(people)  # the root of 180 x 80 / 3600
    {'a': 2.0}
    """
    height, weight = numbers_of(people, "height_cm"), numbers_of(people, "weight_kg")
    known = height.notna() & weight.notna()
    area = np.sqrt(height[known].to_numpy() * weight[known].to_numpy() / 3600)
    return dict(zip(height.index[known].astype(str), area.tolist(), strict=True))


def contact_before_death(patients: TypedTable) -> list[Problem]:
    """Warnings where the last contact lies before death; follow-up is then taken to the day of death."""
    frame = patients.frame
    if not {"death_day", "last_contact_day"} <= set(frame.columns):
        return []
    contact, death = frame["last_contact_day"], frame["death_day"]
    return [
        patients.raw.warning(
            row,
            "last_contact_day",
            f"last contact on day {contact[row]:g}, death on day {death[row]:g}",
            "the day of death as last contact",
            "follow-up is taken to the day of death",
        )
        for row in frame.index[contact < death]
    ]


def beyond_cutoff(patients: TypedTable, config: CohortConfig) -> list[Problem]:
    """Follow-up recorded beyond the data cut-off."""
    cutoff, frame = config.follow_up.data_cutoff, patients.frame
    if cutoff is None:
        return []
    if "day0_date" not in frame:
        expected = "the column day0_date, since cohort.toml gives a data_cutoff"
        return [
            Problem(
                patients.raw.file, 1, "day0_date", "no such column", expected, "add it, or drop the cut-off"
            )
        ]
    limit = (pd.Timestamp(cutoff) - frame["day0_date"].dt.normalize()).dt.days
    problems = []
    for column in ("last_contact_day", "death_day"):
        day = frame[column] if column in frame else pd.Series(np.nan, index=frame.index)
        problems += [
            patients.raw.problem(
                row,
                column,
                f"day {day[row]:g}, {day[row] - limit[row]:g} days after the cut-off {cutoff}",
                "no follow-up after the data cut-off",
                "end the patient's follow-up at the cut-off",
            )
            for row in frame.index[day > limit]
        ]
    return problems


def unknown_exclusions(patients: TypedTable, config: CohortConfig) -> list[Problem]:
    """Exclusions of cohort.toml that name nobody."""
    known = set(patients.frame["patient_id"].dropna())
    return [
        Problem(
            "cohort.toml",
            None,
            f"exclusion[{number}].patient_id",
            f"unknown patient {exclusion.patient_id!r}",
            f"a patient_id of {patients.raw.file}",
            "correct or remove the exclusion",
        )
        for number, exclusion in enumerate(config.exclusions, start=1)
        if exclusion.patient_id not in known
    ]


def unknown_therapies(config: CohortConfig, treatments: TypedTable | None) -> list[Problem]:
    """Drugs of the settings that neither the vocabulary nor the treatments have: they would count nobody."""
    vocabulary = config.vocabulary
    given = (
        set()
        if treatments is None
        else set(distinct(treatments.frame.get("drug", pd.Series(dtype=object)).dropna()))
    )
    known = {*vocabulary.drugs, *vocabulary.drug_groups(), *given}
    named = [("baseline.prior_therapies", name) for name in config.baseline.prior_therapies or ()]
    named += [("added_therapies", name) for name in config.added_therapies]
    problems = []
    for key, name in named:
        if name not in known and vocabulary.drug_named(name) not in known:
            near = vocabulary.drug_suggestion(name)
            remedy = f"did you mean {near!r}?" if near else "correct it, or add the drug to drugs.csv"
            expected = "a drug or class of the vocabulary, or a drug of the treatments"
            problems.append(Problem("cohort.toml", None, key, repr(name), expected, remedy))
    return problems


def unused_variables(config: CohortConfig, raw_names: set[str]) -> list[Problem]:
    """Entries of [variables] that match no test name in the measurements: most often a misspelling."""
    return [
        Problem(
            "cohort.toml",
            None,
            f"variables.{name}",
            f"a test name that no measurement has: {name!r}",
            "a test name of the table of measurements",
            "correct or remove it",
            "warning",
        )
        for name, canonical in config.variables.items()
        if name not in raw_names and canonical in config.vocabulary
    ]
