"""Diagnosis of MAS and Still's disease, refractoriness and eligibility, each with the evidence behind it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.clinical.criteria_files import Directory
from helpers.clinical.definitions import Criteria, Score, load_criteria
from helpers.clinical.engine import VERDICTS, Evaluation, ScoreEvaluation, evaluate, evaluate_score
from helpers.clinical.errors import ClinicalError, require_columns
from helpers.clinical.facts import Facts, FloatArray, ReferenceRange, StateArray
from helpers.clinical.steroids import TOLERANCE, Overlap, daily_glucocorticoid_dose, default_equivalents

DIAGNOSTIC_CRITERIA = ("hlh_2004", "hlh_2004_paper", "hscore", "eular_acr_printo_2016", "yamaguchi_1992")


@cache
def default_reference_ranges() -> Mapping[str, ReferenceRange]:
    """Read the limits of normal that come with the package; unverified, a study should give its own."""
    file = resources.files("helpers.clinical") / "criteria" / "reference_ranges.toml"
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        name: ReferenceRange(**{side: float(limit) for side, limit in entry.items()})
        for name, entry in data["ranges"].items()
    }


def hscore_probability(score: npt.ArrayLike) -> tuple[FloatArray, npt.NDArray[np.object_]]:
    """Probability in percent of the syndrome at an HScore, and its qualifier ("<", ">" or "").

    Equals the printed table at its 17 points (Fardet 2014). Between them the figure is a straight line
    between the neighbours, which is ours and not printed; at and below 90, and above it up to 100, "<1";
    from 240 ">99" beyond.
    """
    table = _hscore().probability
    points = np.array([point for point, _ in table])
    percent = np.array([float(text.strip("<>")) for _, text in table])
    scores = np.asarray(score, dtype=float)
    value = np.where(np.isnan(scores), np.nan, np.interp(scores, points, percent))
    qualifier = np.full(scores.shape, "", dtype=object)
    qualifier[scores < points[1]] = "<"
    qualifier[scores > points[-2]] = ">"
    return value, qualifier


@cache
def _hscore() -> Score:
    score = load_criteria("hscore")
    assert isinstance(score, Score)
    return score


def with_granulocyte_fraction(facts: Facts) -> Facts:
    """Add granulocyte_fraction (%), neutrophils of leucocytes, where none is recorded."""
    neutrophils, leucocytes = facts.columns.get("neutrophils"), facts.columns.get("leucocytes")
    if "granulocyte_fraction" in facts.columns or neutrophils is None or leucocytes is None:
        return facts
    usable = (neutrophils.qualifier == 0) & (leucocytes.qualifier == 0) & (leucocytes.value > 0)
    share = np.full(len(facts), np.nan)
    np.divide(100.0 * neutrophils.value, leucocytes.value, out=share, where=usable)
    return facts.with_column(
        "granulocyte_fraction", share, unit="%", day=neutrophils.day, source_row=neutrophils.source_row
    )


def evaluate_by_name(
    name: str,
    facts: Facts,
    *,
    extra_directories: Iterable[Directory] = (),
    settings: Mapping[str, Any] | None = None,
    missing: str | None = None,
) -> Evaluation | ScoreEvaluation:
    """Load a criteria set or score, the package's or a study's own, and evaluate it on `facts`."""
    criteria = load_criteria(name, extra_directories=extra_directories, settings=settings)
    facts = with_granulocyte_fraction(facts)
    if isinstance(criteria, Criteria):
        return evaluate(criteria, facts, missing=missing)
    return evaluate_score(criteria, facts, missing=missing)


def hscore(facts: Facts, *, missing: str | None = None) -> pd.DataFrame:
    """HScore of each patient-visit: score, attainable range, items present, verdict and probability.

    Columns of `ScoreEvaluation.frame`, and probability_percent with probability_qualifier (of the score as
    it stands, missing items giving no points), probability_method.
    """
    result = evaluate_score(_hscore(), facts, missing=missing).frame()
    value, qualifier = hscore_probability(result["score"].to_numpy())
    printed = np.isin(result["score"], [point for point, _ in _hscore().probability])
    result["probability_percent"] = value
    result["probability_qualifier"] = qualifier
    result["probability_method"] = np.where(printed, "printed table", "interpolated, not printed")
    return result


def any_verdict(verdicts: Iterable[StateArray]) -> StateArray:
    """Verdict "met by at least one": 1 met, 0 met by none, -1 undetermined."""
    stack = np.array(list(verdicts))
    result = np.where((stack == 1).any(axis=0), 1, np.where((stack == 0).all(axis=0), 0, -1))
    return result.astype(np.int8)


def mas_diagnosis(
    facts: Facts,
    *,
    by: Iterable[str] = ("hlh_2004_paper", "hscore"),
    extra_directories: Iterable[Directory] = (),
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    missing: str | None = None,
) -> pd.DataFrame:
    """MAS by at least one of several criteria (the paper: HLH-2004 as changed, or HScore of 169 or more).

    `settings` holds overrides by criteria name. Returns the keys, one verdict column a criteria set and
    `mas`.
    """
    folders, verdicts = list(extra_directories), {}
    for name in by:
        chosen = (settings or {}).get(name)
        evaluation = evaluate_by_name(
            name, facts, extra_directories=folders, settings=chosen, missing=missing
        )
        verdicts[name] = evaluation.verdict
    frame = facts.keys.copy()
    for name, verdict in verdicts.items():
        frame[name] = VERDICTS[verdict]
    frame["mas"] = VERDICTS[any_verdict(verdicts.values())]
    return frame


def cohen_kappa(both: int, first_only: int, second_only: int, neither: int) -> float:
    """Cohen's kappa of a two-by-two table (Cohen 1960); NaN when chance agreement is complete."""
    n = both + first_only + second_only + neither
    if n == 0:
        return float("nan")
    observed = (both + neither) / n
    first, second = (both + first_only) / n, (both + second_only) / n
    chance = first * second + (1 - first) * (1 - second)
    return float("nan") if chance == 1 else (observed - chance) / (1 - chance)


