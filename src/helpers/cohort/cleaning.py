"""From the raw cohort folder to the analysis tables, with an account of every raw row.

>>> found = clean_cohort(folder)
>>> found.patients["group"].value_counts().sort_index().tolist()
[21, 20]
>>> len(inputs_digest(folder)), len(derive_tables(examined).visits) == len(found.visits)
(64, True)
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.cohort import crosschecks
from helpers.cohort.analysis_tables import AnalysisTables, empty_frame, shaped
from helpers.cohort.check import Examination, examine
from helpers.cohort.config import CONFIG_FILE, read_config
from helpers.cohort.measuring import Measured
from helpers.cohort.parsing import TypedTable
from helpers.cohort.reading import table_files
from helpers.cohort.same_day import day_rank, in_order_of_day
from helpers.cohort.settings import CohortConfig
from helpers.cohort.texts import plain
from helpers.cohort.windowing import NOT_NEAREST, assign_visits
from helpers.problems import CohortError, errors
from helpers.project.sources import digest_of_files
from helpers.vocabulary.model import GLUCOCORTICOID, TABLE_NAMES, TableName
from helpers.vocabulary.reading import FILES, SHIPPED_FOLDER

__all__ = ["AnalysisTables", "clean_cohort", "inputs_digest", "load_or_clean"]

EMPTY_ROW = "empty row"


def clean_cohort(folder: Path | str) -> AnalysisTables:
    """Read a cohort folder and derive its analysis tables.

    Raises CohortError with every fault at once if any is an error; warnings do not stop it, since what
    they concern is excluded and counted in `dispositions`.
    """
    examination = examine(Path(folder))
    if errors(examination.problems):
        raise CohortError(examination.problems)
    return derive_tables(examination)


def load_or_clean(
    folder: Path | str, directory: Path | str, names: Collection[str] | None = None
) -> AnalysisTables:
    """Return the analysis tables stored in `directory`, derived anew if absent or older than their inputs.

    Of stored ones only those in `names` are read, all if None: the daily doses of many patients are millions.

    Safe for several processes at once: every file is replaced whole, and the mark of completeness is
    written last.

    >>> import tempfile
    >>> place = tempfile.mkdtemp()
    >>> len(load_or_clean(folder, place).patients)
    41
    >>> len(load_or_clean(folder, place).patients)  # read, not made again
    41
    """
    digest = inputs_digest(folder)
    if AnalysisTables.stored_digest(directory) == digest:
        return AnalysisTables.read(directory, names)
    tables = clean_cohort(folder)
    tables.write(directory, inputs=digest)
    return tables


def inputs_digest(folder: Path | str) -> str:
    """Return the SHA-256 of all that the analysis tables follow from.

    These are the raw files, cohort.toml, the vocabulary with the cohort's own words, and the code of this
    room, of the vocabulary and of the glucocorticoid doses. File names count, places do not: a copy of a
    folder elsewhere has the same digest.
    """
    folder = Path(folder)
    files, _ = table_files(folder, read_config(folder).config)
    code = [*sorted(Path(__file__).parent.glob("*.py")), *sorted(SHIPPED_FOLDER.glob("*.py"))]
    clinical = Path(__file__).parents[1] / "clinical"
    doses = [clinical / name for name in ("steroids.py", "dose_stretches.py", "equivalents.py")]
    words = [*(SHIPPED_FOLDER / name for name in FILES), *(folder / name for name in FILES)]
    return digest_of_files([folder / CONFIG_FILE, *files.values(), *words, *code, *doses])


def derive_tables(examination: Examination) -> AnalysisTables:
    """Derive the analysis tables from a cohort without errors."""
    from helpers.clinical.equivalents import equivalents_of
    from helpers.cohort.doses import daily_doses

    config = examination.config
    tables = {n: replace(table, frame=plain(table.frame)) for n, table in examination.tables.items()}
    everybody = crosschecks.one_row_each(tables["patients"])
    reasons = {n: _reasons(n, table, everybody, examination.measured, config) for n, table in tables.items()}
    used = {name: table.frame[reasons[name] == ""] for name, table in tables.items()}
    if examination.measured is not None:
        used["measurements"] = plain(examination.measured.frame[reasons["measurements"] == ""])
    treatments = _treatments(used.get("treatments"))
    people = _patients(used["patients"], treatments, config, has_treatments="treatments" in used)
    measurements = _measurements(used.get("measurements"), config)
    responses = _responses(used.get("responses"), config)
    frames = {
        "patients": people,
        "measurements": shaped("measurements", measurements),
        "visits": _visits(measurements),
        "treatments": shaped("treatments", treatments),
        "doses": daily_doses(treatments, people, measurements, equivalents_of(config.vocabulary)),
        "responses": shaped("responses", responses),
        "events": shaped("events", _events(used.get("events"))),
    }
    roles = {"measurements": measurements["role"], "responses": responses["role"]}
    account = _dispositions(tables, reasons, roles, everybody)
    return AnalysisTables(**frames, dispositions=account, absent=frozenset(examination.absent))


def _reasons(
    name: TableName,
    table: TypedTable,
    everybody: pd.DataFrame,
    measured: Measured | None,
    config: CohortConfig,
) -> pd.Series:
    """Return why each row is excluded, "" if it is used; the first reason in this order counts."""
    excluded = {e.patient_id: f"excluded patient: {e.reason}" for e in config.exclusions}
    reason = table.frame["patient_id"].map(excluded).fillna("").astype(object)
    if name == "patients":
        return reason
    reason = reason.mask((reason == "") & crosschecks.duplicates(table), crosschecks.DUPLICATE)
    if name == "measurements" and measured is not None:
        reason = reason.mask(reason == "", measured.reason.astype(object))
    return reason.mask((reason == "") & crosschecks.after_death(table, everybody), crosschecks.AFTER_DEATH)


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """Make the line of every row a column."""
    return frame.rename_axis(index=None).assign(source_row=frame.index.to_numpy(dtype=np.int64))


def _patients(
    frame: pd.DataFrame, treatments: pd.DataFrame, config: CohortConfig, *, has_treatments: bool
) -> pd.DataFrame:
    """One row a patient in the order of groups and file, with follow-up, death and prior therapies."""
    dates = [c for c in frame.columns if c.endswith("_date") and c != "day0_date"]
    people = _numbered(frame).drop(columns=[*dates, *(c for c in ("died", "clock") if c in frame)])
    for column in ("death_day", "last_contact_day"):
        values = people[column] if column in people else pd.Series(np.nan, index=people.index)
        people[column] = values.astype("Float64")
    died = people["death_day"].notna()
    people["followup_days"] = people["death_day"].fillna(people["last_contact_day"]).astype("float64")
    people["died"] = died.astype(bool)
    if has_treatments:
        earlier = treatments[treatments["start_day"] < 0]
        for therapy in _prior_therapies(earlier, config):
            column = f"prior_{therapy}"
            if column not in people:
                given = set(earlier.loc[config.vocabulary.of_drug(earlier, therapy), "patient_id"])
                people[column] = people["patient_id"].isin(given).astype("boolean")
    rank = people["group"].map({group: place for place, group in enumerate(config.group_ids)})
    return (
        people.assign(_rank=rank)
        .sort_values("_rank", kind="stable")
        .drop(columns="_rank")
        .reset_index(drop=True)
    )


def _prior_therapies(earlier: pd.DataFrame, config: CohortConfig) -> tuple[str, ...]:
    """Return the therapies of the settings, else all given before day 0, those of most patients first."""
    if config.baseline.prior_therapies is not None:
        return config.baseline.prior_therapies
    words = config.vocabulary
    steroid = words.of_drug(earlier, GLUCOCORTICOID)
    studied = [words.drug_named(drug) for drug in config.study_drugs]
    others = earlier[~steroid & ~earlier["drug"].isin(studied)]
    counts = others.groupby("drug")["patient_id"].nunique()
    names = sorted(counts.index, key=lambda name: (-counts[name], name))
    return (*([GLUCOCORTICOID] if steroid.any() else []), *map(str, names))


def _measurements(frame: pd.DataFrame | None, config: CohortConfig) -> pd.DataFrame:
    if frame is None:
        return empty_frame("measurements")
    rows = _numbered(frame).assign(day=frame["day"].astype("int64"))
    rows["day_rank"] = day_rank(rows, config)
    rows = in_order_of_day(rows)
    visits = assign_visits(rows, config, by=["patient_id", "variable"])
    return pd.concat([rows, visits], axis=1)


def _visits(measurements: pd.DataFrame) -> pd.DataFrame:
    return shaped("visits", measurements[measurements["selected"].astype(bool)])


def _responses(frame: pd.DataFrame | None, config: CohortConfig) -> pd.DataFrame:
    """Responses with their visit; the baseline visit takes none, since a response needs time.

    Only the row selected for a visit carries its name: counting rows by visit counts patients once.
    """
    if frame is None:
        return empty_frame("responses")
    rows = _numbered(frame).assign(day=frame["day"].astype("int64"))
    later = tuple(visit for visit in config.visits if visit.day > 0)
    visits = assign_visits(rows, config, by=["patient_id"], visits=later)
    visits["visit"] = visits["visit"].where(visits["role"] != NOT_NEAREST, None)
    return pd.concat([rows, visits], axis=1)


def _treatments(frame: pd.DataFrame | None) -> pd.DataFrame:
    if frame is None:
        return empty_frame("treatments")
    rows = _numbered(frame)
    keys = ["patient_id", "start_day", "stop_day", "drug", "route", "dose", "unit", "times_per_day"]
    return rows.sort_values([key for key in keys if key in rows], kind="stable")


def _events(frame: pd.DataFrame | None) -> pd.DataFrame:
    if frame is None:
        return empty_frame("events")
    return _numbered(frame)


def _dispositions(
    tables: Mapping[TableName, TypedTable],
    reasons: Mapping[TableName, pd.Series],
    roles: Mapping[str, pd.Series],
    everybody: pd.DataFrame,
) -> pd.DataFrame:
    """One row for every raw row: used, or excluded with its reason; `role` says what a used row is for."""
    group = crosschecks.column_of(everybody, "group")
    parts = []
    for name in TABLE_NAMES:
        if name not in tables:
            continue
        table, reason = tables[name], reasons[name]
        part = pd.DataFrame({"source_row": reason.index, "patient_id": table.frame["patient_id"].to_numpy()})
        part["group"] = part["patient_id"].map(group)
        part["reason"] = reason.to_numpy()
        part["role"] = roles[name].reindex(reason.index).fillna("").to_numpy() if name in roles else ""
        aside = table.raw.set_aside.rename_axis("source_row").reset_index()
        aside["group"] = aside["patient_id"].map(group)
        empty = pd.DataFrame({"source_row": table.raw.empty_rows, "reason": EMPTY_ROW})
        every = pd.concat([rows for rows in (part, aside, empty) if len(rows)] or [part])
        every["role"] = every["role"].fillna("")
        parts.append(every.assign(table=name).sort_values("source_row", kind="stable"))
    account = pd.concat(parts, ignore_index=True)
    account["disposition"] = np.where(account["reason"] == "", "used", "excluded")
    return shaped("dispositions", account)
