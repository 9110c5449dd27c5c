"""Which criteria of MAS each patient meets at baseline, how far they agree, refractoriness, eligibility.

>>> found = diagnose(tables, config, folder)
>>> describe_diagnoses(found, config, store, confidence=0.95)
>>> store.rows()["diagnosis.hlh_2004.ruxolitinib.baseline.met"].value
11.0
>>> judged = judge_eligibility(tables, found, config, folder)
>>> describe_eligibility(judged, tables, config, store)
>>> store.rows()["eligibility.verdict.ruxolitinib.baseline.met"].value
20.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.clinical import (
    DAY0,
    ONSET,
    Rulebook,
    by_group,
    clinical_facts,
    diagnostic_names,
    onset_facts,
)
from helpers.analysis.summary import store_share, store_summary
from helpers.clinical.definitions import Criteria, Score
from helpers.clinical.diagnosis import criteria_agreement, evaluate_loaded, hscore_probability
from helpers.clinical.eligibility import Verdicts, baseline_rows, eligibility
from helpers.clinical.engine import VERDICTS, Evaluation, ScoreEvaluation
from helpers.clinical.equivalents import equivalents_of
from helpers.clinical.errors import NothingRecordedError
from helpers.clinical.facts import Facts
from helpers.clinical.refractoriness import TreatmentHistory, refractoriness
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
    """Verdicts of every criteria set on every patient at one moment.

    Attributes:
        facts: what is known of the patients.
        rows: the rows of the facts that hold the moment, one a patient.
        moment: time point of the statistics: ``baseline`` (day 0) or ``mas_onset``.
        verdicts: patient_id, group, one column a criteria set: met, not met, undetermined.
        evaluations: the evaluation of each criteria set and score on the facts, by name.
        scores: of each score patient_id, group, score, score_highest, items_present, items_total; of the
            HScore also probability_percent and probability_qualifier.
        absent: criteria sets that could not be evaluated at all, with the reason.
        other: the verdicts at the other moment, where the day of it is recorded.
    """

    facts: Facts
    rows: np.ndarray[Any, np.dtype[np.bool_]]
    moment: str
    verdicts: pd.DataFrame
    evaluations: Mapping[str, Evaluation | ScoreEvaluation]
    scored: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    other: Diagnoses | None = None

    @property
    def titles(self) -> dict[str, str]:
        """Title of each criteria set that was evaluated."""
        return {name: _of(found).title for name, found in self.evaluations.items()}

    @property
    def scores(self) -> pd.DataFrame:
        """The HScores; empty where it was not evaluated."""
        return self.scored.get(SCORE, pd.DataFrame())

    @property
    def cutoff(self) -> float:
        """HScore from which the syndrome is assumed; NaN where it was not evaluated."""
        found = self.evaluations.get(SCORE)
        return found.score.cutoff.value if isinstance(found, ScoreEvaluation) else np.nan

    @property
    def decided(self) -> list[str]:
        """Names of the criteria sets that give at least one patient a verdict."""
        known = self.verdicts[list(self.evaluations)].isin(["met", "not met"]).any()
        return [name for name in self.evaluations if known[name]]

    @property
    def pairs(self) -> dict[str, tuple[str, str]]:
        """Titles of every two criteria sets, by the variable under which their agreement is stored."""
        return {
            f"{slug(one)}_v_{slug(other)}": (self.titles[one], self.titles[other])
            for one, other in permutations(self.titles, 2)
        }


def _of(found: Evaluation | ScoreEvaluation) -> Criteria | Score:
    return found.criteria if isinstance(found, Evaluation) else found.score


def diagnose(tables: AnalysisTables, config: CohortConfig, folder: Path) -> Diagnoses:
    """Evaluate the configured criteria, and those of the cohort's own ``criteria`` folder.

    They are evaluated at the moment of the cohort's settings (day 0, or the diagnosis of MAS), and at the
    other where its day is recorded. A set none of whose variables was ever recorded is named in ``absent``,
    not called unmet. Rules of refractoriness and eligibility are no diagnoses.
    """
    rules = Rulebook.of(config, folder)
    names = diagnostic_names(config, folder)
    at_day0 = clinical_facts(tables, config)
    found = {DAY0: _diagnose(names, at_day0, baseline_rows(at_day0), DAY0, tables, rules)}
    at_onset = onset_facts(tables, config)
    if at_onset is not None:
        every = np.ones(len(at_onset), dtype=bool)
        found[ONSET] = _diagnose(names, at_onset, every, ONSET, tables, rules)
    first = config.criteria.moment if config.criteria.moment in found else DAY0
    others = [one for moment, one in found.items() if moment != first]
    return replace(found[first], other=others[0] if others else None)


def _diagnose(
    names: Sequence[str],
    facts: Facts,
    rows: np.ndarray[Any, np.dtype[np.bool_]],
    moment: str,
    tables: AnalysisTables,
    rules: Rulebook,
) -> Diagnoses:
    verdicts = by_group(facts.keys.loc[rows, ["patient_id"]].reset_index(drop=True), tables)
    evaluations: dict[str, Evaluation | ScoreEvaluation] = {}
    absent, scored = {}, {}
    for name in names:
        try:
            evaluation = evaluate_loaded(rules.criteria(name), facts)
        except NothingRecordedError as error:
            absent[name] = str(error)
            continue
        evaluations[name] = evaluation
        verdicts[name] = VERDICTS[evaluation.verdict[rows]]
        if isinstance(evaluation, ScoreEvaluation):
            scored[name] = _scores(evaluation, rows, verdicts[["patient_id", "group"]])
    return Diagnoses(facts, rows, moment, verdicts, evaluations, scored, absent)


def _scores(
    evaluation: ScoreEvaluation, rows: np.ndarray[Any, np.dtype[np.bool_]], patients: pd.DataFrame
) -> pd.DataFrame:
    frame = evaluation.frame()[rows].reset_index(drop=True)
    columns = ["score", "score_highest", "items_present", "items_total"]
    table = pd.concat([patients, frame[columns]], axis=1)
    if evaluation.score.name != SCORE:
        return table
    value, qualifier = hscore_probability(frame["score"].to_numpy())
    return table.assign(probability_percent=value, probability_qualifier=qualifier)


def describe_diagnoses(
    found: Diagnoses, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> None:
    """Store by group how many meet each criteria set, the scores, and the agreement of every two sets.

    At the other moment only the sets that give somebody a verdict are stored.
    """
    moments = [(found, list(found.evaluations))]
    if found.other is not None:
        moments.append((found.other, found.other.decided))
    for one, names in moments:
        for group in config.group_ids:
            mine = one.verdicts[one.verdicts["group"] == group]
            for name in names:
                _store_verdicts(mine[name], name, group, one.moment, store, confidence)
            for name, scores in one.scored.items():
                if name in names:
                    _store_scores(name, scores[scores["group"] == group], group, one.moment, store)
        for name in one.scored:
            if name in names and isinstance(score := one.evaluations[name], ScoreEvaluation):
                store.add(ANALYSIS, slug(name), "cutoff", value=score.score.cutoff.value,
                          timepoint=one.moment, unit="points", method="cut-off of the score")  # fmt: skip
    for pair in criteria_agreement(found.verdicts, found.decided).to_dict("records"):
        _store_agreement({str(key): value for key, value in pair.items()}, found, store)


def _store_verdicts(
    verdicts: pd.Series, name: str, group: str, moment: str, store: StatisticsStore, confidence: float
) -> None:
    common: dict[str, Any] = {"group": group, "n": len(verdicts), **WHEN, "timepoint": moment}
    counts = {state: int((verdicts == word).sum()) for word, state in STATES.items()}
    for state, count in counts.items():
        store.add(ANALYSIS, slug(name), state, value=count, method=f"patients: {name}", **common)
    known = counts["met"] + counts["not_met"]
    if known:
        store_share(
            store, ANALYSIS, slug(name), counts["met"], known, confidence=confidence, group=group,
            timepoint=moment, statistic="met_percent", of="of the patients with a verdict",
            n_missing=counts["undetermined"],
        )  # fmt: skip


def _store_scores(name: str, scores: pd.DataFrame, group: str, moment: str, store: StatisticsStore) -> None:
    common: dict[str, Any] = {"group": group, "timepoint": moment, "n": len(scores)}
    variable = slug(name)
    if name == SCORE:
        method = "scores, missing items giving no points"
        store_summary(
            store, ANALYSIS, f"{variable}_points", scores["score"], unit="points", method=method, **common
        )
        store_summary(
            store, ANALYSIS, f"{variable}_highest", scores["score_highest"], unit="points",
            method="highest attainable scores, missing items giving the most points", **common,
        )  # fmt: skip
        store_summary(
            store, ANALYSIS, f"{variable}_probability", scores["probability_percent"], unit="%",
            qualifiers=scores["probability_qualifier"], **common,
            method="probabilities by the printed table, straight lines between its points",
        )  # fmt: skip
    else:
        known = scores["score"].dropna()
        partly = common | {"n": len(known), "n_missing": len(scores) - len(known)}
        store_summary(store, ANALYSIS, f"{variable}_points", known, unit="points",
                      method="scores of the patients with all values", **partly)  # fmt: skip
    store_summary(
        store, ANALYSIS, f"{variable}_items", scores["items_present"], unit="items",
        method=f"items known of {scores['items_total'].max() if len(scores) else 0:g}", **common,
    )  # fmt: skip
    note = "" if len(scores) else "no patient could be evaluated"
    store.add(ANALYSIS, f"{variable}_items", "total", value=scores["items_total"].max(), unit="items",
              method="items of the score", note=note, **common)  # fmt: skip


def _store_agreement(pair: dict[str, Any], found: Diagnoses, store: StatisticsStore) -> None:
    variable = f"{slug(pair['criteria_a'])}_v_{slug(pair['criteria_b'])}"
    counts = ("both_met", "a_only", "b_only", "neither")
    n = sum(int(pair[name]) for name in counts)
    common: dict[str, Any] = {"timepoint": found.moment, "n": n, "n_missing": int(pair["undetermined"])}
    common["level"] = " and ".join(found.pairs[variable])
    for name in counts:
        store.add(AGREEMENT, variable, name, value=pair[name], unit="patients",
                  method="patients with a verdict by both", **common)  # fmt: skip
    store.add(AGREEMENT, variable, "agreement", value=100 * pair["agreement"], unit="%",
              method="same verdict by both", **common)  # fmt: skip
    store.add(AGREEMENT, variable, "kappa", value=pair["kappa"], method="Cohen's kappa", **common)


@dataclass(frozen=True)
class Eligible:
    """Refractoriness and eligibility of every patient; None, with the reason, where they are not judged."""

    refractory: Evaluation | None
    eligible: Evaluation | None
    runs: pd.DataFrame
    why_not: str = ""


def judge_eligibility(
    tables: AnalysisTables, found: Diagnoses, config: CohortConfig, folder: Path
) -> Eligible:
    """Judge refractoriness on day 0, and inclusion and exclusion, by the rules of the cohort's settings.

    Refractoriness needs the table of treatments and weights, eligibility a visit on day 0.
    """
    rules, chosen, patients = Rulebook.of(config, folder), config.criteria, tables.patients
    if not (chosen.refractoriness or chosen.eligibility):
        return Eligible(None, None, pd.DataFrame(), "no rule of refractoriness or eligibility is configured")
    reasons, refractory, runs = [], None, pd.DataFrame()
    if chosen.refractoriness:
        lacking = ["treatments"] if "treatments" in tables.absent else []
        lacking += ["patients.weight_kg"] if "weight_kg" not in patients else []
        if lacking:
            reasons.append(f"not recorded: {', '.join(lacking)}")
        else:
            refractory, runs = refractoriness(
                _history(tables, config), rules.criteria_set(chosen.refractoriness)
            )
    eligible = None
    day0 = found if found.moment == DAY0 else found.other
    if chosen.eligibility and (day0 is None or not day0.rows.any()):
        reasons.append("no visit on day 0")
    elif chosen.eligibility and day0 is not None:
        try:
            verdicts = Verdicts(day0.facts, rules.folders, rules.measures)
            eligible = eligibility(rules.criteria_set(chosen.eligibility), patients, verdicts, refractory)
        except NothingRecordedError as error:
            reasons.append(str(error))
    return Eligible(refractory, eligible, runs, "; ".join(reasons))


def _history(tables: AnalysisTables, config: CohortConfig) -> TreatmentHistory:
    weights = tables.patients.set_index("patient_id")["weight_kg"].dropna().astype(float)
    return TreatmentHistory(
        tables.patients, tables.treatments, tables.doses, weights,
        prior_response=_prior_response(tables, config), equivalents=equivalents_of(config.vocabulary),
    )  # fmt: skip


def _prior_response(tables: AnalysisTables, config: CohortConfig) -> dict[str, bool] | None:
    """Return who had a response recorded before day 0, of those with any such call."""
    if "responses" in tables.absent:
        return None
    early = tables.responses[tables.responses["day"] < 0]
    good = early["response"].isin(config.responding).groupby(early["patient_id"]).any()
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
