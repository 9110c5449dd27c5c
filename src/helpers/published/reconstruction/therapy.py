"""Treatments of both arms: glucocorticoids day by day, earlier therapies, ruxolitinib, what followed.

>>> from datetime import date
>>> patient = Patient("R01", "ruxolitinib", "female", "AOSD", "CR by week 2", date(2022, 1, 1), None, 56)
>>> row(patient, "etoposide", 3, 3, 100.0)["drug"]
'etoposide'
>>> [one["drug"] for one in taper(patient, 120.0, 20.0, np.random.default_rng(1))][:2]
['methylprednisolone', 'prednisone']
>>> control_weights([patient], np.random.default_rng(1))
>>> patient.weight > 30
True
>>> [one["drug"] for one in control_taper(patient, 120.0, np.random.default_rng(1))][:1]
['methylprednisolone']
>>> earlier_therapies(patient, np.random.default_rng(1))
[]
"""

from __future__ import annotations

from itertools import groupby

import numpy as np

from helpers.published.reconstruction.marginals import InfeasibleError
from helpers.published.reconstruction.roster import Patient
from helpers.published.reconstruction.samples import Week, weekly_mean
from helpers.published.reconstruction.targets import Ledger

COLUMNS = (
    "patient_id",
    "drug",
    "start_day",
    "stop_day",
    "dose",
    "unit",
    "route",
    "times_per_day",
    "stop_reason",
)
Row = dict[str, object]


def row(
    patient: Patient,
    drug: str,
    start: int,
    stop: int | None,
    dose: float,
    unit: str = "mg",
    route: str = "iv",
    times: float = 1,
    reason: str = "",
) -> Row:
    """One row of the table of treatments; a course that outlasts follow-up is left open."""
    if stop is not None and stop >= patient.last_contact_day and patient.death_day is None:
        stop = None
    elif stop is None and patient.death_day is not None:
        stop = patient.death_day
    values = (
        patient.patient_id,
        drug,
        start,
        "" if stop is None else stop,
        f"{dose:g}",
        unit,
        route,
        f"{times:g}",
        reason,
    )
    return dict(zip(COLUMNS, values, strict=True))


def choose_weights(
    roster: list[Patient], weeks: list[Week], ledger: Ledger, rng: np.random.Generator
) -> None:
    """Body weights (0.5 kg) that make the week's mg/day the printed mg/kg/day: median, smallest and largest.

    Raises:
        InfeasibleError: no weights in the usual range do.
    """
    median, low, high = (ledger.number(i) for i in ("R79", "R63", "R64"))
    means = np.array([weekly_mean(w) for w in weeks])
    usual = np.array([rng.normal(66, 7) if p.sex == "male" else rng.normal(52, 6) for p in roster])
    lightest = np.maximum(np.ceil(2 * means / (high.value + 0.04)) / 2, 36)
    heaviest = np.minimum(np.floor(2 * means / (low.value - 0.04)) / 2, 82)
    if (lightest > heaviest).any():
        raise InfeasibleError(
            "R63|R64: no body weight between 36 and 82 kg gives the printed mg/kg/day at the printed mg/day"
        )
    weight = np.clip(np.round(2 * usual) / 2, lightest, heaviest)

    def distance(w: np.ndarray) -> float:
        d = means / w
        wanted = ((np.median(d), median), (d.min(), low), (d.max(), high))
        return float(sum(0.0 if n.agrees_with(v) else abs(v - n.value) for v, n in wanted))

    best = distance(weight)
    for _ in range(20000):
        if best == 0:
            break
        i = int(rng.integers(len(weight)))
        trial = weight.copy()
        trial[i] = np.clip(np.round(2 * (weight[i] + rng.normal(0, 5))) / 2, lightest[i], heaviest[i])
        if distance(trial) <= best:
            weight, best = trial, distance(trial)
    if best > 0:
        raise InfeasibleError("R63|R64|R79: no body weights give the printed median and range of mg/kg/day")
    for patient, w in zip(roster, weight, strict=True):
        patient.weight = float(w)


def control_weights(roster: list[Patient], rng: np.random.Generator) -> None:
    """Body weights of the controls, whose dose per kilogram is not printed."""
    for p in roster:
        drawn = rng.normal(66, 8) if p.sex == "male" else rng.normal(53, 7)
        p.weight = float(np.clip(np.round(2 * drawn) / 2, 40, 85))


