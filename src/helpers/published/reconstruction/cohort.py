"""The whole reconstruction: from the ledger and a seed to the five raw tables of a cohort folder."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers.published.reconstruction import therapy
from helpers.published.reconstruction.assembly import Assembled, assemble
from helpers.published.reconstruction.courses import (
    DECIMALS,
    MEASURED,
    Course,
    control_course,
    first_values,
    treated_course,
)
from helpers.published.reconstruction.feasibility import require_feasible
from helpers.published.reconstruction.roster import Patient, control_roster, treated_roster
from helpers.published.reconstruction.samples import dose_samples, laboratory_samples, weekly_mean
from helpers.published.reconstruction.targets import Continuous, Ledger, continuous_targets
from helpers.vocabulary.reading import shipped_vocabulary

if TYPE_CHECKING:
    import pandas as pd

TABLES = {
    "patients": (
        "patient_id", "group", "age", "sex", "diagnosis", "weight_kg", "day0_date", "mas_onset_day",
        "last_contact_day", "death_day", "cause_of_death", "refractory_reason", "fever", "splenomegaly",
        "hemophagocytosis", "known_immunosuppression", "nk_activity_low",
    ),
    "measurements": ("patient_id", "day", "variable", "value", "unit"),
    "treatments": therapy.COLUMNS,
    "responses": ("patient_id", "day", "response"),
    "events": ("patient_id", "day", "term", "grade", "serious", "related", "stop_day", "outcome"),
}  # fmt: skip
Row = dict[str, object]


@dataclass(frozen=True)
class _Streams:
    """Independent random streams: a change in one stage leaves the draws of the others alone."""

    samples: np.random.Generator
    roster: np.random.Generator
    assembly: np.random.Generator
    courses: np.random.Generator
    therapy: np.random.Generator
    events: np.random.Generator


def _streams(seed: int) -> _Streams:
    return _Streams(*(np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(6)))


def reconstruct(ledger: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """Rebuild a cohort that meets the ledger's printed values; five tables of text, as in a cohort folder.

    The same ledger and seed give the same tables on every machine; another seed gives another cohort that
    meets
    the same constraints.

    Raises:
        ContradictionError: the printed values clash; the message names them (a kind of `InfeasibleError`).
        InfeasibleError: no cohort was found although no clash was proved; the message names the constraints
        searched.
    """
    import pandas as pd

    printed, streams = Ledger(ledger), _streams(seed)
    require_feasible(printed)
    rows = _rows(printed, continuous_targets(printed), streams)
    return {
        name: pd.DataFrame(rows[name], columns=list(columns), dtype=str) for name, columns in TABLES.items()
    }


def _rows(printed: Ledger, targets: dict[str, Continuous], streams: _Streams) -> dict[str, list[Row]]:
    sizes = {"ruxolitinib": printed.count("T157"), "control": printed.count("T158")}
    samples = laboratory_samples(targets, printed, sizes, streams.samples)
    weeks = dose_samples(targets["dose"], printed, sizes, streams.samples)
    arms = {
        "ruxolitinib": treated_roster(printed, streams.roster),
        "control": control_roster(printed, streams.roster),
    }
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    for arm, roster in arms.items():
        assembled = assemble(roster, samples, targets, printed, streams.assembly)
        _give(roster, assembled, streams.courses)
        order = streams.therapy.permutation(len(roster))
        arm_weeks = [weeks[arm][i] for i in order]
        if arm == "ruxolitinib":
            therapy.choose_weights(roster, arm_weeks, printed, streams.therapy)
            courses = {p.patient_id: treated_course(p, streams.courses) for p in roster}
            tables["treatments"] += _treated_therapy(roster, arm_weeks, courses, printed, streams.therapy)
            tables["responses"] += _responses(roster, courses)
            tables["events"] += _events(roster, printed, streams.events)
        else:
            therapy.control_weights(roster, streams.therapy)
            latent = {p.patient_id: _latent_ferritin(p, targets, streams.courses) for p in roster}
            courses = {p.patient_id: control_course(p, latent[p.patient_id], streams.courses) for p in roster}
            tables["treatments"] += _control_therapy(roster, arm_weeks, streams.therapy)
        tables["measurements"] += _measurements(roster, courses, targets, streams.courses)
        tables["patients"] += [_patient_row(p) for p in roster]
    return {name: [_text(r) for r in found] for name, found in tables.items()}


def _give(roster: list[Patient], assembled: Assembled, rng: np.random.Generator) -> None:
    """Write the assembled values and signs into the patients."""
    for i, patient in enumerate(roster):
        patient.baseline = {n: float(v[i]) for n, v in assembled.values.items() if v[i] is not None}  # type: ignore[arg-type]
        for name in ("splenomegaly", "hemophagocytosis", "known_immunosuppression"):
            patient.signs[name] = "yes" if assembled.signs[name][i] else "no"
        low = assembled.signs["nk_activity_low"][i]
        # The assay is not done everywhere: an empty cell is "not done", not "normal".
        patient.signs["nk_activity_low"] = "yes" if low else str(rng.choice(["no", "", ""]))
        patient.signs["fever"] = "yes"
        first_values(patient, assembled.signs["scd25_high"][i], assembled.signs["hot"][i], rng)
        patient.baseline["splenomegaly"] = 1.0 if assembled.signs["splenomegaly"][i] else 0.0


def _latent_ferritin(patient: Patient, targets: dict[str, Continuous], rng: np.random.Generator) -> float:
    """What a control's ferritin may have been where the assay only said "above"."""
    limits = targets["ferritin"].summaries["control"]
    value = patient.baseline["ferritin"]
    if value == limits.median:
        return float(np.exp(rng.uniform(np.log(1700), np.log(12000))))
    return float(rng.uniform(1.1, 3)) * value if value == limits.maximum else value


