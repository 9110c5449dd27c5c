"""Diagnosis of MAS and Still's disease by criteria and scores, and how far they agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.clinical.criteria_files import Directory
from helpers.clinical.definitions import Criteria, Score, load_criteria
from helpers.clinical.derived import with_derived
from helpers.clinical.engine import Evaluation, ScoreEvaluation, evaluate, evaluate_score
from helpers.clinical.facts import Facts, FloatArray, StateArray
from helpers.clinical.measures import Measures


def hscore_probability(score: npt.ArrayLike) -> tuple[FloatArray, npt.NDArray[np.object_]]:
    """Probability in percent of the syndrome at an HScore, and its qualifier ("<", ">" or "").

    Equals the printed table at its 17 points (Fardet 2014). Between them the figure is a straight line
    between the neighbours, which is ours and not printed; at and below 90, and above it up to 100, "<1";
    from 240 ">99" beyond.

    >>> percent, qualifier = hscore_probability([80, 169, 300])
    >>> percent.tolist(), qualifier.tolist()
    ([1.0, 52.6, 99.0], ['<', '', '>'])
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


def evaluate_by_name(
    name: str,
    facts: Facts,
    *,
    extra_directories: Iterable[Directory] = (),
    settings: Mapping[str, Any] | None = None,
    missing: str | None = None,
    measures: Measures | None = None,
) -> Evaluation | ScoreEvaluation:
    """Load a criteria set or score, the package's or a study's own, and evaluate it on `facts`.

    >>> keys = pd.DataFrame({"patient_id": ["a", "b"], "visit": ["baseline"] * 2, "day": [0, 0]})
    >>> facts = (
    ...     Facts(keys, {})
    ...     .with_column("ferritin", [9000.0, 100.0], unit="ng/mL")
    ...     .with_column("fever", [1.0, 0.0])
    ... )
    >>> found = evaluate_by_name("eular_acr_printo_2016", facts)
    >>> found.frame()[["patient_id", "verdict"]].values.tolist()
    [['a', 'undetermined'], ['b', 'not met']]
    >>> evaluate_loaded(found.criteria, facts, missing="not_met").verdict.tolist()
    [0, 0]
    """
    criteria = load_criteria(name, extra_directories=extra_directories, settings=settings, measures=measures)
    return evaluate_loaded(criteria, facts, missing=missing)


def evaluate_loaded(
    criteria: Criteria | Score, facts: Facts, *, missing: str | None = None
) -> Evaluation | ScoreEvaluation:
    """Evaluate a criteria set or score on `facts` and the values that follow from them."""
    facts = with_derived(facts)
    if isinstance(criteria, Criteria):
        return evaluate(criteria, facts, missing=missing)
    return evaluate_score(criteria, facts, missing=missing)


def hscore(facts: Facts, *, missing: str | None = None) -> pd.DataFrame:
    """HScore of each patient-visit: score, attainable range, items present, verdict and probability.

    Columns of `ScoreEvaluation.frame`, and probability_percent with probability_qualifier (of the score as
    it stands, missing items giving no points), probability_method.

    >>> keys = pd.DataFrame({"patient_id": ["a"], "visit": ["baseline"], "day": [0]})
    >>> facts = (
    ...     Facts(keys, {}).with_column("fever", [1.0]).with_column("ferritin", [9000.0], unit="ng/mL")
    ... )
    >>> hscore(facts)[["patient_id", "score", "verdict"]].values.tolist()
    [['a', 50.0, 'undetermined']]
    """
    result = evaluate_score(_hscore(), facts, missing=missing).frame()
    value, qualifier = hscore_probability(result["score"].to_numpy())
    printed = np.isin(result["score"], [point for point, _ in _hscore().probability])
    result["probability_percent"] = value
    result["probability_qualifier"] = qualifier
    result["probability_method"] = np.where(printed, "printed table", "interpolated, not printed")
    return result


def any_verdict(verdicts: Iterable[StateArray]) -> StateArray:
    """Verdict "met by at least one": 1 met, 0 met by none, -1 undetermined.

    >>> any_verdict([np.array([1, 0, 0]), np.array([-1, -1, 0])]).tolist()
    [1, -1, 0]
    """
    stack = np.array(list(verdicts))
    result = np.where((stack == 1).any(axis=0), 1, np.where((stack == 0).all(axis=0), 0, -1))
    return result.astype(np.int8)


def cohen_kappa(both: int, first_only: int, second_only: int, neither: int) -> float:
    """Cohen's kappa of a two-by-two table (Cohen 1960); NaN when chance agreement is complete.

    >>> round(cohen_kappa(20, 5, 10, 15), 3)  # 0.7 agree, 0.5 by chance
    0.4
    """
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

    >>> verdicts = pd.DataFrame(
    ...     {"a": ["met", "met", "not met"], "b": ["met", "not met", "undetermined"]}
    ... )
    >>> criteria_agreement(verdicts, ["a", "b"])[["both_met", "a_only", "undetermined"]].values.tolist()
    [[1, 1, 1]]
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
