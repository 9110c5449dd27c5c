"""Daily doses and what is read from them, beside loops over every patient and day."""

import numpy as np
import pandas as pd
import pytest

from helpers.clinical.dose_stretches import stretches_of, weights_of
from helpers.clinical.steroids import (
    DOSE_COLUMNS,
    TOLERANCE,
    cumulative_dose,
    daily_glucocorticoid_dose,
    time_to_dose_at_most,
    weekly_dose,
)

COLUMNS = ["patient_id", "drug", "start_day", "stop_day", "dose", "unit", "route", "times_per_day"]
FACTORS = {"prednisone": 1.0, "methylprednisolone": 1.25, "dexamethasone": 5 / 0.75}


def drawn(seed):
    """Courses that overlap, repeat, lie apart and begin after the last day; weights known now and then."""
    rng = np.random.default_rng(seed)
    patients = [f"P{n}" for n in range(int(rng.integers(1, 5)))]
    rows = []
    for _ in range(int(rng.integers(0, 18))):
        start = int(rng.integers(-15, 35))
        stop = None if rng.random() < 0.2 else start + int(rng.integers(0, 12))
        dose, unit = float(rng.integers(0, 80)), str(rng.choice(["mg", "g", "mg/kg"]))
        drug, route = str(rng.choice(list(FACTORS))), str(rng.choice(["iv", "po"]))
        rows.append([str(rng.choice(patients)), drug, start, stop, dose, unit, route, 2.0])
    size = int(rng.integers(0, 8))
    weights = pd.DataFrame(
        {
            "patient_id": rng.choice(patients, size),
            "day": rng.integers(-10, 40, size),
            "weight_kg": rng.integers(30, 90, size).astype(float),
        }
    )
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"start_day": "int64", "stop_day": "Float64"})
    return table, weights, {patient: float(rng.integers(-3, 45)) for patient in patients}


def weight_on(day, own):
    """The weight in force, by looking through all of them."""
    before = [(d, n) for n, d in enumerate(own["day"]) if d <= day]
    if before:
        return float(own["weight_kg"].iloc[max(before)[1]])
    first = min(((d, n) for n, d in enumerate(own["day"])), default=None)
    return np.nan if first is None else float(own["weight_kg"].iloc[first[1]])


def dose_on(day, courses, overlap):
    """Prednisone equivalent of one patient and day in mg and in mg/kg ordered."""
    on = [c for c in courses if c.start_day <= day and (pd.isna(c.stop_day) or day <= c.stop_day)]
    kinds = {}
    for course in on:
        amount = course.dose * course.times_per_day * FACTORS[course.drug]
        amount *= 1000 if course.unit == "g" else 1
        pair = (0.0, amount) if course.unit == "mg/kg" else (amount, 0.0)
        kinds.setdefault((course.drug, course.route), []).append((course.start_day, pair))
    total = [0.0, 0.0]
    for given in kinds.values():
        if overlap == "latest":
            given = [one for one in given if one[0] == max(start for start, _ in given)]
        for place in (0, 1):
            amounts = [pair[place] for _, pair in given]
            total[place] += max(amounts) if overlap == "max" else sum(amounts)
    return total


def by_loop(table, weights, last, overlap, after):
    """The whole table of daily doses, day by day."""
    rows = []
    for patient in sorted(set(table["patient_id"])):
        end = int(last[patient])
        courses = [c for c in table.itertuples() if c.patient_id == patient and c.start_day <= end]
        if not courses:
            continue
        stops = [end if pd.isna(c.stop_day) else min(end, int(c.stop_day)) for c in courses]
        until = end if after == "zero" else max(stops)
        for day in range(min(c.start_day for c in courses), until + 1):
            weight = weight_on(day, weights[weights["patient_id"] == patient])
            mg, mg_kg = dose_on(day, courses, overlap)
            rows.append(
                [
                    patient, day, mg + mg_kg * weight if mg_kg else mg, weight,
                    mg / weight + mg_kg if mg else mg_kg,
                ]
            )  # fmt: skip
    return pd.DataFrame(rows, columns=DOSE_COLUMNS)