def _treated_therapy(
    roster: list[Patient],
    weeks: list[tuple[str, tuple[float, ...]]],
    courses: dict[str, list[Course]],
    printed: Ledger,
    rng: np.random.Generator,
) -> list[Row]:
    final = therapy.final_doses(roster, printed, rng)
    by_patient: dict[str, list[Row]] = {p.patient_id: [] for p in roster}
    for p, week in zip(roster, weeks, strict=True):
        by_patient[p.patient_id] += therapy.earlier_therapies(p, rng)
        by_patient[p.patient_id] += therapy.before_day0(p, week, rng)
        by_patient[p.patient_id] += therapy.taper(p, weekly_mean(week), final.get(p.patient_id), rng)
    first = {pid: next((c.day for c in found if c.call != "NR"), 0) for pid, found in courses.items()}
    for extra in (
        therapy.ruxolitinib(roster, printed, rng),
        therapy.added_ciclosporin(roster, first, printed, rng),
    ):
        for r in extra:
            by_patient[str(r["patient_id"])].append(r)
    return _in_order(by_patient)


def _control_therapy(
    roster: list[Patient], weeks: list[tuple[str, tuple[float, ...]]], rng: np.random.Generator
) -> list[Row]:
    by_patient = {}
    for p, week in zip(roster, weeks, strict=True):
        rows = therapy.earlier_therapies(p, rng) + therapy.before_day0(p, week, rng)
        by_patient[p.patient_id] = rows + therapy.control_taper(p, weekly_mean(week), rng)
    return _in_order(by_patient)


def _in_order(by_patient: dict[str, list[Row]]) -> list[Row]:
    return [
        r
        for rows in by_patient.values()
        for r in sorted(rows, key=lambda r: (int(str(r["start_day"])), r["drug"]))
    ]


def _responses(roster: list[Patient], courses: dict[str, list[Course]]) -> list[Row]:
    return [
        {"patient_id": p.patient_id, "day": c.day, "response": c.call}
        for p in roster
        for c in courses[p.patient_id]
        if c.visit != "day_3" or c.call != "NR"
    ]


