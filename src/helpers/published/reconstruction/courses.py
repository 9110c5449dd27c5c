"""Laboratory courses after baseline that are what the recorded responses say.

Partial remission: ferritin and at least one more of soluble CD25, triglycerides and (from above 400 U/L)
ALT have
fallen by well over a quarter (half for ALT), ferritin still above normal. Complete remission: everything
measured is
inside the reference range. No response: every response marker is within a fifth of its baseline value.

>>> from datetime import date
>>> from helpers.published.reconstruction.roster import Patient
>>> patient = Patient("R01", "ruxolitinib", "female", "AOSD", "CR by week 2", date(2022, 1, 1), None, 56)
>>> patient.baseline = {"ferritin": 9000.0}
>>> patient.calls, patient.responder
(('PR', 'CR', 'CR', 'CR'), True)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.published.reconstruction.roster import VISIT_DAYS, Patient

DECIMALS = {
    "temperature": 1,
    "leucocytes": 2,
    "neutrophils": 2,
    "hemoglobin": 0,
    "platelets": 0,
    "ast": 0,
    "alt": 0,
    "ldh": 0,
    "fibrinogen": 2,
    "triglycerides": 2,
    "ferritin": 0,
    "crp": 1,
    "esr": 0,
    "scd25": 0,
    "splenomegaly": 0,
}
# Measurements of the cohort, in the order of its table.
MEASURED = tuple(DECIMALS)
# Values of health that a complete remission returns to, well inside the usual reference ranges.
_HEALTH = {
    "hemoglobin": (118, 138),
    "platelets": (145, 300),
    "ast": (15, 31),
    "alt": (11, 35),
    "ldh": (140, 235),
    "fibrinogen": (2.2, 3.6),
    "triglycerides": (0.75, 1.55),
    "ferritin": (45, 125),
    "crp": (0.5, 5),
    "esr": (3, 15),
    "scd25": (260, 640),
    "neutrophils": (2.1, 5.2),
    "temperature": (36.2, 37.0),
}
_SHARE_OF_NEUTROPHILS = (0.52, 0.72)
_MALE_HEMOGLOBIN = (130, 165)
# Reference ranges inside which a value that needs no recovery only wavers.
_NORMAL = {
    "hemoglobin": (115, 150),
    "platelets": (125, 350),
    "ast": (13, 35),
    "alt": (7, 40),
    "ldh": (120, 250),
    "fibrinogen": (2.0, 4.0),
    "triglycerides": (0.4, 1.7),
    "crp": (0, 8),
    "esr": (0, 20),
    "scd25": (223, 710),
    "neutrophils": (1.8, 6.3),
    "leucocytes": (3.5, 9.5),
}
_LOGARITHMIC = (
    "ast",
    "alt",
    "ldh",
    "crp",
    "esr",
    "leucocytes",
    "neutrophils",
    "triglycerides",
    "scd25",
    "ferritin",
)
# How far from baseline (0) to health (1) a patient in partial remission has come at each visit.
_RECOVERY = {"day_3": 0.38, "week_1": 0.55, "week_2": 0.68, "week_3": 0.78, "week_8": 0.95}
_SLOW_RECOVERY = {"day_3": 0.02, "week_1": 0.12, "week_2": 0.27, "week_3": 0.4, "week_8": 0.85}
_NORMAL_BY = {"CR by week 2": 14, "CR by week 3": 21, "CR by week 8": 56}
# Gained a day at most, transfusions included: haemoglobin in g/L, platelets in 10^9/L.
_FASTEST = {"hemoglobin": 2.0, "platelets": 18.0}
# Ferritin left at a visit in partial remission, as a share of baseline.
_FERRITIN_LEFT = {
    "day_3": (0.6, 0.68),
    "week_1": (0.4, 0.6),
    "week_2": (0.25, 0.38),
    "week_3": (0.16, 0.24),
    "week_8": (0.05, 0.13),
}
_STILL_RAISED = (330, 620)


@dataclass(frozen=True)
class Course:
    """Values of one patient at one assessment."""

    visit: str
    day: int
    call: str
    values: dict[str, float]


def first_values(patient: Patient, scd25_high: bool, hot: bool, rng: np.random.Generator) -> None:
    """Add to the baseline what the paper does not print: temperature, CRP, ESR and soluble CD25."""
    b = patient.baseline
    b["temperature"] = float(rng.uniform(39.5, 40.6) if hot else rng.uniform(38.6, 39.3))
    b["crp"] = float(np.exp(rng.normal(np.log(62), 0.8)).clip(9, 260))
    b["esr"] = float(rng.uniform(22, 110))
    if scd25_high:
        b["scd25"] = float(np.exp(rng.uniform(np.log(2700), np.log(14000))))
    elif patient.arm == "ruxolitinib" and rng.random() < 0.5:
        b["scd25"] = float(rng.uniform(900, 2250))
    if patient.arm == "control":
        b.pop("esr")
        if rng.random() < 0.15:
            b.pop("crp")
    for name in b:
        if name != "age":
            b[name] = round(b[name], DECIMALS[name])


def _normal(patient: Patient, name: str) -> tuple[float, float]:
    if name == "hemoglobin" and patient.sex == "male":
        return _MALE_HEMOGLOBIN
    return _NORMAL.get(name, (-np.inf, np.inf))


def _health(patient: Patient, rng: np.random.Generator) -> dict[str, float]:
    goal = {name: float(rng.uniform(*limits)) for name, limits in _HEALTH.items()}
    if patient.sex == "male":
        goal["hemoglobin"] = float(rng.uniform(136, 152))
        goal["ferritin"] *= 1.6
    # Platelets that are high to begin with come down no further than they must.
    if patient.baseline["platelets"] > _HEALTH["platelets"][1]:
        goal["platelets"] = min(patient.baseline["platelets"], 330.0)
    if patient.course in _NORMAL_BY:
        reach = patient.baseline["hemoglobin"] + _FASTEST["hemoglobin"] * _NORMAL_BY[patient.course]
        goal["hemoglobin"] = max(min(goal["hemoglobin"], reach), _normal(patient, "hemoglobin")[0] * 1.035)
    goal["leucocytes"] = goal["neutrophils"] / float(rng.uniform(*_SHARE_OF_NEUTROPHILS))
    # A value that is normal at baseline stays near itself.
    for name in _NORMAL:
        low, high = _normal(patient, name)
        value = patient.baseline.get(name)
        if (
            value is not None
            and low * 1.08 <= value <= high * 0.92
            and name not in ("leucocytes", "neutrophils")
        ):
            goal[name] = value
    return goal


def _toward(name: str, start: float, goal: float, share: float) -> float:
    if name in _LOGARITHMIC:
        return float(np.exp((1 - share) * np.log(start + 0.01) + share * np.log(goal + 0.01)) - 0.01)
    return (1 - share) * start + share * goal


def _complete(
    patient: Patient, goal: dict[str, float], names: list[str], rng: np.random.Generator
) -> dict[str, float]:
    values = {}
    for name in names:
        low, high = _normal(patient, name)
        width = 0.015 if name == "hemoglobin" else 0.05
        values[name] = float(
            np.clip(goal[name] * float(rng.uniform(1 - width, 1 + width)), low * 1.03, high * 0.97)
        )
    values["temperature"] = float(rng.uniform(36.2, 36.9))
    return values


def _partial(
    patient: Patient,
    goal: dict[str, float],
    when: tuple[str, int],
    fortune: float,
    names: list[str],
    rng: np.random.Generator,
) -> dict[str, float]:
    b, values = patient.baseline, {}
    visit, day = when
    for name in names:
        share = (_SLOW_RECOVERY if name == "hemoglobin" else _RECOVERY)[visit]
        if name == "hemoglobin" and patient.course in _NORMAL_BY:
            # On the way to normal by the recorded day, not in one leap.
            share = min(day / _NORMAL_BY[patient.course], 0.95)
        share = float(np.clip(share + 0.04 * rng.standard_normal(), 0, 0.98))
        values[name] = _toward(name, b[name], goal[name], share) * float(rng.uniform(0.985, 1.015))
    low, high = _FERRITIN_LEFT[visit]
    raised = _STILL_RAISED[0] + fortune * (_STILL_RAISED[1] - _STILL_RAISED[0])
    # Never less than raised, never less of a fall than a third.
    values["ferritin"] = min(
        max(b["ferritin"] * (low + fortune * (high - low)), raised), b["ferritin"] * 0.66
    )
    values["ferritin"] = max(values["ferritin"], 318.0 + 30 * fortune)
    if b["triglycerides"] >= 1.7:
        values["triglycerides"] = min(
            values["triglycerides"], b["triglycerides"] * float(rng.uniform(0.55, 0.68))
        )
    if "scd25" in names:
        values["scd25"] = min(values["scd25"], b["scd25"] * float(rng.uniform(0.5, 0.66)))
    if b["alt"] > 400:
        values["alt"] = min(values["alt"], b["alt"] * float(rng.uniform(0.3, 0.44)))
    values["temperature"] = float(rng.uniform(36.4, 37.2))
    return values


_LESS_IS_BETTER = ("ast", "alt", "ldh", "triglycerides", "ferritin", "scd25")


def _unchanged(patient: Patient, late: float, names: list[str], rng: np.random.Generator) -> dict[str, float]:
    """Slight improvement, every response marker within a fifth of baseline; `late` in 0..1 is time passed."""
    b, values = patient.baseline, {}
    for name in names:
        slight = float(rng.uniform(-0.04, 0.06) + 0.1 * late)
        if name in ("crp", "esr"):
            values[name] = b[name] * float(rng.uniform(0.5, 0.9) - 0.2 * late)
        elif name in _LESS_IS_BETTER:
            values[name] = b[name] * (1 - slight)
        elif name in ("leucocytes", "neutrophils"):
            values[name] = b[name] * (1 + 0.5 * slight) if b[name] >= 0.1 else b[name]
        else:
            values[name] = b[name] * (1 + slight * (0.4 if name == "hemoglobin" else 1.0))
    fever = 37.6 + (b["temperature"] - 37.6) * (0.55 - 0.4 * late)
    values["temperature"] = fever + float(rng.uniform(-0.15, 0.15))
    return values


def _worse(patient: Patient, late: float, names: list[str], rng: np.random.Generator) -> dict[str, float]:
    """The course of a patient who dies; `late` in 0..1 is the share of the time to death that has passed."""
    b, values = patient.baseline, {}
    for name in names:
        change = late * float(rng.uniform(0.3, 0.6))
        values[name] = b[name] * (
            1 + change if name in (*_LESS_IS_BETTER, "crp", "esr") else 1 - 0.7 * change
        )
    values["hemoglobin"] = b["hemoglobin"] * (1 - 0.15 * late)
    values["temperature"] = float(rng.uniform(38.4, 39.6))
    return values


def _rounded(values: dict[str, float]) -> dict[str, float]:
    if "neutrophils" in values:
        values["neutrophils"] = min(values["neutrophils"], 0.96 * values["leucocytes"])
    return {name: max(round(float(v), DECIMALS[name]), 0.0) for name, v in values.items()}


def treated_course(patient: Patient, rng: np.random.Generator) -> list[Course]:
    """Assessments of one treated patient after baseline, as long as alive."""
    goal, fortune = _health(patient, rng), float(rng.random())
    names = [n for n in patient.baseline if n not in ("age", "splenomegaly", "esr")]
    plan = _treated_plan(patient, rng)
    spleen_gone = int(rng.integers(1, 4))
    found: list[Course] = []
    for k, (visit, day, call) in enumerate(plan):
        if patient.death_day is not None and day >= patient.death_day:
            continue
        if call == "CR":
            values = _complete(patient, goal, names, rng)
        elif call == "PR":
            values = _partial(patient, goal, (visit, day), fortune, names, rng)
        elif patient.course == "died":
            values = _worse(patient, day / (patient.death_day or day), names, rng)
        else:
            values = _unchanged(patient, day / 60, names, rng)
        before = found[-1] if found else Course("baseline", 0, "", patient.baseline)
        _slowed(values, before, day, call, patient)
        cleared = call == "CR" or visit == "week_8" or (call == "PR" and k >= spleen_gone)
        values |= _spleen(patient, visit, cleared, found)
        if "esr" in patient.baseline and visit == "week_8":
            values["esr"] = float(rng.uniform(4, 16)) if call != "NR" else patient.baseline["esr"] * 0.8
        if "crp" in values and call == "NR" and rng.random() < 0.15:
            values.pop("crp")
        found.append(Course(visit, day, call, _rounded(values)))
    return found


def _treated_plan(patient: Patient, rng: np.random.Generator) -> list[tuple[str, int, str]]:
    """Visit, day and response of each assessment of a treated patient."""
    plan = []
    if patient.early_response or (patient.responder and rng.random() < 0.25):
        plan.append(("day_3", 3, "PR" if patient.early_response else "NR"))
    jitter = {"week_1": 2, "week_2": 2, "week_3": 2, "week_8": 4}
    for (visit, day), call in zip(VISIT_DAYS.items(), patient.calls, strict=True):
        plan.append((visit, day + int(rng.integers(-jitter[visit], jitter[visit] + 1)), call))
    return plan


def _slowed(values: dict[str, float], before: Course, day: int, call: str, patient: Patient) -> None:
    """Hold values back that would rise faster than marrow can; a complete remission is normal anyhow."""
    for name, gain in _FASTEST.items():
        # Haemoglobin of a complete remission is on its way there already.
        least = _normal(patient, name)[0] * 1.04 if call == "CR" else 0.0
        if name == "platelets" or call != "CR":
            values[name] = min(values[name], max(before.values[name] + gain * (day - before.day), least))


def _spleen(patient: Patient, visit: str, cleared: bool, before: list[Course]) -> dict[str, float]:
    """Whether the spleen is enlarged; once it is not, it stays so."""
    if patient.signs.get("splenomegaly") == "yes":
        gone = cleared or (before and before[-1].values.get("splenomegaly") == 0)
        return {"splenomegaly": 0.0 if gone else 1.0}
    return {"splenomegaly": 0.0} if visit == "week_8" else {}


_CONTROL_FOLLOW_UP = (
    "temperature",
    "leucocytes",
    "neutrophils",
    "hemoglobin",
    "platelets",
    "ast",
    "alt",
    "ferritin",
    "crp",
)


def control_course(patient: Patient, latent_ferritin: float, rng: np.random.Generator) -> list[Course]:
    """Sparse assessments of one control; ferritin follows a latent value that a reporting limit may hide."""
    goal = _health(patient, rng)
    found: list[Course] = []
    pace = float(rng.uniform(0.6, 1.1))
    for visit, day in VISIT_DAYS.items():
        day += int(rng.integers(-2, 3))
        if (patient.death_day is not None and day >= patient.death_day) or rng.random() < 0.3:
            continue
        names = [n for n in _CONTROL_FOLLOW_UP if n in patient.baseline]
        if patient.death_day is not None:
            late = day / patient.death_day
            values, factor = _worse(patient, late, names, rng), 1 + 0.5 * late
        else:
            share = {"week_1": 0.15, "week_2": 0.3, "week_3": 0.42, "week_8": 0.8}[visit] * pace
            values = {
                n: _toward(
                    n, patient.baseline[n], goal[n], min(share * (0.5 if n == "hemoglobin" else 1), 0.98)
                )
                * float(rng.uniform(0.94, 1.06))
                for n in names
            }
            values["temperature"] = _toward(
                "temperature", patient.baseline["temperature"], 36.8, min(share + 0.3, 1)
            )
            factor = float(np.exp(-3 * share))
        values["ferritin"] = latent_ferritin * factor
        values = _rounded(values)
        keep = [
            n
            for n in values
            if n in ("leucocytes", "neutrophils", "hemoglobin", "platelets") or rng.random() < 0.65
        ]
        found.append(Course(visit, day, "", {n: values[n] for n in keep}))
    return found
