"""The claims ledger: what a publication says without a number, and the statistic that answers it.

A claim is a row of `data/published/NAME_claims.csv` in words of the project's own: ``rule`` and
``statistic_id`` say which stored statistics answer it and how, ``limit`` what they are held against, ``mark``
that the answer is only like it, ``reason`` what a reader must know, or why no statistic can answer.

>>> claims = read_claims("rdmas_2025")
>>> answers = answer_claims(statistics, claims)
>>> len(answers) == len(claims), answers["answer"].iloc[0]
(True, 'holds')
>>> store_answers(answers, store)
>>> read_claims(None)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helpers.published.ledger import LedgerError, default_ledger_path
from helpers.results.format import ALPHA, format_number, format_p_equation
from helpers.results.store import slug

if TYPE_CHECKING:
    import pandas as pd

    from helpers.results.store import Statistic, Statistics, StatisticsStore

ANALYSIS = "published_claims"
HOLDS, FAILS, OPEN = "holds", "does not hold", "cannot be answered"
ANSWERS = (HOLDS, FAILS, OPEN)
COLUMNS = ("id", "section", "claim", "found", "answered_by", "answer", "mark", "reason")
_LEDGER_COLUMNS = ("id", "section", "claim", "rule", "statistic_id", "limit", "mark", "reason")
_HALF = 0.5


def read_claims(name: str | None) -> pd.DataFrame | None:
    """Return the claims of the ledger of this name; None for a cohort that names none, or one without claims.

    Raises:
        LedgerError: a column is missing, or a rule is unknown; all faults at once.
    """
    import pandas as pd

    path = None if name is None else default_ledger_path(f"{name}_claims")
    if path is None or not path.is_file():
        return None
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    problems = [f"{path.name}: column {c} is missing" for c in _LEDGER_COLUMNS if c not in frame.columns]
    known = (*_RULES, _NONE_BUT)
    if not problems:
        problems = [
            f"{path.name}, {one['id']}, column rule: found {one['rule']!r}, expected {', '.join(known)}"
            for one in frame.to_dict("records") if one["rule"] and one["rule"] not in known
        ]  # fmt: skip
        problems += [
            f"{path.name}, {one['id']}: neither a rule nor a reason why there is none"
            for one in frame.to_dict("records") if not one["rule"] and not one["reason"]
        ]  # fmt: skip
    if problems:
        raise LedgerError(problems)
    return frame


def answer_claims(statistics: Statistics, claims: pd.DataFrame | None) -> pd.DataFrame:
    """Answer every claim from the stored statistics.

    Returns:
        One row a claim, columns `COLUMNS`: found is the statistic in words, answer one of `ANSWERS`.
    """
    import pandas as pd

    rows = []
    for claim in [] if claims is None else claims.to_dict("records"):
        found, answer, reason = _answer(claim, statistics)
        rows.append({**claim, "found": found, "answered_by": claim["statistic_id"], "answer": answer,
                     "reason": "; ".join(filter(None, (claim["reason"], reason)))})  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def store_answers(answers: pd.DataFrame, store: StatisticsStore) -> None:
    """Store how many claims have each answer."""
    common: dict[str, Any] = {"unit": "claims", "method": "count", "n": len(answers)}
    for answer in ANSWERS:
        count = int((answers["answer"] == answer).sum())
        store.add(ANALYSIS, slug(answer), "count", value=count, **common)


def _answer(claim: Mapping[Any, str], statistics: Statistics) -> tuple[str, str, str]:
    """Return what was found in words, the answer, and why there is none."""
    if claim["rule"] == _NONE_BUT:
        return _none_significant_but(claim, statistics)
    names = [name for name in claim["statistic_id"].split("|") if name]
    absent = [name for name in names if name not in statistics]
    if absent:
        return "", OPEN, f"this cohort has no statistic {', '.join(absent)}"
    rows = [statistics[name] for name in names]
    if not claim["rule"]:
        return _shown(rows[0]) if rows else "", OPEN, ""
    found, holds = _RULES[claim["rule"]](rows, float(claim["limit"] or "nan"))
    if holds is None:
        return found, OPEN, rows[0].note or "the statistic could not be estimated"
    return found, HOLDS if holds else FAILS, ""


Found = tuple[str, bool | None]
Rule = Callable[[Sequence["Statistic"], float], Found]


def _shown(row: Statistic) -> str:
    if math.isnan(row.value):
        return ""
    if row.unit == "patients":
        return _number(row.value) + (f" of {row.n}" if row.n else "")
    return f"{_number(row.value)} {row.unit}".removesuffix(" grade").strip()


def _number(value: float) -> str:
    return format_number(value, 0 if value == round(value) else 2)


def _share(rows: Sequence[Statistic]) -> tuple[float, float]:
    """Return a count and what it is of: the second row's value, or the first one's n."""
    whole = rows[1].value if len(rows) > 1 else float(rows[0].n or 0)
    return rows[0].value, whole


def _counted(holds: Callable[[float, float], bool]) -> Rule:
    def rule(rows: Sequence[Statistic], _limit: float) -> Found:
        count, whole = _share(rows)
        known = not math.isnan(count) and whole > 0
        text = f"{_number(count)} of {_number(whole)}" if known else ""
        return text, holds(count, whole) if known else None

    return rule


def _compared(holds: Callable[[float, float], bool]) -> Rule:
    def rule(rows: Sequence[Statistic], limit: float) -> Found:
        value = rows[0].value
        return _shown(rows[0]), None if math.isnan(value) else holds(value, limit)

    return rule


def _two(holds: Callable[[float, float], bool], between: str) -> Rule:
    def rule(rows: Sequence[Statistic], _limit: float) -> Found:
        first, second = (row.value for row in rows[:2])
        if math.isnan(first) or math.isnan(second):
            return "", None
        return f"{_number(first)} {between} {_number(second)}", holds(first, second)

    return rule


def _significant(direction: int) -> Rule:
    """A test below the level and, where a direction is claimed, a change that goes that way."""

    def rule(rows: Sequence[Statistic], _limit: float) -> Found:
        test, change = rows[-1], rows[0].value
        if math.isnan(test.p_value) or (direction and math.isnan(change)):
            return "", None
        text = format_p_equation(test.p_value)
        if direction:
            text = f"{_number(change)} {rows[0].unit}, {text}"
        return text, test.p_value < ALPHA and (not direction or change * direction > 0)

    return rule


_NONE_BUT = "none significant but"


def _none_significant_but(claim: Mapping[Any, str], statistics: Statistics) -> tuple[str, str, str]:
    """Whether no test of an analysis is significant but those of the variables named."""
    tests = [row for row in statistics.select(analysis=claim["statistic_id"], statistic="test")
             if not math.isnan(row.p_value)]  # fmt: skip
    others = [row for row in tests if row.variable not in claim["limit"].split("|")]
    beyond = [row.variable for row in others if row.p_value < ALPHA]
    if not others:
        return "", OPEN, "nothing else was tested"
    text = f"{len(beyond)} of {len(others)} other tests below {ALPHA:g}"
    return text + (f": {', '.join(beyond)}" if beyond else ""), FAILS if beyond else HOLDS, ""


_RULES: dict[str, Rule] = {
    "all": _counted(lambda count, whole: count == whole),
    "most": _counted(lambda count, whole: count / whole > _HALF),
    "few": _counted(lambda count, whole: count / whole < _HALF),
    "none": _compared(lambda value, _: value == 0),
    "above": _compared(lambda value, limit: value > limit),
    "at most": _compared(lambda value, limit: value <= limit),
    "equal": _two(lambda first, second: first == second, "and"),
    "differ": _two(lambda first, second: first != second, "to"),
    "significant": _significant(0),
    "significant rise": _significant(1),
    "significant fall": _significant(-1),
}