def criteria_agreement(verdicts: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Pairwise agreement of verdict columns ("met", "not met", "undetermined").

    One row a pair: criteria_a, criteria_b, both_met, a_only, b_only, neither, undetermined (by either, left
    out of the rest), agreement (share) and kappa.
    """
    rows = []
    for first, second in combinations(names, 2):
        a, b = verdicts[first], verdicts[second]
        known = a.isin(["met", "not met"]) & b.isin(["met", "not met"])
        yes_a, yes_b = a[known] == "met", b[known] == "met"
        counts = [
            int((yes_a & yes_b).sum()),
            int((yes_a & ~yes_b).sum()),
            int((~yes_a & yes_b).sum()),
            int((~yes_a & ~yes_b).sum()),
        ]
        n = sum(counts)
        share = (counts[0] + counts[3]) / n if n else float("nan")
        rows.append([first, second, *counts, int((~known).sum()), share, cohen_kappa(*counts)])
    columns = [
        "criteria_a",
        "criteria_b",
        "both_met",
        "a_only",
        "b_only",
        "neither",
        "undetermined",
        "agreement",
        "kappa",
    ]
    return pd.DataFrame(rows, columns=columns)


def longest_runs(doses: pd.DataFrame, column: str, at_least: float, *, before_day: int = 0) -> pd.DataFrame:
    """Longest run of consecutive days before `before_day` with a dose of at least `at_least`.

    Returns one row for each patient with a dose row before that day: patient_id, run_days (0 if none),
    first_day, last_day and lowest (smallest dose in the run).
    """
    before = doses[doses["day"] < before_day].sort_values(["patient_id", "day"])
    rows = []
    for patient, part in before.groupby("patient_id"):
        high = part[part[column] >= at_least - TOLERANCE * max(1.0, at_least)]
        run = (high["day"].diff() != 1).cumsum()
        if high.empty:
            rows.append([patient, 0, np.nan, np.nan, np.nan])
            continue
        sizes = run.value_counts(sort=False)
        # The latest of equally long runs: it is the one closest to the decision on day 0.
        longest = high[run == sizes[sizes == sizes.max()].index.max()]
        days = longest["day"]
        rows.append([patient, len(longest), days.iloc[0], days.iloc[-1], longest[column].min()])
    columns = ["patient_id", "run_days", "first_day", "last_day", "lowest"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], float))


def refractoriness(
    patients: pd.DataFrame,
    doses: pd.DataFrame,
    treatments: pd.DataFrame,
    weights: pd.DataFrame | Mapping[str, float] | pd.Series,
    *,
    prior_response: Mapping[str, bool] | None = None,
    record_complete: bool = True,
    overlap: Overlap = "add",
    body_surface_m2: Mapping[str, float] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> tuple[Evaluation, pd.DataFrame]:
    """Refractoriness on day 0 by dose and time, pulse, or recurrence on tapering.

    `doses` is the daily dose table; the pulse is read from intravenous rows of `treatments` alone (`overlap`
    and `body_surface_m2` as in `daily_glucocorticoid_dose`; unknown drugs are passed over). A text in
    patients.refractory_reason that names a taper, recurrence, relapse or flare counts as recurrence. With
    `record_complete=False` a run that begins with the first recorded day may have begun earlier: its length
    is then a lower limit. A patient without any dose before day 0 is not done.

    Returns the evaluation (one row a patient) and the runs behind it: patient_id, kind, run_days, first_day,
    last_day, lowest, source_rows of the treatments given during the run.
    """
    require_columns(patients, "patients", ["patient_id", "followup_days"])
    criteria = load_criteria("refractory_mas", settings=settings)
    assert isinstance(criteria, Criteria)
    choice = {name: setting.value for name, setting in criteria.settings.items()}
    iv_doses = daily_glucocorticoid_dose(
        treatments[treatments["route"] == "iv"],
        weights,
        last_day=patients.set_index("patient_id")["followup_days"],
        overlap=overlap,
        unknown_drugs="ignore",
        body_surface_m2=body_surface_m2,
    )
    steroids = treatments[treatments["drug"].isin(list(default_equivalents().mg))]
    found = {
        "high dose": _Runs(
            longest_runs(doses, "mg_per_kg", float(choice["high_dose_mg_per_kg"])), _by_patient(steroids)
        ),
        "pulse": _Runs(
            longest_runs(iv_doses, "prednisone_mg", float(choice["pulse_prednisone_mg"])),
            _by_patient(steroids[steroids["route"] == "iv"]),
        ),
    }
    facts = Facts(patients[["patient_id"]].assign(visit=None, day=0.0).reset_index(drop=True), {})
    for kind, variable in (("high dose", "high_dose_run"), ("pulse", "pulse_run")):
        facts = _with_run(facts, variable, found[kind], doses, record_complete=record_complete)
    facts = facts.with_column("recurrence_on_taper", _recurrence(patients), table="patients")
    if prior_response is not None:
        earlier = patients["patient_id"].map(dict(prior_response)).astype("Float64")
        value = earlier.to_numpy(dtype=float, na_value=np.nan)
        facts = facts.with_column("prior_response", value, table="responses")
    return evaluate(criteria, facts), _with_source_rows(found)


@dataclass(frozen=True)
class _Runs:
    """Each patient's longest run of one kind, and the treatments that it may come from."""

    longest: pd.DataFrame
    treatments: Mapping[Any, list[tuple[float, float, int]]]


def _with_source_rows(found: Mapping[str, _Runs]) -> pd.DataFrame:
    """All runs, each with its kind and the rows of the treatments given during it."""
    kinds = [runs.longest.assign(kind=kind) for kind, runs in found.items() if len(runs.longest)]
    table = pd.concat(kinds, ignore_index=True) if kinds else found["high dose"].longest.assign(kind="")
    table["source_rows"] = [
        _rows_during(run, found[str(run.kind)].treatments if run.kind else {}) for run in table.itertuples()
    ]
    return table


def _with_run(
    facts: Facts, variable: str, runs: _Runs, doses: pd.DataFrame, *, record_complete: bool
) -> Facts:
    """Add the length of each patient's longest run."""
    patients = facts.keys["patient_id"]
    indexed = runs.longest.set_index("patient_id").reindex(patients)
    # No dose on record before day 0 is not the same as no glucocorticoid.
    known = patients.isin(set(doses.loc[doses["day"] < 0, "patient_id"])).to_numpy()
    days = np.where(known, np.nan_to_num(indexed["run_days"].to_numpy(dtype=float)), np.nan)
    begin = doses.groupby("patient_id")["day"].min().reindex(patients).to_numpy(dtype=float)
    cut = (indexed["first_day"].to_numpy(dtype=float) == begin) & (not record_complete)
    return facts.with_column(
        variable, days, unit="d", qualifier=cut.astype(np.int8), table="treatments",
        day=indexed["last_day"].to_numpy(dtype=float), source_row=_first_rows(indexed, runs.treatments),
    )  # fmt: skip


def _by_patient(treatments: pd.DataFrame) -> dict[Any, list[tuple[float, float, int]]]:
    """First day, last day (without end: infinite) and source row of each patient's treatments."""
    if "source_row" not in treatments:
        return {}
    start = treatments["start_day"].to_numpy(dtype=float)
    stop = treatments["stop_day"].astype("Float64").fillna(np.inf).to_numpy(dtype=float)
    found: dict[Any, list[tuple[float, float, int]]] = {}
    for patient, first, last, row in zip(
        treatments["patient_id"], start, stop, treatments["source_row"], strict=True
    ):
        found.setdefault(patient, []).append((float(first), float(last), int(row)))
    return found


def _rows_during(run: Any, treatments: Mapping[Any, list[tuple[float, float, int]]]) -> str:
    if np.isnan(run.first_day):
        return ""
    given = treatments.get(run.patient_id, [])
    rows = sorted(row for first, last, row in given if first <= run.last_day and last >= run.first_day)
    return ", ".join(map(str, rows))


def _first_rows(runs: pd.DataFrame, treatments: Mapping[Any, list[tuple[float, float, int]]]) -> FloatArray:
    rows = [_rows_during(run, treatments) for run in runs.reset_index().itertuples()]
    return np.array([float(text.split(",")[0]) if text else np.nan for text in rows])


def _recurrence(patients: pd.DataFrame) -> FloatArray:
    if "refractory_reason" not in patients:
        return np.full(len(patients), np.nan)
    reason = patients["refractory_reason"].fillna("").astype(str).str.lower()
    found = reason.str.contains("taper|recur|relaps|flare").to_numpy(dtype=float)
    return np.where(reason == "", np.nan, found)


def eligibility(
    patients: pd.DataFrame,
    facts: Facts,
    mas: pd.DataFrame,
    refractory: Evaluation,
    *,
    settings: Mapping[str, Any] | None = None,
) -> Evaluation:
    """The paper's inclusion and exclusion rules at baseline: one row a patient, each item with its evidence.

    `facts` are the baseline facts, `mas` the frame of `mas_diagnosis` on them, `refractory` from
    `refractoriness`. Tumour, central nervous system infection and pregnancy are read from yes/no columns of
    `patients` (malignancy, cns_infection, pregnancy) and count as absent, and not done, where there are
    none.
    """
    order = pd.Index(patients["patient_id"])
    own = np.full(len(facts), -1) if facts.baseline_row is None else facts.baseline_row
    at_baseline = np.flatnonzero(own == np.arange(len(facts)))
    rows = pd.Index(facts.keys["patient_id"].iloc[at_baseline])
    if rows.has_duplicates or not order.isin(rows).all():
        raise ClinicalError("eligibility: facts need one baseline row for every patient")
    chosen = at_baseline[rows.get_indexer(order)]
    base = Facts(
        facts.keys.iloc[chosen].reset_index(drop=True),
        {name: column.take(chosen) for name, column in facts.columns.items()},
        np.arange(len(chosen)),
        None if facts.sex is None else facts.sex[chosen],
        facts.ranges,
    )
    to_number = {"met": 1.0, "not met": 0.0, "undetermined": np.nan}
    diagnosed = mas["mas"].iloc[chosen].map(to_number).to_numpy(dtype=float)
    base = base.with_column("mas_diagnosis", diagnosed)
    failed = pd.Series(VERDICTS[refractory.verdict], index=refractory.facts.keys["patient_id"]).map(to_number)
    base = base.with_column("refractory", failed.reindex(order).to_numpy(dtype=float))
    recorded = patients["diagnosis"].notna() & (patients["diagnosis"].astype(str).str.strip() != "")
    base = base.with_column("rheumatic_disease", recorded.to_numpy(dtype=float), table="patients")
    criteria = load_criteria("eligibility_paper", settings=settings)
    assert isinstance(criteria, Criteria)
    return evaluate(criteria, base)