def before_day0(patient: Patient, week: Week, rng: np.random.Generator) -> list[Row]:
    """Glucocorticoids until day 0 that make the patient refractory, and the reason in words."""
    drug, doses = week
    rows: list[Row] = []
    steady = weekly_mean((drug, (doses[0],) * 7)) / patient.weight
    kinds = ["high dose", "high dose", "pulse", "relapse"] if steady >= 2 else ["pulse", "relapse"]
    if max(doses) >= 500:
        kinds = ["pulse in the last week"]
    kind = str(rng.choice(kinds))
    if kind == "high dose":
        start = -14 - int(rng.integers(0, 8))
        rows.append(row(patient, drug, start, -8, doses[0]))
        patient.refractory_reason = "no partial remission after two weeks of at least 2 mg/kg/day"
    elif kind == "pulse":
        start = -17 - int(rng.integers(0, 6))
        rows.append(row(patient, "methylprednisolone", start, start + 2, 500))
        rows.append(row(patient, drug, start + 3, -8, doses[0]))
        patient.refractory_reason = "no partial remission after intravenous pulses on three days"
    elif kind == "relapse":
        start = -32 - int(rng.integers(0, 12))
        turn = start + 12
        rows.append(row(patient, "methylprednisolone", start, turn, 80))
        rows.append(row(patient, "prednisone", turn + 1, -15, 60, route="po"))
        rows.append(row(patient, "prednisone", -14, -8, 45, route="po"))
        patient.refractory_reason = "recurrence while the glucocorticoid was tapered"
    else:
        start = -14 - int(rng.integers(0, 5))
        rows.append(row(patient, drug, start, -8, doses[0]))
        patient.refractory_reason = "no partial remission after intravenous pulses on three days"
    # Day 0 has the dose of day -7, so that a week ending on day 0 has the same mean.
    day = -7
    for dose, run in groupby((*doses, doses[0])):
        length = len(list(run))
        rows.append(row(patient, drug, day, day + length - 1, dose))
        day += length
    patient.mas_onset_day = start - int(rng.integers(0, 4))
    return rows


def _merged(patient: Patient, weekly: list[tuple[int, int, str, float, str]]) -> list[Row]:
    """Rows of consecutive weeks, equal doses joined, cut at death."""
    rows, k = [], 0
    last = patient.death_day if patient.death_day is not None else patient.last_contact_day
    while k < len(weekly):
        start, stop, drug, dose, route = weekly[k]
        while k + 1 < len(weekly) and weekly[k + 1][2:] == (drug, dose, route):
            k += 1
            stop = weekly[k][1]
        if start <= last:
            rows.append(row(patient, drug, start, min(stop, last), dose, route=route))
        k += 1
    return rows


_WEEK_8 = {"CR": (0.2, 0.5), "PR": (0.3, 0.7), "NR": (0.55, 0.84)}


def final_doses(roster: list[Patient], ledger: Ledger, rng: np.random.Generator) -> dict[str, float]:
    """Prednisone in mg/day at week 8 of everyone alive, meeting the printed median and range of mg/kg.

    Raises:
        InfeasibleError: no doses in steps of 2.5 mg do.
    """
    median, low, high = (ledger.number(i) for i in ("R81", "R82", "R83"))
    alive = [p for p in roster if p.death_day is None]
    weight = np.array([p.weight for p in alive])
    for _ in range(20000):
        aim = np.array([rng.uniform(*_WEEK_8[p.calls[-1]]) for p in alive])
        aim[rng.choice([i for i, p in enumerate(alive) if p.calls[-1] == "CR"])] = low.value
        aim[rng.choice([i for i, p in enumerate(alive) if p.calls[-1] == "NR"])] = high.value
        dose = np.round(aim * weight / 2.5) * 2.5
        ratio = dose / weight
        if (
            median.agrees_with(float(np.median(ratio)))
            and low.agrees_with(ratio.min())
            and high.agrees_with(ratio.max())
        ):
            return {p.patient_id: float(d) for p, d in zip(alive, dose, strict=True)}
    raise InfeasibleError("R81|R82|R83: no doses at week 8 give the printed median and range")


def taper(patient: Patient, start: float, final: float | None, rng: np.random.Generator) -> list[Row]:
    """Glucocorticoids from day 1: a week of methylprednisolone, then prednisone down to week 8."""
    first = 10 * round(start * float(rng.uniform(0.68, 0.85)) / 1.25 / 10)
    weekly: list[tuple[int, int, str, float, str]] = [(1, 7, "methylprednisolone", float(first), "iv")]
    goal = final if final is not None else 0.9 * first
    begin = max(min(float(rng.uniform(1.2, 1.6)) * patient.weight, first * 1.25), goal)
    doses = begin * (goal / begin) ** np.linspace(0, 1, 7)
    level = np.inf
    for week, dose in enumerate(doses, start=2):
        # Steps of 5 mg that never rise; week 8 is exact.
        level = goal if week == 8 else max(min(5 * round(dose / 5), level), goal)
        weekly.append((7 * week - 6, 7 * week if week < 8 else 70, "prednisone", float(level), "po"))
    for share, until in ((0.6, 112), (0.35, 196), (0.2, 100000)):
        dose = max(2.5 * round(goal * share / 2.5), 5.0)
        weekly.append((weekly[-1][1] + 1, until, "prednisone", float(min(dose, goal)), "po"))
    return _merged(patient, weekly)


