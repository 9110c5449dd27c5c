"""Which criteria of MAS each patient meets at baseline, how far they agree, refractoriness, eligibility."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.clinical import by_group, clinical_facts, own_criteria, own_folders
from helpers.analysis.summary import store_share, store_summary
from helpers.clinical.diagnosis import (
    criteria_agreement,
    eligibility,
    evaluate_by_name,
    hscore_probability,
    mas_diagnosis,
    refractoriness,
)
from helpers.clinical.engine import VERDICTS, Evaluation, ScoreEvaluation
from helpers.clinical.errors import ClinicalError
from helpers.clinical.facts import Facts
from helpers.clinical.rules import STATE_NAMES
from helpers.results.store import slug

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS, AGREEMENT, ELIGIBILITY, REFRACTORY = (
    "diagnosis",
    "criteria_agreement",
    "eligibility",
    "refractoriness",
)
SCORE = "hscore"
STATES = {"met": "met", "not met": "not_met", "undetermined": "undetermined"}
ITEM_STATES = {**STATES, "not done": "not_done"}
WHEN: dict[str, Any] = {"timepoint": "baseline", "unit": "patients"}


@dataclass(frozen=True)
class Diagnoses:
    """Verdicts of every criteria set on every patient at baseline.

    Attributes:
        facts: what is known of the patients at the visits.
        verdicts: patient_id, group, one column a criteria set: met, not met, undetermined.
        titles: title of each criteria set.
        scores: patient_id, group, score, score_highest, items_present, items_total, probability_percent,
            probability_qualifier of the HScore; empty where it was not evaluated.
        cutoff: HScore from which the syndrome is assumed.
        absent: criteria sets that could not be evaluated at all, with the reason.
        folders: the site's own folder of criteria.
    """

    facts: Facts
    verdicts: pd.DataFrame
    titles: dict[str, str]
    scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    cutoff: float = np.nan
    absent: dict[str, str] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()

    @property
    def decided(self) -> list[str]:
        """Names of the criteria sets that give at least one patient a verdict."""
        known = self.verdicts[list(self.titles)].isin(["met", "not met"]).any()
        return [name for name in self.titles if known[name]]


def baseline_rows(facts: Facts) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell which rows of the facts are a patient's baseline."""
    own = np.full(len(facts), -1) if facts.baseline_row is None else facts.baseline_row
    return np.asarray(own == np.arange(len(facts)))


def diagnose(tables: AnalysisTables, config: CohortConfig, folder: Path) -> Diagnoses:
    """Evaluate the configured criteria, and those of the cohort's own ``criteria`` folder, at baseline.

    A set none of whose variables was ever recorded is named in ``absent``, not called unmet.
    """
    facts = clinical_facts(tables, config)
    own = own_criteria(folder, ("criteria", "score"))
    names = [*config.criteria.diagnosis, *[name for name in own if name not in config.criteria.diagnosis]]
    folders, rows = own_folders(folder), baseline_rows(facts)
    verdicts = by_group(facts.keys.loc[rows, ["patient_id"]].reset_index(drop=True), tables)
    titles, absent, scores, cutoff = {}, {}, pd.DataFrame(), np.nan
    for name in names:
        try:
            evaluation = evaluate_by_name(name, facts, extra_directories=folders)
        except ClinicalError as error:
            if "ever recorded" not in str(error):
                raise
            absent[name] = str(error)
            continue
        verdicts[name] = VERDICTS[evaluation.verdict[rows]]
        if isinstance(evaluation, Evaluation):
            titles[name] = evaluation.criteria.title
            continue
        titles[name] = evaluation.score.title
        if name == SCORE:
            scores, cutoff = _scores(evaluation, rows, verdicts), evaluation.score.cutoff.value
    return Diagnoses(facts, verdicts, titles, scores, cutoff, absent, tuple(folders))


def _scores(
    evaluation: ScoreEvaluation, rows: np.ndarray[Any, np.dtype[np.bool_]], verdicts: pd.DataFrame
) -> pd.DataFrame:
    frame = evaluation.frame()[rows].reset_index(drop=True)
    value, qualifier = hscore_probability(frame["score"].to_numpy())
    columns = ["score", "score_highest", "items_present", "items_total"]
    return pd.concat([verdicts[["patient_id", "group"]], frame[columns]], axis=1).assign(
        probability_percent=value, probability_qualifier=qualifier
    )