@pytest.mark.parametrize("overlap", ["latest", "add", "max"])
@pytest.mark.parametrize("after", ["zero", "end"])
def test_daily_doses_are_those_of_a_loop_over_days(overlap, after):
    for seed in range(25):
        table, weights, last = drawn(seed)
        found = daily_glucocorticoid_dose(
            table, weights, last_day=last, overlap=overlap, after_last_course=after
        )
        expected = by_loop(table, weights, last, overlap, after)
        assert list(zip(found["patient_id"], found["day"], strict=True)) == list(
            zip(expected["patient_id"], expected["day"], strict=True)
        )
        for column in DOSE_COLUMNS[2:]:
            assert found[column].to_numpy(float) == pytest.approx(
                expected[column].to_numpy(float), nan_ok=True, rel=1e-12
            )


def reached_by_loop(doses, threshold, hold):
    """First day of the first run of days that lasts, patient by patient."""
    found = {}
    for patient in sorted(set(doses["patient_id"])):
        own = doses[doses["patient_id"] == patient].sort_values("day")
        low = {d: v <= threshold + TOLERANCE for d, v in zip(own["day"], own["mg_per_kg"], strict=True)}
        for day in own["day"]:
            if day >= 0 and low[day] and all(low.get(day + more, False) for more in range(hold)):
                found[patient] = float(day)
                break
    return found


@pytest.mark.parametrize("hold", [1, 3])
def test_the_time_to_a_low_dose_is_that_of_a_loop_and_needs_no_order(hold):
    for seed in range(25):
        table, _, last = drawn(seed)
        doses = daily_glucocorticoid_dose(table, dict.fromkeys(last, 50.0), last_day=last)
        patients = pd.DataFrame(
            {"patient_id": list(last), "followup_days": list(last.values()), "died": [True] * len(last)}
        )
        expected = reached_by_loop(doses, 0.5, hold)
        shuffled = doses.sample(frac=1, random_state=seed).astype({"patient_id": object})
        for frame in (doses, shuffled):
            found = time_to_dose_at_most(frame, patients, 0.5, hold_days=hold)
            assert found["time"].tolist() == [expected.get(p, last[p]) for p in last]
            assert found["status"].tolist() == [1 if p in expected else 2 for p in last]


def test_patients_without_a_row_of_the_days_asked_are_no_groups():
    names = pd.Categorical(["a"] * 3 + ["c"], categories=["a", "b", "c"])
    doses = pd.DataFrame({"patient_id": names, "day": [0, 1, 2, 9], "prednisone_mg": [10.0, 20.0, 30.0, 5.0]})
    doses = doses.assign(weight_kg=50.0, mg_per_kg=doses["prednisone_mg"] / 50)
    week = weekly_dose(doses, 2)
    assert week["patient_id"].tolist() == ["a", "c"]
    assert week["status"].tolist() == ["observed", "not followed"]
    total = cumulative_dose(doses, days=3)
    assert total["patient_id"].tolist() == ["a", "c"]
    assert total["n_days"].tolist() == [3, 0]


def test_stretches_hold_every_day_once_and_nothing_changes_inside():
    rng = np.random.default_rng(4)
    for _ in range(50):
        courses = pd.DataFrame({"patient": rng.integers(0, 3, 6), "first": rng.integers(-9, 9, 6)})
        courses["last"] = courses["first"] + rng.integers(0, 9, 6)
        span = courses.groupby("patient", as_index=False).agg(first=("first", "min"), last=("last", "max"))
        changes = pd.DataFrame({"patient": span["patient"], "day": 2, "weight_kg": 50.0})
        found = stretches_of(courses, span, changes)
        owner, day = np.repeat(found.patient, found.days), found.each_day()
        every = [(s.patient, d) for s in span.itertuples() for d in range(s.first, s.last + 1)]
        assert list(zip(owner, day, strict=True)) == every
        number = np.repeat(np.arange(found.days.size), found.days)
        row, stretch = found.within(courses)
        for course, one in zip(row, stretch, strict=True):
            inside = day[number == one]
            assert inside.min() >= courses["first"][course]
            assert inside.max() <= courses["last"][course]
        covered = np.bincount(row, found.days[stretch], minlength=6)
        assert covered.tolist() == (courses["last"] - courses["first"] + 1).tolist()
        assert (weights_of(found, changes) == 50.0).all()