def earlier_therapies(patient: Patient, rng: np.random.Generator) -> list[Row]:
    """Immunosuppressants and immunoglobulins before day 0; in controls they go on."""
    rows, goes_on = [], patient.arm == "control"
    last = patient.death_day if patient.death_day is not None else 10_000
    if "etoposide" in patient.prior:
        first = -int(rng.integers(12, 16))
        days = [first, first + 7, *((first + 14, first + 21, first + 28) if goes_on else ())]
        rows += [row(patient, "etoposide", d, d, 100) for d in days if d < last]
    if "tocilizumab" in patient.prior:
        day = -int(rng.integers(9, 22))
        rows.append(row(patient, "tocilizumab", day, day, 8, unit="mg/kg"))
    for drug, dose in (("ciclosporin", 75.0), ("tacrolimus", 1.0)):
        if drug in patient.prior:
            stop = min(int(rng.integers(70, 150)), last) if goes_on else -1
            rows.append(row(patient, drug, -int(rng.integers(10, 40)), stop, dose, route="po", times=2))
    if patient.ivig:
        day = -int(rng.integers(8, 14))
        rows.append(row(patient, "ivig", day, day + 4, 20, unit="g"))
    return rows


def ruxolitinib(roster: list[Patient], ledger: Ledger, rng: np.random.Generator) -> list[Row]:
    """Ruxolitinib of every treated patient; the median of its duration is the printed number of months."""
    middle = round(ledger.number("R75").value * 365.25 / 12)
    stopped = {}
    for p in roster:
        if p.course == "died":
            stopped[p.patient_id] = (int(p.death_day or 0), "death")
        elif p.course == "switched":
            day = int(rng.integers(29, 43))
            stopped[p.patient_id] = (
                day,
                "glucocorticoid could not be tapered, changed to etoposide-based therapy",
            )
        elif p.course == "below PR":
            stopped[p.patient_id] = (
                min(int(rng.integers(58, middle - 1)), p.last_contact_day - 1),
                "end of planned course",
            )
    rest = [roster[i] for i in rng.permutation(len(roster)) if roster[i].patient_id not in stopped]
    ended = next(p for p in rest if p.calls[-1] == "CR")
    half = len(roster) // 2 - len(stopped)
    for k, p in enumerate(rest):
        if k < half:
            day = middle - 1 if k == 0 else int(rng.integers(58, middle - 1))
        else:
            day = (
                middle + 1
                if k == half
                else int(rng.integers(middle + 2, max(middle + 3, min(p.last_contact_day - 5, 300))))
            )
        stopped[p.patient_id] = (day, "complete remission" if p is ended else "end of planned course")
    rows = []
    for p in roster:
        dose = ledger.number("R51").value if p.weight < 50 else ledger.number("R52").value
        stop, reason = stopped[p.patient_id]
        rows.append(row(p, "ruxolitinib", 0, stop, dose, route="po", times=2, reason=reason))
        if p.course == "switched":
            days = range(stop + 1, min(stop + 30, p.last_contact_day), 7)
            rows += [row(p, "etoposide", d, d, 100) for d in days]
    return rows


def added_ciclosporin(
    roster: list[Patient], first_response: dict[str, int], ledger: Ledger, rng: np.random.Generator
) -> list[Row]:
    """Ciclosporin begun two to four weeks after the first remission in the printed number of responders."""
    able = [p for p in roster if p.responder and "ciclosporin" not in p.prior and p.calls[2] != "NR"]
    chosen = sorted(rng.choice(len(able), ledger.count("R70"), replace=False).tolist())
    rows = []
    for i in chosen:
        start = first_response[able[i].patient_id] + int(rng.integers(14, 29))
        rows.append(
            row(able[i], "ciclosporin", start, start + int(rng.integers(120, 260)), 50, route="po", times=2)
        )
    return rows


def control_taper(patient: Patient, start: float, rng: np.random.Generator) -> list[Row]:
    """Glucocorticoids of a control from day 1: slower tapering, none in those who die."""
    start = min(start, 250.0)
    share = [0.9, 0.75, 0.65, 0.55, 0.48, 0.42, 0.37, 0.33]
    if patient.death_day is not None:
        share = [1.0, 1.0, 0.95, 0.9, 0.9, 0.9, 0.9, 0.9]
    first = 10 * round(start * share[0] / 1.25 / 10)
    weekly: list[tuple[int, int, str, float, str]] = [(1, 7, "methylprednisolone", float(first), "iv")]
    wobble = float(rng.uniform(0.85, 1.05))
    for week in range(2, 9):
        dose = 5 * round(start * share[week - 1] * wobble / 5)
        weekly.append((7 * week - 6, 7 * week if week < 8 else 75, "prednisone", float(dose), "po"))
    weekly.append((76, 100000, "prednisone", 10.0, "po"))
    return _merged(patient, weekly)