def describe_diagnoses(
    found: Diagnoses, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> None:
    """Store by group how many meet each criteria set, the HScores, and the agreement of every two sets."""
    for group in config.group_ids:
        mine = found.verdicts[found.verdicts["group"] == group]
        for name in found.titles:
            _store_verdicts(mine[name], name, group, store, confidence)
        if len(found.scores):
            _store_scores(found.scores[found.scores["group"] == group], group, store)
    if len(found.scores):
        store.add(ANALYSIS, SCORE, "cutoff", value=found.cutoff, timepoint="baseline", unit="points",
                  method="cut-off of the score")  # fmt: skip
    for pair in criteria_agreement(found.verdicts, found.decided).to_dict("records"):
        _store_agreement({str(key): value for key, value in pair.items()}, store)


def _store_verdicts(
    verdicts: pd.Series, name: str, group: str, store: StatisticsStore, confidence: float
) -> None:
    common: dict[str, Any] = {"group": group, "n": len(verdicts), **WHEN}
    counts = {state: int((verdicts == word).sum()) for word, state in STATES.items()}
    for state, count in counts.items():
        store.add(ANALYSIS, slug(name), state, value=count, method=f"patients: {name}", **common)
    known = counts["met"] + counts["not_met"]
    if known:
        store_share(
            store, ANALYSIS, slug(name), counts["met"], known, confidence=confidence, group=group,
            timepoint="baseline", statistic="met_percent", of="of the patients with a verdict",
            n_missing=counts["undetermined"],
        )  # fmt: skip


def _store_scores(scores: pd.DataFrame, group: str, store: StatisticsStore) -> None:
    common: dict[str, Any] = {"group": group, "timepoint": "baseline", "n": len(scores)}
    method = "scores, missing items giving no points"
    store_summary(store, ANALYSIS, "hscore_points", scores["score"], unit="points", method=method, **common)
    store_summary(
        store, ANALYSIS, "hscore_highest", scores["score_highest"], unit="points",
        method="highest attainable scores, missing items giving the most points", **common,
    )  # fmt: skip
    store_summary(
        store, ANALYSIS, "hscore_probability", scores["probability_percent"], unit="%",
        qualifiers=scores["probability_qualifier"], **common,
        method="probabilities by the printed table, straight lines between its points",
    )  # fmt: skip
    store_summary(
        store, ANALYSIS, "hscore_items", scores["items_present"], unit="items",
        method=f"items known of {scores['items_total'].max() if len(scores) else 0:g}", **common,
    )  # fmt: skip
    store.add(ANALYSIS, "hscore_items", "total", value=scores["items_total"].max(), unit="items",
              method="items of the score", **common)  # fmt: skip


def _store_agreement(pair: dict[str, Any], store: StatisticsStore) -> None:
    variable = f"{slug(pair['criteria_a'])}_v_{slug(pair['criteria_b'])}"
    counts = ("both_met", "a_only", "b_only", "neither")
    n = sum(int(pair[name]) for name in counts)
    note = f"{pair['criteria_a']}|{pair['criteria_b']}"
    common: dict[str, Any] = {"timepoint": "baseline", "n": n, "n_missing": int(pair["undetermined"])}
    common["note"] = note
    for name in counts:
        store.add(AGREEMENT, variable, name, value=pair[name], unit="patients",
                  method="patients with a verdict by both", **common)  # fmt: skip
    store.add(AGREEMENT, variable, "agreement", value=100 * pair["agreement"], unit="%",
              method="same verdict by both", **common)  # fmt: skip
    store.add(AGREEMENT, variable, "kappa", value=pair["kappa"], method="Cohen's kappa", **common)


@dataclass(frozen=True)
class Eligible:
    """Refractoriness and eligibility of every patient; None with the reason where it cannot be judged."""

    refractory: Evaluation | None
    eligible: Evaluation | None
    runs: pd.DataFrame
    why_not: str = ""


def judge_eligibility(tables: AnalysisTables, found: Diagnoses) -> Eligible:
    """Judge refractoriness on day 0 and the inclusion and exclusion rules of the publication.

    Needs the table of treatments, weights and a diagnosis of each patient.
    """
    patients = tables.patients
    lacking = [name for name in ("treatments",) if name in tables.absent]
    lacking += [f"patients.{name}" for name in ("diagnosis", "weight_kg") if name not in patients]
    if lacking:
        return Eligible(None, None, pd.DataFrame(), f"not recorded: {', '.join(lacking)}")
    if not baseline_rows(found.facts).any():
        return Eligible(None, None, pd.DataFrame(), "no visit on day 0")
    weights = patients.set_index("patient_id")["weight_kg"].dropna().astype(float)
    refractory, runs = refractoriness(
        patients, tables.doses, tables.treatments, weights, prior_response=_prior_response(tables)
    )
    try:
        mas = mas_diagnosis(found.facts)
    except ClinicalError as error:
        return Eligible(refractory, None, runs, str(error))
    return Eligible(refractory, eligibility(patients, found.facts, mas, refractory), runs)


def _prior_response(tables: AnalysisTables) -> dict[str, bool] | None:
    """Return who had a partial or complete remission recorded before day 0, of those with any such call."""
    if "responses" in tables.absent:
        return None
    early = tables.responses[tables.responses["day"] < 0]
    good = early["response"].isin(["CR", "PR"]).groupby(early["patient_id"]).any()
    return {str(patient): bool(value) for patient, value in good.items()} or None


def describe_eligibility(
    judged: Eligible, tables: AnalysisTables, config: CohortConfig, store: StatisticsStore
) -> None:
    """Store by group the state of every item and the verdict, with the reasons why patients fail."""
    parts = {REFRACTORY: judged.refractory, ELIGIBILITY: judged.eligible}
    for analysis, evaluation in parts.items():
        if evaluation is None:
            continue
        groups = by_group(evaluation.facts.keys[["patient_id"]], tables)["group"]
        for group in config.group_ids:
            mine = (groups == group).to_numpy()
            common: dict[str, Any] = {"group": group, "n": int(mine.sum()), **WHEN}
            for word, state in STATES.items():
                count = int((VERDICTS[evaluation.verdict[mine]] == word).sum())
                store.add(analysis, "verdict", state, value=count, method=evaluation.criteria.title, **common)
            for item in evaluation.criteria.items:
                words = [STATE_NAMES[int(code)] for code in evaluation.states[item.id][mine]]
                for word, state in ITEM_STATES.items():
                    store.add(analysis, slug(item.id), state, value=words.count(word),
                              method=f"{item.group}: {item.label}", **common)  # fmt: skip