def _events(roster: list[Patient], printed: Ledger, rng: np.random.Generator) -> list[Row]:
    """Cytomegalovirus infections of grade 1 or 2 in the printed number of treated patients."""
    alive = [p for p in roster if p.death_day is None]
    rows = []
    for i in sorted(rng.choice(len(alive), printed.count("R76"), replace=False).tolist()):
        day = int(rng.integers(9, 46))
        rows.append(
            {"patient_id": alive[i].patient_id, "day": day, "term": "cytomegalovirus infection",
             "grade": int(rng.integers(1, 3)), "serious": "no", "related": "possible",
             "stop_day": day + int(rng.integers(10, 28)), "outcome": "recovered"}
        )  # fmt: skip
    return rows


def _patient_row(p: Patient) -> Row:
    shown: Row = {
        "patient_id": p.patient_id, "group": p.arm, "age": int(p.baseline["age"]), "sex": p.sex,
        "diagnosis": p.diagnosis, "weight_kg": f"{p.weight:.1f}", "day0_date": p.day0.isoformat(),
        "mas_onset_day": p.mas_onset_day, "last_contact_day": p.last_contact_day,
        "death_day": "" if p.death_day is None else p.death_day, "cause_of_death": p.cause_of_death,
        "refractory_reason": p.refractory_reason,
    }  # fmt: skip
    return shown | {name: p.signs[name] for name in TABLES["patients"][12:]}


def _measurements(
    roster: list[Patient],
    courses: dict[str, list[Course]],
    targets: dict[str, Continuous],
    rng: np.random.Generator,
) -> list[Row]:
    rows = []
    words = shipped_vocabulary()
    for p in roster:
        assessments = [(-int(rng.integers(0, 3)), p.baseline)]
        assessments += [(c.day, c.values) for c in courses[p.patient_id]]
        for day, values in assessments:
            for name in (n for n in MEASURED if n in values):
                text = _printed_value(name, values[name], p, targets)
                rows.append(
                    {
                        "patient_id": p.patient_id,
                        "day": day,
                        "variable": name,
                        "value": text,
                        "unit": words[name].unit,
                    }
                )
    return rows


def _printed_value(name: str, value: float, patient: Patient, targets: dict[str, Continuous]) -> str:
    """The value as a laboratory would print it; control ferritin stops at the reporting limits."""
    if name == "ferritin" and patient.arm == "control":
        limits = targets["ferritin"].summaries["control"]
        diluted = patient.baseline["ferritin"] > limits.median
        limit = limits.maximum if diluted else limits.median
        if value >= limit:
            return f">{limit}"
    return f"{value:.{DECIMALS[name]}f}"


def _text(row: Row) -> Row:
    return {key: str(value) for key, value in row.items()}


def csv_bytes(table: pd.DataFrame) -> bytes:
    r"""A table as csv bytes that do not depend on the machine.

    >>> csv_bytes(pd.DataFrame({"patient_id": ["R01"], "age": ["40"]}))
    b'patient_id,age\nR01,40\n'
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.itertuples(index=False, name=None))
    return out.getvalue().encode()


def write_cohort(folder: Path, *, ledger: pd.DataFrame | None = None, seed: int | None = None) -> list[Path]:
    """Write a complete cohort folder (`cohort.toml`, five tables, data card); returns the files written.

    Raises:
        InfeasibleError: the printed values of the ledger cannot all be met.
        LedgerError: the ledger is unusable.
    """
    from helpers.published.ledger import read_ledger
    from helpers.published.reconstruction.card import DEFAULT_SEED, cohort_toml, data_card

    seed = DEFAULT_SEED if seed is None else seed
    frame = read_ledger() if ledger is None else ledger
    tables = reconstruct(frame, seed)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    contents = {f"{name}.csv": csv_bytes(table) for name, table in tables.items()}
    contents["cohort.toml"] = cohort_toml(seed).encode()
    contents["README.md"] = data_card(seed, tables).encode()
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in contents]
